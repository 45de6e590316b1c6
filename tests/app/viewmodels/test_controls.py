import pytest

from app.compose import Studio, wait_for_frames
from app.viewmodels.controls import (
    POSITIONS,
    ControlsModel,
    grouped,
    nudged,
    position_of,
    value_at,
    words,
)
from drivers.cameras.synthetic import SyntheticCamera
from drivers.controls import Control, ControlKind, Role
from drivers.session.labels import SessionLabels
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice

EXPOSURE = Control(
    "a", "Exposure", "Depth", ControlKind.NUMBER, 8500.0, minimum=1.0, maximum=165000.0, step=1.0, unit="μs"
)
GAIN = Control("b", "Gain", "Depth", ControlKind.NUMBER, 16.0, minimum=16.0, maximum=248.0, step=1.0)
UNITS = Control("c", "Units", "Depth", ControlKind.NUMBER, 0.001, minimum=1e-6, maximum=0.01, step=1e-6)
LASER = Control("d", "Laser", "Depth", ControlKind.NUMBER, 150.0, maximum=360.0, step=30.0, unit="mW")


@pytest.mark.parametrize("control", [EXPOSURE, GAIN, UNITS, LASER])
def test_a_slider_reaches_both_ends_and_stays_at_a_value(control):
    assert value_at(control, 0) == control.minimum
    assert value_at(control, POSITIONS) == pytest.approx(control.maximum, abs=control.step)
    for position in range(0, POSITIONS + 1, 50):
        value = value_at(control, position)
        assert value_at(control, position_of(control, value)) == pytest.approx(
            value, rel=0.02, abs=control.step
        )


def test_the_middle_of_a_wide_range_is_its_geometric_mean():
    assert value_at(EXPOSURE, POSITIONS // 2) == pytest.approx(165000**0.5, abs=1)
    assert value_at(GAIN, POSITIONS // 2) == 132.0


@pytest.mark.parametrize("control", [EXPOSURE, GAIN, UNITS, LASER])
def test_every_press_moves_until_the_end(control):
    value = control.minimum
    for _ in range(1000):
        further = nudged(control, value, up=True)
        if further == control.maximum:
            break
        assert further > value
        value = further
    assert further == control.maximum
    assert nudged(control, control.maximum, up=False) < control.maximum


def test_values_are_said_with_their_unit_and_no_more_figures_than_a_step_has():
    assert words(EXPOSURE, 8500.0) == "8,500 μs"
    assert words(UNITS, 0.001) == "0.001000"
    assert words(LASER, 150.0) == "150 mW"
    assert words(LASER, -30.0) == "\u221230 mW"
    assert (words(GAIN, True), words(GAIN, "High")) == ("On", "High")


def test_what_every_camera_has_comes_before_what_is_the_vendors_own():
    usual = Control("e", "Laser", "Depth", ControlKind.NUMBER, 1.0, role=Role.LASER_POWER)
    heat = Control("f", "Heat", "Depth", ControlKind.NUMBER, 40.0, read_only=True)
    motion = Control("g", "Sensitivity", "Motion", ControlKind.NUMBER, 1.0)

    depth, other = grouped([motion, heat, GAIN, usual])

    assert (depth.usual, depth.special, depth.readings) == ((usual,), (GAIN,), (heat,))
    assert other.title == "Motion"


@pytest.fixture
def studio():
    made = Studio(EngineChoice(model="off"))
    camera = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=32, height=24, rate_hz=60)
    assert wait_for_frames(made.open([camera]), timeout_s=30)
    yield made
    made.close()


@pytest.fixture
def model(qtbot, studio):
    made = ControlsModel(studio)
    made.show("sim")
    qtbot.waitUntil(lambda: bool(made.view.groups))
    yield made
    made.stop()


def value(model, name):
    return next(c.value for group in model.view.groups for c in group.usual if c.name == name)


def on_camera(studio, name):
    return next(c.value for c in studio.pipeline.lines["sim"].desk.state.latest().controls if c.name == name)


def test_what_is_moved_is_shown_at_once_and_reaches_the_camera(qtbot, model, studio):
    model.set("depth.laser_power", 240.0)

    assert value(model, "depth.laser_power") == 240.0
    qtbot.waitUntil(lambda: on_camera(studio, "depth.laser_power") == 240.0)
    qtbot.waitUntil(lambda: not model._wished)
    assert value(model, "depth.laser_power") == 240.0


def test_a_value_that_the_camera_refuses_goes_back_and_is_explained(qtbot, model):
    model.set("depth.laser_power", 999.0)

    qtbot.waitUntil(lambda: bool(model.view.note))

    assert "999" in model.view.note
    assert "360" in model.view.hint
    qtbot.waitUntil(lambda: value(model, "depth.laser_power") == 150.0)


def test_presets_and_defaults_reach_the_camera(qtbot, model, studio):
    model.set_preset("quality")
    qtbot.waitUntil(lambda: on_camera(studio, "depth.laser_power") == 360.0)

    model.set_defaults()

    qtbot.waitUntil(lambda: on_camera(studio, "depth.laser_power") == 150.0)


def test_a_recording_locks_the_panel_and_says_so(qtbot, model, studio, tmp_path):
    studio.record(tmp_path, SessionLabels())
    qtbot.waitUntil(lambda: model.view.locked)
    assert "recording" in model.view.note.lower()
    model.set("depth.laser_power", 30.0)
    assert "Stop the recording" in model.view.hint

    studio.stop_recording()
    model.set("depth.laser_power", 30.0)

    qtbot.waitUntil(lambda: on_camera(studio, "depth.laser_power") == 30.0)


def test_another_source_empties_the_panel(qtbot, model, studio):
    studio.close()

    qtbot.waitUntil(lambda: not model.view.camera_id)


def test_the_newest_picture_is_shown_meanwhile(qtbot, model):
    with qtbot.waitSignal(model.pictured) as got:
        pass

    assert got.args[0].camera_id == "sim"


def test_a_file_that_cannot_be_read_is_said(model, tmp_path):
    model.load_from(tmp_path / "none.json")

    assert "none.json" in model.view.note
    assert model.view.hint


def test_a_camera_without_a_tool_of_its_vendor_refuses_such_a_file(qtbot, model, tmp_path):
    (tmp_path / "settings.json").write_text("{}")

    model.load_from(tmp_path / "settings.json")

    qtbot.waitUntil(lambda: "takes no settings" in model.view.note)
    assert not model.view.saves
