"""The log file takes everything, the console sentences only."""

import logging
import warnings
from pathlib import Path

import pytest

from app import logs


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMEND_LOGS", str(tmp_path / "logs"))


def _fail() -> None:
    try:
        int("no number")
    except ValueError:
        logging.getLogger("test").exception("it failed")


def test_a_traceback_goes_to_the_file_and_not_to_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.started():
        _fail()
    assert "Traceback" in logs.log_file().read_text(encoding="utf-8")
    assert capsys.readouterr().err == "ERROR: it failed\n"


def test_the_console_hears_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.started():
        logging.getLogger("test").info("a detail")
        logging.getLogger("test").warning("a warning")
    assert capsys.readouterr().err == "WARNING: a warning\n"
    assert "a detail" in logs.log_file().read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_no_reason_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DEPTHMEND_LOGS", str(tmp_path / "file" / "logs"))
    with logs.started():
        logging.getLogger("test").warning("a warning")
    errors = capsys.readouterr().err
    assert "There is no log file" in errors
    assert "a warning" in errors


def test_the_log_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 1000)
    with logs.started():
        for n in range(200):
            logging.getLogger("test").info("line %d of many", n)
    files = list(logs.log_file().parent.iterdir())
    assert len(files) == logs.FILES_KEPT + 1
    assert all(file.stat().st_size <= 1000 for file in files)


def test_afterwards_nothing_is_left_on_the_root_logger() -> None:
    before = list(logging.getLogger().handlers)
    with logs.started():
        pass
    assert logging.getLogger().handlers == before


def test_what_libraries_warn_programmers_of_goes_to_the_file_only(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.started(), warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("for programmers", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == ""
    assert "for programmers" in logs.log_file().read_text(encoding="utf-8")
