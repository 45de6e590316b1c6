import time
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from app import paths
from app.compose import Studio, wait_for_frames
from app.rigging import PlacesWatch, RigPlaces, known_places
from drivers.calibration.agree import Agreement
from drivers.calibration.rig import PlacedCamera, RigCalibration, rig_file, save
from drivers.cameras.synthetic import demo_places, demo_rig
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


class Still:
    """A frame that knows only its moment."""

    def __init__(self, captured_ns=0):
        self.captured_ns = captured_ns


def watched(monkeypatch, good, *, rounds, captured_ns=(0, 0)):
    monkeypatch.setattr("app.rigging.compare", lambda *_: Agreement(500, 0.001 if good else 0.2, 1.0))
    watch = PlacesWatch()
    places = RigPlaces({"a": np.eye(4), "b": np.eye(4)})
    frames = {"a": Still(captured_ns[0]), "b": Still(captured_ns[1])}
    for _ in range(rounds):
        watch.look(places, frames, {"a": "Left", "b": "Right"})
    return watch.words


def test_clouds_that_disagree_for_a_while_are_said(monkeypatch):
    assert watched(monkeypatch, False, rounds=2) == ""
    assert watched(monkeypatch, False, rounds=3) == "Left and Right disagree: moved? Calibrate the rig"


def test_clouds_that_agree_are_no_news(monkeypatch):
    assert watched(monkeypatch, True, rounds=10) == ""


def test_clouds_of_two_moments_are_not_compared(monkeypatch):
    assert watched(monkeypatch, False, rounds=10, captured_ns=(0, 10**9)) == ""


def test_the_demo_rig_agrees_where_it_stands_and_not_where_it_does_not():
    rig = demo_rig(width=320, height=240)
    for camera in rig:
        camera.still = True
    frames = {camera.info.id: camera.expose(0) for camera in rig}
    names = {camera.info.id: camera.info.name for camera in rig}
    places = dict(zip(frames, demo_places(), strict=True))
    watch = PlacesWatch()
    for _ in range(12):
        watch.look(RigPlaces(places), frames, names)
    assert watch.words == ""
    turned = cv2.Rodrigues(np.radians([0.0, 6.0, 0.0]))[0]
    places["stereo_passive"] = places["stereo_passive"].copy()
    places["stereo_passive"][:3, :3] = places["stereo_passive"][:3, :3] @ turned
    moved = RigPlaces(places)
    for _ in range(12):
        watch.look(moved, frames, names)
    assert "Demo passive stereo disagree" in watch.words


def test_an_old_calibration_stands_in_the_status_line():
    infos = [camera.info for camera in demo_rig(width=64, height=48)]
    keep([info.serial for info in infos], days=45)
    watch = PlacesWatch()
    watch.look(known_places(infos), {}, {})
    assert watch.words == "Calibration is 45 days old"
