"""State of the Compare page: sensors side by side, their figures from a thread of its own, and the report."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import CameraLine, InferenceState, InferenceStatus, Studio
from app.flow.refine import Refined
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import tr
from app.messages import Message, message
from app.quality.follow import Newest, Source, Wish, follow
from app.quality.planes import Region, region_around
from app.quality.sensor import Exposure, SensorQuality, unmeasured
from app.reporting import FOLDER_NAME, Report, ReportSensor, html
from app.settings import Settings
from app.viewmodels.colouring import colour_depth, depth_table
from app.viewmodels.live import (
    CameraTitle,
    LiveModel,
    LiveOptions,
    Note,
    TileView,
    camera_note,
    old_after_s,
    refined_note,
)
from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import register_depth

log = logging.getLogger(__name__)

MOST_SENSORS: Final = 4
POLL_MS: Final = 100
STOP_TIMEOUT_S: Final = 3.0

WritePdf = Callable[[Report, Path], None]


@runtime_checkable
class Simulated(Protocol):
    """A camera whose scene can be made harder, and that can be told to stand still."""

    difficulty: float
    still: bool

    @property
    def info(self) -> CameraInfo: ...

    def standing_place(self) -> NDArray[np.float64] | None: ...


@dataclass(frozen=True)
class Simulation:
    """How the simulated cameras of the rig are set.

    Attributes:
        difficulty: 0 to 1, how much is specular, blank and noisy to the sensors.
        still: whether they stand still.
    """

    difficulty: float
    still: bool


@dataclass(frozen=True)
class Saved:
    """A report that has been written.

    Attributes:
        html: the page.
        pdf: the same for printing.
    """

    html: Path
    pdf: Path


@dataclass(frozen=True, eq=False)
class Written:
    """A report whose page is written and whose PDF is not.

    Attributes:
        report: what it says.
        saved: where.
    """

    report: Report
    saved: Saved


class CompareModel(QObject):
    """Follows up to four cameras of the rig while the page is in front.

    Args:
        studio: whose rig is shown.
        settings: range, sessions folder, site and operator.
        save_settings: writes them.
        write_pdf: called in a thread with the report and its path.

    Attributes:
        live: the pictures, from one timer.

    Signals:
        quality_changed: `SensorQuality` of one camera.
        wishes_changed: somebody chose a region or typed a distance.
        simulation_changed: `Simulation`, or None where the rig is not simulated.
        report_saved: `Saved`.
        report_failed: `app.messages.Message`.
    """

    quality_changed = Signal(SensorQuality)
    wishes_changed = Signal()
    simulation_changed = Signal(object)
    report_saved = Signal(Saved)
    report_failed = Signal(Message)

    def __init__(
        self,
        studio: Studio,
        settings: Settings,
        save_settings: Callable[[], None],
        write_pdf: WritePdf,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.live = LiveModel(studio, settings, save_settings, self)
        self._studio = studio
        self._settings = settings
        self._write_pdf = write_pdf
        self._wishes: dict[str, Wish] = {}
        self._results: dict[str, Slot[SensorQuality]] = {}
        self._seen: dict[str, int] = {}
        self._qualities: dict[str, SensorQuality] = {}
        self._follower: Worker | None = None
        self._reporter: Worker | None = None
        self._outcome: Slot[Written | Message] = Slot()
        self._workers: list[Worker] = []
        self._running = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.look)
        self.live.rig_changed.connect(self._take_rig)

    @property
    def sensors(self) -> list[CameraTitle]:
        """The cameras that are compared: the first four of the rig."""
        return self.live.titles[:MOST_SENSORS]

    @property
    def simulation(self) -> Simulation | None:
        """How the simulated cameras are set; None where the rig has none."""
        cameras = self._simulated()
        return Simulation(cameras[0].difficulty, cameras[0].still) if cameras else None

    @property
    def places(self) -> Mapping[str, NDArray[np.float64]]:
        """(4, 4) `rig_from_color` metres by camera id, as calibrated; a simulated rig knows it of itself."""
        known = self.live.rig.rig_from_color
        cameras = self._simulated()
        if len(known) > 1 or not all(camera.still for camera in cameras):
            return known
        stand = {camera.info.id: camera.standing_place() for camera in cameras}
        return {camera_id: place for camera_id, place in stand.items() if place is not None} or known

    @property
    def reporting(self) -> bool:
        """Whether a report is being written."""
        return self._reporter is not None

    def quality(self, camera_id: str) -> SensorQuality | None:
        """The newest figures of a camera, or None before the first."""
        return self._qualities.get(camera_id)

    def wish(self, camera_id: str) -> Wish:
        """What was chosen and typed for a camera."""
        return self._wishes.get(camera_id, Wish())

    def start(self) -> None:
        """Show and measure from now on; simulated cameras stand still for it."""
        self._running = True
        self.live.set_range(self._settings.near_m, self._settings.far_m)
        self.live.start()
        self._follow()
        self.set_still(True)
        self._timer.start()

    def stop(self) -> None:
        """Show and measure no more; simulated cameras move again."""
        self._running = False
        self.live.stop()
        self.set_still(False)
        self._stop_following()

    def close(self) -> None:
        """Wait for the threads."""
        self.stop()
        self._timer.stop()
        for worker in self._workers:
            worker.stop(timeout_s=STOP_TIMEOUT_S)
        self._workers = []

    def choose_region(self, camera_id: str, x: float, y: float) -> None:
        """Measure the plane around this place of the picture; the region that is chosen already lets go.

        Args:
            camera_id: whose picture.
            x: 0 to 1 from the left edge of the colour picture.
            y: 0 to 1 from its upper edge.
        """
        before = self.wish(camera_id)
        chosen: Region | None = region_around(x, y)
        here = before.region
        if here is not None and here.left <= x <= here.right and here.top <= y <= here.bottom:
            chosen = None
        self._set_wish(camera_id, Wish(chosen, before.distance_m))

    def find_planes(self) -> None:
        """Let go of every chosen region."""
        for camera_id, wish in list(self._wishes.items()):
            self._set_wish(camera_id, Wish(None, wish.distance_m))

    def set_distance(self, camera_id: str, distance_m: float | None) -> None:
        """The true distance to the middle of a camera's region, or None if nobody measured it."""
        self._set_wish(camera_id, Wish(self.wish(camera_id).region, distance_m))

    def set_difficulty(self, difficulty: float) -> None:
        """Make the simulated scene harder for the sensors: more specular, more blank, more noise."""
        for camera in self._simulated():
            camera.difficulty = min(max(difficulty, 0.0), 1.0)
        self.simulation_changed.emit(self.simulation)

    def set_still(self, still: bool) -> None:
        """Let the simulated cameras stand still, as noise over time needs it, or move."""
        for camera in self._simulated():
            camera.still = still
        self.simulation_changed.emit(self.simulation)

    def make_report(self) -> None:
        """Write what is shown now, as HTML in the background, then as PDF."""
        if self.reporting:
            return
        report = self._report()
        folder = self._settings.sessions_folder.expanduser() / FOLDER_NAME
        self._outcome = outcome = Slot[Written | Message]()

        def work(_stop: threading.Event) -> None:
            outcome.put(write_html(report(), folder))

        def failed(error: Exception) -> None:
            outcome.put(message(error))

        self._reporter = Worker("report", work, failed=failed)
        self._workers.append(self._reporter)
        self._reporter.start()

    def look(self) -> None:
        """Look at what the threads have; called by the timer."""
        for camera_id, slot in self._results.items():
            newer = slot.newer_than(self._seen.get(camera_id, 0), timeout_s=0)
            if newer is not None:
                self._seen[camera_id], self._qualities[camera_id] = newer
                self.quality_changed.emit(newer[1])
        outcome = self._outcome.latest()
        if self._reporter is not None and outcome is not None:
            self._reporter = None
            self._end_report(outcome)
        self._workers = [worker for worker in self._workers if worker.running]
        if not self._running and not self._workers and self._reporter is None:
            self._timer.stop()

    def _end_report(self, outcome: Written | Message) -> None:
        """Write the PDF, here in the window's thread: what lays out its text are objects of Qt."""
        if isinstance(outcome, Message):
            self.report_failed.emit(outcome)
            return
        try:
            self._write_pdf(outcome.report, outcome.saved.pdf)
        except OSError as error:
            self.report_failed.emit(message(error))
        else:
            self.report_saved.emit(outcome.saved)

    def _set_wish(self, camera_id: str, wish: Wish) -> None:
        self._wishes[camera_id] = wish
        self.wishes_changed.emit()

    def _simulated(self) -> list[Simulated]:
        pipeline = self._studio.pipeline
        lines = [] if pipeline is None else pipeline.lines.values()
        return [line.camera for line in lines if isinstance(line.camera, Simulated)]

    def _take_rig(self, _titles: list[CameraTitle]) -> None:
        self._stop_following()
        self._wishes = {}
        self._qualities = {}
        if self._running:
            self._follow()
            self.set_still(True)

    def _follow(self) -> None:
        pipeline = self._studio.pipeline
        if pipeline is None or self._follower is not None:
            return
        lines = dict(list(pipeline.lines.items())[:MOST_SENSORS])
        self._results = results = {camera_id: Slot[SensorQuality]() for camera_id in lines}
        self._seen = {}
        sources: dict[str, Source] = {
            camera_id: _source(line, pipeline.inference) for camera_id, line in lines.items()
        }

        def work(stop: threading.Event) -> None:
            follow(sources, self.wish, lambda quality: results[quality.camera_id].put(quality), stop)

        def failed(_error: Exception) -> None:
            for camera_id, slot in results.items():
                slot.put(unmeasured(camera_id, tr("measuring failed; the log file has the details")))

        self._follower = Worker("quality", work, failed=failed)
        self._workers.append(self._follower)
        self._follower.start()

    def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.ask_to_stop()  # a measurement under way is not waited for in the window's thread
            self._follower = None

    def _report(self) -> Callable[[], Report]:
        """What makes the report of this moment; colouring its pictures is work for a thread."""
        options, inference = self.live.options, self.live.inference
        tiles = [(title, self.live.tile(title.camera_id)) for title in self.sensors]
        shown = [(title, tile, self.quality(title.camera_id)) for title, tile in tiles]
        running = inference is not None and inference.status is InferenceStatus.RUNNING
        simulation = self.simulation
        conditions = (
            ""
            if simulation is None
            else tr("Simulated scene, difficulty {difficulty:.0%}").format(difficulty=simulation.difficulty)
        )
        settings = self._settings
        made = datetime.now().astimezone()

        def make() -> Report:
            sensors = [
                ReportSensor(title.name, title.sensor, quality, pictures(tile, options))
                for title, tile, quality in shown
                if quality is not None
            ]
            return Report(
                made,
                sensors,
                inference.label if running and inference is not None else "",
                options.near_m,
                options.far_m,
                settings.site,
                settings.operator,
                conditions,
            )

        return make


