"""Files that survive a crash, and the mark of who is writing them."""

import json
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from drivers.errors import SessionError

LOCK_NAME = ".lock"
TEMPORARY_SUFFIX = ".tmp"


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in place of `path`: after a crash there is the old content or the new one, never a part."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Windows offers no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_data(descriptor: int) -> None:
    """Wait until the content of an open file is on the disk."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


class SessionLock:
    """Says that a live process is writing a session folder.

    The operating system lets go of the lock when the process ends, however it ends.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            SessionError: another writer, in this process or another one, holds it; or the folder cannot be
                written.
        """
        assert self._descriptor is None
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise SessionError(
                f"{self._path.parent} cannot be written: {error.strerror}",
                hint="Choose a folder that you may write to.",
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            owner = _owner(descriptor)
            os.close(descriptor)
            raise SessionError(
                f"{self._path.parent} is being recorded by process {owner}",
                hint="Stop that recording first.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid()}).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._descriptor is None:
            return
        if sys.platform == "win32":
            os.close(self._descriptor)  # an open file cannot be removed there
            self._path.unlink(missing_ok=True)
        else:
            self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def being_written(folder: Path) -> bool:
    """Whether a live process is writing the session in `folder`."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _owner(descriptor: int) -> str:
    try:
        return str(json.loads(os.pread(descriptor, 200, 0))["pid"])
    except (OSError, ValueError, KeyError, AttributeError):
        return "(unknown)"


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the content, so that the pid stays readable
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
