import json
from pathlib import Path

import pytest

from app.recording import guards
from app.recording.guards import clock_jump, disk_speed, hot, low_battery, measured_speed, slow_disk


def test_the_speed_of_a_disk_is_that_of_what_reached_it(tmp_path):
    assert measured_speed(tmp_path, most_bytes=1 << 20) > 1000
    assert list(tmp_path.iterdir()) == []


def test_a_disk_is_measured_once_a_day(tmp_path, monkeypatch):
    known = tmp_path / "settings" / "speeds.json"
    first = disk_speed(tmp_path, known)
    monkeypatch.setattr(guards, "measured_speed", lambda folder: 1.0)
    assert disk_speed(tmp_path, known) == first
    stored = json.loads(known.read_text(encoding="utf-8"))
    (disk,) = stored
    known.write_text(json.dumps({disk: ["2020-01-01", 5.0]}), encoding="utf-8")
    assert disk_speed(tmp_path, known) == 1.0
    known.write_text("not json", encoding="utf-8")
    assert disk_speed(tmp_path, known) == 1.0


def test_another_disk_is_measured_by_itself(tmp_path, monkeypatch):
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir():
        pytest.skip("no second file system here")
    speeds = iter([1.0, 2.0])
    monkeypatch.setattr(guards, "measured_speed", lambda folder: next(speeds))
    known = tmp_path / "speeds.json"
    assert [disk_speed(tmp_path, known), disk_speed(shared_memory, known)] == [1.0, 2.0]
    assert disk_speed(tmp_path, known) == 1.0


def test_a_disk_needs_half_as_much_again_as_the_rig():
    assert slow_disk(150e6, 100e6) is None
    caution = slow_disk(149e6, 100e6)
    assert caution.text == "The disk takes 149 MB/s: little more than the 100 MB/s of this rig."
    assert caution.hint
    outrun = slow_disk(40e6, 100e6)
    assert outrun.text == "The disk takes 40 MB/s, and this rig makes about 100 MB/s."


@pytest.mark.parametrize(
    ("percent", "left_s", "warned"),
    [(50, 7200, False), (50, None, False), (19, 7200, True), (60, 1700, True), (15, None, True)],
)
def test_a_battery_that_may_not_last_is_warned_of(percent, left_s, warned):
    assert (low_battery(percent, left_s) is not None) == warned


def test_heat_is_judged_by_the_sensors_own_limit_where_it_has_one():
    assert hot([("disk", 70.0, 85.0), ("processor", 94.0, None)]) is None
    assert "disk is at 83" in hot([("disk", 83.0, 85.0), ("processor", 60.0, 100.0)]).text
    assert "processor is at 97" in hot([("disk", 83.0, 85.0), ("processor", 97.0, None)]).text


def test_a_clock_that_jumps_is_named_with_its_way():
    assert clock_jump(0.4) is None
    assert "back by 3600 s" in clock_jump(-3600.0).text
    assert "forward by 20 s" in clock_jump(20.0).text
