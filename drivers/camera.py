"""The contract that every source of frames keeps."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from drivers.frame import Frame
from drivers.geometry import Calibration


@dataclass(frozen=True)
class CameraInfo:
    """What a camera says of itself.

    Attributes:
        id: unique within the rig, fit for a file name and a topic: letters, digits, underscore.
        name: for people, such as "RealSense D435".
        model: vendor's model name.
        serial: vendor's serial number.
        sensor: how depth is measured: "active stereo", "time of flight", "passive stereo", ...
        rate_hz: frames per second it is asked for.
        live: false for files, which can be read again.
    """

    id: str
    name: str
    model: str
    serial: str
    sensor: str
    rate_hz: float
    live: bool


@runtime_checkable
class Camera(Protocol):
    """One source of frames.

    A camera has no threads: whoever opens it calls `read` in a loop, from one thread. Entering the context
    opens, leaving it closes; both may happen again.
    """

    @property
    def info(self) -> CameraInfo:
        """Known before `open`."""

    @property
    def calibration(self) -> Calibration:
        """Of the open camera.

        Raises:
            CameraError: the camera is not open and its calibration is not known yet.
        """

    def open(self) -> None:
        """Start streaming.

        Raises:
            CameraError: the device is missing, busy, or refuses the mode.
        """

    def close(self) -> None:
        """Stop streaming and free the device. Closing a closed camera does nothing."""

    def read(self, *, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time.

        Raises:
            CameraLost: the device is gone.
            EndOfStream: a file source that does not loop has no more frames.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class EndOfStream(Exception):
    """A file source has delivered its last frame."""


class CameraBase:
    """The context manager that all cameras share."""

    def open(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
