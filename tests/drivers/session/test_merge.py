import shutil

import pytest
from session_recordings import make_frame, record

from drivers.errors import SessionError
from drivers.session.labels import add_label, append_event
from drivers.session.merge import Fate, merge
from drivers.session.reader import Session
from drivers.session.verify import verify


def go_on(_done, _total):
    return True


def make(folder, first):
    record(folder, [make_frame(n) for n in range(first, first + 3)]).close()
    return folder


@pytest.fixture
def rigs(tmp_path):
    """Two rigs whose sessions have one name, and a third session in the second rig."""
    make(tmp_path / "rig1" / "monday", 0)
    make(tmp_path / "rig2" / "monday", 50)
    make(tmp_path / "rig2" / "tuesday", 90)
    return tmp_path


def fates(done):
    return {str(each.source.relative_to(each.source.parents[1])): each.fate for each in done}


def test_sessions_of_one_name_are_both_kept(rigs):
    done = merge([rigs / "rig1", rigs / "rig2"], rigs / "all", go_on)

    assert fates(done) == {
        "rig1/monday": Fate.COPIED, "rig2/monday": Fate.RENAMED, "rig2/tuesday": Fate.COPIED,
    }  # fmt: skip
    assert sorted(path.name for path in (rigs / "all").iterdir()) == ["monday", "monday-2", "tuesday"]
    assert Session(rigs / "all" / "monday").frame("left", 0).index == 0
    assert Session(rigs / "all" / "monday-2").frame("left", 0).index == 50
    assert all(verify(each.target, go_on) == [] for each in done)


def test_merging_again_copies_nothing(rigs):
    merge([rigs / "rig1", rigs / "rig2"], rigs / "all", go_on)
    before = {path: path.stat().st_mtime_ns for path in (rigs / "all").rglob("*")}

    done = merge([rigs / "rig2", rigs / "rig1"], rigs / "all", go_on)

    assert set(fates(done).values()) == {Fate.THERE}
    assert {path: path.stat().st_mtime_ns for path in (rigs / "all").rglob("*")} == before


def test_a_copy_that_was_labelled_differently_is_named_and_left_alone(rigs):
    merge([rigs / "rig1"], rigs / "all", go_on)
    append_event(rigs / "all" / "monday", add_label("tag", "mine"))

    [done] = merge([rigs / "rig1"], rigs / "all", go_on)

    assert done.fate is Fate.RELABELLED
    assert Session(rigs / "all" / "monday").labels.tags == ("mine",)


def test_one_damaged_session_does_not_stop_the_others(rigs):
    damaged = rigs / "rig2" / "monday" / "seg_00000.mcap"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)

    done = merge([rigs / "rig2"], rigs / "all", go_on)

    assert fates(done) == {"rig2/monday": Fate.FAILED, "rig2/tuesday": Fate.COPIED}
    assert "damaged" in done[0].problem
    assert sorted(path.name for path in (rigs / "all").iterdir()) == ["tuesday"]


def test_two_versions_of_one_session_are_not_taken_for_the_same(rigs):
    shutil.copytree(rigs / "rig1", rigs / "all")
    manifest = rigs / "all" / "monday" / "manifest.json"
    good = Session(rigs / "all" / "monday").manifest.files[0].sha256
    manifest.write_text(manifest.read_text().replace(good, "0" * 64))

    [done] = merge([rigs / "rig1"], rigs / "all", go_on)

    assert done.fate is Fate.FAILED
    assert "different files" in done.problem


@pytest.mark.parametrize("folder", ["all", "nowhere"])
def test_what_cannot_be_merged_is_said_before_anything_is_done(rigs, folder):
    (rigs / "all").mkdir()
    with pytest.raises(SessionError) as error:
        merge([rigs / "rig1", rigs / folder], rigs / "all", go_on)
    assert error.value.hint
    assert list((rigs / "all").iterdir()) == []
