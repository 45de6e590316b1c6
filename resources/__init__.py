"""Files that the program ships: icons, styles, the bundled weights."""

from pathlib import Path


def folder() -> Path:
    """Where the files lie, in a checkout as in an installed wheel."""
    return Path(__file__).resolve().parent
