"""Photographs every page and state of the real window, to be looked at one by one.

    xvfb-run -a -s "-screen 0 2560x1600x24" env QT_QPA_PLATFORM=xcb python docs/screenshots/gallery.py

Pictures lie in build/screenshots/<theme>-<width>x<height>-<language>/. `--only live` takes what is called so.
`--size`, `--theme` and `--language` take several with commas between: every state is then photographed in all
of them, by the switches of the window, much quicker than by a run for each. With QT_SCALE_FACTOR=2 a size
is counted in points: 1280x800 fills a screen of 2560x1600 pixels, and the folder's name ends in "@2".
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication
from sitting import await_repair, live_in, park_pointer, parser, spin

from app.compose import InferenceState, InferenceStatus, Studio
from app.settings import Settings
from app.ui import speaking, theme
from app.ui.main_window import PAGES, MainWindow
from app.viewmodels.measure import Stroke
from drivers.camera import Camera
from drivers.cameras.synthetic import Faults, SyntheticCamera, demo_rig
from drivers.registry import open_source
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "screenshots"
FOUR = "four"
SCALED = f"@{os.environ['QT_SCALE_FACTOR']}" if "QT_SCALE_FACTOR" in os.environ else ""
Step = Callable[["Scene"], object]


class Scene:
    """The window, and what its states are made by."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self.live = window.page_widget("Live")

    def page(self, name: str) -> None:
        self.close_palette()
        self.window.go_to(name)  # type: ignore[arg-type]

    def layout(self, key: str, focus: int | None = None) -> None:
        self.page("Live")
        self.live._open_panel("")
        model = self.live.model
        model.set_frozen(False)
        model.set_stages(False)
        model.set_base("raw")
        model.set_shown("refined")
        model.set_layout(key)
        model.set_focus(None if focus is None else model.titles[focus].camera_id)

    def freeze(self, frozen: bool) -> None:
        self.layout("wipe")
        self.live.model.set_frozen(frozen)

    def read(self) -> None:
        """A finger lies on the first tile, beside the bottle."""
        self.layout("wipe", 0)
        self.view._pinned = QPointF(0.31, 0.42)
        self.view.update()

    def stages(self, shown: bool) -> None:
        self.layout("wipe")
        self.live.model.set_stages(shown)

    @property
    def view(self) -> object:
        return self.live._tiles.tiles[0].view

    def say_repair(self, state: InferenceState) -> None:
        """The repair is in this state, whatever really runs."""
        self.layout("side")
        self.window.context.studio.pipeline.inference.put(state)

    def model(self, name: str) -> None:
        self.layout("wipe")
        self.live._choose_model(name)

    def four(self) -> None:
        """The demo rig with one camera more."""
        self.source(FOUR)

    def source(self, name: str) -> None:
        self.page("Live")
        self.window.open_source(name)

    def unplugged(self) -> None:
        """The demo rig, whose first camera has gone and does not come back while it is photographed."""
        self.source("demo")
        self.layout("wipe")
        spin(1)
        await_repair(self.window.context.studio)
        camera = next(iter(self.window.context.studio.pipeline.lines.values())).camera
        camera.faults = Faults(lose_from=0)

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
        if cloud.options.measure.isChecked():
            cloud.set_measuring(False)
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
        for x, y in ((0.35, 0.6), (0.62, 0.55)):
            place = QPointF(body.width() * x, body.height() * y)
            body._pressed = (time.perf_counter(), place)
            body._lifted(place)

    def marks(self, *tools: str) -> None:
        self.panel("wipe", "measure")
        self.live.measure.clear()
        strokes = {
            "distance": Stroke("distance", (0.3, 0.5), (0.7, 0.6)),
            "area": Stroke("area", (0.2, 0.2), (0.5, 0.4)),
            "point": Stroke("point", (0.6, 0.8), (0.6, 0.8)),
            "line": Stroke("line", (0.1, 0.55), (0.9, 0.62)),
        }
        first = self.live.model.titles[0].camera_id
        for tool in tools:
            self.live.measure.add(first, strokes[tool])

    @property
    def compare(self) -> object:
        return self.window.page_widget("Compare")

    def comparison(self, view: str, *, held: bool = False, alone: bool = False) -> None:
        self.page("Compare")
        compare = self.compare
        compare.hold.setDown(False)
        compare._release()
        compare.distance.setChecked(False)
        compare._presets.setVisible(False)
        first = compare.model.sensors[0].camera_id
        compare.model.live.set_focus(first if alone else None)
        compare.views.button(view).click()
        if held:
            compare.hold.setDown(True)
            compare._press()

    def space_view(self) -> None:
        self.comparison("space")
        panel = self.compare.space.panel
        panel.opener.setChecked(True)
        for switch in (panel.options.grid, panel.options.box):
            switch.click()

    def plane_and_distance(self) -> None:
        self.comparison("both")
        first = self.compare.model.sensors[0].camera_id
        self.compare.model.choose_region(first, 0.5, 0.8)
        self.compare.model.set_distance(first, 1.25)
        self.compare.distance.setChecked(True)

    def number_pad(self) -> None:
        """No distance is typed yet; cameras that stand still, as in the other script, have no noise."""
        self.comparison("refined")
        for sensor in self.compare.model.sensors:
            self.compare.model.set_distance(sensor.camera_id, None)
        self.compare.distance.setChecked(True)

    def compare_report(self) -> None:
        self.comparison("refined")
        self.compare.report.click()

    def attention(self) -> None:
        self.layout("wipe", 0)
        self.live._look_into_network()
        self.live.model.ask_attention(self.live.model.titles[0].camera_id, 0.62, 0.6)

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


