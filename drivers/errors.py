"""What can go wrong with a camera or a recording, by what a caller would do about it."""


class CameraError(Exception):
    """A camera cannot do what was asked.

    The message holds the facts; `hint` tells the operator what to do.
    """

    default_hint = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint


class SdkMissing(CameraError):
    """The vendor's library is not installed."""

    default_hint = "Install the camera's SDK, then start DepthMend again."


class LibraryMissing(CameraError):
    """A library that a format needs is not installed."""

    default_hint = "Install it, then try again."


class CameraNotFound(CameraError):
    """No such camera or no such source."""

    default_hint = "Check the cable and the power supply, or choose another source."


class RigFileError(CameraError):
    """A rig file says what cannot be; the message names the place."""

    default_hint = "Mend the file, or choose another source."


class CameraBusy(CameraError):
    """Another program holds the camera."""

    default_hint = "Close the other program that uses this camera."


class ModeUnsupported(CameraError):
    """The camera cannot deliver what was asked, or the data has another size or type."""

    default_hint = "Choose another mode."


class CameraLost(CameraError):
    """The camera was there and is gone."""

    default_hint = "Plug it in again; the others go on."


class CameraUnplugged(CameraLost):
    """The camera is not at its port any more."""


class SessionError(Exception):
    """A recording cannot be written or read.

    The message holds the facts; `hint` tells the operator what to do.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class CalibrationError(Exception):
    """A rig cannot be calibrated from these pictures, or the file of its calibration cannot be read.

    The message holds the facts; `hint` tells the operator what to do.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
