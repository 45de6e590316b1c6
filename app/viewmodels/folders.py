"""Walks through folders, for a dialog that fingers can use."""

import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from drivers.session.library import is_session


@dataclass(frozen=True)
class FolderRow:
    """One folder in the list.

    Attributes:
        path: of the folder.
        session: whether it is a recorded session.
    """

    path: Path
    session: bool


@dataclass(frozen=True)
class FolderView:
    """Where the walk stands.

    Attributes:
        path: the folder itself.
        rows: folders in it, by name; hidden ones are left out.
        session: whether the folder itself is a session.
        problem: why it cannot be read, or empty.
    """

    path: Path
    rows: tuple[FolderRow, ...]
    session: bool = False
    problem: str = ""


def read_folder(path: Path) -> FolderView:
    """What is in a folder; trouble is part of the answer."""
    try:
        below = [
            entry.path for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith(".")
        ]
    except OSError as error:
        return FolderView(path, (), problem=f"This folder cannot be read: {error.strerror}.")
    rows = tuple(FolderRow(Path(name), is_session(Path(name))) for name in sorted(below, key=str.casefold))
    return FolderView(path, rows, is_session(path))


def shortcuts(sessions: Path) -> tuple[tuple[str, Path], ...]:
    """Title and path of the places that people go to: home, sessions, what is plugged in."""
    places = [("Home", Path.home()), ("Sessions", sessions), ("Computer", Path(Path.home().anchor))]
    user = os.environ.get("USER", "")
    for mounts in (Path("/media") / user, Path("/run/media") / user, Path("/Volumes")):
        if user and mounts.is_dir():
            places += [(drive.name, drive) for drive in sorted(mounts.iterdir()) if drive.is_dir()]
    return tuple((title, path) for title, path in places if path.is_dir())


class FolderWalk(QObject):
    """Stands in one folder and goes to others."""

    view_changed = Signal(FolderView)

    def __init__(self, start: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        while not start.is_dir() and start != start.parent:
            start = start.parent
        self.view = read_folder(start.absolute())

    def go_to(self, path: Path) -> None:
        """Stand in another folder."""
        self.view = read_folder(path)
        self.view_changed.emit(self.view)

    def go_up(self) -> None:
        """Stand one folder further up."""
        self.go_to(self.view.path.parent)
