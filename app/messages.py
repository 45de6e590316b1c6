"""Errors as words for the operator: a title, what happened, and what to do."""

import errno
from dataclasses import dataclass

from app.language import ended, from_below, tr, tr_noop
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
    SdkMissing: tr_noop("Camera software missing"),
    LibraryMissing: tr_noop("Software missing"),
    CameraNotFound: tr_noop("Camera not found"),
    CameraBusy: tr_noop("Camera in use"),
    ModeUnsupported: tr_noop("Not supported"),
    CameraLost: tr_noop("Camera lost"),
    RigFileError: tr_noop("Rig file"),
    CameraError: tr_noop("Camera trouble"),
    SessionError: tr_noop("Recording trouble"),
    CalibrationError: tr_noop("Calibration trouble"),
    SettingsError: tr_noop("Settings cannot be used"),
    UsageError: tr_noop("Cannot be done"),
    WeightsError: tr_noop("Weights cannot be used"),
}

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def expected() -> tuple[type[Exception], ...]:
    """The errors that `message` has words for."""
    return (*_TITLES, OSError)


def message(error: Exception) -> Message:
    """Words for an error; one that nobody expected gets honest words too."""
    hint = from_below(getattr(error, "hint", ""))
    for kind, title in _TITLES.items():
        if isinstance(error, kind):
            return Message(title, _sentence(error.args[0]), hint)
    if isinstance(error, OSError):
        return _of_the_system(error)
    return Message(
        tr("Unexpected error"),
        tr("Something went wrong that DepthMend does not know: {name}: {error}.").format(
            name=type(error).__name__, error=error
        ),
        tr("The log file has the details."),
    )


def _of_the_system(error: OSError) -> Message:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _DISK_FULL:
        return Message(
            tr("Disk full"),
            tr("The disk is full{where}.").format(where=where),
            tr("Make room or choose a folder on another disk, then go on."),
        )
    if isinstance(error, PermissionError):
        return Message(
            tr("Not allowed"),
            tr("This user may not read or write here{where}.").format(where=where),
            tr("Choose another folder, or change its permissions."),
        )
    if isinstance(error, FileNotFoundError):
        return Message(
            tr("Not found"),
            tr("There is no such file or folder{where}.").format(where=where),
            tr("Check the path."),
        )
    text = error.strerror or str(error)
    return Message(
        tr("System error"), _sentence(f"{text}{where}"), tr("Check the path and the disk, then try again.")
    )


def _sentence(text: object) -> str:
    return ended(from_below(text if isinstance(text, str) else str(text)))
