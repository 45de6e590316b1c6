import os
import shutil
import subprocess

import pytest
from session_recordings import make_frame, record

from drivers.errors import SessionError
from drivers.session.reader import Session
from drivers.session.transfer import copy_session
from drivers.session.verify import Cancelled, verify


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session") / "s"
    record(folder, [make_frame(n) for n in range(12)], segment_bytes=60_000, tags=["glass"]).close()
    return folder


@pytest.fixture
def folder(recorded, tmp_path):
    return shutil.copytree(recorded, tmp_path / "library" / "s")


def go_on(done, total):
    return True


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_what_was_recorded_has_no_fault(folder):
    steps = []
    assert verify(folder, lambda done, total: steps.append((done, total)) or True) == []
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1] == sum(path.stat().st_size for path in folder.glob("*.mcap"))


def test_every_fault_is_named_with_its_file(folder):
    flip(folder / "seg_00000.mcap", 30_000)
    (folder / "seg_00001.mcap").rename(folder / "seg_00009.mcap")
    (folder / "labels.jsonl").write_text("no label\n", encoding="utf-8")
    faults = {fault.file: fault.text for fault in verify(folder, go_on)}
    assert faults.keys() == {"seg_00000.mcap", "seg_00001.mcap", "seg_00009.mcap", "labels.jsonl"}
    assert "SHA-256" in faults["seg_00000.mcap"]
    assert "missing" in faults["seg_00001.mcap"]
    assert "manifest" in faults["seg_00009.mcap"]


def test_a_file_that_is_too_short_is_told_without_reading_it(folder):
    os.truncate(folder / "seg_00000.mcap", 1000)
    (fault,) = verify(folder, go_on)
    assert "1,000 bytes" in fault.text


def test_an_unfinished_session_cannot_be_verified(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(SessionError, match="not finished") as error:
        verify(folder, go_on)
    assert "recover" in error.value.hint


def test_a_copy_is_the_same_to_the_last_byte(folder, tmp_path):
    steps = []
    there = copy_session(
        folder, tmp_path / "disk é" / "b", lambda done, total: steps.append((done, total)) or True
    )
    assert there == tmp_path / "disk é" / "b" / "s"
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(path.name for path in there.iterdir()) == names
    assert all((there / name).read_bytes() == (folder / name).read_bytes() for name in names)
    assert steps[-1][0] == steps[-1][1] == 2 * sum((folder / name).stat().st_size for name in names)
    assert Session(there).count("left") == 12
    assert verify(there, go_on) == []


def test_a_file_that_gets_its_name_meanwhile_does_not_end_the_copy(folder, tmp_path):
    being_written = folder / "thumbnail.jpg.tmp"
    being_written.write_bytes(b"thumb")

    def thumbnail_is_done(_done, _total):
        if being_written.exists():
            being_written.replace(folder / "thumbnail.jpg")
        return True

    there = copy_session(folder, tmp_path / "b", thumbnail_is_done)

    assert verify(there, go_on) == []
    assert not list(there.glob("*.tmp"))


def test_nothing_is_written_over(folder, tmp_path):
    copy_session(folder, tmp_path / "b", go_on)
    with pytest.raises(SessionError, match="there already"):
        copy_session(folder, tmp_path / "b", go_on)


def test_a_damaged_session_is_not_copied(folder, tmp_path):
    flip(folder / "seg_00001.mcap", 5000)
    with pytest.raises(SessionError, match=r"seg_00001\.mcap is damaged") as error:
        copy_session(folder, tmp_path / "b", go_on)
    assert "verify" in error.value.hint
    assert list((tmp_path / "b").iterdir()) == []


def test_a_disk_that_gives_back_something_else_is_told(folder, tmp_path):
    def change(done, total):
        copied = tmp_path / "b" / ".copying-s" / "seg_00000.mcap"
        if done > total // 2 and copied.exists():
            flip(copied, 9000)
        return True

    with pytest.raises(SessionError, match="something else"):
        copy_session(folder, tmp_path / "b", change)
    assert list((tmp_path / "b").iterdir()) == []


def test_a_copy_that_is_given_up_leaves_nothing(folder, tmp_path):
    with pytest.raises(Cancelled):
        copy_session(folder, tmp_path / "b", lambda done, total: done < total // 3)
    assert list((tmp_path / "b").iterdir()) == []


def test_a_copy_that_a_crash_interrupted_is_begun_again(folder, tmp_path):
    (tmp_path / "b" / ".copying-s").mkdir(parents=True)
    (tmp_path / "b" / ".copying-s" / "seg_00000.mcap").write_bytes(b"half")
    assert verify(copy_session(folder, tmp_path / "b", go_on), go_on) == []


def test_a_session_under_way_is_not_copied(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    with pytest.raises(SessionError, match="not a whole session"):
        copy_session(tmp_path / "s", tmp_path / "b", go_on)
    writer.close()


def test_a_disk_without_room_is_told_before_anything_is_copied(folder, tmp_path):
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr!r}")
    try:
        with pytest.raises(SessionError, match="has room for"):
            copy_session(folder, small, go_on)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
