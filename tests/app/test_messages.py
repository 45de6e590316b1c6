"""Every family of errors has words: a title, a sentence, and something to do."""

import errno

import pytest

from app.messages import UsageError, expected, message
from app.settings import SettingsError
from drivers.errors import CameraError, CameraNotFound, SdkMissing, SessionError

FAMILIES = [
    CameraError("The camera is hot", hint="Let it cool."),
    SdkMissing("pyzed is missing"),
    CameraNotFound("No camera 7"),
    SessionError("The file ends early", hint="Recover it."),
    SettingsError("Line 3 is wrong.", hint="Correct it."),
    UsageError("The model is off.", hint="Choose one."),
    OSError(errno.ENOSPC, "No space left on device", "/data/x"),
    PermissionError(errno.EACCES, "Permission denied", "/data/x"),
    FileNotFoundError(errno.ENOENT, "No such file or directory", "/data/x"),
    OSError(errno.EIO, "Input/output error", "/data/x"),
]


@pytest.mark.parametrize("error", FAMILIES, ids=lambda error: type(error).__name__)
def test_every_expected_error_says_what_happened_and_what_to_do(error: Exception) -> None:
    assert isinstance(error, expected())
    words = message(error)
    assert words.title
    assert words.sentence.endswith(".")
    assert words.hint.endswith(".")
    assert "\n" not in words.line


def test_a_full_disk_is_called_a_full_disk() -> None:
    words = message(OSError(errno.ENOSPC, "No space left on device", "/data/x"))
    assert words.title == "Disk full"
    assert "/data/x" in words.sentence


def test_weights_keep_sentence_and_hint_apart() -> None:
    from model.errors import WeightsError

    error = WeightsError("The file is cut.", hint="Download it again.")
    assert isinstance(error, expected())
    assert message(error).line == "The file is cut. Download it again."


def test_an_unknown_error_is_named() -> None:
    error = ZeroDivisionError("division by zero")
    assert not isinstance(error, expected())
    assert "ZeroDivisionError: division by zero" in message(error).sentence
