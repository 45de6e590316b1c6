import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from app.compose import InferenceState, InferenceStatus
from app.settings import Settings
from app.viewmodels.compare import CompareModel, exposure, pictures
from app.viewmodels.live import LiveOptions, TileView
from drivers.cameras.synthetic import SyntheticCamera, demo_places
from drivers.synth.sensor import SensorKind


def small_rig():
    return [
        SyntheticCamera("active", SensorKind.ACTIVE_STEREO, width=96, height=72, rate_hz=15),
        SyntheticCamera("flight", SensorKind.TIME_OF_FLIGHT, width=96, height=72, rate_hz=15, viewpoint=1),
    ]


@pytest.fixture
def model(qtbot, studio, tmp_path):
    written = []

    def write_pdf(report, path):
        assert threading.current_thread() is threading.main_thread()  # Qt lays it out
        written.append(report)
        path.write_bytes(b"%PDF-")

    settings = Settings(sessions=tmp_path, site="Hall 3")
    made = CompareModel(studio, settings, lambda: None, write_pdf)
    made.written = written
    yield made
    made.close()


def wait_for_figures(qtbot, model):
    ids = [title.camera_id for title in model.sensors]
    assert ids

    def measured():
        qualities = [model.quality(name) for name in ids]
        return all(q and q.streams["raw"].figures["fill_all"].value is not None for q in qualities)

    qtbot.waitUntil(measured, timeout=30_000)


def test_each_camera_gets_figures_from_a_thread_of_its_own(qtbot, studio, model):
    studio.open(small_rig())
    model.start()
    assert "quality" in {thread.name for thread in threading.enumerate()}
    wait_for_figures(qtbot, model)
    figures = model.quality("active").streams
    assert 0 < figures["raw"].figures["fill_all"].value < 1
    assert figures["refined"].figures["fill_all"].words in {"Repair is off", "Repair starting"}
    model.close()
    assert "quality" not in {thread.name for thread in threading.enumerate()}


def test_simulated_cameras_stand_still_while_the_page_is_in_front(studio, model):
    rig = small_rig()
    studio.open(rig)
    model.start()
    assert all(camera.still for camera in rig)
    assert model.simulation.still
    model.set_difficulty(0.8)
    assert {camera.difficulty for camera in rig} == {0.8}
    model.stop()
    assert not any(camera.still for camera in rig)


def test_simulated_cameras_know_their_common_space_while_they_stand_still(qtbot, studio, model):
    studio.open(small_rig())
    model.start()
    qtbot.waitUntil(lambda: len(model.places) == 2, timeout=10_000)
    assert np.allclose(model.places["active"], np.eye(4))
    assert np.allclose(model.places["flight"], demo_places()[1])
    model.set_still(False)
    assert not model.places


def test_other_cameras_offer_no_simulation(studio, model, make_camera):
    studio.open([make_camera("left")])
    model.start()
    assert model.simulation is None


def test_a_tap_chooses_a_region_and_another_lets_it_go(qtbot, studio, model):
    studio.open(small_rig())
    model.start()
    wait_for_figures(qtbot, model)
    model.choose_region("flight", 0.5, 0.5)
    model.set_distance("flight", 1.5)
    qtbot.waitUntil(lambda: model.quality("flight").chosen, timeout=20_000)
    assert model.wish("flight").region.left == pytest.approx(0.39)
    assert model.quality("flight").against == "1.500 m"
    model.choose_region("flight", 0.52, 0.48)
    assert model.wish("flight").region is None
    assert model.wish("flight").distance_m == 1.5
    model.choose_region("active", 0.1, 0.1)
    model.find_planes()
    assert model.wish("active").region is None


def test_another_rig_begins_anew(qtbot, studio, model, make_camera):
    studio.open(small_rig())
    model.start()
    wait_for_figures(qtbot, model)
    model.choose_region("active", 0.5, 0.5)
    studio.open([make_camera("left")])
    qtbot.waitUntil(lambda: [title.camera_id for title in model.sensors] == ["left"], timeout=5000)
    assert model.quality("active") is None
    assert model.wish("active").region is None
    wait_for_figures(qtbot, model)


