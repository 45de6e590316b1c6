"""What readers of folders of files share."""

from collections.abc import Iterable
from pathlib import Path

from trainer.errors import DataError


def listed(paths: Iterable[Path], *, root: Path, wanted: str) -> list[Path]:
    """`paths` in the order of their names.

    Raises:
        DataError: there are none; the message says what was looked for.
    """
    found = sorted(paths)
    if not found:
        raise DataError(
            f"There is no {wanted} below {root}.", hint="Give the folder that holds the data set."
        )
    return found
