"""The whole story, pressed through in the real window with the real trainer child.

Three simulated cameras are repaired live, recorded, found in the library, replayed, learnt from; the new
weights then repair the picture. 3D needs OpenGL and is told in tests/app/ui.
"""

import threading
import time

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.compose import InferenceStatus, Studio
from app.settings import Settings
from app.training.job import TrainingPhase
from app.ui import theme
from app.ui.main_window import MainWindow
from drivers.cameras.synthetic import demo_rig
from drivers.registry import open_source
from drivers.session.reader import Session
from model.spec import EngineChoice
from trainer.files import CHECKPOINT, CHECKPOINT_FACTS, WEIGHTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

STEPS = 10


def small_rig(source):
    """The demo rig at a size and rate that leave a slow machine time for the trainer."""
    return demo_rig(rate_hz=10, width=160, height=120) if source == "demo" else open_source(source)


@pytest.fixture
def window(qapp, qtbot, tmp_path, monkeypatch):
    for variable, name in (("DATA", "data"), ("LOGS", "logs"), ("CONFIG", "settings.toml")):
        monkeypatch.setenv(f"DEPTHMEND_{variable}", str(tmp_path / name))
    theme.apply(qapp, "dark")
    studio = Studio(EngineChoice())
    window = MainWindow(studio, Settings(), open_source=small_rig)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    window.open_source("demo")
    yield window
    window.close()


class Hand:
    """Finds what a person would read, and presses it."""

    def __init__(self, window, qtbot):
        self.window, self.qtbot = window, qtbot

    def button(self, words) -> QAbstractButton | None:
        for button in self.window.findChildren(QAbstractButton):
            named = words in {button.text(), button.accessibleName()}
            if named and button.isVisible() and button.isEnabled():
                return button
        return None

    def press(self, words, timeout_s=30):
        self.wait(lambda: self.button(words) is not None, timeout_s, f"there is no button {words!r}")
        self.qtbot.mouseClick(self.button(words), Qt.MouseButton.LeftButton)

    def wait(self, condition, timeout_s=120, reason="what was waited for did not happen"):
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, reason
            self.qtbot.wait(20)


def test_from_the_first_picture_to_new_weights(window, qtbot, tmp_path):
    hand = Hand(window, qtbot)
    studio = window.context.studio

    # Three cameras are on screen, and their depth is repaired with the demo weights.
    hand.wait(lambda: studio.pipeline is not None and len(studio.pipeline.lines) == 3)
    lines = list(studio.pipeline.lines.values())
    hand.wait(lambda: all(line.refined.latest() is not None for line in lines), 120)
    for line in lines:
        refined = line.refined.latest()
        assert "demo weights" in refined.engine
        assert refined.raw.fill_rate < 0.999
        assert refined.depth.fill_rate > refined.raw.fill_rate
    live = window.page_widget("Live")
    meters = live.model.screen_meters
    hand.wait(lambda: all(meters[line.info.id].total >= 3 for line in lines), 60, "nothing was painted")

    # Record, with a scene and a mark.
    hand.press("Record")
    record = window.page_widget("Record")
    hand.press("Office")
    hand.wait(lambda: record.record.isEnabled())
    qtbot.mouseClick(record.record, Qt.MouseButton.LeftButton)
    hand.wait(lambda: studio.recorder is not None)
    recorder = studio.recorder
    hand.press("Glass here")
    hand.wait(lambda: all(count.written >= 15 for count in recorder.status().cameras.values()))
    qtbot.mouseClick(record.record, Qt.MouseButton.LeftButton)
    hand.press("Open in Sessions")
    session = Session(recorder.session)
    assert session.labels.scene == "office"
    assert all(total.honest for total in session.manifest.totals.values())

    # It is in the library; replay it.
    assert window.page == "Sessions"
    sessions = window.page_widget("Sessions")
    hand.wait(lambda: len(sessions._cards) == 1, 30, "the session is not in the library")
    hand.press("Replay")
    hand.wait(lambda: studio.pipeline is not None and not _live(studio), 30, "the replay did not start")
    assert window.page == "Live"
    replayed = list(studio.pipeline.lines.values())
    assert {line.info.id for line in replayed} == set(session.camera_ids)
    hand.wait(lambda: all(line.refined.latest() is not None for line in replayed), 120)

    # Learn from it in the real trainer child.
    hand.press("Sessions")
    hand.press("Train on this")
    assert window.page == "Train"
    train = window.page_widget("Train")
    train.plan.steps.set_value(STEPS)
    hand.wait(lambda: train.plan.plan.sessions == (recorder.session,))
    hand.press("Start training")
    model = train._model
    hand.wait(lambda: model.run is not None)
    hand.wait(lambda: model.run.training.phase is TrainingPhase.DONE or _failed(model), 240)
    state = model.run.training
    assert state.phase is TrainingPhase.DONE, state.message
    assert [step for step, _ in state.losses] == list(range(1, STEPS + 1))
    assert all(loss > 0 for _, loss in state.losses)
    assert state.scores
    run = model.run.folder
    assert list((run / CHECKPOINT).glob(f"step-*/{CHECKPOINT_FACTS}"))
    assert state.weights == run / WEIGHTS

    # Put it live.
    hand.press("Use these weights")
    assert window.page == "Live"
    inference = studio.pipeline.inference
    hand.wait(lambda: run.name in inference.latest().label and _running(inference.latest()), 120)
    label = inference.latest().label
    hand.wait(lambda: all(line.refined.latest().engine == label for line in replayed), 120)

    # Close it: nothing is left.
    before = time.monotonic()
    window.close()
    assert time.monotonic() - before < 2.0
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("camera")]
    assert not window.isVisible()


def _live(studio):
    return all(line.info.live for line in studio.pipeline.lines.values())


def _running(state):
    return state.status is InferenceStatus.RUNNING


def _failed(model):
    return model.run.training.phase is TrainingPhase.FAILED


def test_every_page_can_be_reached_by_its_button(window, qtbot):
    hand = Hand(window, qtbot)
    for name in ("Record", "Sessions", "Train", "Settings", "Live"):
        hand.press(name)
        assert window.page == name
        assert isinstance(window.page_widget(name), QWidget)
        assert window.childAt(QPoint(600, 400)) is not None
