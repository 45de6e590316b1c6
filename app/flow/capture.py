"""Reads one camera for as long as the program runs, and finds it again when it is lost."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from drivers.camera import Camera, EndOfStream
from drivers.errors import CameraError, CameraLost
from drivers.frame import Frame

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.2
SILENCE_S = 3.0
RETRY_S = 1.0
REOPEN_S = 10.0
"""A live camera that is silent for so long is closed and opened again, which helps many a stuck one."""


class CameraStatus(Enum):
    """What a camera is doing."""

    STARTING = "starting"
    STREAMING = "streaming"
    SILENT = "silent"
    LOST = "lost"
    ENDED = "ended"
    STOPPED = "stopped"


@dataclass(frozen=True)
class CameraState:
    """A camera's status, and the reason where something is wrong."""

    status: CameraStatus
    error: CameraError | None = None


def capture(
    camera: Camera,
    deliver: Callable[[Frame], None],
    report: Callable[[CameraState], None],
    stop: threading.Event,
) -> None:
    """Deliver frames until `stop`; a camera that fails is tried again every second.

    A camera that is open and sends nothing for three seconds is reported silent, so that the screen never
    shows an old picture as if it were live. While a lost camera is tried again the reason stays reported, and
    the log names it once.
    """
    report(CameraState(CameraStatus.STARTING))
    logged = ""
    while not stop.is_set():
        try:
            with camera:
                _stream(camera, deliver, report, stop)
        except EndOfStream:
            report(CameraState(CameraStatus.ENDED))
            return
        except CameraError as error:
            if (reason := f"{error} {error.hint}") != logged:
                log.warning("camera %s: %s", camera.info.id, reason)
                logged = reason
            report(CameraState(CameraStatus.LOST, error))
            stop.wait(RETRY_S)
    report(CameraState(CameraStatus.STOPPED))


def _stream(
    camera: Camera,
    deliver: Callable[[Frame], None],
    report: Callable[[CameraState], None],
    stop: threading.Event,
) -> None:
    streaming = False
    waited_s = 0.0
    while not stop.is_set():
        frame = camera.read(timeout_s=READ_TIMEOUT_S)
        if frame is None:
            waited_s += READ_TIMEOUT_S
            if streaming and waited_s >= SILENCE_S:
                streaming = False
                report(CameraState(CameraStatus.SILENT))
            if waited_s >= REOPEN_S and camera.info.live:
                raise CameraLost(
                    f"{camera.info.name} has sent nothing for {REOPEN_S:.0f} seconds",
                    hint="It is opened again; check its cable and its USB port.",
                )
            continue
        waited_s = 0.0
        if not streaming:
            streaming = True
            report(CameraState(CameraStatus.STREAMING))
        deliver(frame)
