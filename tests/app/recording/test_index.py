import json
from dataclasses import replace

import pytest

from app.recording import library
from app.recording.index import INDEX_NAME
from app.recording.library import LabelEdit
from drivers.session.labels import add_label, append_event
from drivers.session.library import State
from drivers.session.manifest import CameraTotals
from tests.app.recording import small_sessions as small


@pytest.fixture
def root(tmp_path):
    totals = {"left": CameraTotals(device_frames=6, written=4, host_drop=2)}
    small.make_session(
        tmp_path / "b", scene="office", tags=["glass"], site="Hall 3", notes="two\nlines", consent="given"
    )
    small.make_session(tmp_path / "a", cameras=("left",), totals=totals)
    append_event(tmp_path / "b", add_label("mark", "mirror", start_ns=7, camera_id="left"))
    return tmp_path


def listed(root):
    return list(library.entries(root))


def forbid(monkeypatch):
    monkeypatch.setattr(library, "read_entry", lambda path: pytest.fail(f"{path} was read"))


def test_the_second_listing_reads_no_session_and_says_the_same(root, monkeypatch):
    first = listed(root)
    forbid(monkeypatch)

    assert listed(root) == first
    assert [entry.name for entry in first] == ["b", "a"]


def test_a_changed_label_is_seen(root, monkeypatch):
    listed(root)
    library.relabel(root / "a", LabelEdit(scene="home"))

    assert [entry.labels.scene for entry in listed(root)] == ["office", "home"]
    forbid(monkeypatch)
    assert [entry.labels.scene for entry in listed(root)] == ["office", "home"]


def test_damage_that_came_later_is_seen(root):
    listed(root)
    (root / "a" / "session.json").write_text("{", encoding="utf-8")
    (root / "b" / "manifest.json").unlink()

    assert [entry.state for entry in listed(root)] == [State.UNFINISHED, State.DAMAGED]


def test_sessions_come_and_go(root):
    listed(root)
    library.delete(library.read_entry(root / "b"))
    small.make_session(root / "c")

    assert [entry.name for entry in listed(root)] == ["c", "a"]
    assert json.loads((root / INDEX_NAME).read_text())["sessions"].keys() == {"c", "a"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 99, "sessions": {}}'])
def test_the_index_is_made_again_from_the_files_alone(root, content):
    first = listed(root)
    (root / INDEX_NAME).write_text(content, encoding="utf-8")
    assert listed(root) == first
    (root / INDEX_NAME).unlink()
    assert listed(root) == first


def test_rows_that_make_no_sense_are_read_again(root):
    first = listed(root)
    stored = json.loads((root / INDEX_NAME).read_text())
    del stored["sessions"]["a"]["labels"]
    (root / INDEX_NAME).write_text(json.dumps(stored), encoding="utf-8")

    assert listed(root) == first


def test_a_session_that_is_being_recorded_is_never_remembered(root):
    writer = small.begin_session(root / "live")
    assert listed(root)[0].state is State.RECORDING
    writer.close()

    assert listed(root)[0].state is State.WHOLE


def test_a_library_that_moved_knows_its_sessions_by_name(root, tmp_path_factory, monkeypatch):
    first = listed(root)
    other = tmp_path_factory.mktemp("moved") / "sessions"
    root.rename(other)
    forbid(monkeypatch)

    assert listed(other) == [replace(entry, folder=other / entry.name) for entry in first]
