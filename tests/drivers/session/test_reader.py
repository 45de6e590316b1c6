import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from session_recordings import PERIOD_NS, make_frame, record

from drivers.errors import SessionError
from drivers.frame import FrameSettings
from drivers.session.labels import add_label, append_event
from drivers.session.reader import Session


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session") / "s"
    frames = [
        make_frame(i, camera) for i in range(12) for camera in ("left", "right") if camera == "left" or i % 2
    ]
    record(folder, frames, segment_bytes=120_000).close()
    return folder


def test_any_frame_can_be_read_in_any_order(folder):
    session = Session(folder)
    assert len(session.manifest.files) > 1
    for n in (11, 0, 7, 7, 3):
        frame = session.frame("left", n)
        assert frame.index == n
        assert np.array_equal(frame.depth.values, make_frame(n).depth.values)


def test_counts_and_duration_are_those_of_the_frames(folder):
    session = Session(folder)
    assert session.camera_ids == ("left", "right")
    assert (session.count("left"), session.count("right")) == (12, 6)
    assert session.duration_s == pytest.approx(11 * PERIOD_NS / 1e9)
    assert np.all(np.diff(session.times("left")) == PERIOD_NS)


def test_frames_of_all_cameras_come_in_the_order_of_exposure(folder):
    times = [(frame.captured_ns, frame.camera_id) for frame in Session(folder).frames()]
    assert times == sorted(times)
    assert len(times) == 18


def test_colour_can_be_read_alone(folder):
    assert Session(folder).color("left", 4).shape == (48, 64, 3)


def test_a_long_session_takes_no_more_memory_than_a_short_one(tmp_path, monkeypatch):
    monkeypatch.setattr("drivers.session.segment.CHUNK_BYTES", 10_000)
    monkeypatch.setattr("drivers.session.reader._CACHED_CHUNKS", 3)
    manifest = record(tmp_path / "s", [make_frame(n) for n in range(30)], segment_bytes=40_000).close()
    assert len(manifest.files) > 4
    session = Session(tmp_path / "s")
    for _ in session.frames():
        assert len(session._cache) <= 3


def test_labels_are_read_with_their_edits(folder):
    session = Session(folder)
    append_event(folder, add_label("scene", "bath"))
    assert session.labels.scene == "bath"


@pytest.mark.parametrize("n", [-1, 12])
def test_a_frame_that_is_not_there_is_named(folder, n):
    with pytest.raises(SessionError, match=f"no frame {n} of left") as error:
        Session(folder).frame("left", n)
    assert "0 to 11" in error.value.hint


def test_a_camera_that_is_not_there_is_named(folder):
    with pytest.raises(SessionError, match="no camera top") as error:
        Session(folder).count("top")
    assert "left, right" in error.value.hint


def test_an_unfinished_session_says_what_to_run(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    with pytest.raises(SessionError, match="not finished") as error:
        Session(tmp_path / "s")
    assert f"python main.py recover {tmp_path / 's'}" in error.value.hint
    writer.close()


def edit(path, change):
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: shutil.rmtree(f), "is no session"),
        (lambda f: (f / "session.json").write_text("{"), "session.json is damaged"),
        (
            lambda f: (f / "session.json").write_text('{"format": "other"}'),
            "session.json is damaged: the field format cannot",
        ),
        (lambda f: edit(f / "session.json", lambda v: v.update(version=2)), "version 2"),
        (lambda f: (f / "calibration.json").unlink(), "calibration.json cannot be read"),
        (
            lambda f: edit(f / "calibration.json", lambda v: v["cameras"].clear()),
            "says nothing of the camera",
        ),
        (lambda f: (f / "seg_00000.mcap").unlink(), "lacks seg_00000.mcap"),
        (lambda f: (f / "seg_00000.mcap").write_bytes(b"x" * 100), "seg_00000.mcap is damaged"),
        (lambda f: (f / "seg_00000.mcap").write_bytes(b""), "seg_00000.mcap is damaged"),
    ],
)
def test_damage_is_named_with_what_to_do(tmp_path, folder, damage, message):
    copy = shutil.copytree(folder, tmp_path / "s")
    damage(copy)
    with pytest.raises(SessionError, match=message) as error:
        Session(copy).frame("left", 0)
    assert error.value.hint


def test_a_flipped_bit_is_noticed(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "s")
    data = bytearray((copy / "seg_00000.mcap").read_bytes())
    at = data.index(b"compressedDepth png") + 2000
    data[at] ^= 1
    (copy / "seg_00000.mcap").write_bytes(data)
    with pytest.raises(SessionError, match="damaged"):
        list(Session(copy).frames("left"))


def test_fields_of_a_later_version_are_no_reason_to_refuse(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "s")
    edit(copy / "session.json", lambda values: values.update(weather="rain"))
    assert Session(copy).count("left") == 12


def test_how_each_frame_was_taken_comes_back(tmp_path):
    taken = [
        FrameSettings(8500.0, 16.0, 150.0, 41.5),
        None,
        FrameSettings(exposure_us=100.25),
        FrameSettings(laser_power_mw=0.0),
    ]
    frames = [replace(make_frame(n), settings=settings) for n, settings in enumerate(taken)]
    record(tmp_path / "s", frames).close()

    session = Session(tmp_path / "s")

    assert [session.frame("left", n).settings for n in range(4)] == taken
    assert session.meta("left", 0).temperature_c == 41.5
    assert np.isnan(session.meta("left", 2).gain)
