import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app import paths
from app.compose import Studio, wait_for_frames
from app.rigging import known_places
from drivers.calibration.rig import PlacedCamera, RigCalibration, rig_file, save
from drivers.cameras.synthetic import demo_rig
from drivers.registry import open_source
from drivers.session.labels import SessionLabels
from drivers.session.reader import Session
from model.spec import EngineChoice


def keep(serials, *, days=0.0):
    cameras = []
    for i, serial in enumerate(serials):
        matrix = np.eye(4)
        matrix[0, 3] = 0.25 * i
        cameras.append(PlacedCamera(serial=serial, rig_from_color=tuple(map(tuple, matrix.tolist()))))
    made = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    save(paths.calibrations_folder(), RigCalibration(made_utc=made, cameras=tuple(cameras)))


def test_a_calibrated_rig_is_recorded_with_its_places_and_played_with_them(tmp_path):
    rig = demo_rig(width=64, height=48)[:2]
    keep([camera.info.serial for camera in rig])
    studio = Studio(EngineChoice(model="off"))
    try:
        pipeline = studio.open(rig)
        assert pipeline.rig.latest().words == "Calibrated today."
        assert wait_for_frames(pipeline, timeout_s=30)
        recorder = studio.record(tmp_path, SessionLabels(), session=tmp_path / "s")
        patience_s = time.monotonic() + 30
        while not all(count.written for count in recorder.status().cameras.values()):
            assert time.monotonic() < patience_s
            time.sleep(0.05)
        studio.stop_recording()
        assert Session(tmp_path / "s").rig_from_color("time_of_flight")[0, 3] == 0.25
        played = studio.open(open_source(str(tmp_path / "s"))).rig.latest()
        assert played.shared
        assert played.rig_from_color["time_of_flight"][0, 3] == 0.25
        assert played.words == "Placed as recorded."
    finally:
        studio.close()


def test_a_rig_that_nobody_calibrated_has_no_places():
    places = known_places([camera.info for camera in demo_rig(width=64, height=48)])
    assert not places.shared
    assert places.words == "Not calibrated."


def test_an_old_calibration_is_warned_about():
    infos = [camera.info for camera in demo_rig(width=64, height=48)]
    keep([info.serial for info in infos], days=45)
    places = known_places(infos)
    assert places.old
    assert "45 days ago: calibrate the rig again" in places.words


def test_a_damaged_calibration_is_said_and_not_used():
    infos = [camera.info for camera in demo_rig(width=64, height=48)]
    path = rig_file(paths.calibrations_folder(), [info.serial for info in infos])
    path.parent.mkdir(parents=True)
    path.write_text("{")
    places = known_places(infos)
    assert not places.shared
    assert "damaged" in places.words


@pytest.mark.parametrize("days", [0.2, 1.5, 12])
def test_a_recent_calibration_is_no_reason_to_warn(days):
    infos = [camera.info for camera in demo_rig(width=64, height=48)]
    keep([info.serial for info in infos], days=days)
    assert not known_places(infos).old