def write_html(report: Report, folder: Path) -> Written:
    """Write the page of a report, whole or not at all, and say where its PDF will be.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    saved = Saved(folder / f"{report.name}.html", folder / f"{report.name}.pdf")
    partial = saved.html.with_suffix(".partial")
    partial.write_text(html(report), encoding="utf-8")
    partial.replace(saved.html)
    return Written(report, saved)


def pictures(tile: TileView, options: LiveOptions) -> Mapping[str, NDArray[np.uint8]]:
    """(H, W, 3) uint8 RGB pictures of a camera by caption; refined is left out where there is none now."""
    refined = tile.refined if tile.refined_note is None else None
    frame = tile.frame if refined is None else refined.frame
    if frame is None:
        return {}
    raw = register_depth(frame.depth, frame.calibration) if refined is None else refined.raw
    shown = {tr("Colour"): frame.color, tr("Raw"): _coloured(raw, options)}
    if refined is not None:
        shown[tr("Refined")] = _coloured(refined.depth, options)
    return shown


def exposure(line: CameraLine, inference: InferenceState | None, seen: Frame | None) -> Newest:
    """The newest exposure of a camera with raw and, if the engine that runs now has made it, refined depth.

    Args:
        line: the camera.
        inference: what the repair is doing.
        seen: the frame of the exposure before; None before the first.
    """
    now_ns = time.monotonic_ns()
    frame, refined = line.channel.newest.latest(), line.refined.latest()
    silent_s = None if frame is None else (now_ns - frame.captured_ns) / 1e9
    note = camera_note(line.state.latest(), silent_s, old_s=old_after_s(line.info))
    if frame is None or note is not None:
        return tr("Camera starting") if note is None else note.text
    if not _is_current(refined, inference):
        refined = None
    missing = refined_note(inference, refined, age_s=0.0)  # raw and refined are of one moment, however old
    if refined is not None and refined.hidden_share:
        missing = Note(
            tr("Depth is hidden on Live")
        )  # what was made worse on purpose is no figure of the repair
    raw_meter, refined_meter = line.channel.meter.read(now_ns), line.refined_meter.read(now_ns)
    latency_ms = {"raw": raw_meter.median_ms, "refined": refined_meter.median_ms or None}
    if refined is not None and missing is None:
        if refined.frame is seen:
            return None
        return Exposure(refined.frame, refined.raw, refined.depth, "", latency_ms)
    if frame is seen:
        return None
    raw = register_depth(frame.depth, frame.calibration)
    return Exposure(frame, raw, None, "" if missing is None else missing.text, latency_ms)


def _source(line: CameraLine, inference: Slot[InferenceState]) -> Source:
    def newest(seen: Frame | None) -> Newest:
        return exposure(line, inference.latest(), seen)

    return newest


def _is_current(refined: Refined | None, inference: InferenceState | None) -> bool:
    running = inference is not None and inference.status is InferenceStatus.RUNNING
    return running and inference is not None and refined is not None and refined.engine == inference.label


def _coloured(depth: DepthMap, options: LiveOptions) -> NDArray[np.uint8]:
    packed = np.empty(depth.values.shape, np.uint32)
    table = depth_table(options.near_m, options.far_m, depth.unit_m, options.colour_map)
    colour_depth(depth.values, table, packed)
    channels = packed.view(np.uint8).reshape(*packed.shape, 4)
    return np.ascontiguousarray(channels[..., 2::-1])