def test_a_report_is_written_in_the_background(qtbot, studio, model, tmp_path):
    studio.open(small_rig())
    model.start()
    wait_for_figures(qtbot, model)
    with qtbot.waitSignal(model.report_saved, timeout=20_000) as heard:
        model.make_report()
        assert model.reporting
    [saved] = heard.args
    assert saved.html.parent == tmp_path / "reports"
    assert saved.html.suffix == ".html"
    assert "Hall 3" in saved.html.read_text()
    assert saved.pdf.read_bytes() == b"%PDF-"
    [report] = model.written
    assert [sensor.name for sensor in report.sensors] == [
        "Simulated active stereo",
        "Simulated time of flight",
    ]
    assert list(report.sensors[0].pictures) == ["Colour", "Raw"]
    assert "difficulty 50%" in report.conditions


def test_a_report_whose_pdf_cannot_be_written_says_why(qtbot, studio, model, tmp_path):
    studio.open(small_rig())
    model.start()
    (tmp_path / "reports").mkdir()
    made = model._write_pdf

    def in_the_way(report, path):
        path.mkdir()
        made(report, path)

    model._write_pdf = in_the_way
    with qtbot.waitSignal(model.report_failed, timeout=20_000) as heard:
        model.make_report()
    assert "pdf" in heard.args[0].sentence
    assert not model.reporting


def test_a_report_that_cannot_be_written_says_why(qtbot, studio, model, tmp_path):
    (tmp_path / "reports").write_text("in the way")
    studio.open(small_rig())
    model.start()
    wait_for_figures(qtbot, model)
    with qtbot.waitSignal(model.report_failed, timeout=20_000) as heard:
        model.make_report()
    assert "exists" in heard.args[0].sentence


def test_a_measurement_that_fails_is_said(qtbot, studio, model, make_camera, monkeypatch):
    def broken(*_args, **_more):
        raise ValueError("seeded")

    monkeypatch.setattr("app.quality.sensor.SensorWatch.measure", broken)
    studio.open([make_camera("left")])
    model.start()

    def said():
        quality = model.quality("left")
        return quality and quality.streams["raw"].figures["fill"].words.startswith("measuring failed")

    qtbot.waitUntil(said, timeout=10_000)


def test_an_exposure_is_of_one_moment(studio, make_camera, make_refined):
    pipeline = studio.open([make_camera("left")])
    line = pipeline.lines["left"]
    line.channel.newest.newer_than(0, timeout_s=5)
    off = InferenceState(InferenceStatus.OFF)
    on = InferenceState(InferenceStatus.RUNNING, "Tiny engine")
    newest = exposure(line, off, None)
    assert newest.refined is None
    assert newest.refined_words == "Repair is off"
    frame = line.channel.newest.latest()
    line.refined.put(make_refined(frame))
    both = exposure(line, on, None)
    assert both.frame is frame
    assert both.refined.values[0, 0] == 800
    assert exposure(line, on, frame) is None
    other = InferenceState(InferenceStatus.RUNNING, "Other engine")
    assert exposure(line, other, None).refined is None
    line.refined.put(replace(make_refined(frame), hidden_share=0.5))
    worse = exposure(line, on, None)
    assert worse.refined is None
    assert worse.refined_words == "Depth is hidden on Live"


def test_a_camera_without_pictures_says_why(studio, make_camera):
    camera = make_camera("left")
    camera.lost = True
    line = studio.open([camera]).lines["left"]
    deadline = time.monotonic() + 5
    before = {"Camera starting", "Waiting for the first frame"}
    while (words := exposure(line, None, None)) in before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert words.startswith("Camera lost")


def test_pictures_are_of_one_exposure_and_one_range(make_camera, make_refined):
    frame = make_camera("left").frame()
    refined = make_refined(frame)
    shown = pictures(TileView("left", frame=make_camera("left").frame(), refined=refined), LiveOptions())
    assert list(shown) == ["Colour", "Raw", "Refined"]
    assert all(picture.shape == (6, 8, 3) for picture in shown.values())
    np.testing.assert_array_equal(shown["Raw"][:, 1:], shown["Refined"][:, 1:])
    assert not np.array_equal(shown["Raw"][:, 0], shown["Refined"][:, 0])
    assert pictures(TileView("left"), LiveOptions()) == {}
