"""Tells whether a session still is what was recorded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import SessionError
from drivers.session.labels import read_events
from drivers.session.manifest import (
    CALIBRATION_NAME,
    MANIFEST_NAME,
    SESSION_NAME,
    CalibrationFile,
    Manifest,
    SessionInfo,
    read_model,
)
from drivers.session.recover import needs_recovery

Progress = Callable[[int, int], bool]
"""Called with bytes done and bytes in all; false ends the work."""

BLOCK_BYTES = 8 << 20
CHANGED = "it has changed since it was recorded (its SHA-256 differs)"


class Cancelled(Exception):
    """Whoever watched the progress wanted no more."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one file of a session."""

    file: str
    text: str


def verify(path: Path, progress: Progress) -> list[Fault]:
    """Every fault of a session; each file of images is read and compared with its hash in the manifest.

    Raises:
        SessionError: there is no finished session at all.
        Cancelled: `progress` returned false.
    """
    read_model(path / SESSION_NAME, SessionInfo)
    if needs_recovery(path):
        raise SessionError(f"{path} is not finished", hint=f"Run `python main.py recover {path}` first.")
    manifest = read_model(path / MANIFEST_NAME, Manifest)
    faults = []
    try:
        read_model(path / CALIBRATION_NAME, CalibrationFile)
    except SessionError as error:
        faults.append(Fault(CALIBRATION_NAME, str(error)))
    faults += [
        Fault(name, CHANGED)
        for name, expected in manifest.documents.items()
        if (path / name).exists() and _document_hash(path / name) != expected
    ]
    try:
        read_events(path)
    except SessionError as error:
        faults.append(Fault("labels.jsonl", str(error)))
    total = sum(file.size for file in manifest.files)
    before = 0
    for file in manifest.files:

        def step(done: int, start: int = before) -> None:
            if not progress(start + done, total):
                raise Cancelled

        text = _fault(path / file.name, file.size, file.sha256, step)
        if text:
            faults.append(Fault(file.name, text))
        before += file.size
    known = {file.name for file in manifest.files}
    faults += [
        Fault(extra.name, "it is not in the manifest")
        for extra in sorted(path.glob("*.mcap"))
        if extra.name not in known
    ]
    return faults


def _document_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sha256(path: Path, step: Callable[[int], None]) -> str:
    """Hash of a file; `step` gets the number of bytes read so far.

    Raises:
        OSError: the file cannot be read.
    """
    digest, done = hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            step(done)
    return digest.hexdigest()


def _fault(path: Path, size: int, expected: str, step: Callable[[int], None]) -> str:
    try:
        found = path.stat().st_size
        if found != size:
            return f"it has {found:,} bytes, and {size:,} were recorded"
        return "" if sha256(path, step) == expected else CHANGED
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
