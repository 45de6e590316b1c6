from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from drivers.calibration.rig import PlacedCamera, RigCalibration, find, load, now_utc, rig_file, save
from drivers.errors import CalibrationError


def shifted(x_m):
    matrix = np.eye(4)
    matrix[0, 3] = x_m
    return tuple(map(tuple, matrix.tolist()))


def calibration(*serials, made_utc="2026-11-01T10:00:00+00:00"):
    cameras = tuple(PlacedCamera(serial=s, rig_from_color=shifted(i)) for i, s in enumerate(serials))
    return RigCalibration(made_utc=made_utc, cameras=cameras)


def test_a_rig_finds_its_own_file_whatever_the_order_of_its_cameras(tmp_path):
    save(tmp_path, calibration("A", "B"))
    found = find(tmp_path, ["B", "A"])
    places = found.places({"left": "A", "right": "B"})
    assert places["right"][0, 3] == 1.0
    assert find(tmp_path, ["A", "C"]) is None


def test_a_smaller_rig_uses_the_newest_larger_one_that_has_all_its_cameras(tmp_path):
    save(tmp_path, calibration("A", "B", "C", made_utc="2026-11-01T10:00:00+00:00"))
    save(tmp_path, calibration("A", "B", "D", made_utc="2026-11-02T10:00:00+00:00"))
    assert find(tmp_path, ["A", "B"]).serials == {"A", "B", "D"}


@pytest.mark.parametrize("serials", [["A"], ["A", ""], ["A", "A"]])
def test_cameras_that_cannot_be_told_apart_have_no_calibration(tmp_path, serials):
    save(tmp_path, calibration("A", "B"))
    assert find(tmp_path, serials) is None


def test_the_calibration_before_is_kept(tmp_path):
    save(tmp_path, calibration("A", "B", made_utc="2026-11-01T10:00:00+00:00"))
    path = save(tmp_path, calibration("A", "B", made_utc="2026-11-02T10:00:00+00:00"))
    (before,) = tmp_path.glob("*.bak")
    assert load(before).made < load(path).made


def test_a_damaged_file_is_refused_with_what_to_do(tmp_path):
    rig_file(tmp_path, ["A", "B"]).write_text('{"cameras": 3}')
    with pytest.raises(CalibrationError, match="damaged") as raised:
        find(tmp_path, ["A", "B"])
    assert "Calibrate the rig again" in raised.value.hint


def test_age_is_counted_from_when_it_was_made():
    now = datetime.now(UTC)
    made = calibration("A", "B", made_utc=(now - timedelta(days=3)).isoformat())
    assert made.age_days(now) == pytest.approx(3.0)
    assert calibration("A", "B", made_utc=now_utc()).age_days() < 1
