"""Photographs recording, sessions, training, cameras, settings, and what appears above every page.

    xvfb-run -a -s "-screen 0 2560x1600x24" env QT_QPA_PLATFORM=xcb python docs/screenshots/gallery_work.py

Pictures lie in build/screenshots/<theme>-<width>x<height>-<language>/. `--only record,train` takes what is
called so; sizes, themes and languages may be several with commas between: every state is photographed in all.
For a state that needs a full disk, a flat battery or a vendor's camera, what the window asks is answered so;
all that it shows is then its own. The cameras stand still: each shows one picture of the simulated rig.
"""

import logging
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtWidgets import QApplication, QDialog, QScrollArea, QWidget
from sitting import live_in, park_pointer, parser, spin

from app import crash, paths
from app.calibrating import Placed
from app.compose import Studio
from app.exporting.table import BY_NAME
from app.language import from_below
from app.recording.library import LabelEdit, read_entry, relabel
from app.recording.room import CLOSE_BYTES, CLOSE_S
from app.settings import SCENES, Settings
from app.training import comparison
from app.training.data_sets import DataSet, Sources
from app.training.history import PastRun
from app.training.job import TrainingJob, TrainingPhase, TrainingState, after_event
from app.ui import speaking, theme
from app.ui.main_window import MainWindow
from app.ui.pin_pad import Guard, PinPad
from app.ui.weights_wipe import WeightsWipeDialog
from app.viewmodels.calibrate import placed_blocks, verdict
from app.viewmodels.session_work import WorkView, _frames
from app.viewmodels.weights_wipe import WeightsWipeViewModel
from drivers import registry
from drivers.calibration.factory import Sample, judge
from drivers.calibration.solve import CameraFigures, Solution
from drivers.camera import Camera, CameraBase
from drivers.cameras import orbbec, realsense, zed_uvc
from drivers.devices import Device
from drivers.errors import CameraUnplugged
from drivers.frame import Frame
from drivers.registry import open_source
from drivers.session.library import is_session
from drivers.session.manifest import MANIFEST_NAME, CameraTotals, Manifest, read_model
from drivers.usb import UsbCamera
from model import checkpoint
from model.spec import DEMO_WEIGHTS, EngineChoice
from tests.app.recording import small_sessions
from trainer import files  # noqa: TID253 - a tool, not the window
from trainer.data.kinds import KINDS  # noqa: TID253 - a tool, not the window
from trainer.data.synthetic import SyntheticSource  # noqa: TID253 - a tool, not the window
from trainer.errors import TrainingError  # noqa: TID253 - a tool, not the window
from trainer.evaluate.frames import TestFrame  # noqa: TID253 - a tool, not the window
from trainer.evaluate.kept import Keeper  # noqa: TID253 - a tool, not the window
from trainer.evaluate.score import Answer, Asked  # noqa: TID253 - a tool, not the window
from trainer.loop import _make_room  # noqa: TID253 - a tool, not the window
from trainer.samples_view import sample_strip  # noqa: TID253 - a tool, not the window

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "screenshots"
PERIOD_NS = 200_000_000
PATIENCE_S = 300
LEFT_BYTES = 1_900_000_000
SHORT_S = 330
QUEUED = 0.72
RECORDED_S = 12
log = logging.getLogger(__name__)
PIN = "2468"
LABELLED = ((SCENES[0], ("glass", "sun")), (SCENES[1], ("people",)), (SCENES[2], ()))

CONTROLLER = "0000:00:14.0"
ON_BUS = (
    UsbCamera(
        "orbbec",
        "Orbbec Gemini 336",
        "CP0E8530001N",
        480,
        "1-3",
        openable=True,
        controller=CONTROLLER,
        bus_mbps=480,
    ),
    UsbCamera(
        "realsense",
        "Intel(R) RealSense(TM) Depth Camera 455",
        "141722060234",
        5000,
        "2-1",
        openable=True,
        controller=CONTROLLER,
        bus_mbps=5000,
        nodes=("/dev/video0",),
    ),
    UsbCamera("zed", "ZED 2i", "33551234", 5000, "2-2", openable=True, controller=CONTROLLER, bus_mbps=5000),
)
"""What a computer sees on USB; the third camera's library is on few."""
REALSENSE = Device(
    "realsense:141722060234", realsense.VENDOR, "D455", "141722060234", "5.16.0.1", "USB 3.2", "2-1"
)
ORBBEC = Device(
    "orbbec:CP0E8530001N",
    orbbec.VENDOR,
    "Gemini 336",
    "CP0E8530001N",
    "1.4.60",
    "USB 2.1",
    "1-3",
    problem="It is connected at USB 2.1 only, so it sends fewer frames.",
    hint="Use a USB 3 port and cable; push the plug in swiftly.",
)
HOLDER = "realsense-viewer (4711)"


