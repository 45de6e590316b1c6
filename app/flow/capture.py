"""Reads one camera for as long as the program runs, and finds it again when it is lost."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from app.flow.desk import Desk
from app.flow.sync import SLOWEST_HZ
from drivers.camera import Camera, EndOfStream, Resettable
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound, ModeUnsupported, SdkMissing
from drivers.frame import Frame

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.2
SILENCE_S = 1.5
"""More than the second after which a paused recording shows its frame again."""
PERIODS = 4
"""Of a slow camera, which may be silent for longer."""
RETRY_S = 1.0
RETRY_MOST_S = 5.0
REOPEN_S = 5.0
"""A live camera that is silent for so long is closed and opened again, which helps many a stuck one."""
RESET_AFTER = 2
"""Failures in a row after which the device itself is started anew, where its library can do that."""
NO_RESET = (CameraNotFound, CameraBusy, ModeUnsupported, SdkMissing)
"""What no reset mends: nothing is there, it belongs to another program, or too much is asked of it."""


class CameraStatus(Enum):
    """What a camera is doing."""

    STARTING = "starting"
    OPEN = "open"
    """Opened for the first time; no frame has come yet."""
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


@dataclass(frozen=True)
class Step:
    """What is done about a camera that failed.

    Attributes:
        wait_s: before it is tried again.
        reset: start the device itself anew first.
    """

    wait_s: float
    reset: bool


def after_failure(error: CameraError, failures: int) -> Step:
    """What to do after so many failures in a row, the last of which is `error`.

    A camera that is not there is looked for every second, which costs nothing, so that it runs again as soon
    as it is plugged in. Everything else is tried less and less often.
    """
    if isinstance(error, CameraNotFound):
        return Step(RETRY_S, reset=False)
    wait_s = min(RETRY_S * 2 ** (failures - 1), max(RETRY_MOST_S, RETRY_S))
    reset = failures >= RESET_AFTER and failures % RESET_AFTER == 0 and not isinstance(error, NO_RESET)
    return Step(wait_s, reset)


def capture(
    camera: Camera,
    deliver: Callable[[Frame], None],
    report: Callable[[CameraState], None],
    stop: threading.Event,
    desk: Desk | None = None,
) -> None:
    """Deliver frames until `stop`; a camera that fails is tried again, whatever its library raised.

    A camera that is open and sends nothing is reported silent, so that the screen never shows an old picture
    as if it were live. While a lost camera is tried again the reason stays reported, and the log names it
    once.
    """
    desk = desk or Desk()
    report(CameraState(CameraStatus.STARTING))
    logged = ""
    failures = 0
    step = Step(0.0, reset=False)
    while not stop.is_set():
        came = _Came(deliver)
        try:
            if step.reset:
                _reset(camera)
            with camera:
                if not failures:
                    report(CameraState(CameraStatus.OPEN))
                _stream(camera, came, report, stop, desk)
            continue
        except EndOfStream:
            report(CameraState(CameraStatus.ENDED))
            return
        except CameraError as caught:
            error = caught
        except Exception as caught:  # noqa: BLE001  # a session with a vendor's library ends here, not the thread
            error = _unexpected(camera, caught)
        failures = 1 if came.any else failures + 1
        if (reason := f"{error} {error.hint}") != logged:
            log.warning("camera %s: %s", camera.info.id, reason, exc_info=_traceback(error))
            logged = reason
        report(CameraState(CameraStatus.LOST, error))
        step = after_failure(error, failures)
        stop.wait(step.wait_s)
    report(CameraState(CameraStatus.STOPPED))


def silence_s(rate_hz: float) -> float:
    """For how long a camera of this rate may send nothing before it counts as silent."""
    return max(SILENCE_S, PERIODS / max(rate_hz, SLOWEST_HZ))


class _Came:
    """Hands frames on and knows whether there was one."""

    def __init__(self, deliver: Callable[[Frame], None]) -> None:
        self._deliver = deliver
        self.any = False

    def __call__(self, frame: Frame) -> None:
        self.any = True
        self._deliver(frame)


def _traceback(error: CameraError) -> BaseException | None:
    """Of what nobody expected; an error that a driver has words for needs none."""
    cause = error.__cause__
    return cause if type(error) is CameraError and isinstance(cause, Exception) else None


def _unexpected(camera: Camera, error: Exception) -> CameraError:
    failure = CameraError(
        f"Reading {camera.info.name} failed: {type(error).__name__}: {error}",
        hint="It is opened again by itself; the log file has the details.",
    )
    failure.__cause__ = error
    return failure


def _reset(camera: Camera) -> None:
    if not isinstance(camera, Resettable):
        return
    log.warning("camera %s: its device is started anew", camera.info.id)
    try:
        camera.reset()
    except CameraError as error:  # not every device can; why it failed before is what has to be said
        log.warning("camera %s: %s", camera.info.id, error)


def _stream(
    camera: Camera,
    deliver: Callable[[Frame], None],
    report: Callable[[CameraState], None],
    stop: threading.Event,
    desk: Desk,
) -> None:
    streaming = False
    waited_s = 0.0
    patience_s = silence_s(camera.info.rate_hz)
    desk.opened(camera)
    while not stop.is_set():
        desk.serve(camera)
        frame = camera.read(timeout_s=READ_TIMEOUT_S)
        if frame is None:
            waited_s += READ_TIMEOUT_S
            if streaming and waited_s >= patience_s:
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
