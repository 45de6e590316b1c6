import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QSlider

from app.compose import Studio, wait_for_frames
from app.ui.controls_panel import ControlsPanel
from app.ui.side_panel import SidePanel
from app.viewmodels.controls import ControlsModel
from drivers.cameras.synthetic import SyntheticCamera
from drivers.controls import Control, ControlKind
from drivers.session.labels import SessionLabels
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice
from tests.app.ui import pages


class Special(SyntheticCamera):
    """Has what only its vendor has, a reading, and a file of settings."""

    text = '{"param": 1}'

    def controls(self):
        sharp = Control("depth.sharp", "Sharpening", "Depth", ControlKind.NUMBER, 1.0, maximum=7.0, step=1.0)
        heat = Control("depth.heat", "Heat", "Depth", ControlKind.NUMBER, 41.5, unit="°C", read_only=True)
        return (*super().controls(), sharp, heat)

    def vendor_settings(self):
        return self.text

    def load_vendor_settings(self, text):
        self.text = text


@pytest.fixture
def studio():
    made = Studio(EngineChoice(model="off"))
    camera = Special("sim", SensorKind.ACTIVE_STEREO, width=32, height=24, rate_hz=60)
    assert wait_for_frames(made.open([camera]), timeout_s=30)
    yield made
    made.close()


@pytest.fixture
def panel(qtbot, themed, studio):
    model = ControlsModel(studio)
    made = ControlsPanel(model, near_m=0.3, far_m=4.0)
    holder = SidePanel()
    holder.add_page("controls", "Camera settings", made)
    holder.open_page("controls")
    qtbot.addWidget(holder)
    holder.resize(360, 900)
    holder.show()
    model.show("sim")
    qtbot.waitUntil(lambda: "depth.laser_power" in made.editors)
    yield made
    model.stop()


def on_camera(studio, name):
    state = studio.pipeline.lines["sim"].desk.state.latest()
    return next(control.value for control in state.controls if control.name == name)


def test_a_slider_a_press_a_switch_and_a_choice_reach_the_camera(qtbot, panel, studio):
    laser = panel.editors["depth.laser_power"]
    laser.slider.setValue(laser.slider.maximum())
    qtbot.waitUntil(lambda: on_camera(studio, "depth.laser_power") == 360.0)
    qtbot.mouseClick(laser.less, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: on_camera(studio, "depth.laser_power") == 330.0)
    qtbot.mouseClick(panel.editors["depth.emitter"].switch, Qt.MouseButton.LeftButton, pos=QPoint(20, 28))
    qtbot.waitUntil(lambda: on_camera(studio, "depth.emitter") is False)
    picker = panel.editors["depth.visual_preset"].picker
    picker.activated.emit(2)
    qtbot.waitUntil(lambda: on_camera(studio, "depth.visual_preset") == "High Density")


def test_a_preset_moves_the_editors(qtbot, panel):
    qtbot.mouseClick(panel.presets["quality"], Qt.MouseButton.LeftButton)

    laser = panel.editors["depth.laser_power"]
    qtbot.waitUntil(lambda: laser.slider.value() == laser.slider.maximum())
    assert not laser.more.isEnabled()
    qtbot.mouseClick(panel.defaults, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: laser.more.isEnabled())


def test_what_only_one_vendor_has_is_shown_when_asked_for(qtbot, panel):
    assert not panel.editors["depth.sharp"].isVisible()
    panel.all.click()

    assert panel.editors["depth.sharp"].isVisible()
    assert panel.editors["depth.heat"].isVisible()
    assert not panel.editors["depth.heat"].findChildren(QSlider)


def test_a_vendors_file_is_saved_and_loaded(qtbot, panel, studio, tmp_path):
    panel._model.save_to(tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_text() == '{"param": 1}'
    (tmp_path / "other.json").write_text('{"param": 2}')

    panel._model.load_from(tmp_path / "other.json")

    qtbot.waitUntil(lambda: studio.pipeline.lines["sim"].camera.text == '{"param": 2}')


def test_a_recording_holds_everything_still(qtbot, panel, studio, tmp_path):
    folder = studio.record(tmp_path, SessionLabels()).session
    qtbot.waitUntil(lambda: not panel.presets["quality"].isEnabled())

    assert "recording" in panel.note.text().lower()
    assert not any(editor.isEnabled() for editor in panel.editors.values())
    assert not panel.load.isEnabled()
    studio.stop_recording()
    qtbot.waitUntil(panel.presets["quality"].isEnabled)
    from drivers.session.reader import Session

    assert Session(folder).cameras[0].vendor_settings == '{"param": 1}'


def test_the_picture_is_shown_beside_its_depth(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.depth_picture._image.isNull())

    assert not panel.color_picture._image.isNull()


def test_everything_is_fit_for_fingers(panel):
    panel.all.click()

    pages.assert_fit_for_fingers(panel)
    assert all(editor.slider.height() >= 48 for editor in panel.editors.values() if hasattr(editor, "slider"))