def placed_rig(cameras: Sequence[str]) -> Placed:
    """What a calibration found of a rig, the depth of its second camera off."""
    poses = {camera: np.eye(4) for camera in cameras}
    for i, pose in enumerate(poses.values()):
        pose[:3, 3] = 0.131 * i, 0.004 * i, -0.002 * i
    figures = {camera: CameraFigures(18, 0.21, 0.014, 0.32) for camera in cameras}
    pairs = {pair: (18, 0.34 + 0.03 * n) for n, pair in enumerate(combinations(cameras, 2))}
    solution = Solution(poses, figures, pairs, {})
    off = {camera: 1.1 if i == 1 else 1.0 for i, camera in enumerate(cameras)}
    samples = {camera: [Sample(1.4, 1400 * (off[camera] - 1) + 1.2, 0.2, 900, 0.3)] * 8 for camera in cameras}
    return Placed(solution, {camera: judge(taken) for camera, taken in samples.items()})


class Work:
    """Leads the window to a state; a step begins by putting away what the one before has opened."""

    def __init__(self, window: MainWindow) -> None:
        self.window = window
        self._undo: Callable[[], None] = lambda: None
        self._scrolled: dict[QScrollArea, float] = {}
        self._in_view: Callable[[], None] | None = None

    def page(self, name: str) -> Any:  # noqa: ANN401 - each page has its own
        self.clear()
        self.window.go_to(name)  # type: ignore[arg-type]
        return self.window.page_widget(name)  # type: ignore[arg-type]

    def clear(self) -> None:
        self._in_view = None  # or what is undone would be scrolled back to it
        self._undo()
        self._undo = lambda: None
        self._scrolled.clear()
        for dialog in self.window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.reject()
        while self.window._banner.notice is not None:
            self.window.hide_banner()
        self.window.keyboard.hide()

    def scroll(self, page: QWidget, share: float) -> None:
        """Scroll all that can be scrolled there so far, again in every look: each has another length."""
        areas = [page] if isinstance(page, QScrollArea) else page.findChildren(QScrollArea)
        self._scrolled |= dict.fromkeys(areas, share)
        self.scroll_again()

    def scroll_again(self) -> None:
        """After the layout has settled."""
        for area, share in self._scrolled.items():
            bar = area.verticalScrollBar()
            bar.setValue(round(bar.maximum() * share))
        if self._in_view is not None:
            self._in_view()

    def dialog(self) -> Any:  # noqa: ANN401 - each page has its own
        return next(d for d in self.window.findChildren(QDialog) if d.isVisible())

    # Record

    def record_ready(self) -> None:
        page = self.page("Record")
        page._model.watch(True)
        page.scenes.button(SCENES[0]).click()
        for tag in ("glass", "sun"):
            page._tag_typed(tag)

    def record_labels(self) -> None:
        page = self.page("Record")
        self.scroll(page, 1)

    def pretend(self, answers: ExitStack) -> None:
        """Let the window ask again, now and when the next step takes the `answers` back."""

        def look() -> None:
            self.window.page_widget("Record")._model.watch(True)  # type: ignore[attr-defined]
            self.window._status._ticks = 0
            self.window._status.poll()

        def undo() -> None:
            answers.close()
            look()

        self._undo = undo
        look()

    def record_troubled(self) -> None:
        """A disk for five minutes that is slower than the rig, and a flat battery."""
        page = self.page("Record")
        rate = self.window.context.studio.pipeline.bytes_per_s  # type: ignore[union-attr]
        free = round(max(CLOSE_BYTES, CLOSE_S * rate) + SHORT_S * rate)
        battery = SimpleNamespace(percent=17, secsleft=1500, power_plugged=False)
        answers = ExitStack()
        answers.enter_context(patch("shutil.disk_usage", _with_free(free)))
        answers.enter_context(patch("psutil.sensors_battery", lambda: battery))
        answers.enter_context(patch("app.recording.preflight.disk_speed", lambda _folder: rate / 3.5))
        self.pretend(answers)
        self.scroll(page, 0)

    def recording(self) -> None:
        page = self.page("Record")
        page._model.watch(True)
        page.record.click()

    def marked(self) -> None:
        page = self.page("Record")
        page.events.buttons["glass"].click()
        page.events.buttons["people"].click()

    def recording_elsewhere(self) -> None:
        self.page("Live")

    def camera_lost(self) -> None:
        """The disk lets a part of the queue wait, and the first camera is unplugged, until the next step."""
        page = self.page("Record")
        studio = self.window.context.studio
        recorder = studio.recorder
        assert recorder is not None
        assert studio.pipeline is not None
        queue, write, fast = recorder._queue, recorder._writer.write, threading.Event()

        def slow(*frame: Any) -> None:  # noqa: ANN401 - as the writer's own
            while queue.qsize() < QUEUED * queue.maxsize and not fast.wait(0.01):
                pass
            write(*frame)

        def undo() -> None:
            fast.set()
            Still.unplugged = ""

        self._undo = undo
        recorder._writer.write = slow  # type: ignore[method-assign]
        deadline = time.monotonic() + PATIENCE_S
        while queue.qsize() < QUEUED * queue.maxsize:
            assert time.monotonic() < deadline, "the queue does not fill"
            spin(0.2)
        Still.unplugged = next(iter(studio.pipeline.lines))
        self.scroll(page, 0)

    def closing(self) -> None:
        """The disk takes its time to close the session, until the next step."""
        page = self.page("Record")
        recorder = self.window.context.studio.recorder
        assert recorder is not None
        gate, close = threading.Event(), recorder._writer.close

        def slow(*totals: Any) -> Any:  # noqa: ANN401 - as the writer's own
            gate.wait(PATIENCE_S)
            return close(*totals)

        recorder._writer.close = slow  # type: ignore[method-assign]
        self._undo = gate.set
        page.record.click()

    def stop_recording(self) -> None:
        page = self.page("Record")
        page._model.watch(True)
        if self.window.context.studio.recorder is not None:
            page.record.click()

    def stopped_by_itself(self) -> None:
        """Each disk is nearly full from now on, until the next step."""
        self.recording()
        spin(3)
        answers = ExitStack()
        answers.enter_context(patch("shutil.disk_usage", _with_free(LEFT_BYTES)))
        self.pretend(answers)

    def refused(self) -> None:
        """The folder of sessions is one that nobody can make."""
        page = self.page("Record")
        page.saved.hide()
        self.scroll(page, 0)
        settings = self.window._settings
        page._model.watch(True)
        spin(0.5)
        kept, settings.sessions = settings.sessions, Path("/proc/sessions")

        def undo() -> None:
            settings.sessions = kept

        self._undo = undo
        page.record.click()

    def keys(self) -> None:
        page = self.page("Record")
        self.window.activateWindow()
        page.tag_entry.edit.setFocus()
        page.tag_entry._want_keys()
        page.tag_entry.edit.setText("shiny floor")
        self._in_view = self.window.keyboard._uncover

        def undo() -> None:
            page.tag_entry.clear()
            page.tag_entry.edit.clearFocus()
            self.scroll(page, 0)

        self._undo = undo

    def signs(self) -> None:
        self.keys()
        keys = self.window.keyboard._keys
        assert keys is not None
        keys.signs.setChecked(True)

    # Sessions

    def library(self) -> None:
        """A recording of all cameras stands for those of the days before; one lost frames, one is broken."""
        if self._newest() is not None:  # from which a camera was away
            self.recording()
            spin(RECORDED_S)
            self.stop_recording()
            spin(3)
        page = self.page("Sessions")
        newest = self._newest()
        for days, (scene, tags) in enumerate(LABELLED, 1):
            there = self._recorded(days)
            if newest is not None and not there.exists():
                shutil.copytree(newest, there)
            elif not there.exists():
                small_sessions.make_session(there)
            small_sessions.begin_at(there, _days_ago(days))
            relabel(there, LabelEdit(scene=scene, tags=tags))
        lossy, broken = self._recorded(4), self._recorded(5)
        shutil.copytree(self._recorded(1), lossy)
        _lose(lossy)
        small_sessions.begin_at(lossy, _days_ago(4))
        broken.mkdir()
        (broken / "session.json").write_text("{", encoding="utf-8")
        page._model.load()

    def _newest(self) -> Path | None:
        """What was recorded last."""
        return max(self.window._settings.sessions_folder.glob("20*Z_*"), default=None)

    def _recorded(self, days: int) -> Path:
        """Where a session lies that was recorded so many days ago."""
        name = f"{_days_ago(days):%Y%m%dT%H%M%SZ}_nosite_{days}b248cd"
        return self.window._settings.sessions_folder / name

    def select(self, number: int, share: float = 0) -> Any:  # noqa: ANN401 - each page has its own
        page = self.page("Sessions")
        page._model.select(None)
        list(page._cards.values())[number].click()
        spin(0.8)  # until the look into the session has come
        self.scroll(page._detail_area, share)
        return page

    def nothing_found(self) -> None:
        page = self.page("Sessions")
        page._model.select(None)
        page._model.search("swimming pool")

    def found_again(self) -> Any:  # noqa: ANN401 - each page has its own
        page = self.page("Sessions")
        page._model.search("")
        return page

    def exporting(self) -> None:
        page = self.found_again()
        work, entry = page._model.work, page._model.view.entries[0]
        work._title, work._unit = work.export_title(entry, BY_NAME["frames"]), _frames
        done = entry.frames // 3
        page.work.show_work(WorkView(work._words(done, entry.frames), done / entry.frames))

    def export_format(self) -> None:
        page = self.select(0)
        page.work.show_work(WorkView())
        page.detail.export.click()

    def export_folder(self) -> None:
        self.export_format()
        self.dialog().go.click()

    def deleted(self) -> None:
        self.select(len(LABELLED) - 1).detail.delete.click()

    def purge(self) -> None:
        self.page("Sessions")._ask_to_purge()

    def damaged(self) -> None:
        """A bit of a recorded file has changed, and the check finds it."""
        page = self.page("Sessions")
        folder = self._recorded(1)
        segment = next(folder.glob("*.mcap"))
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 1
        segment.write_bytes(data)
        page._model.work.verify(read_entry(folder))

    # Train

    def run_view(self, state: TrainingState, *, pictures: bool = False) -> Any:  # noqa: ANN401 - each page has its own
        """The page as it follows a run that stands so; in the list of runs as well, once it has ended."""
        page = self.page("Train")
        model = page._model
        model.load_runs = lambda: None  # what is staged stays
        spin(0.3)
        job = TrainingJob(paths.runs_folder() / "2026-11-28_16-20-00_finetune_rig")
        job.run.mkdir(parents=True, exist_ok=True)
        for name in (files.SAMPLE_BEFORE, files.SAMPLE_AFTER):
            (job.run / name).unlink(missing_ok=True)
            if pictures:
                (job.run / name).write_bytes(_samples()[name])
        job.state.put(state)
        model._title, model._job, model._seen = model.title_of("finetune_rig", 3, 0, synthetic=True), job, 0
        before = () if state.active else (_past(state.phase, 0, folder=job.run, state=state),)
        page.show_runs((*before, *(_past(phase, number) for number, phase in enumerate(_PHASES, 1))))
        page.show_run(model.run)
        self.scroll(page, 0)
        return page

    def train_sources(self) -> None:
        page = self.page("Train")
        page._data.sources = Sources(
            tuple(
                DataSet(kind, KINDS[kind].title, Path("/data") / kind, *held, KINDS[kind].licence, weight)
                for kind, held, weight in (("hypersim", (59_543, 365), 1), ("mdm_depth", (3_020_000, 41), 3))
            )
        )
        page._data.changed.emit(page._data.sources)
        if not page.plan.synthetic.isChecked():
            page.plan.synthetic.click()
        for row in list(page.plan._rows.values())[:2]:
            if not row.isChecked():
                row.click()

    def train_down(self) -> None:
        self.scroll(self.page("Train"), 1)

    def running(self) -> None:
        self.run_view(_trained(TrainingPhase.RUNNING, 640), pictures=True)

    def failed(self) -> None:
        """A GPU is too small for one sample."""
        self.run_view(after_event(_trained(TrainingPhase.RUNNING, 640), _without_memory(1)))

    def done(self) -> None:
        weights = paths.runs_folder() / "a" / "weights.safetensors"
        state = replace(_trained(TrainingPhase.DONE, 1000), weights=weights, warning="")
        page = self.run_view(state, pictures=True)
        compared = comparison.sentence(
            [
                {"part": part, "kind": "all", "method": f"anchored {name}", "rmse_m": error_m}
                for part in comparison.PARTS
                for name, error_m in (("old/weights", 0.041), ("new/weights", 0.029))
            ]
        )
        page.run.show_comparison(compared, running=False, report=True)

    def wipe(self) -> None:
        page = self.page("Train")
        folder = Path(self.window._settings.sessions_folder).parent / "compared"
        shutil.rmtree(folder, ignore_errors=True)
        _keep(folder)
        model = WeightsWipeViewModel(folder)
        dialog = WeightsWipeDialog(model, parent=page)
        model.show()
        self.window.open_dialog(dialog)

    # Cameras

    def devices(self, share: float) -> None:
        """Three vendors' cameras are plugged in, until the next step; none can be used as it should."""
        page = self.page("Cameras")
        model = page._model
        node = self.window._settings.sessions_folder.parent / "video4"
        node.touch()
        zed = zed_uvc._device(
            zed_uvc._Found(node.name, ON_BUS[2].product, ON_BUS[2].serial, ON_BUS[2].link, ON_BUS[2].port),
            node.parent,
            (),
        )

        def find() -> list[Device]:
            with ExitStack() as answers:
                for asked, name, answer in (
                    (registry, "usb_cameras", lambda: list(ON_BUS)),
                    (registry, "holders", lambda nodes: [HOLDER] if nodes else []),
                    (realsense, "find_devices", lambda: [REALSENSE]),
                    (orbbec, "find_devices", lambda: [ORBBEC]),
                    (zed_uvc, "find_devices", lambda: [zed]),
                ):
                    answers.enter_context(patch.object(asked, name, answer))
                return registry.devices()

        def search() -> None:
            while model._worker is not None:
                spin(0.1)
            model.search()
            while model._worker is not None:
                spin(0.1)

        before = model._find, model._on_bus

        def undo() -> None:
            model._find, model._on_bus = before
            search()

        model._find, model._on_bus = find, lambda: ON_BUS
        self._undo = undo
        search()
        self.scroll(page, share)

    def controls(self, *, all_of_them: bool = False) -> None:
        page = self.page("Cameras")
        page._close_panel()
        page.adjust(next(iter(self.window.context.studio.pipeline.lines)))  # type: ignore[union-attr]
        if page.adjusting.all.isChecked() != all_of_them:
            page.adjusting.all.click()
        spin(1)
        self.scroll(page, 0)
        if all_of_them:
            self.scroll(page.panel, 0.6)

    def wizard(self, step: int = 0, *, pad: bool = False) -> None:
        page = self.page("Cameras")
        page._close_panel()
        page.open_wizard()
        dialog = self.dialog()
        if pad:
            dialog.square.click()
        if step >= 1:
            dialog.begin.click()
        if step == 2:
            model = dialog._model
            model.stop()
            names = {info.id: from_below(info.name) for info in model.infos}
            placed = placed_rig(list(names))
            result = placed_blocks(placed, names)
            dialog.show_view(
                replace(model.view, placed=placed, verdict=verdict(placed, names), result=result)
            )

    # Settings, and what lies above every page

    def settings(self, share: float) -> None:
        page = self.page("Settings")
        spin(0.3)  # until it is laid out there is nothing to scroll
        self.scroll(page, share)

    def wrong_setting(self) -> None:
        page = self.page("Settings")
        spin(0.3)
        editor = page.editors["sessions"]
        editor.control.set_text("/proc/nowhere")
        editor._submitted("/proc/nowhere")
        area = page.findChild(QScrollArea)

        def in_view() -> None:
            area.ensureWidgetVisible(editor, 0, 20)

        self._in_view = in_view

    def settings_folder(self) -> None:
        self.page("Live")
        self.page("Settings")._browse_folder("sessions")

    def welcome(self, answers: int) -> None:
        self.page("Live")
        self.window.welcome()
        guide = self.dialog()
        for _ in range(answers):
            next(iter(guide.buttons.values())).click()

    def banners(self) -> None:
        """The three kinds, above each other."""
        self.page("Cameras")._copy("sudo apt install libusb-1.0-0")
        self.window.page_widget("Sessions")._ask_to_purge()  # type: ignore[attr-defined]
        with crash.hooks(paths.log_folder(), self.window.show_error):
            sys.excepthook(ValueError, ValueError("broken"), None)

    def palette(self, words: str) -> None:
        self.page("Record")
        self.window.open_palette()
        palette = self.dialog()
        palette.filter.setText(words)

    def replay(self) -> None:
        self.page("Live")
        self.window.open_source(str(self._newest()))

    def pin(self, tries: tuple[str, ...], typed: str) -> None:
        self.page("Live")
        pad = PinPad(Guard(PIN, clock=lambda: 0.0), self.window)  # its pause does not end between pictures
        self.window.open_dialog(pad)
        for figures in tries:
            for figure in figures:
                pad._type(figure)
            pad._try()
        for figure in typed:
            pad._type(figure)


