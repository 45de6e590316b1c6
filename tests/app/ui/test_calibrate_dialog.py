import time
from dataclasses import replace

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app import paths
from app.calibrating import Calibrator
from app.ui.calibrate_dialog import CalibrateDialog
from app.viewmodels import calibrate
from app.viewmodels.calibrate import CalibrateModel, placed_blocks, verdict
from drivers.calibration.factory import Finding
from drivers.calibration.rig import find
from drivers.camera import CameraBase, CameraInfo
from drivers.geometry import Calibration
from tests.app.test_calibrating import frames
from tests.app.ui import pages
from tests.drivers.calibration.rigs import CAMERAS, PLACES

HOLD_S = 0.5


class BoardCamera(CameraBase):
    """Sees a board that stands in one place after the other."""

    def __init__(self, camera_id, epoch_s, serial=None):
        self._id, self._epoch_s = camera_id, epoch_s
        self.info = CameraInfo(
            camera_id, f"The {camera_id} one", "M", serial or camera_id, "stereo", 20.0, live=True
        )
        self.calibration = Calibration(CAMERAS[camera_id], CAMERAS[camera_id])
        self._index = 0

    def open(self):
        pass

    def close(self):
        pass

    def read(self, *, timeout_s):
        time.sleep(0.04)
        place = int((time.monotonic() - self._epoch_s) / HOLD_S) % len(PLACES)
        seen = frames(place)[self._id]
        self._index += 1
        return type(seen)(
            self._id, self._index, time.monotonic_ns(), 0, seen.color, seen.depth, seen.calibration
        )


@pytest.fixture
def wizard(qtbot, themed, tmp_path, monkeypatch):
    monkeypatch.setattr("app.calibrating.STILL_S", 0.08)
    monkeypatch.setattr(calibrate, "AFTER_A_PICTURE_S", 0.05)
    monkeypatch.setattr(calibrate, "LOOK_EVERY_S", 0.02)
    for number in range(len(PLACES)):
        frames(number)  # rendered before the clock runs
    context, _ = pages.context_for(tmp_path)
    epoch_s = time.monotonic()
    context.studio.open([BoardCamera("left", epoch_s), BoardCamera("right", epoch_s)])
    holder = QWidget()
    holder.resize(1280, 800)
    dialog = CalibrateDialog(CalibrateModel(context.studio), holder)
    qtbot.addWidget(holder)
    dialog.open()
    yield dialog, context.studio
    if shiboken6.isValid(dialog):
        dialog.reject()
    context.studio.close()


def press(button):
    assert button.isEnabled()
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_wizard_is_pressed_through_and_the_rig_is_placed(qtbot, wizard):
    dialog, studio = wizard
    assert not studio.pipeline.rig.latest().shared
    press(dialog.print)
    assert (paths.data_folder() / "depthmend-board-a4.pdf").exists()
    pages.assert_fit_for_fingers(dialog)
    press(dialog.begin)
    qtbot.waitUntil(lambda: dialog.solve.isEnabled(), timeout=30_000)
    pages.assert_fit_for_fingers(dialog)
    press(dialog.solve)
    qtbot.waitUntil(lambda: dialog.save.isVisible(), timeout=10_000)
    right = next(shown for shown in dialog.blocks if shown.block.title == "The right one")
    assert right.lines.text().startswith("At x +")
    assert "Depth agrees" in right.lines.text()
    assert right.doubts.isHidden()
    placed = dialog._model.view.placed
    off = replace(placed, findings={**placed.findings, "right": Finding(False, "Depth is off.", 0.1)})
    names = {"left": "The left one", "right": "The right one"}
    result = placed_blocks(off, names)
    dialog.show_view(replace(dialog._model.view, verdict=verdict(off, names), result=result))
    assert dialog._verdict.text() == "Placed, but the depth of The right one is 10% off."
    assert [shown.doubts.text() for shown in dialog.blocks if shown.block.doubts] == ["Depth is off."]
    with qtbot.waitSignal(dialog.calibrated):
        press(dialog.save)
    assert find(paths.calibrations_folder(), ["left", "right"]) is not None
    places = studio.pipeline.rig.latest()
    assert places.words == "Calibrated today."
    assert places.rig_from_color["right"][0, 3] == pytest.approx(0.26, abs=0.002)


def test_the_square_that_was_measured_is_used(qtbot, wizard):
    dialog, _ = wizard
    press(dialog.square)
    for figure in "29.7":
        if figure == "2":
            for _ in range(6):
                dialog.pad._take_back()
        press(dialog.pad.keys[figure])
    assert dialog.sheet.isVisible()
    press(dialog.pad.done)
    assert "29.7 mm" in dialog.square.text()
    assert dialog.sheet.isVisible()


def test_fewer_than_two_cameras_cannot_begin(wizard):
    dialog, _ = wizard
    press(dialog.cameras.button("right"))
    assert not dialog.begin.isEnabled()
    press(dialog.cameras.button("right"))
    assert dialog.begin.isEnabled()


def test_a_picture_without_a_board_is_refused_in_words(qtbot, wizard, monkeypatch):
    dialog, _ = wizard
    monkeypatch.setattr(Calibrator, "worth_taking", lambda _self, _looks: False)
    monkeypatch.setattr("drivers.calibration.detect.SOME_MARKERS", 10_000)
    press(dialog.begin)
    qtbot.waitUntil(lambda: any(look.frame is not None for look in dialog._model.view.looks))
    press(dialog.take)
    qtbot.waitUntil(lambda: dialog._problem.isVisible(), timeout=5000)
    assert "Fewer than two cameras" in dialog._problem.text()
    press(dialog._back_to_board)
    assert dialog.begin.isVisible()