FAILED = InferenceState(
    InferenceStatus.FAILED,
    "MDM small (demo weights)",
    "There are no weights at models/mdm-small.safetensors.",
    "Choose another file.",
)

STATES: tuple[tuple[str, Step, float], ...] = (
    ("live-wipe", lambda s: s.layout("wipe"), 3),
    ("live-one", lambda s: s.layout("one"), 2),
    ("live-blend", lambda s: s.layout("blend"), 2),
    ("live-corner", lambda s: s.layout("inset"), 2),
    ("live-large", lambda s: s.layout("wipe", 0), 2),
    ("live-side", lambda s: s.layer("raw", "refined"), 2),
    ("live-difference", lambda s: s.layer("refined", "difference"), 2),
    ("live-provenance", lambda s: s.layer("raw", "provenance"), 2),
    ("live-confidence", lambda s: s.layer("colour", "confidence"), 2),
    ("live-ir", lambda s: s.layer("raw", "ir"), 2),
    ("live-read", lambda s: (s.layer("raw", "refined"), s.read()), 2),
    ("live-stages", lambda s: s.stages(True), 3),
    ("live-frozen", lambda s: (s.stages(False), s.freeze(True)), 2),
    ("live-colours", lambda s: (s.freeze(False), s.panel("wipe", "colours")), 2),
    ("live-measure", lambda s: s.marks("distance", "area", "point"), 2),
    ("live-profile", lambda s: s.marks("line"), 2),
    ("live-repair", lambda s: (s.live.measure.clear(), s.panel("wipe", "repair")), 2),
    ("live-attention", lambda s: s.attention(), 8),
    ("live-why-bad", lambda s: s.why(emitter=False), 5.5),
    ("live-why-good", lambda s: s.why(emitter=True), 5.5),
    ("live-hidden", lambda s: s.hidden_depth(0.6), 3),
    ("live-failed", lambda s: (s.hidden_depth(0.0), s.say_repair(FAILED)), 1),
    ("live-off", lambda s: s.model("off"), 3),
    ("live-loading", lambda s: s.model("demo"), 0.1),
    ("live-3d-both", lambda s: (spin(6), s.cloud("both", "colour")), 6),
    ("live-3d-overlay", lambda s: s.cloud("overlay", "colour"), 4),
    ("live-3d-top", lambda s: s.cloud("both", "depth", "top"), 4),
    ("live-3d-mesh", lambda s: s.cloud_with("refined", "provenance", mesh=True, grid=True), 6),
    ("live-3d-box", lambda s: s.cloud_with("both", "colour", box=True), 4),
    ("live-3d-measure", lambda s: s.measured_cloud(), 4),
    ("palette", lambda s: s.palette(), 1),
    ("compare", lambda s: (s.layout("wipe"), s.comparison("refined")), 8),
    ("compare-both", lambda s: s.comparison("both"), 2),
    ("compare-held", lambda s: s.comparison("refined", held=True), 1),
    ("compare-alone", lambda s: s.comparison("refined", alone=True), 1),
    ("compare-colour", lambda s: s.comparison("colour"), 1),
    ("compare-distance", lambda s: s.plane_and_distance(), 4),
    ("compare-3d", lambda s: s.comparison("space"), 6),
    ("compare-3d-view", lambda s: s.space_view(), 4),
    ("compare-report", lambda s: s.compare_report(), 4),
    *((page.lower(), lambda s, page=page: s.page(page), 2.5) for page, _, _ in PAGES[2:]),
    ("compare-off", lambda s: (s.model("off"), s.comparison("both")), 4),
    ("number-pad", lambda s: (s.model("off"), s.number_pad()), 8),
    ("live-four", lambda s: (s.model("demo"), s.four()), 12),
    ("compare-four", lambda s: s.comparison("refined"), 6),
    ("live-lost", lambda s: s.unplugged(), 3),
    ("compare-lost", lambda s: s.comparison("refined"), 7),
)
"""Name, what leads there from the state before, and seconds until it is to be seen."""
SETTLE_S = 0.7
"""Until another size, theme or language is painted everywhere."""


