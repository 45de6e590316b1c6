"""Errors as words for the operator: a title, what happened, and what to do."""

import errno
from dataclasses import dataclass

from app.settings import SettingsError
from drivers.errors import (
    CalibrationError,
    CameraBusy,
    CameraError,
    CameraLost,
    CameraNotFound,
    LibraryMissing,
    ModeUnsupported,
    RigFileError,
    SdkMissing,
    SessionError,
)
from model.errors import WeightsError


@dataclass(frozen=True)
class Message:
    """What the screen or the terminal says of an error.

    Attributes:
        title: what kind of trouble it is, in a few words.
        sentence: what happened.
        hint: what to do about it.
    """

    title: str
    sentence: str
    hint: str

    @property
    def line(self) -> str:
        """Everything in one line, for a terminal."""
        return f"{self.sentence} {self.hint}".strip()


class UsageError(Exception):
    """The command line or an input file asks for what cannot be done; `hint` says what can."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


_TITLES: dict[type[Exception], str] = {
    SdkMissing: "Camera software missing",
    LibraryMissing: "Software missing",
    CameraNotFound: "Camera not found",
    CameraBusy: "Camera in use",
    ModeUnsupported: "Not supported",
    CameraLost: "Camera lost",
    RigFileError: "Rig file",
    CameraError: "Camera trouble",
    SessionError: "Recording trouble",
    CalibrationError: "Calibration trouble",
    SettingsError: "Settings cannot be used",
    UsageError: "Cannot be done",
    WeightsError: "Weights cannot be used",
}

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def expected() -> tuple[type[Exception], ...]:
    """The errors that `message` has words for."""
    return (*_TITLES, OSError)


def message(error: Exception) -> Message:
    """Words for an error; one that nobody expected gets honest words too."""
    hint = str(getattr(error, "hint", ""))
    for kind, title in _TITLES.items():
        if isinstance(error, kind):
            return Message(title, _sentence(str(error.args[0])), hint)
    if isinstance(error, OSError):
        return _of_the_system(error)
    return Message(
        "Unexpected error",
        f"Something went wrong that DepthMend does not know: {type(error).__name__}: {error}.",
        "The log file has the details.",
    )


def _of_the_system(error: OSError) -> Message:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _DISK_FULL:
        return Message(
            "Disk full",
            f"The disk is full{where}.",
            "Make room or choose a folder on another disk, then go on.",
        )
    if isinstance(error, PermissionError):
        return Message(
            "Not allowed",
            f"This user may not read or write here{where}.",
            "Choose another folder, or change its permissions.",
        )
    if isinstance(error, FileNotFoundError):
        return Message("Not found", f"There is no such file or folder{where}.", "Check the path.")
    text = error.strerror or str(error)
    return Message(
        "System error", _sentence(f"{text}{where}"), "Check the path and the disk, then try again."
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
