from pathlib import Path

import pytest
from session_recordings import make_frame, record

from drivers.errors import SessionError
from drivers.session.library import State, delete, empty_trash, restore, sessions, summary


def test_a_library_shows_each_session_with_its_state(tmp_path):
    record(tmp_path / "1", [make_frame(0), make_frame(1)], scene="hall").close()
    writer = record(tmp_path / "2", [make_frame(0)])
    record(tmp_path / "3", [make_frame(0)]).close()
    (tmp_path / "3" / "manifest.json").unlink()
    record(tmp_path / "4", [make_frame(0)]).close()
    (tmp_path / "4" / "session.json").write_text("")
    (tmp_path / "5").mkdir()
    found = sessions(tmp_path)
    writer.close()
    assert [(s.path.name, s.state) for s in found] == [
        ("4", State.DAMAGED),
        ("3", State.UNFINISHED),
        ("2", State.RECORDING),
        ("1", State.WHOLE),
    ]
    assert (found[-1].frames, found[-1].labels.scene) == (2, "hall")
    assert found[-1].size_bytes > 1000
    assert "session.json" in found[0].problem


def test_a_file_that_gets_its_name_while_a_session_is_read_does_no_harm(tmp_path, monkeypatch):
    record(tmp_path / "1", [make_frame(0)]).close()
    whole = summary(tmp_path / "1")
    listed = Path.iterdir

    def listed_before(folder):
        return iter([*listed(folder), folder / "thumbnail.jpg.tmp"])

    monkeypatch.setattr(Path, "iterdir", listed_before)
    monkeypatch.setattr(Path, "is_file", lambda file: file.suffix == ".tmp" or file.exists())
    assert summary(whole.path) == whole


def test_a_missing_library_is_empty(tmp_path):
    assert sessions(tmp_path / "absent") == []


def test_deleting_can_be_undone(tmp_path):
    record(tmp_path / "a", [make_frame(0)]).close()
    trashed = delete(tmp_path / "a")
    assert sessions(tmp_path) == []
    assert restore(trashed) == tmp_path / "a"
    assert [s.path.name for s in sessions(tmp_path)] == ["a"]


def test_the_trash_can_be_emptied(tmp_path):
    record(tmp_path / "a", [make_frame(0)]).close()
    trashed = delete(tmp_path / "a")
    empty_trash(tmp_path)
    assert not trashed.exists()
    with pytest.raises(SessionError, match="not in the trash"):
        restore(trashed)


def test_a_session_being_recorded_is_not_deleted(tmp_path):
    writer = record(tmp_path / "a", [make_frame(0)])
    with pytest.raises(SessionError, match="being recorded"):
        delete(tmp_path / "a")
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_nothing_is_written_over_when_a_session_comes_back(tmp_path):
    record(tmp_path / "a", [make_frame(0)]).close()
    trashed = delete(tmp_path / "a")
    record(tmp_path / "a", [make_frame(1)]).close()
    with pytest.raises(SessionError, match="there already"):
        restore(trashed)


def test_a_folder_that_is_no_session_is_not_deleted(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(SessionError, match="no session"):
        delete(tmp_path / "mine")
