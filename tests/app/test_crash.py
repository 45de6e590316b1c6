"""Uncaught errors of any thread reach the operator as one sentence and the log as a whole."""

import logging
import sys
import threading
from pathlib import Path

import pytest

from app import crash


def _broken() -> None:
    raise ValueError("broken")


def _raise_in_main_hook() -> None:
    try:
        _broken()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)


def test_an_error_in_a_thread_is_told_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    with crash.hooks(tmp_path, told.append), caplog.at_level(logging.INFO):
        thread = threading.Thread(target=_broken, name="worker")
        thread.start()
        thread.join()
    assert told == ["Something went wrong that DepthMend does not know: ValueError: broken."]
    assert "worker" in caplog.text
    assert "Traceback" in caplog.text


def test_the_same_error_again_and_again_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    with crash.hooks(tmp_path, told.append):
        for _ in range(5):
            _raise_in_main_hook()
    assert len(told) == 1


def test_the_hooks_of_before_come_back(tmp_path: Path) -> None:
    before = sys.excepthook, threading.excepthook
    with crash.hooks(tmp_path, print):
        assert sys.excepthook != before[0]
    assert (sys.excepthook, threading.excepthook) == before


def test_a_folder_that_is_not_there_is_no_reason_not_to_start(tmp_path: Path) -> None:
    told: list[str] = []
    with crash.hooks(tmp_path / "absent", told.append):
        _raise_in_main_hook()
    assert len(told) == 1
