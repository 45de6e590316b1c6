"""verify and copy, through the real command line."""

import json

import pytest

from app import cli
from tests.app.recording.small_sessions import make_session


@pytest.fixture
def library(tmp_path):
    for name in ("20260101T000000Z_a_00000001", "20260102T000000Z_b_00000002"):
        make_session(tmp_path / "library" / name)
    return tmp_path / "library"


def run(capsys, *argv):
    status = cli.main([*map(str, argv), "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_whole_library_is_verified(library, capsys):
    status, events = run(capsys, "verify", library)
    assert status == 0
    assert [event["event"] for event in events if event["event"] != "progress"] == ["whole", "whole", "done"]


def test_damage_is_named_and_is_a_failure(library, capsys):
    bad = next(library.iterdir()) / "seg_00000.mcap"
    data = bytearray(bad.read_bytes())
    data[2000] ^= 1
    bad.write_bytes(data)
    status, events = run(capsys, "verify", library)
    assert status == 1
    (fault,) = [event for event in events if event["event"] == "fault"]
    assert fault["session"] == str(bad.parent)
    assert events[-1] == {"event": "done", "sessions": 2, "damaged": 1}


def test_a_library_is_copied_and_a_second_time_nothing_is_written_over(library, tmp_path, capsys):
    status, events = run(capsys, "copy", library, tmp_path / "disk")
    assert status == 0
    assert events[-1]["sessions"] == 2
    assert {path.name for path in (tmp_path / "disk").iterdir()} == {path.name for path in library.iterdir()}
    assert run(capsys, "verify", tmp_path / "disk")[0] == 0
    status, events = run(capsys, "copy", next(library.iterdir()), tmp_path / "disk")
    assert status == 1
    assert "there already" in next(event for event in events if event["event"] == "failed")["message"]


def test_libraries_are_merged(library, tmp_path, capsys):
    status, events = run(capsys, "merge", library, "--into", tmp_path / "all")
    assert status == 0
    assert events[-1] == {"event": "done", "copied": 2, "failed": 0, "sessions": 2}
    status, events = run(capsys, "merge", library, "--into", tmp_path / "all")
    assert (status, events[-1]["copied"]) == (0, 0)


@pytest.mark.parametrize("argv", [["verify"], ["copy"]])
def test_what_is_no_session_is_said(tmp_path, capsys, argv):
    extra = [str(tmp_path / "out")] if argv == ["copy"] else []
    assert cli.main([*argv, str(tmp_path / "absent"), *extra]) == 1
    assert "absent" in capsys.readouterr().err
