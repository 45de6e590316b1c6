"""The contract that every source of frames keeps."""

from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from drivers.controls import Control, Value, find
from drivers.errors import ModeUnsupported
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
        link_bytes_per_s: what its streams take of the cable; 0 where that is not known, as with files.
        port: where it is plugged in, as the system calls it; empty where that is not known.
    """

    id: str
    name: str
    model: str
    serial: str
    sensor: str
    rate_hz: float
    live: bool
    link_bytes_per_s: float = 0.0
    port: str = ""


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

    def controls(self) -> tuple[Control, ...]:
        """What can be adjusted in the open camera, with the present values; the camera is asked anew.

        Raises:
            CameraError: the camera is not open, or does not answer.
        """

    def set_control(self, name: str, value: Value) -> None:
        """Adjust the open camera; `controls` tells afterwards what it made of it.

        Setting an exposure, a gain or a white balance ends the automatic that would choose it.

        Raises:
            ModeUnsupported: there is no such control, it can only be read, or cannot have this value.
            CameraError: the camera refuses.
        """

    def vendor_settings(self) -> str | None:
        """All that the vendor's own tool would save of the open camera, or None where it saves nothing.

        Raises:
            CameraError: the camera does not answer.
        """

    def load_vendor_settings(self, text: str) -> None:
        """Adjust the open camera as such a text says.

        Raises:
            ModeUnsupported: this camera takes none, or not this one.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class Resettable(Protocol):
    """A camera whose device can be started anew, as if it were plugged out and in."""

    def reset(self) -> None:
        """Start the device anew; it is closed, and comes back after some seconds.

        Raises:
            CameraError: it is gone, or refuses.
        """


class SyncRole(Enum):
    """What a camera does about the moment of its exposures."""

    FREE = "free"
    """Exposes when it likes."""
    PRIMARY = "primary"
    """Tells others by a cable when it exposes."""
    SECONDARY = "secondary"
    """Exposes when the cable says so."""


@runtime_checkable
class Synchronizable(Protocol):
    """A camera that can expose together with others of its kind, over a cable.

    Attributes:
        sync_family: only cameras of one family understand each other.
        primary_starts_first: whether the vendor wants the primary started before the others, or after them.
    """

    sync_family: str
    primary_starts_first: bool

    def sync_roles(self) -> tuple[SyncRole, ...]:
        """Those that this device can take; none but FREE where it cannot.

        Raises:
            CameraError: the device does not answer.
        """

    def set_sync_role(self, role: SyncRole) -> None:
        """Take this role from the next opening on.

        Raises:
            ModeUnsupported: the device cannot.
        """

    @property
    def sync_role(self) -> SyncRole:
        """As it was set last."""


class EndOfStream(Exception):
    """A file source has delivered its last frame."""


class CameraBase:
    """The context manager that all cameras share, and a camera in which nothing can be adjusted."""

    def open(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def controls(self) -> tuple[Control, ...]:
        return ()

    def set_control(self, name: str, value: Value) -> None:
        """Check the value; a camera with controls goes on from here."""
        find(self.controls(), name).checked(value)

    def vendor_settings(self) -> str | None:
        return None

    def load_vendor_settings(self, text: str) -> None:
        raise ModeUnsupported(
            f"This camera takes no settings of its vendor's tool ({len(text)} characters were given)",
            hint="Use its controls.",
        )

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