def main() -> None:
    """Write one PNG for each state."""
    flags = parser(str(__doc__))
    flags.add_argument("--model", default="demo")
    flags.add_argument("--source", default="demo")
    args = flags.parse_args()
    data = tempfile.mkdtemp()
    live_in(data)
    app = QApplication(sys.argv[:1])
    looks = list(product(args.theme.split(","), args.language.split(","), args.size.split(",")))
    first_theme, first_language, first_size = looks[0]
    theme.apply(app, first_theme)
    speaking.speak(app, first_language)
    studio = Studio(EngineChoice(model=args.model))
    sessions = Path(data) / "sessions"
    settings = Settings(model=args.model, theme=first_theme, language=first_language, sessions=str(sessions))
    window = MainWindow(studio, settings, open_source=opened)
    window.resize(*_pixels(first_size))
    window.show()
    park_pointer()

    def photograph(name: str) -> None:
        for wanted_theme, language, size in looks:
            if len(looks) > 1:
                settings.theme = wanted_theme  # before it is applied: the page of settings shows it
                if wanted_theme != theme.current().name:
                    theme.apply(app, wanted_theme)
                settings.language = language
                speaking.speak(app, language)
                window.resize(*_pixels(size))
                spin(SETTLE_S)
            folder = OUT / f"{wanted_theme}-{size}-{language}{SCALED}"
            folder.mkdir(parents=True, exist_ok=True)
            app.primaryScreen().grabWindow(window.winId()).save(str(folder / f"{name}.png"))
            print(folder / f"{name}.png", flush=True)

    if any(part in "no-camera" for part in args.only.split(",")):
        spin(0.5)
        photograph("no-camera")
    window.open_source(args.source)
    await_repair(studio)
    scene = Scene(window)
    for name, step, seconds in STATES:
        if any(part in name for part in args.only.split(",")):
            step(scene)
            spin(seconds)
            photograph(name)
    scene.close_palette()
    window.leave()
    for report in sorted(sessions.rglob("compare-*")):
        shutil.copy(report, OUT)
        print(OUT / report.name)


def opened(source: str) -> Sequence[Camera]:
    """The cameras of a source, or four simulated ones."""
    if source != FOUR:
        return open_source(source)
    fourth = SyntheticCamera("gripper", SensorKind.ACTIVE_STEREO, name="Gripper", viewpoint=3, seed=4)
    return [*demo_rig(), fourth]


def _pixels(size: str) -> tuple[int, int]:
    width, height = size.split("x")
    return int(width), int(height)


if __name__ == "__main__":
    main()