WorkStep = Callable[[Work], object]
BEFORE: tuple[tuple[str, WorkStep, float], ...] = (
    ("welcome-1", lambda w: w.welcome(0), 0.4),
    ("welcome-2", lambda w: w.welcome(1), 0.4),
    ("welcome-3", lambda w: w.welcome(2), 0.4),
    ("record-no-camera", lambda w: w.page("Record"), 1.5),
    ("cameras-none", lambda w: w.page("Cameras"), 2.5),
    ("sessions-none", lambda w: w.page("Sessions"), 1),
    ("train-nothing", lambda w: w.page("Train"), 1.5),
)
"""States of a window without a camera; see `WORK`."""
WORK: tuple[tuple[str, WorkStep, float], ...] = (
    ("record-ready", lambda w: w.record_ready(), 3),
    ("record-labels", lambda w: w.record_labels(), 0.5),
    ("record-troubled", lambda w: w.record_troubled(), 1.5),
    ("record-keys", lambda w: w.keys(), 0.6),
    ("record-signs", lambda w: w.signs(), 0.6),
    ("record-stopped", lambda w: w.stopped_by_itself(), 5),
    ("record-refused", lambda w: w.refused(), 1.5),
    ("record-running", lambda w: w.recording(), 4),
    ("record-marked", lambda w: w.marked(), 1),
    ("record-elsewhere", lambda w: w.recording_elsewhere(), 1),
    ("record-camera-lost", lambda w: w.camera_lost(), 6),
    ("record-closing", lambda w: w.closing(), 2),
    ("record-saved", lambda w: w.stop_recording(), 4),
    ("sessions-all", lambda w: w.library(), 3),
    ("sessions-one", lambda w: w.select(0), 1.5),
    ("sessions-one-down", lambda w: w.select(0, 0.5), 0.6),
    ("sessions-one-end", lambda w: w.select(0, 1), 0.6),
    ("sessions-lossy", lambda w: w.select(-2, 0.3), 0.8),
    ("sessions-broken", lambda w: w.select(-1), 0.8),
    ("sessions-nothing-found", lambda w: w.nothing_found(), 0.6),
    ("sessions-exporting", lambda w: w.exporting(), 0.6),
    ("sessions-export", lambda w: w.export_format(), 0.8),
    ("sessions-export-folder", lambda w: w.export_folder(), 0.8),
    ("sessions-deleted", lambda w: w.deleted(), 1.2),
    ("sessions-purge", lambda w: w.purge(), 0.5),
    ("sessions-damaged", lambda w: w.damaged(), 0.5),
    ("train-sources", lambda w: w.train_sources(), 2),
    ("train-sources-down", lambda w: w.train_down(), 0.5),
    ("train-running", lambda w: w.running(), 0.6),
    ("train-failed", lambda w: w.failed(), 0.6),
    ("train-done", lambda w: w.done(), 0.6),
    ("train-done-down", lambda w: w.train_down(), 0.6),
    ("train-wipe", lambda w: w.wipe(), 1),
    ("cameras-running", lambda w: w.page("Cameras"), 3),
    ("cameras-devices", lambda w: w.devices(0.5), 0.6),
    ("cameras-down", lambda w: w.devices(1), 0.6),
    ("cameras-controls", lambda w: w.controls(), 1.5),
    ("cameras-controls-all", lambda w: w.controls(all_of_them=True), 1),
    ("calibrate-board", lambda w: w.wizard(), 0.8),
    ("calibrate-square", lambda w: w.wizard(pad=True), 0.8),
    ("calibrate-pictures", lambda w: w.wizard(1), 2),
    ("calibrate-result", lambda w: w.wizard(2), 0.6),
    ("settings-top", lambda w: w.settings(0), 1),
    ("settings-middle", lambda w: w.settings(0.5), 0.5),
    ("settings-end", lambda w: w.settings(1), 0.5),
    ("settings-wrong", lambda w: w.wrong_setting(), 0.6),
    ("settings-folder", lambda w: w.settings_folder(), 0.8),
    ("palette-search", lambda w: w.palette("rec"), 0.6),
    ("palette-nothing", lambda w: w.palette("qqq"), 0.6),
    ("banners", lambda w: w.banners(), 0.5),
    ("bundle", lambda w: (w.settings(1), w.window.save_bundle()), 3),
    ("settings-keys", lambda w: (w.page("Settings"), w.window.open_keys()), 0.8),
    ("train-data-set", lambda w: w.page("Train")._ask_for_data_set(), 0.8),
    ("sessions-import", lambda w: w.page("Sessions")._ask_what_to_import(), 0.8),
    ("replay", lambda w: w.replay(), 6),
    ("replay-paused", lambda w: w.window._playback_bar.toggle.click(), 1),
)
"""Name, what leads there, and seconds until it is to be seen."""
KIOSK: tuple[tuple[str, WorkStep, float], ...] = (
    ("kiosk", lambda w: w.page("Live"), 1),
    ("kiosk-pin", lambda w: w.pin((), "24"), 0.5),
    ("kiosk-pin-wrong", lambda w: w.pin(("1111",), ""), 0.5),
    ("kiosk-pin-wait", lambda w: w.pin(("1111",) * 3, ""), 0.5),
)
"""States of a kiosk; see `WORK`."""


