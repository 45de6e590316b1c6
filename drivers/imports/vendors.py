"""Recordings of RealSense, Orbbec and ZED cameras, read through their own libraries."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from drivers.camera import Camera, EndOfStream
from drivers.errors import ModeUnsupported
from drivers.imports.recording import Imported, RecordedCamera, Recording
from drivers.registry import RECORDINGS, recording

PATIENCE_S = 30.0
_POLL_S = 0.5


def matches(path: Path) -> bool:
    """Whether it is a file that a vendor's library wrote."""
    return path.is_file() and path.suffix.lower() in RECORDINGS


def open_vendor(path: Path) -> Recording:
    """The camera in a vendor's file.

    Raises:
        SdkMissing: the vendor's library is not installed.
        ModeUnsupported: it is no such recording.
    """
    camera = recording(path)
    info = replace(camera.info, name=camera.info.name.removesuffix(" (recorded)"))

    def frames() -> Iterator[Imported]:
        yield from _read(camera, path)

    return Recording(f"{info.name}, {path.name}", (RecordedCamera(info, frames),))


def _read(camera: Camera, path: Path) -> Iterator[Imported]:
    silent_s = 0.0
    with camera:
        while True:
            try:
                frame = camera.read(timeout_s=_POLL_S)
            except EndOfStream:
                return
            silent_s = 0.0 if frame is not None else silent_s + _POLL_S
            if frame is not None:
                yield Imported(replace(frame, captured_ns=frame.device_ns))
            elif silent_s > PATIENCE_S:
                raise ModeUnsupported(
                    f"{path.name} gives no more frames and does not end", hint="The file may be damaged."
                )
