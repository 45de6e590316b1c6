"""Walks through folders, for a dialog that fingers can use."""

import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.language import from_below, tr
from drivers.session.library import is_session


@dataclass(frozen=True)
class FolderRow:
    """One folder or file in the list.

    Attributes:
        path: of the folder.
        session: whether it is a recorded session.
        file: whether it is a file that can be chosen.
    """

    path: Path
    session: bool
    file: bool = False


@dataclass(frozen=True)
class FolderView:
    """Where the walk stands.

    Attributes:
        path: the folder itself.
        rows: folders in it, by name, then files; hidden ones are left out.
        session: whether the folder itself is a session.
        problem: why it cannot be read, or empty.
    """

    path: Path
    rows: tuple[FolderRow, ...]
    session: bool = False
    problem: str = ""


def read_folder(path: Path, suffixes: tuple[str, ...] = ()) -> FolderView:
    """What is in a folder, files with one of the suffixes included; trouble is part of the answer."""
    try:
        with os.scandir(path) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
        below = [entry.path for entry in entries if entry.is_dir()]
        files = [entry.path for entry in entries if entry.name.lower().endswith(suffixes or "\0")]
    except OSError as error:
        return FolderView(
            path,
            (),
            problem=tr("This folder cannot be read: {strerror}.").format(
                strerror=from_below(str(error.strerror))
            ),
        )
    rows = tuple(FolderRow(Path(name), is_session(Path(name))) for name in sorted(below, key=str.casefold))
    rows += tuple(FolderRow(Path(name), False, True) for name in sorted(files, key=str.casefold))
    return FolderView(path, rows, is_session(path))


def shortcuts(sessions: Path) -> tuple[tuple[str, Path], ...]:
    """Title and path of the places that people go to: home, sessions, what is plugged in."""
    places = [
        (tr("Home folder"), Path.home()),
        (tr("Sessions"), sessions),
        (tr("Computer"), Path(Path.home().anchor)),
    ]
    user = os.environ.get("USER", "")
    for mounts in (Path("/media") / user, Path("/run/media") / user, Path("/Volumes")):
        if user and mounts.is_dir():
            places += [(drive.name, drive) for drive in sorted(mounts.iterdir()) if drive.is_dir()]
    return tuple((title, path) for title, path in places if path.is_dir())


class FolderWalk(QObject):
    """Stands in one folder and goes to others."""

    view_changed = Signal(FolderView)

    def __init__(self, start: Path, parent: QObject | None = None, *, suffixes: tuple[str, ...] = ()) -> None:
        super().__init__(parent)
        self._suffixes = suffixes
        while not start.is_dir() and start != start.parent:
            start = start.parent
        self.view = read_folder(start.absolute(), suffixes)

    def go_to(self, path: Path) -> None:
        """Stand in another folder."""
        self.view = read_folder(path, self._suffixes)
        self.view_changed.emit(self.view)

    def go_up(self) -> None:
        """Stand one folder further up."""
        self.go_to(self.view.path.parent)
