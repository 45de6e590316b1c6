"""Records a running rig: takes every frame, encodes in threads, and accounts for each one."""

import logging
import queue
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.flow.channel import Channel, Tap
from app.flow.worker import Worker
from drivers.camera import Camera
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.session.manifest import SessionLabels

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CameraCount:
    """Where one camera's frames went; every count of the device is in exactly one of them.

    Attributes:
        written: in the file.
        dropped: received, and thrown away because encoders or disk were too slow.
        failed: received, and could not be encoded or written.
        device_gap: skipped by the device's own counter before they reached us.
        waiting: received and not written yet.
    """

    written: int = 0
    dropped: int = 0
    failed: int = 0
    device_gap: int = 0
    waiting: int = 0

    @property
    def lost(self) -> int:
        """Frames that are in no file."""
        return self.dropped + self.failed + self.device_gap


@dataclass(frozen=True)
class RecorderStatus:
    """What the screen shows of a recording.

    Attributes:
        seconds: since it started.
        cameras: counts by camera id.
        bytes_written: in this session so far.
        disk_free_bytes: on the session's disk.
        time_left_s: until the disk is full at the present rate.
        queue_fill: share of the queue in use, 0 to 1.
        error: why it stopped by itself; empty while all is well.
        hint: what to do about it.
    """

    seconds: float
    cameras: Mapping[str, CameraCount]
    bytes_written: int
    disk_free_bytes: int
    time_left_s: float
    queue_fill: float
    error: str = ""
    hint: str = ""


class Recorder:
    """One recording of one rig.

    Args:
        folder: the library; the session gets a folder of its own below it.
        lines: camera and channel by camera id; every camera has delivered a frame.
        labels: what the operator said about the session.
    """

    def __init__(
        self, folder: Path, lines: Mapping[str, tuple[Camera, Channel]], labels: SessionLabels
    ) -> None:
        raise NotImplementedError

    @property
    def session(self) -> Path:
        """The session's folder."""
        raise NotImplementedError

    def start(self) -> None:
        """Start recording.

        Raises:
            SessionError: the folder cannot be written or the disk has too little room.
        """
        raise NotImplementedError

    def mark(self, text: str) -> None:
        """Note an event at this moment."""
        raise NotImplementedError

    def status(self) -> RecorderStatus:
        """Counts and room left, at this moment; cheap enough for every tick of the window."""
        raise NotImplementedError

    def stop(self) -> Path:
        """Write what waits, close the session, and return its folder."""
        raise NotImplementedError
