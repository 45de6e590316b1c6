"""Makes the pictures of the README: opens the window on the demo rig and photographs it.

xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python docs/screenshots/make.py
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtWidgets import QApplication
from sitting import PATIENCE_S, await_repair, live_in, spin

from app.compose import Studio
from app.settings import Settings
from app.ui import theme
from app.ui.main_window import MainWindow
from drivers.registry import open_source
from model.spec import EngineChoice

HERE = Path(__file__).resolve().parent
SIZE = (1280, 800)
VIEWS = (("live", "wipe"), ("live-3d", "cloud"))
PAGES = (("Compare", "compare", "light"), ("Record", "record", "outdoor"))


def main() -> None:
    """Write one PNG for each view."""
    live_in(tempfile.mkdtemp())
    app = QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    studio = Studio(EngineChoice())
    window = MainWindow(studio, Settings(), open_source=open_source)
    window.resize(*SIZE)
    window.show()
    window.open_source("demo")
    await_repair(studio)
    deadline = time.monotonic() + PATIENCE_S
    model = window.page_widget("Live").model
    for name, layout in VIEWS:
        model.set_layout(layout)
        spin(6)
        seen = model.titles[:1] if layout == "cloud" else model.titles
        while any(model.tile(title.camera_id).refined_note for title in seen):  # a busy machine repairs late
            assert time.monotonic() < deadline, "no repair was young enough in time"
            spin(0.2)
        spin(0.2)
        photograph(window, name)
    for page, name, theme_name in PAGES:
        window.apply_theme(theme_name)
        window.go_to(page)
        spin(8)
        photograph(window, name)
    window.leave()


def photograph(window: MainWindow, name: str) -> None:
    """Write what is on the screen."""
    QApplication.primaryScreen().grabWindow(window.winId()).save(str(HERE / f"{name}.png"))


if __name__ == "__main__":
    main()
