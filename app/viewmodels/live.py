"""State of the Live page: polls every camera's slots from one timer, and says in words what is missing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app import paths
from app.compose import CameraLine, InferenceState, InferenceStatus, Pipeline, Studio
from app.flow.attention import Asked, Attention
from app.flow.capture import CameraState, CameraStatus
from app.flow.filtering import Filtered, Steps
from app.flow.meter import Meter
from app.flow.refine import Refined
from app.language import from_below, tr
from app.rigging import RigPlaces
from app.settings import Settings
from app.viewmodels.colouring import ColourMap
from app.viewmodels.layers import LAYERS, Layer
from app.viewmodels.playback import is_paused
from app.viewmodels.words import STALE_S, how_old
from drivers.camera import CameraInfo
from drivers.errors import CameraUnplugged
from drivers.frame import Frame
from model.spec import EngineChoice, ModelSpec, catalogue, find

TICK_MS = 16
FIGURES_S = 0.25
OLD_S = 0.8
OLD_PERIODS = 5
"""A live picture is old after this, or after five periods of a slow camera."""
AGE_STEP_MS = 300.0
"""An age that differs by more is told at once; others wait for the next figures, to be readable."""
AUTO_EVERY_S = 0.5
AUTO_SHARE = 0.35
AUTO_PERCENTILES = (2.0, 98.0)
SMALLEST_RANGE_M = 0.1
SAVE_AFTER_MS = 1000

Layout = Literal["one", "wipe", "blend", "side", "inset", "cloud"]

DIFFERENCES_M: Final = (0.02, 0.1, 0.5)
"""Ends of the colours of a difference that can be chosen."""

PRESETS_M: dict[str, tuple[float, float]] = {
    "0.3-1.5": (0.3, 1.5),
    "0.3-4": (0.3, 4.0),
    "0-6": (0.0, 6.0),
    "1-16": (1.0, 16.0),
}
"""The ranges that RealSense Viewer offers, and one for a room."""


@dataclass(frozen=True)
class Note:
    """What a pane says instead of a picture, or over an old one.

    Attributes:
        text: what is the case.
        hint: what to do about it.
        choose_model: whether choosing another model is what to do.
    """

    text: str
    hint: str = ""
    choose_model: bool = False


@dataclass(frozen=True)
class CameraTitle:
    """What stands above a camera's pictures."""

    camera_id: str
    number: int
    name: str
    sensor: str


@dataclass(frozen=True)
class Stages:
    """Where the time of one camera's pictures goes.

    With a repair, the parts are of the repaired frame that is shown, together no longer than its age;
    without, they are medians over the last seconds.

    Attributes:
        shown_hz: raw pictures painted per second.
        refined_hz: repaired frames per second.
        camera_ms: from exposure to arrival.
        screen_ms: from the result, or without a repair from arrival, to painted.
        wait_ms: from arrival to the beginning of the repair; None without a repair, like `repair_ms`.
        repair_ms: registration and repair.
    """

    shown_hz: float
    refined_hz: float
    camera_ms: float
    screen_ms: float
    wait_ms: float | None = None
    repair_ms: float | None = None