def _with_free(free: int) -> Callable[[Path], Any]:
    """What says of each disk how full it is, with so many bytes left."""
    usage = shutil.disk_usage

    def told(path: Path) -> Any:  # noqa: ANN401 - its class has no name
        found = usage(path)
        return found._replace(used=found.total - free, free=free)

    return told


def _lose(folder: Path) -> None:
    """Let the first camera of a session have lost five frames."""
    manifest = read_model(folder / MANIFEST_NAME, Manifest)
    camera, written = next((name, total.written) for name, total in manifest.totals.items())
    lossy = CameraTotals(device_frames=written + 5, written=written, host_drop=3, device_gap=2)
    changed = manifest.model_copy(update={"totals": {**manifest.totals, camera: lossy}})
    (folder / MANIFEST_NAME).write_text(changed.model_dump_json(indent=2), encoding="utf-8")


def _days_ago(days: int) -> datetime:
    """An afternoon of the days before."""
    now = datetime.now(UTC).replace(hour=14, minute=30 + days, second=7 * days, microsecond=0)
    return now - timedelta(days=days)


_PHASES = (TrainingPhase.DONE, TrainingPhase.STOPPED, TrainingPhase.FAILED)


def _trained(phase: TrainingPhase, step: int) -> TrainingState:
    wave = np.random.default_rng(7)
    at = range(10, step + 1, 10)
    losses = tuple((i, float(0.05 + 0.4 * np.exp(-i / 180) + 0.015 * wave.random())) for i in at)
    scores = tuple((i, float(0.028 + 0.06 * np.exp(-i / 250))) for i in range(100, step + 1, 100))
    return TrainingState(
        phase,
        step,
        1000,
        losses,
        scores,
        rate_hz=2.4,
        warning=str(_without_memory(4)["message"]),
    )


