"""Copies a session to another disk and proves that it arrived."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from drivers.errors import SessionError
from drivers.session.durable import LOCK_NAME, TEMPORARY_SUFFIX, sync_folder
from drivers.session.library import State, summary
from drivers.session.verify import BLOCK_BYTES, Cancelled, Progress, sha256

PARTIAL_PREFIX = ".copying-"
SPARE_BYTES = 64 << 20


def copy_session(path: Path, library: Path, progress: Progress, *, name: str = "") -> Path:
    """Copy a session into the folder `library`, read the copy back from its disk, and compare hashes.

    Until all is proven, the copy has a hidden name; a copy that was given up or failed is removed.

    Args:
        path: a whole session.
        library: made where it is missing.
        progress: gets bytes done, written and read back, and their sum.
        name: of the copy's folder; empty for that of the session.

    Returns:
        Where the copy is.

    Raises:
        SessionError: it is no whole session or is damaged, the copy is there already, or the disk does not
            take it or gives back something else.
        Cancelled: `progress` returned false.
    """
    source = summary(path)
    if source.state is not State.WHOLE or source.manifest is None:
        raise SessionError(
            f"{path} is not a whole session: {source.problem or source.state.value}",
            hint="Stop its recording, or recover it, then copy it.",
        )
    name = name or path.name
    target, partial = library / name, library / f"{PARTIAL_PREFIX}{name}"
    if target.exists():
        raise SessionError(
            f"{target} is there already", hint="Choose another folder, or verify the copy that is there."
        )
    hashes = {file.name: file.sha256 for file in source.manifest.files}
    files = _files(path)
    try:
        library.mkdir(parents=True, exist_ok=True)
        if partial.exists():
            shutil.rmtree(partial)  # a copy that was interrupted
        free = shutil.disk_usage(library).free
        if free < source.size_bytes + SPARE_BYTES:
            raise SessionError(
                f"{library} has room for {free / 1e9:.1f} GB, and the session needs "
                f"{source.size_bytes / 1e9:.1f}",
                hint="Make room there, or choose another disk.",
            )
        partial.mkdir()
        try:
            _copy(files, partial, hashes, progress, 2 * source.size_bytes)
            partial.rename(target)
            sync_folder(library)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        raise SessionError(
            f"{path} could not be copied to {library}: {error.strerror}",
            hint="Check both disks, then copy it again.",
        ) from error
    return target


def _files(path: Path) -> list[Path]:
    """What belongs to a session, without files that are being written to take the place of others.

    The library may write a thumbnail while the session is copied; the next moment it has another name.
    """
    return [
        file
        for file in sorted(path.iterdir())
        if file.name != LOCK_NAME and file.suffix != TEMPORARY_SUFFIX and file.is_file()
    ]


def _copy(files: list[Path], target: Path, hashes: dict[str, str], progress: Progress, total: int) -> None:
    done = 0

    def step(now: int) -> None:
        if not progress(done + now, total):
            raise Cancelled

    written = {}
    for file in files:
        written[file.name] = _copy_file(file, target / file.name, step)
        done += file.stat().st_size
        expected = hashes.get(file.name, written[file.name])
        if written[file.name] != expected:
            raise SessionError(
                f"{file} is damaged: its SHA-256 is not that of the recording",
                hint=f"Run `python main.py verify {file.parent}`; nothing was copied.",
            )
    sync_folder(target)
    for file in files:
        if sha256(target / file.name, step) != written[file.name]:
            raise SessionError(
                f"{target.parent} gave back something else than was written to it: {file.name}",
                hint="Do not trust this disk; copy the session to another one.",
            )
        done += file.stat().st_size


def _copy_file(source: Path, target: Path, step: Callable[[int], None]) -> str:
    """Copy a file, durable when this returns, and out of the cache where the system allows; its SHA-256."""
    digest, done = hashlib.sha256(), 0
    with source.open("rb", buffering=0) as reading, target.open("xb", buffering=0) as writing:
        while block := reading.read(BLOCK_BYTES):
            rest = memoryview(block)
            while rest:
                rest = rest[writing.write(rest) :]
            digest.update(block)
            done += len(block)
            step(done)
        os.fsync(writing.fileno())
        if hasattr(os, "posix_fadvise"):  # so that the comparison reads the disk
            os.posix_fadvise(writing.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return digest.hexdigest()