@dataclass(frozen=True, eq=False)
class TileView:
    """Everything one camera's tile shows.

    Attributes:
        camera_id: which tile.
        frame: newest frame, or None before the first.
        camera_note: why there is no live picture; None while all is well.
        refined: newest repaired frame of the engine that runs now, or None.
        filtered: newest frame after the vendor's filters, while those are wanted.
        refined_note: why there is no current repaired depth; None while all is well.
        status: of the camera.
        rate_hz: frames per second that arrive.
        age_ms: of the repaired frame, counted from its exposure; None without one.
        lost: frames that the device's counter skipped.
        paused: whether it replays a session that stands still.
        frozen: whether the pictures stand still.
        frozen_s: since the pictures stand still; the same for all cameras.
        stages: where the time goes, while the operator wants to see it.
        names: of layers that hold something else than a camera's own raw and refined depth.
    """

    camera_id: str
    frame: Frame | None = None
    camera_note: Note | None = None
    refined: Refined | None = None
    filtered: Filtered | None = None
    refined_note: Note | None = None
    status: CameraStatus = CameraStatus.STARTING
    rate_hz: float = 0.0
    age_ms: float | None = None
    lost: int = 0
    paused: bool = False
    frozen: bool = False
    frozen_s: float = 0.0
    stages: Stages | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveOptions:
    """How the pictures are shown.

    Attributes:
        layout: "one" (`shown` alone), "wipe" and "blend" (`base` and `shown` in one picture), "side" (colour,
            `base` and `shown`), "inset" (`base` in a corner of `shown`) or "cloud".
        base: what `shown` is compared with.
        shown: what the operator wants to see.
        focus: the camera that is shown large, or None for all alike.
        frozen: pictures stand still.
        near_m: depth of the first colour.
        far_m: depth of the last colour.
        auto: the range follows the scene, slowly.
        colour_map: of depth.
        difference_m: refined minus raw that takes the last colour.
        stages: show where the time goes.
        hidden_share: of the depth patches that is hidden from the repair, 0 to 1.
        filters: of the vendor, that raw depth is shown after.
    """

    layout: Layout = "wipe"
    base: Layer = "raw"
    shown: Layer = "refined"
    focus: str | None = None
    frozen: bool = False
    near_m: float = 0.3
    far_m: float = 4.0
    auto: bool = False
    colour_map: ColourMap = "turbo"
    difference_m: float = 0.1
    stages: bool = False
    hidden_share: float = 0.0
    filters: Steps = ()

    @property
    def preset(self) -> str:
        """Name of the preset that is chosen, "auto", or empty."""
        if self.auto:
            return "auto"
        here = (self.near_m, self.far_m)
        return next((name for name, limits in PRESETS_M.items() if limits == here), "")


def old_after_s(info: CameraInfo) -> float:
    """The age after which a camera's newest picture must not pass as live."""
    return max(OLD_S, OLD_PERIODS / info.rate_hz) if info.live else float("inf")


def camera_note(
    state: CameraState | None, silent_s: float | None, *, old_s: float = float("inf")
) -> Note | None:
    """Words for a camera that sends no pictures; None while it does.

    Args:
        state: what the capture thread reports.
        silent_s: since its newest frame; None before the first.
        old_s: the age from which that frame is no live picture, whatever is reported: a library that hangs
            keeps the thread that would report it.
    """
    status = CameraStatus.STARTING if state is None else state.status
    if status is CameraStatus.STREAMING:
        if silent_s is None or silent_s < old_s:
            return None
        return Note(
            tr("No frames for {silent_s:.1f} s").format(silent_s=silent_s), tr("Waiting for the camera.")
        )
    if status is CameraStatus.STARTING:
        return Note(tr("Camera starting"))
    if status is CameraStatus.OPEN:
        return Note(tr("Waiting for the first frame"))
    if status is CameraStatus.SILENT:
        since = "" if silent_s is None else tr(" for {silent_s:.0f} s").format(silent_s=silent_s)
        return Note(
            tr("No frames{since}").format(since=since), tr("Check the camera's cable and its USB port.")
        )
    if status is CameraStatus.ENDED:
        return Note(tr("The recording has ended"), tr("Open it again, or choose another source."))
    if status is CameraStatus.STOPPED:
        return Note(tr("Camera stopped"))
    error = None if state is None else state.error
    if error is None:
        return Note(tr("Camera lost"), tr("Plug it in again; it is tried every second."))
    if isinstance(error, CameraUnplugged) and error.hint == CameraUnplugged.default_hint:
        return Note(tr("Camera lost"), from_below(error.hint))
    return Note(tr("Camera lost: {error}").format(error=error), from_below(error.hint))


