"""Photographs every page and state of the real window, to be looked at one by one.

    xvfb-run -a -s "-screen 0 2560x1600x24" env QT_QPA_PLATFORM=xcb python docs/screenshots/gallery.py

Pictures lie in build/screenshots/<theme>-<width>x<height>-<language>/. `--only live` takes what is called so.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.compose import Studio
from app.language import LANGUAGES
from app.settings import Settings
from app.ui import speaking, theme
from app.ui.main_window import PAGES, MainWindow
from app.viewmodels.measure import Stroke
from drivers.registry import open_source
from model.spec import EngineChoice

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "screenshots"
PATIENCE_S = 120
Step = Callable[["Scene"], object]


class Scene:
    """The window, and what its states are made by."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.live = window.page_widget("Live")

    def page(self, name: str) -> None:
        self.window.go_to(name)  # type: ignore[arg-type]

    def layout(self, key: str) -> None:
        self.page("Live")
        self.live._open_panel("")
        self.live.model.set_layout(key)

    def panel(self, layout: str, key: str) -> None:
        self.layout(layout)
        self.live._open_panel(key)

    def layer(self, base: str, shown: str) -> None:
        self.layout("side")
        self.live.model.set_base(base)
        self.live.model.set_shown(shown)

    def cloud(self, layout: str, colouring: str, view: str = "") -> None:
        self.layout("cloud")
        cloud = self.live._cloud
        cloud._layouts.button(layout).click()
        cloud._colourings.button(colouring).click()
        cloud.reset()
        if view:
            cloud.body.see_from(view)

    def cloud_look(self, *, mesh: bool = False, grid: bool = False, box: bool = False) -> None:
        options = self.live._cloud.options
        for wanted, switch in ((mesh, options.mesh), (grid, options.grid), (box, options.box)):
            if switch.isChecked() != wanted:
                switch.click()

    def cloud_with(self, layout: str, colouring: str, **look: bool) -> None:
        self.cloud(layout, colouring)
        self.cloud_look(**look)
        self.live._open_panel("cloud")

    def measured_cloud(self) -> None:
        self.cloud_look()
        self.cloud("raw", "colour")
        self.live._measure.click()
        body = self.live._cloud.body
        from PySide6.QtCore import QPointF

        for x, y in ((0.35, 0.6), (0.62, 0.55)):
            place = QPointF(body.width() * x, body.height() * y)
            body._pressed = (time.perf_counter(), place)
            body._lifted(place)

    def marks(self) -> None:
        self.panel("wipe", "measure")
        first = self.live.model.titles[0].camera_id
        self.live.measure.add(first, Stroke("distance", (0.3, 0.5), (0.7, 0.6)))
        self.live.measure.add(first, Stroke("area", (0.2, 0.2), (0.5, 0.4)))
        self.live.measure.add(first, Stroke("point", (0.6, 0.8), (0.6, 0.8)))

    def why(self, *, emitter: bool) -> None:
        self.layout("wipe")
        line = next(iter(self.window.context.studio.pipeline.lines.values()))
        line.desk.ask({"depth.emitter": emitter})
        self.live._open_panel("checkup")

    def hidden_depth(self, share: float) -> None:
        self.layout("wipe")
        self.live.measure.clear()
        self.live.model.set_hidden(share)

    def palette(self) -> None:
        self.page("Live")
        self.window.open_palette()

    def close_palette(self) -> None:
        for widget in QApplication.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                widget.close()


STATES: tuple[tuple[str, Step, float], ...] = (
    ("live-wipe", lambda s: s.layout("wipe"), 3),
    ("live-one", lambda s: s.layout("one"), 2),
    ("live-blend", lambda s: s.layout("blend"), 2),
    ("live-corner", lambda s: s.layout("inset"), 2),
    ("live-side", lambda s: s.layer("raw", "refined"), 2),
    ("live-difference", lambda s: s.layer("refined", "difference"), 2),
    ("live-provenance", lambda s: s.layer("raw", "provenance"), 2),
    ("live-confidence", lambda s: s.layer("colour", "confidence"), 2),
    ("live-colours", lambda s: s.panel("wipe", "colours"), 2),
    ("live-measure", lambda s: s.marks(), 2),
    ("live-repair", lambda s: s.panel("wipe", "repair"), 2),
    ("live-why-bad", lambda s: s.why(emitter=False), 5.5),
    ("live-why-good", lambda s: s.why(emitter=True), 5.5),
    ("live-hidden", lambda s: s.hidden_depth(0.6), 3),
    ("live-3d-both", lambda s: (s.hidden_depth(0.0), s.cloud("both", "colour")), 6),
    ("live-3d-overlay", lambda s: s.cloud("overlay", "colour"), 4),
    ("live-3d-top", lambda s: s.cloud("both", "depth", "top"), 4),
    ("live-3d-mesh", lambda s: s.cloud_with("refined", "provenance", mesh=True, grid=True), 6),
    ("live-3d-box", lambda s: s.cloud_with("both", "colour", box=True), 4),
    ("live-3d-measure", lambda s: s.measured_cloud(), 4),
    ("palette", lambda s: s.palette(), 1),
    ("compare", lambda s: (s.close_palette(), s.layout("wipe"), s.page("Compare")), 8),
    *((page.lower(), lambda s, page=page: s.page(page), 2.5) for page, _, _ in PAGES[2:]),
)
"""Name, what leads there from the state before, and seconds until it is to be seen."""


def spin(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def main() -> None:
    """Write one PNG for each state."""
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=words)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", default="dark", choices=sorted(theme.THEMES))
    parser.add_argument("--language", default="en", choices=LANGUAGES)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    data = tempfile.mkdtemp()
    os.environ |= dict.fromkeys(("DEPTHMEND_DATA", "DEPTHMEND_LOGS", "DEPTHMEND_CALIBRATIONS"), data)
    os.environ["DEPTHMEND_CONFIG"] = str(Path(data) / "settings.toml")
    app = QApplication(sys.argv[:1])
    theme.apply(app, args.theme)
    speaking.speak(app, args.language)
    studio = Studio(EngineChoice(model=args.model))
    settings = Settings(model=args.model, theme=args.theme, language=args.language)
    window = MainWindow(studio, settings, open_source=open_source)
    window.resize(*(int(part) for part in args.size.split("x")))
    window.show()
    folder = OUT / f"{args.theme}-{args.size}-{args.language}"
    folder.mkdir(parents=True, exist_ok=True)

    def photograph(name: str) -> None:
        app.primaryScreen().grabWindow(window.winId()).save(str(folder / f"{name}.png"))
        print(folder / f"{name}.png")

    if not args.only:
        spin(0.5)
        photograph("no-camera")
    window.open_source("demo")
    deadline = time.monotonic() + PATIENCE_S
    while studio.pipeline is None or not all(
        line.refined.latest() for line in studio.pipeline.lines.values()
    ):
        assert time.monotonic() < deadline, "nothing was repaired in time"
        spin(0.5)
    scene = Scene(window)
    for name, step, seconds in STATES:
        if args.only in name:
            step(scene)
            spin(seconds)
            photograph(name)
    scene.close_palette()
    window.leave()


if __name__ == "__main__":
    main()
