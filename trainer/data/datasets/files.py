"""What readers of folders of files share."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from trainer.errors import DataError


class ScenesOfFiles:
    """A data set with one file for each sample, below the folder of its scene.

    Attributes:
        scene_at: which of a file's `parents` is called like its scene.

    Args:
        paths: of those files.
        root: of the data set, for the message.
        wanted: what was looked for, likewise.

    Raises:
        DataError: there are none.
    """

    scene_at: ClassVar[int] = 2

    def __init__(self, paths: Iterable[Path], *, root: Path, wanted: str) -> None:
        self._frames = listed(paths, root=root, wanted=wanted)

    def __len__(self) -> int:
        return len(self._frames)

    def scene(self, number: int) -> str:
        return self._frames[number].parents[self.scene_at].name


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