def refined_note(inference: InferenceState | None, refined: Refined | None, age_s: float) -> Note | None:
    """Words for the refined pane; None while there is repaired depth that is new enough.

    Args:
        inference: what the inference thread reports.
        refined: newest repaired frame of the engine that runs now.
        age_s: of that frame, from its exposure.
    """
    if inference is None:
        return Note(tr("Repair starting"))
    if inference.status is InferenceStatus.OFF:
        return Note(tr("Repair is off"), tr("Choose a model to see refined depth."), choose_model=True)
    if inference.status is InferenceStatus.LOADING:
        return Note(tr("Loading {label}").format(label=from_below(inference.label)), tr("Raw depth goes on."))
    if inference.status is InferenceStatus.FAILED:
        message = inference.message.removesuffix(inference.hint).strip()
        return Note(
            from_below(message) or tr("The repair failed"), from_below(inference.hint), choose_model=True
        )
    if refined is None:
        return Note(tr("Waiting for the first refined frame"))
    if age_s > STALE_S:
        return Note(
            tr("Refined depth is {age} old").format(age=how_old(age_s * 1e3)),
            tr("This is an old picture, not the present scene."),
        )
    return None


def scene_range(frames: Sequence[Frame]) -> tuple[float, float] | None:
    """(near, far) in metres that hold nearly all measured depth of `frames`; None if nothing is measured."""
    samples = [frame.depth.values[::8, ::8] * frame.depth.unit_m for frame in frames]
    depths = np.concatenate([sample[sample > 0] for sample in samples]) if samples else np.empty(0)
    if depths.size < 16:
        return None
    near, far = np.percentile(depths, AUTO_PERCENTILES)
    return float(near), max(float(far), float(near) + SMALLEST_RANGE_M)


def _age_ms(view: TileView, refined: Refined | None, now_ns: int, *, figures: bool) -> float | None:
    """One reading of the age for all that tells it or follows from it; None without repaired depth."""
    if refined is None:
        return None
    age_ms, told_ms = (now_ns - refined.frame.captured_ns) / 1e6, view.age_ms
    keep = not figures and told_ms is not None and abs(age_ms - told_ms) < AGE_STEP_MS
    if keep and told_ms is not None and (age_ms > STALE_S * 1e3) == (told_ms > STALE_S * 1e3):
        return told_ms
    return age_ms


class _Line:
    """What was seen of one camera so far."""

    def __init__(self, line: CameraLine) -> None:
        self.line = line
        self.frame_version = 0
        self.refined_version = 0
        self.view = TileView(line.info.id)
        self.painted: Refined | None = None
        self.camera_ms = self.screen_ms = 0.0