def _without_memory(samples: int) -> dict[str, object]:
    """What the trainer tells of a step for whose samples there is too little memory."""
    told: dict[str, object] = {}
    progress = SimpleNamespace(warning=lambda words: told.update(event="warning", message=words))
    world = SimpleNamespace(size=1, device=SimpleNamespace(type="cpu"))
    run = SimpleNamespace(optimiser=MagicMock(), micro_batch=samples, world=world)
    try:
        _make_room(run, MemoryError(), progress)  # type: ignore[arg-type]
    except TrainingError as error:
        return {"event": "failed", "message": error.args[0], "hint": error.hint}
    return told


def _past(
    phase: TrainingPhase, number: int, *, folder: Path | None = None, state: TrainingState | None = None
) -> PastRun:
    if state is None:
        step = 1000 if phase is TrainingPhase.DONE else 300 * number
        state = _trained(phase, step)
        if phase is TrainingPhase.FAILED:
            state = after_event(state, _without_memory(1))
    done = phase is TrainingPhase.DONE
    return PastRun(
        folder or paths.runs_folder() / str(number),
        "finetune_rig",
        (Path("a"), Path("b"), Path("c")),
        synthetic=True,
        state=state,
        started=datetime(2026, 11, 27 - number, 15, 30, tzinfo=UTC),
        weights=Path("w") if done else None,
        resumable=not done,
    )


