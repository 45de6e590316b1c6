import pytest

from app.compose import Studio
from app.quality.diagnosis import Fix
from app.viewmodels.checkup import CheckupModel, link_mbps, repair_facts
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice


@pytest.fixture
def camera():
    return SyntheticCamera("front", SensorKind.ACTIVE_STEREO, width=192, height=144, rate_hz=15)


@pytest.fixture
def studio(camera):
    made = Studio(EngineChoice(model="off"))
    made.open([camera])
    yield made
    made.close()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def model(qtbot, studio, asked, monkeypatch):
    monkeypatch.setattr("app.viewmodels.checkup.WATCH_S", 1.0)
    monkeypatch.setattr("app.viewmodels.checkup.EVERY_S", 0.2)
    monkeypatch.setattr("app.viewmodels.checkup.SETTLE_S", 0.3)
    made = CheckupModel(studio, asked.append, lambda: asked.append("all depth"))
    yield made
    made.stop()


def checked(qtbot, model):
    model.start("front")
    assert model.view.busy
    qtbot.waitUntil(lambda: model.view.done, timeout=15_000)
    return [finding.key for finding in model.view.findings]


def test_a_fix_is_set_in_the_camera_and_it_is_looked_at_again(qtbot, studio, camera, model):
    line = studio.pipeline.lines["front"]
    qtbot.waitUntil(lambda: line.desk.state.latest() is not None, timeout=15_000)
    line.desk.ask({"depth.emitter": False})
    qtbot.waitUntil(lambda: not camera._adjustments.emitter, timeout=5000)
    assert "emitter" in checked(qtbot, model)
    finding = next(f for f in model.view.findings if f.key == "emitter")
    model.fix(finding.fix)
    assert model.view.busy
    qtbot.waitUntil(lambda: model.view.done, timeout=15_000)
    assert camera._adjustments.emitter
    assert "emitter" not in [f.key for f in model.view.findings]


def test_frames_that_the_device_counted_and_nobody_got_are_missed(qtbot, camera, model):
    camera.faults = Faults(drop_every=3)
    assert "drops" in checked(qtbot, model)


def test_a_fix_is_refused_with_words_while_a_recording_keeps_the_settings(qtbot, studio, model):
    line = studio.pipeline.lines["front"]
    line.desk.lock()
    try:
        model.start("front")
        model.fix(Fix("x", {"depth.emitter": True}))
        assert "recording" in model.view.problem
    finally:
        line.desk.unlock()


def test_what_concerns_the_repair_goes_there(qtbot, model, asked):
    model.start("front")
    model.fix(Fix("x", repair={"monocular": False}))
    model.fix(Fix("y", show_all_depth=True))
    assert asked == [{"monocular": False}, "all depth"]


def test_a_camera_that_is_not_there_is_not_looked_at(model):
    model.start("none")
    assert not model.view.busy


def test_stopping_forgets_what_was_found(qtbot, studio, model):
    model.start("front")
    model.stop()
    assert not model.view.busy
    assert not model.view.camera_id


def test_the_repair_is_described_as_it_is_chosen(studio):
    assert repair_facts(studio.pipeline).choice is None
    studio.choose(EngineChoice(model="classical", monocular=True))
    assert repair_facts(studio.pipeline).choice.monocular


def test_the_link_of_a_simulated_camera_is_not_known(camera):
    assert link_mbps(camera.info) is None
