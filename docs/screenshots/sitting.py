"""What every script needs that photographs the window: flags, a home of its own, and patience."""

import argparse
import os
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QCursor, QGuiApplication

from app.compose import Studio
from app.language import LANGUAGES
from app.ui import theme

PATIENCE_S = 240


def parser(description: str) -> argparse.ArgumentParser:
    """The flags of a gallery: in which sizes, themes and languages, and which states."""
    words = argparse.RawDescriptionHelpFormatter
    found = argparse.ArgumentParser(description=description, formatter_class=words)
    found.add_argument("--size", default="1280x800")
    found.add_argument("--theme", default="dark", help=f"of {', '.join(sorted(theme.THEMES))}")
    found.add_argument("--language", default="en", help=f"of {', '.join(LANGUAGES)}")
    found.add_argument("--only", default="", help="part of the names of states, or several with commas")
    return found


def live_in(folder: str) -> None:
    """Keep the person's own settings, sessions and logs out of it."""
    os.environ |= dict.fromkeys(("DEPTHMEND_DATA", "DEPTHMEND_LOGS", "DEPTHMEND_CALIBRATIONS"), folder)
    os.environ["DEPTHMEND_CONFIG"] = str(Path(folder) / "settings.toml")


def park_pointer() -> None:
    """Put the mouse into the last corner of the screen: no button looks as if it were pointed at."""
    QCursor.setPos(QGuiApplication.primaryScreen().geometry().bottomRight())


def spin(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def await_repair(studio: Studio) -> None:
    """Until each camera has repaired depth."""
    deadline = time.monotonic() + PATIENCE_S
    while studio.pipeline is None or not all(
        line.refined.latest() for line in studio.pipeline.lines.values()
    ):
        assert time.monotonic() < deadline, "nothing was repaired in time"
        spin(0.5)
