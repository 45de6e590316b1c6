from dataclasses import replace

import pytest

from app.recording import preflight as module
from app.recording.preflight import disk_checks, preflight, usb_checks
from drivers.camera import CameraInfo
from drivers.usb import UsbCamera, link_loads


def plugged(port, **changes):
    camera = UsbCamera(
        vendor="realsense", product="RealSense D435", serial="1", speed_mbps=5000.0, port=port, openable=True,
        controller="0000:00:14.0", bus_mbps=5000.0,
    )  # fmt: skip
    return replace(camera, **changes)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(module, "disk_speed", lambda folder: 500e6)


def test_a_good_disk_says_what_it_can_and_what_is_needed(tmp_path, fast):
    room, speed = disk_checks(tmp_path / "new", 1e6)
    assert (room.caution, speed.caution) == (None, None)
    assert speed.words == "500 MB/s, 1 MB/s needed"


def test_a_slow_or_full_disk_is_warned_of_before_the_recording(tmp_path, fast):
    (room, speed) = disk_checks(tmp_path, 400e12)
    assert "less than 10 minutes" in room.caution.text
    assert "this rig makes about" in speed.caution.text
    assert room.caution.hint
    assert speed.caution.hint


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (check,) = disk_checks(tmp_path / "file" / "sessions", 1e6)
    assert "cannot be used" in check.caution.text


def test_cameras_that_ask_too_much_of_one_controller_are_named():
    cameras = [plugged("2-1"), plugged("2-2")]
    fine = usb_checks(cameras, link_loads(cameras, {"2-1": 100e6, "2-2": 100e6}))
    assert [check.caution for check in fine] == [None]
    (crowded,) = usb_checks(cameras, link_loads(cameras, {"2-1": 300e6, "2-2": 300e6}))
    assert "600 MB/s asked for, 350 MB/s possible" in crowded.caution.text
    assert "another controller" in crowded.caution.hint


def test_everything_is_looked_at_once(tmp_path, fast, monkeypatch):
    monkeypatch.setattr(module, "usb_cameras", lambda: [plugged("2-1")])
    info = CameraInfo(
        "a", "A", "D435", "1", "active stereo", 30.0, live=True, link_bytes_per_s=120e6, port="2-1"
    )
    names = [check.name for check in preflight(tmp_path, [info], 1e6)]
    assert names == ["Disk room", "Disk speed", "Bus usb2", "Battery", "Heat"]