class LiveModel(QObject):
    """Polls the rig that runs and tells the Live page what changed.

    Args:
        studio: whose rig is shown.
        settings: where range and model are kept.
        save_settings: writes them.

    Attributes:
        screen_meters: by camera id, pictures painted and milliseconds from exposure to painted.

    Signals:
        rig_changed: list of `CameraTitle`, when another rig runs; empty without one.
        tile_changed: `TileView` of one camera.
        options_changed: `LiveOptions`.
        inference_changed: `InferenceState`.
        choice_changed: another model repairs, or the same in another way.
        attention_changed: `Attention` of the place that was asked about, or None.
    """

    rig_changed = Signal(list)
    tile_changed = Signal(TileView)
    options_changed = Signal(LiveOptions)
    inference_changed = Signal(InferenceState)
    choice_changed = Signal()
    attention_changed = Signal(object)

    def __init__(
        self,
        studio: Studio,
        settings: Settings,
        save_settings: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self._save_settings = save_settings
        self._pipeline: Pipeline | None = None
        self._lines: dict[str, _Line] = {}
        self._told: list[tuple[str, str, str]] = []
        self._inference: InferenceState | None = None
        self._filters_told = ""
        self._attention: Attention | None = None
        self._options = LiveOptions(near_m=settings.near_m, far_m=max(settings.far_m, settings.near_m + 0.1))
        self._figures_at_ns = 0
        self._frozen_at_ns = 0
        self._auto_at_ns = 0
        self.screen_meters: dict[str, Meter] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._saver = QTimer(self)
        self._saver.setSingleShot(True)
        self._saver.setInterval(SAVE_AFTER_MS)
        self._saver.timeout.connect(self._save_settings)

    @property
    def options(self) -> LiveOptions:
        """How the pictures are shown."""
        return self._options

    @property
    def inference(self) -> InferenceState | None:
        """What the repair is doing; None without a rig."""
        return self._inference

    @property
    def rig(self) -> RigPlaces:
        """Where the cameras stand."""
        places = None if self._pipeline is None else self._pipeline.rig.latest()
        return places or RigPlaces()

    @property
    def tiles(self) -> list[TileView]:
        """What all tiles show, in the rig's order."""
        return [seen.view for seen in self._lines.values()]

    @property
    def titles(self) -> list[CameraTitle]:
        """The cameras in the rig's order."""
        return [
            CameraTitle(camera_id, i, from_below(name), from_below(sensor))
            for i, (camera_id, name, sensor) in enumerate(self._names, 1)
        ]

    @property
    def _names(self) -> list[tuple[str, str, str]]:
        infos = [seen.line.info for seen in self._lines.values()]
        return [(info.id, info.name, info.sensor) for info in infos]

    def tile(self, camera_id: str) -> TileView:
        """What the tile of this camera shows."""
        return self._lines[camera_id].view

    def find_tile(self, camera_id: str) -> TileView | None:
        """What the tile of this camera shows; None if there is no such camera."""
        seen = self._lines.get(camera_id)
        return None if seen is None else seen.view

    def start(self) -> None:
        """Poll from now on."""
        self._timer.start()
        self.tick()

    def stop(self) -> None:
        """Poll no more, and write what is not written yet."""
        self._timer.stop()
        if self._saver.isActive():
            self._saver.stop()
            self._save_settings()

    def models(self) -> list[ModelSpec]:
        """What can be chosen, with the present choice in any case."""
        specs = catalogue(paths.weights_folder(), paths.runs_folder())
        chosen = find(self._studio.choice.model)
        return specs if any(spec.name == chosen.name for spec in specs) else [chosen, *specs]

    @property
    def model(self) -> str:
        """Name of the chosen model."""
        return find(self._studio.choice.model).name

    def choose_model(self, name: str) -> None:
        """Repair with this model from now on, and after the next start."""
        if name == self.model:
            return
        self._studio.choose(replace(self._studio.choice, model=name))
        self._settings.model = name
        self._saver.start()
        self.choice_changed.emit()

    @property
    def choice(self) -> EngineChoice:
        """Which repair runs, and how."""
        return self._studio.choice

    @property
    def spec(self) -> ModelSpec:
        """The model that repairs."""
        return find(self._studio.choice.model)

    def change_repair(self, changes: Mapping[str, object]) -> None:
        """Run the present model in another way, now and, where settings know of it, after the next start.

        Args:
            changes: fields of `EngineChoice` with their new values.
        """
        choice = replace(self._studio.choice, **changes)  # type: ignore[arg-type]  # its own fields
        if choice == self._studio.choice:
            return
        self._studio.choose(choice)
        for name, value in changes.items():
            if name in Settings.model_fields:
                setattr(self._settings, name, value)
                self._saver.start()
        self.choice_changed.emit()

    @property
    def stabilise(self) -> bool:
        """Whether repaired depth is steadied over time."""
        return self._studio.stabilise

    def set_stabilise(self, stabilise: bool) -> None:
        """Steady repaired depth over time from the next frame on, and after the next start."""
        self._studio.stabilise = self._settings.stabilise = stabilise
        self._saver.start()
        self.choice_changed.emit()

    def set_hidden(self, share: float) -> None:
        """Hide a share of the depth patches from the repair of the running rig."""
        if self._pipeline is not None:
            self._pipeline.hidden_share = share
            self._set(replace(self._options, hidden_share=share))

    def ask_attention(self, camera_id: str, x: float, y: float) -> None:
        """Look at what the network attends to from this place of a picture, until `end_attention`."""
        seen = self._lines.get(camera_id)
        if self._pipeline is None or seen is None:
            return
        moment = seen.view.refined if self._options.frozen else None
        self._pipeline.attention.asked = Asked(camera_id, x, y, moment)
        self._tell_attention(Attention(self._pipeline.attention.asked, waiting=True))

    def end_attention(self) -> None:
        """Look no more."""
        if self._pipeline is not None:
            self._pipeline.attention.asked = None
        self._tell_attention(None)

    def _tell_attention(self, attention: Attention | None) -> None:
        if attention is not self._attention:
            self._attention = attention
            self.attention_changed.emit(attention)

    def _look_at_attention(self, pipeline: Pipeline) -> None:
        newest, asked = pipeline.attention.newest.latest(), pipeline.attention.asked
        if asked is not None and newest is not None and newest.asked is asked:
            self._tell_attention(newest)

    def set_filters(self, steps: Sequence[str]) -> None:
        """Show raw depth after these filters of the vendor's; repair and recordings take it as it is."""
        if self._pipeline is not None:
            self._pipeline.filters.steps = tuple(steps)
            self._set(replace(self._options, filters=tuple(steps)))

    @property
    def filters_problem(self) -> str:
        """Why the vendor's filters do not run; empty while all is well."""
        return "" if self._pipeline is None else self._pipeline.filters.problem

    def set_layout(self, layout: Layout) -> None:
        """Arrange the pictures in another way."""
        self._set(replace(self._options, layout=layout))

    def set_focus(self, camera_id: str | None) -> None:
        """Show one camera large, or all alike."""
        self._set(replace(self._options, focus=camera_id if camera_id in self._lines else None))

    def toggle_focus(self, camera_id: str) -> None:
        """Show this camera large; all alike if it is already."""
        self.set_focus(None if self._options.focus == camera_id else camera_id)

    def focus_number(self, number: int) -> None:
        """Toggle the focus of the rig's n-th camera, counted from 1; nothing if there is none."""
        ids = list(self._lines)
        if 1 <= number <= len(ids):
            self.toggle_focus(ids[number - 1])

    def set_shown(self, layer: Layer) -> None:
        """Show another layer; what it is compared with becomes the one before if it was this one."""
        here = self._options
        base = here.shown if layer == here.base else here.base
        self._set(replace(here, shown=layer, base=base))

    def set_base(self, layer: Layer) -> None:
        """Compare with another layer; the two change places if it is the one that is shown."""
        here = self._options
        shown = here.base if layer == here.shown else here.shown
        self._set(replace(here, base=layer, shown=shown))

    def swap_layers(self) -> None:
        """Let the two layers change places."""
        self._set(replace(self._options, base=self._options.shown, shown=self._options.base))

    def step_layer(self, by: int) -> None:
        """Show the next layer, or with -1 the one before."""
        layers = [layer for layer in LAYERS if layer != self._options.base]
        self.set_shown(layers[(layers.index(self._options.shown) + by) % len(layers)])

    def set_colour_map(self, colour_map: ColourMap) -> None:
        """Colour depth in another way."""
        self._set(replace(self._options, colour_map=colour_map))

    def set_difference(self, limit_m: float) -> None:
        """Let the colours of differences end at this many metres."""
        self._set(replace(self._options, difference_m=limit_m))

    def set_stages(self, shown: bool) -> None:
        """Show where the time goes, or hide it."""
        self._figures_at_ns = 0
        self._set(replace(self._options, stages=shown))

    def set_frozen(self, frozen: bool) -> None:
        """Let the pictures stand still at one moment that all panes share, or go on."""
        if frozen and not self._options.frozen:
            self._frozen_at_ns = time.monotonic_ns()
        self._set(replace(self._options, frozen=frozen))
        for seen in self._lines.values():
            moment = seen.view.refined.frame if frozen and seen.view.refined else seen.view.frame
            seen.frame_version = 0
            self._show(seen, replace(seen.view, frame=moment, frozen=frozen))

    def set_range(self, near_m: float, far_m: float) -> None:
        """Lock the colours to this range for every camera."""
        near_m = max(round(near_m, 2), 0.0)
        far_m = max(round(far_m, 2), near_m + SMALLEST_RANGE_M)
        self._set(replace(self._options, near_m=near_m, far_m=far_m, auto=False))
        if (self._settings.near_m, self._settings.far_m) != (near_m, far_m):
            self._settings.near_m, self._settings.far_m = near_m, far_m
            self._saver.start()

    def set_preset(self, name: str) -> None:
        """Lock the colours to a preset, or let them follow the scene ("auto")."""
        if name == "auto":
            self._auto_at_ns = 0
            self._set(replace(self._options, auto=True))
        else:
            self.set_range(*PRESETS_M[name])

    def note_painted(self, frame: Frame) -> None:
        """The view has painted this frame for the first time."""
        now_ns = time.monotonic_ns()
        if meter := self.screen_meters.get(frame.camera_id):
            meter.note(now_ns, (now_ns - frame.captured_ns) / 1e6)
        seen = self._lines.get(frame.camera_id)
        if seen is not None and seen.view.refined is not seen.painted:
            seen.painted = seen.view.refined
            if seen.painted is not None:
                seen.camera_ms = seen.line.channel.meter.read(now_ns).median_ms
                seen.screen_ms = (now_ns - seen.painted.ready_ns) / 1e6

    def tick(self) -> None:
        """Look at every slot once; called by the timer."""
        if self._studio.pipeline is not self._pipeline:
            self._take_rig(self._studio.pipeline)
        if self._pipeline is None:
            return
        self._take_arrivals(self._pipeline)
        self._look_at_attention(self._pipeline)
        now_ns = time.monotonic_ns()
        figures = now_ns - self._figures_at_ns >= FIGURES_S * 1e9
        if figures:
            self._figures_at_ns = now_ns
        inference = self._pipeline.inference.latest()
        engine_changed = inference is not self._inference
        if engine_changed and inference is not None:
            self._inference = inference
            self.inference_changed.emit(inference)
        if self.filters_problem != self._filters_told:
            self._filters_told = self.filters_problem
            self.choice_changed.emit()
        for seen in self._lines.values():
            self._look(seen, now_ns, figures=figures or engine_changed)
        if self._options.auto and now_ns - self._auto_at_ns >= AUTO_EVERY_S * 1e9:
            self._follow_scene(now_ns)

    def _take_rig(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline
        self._inference = None
        self._tell_attention(None)
        lines = {} if pipeline is None else pipeline.lines
        self._lines = {camera_id: _Line(line) for camera_id, line in lines.items()}
        self.screen_meters = {camera_id: Meter() for camera_id in self._lines}
        self._figures_at_ns = 0
        hidden_share = 0.0 if pipeline is None else pipeline.hidden_share
        filters = () if pipeline is None else pipeline.filters.steps
        here = replace(self._options, focus=None, frozen=False, hidden_share=hidden_share, filters=filters)
        self._set(here)
        self._told = self._names
        self.rig_changed.emit(self.titles)

    def _take_arrivals(self, pipeline: Pipeline) -> None:
        """Show cameras that have come, and what a camera says of itself now that it was opened."""
        for camera_id, line in pipeline.lines.items():
            if camera_id not in self._lines:
                self._lines[camera_id] = _Line(line)
                self.screen_meters[camera_id] = Meter()
        if (names := self._names) != self._told:  # another language makes no other rig
            self._told = names
            self.rig_changed.emit(self.titles)

    def _look(self, seen: _Line, now_ns: int, *, figures: bool) -> None:
        line, view = seen.line, seen.view
        newest, repaired = line.channel.newest, line.refined
        changed = figures
        frame, refined, filtered = view.frame, view.refined, view.filtered
        if not self._options.frozen:
            if newest.version != seen.frame_version:
                seen.frame_version, frame, changed = newest.version, newest.latest(), True
            if repaired.version != seen.refined_version or figures:
                seen.refined_version, refined = repaired.version, self._current(repaired.latest())
                changed = changed or refined is not view.refined
            filtered = line.filtered.latest() if self._options.filters else None
            if filtered is not None and filtered.steps != self._options.filters:
                filtered = None
            changed = changed or filtered is not view.filtered
        if not changed:
            return
        newest_frame = newest.latest()
        silent_s = None if newest_frame is None else (now_ns - newest_frame.captured_ns) / 1e9
        age_ms = _age_ms(view, refined, now_ns, figures=figures)
        state = line.state.latest()
        status = CameraStatus.STARTING if state is None else state.status
        note = camera_note(state, silent_s, old_s=old_after_s(line.info))
        repair_note = refined_note(self._inference, refined, (age_ms or 0) / 1e3)
        shown = replace(
            view,
            frame=frame,
            refined=refined,
            filtered=filtered,
            age_ms=age_ms,
            camera_note=note,
            refined_note=note if status is CameraStatus.LOST else repair_note,
            status=status,
        )
        if self._options.frozen and refined is not None:
            shown = replace(shown, refined_note=None)
        if figures:
            shown = replace(
                shown,
                rate_hz=line.channel.meter.read(now_ns).rate_hz,
                lost=line.channel.device_gaps,
                paused=is_paused(line.camera),
                frozen_s=(now_ns - self._frozen_at_ns) / 1e9 if self._options.frozen else 0.0,
            )
        if figures or age_ms != view.age_ms:
            stages = self._stages(seen, refined, now_ns) if self._options.stages else None
            shown = replace(shown, stages=stages)
        self._show(seen, shown)

    def _stages(self, seen: _Line, refined: Refined | None, now_ns: int) -> Stages:
        line = seen.line
        came, painted = line.channel.meter.read(now_ns), self.screen_meters[line.info.id].read(now_ns)
        stages = Stages(
            shown_hz=painted.rate_hz,
            refined_hz=line.refined_meter.read(now_ns).rate_hz,
            camera_ms=came.median_ms,
            screen_ms=max(painted.median_ms - came.median_ms, 0.0),
        )
        if refined is None:
            return stages
        before_ms = max(refined.age_ms - refined.took_ms, 0.0)
        camera_ms = min(seen.camera_ms or came.median_ms, before_ms)
        return replace(
            stages,
            camera_ms=camera_ms,
            screen_ms=min(seen.screen_ms, (now_ns - refined.ready_ns) / 1e6),
            wait_ms=before_ms - camera_ms,
            repair_ms=refined.took_ms,
        )

    def _current(self, refined: Refined | None) -> Refined | None:
        """The repaired frame if the engine that runs now has made it."""
        running = self._inference is not None and self._inference.status is InferenceStatus.RUNNING
        if refined is None or not running or self._inference is None:
            return None
        return refined if refined.engine == self._inference.label else None

    def _show(self, seen: _Line, view: TileView) -> None:
        seen.view = view
        self.tile_changed.emit(view)

    def _follow_scene(self, now_ns: int) -> None:
        limits = scene_range([seen.view.frame for seen in self._lines.values() if seen.view.frame])
        if limits is None:
            return
        share = 1.0 if self._auto_at_ns == 0 else AUTO_SHARE
        self._auto_at_ns = now_ns
        here = self._options
        near_m = round(here.near_m + share * (limits[0] - here.near_m), 1)
        far_m = round(here.far_m + share * (limits[1] - here.far_m), 1)
        self._set(replace(here, near_m=near_m, far_m=max(far_m, near_m + SMALLEST_RANGE_M)))

    def _set(self, options: LiveOptions) -> None:
        if options != self._options:
            self._options = options
            self.options_changed.emit(options)
