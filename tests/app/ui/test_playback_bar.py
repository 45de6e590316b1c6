from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from app.settings import Settings
from app.ui.main_window import MainWindow
from app.ui.playback_bar import PlaybackBar
from app.viewmodels.playback import Filmstrip, Mark, PlaybackModel, PlaybackView
from drivers.cameras.replay import replay_cameras
from tests.app.recording import small_sessions as small
from tests.app.ui import pages


@pytest.fixture
def bar(qtbot, themed, studio, tmp_path):
    studio.open(replay_cameras(small.make_session(tmp_path / "s", frames=12)))
    model = PlaybackModel(studio)
    made = PlaybackBar(model)
    qtbot.addWidget(made)
    made.resize(1176, 80)
    made.set_in_front(True)
    model.start()
    model.playback.pause()
    yield made
    model.stop()


def shown(playback):
    """Position of the lead camera's frame."""
    return playback.frame_at(playback.at_ns)


def test_it_is_there_only_with_a_replay_in_front(bar, studio, make_camera, qtbot):
    assert bar.isVisible()
    bar.set_in_front(False)
    assert not bar.isVisible()
    bar.set_in_front(True)
    studio.open([make_camera()])
    qtbot.waitUntil(lambda: not bar.isVisible())


@pytest.mark.parametrize("width", [1176, 696])
def test_everything_can_be_pressed_with_gloves(bar, width):
    bar.resize(width, bar.minimumSizeHint().height())
    bar.resize(width, bar.minimumSizeHint().height())  # two rows are higher
    assert bar.width() == width
    assert bar.strip.width() >= 300
    assert bar.rect().contains(bar.speed.geometry())
    pages.assert_fit_for_fingers(bar)
    assert min(bar.strip.height(), bar.speed.height()) >= 48


def test_the_buttons_play_and_step(bar):
    playback = bar._model.playback
    playback.seek(playback.time_of(4))
    bar.forward.click()
    assert (shown(playback), bar.frame.text()) == (5, "frame 6 of 12")
    bar.back.click()
    bar.back.click()
    assert shown(playback) == 3
    bar.toggle.click()
    assert playback.playing
    assert bar.toggle.accessibleName().startswith("Pause")
    bar.toggle.click()
    assert bar.toggle.accessibleName().startswith("Play")
    bar.speed.picked.emit("0.25")
    assert (playback.speed, bar.speed.choice) == (0.25, "0.25")


def test_both_ends_and_single_frames_are_reached_by_button_and_by_key(bar, qtbot):
    playback = bar._model.playback
    playback.seek(playback.time_of(4))
    bar.end.click()
    assert shown(playback) == 11
    bar.start.click()
    assert shown(playback) == 0
    playback.seek(playback.time_of(4))
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(bar, Qt.Key.Key_Right, control)
    assert shown(playback) == 5
    qtbot.keyClick(bar, Qt.Key.Key_Left, control)
    assert shown(playback) == 4
    qtbot.keyClick(bar, Qt.Key.Key_Home)
    assert shown(playback) == 0


def test_at_the_end_a_replay_stays_though_it_was_playing(bar):
    playback = bar._model.playback
    playback.play()
    bar.end.click()
    assert (shown(playback), playback.playing) == (11, False)


def test_a_touch_on_the_strip_goes_there(bar, qtbot):
    playback = bar._model.playback
    middle = QPoint(bar.strip.width() // 2, 30)
    qtbot.mouseClick(bar.strip, Qt.MouseButton.LeftButton, pos=middle)
    assert shown(playback) in {5, 6}
    qtbot.mouseClick(bar.strip, Qt.MouseButton.LeftButton, pos=QPoint(bar.strip.width() - 1, 30))
    assert shown(playback) == 11
    qtbot.keyClick(bar.strip, Qt.Key.Key_Left)
    assert shown(playback) == 10


def test_pictures_marks_and_position_are_painted(bar):
    bar._model.stop()
    red = np.full((90, 120, 3), (200, 0, 0), np.uint8)
    bar.strip.show_film(Filmstrip((red,) * 4, (Mark(0.75, "glass here"),)))
    bar.show_view(PlaybackView(playing=False, speed=1.0, share=0.5, time="", frame=""))
    image = bar.strip.grab().toImage()
    width = image.width()
    assert image.pixelColor(width // 16, 40).red() > 190
    assert 60 < image.pixelColor(width // 16 * 15, 40).red() < 190, "what is to come is darker"
    mark = image.pixelColor(round(0.75 * width), 3)
    assert mark.red() > 200 > mark.blue()
    cursor = image.pixelColor(width // 2, 30)
    assert cursor.green() > 200 > cursor.red()
    assert bar.strip.toolTip() == "glass here"


def test_the_window_shows_it_on_the_live_page_while_a_session_is_replayed(qtbot, themed, studio, tmp_path):
    folder = small.make_session(tmp_path / "s", frames=12)
    settings = Settings(sessions=tmp_path, model="off")
    window = MainWindow(studio, settings, open_source=lambda source: replay_cameras(Path(source)))
    qtbot.addWidget(window)
    window.show()
    bar = window._playback_bar
    assert not bar.isVisible()
    window.open_source(str(folder))
    qtbot.waitUntil(bar.isVisible, timeout=10_000)
    window.go_to("Record")
    assert not bar.isVisible()
    window.go_to("Live")
    assert bar.isVisible()
    live = window.page_widget("Live")
    live._freeze.click()
    qtbot.keyClick(window, Qt.Key.Key_End)
    playback = window._playback.playback
    assert (shown(playback), playback.playing) == (11, False)
    assert not live.model.options.frozen
    window.close()


def test_skipping_is_asked_for_and_counted(bar):
    assert not bar._model.playback.skipping
    assert "skipped" not in bar.frame.text()
    bar.skip.click()
    assert bar._model.playback.skipping
    assert bar.skip.isChecked()
    assert "0 skipped" in bar.frame.text()
    bar.skip.click()
    assert not bar._model.playback.skipping