@lru_cache(maxsize=1)
def _samples() -> dict[str, bytes]:
    """A held-out sample as a run shows it; few tokens stand for the network that has not learnt yet."""
    model = checkpoint.load(ROOT / "resources" / "weights" / DEMO_WEIGHTS)
    sample = SyntheticSource(7).held_out(0)
    with tempfile.TemporaryDirectory() as folder:
        for step, grid in ((0, (6, 8)), (1000, (12, 16))):
            sample_strip(model, sample, grid=grid, folder=Path(folder), step=step)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _keep(folder: Path) -> None:
    size = (240, 320)
    keeper = Keeper(folder, most=4)
    slope = np.broadcast_to(np.linspace(1.0, 3.0, size[1], dtype=np.float32), size).copy()
    colour = np.full((*size, 3), 120, np.uint8)
    for number in range(3):
        frame = TestFrame(f"kitchen front/{number}", colour, slope * 0, slope)
        asked = Asked("truth", "", slope * 0, slope, {"all": np.ones(size, bool)})
        keeper.add(Answer(frame, asked, {"anchored old/weights": slope + 0.3, "anchored new/weights": slope}))
    keeper.close()


class Still(CameraBase):
    """One frame of a camera, again and again.

    Attributes:
        unplugged: id of a camera that is gone for now.
    """

    unplugged = ""

    def __init__(self, camera: Camera) -> None:
        camera.open()
        self._frame = camera.read(timeout_s=30)
        camera.close()
        self.info, self.calibration = camera.info, camera.calibration
        self.controls, self.set_control = camera.controls, camera.set_control  # type: ignore[method-assign]
        self._index = 0
        self._gone_ns = 0

    def open(self) -> None:
        """There is nothing to open, and nothing that could be while it is unplugged."""
        if self.info.id == Still.unplugged:
            raise CameraUnplugged("It was unplugged")

    def close(self) -> None:
        """There is nothing to close."""

    def read(self, *, timeout_s: float) -> Frame:  # noqa: ARG002 - it never waits
        """The frame, as if it had been taken now, at the moment at which the others are taken as well."""
        at_ns = (time.monotonic_ns() // PERIOD_NS + 1) * PERIOD_NS
        time.sleep((at_ns - time.monotonic_ns()) / 1e9)
        if self.info.id == Still.unplugged:
            self._gone_ns = self._gone_ns or at_ns
            raise CameraUnplugged("It was unplugged")
        if self._gone_ns:  # as a driver counts what came while the device was away
            self._index += (at_ns - self._gone_ns) // PERIOD_NS
            self._gone_ns = 0
        self._index += 1
        passed_ns = at_ns - self._frame.captured_ns
        imu = tuple(replace(read, captured_ns=read.captured_ns + passed_ns) for read in self._frame.imu)
        return replace(self._frame, index=self._index, captured_ns=at_ns, device_ns=at_ns, imu=imu)


def stills(source: str) -> Sequence[Camera]:
    """The cameras of a source, standing still; a recorded session plays."""
    if is_session(Path(source)):
        return open_source(source)
    return [Still(camera) for camera in open_source(source)]


def main() -> None:
    """Write one PNG for each state, size, theme and language."""
    args = parser(str(__doc__)).parse_args()
    looks = list(product(args.theme.split(","), args.size.split(","), args.language.split(",")))
    kept = tempfile.TemporaryDirectory()  # of sessions of hundreds of megabytes
    data = kept.name
    live_in(data)
    app = QApplication(sys.argv[:1])
    theme.apply(app, looks[0][0])
    speaking.speak(app, looks[0][2])
    settings = Settings(model="off", sessions=Path(data) / "sessions", theme=looks[0][0], kiosk_pin=PIN)

    failed: list[str] = []

    def made(*, kiosk: bool) -> MainWindow:
        window = MainWindow(Studio(EngineChoice(model="off")), settings, open_source=stills, kiosk=kiosk)
        window.resize(*map(int, looks[0][1].split("x")))
        window.show()
        park_pointer()
        return window

    def open_demo(window: MainWindow) -> None:
        settings.source = "demo"  # as the Cameras page does that opens it
        window.open_source("demo")
        while window.context.studio.pipeline is None:
            spin(0.2)

    def photograph(window: MainWindow, work: Work, name: str) -> None:
        said = window._banner.notices
        for look in looks:
            dress(app, window, *look)
            for notice in reversed(said):  # anew, as its time may be over before all pictures are taken
                window.show_banner(replace(notice))
            work.scroll_again()
            spin(0.1)
            folder = OUT / "-".join(look)
            folder.mkdir(parents=True, exist_ok=True)
            app.primaryScreen().grabWindow(window.winId()).save(str(folder / f"{name}.png"))
        print(name, flush=True)

    def go_through(window: MainWindow, states: tuple[tuple[str, WorkStep, float], ...]) -> None:
        work = Work(window)
        for name, step, seconds in states:
            if any(part in name for part in args.only.split(",")):
                try:
                    step(work)
                except Exception:  # the other states are still worth a picture
                    log.exception("%s", name)
                    failed.append(name)
                    continue
                spin(seconds)
                photograph(window, work, name)
        work.clear()

    window = made(kiosk=False)
    go_through(window, BEFORE)
    open_demo(window)
    go_through(window, WORK)
    window.leave()
    if any(part in name for name, _, _ in KIOSK for part in args.only.split(",")):
        window = made(kiosk=True)
        open_demo(window)
        go_through(window, KIOSK)
        window.leave()
    if failed:
        sys.exit(f"no picture of {', '.join(failed)}")


def dress(app: QApplication, window: MainWindow, name: str, size: str, language: str) -> None:
    """Give the window another look, and its dialogs their place in it."""
    if theme.current().name != name:
        window._settings.theme = name  # type: ignore[assignment]  # a key of THEMES
        theme.apply(app, name)
    window._settings.language = language  # type: ignore[assignment]  # a key of NAMES
    speaking.speak(app, language)
    width, height = map(int, size.split("x"))
    if (window.width(), window.height()) != (width, height):
        window.resize(width, height)
        spin(0.3)
        for dialog in window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.move(window.geometry().center() - dialog.rect().center())
    spin(0.3)


if __name__ == "__main__":
    main()
