"""A folder of sessions: what is in it, and taking sessions out of it so that this can be undone."""

import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from drivers.errors import SessionError
from drivers.session.durable import LOCK_NAME, being_written
from drivers.session.labels import Labels, apply, read_events
from drivers.session.manifest import MANIFEST_NAME, SESSION_NAME, Manifest, SessionInfo, read_model
from drivers.session.recover import needs_recovery

TRASH_NAME = ".trash"


class State(Enum):
    """What can be done with a session."""

    WHOLE = "whole"
    RECORDING = "recording"
    UNFINISHED = "unfinished"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class SessionSummary:
    """One line of the library; no image is opened for it.

    Attributes:
        path: of the session.
        state: only a whole one can be opened.
        info: None where session.json is damaged.
        manifest: None unless whole.
        labels: None where they are damaged.
        size_bytes: of all files.
        problem: why it is damaged, or empty.
    """

    path: Path
    state: State
    info: SessionInfo | None
    manifest: Manifest | None
    labels: Labels | None
    size_bytes: int
    problem: str = ""

    @property
    def duration_s(self) -> float:
        """0 unless the session is whole."""
        return self.manifest.duration_s if self.manifest else 0.0

    @property
    def frames(self) -> int:
        """Of all cameras; 0 unless the session is whole."""
        if self.info is None or self.manifest is None:
            return 0
        return sum(self.manifest.frames(camera.id) for camera in self.info.cameras)


def sessions(folder: Path) -> list[SessionSummary]:
    """All sessions in `folder`, the newest first as far as names tell."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if not path.name.startswith(".") and is_session(path)]
    return [summary(path) for path in sorted(found, reverse=True)]


def is_session(path: Path) -> bool:
    """Whether `path` is a session folder, in whatever state."""
    return (path / SESSION_NAME).is_file()


def summary(path: Path) -> SessionSummary:
    """What the library shows of one session."""
    info, manifest, labels, problem = None, None, None, ""
    state = State.WHOLE
    try:
        info = read_model(path / SESSION_NAME, SessionInfo)
        labels = apply(read_events(path))
        if being_written(path):
            state = State.RECORDING
        elif needs_recovery(path):
            state = State.UNFINISHED
        else:
            manifest = read_model(path / MANIFEST_NAME, Manifest)
    except SessionError as error:
        state, problem = State.DAMAGED, str(error)
    return SessionSummary(path, state, info, manifest, labels, _bytes_in(path), problem)


def _bytes_in(path: Path) -> int:
    size = 0
    for file in path.iterdir():
        # A file that is written under another name first may have got its own by now.
        with suppress(FileNotFoundError):
            found = file.stat()
            size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return size


def delete(path: Path) -> Path:
    """Move a session to the folder `.trash` beside it; `restore` brings it back.

    Returns:
        Where it is now.

    Raises:
        SessionError: it is no session, is being recorded, or cannot be moved.
    """
    if not is_session(path):
        raise SessionError(f"{path} is no session", hint="Choose a session folder.")
    if being_written(path):
        raise SessionError(f"{path} is being recorded", hint="Stop the recording, then delete it.")
    return _move(path, path.parent / TRASH_NAME / path.name)


def restore(trashed: Path) -> Path:
    """Bring a deleted session back.

    Returns:
        Where it is now.

    Raises:
        SessionError: it is not in the trash, or another session has its name.
    """
    if trashed.parent.name != TRASH_NAME or not is_session(trashed):
        raise SessionError(f"{trashed} is not in the trash", hint="It may have been restored already.")
    return _move(trashed, trashed.parent.parent / trashed.name)


def empty_trash(folder: Path) -> None:
    """Remove all deleted sessions of a library for good."""
    shutil.rmtree(folder / TRASH_NAME, ignore_errors=True)


def _move(path: Path, target: Path) -> Path:
    try:
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            raise SessionError(f"{target} is there already", hint="Rename one of the two folders.")
        (path / LOCK_NAME).unlink(missing_ok=True)
        path.rename(target)
    except OSError as error:
        raise SessionError(
            f"{path} cannot be moved: {error.strerror}", hint="Make its folder writable."
        ) from error
    return target
