"""A few of the places that benchmarks/damage.py tries hundreds of, and those that are known to be nasty."""

import shutil

import numpy as np
import pytest

from benchmarks.damage import SEGMENT, cut, flip, go_on, record
from drivers.errors import SessionError
from drivers.session.cdr import FrameMeta, frame_meta, parse_frame_meta, sound_frame_meta
from drivers.session.reader import Session
from drivers.session.recover import recover
from drivers.session.verify import verify

RANDOM = np.random.default_rng(11)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return record(tmp_path_factory.mktemp("whole") / "s")


def size(whole):
    return (whole.folder / SEGMENT).stat().st_size


@pytest.mark.parametrize("share", RANDOM.random(12))
def test_a_file_that_was_cut_off_keeps_every_frame_before_the_cut(whole, tmp_path, share):
    first = whole.chunks[0].end
    assert cut(whole, tmp_path / "s", first + int(share * (size(whole) - first))) == ""


@pytest.mark.parametrize("share", RANDOM.random(16))
def test_a_flipped_bit_costs_no_frame_beyond_its_chunk(whole, tmp_path, share):
    assert flip(whole, tmp_path / "s", int(share * 8 * size(whole))) == ""


@pytest.mark.parametrize(
    "place",
    ["magic", "length of a chunk", "size within a chunk", "index of a chunk", "last chunk", "summary", "end"],
)
def test_a_flipped_bit_in_what_holds_the_file_together_costs_no_more(whole, tmp_path, place):
    chunk, last = whole.chunks[3], whole.chunks[-1]
    at = {
        "magic": 3,
        "length of a chunk": chunk.start + 4,
        "size within a chunk": chunk.start + 9 + 17,
        "index of a chunk": chunk.end + 12,
        "last chunk": last.start + 200,
        "summary": size(whole) - 2000,
        "end": size(whole) - 30,
    }[place]
    assert flip(whole, tmp_path / "s", 8 * at + 5) == ""


def test_frames_of_a_damaged_chunk_that_were_not_hit_are_saved(whole, tmp_path):
    folder = shutil.copytree(whole.folder, tmp_path / "s")
    chunk = whole.chunks[4]
    with (folder / SEGMENT).open("r+b") as file:
        file.seek((chunk.start + chunk.end) // 2)
        file.write(b"damage")
    report = recover(folder, check=True)
    assert report.damaged_chunks == 1
    assert 0 < report.frames_lost < len(chunk.frames)
    assert report.salvaged_messages > 0
    assert verify(folder, go_on) == []
    manifest = Session(folder).manifest
    assert not manifest.honest
    assert SEGMENT in manifest.dishonest_because


def test_changed_calibration_is_named(whole, tmp_path):
    folder = shutil.copytree(whole.folder, tmp_path / "s")
    text = (folder / "calibration.json").read_text(encoding="utf-8")
    (folder / "calibration.json").write_text(text.replace("30.0", "31.0"), encoding="utf-8")
    assert [fault.file for fault in verify(folder, go_on)] == ["calibration.json"]


def test_a_file_of_which_nothing_is_left_is_named(whole, tmp_path):
    folder = shutil.copytree(whole.folder, tmp_path / "s")
    (folder / SEGMENT).write_bytes(bytes(1000))
    with pytest.raises(SessionError, match="nothing of") as refused:
        recover(folder, check=True)
    assert refused.value.hint


def test_a_meta_message_knows_when_it_was_changed():
    meta = FrameMeta(1, "left", 2, 3, 4, images_crc32={"color": 5, "depth": 6})
    data = frame_meta(meta)
    assert sound_frame_meta(data)
    assert parse_frame_meta(data).images_crc32 == {"color": 5, "depth": 6}
    for at in range(4, len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        assert not sound_frame_meta(bytes(changed))
