"""Runs the window until it is closed; errors are logged and said."""

import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from app import crash, paths, window_state
from app.compose import Studio
from app.heap import share_arenas
from app.messages import Message
from app.settings import Settings
from app.ui import speaking, theme
from app.ui.collector import collected_here
from app.ui.context import Notice
from app.ui.main_window import MainWindow
from drivers.camera import Camera

log = logging.getLogger(__name__)
qt_log = logging.getLogger("qt")

FIRST_SIZE_PX = (1280, 800)
LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class _Relay(QObject):
    """Carries a sentence from whichever thread failed to the window's."""

    said = Signal(str)


def run(
    studio: Studio,
    settings: Settings,
    *,
    kiosk: bool = False,
    open_source: Callable[[str], Sequence[Camera]],
    notice: Message | None = None,
) -> int:
    """Show the window until it is closed; returns the exit status.

    Args:
        studio: closed at the end.
        settings: of the operator; its source is opened at once.
        kiosk: full screen, with a guarded way out.
        open_source: finds the cameras of a source, not open yet.
        notice: what the operator has to know about the start.
    """
    share_arenas()
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setApplicationName("DepthMend")
    app.setDesktopFileName("depthmend")
    speaking.speak(app, settings.language)
    theme.apply(app, settings.theme)
    relay = _Relay()
    try:
        with (
            collected_here(lambda: studio.pipeline),
            crash.hooks(paths.log_folder(), relay.said.emit),
            _qt_messages(),
        ):
            window = MainWindow(studio, settings, open_source=open_source, kiosk=kiosk)
            relay.said.connect(window.show_error, Qt.ConnectionType.QueuedConnection)
            with _signals(window):
                _show(window, kiosk=kiosk)
                first = not paths.settings_file().exists()
                window.open_source(settings.source)
                window.recover_sessions()
                window.keep_state(window_state.load())
                if first and not kiosk:
                    window.welcome()
                if notice is not None:
                    window.show_banner(Notice("warning", notice.sentence, notice.hint))
                return app.exec()
    finally:
        studio.close()


def _show(window: MainWindow, *, kiosk: bool) -> None:
    if kiosk:
        window.showFullScreen()
        return
    room = window.screen().availableGeometry().size()
    window.resize(min(FIRST_SIZE_PX[0], room.width()), min(FIRST_SIZE_PX[1], room.height()))
    window.showMaximized()


@contextmanager
def _qt_messages() -> Iterator[None]:
    """Qt's own messages go to our log."""

    def note(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        qt_log.log(LEVELS.get(kind, logging.WARNING), "%s", text)

    before = qInstallMessageHandler(note)
    try:
        yield
    finally:
        qInstallMessageHandler(before)


@contextmanager
def _signals(window: MainWindow) -> Iterator[None]:
    """Ctrl+C and SIGTERM close the window; its timers let Python notice them."""

    def leave(number: int, _frame: FrameType | None) -> None:
        log.info("signal %d", number)
        window.leave()

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
