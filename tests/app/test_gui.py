import os
import signal
import sys
import threading
import time

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app import gui
from app.settings import Settings, save
from app.ui.main_window import MainWindow
from app.ui.welcome import Welcome
from app.ui.widgets import Banner


@pytest.fixture
def run(themed, studio, make_camera, tmp_path):
    """Runs the program, calls `then(window)` after half a second; gives status and seconds from then on."""
    before = sys.excepthook, threading.excepthook

    def run(then, **options):
        left_s = []

        def act():
            shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()]
            (window,) = shown  # an earlier run's lingers, hidden
            left_s.append(time.perf_counter())
            then(window)

        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(act)
        timer.start(500)
        status = gui.run(studio, Settings(), open_source=lambda _source: [make_camera()], **options)
        return status, time.perf_counter() - left_s[0]

    yield run
    for window in QApplication.topLevelWidgets():
        window.deleteLater()
    assert (sys.excepthook, threading.excepthook) == before


def workers():
    return [t.name for t in threading.enumerate() if t.name.startswith(("camera", "inference", "open"))]


def test_closing_the_window_ends_the_program_within_two_seconds(run, studio):
    status, took_s = run(lambda window: window.close())
    assert status == 0
    assert took_s < 2
    assert not workers()
    assert studio.pipeline is None


def test_the_first_start_is_guided_and_later_ones_are_not(run):
    guided = []

    def act(window):
        guided.append(any(guide.isVisible() for guide in window.findChildren(Welcome)))
        window.leave()

    run(act)
    save(Settings())
    run(act)
    assert guided == [True, False]


def test_a_signal_ends_the_program(run):
    status, took_s = run(lambda _window: os.kill(os.getpid(), signal.SIGTERM))
    assert status == 0
    assert took_s < 2
    assert not workers()


def test_an_error_in_a_thread_is_said_in_the_window(run):
    said = []

    def fail():
        raise ValueError("a bug")

    def act(window):
        threading.Thread(target=fail).start()
        QTimer.singleShot(
            300, lambda: (said.append(window.findChild(Banner).accessibleName()), window.close())
        )

    run(act)
    assert "ValueError: a bug" in said[0]


def test_a_kiosk_fills_the_screen(run):
    seen = []
    run(lambda window: (seen.append(window.isFullScreen()), window.leave()), kiosk=True)
    assert seen == [True]
