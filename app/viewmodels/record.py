"""State of the recording page: ready, recording with every frame accounted for, saved."""

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import CameraLine, Pipeline, Studio
from app.flow.capture import CameraState, CameraStatus
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.recording.library import SessionEntry, read_entry, relabel
from app.recording.recorder import BYTES_PER_PIXEL, CameraCount, Limits, Recorder, RecorderStatus
from app.recording.tags import recent_tags, remember_tags
from app.settings import Settings
from app.viewmodels.words import counted, duration, time_left
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.session.labels import SessionLabels

log = logging.getLogger(__name__)

POLL_MS = 100
DISK_EVERY_TICKS = 20
LOW_DISK_S = 600.0
CLOSE_TIMEOUT_S = 15.0


class RecordPhase(Enum):
    """What the big button would do."""

    NO_CAMERA = "no camera"
    WAITING = "waiting"
    READY = "ready"
    STARTING = "starting"
    RECORDING = "recording"
    CLOSING = "closing"


class Tone(Enum):
    """How a line of words is meant."""

    CALM = "calm"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, eq=False)
class CameraPanel:
    """One camera on the page.

    Attributes:
        camera_id: its id.
        name: for people.
        words: what it is doing.
        tone: how bad that is.
        frame: the newest one, or None before the first.
        count: where its frames went, while recording.
    """

    camera_id: str
    name: str
    words: str
    tone: Tone
    frame: Frame | None
    count: CameraCount | None


@dataclass(frozen=True, eq=False)
class RecordView:
    """Everything the page shows of this moment.

    Attributes:
        phase: what the big button would do.
        seconds: of the recording.
        words: the state in one sentence.
        tone: how bad that is.
        cameras: in the rig's order.
        disk: room left, as time.
        disk_low: whether that is less than ten minutes.
        queue_fill: share of the recorder's queue in use, 0 to 1.
        marks: moments marked so far.
        bytes_written: in this session so far.
    """

    phase: RecordPhase
    seconds: float
    words: str
    tone: Tone
    cameras: tuple[CameraPanel, ...]
    disk: str
    disk_low: bool
    queue_fill: float
    marks: int
    bytes_written: int


@dataclass(frozen=True)
class Saved:
    """A recording that has ended.

    Attributes:
        folder: where the data is.
        words: what was saved, in one line.
        lost: frames in no file.
        reason: why it stopped by itself; empty when the operator stopped it.
        hint: what to do about that.
    """

    folder: Path
    words: str
    lost: int
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Problem:
    """What went wrong, and what to do."""

    message: str
    hint: str = ""

    @property
    def words(self) -> str:
        """Both in one line."""
        return f"{self.message} {self.hint}".strip()


@dataclass(frozen=True)
class LabelChoice:
    """What the operator says of the next recording.

    Attributes:
        scene: category, or empty.
        tags: chosen ones.
        recent: tags that are offered, chosen or not.
    """

    scene: str
    tags: tuple[str, ...]
    recent: tuple[str, ...]


class RecordViewModel(QObject):
    """Starts, follows and ends recordings; a recording outlives the page.

    Args:
        studio: the rig and its recorder.
        settings: site, operator and the sessions folder; read at each start.
        tags: file of the tags used last; None for the usual one.
    """

    view_changed = Signal(RecordView)
    labels_changed = Signal(LabelChoice)
    saved = Signal(Saved)
    refused = Signal(Problem)

    def __init__(
        self, studio: Studio, settings: Settings, tags: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self._tags_path = tags
        self._labels = LabelChoice("", (), recent_tags(tags))
        self._labels_at_start = self._labels
        self._recorder: Recorder | None = None
        self._switch: Worker | None = None
        self._started: Slot[Recorder] = Slot()
        self._ended: Slot[Saved] = Slot()
        self._failed: Slot[Problem] = Slot()
        self._phase: RecordPhase | None = None
        self._marks = 0
        self._ticks = 0
        self._free_bytes = 0
        self._watched = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def labels(self) -> LabelChoice:
        """What is said of the next recording."""
        return self._labels

    @property
    def recording(self) -> bool:
        """Whether a recording is under way, starting or closing."""
        return self._phase is not None

    @property
    def view(self) -> RecordView:
        """This moment."""
        pipeline = self._studio.pipeline
        lines = {} if pipeline is None else pipeline.lines
        status = None if self._recorder is None else self._recorder.status()
        panels = tuple(_panel(line, status) for line in lines.values())
        left_s = self._left_s(pipeline) if status is None else status.time_left_s
        low = left_s < LOW_DISK_S and bool(lines)
        phase = self._phase or _idle_phase(panels)
        words, tone = _headline(phase, panels, low=low)
        return RecordView(
            phase=phase,
            seconds=0.0 if status is None else status.seconds,
            words=words,
            tone=tone,
            cameras=panels,
            disk=_disk_words(left_s, self._free_bytes, known=bool(lines), about=status is None),
            disk_low=low,
            queue_fill=0.0 if status is None else status.queue_fill,
            marks=self._marks,
            bytes_written=0 if status is None else status.bytes_written,
        )

    def watch(self, watched: bool) -> None:
        """Follow the cameras only while somebody looks; a recording is followed in any case."""
        self._watched = watched
        if watched:
            self._free_bytes = _free_bytes(self._settings.sessions_folder)
            self._timer.start()
            self.poll()

    def choose_scene(self, scene: str) -> None:
        """Say what kind of place it is; while recording, it holds for the recording under way."""
        self._label(scene=scene)

    def toggle_tag(self, tag: str) -> None:
        """Add a tag, or take it back; a new one is remembered."""
        tag = " ".join(tag.split())
        if not tag:
            return
        tags = self._labels.tags
        chosen = tuple(t for t in tags if t != tag) if tag in tags else (*tags, tag)
        recent = self._labels.recent if tag in self._labels.recent else (tag, *self._labels.recent)
        self._label(tags=chosen, recent=recent)

    def toggle(self) -> None:
        """The big button."""
        if self._phase is RecordPhase.RECORDING:
            self.stop()
        elif self._phase is None:
            self.start()

    def start(self) -> None:
        """Record from now on; `refused` says why not."""
        view = self.view
        if view.phase is not RecordPhase.READY:
            self.refused.emit(Problem(view.words))
            return
        labels = SessionLabels(
            scene=self._labels.scene,
            tags=self._labels.tags,
            site=self._settings.site,
            operator=self._settings.operator,
        )
        remember_tags(self._labels.tags, self._tags_path)
        folder = self._settings.sessions_folder
        self._marks = 0
        self._labels_at_start = self._labels

        def work(_stop: threading.Event) -> None:
            self._started.put(self._studio.record(folder, labels))

        self._run("start recording", RecordPhase.STARTING, work)

    def stop(self) -> None:
        """End the recording; `saved` follows when every frame that waits is written."""
        if self._phase is RecordPhase.RECORDING:
            self._end("", "")

    def mark(self) -> None:
        """Note this moment in the recording."""
        if self._recorder is None:
            self.refused.emit(Problem("Nothing is being recorded.", "Start a recording first."))
            return
        try:
            self._recorder.mark(f"mark {self._marks + 1}")
        except SessionError as error:
            self.refused.emit(Problem(str(error), error.hint))
            return
        self._marks += 1
        self.poll()

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        self._ticks += 1
        if self._ticks % DISK_EVERY_TICKS == 0:
            self._free_bytes = _free_bytes(self._settings.sessions_folder)
        self._take_news()
        if self._phase is None and self._studio.recorder is not None:
            self._recorder, self._phase = self._studio.recorder, RecordPhase.RECORDING
        if self._phase is RecordPhase.RECORDING and self._recorder is not None:
            status = self._recorder.status()
            if status.error:
                self._end(status.error, status.hint)
            elif self._studio.recorder is not self._recorder:
                self._end("Another source was opened.", "Record again when it runs.")
        self.view_changed.emit(self.view)
        if not self._watched and self._phase is None:
            self._timer.stop()

    def close(self) -> None:
        """End a recording under way and wait until its session is closed."""
        self._timer.stop()
        if self._switch is not None:
            self._switch.stop(timeout_s=CLOSE_TIMEOUT_S)
        try:
            self._studio.stop_recording()
        except SessionError as error:
            log.warning("the recording has no index yet: %s %s", error, error.hint)

    def _label(
        self,
        scene: str | None = None,
        tags: tuple[str, ...] | None = None,
        recent: tuple[str, ...] | None = None,
    ) -> None:
        now = self._labels
        self._labels = LabelChoice(
            now.scene if scene is None else scene,
            now.tags if tags is None else tags,
            now.recent if recent is None else recent,
        )
        self.labels_changed.emit(self._labels)

    def _end(self, reason: str, hint: str) -> None:
        recorder = self._recorder
        assert recorder is not None
        labels = self._labels if self._labels_at_start != self._labels else None

        def work(_stop: threading.Event) -> None:
            if self._studio.recorder is recorder:
                self._studio.stop_recording()
            if labels is not None:
                _relabel(recorder.session, labels)
            self._ended.put(_saved(recorder.session, reason, hint))

        self._run("stop recording", RecordPhase.CLOSING, work)

    def _run(self, name: str, phase: RecordPhase, work: Callable[[threading.Event], None]) -> None:
        if self._switch is not None:
            self._switch.stop()
        self._phase = phase
        self._switch = Worker(name, work, failed=self._switch_failed)
        self._switch.start()
        self._timer.start()
        self.view_changed.emit(self.view)

    def _switch_failed(self, error: Exception) -> None:
        hint = error.hint if isinstance(error, SessionError) else "The log file holds the details."
        self._failed.put(Problem(str(error), hint))

    def _take_news(self) -> None:
        if self._switch is None or self._switch.running or self._phase is None:
            return
        if (problem := self._failed.latest()) is not None:
            self._failed = Slot()
            closing = self._phase is RecordPhase.CLOSING
            where = f" The data is in {self._recorder.session}." if closing and self._recorder else ""
            self._phase = self._recorder = None
            self.refused.emit(Problem(problem.message + where, problem.hint))
        elif (recorder := self._started.latest()) is not None:
            self._started = Slot()
            self._recorder, self._phase = recorder, RecordPhase.RECORDING
        elif (saved := self._ended.latest()) is not None:
            self._ended = Slot()
            self._phase = self._recorder = None
            self.saved.emit(saved)

    def _left_s(self, pipeline: Pipeline | None) -> float:
        rate = 0.0 if pipeline is None else sum(_bytes_per_s(line) for line in pipeline.lines.values())
        usable = self._free_bytes - max(Limits().close_bytes, Limits().close_s * rate)
        return usable / rate if rate else float("inf")


def _idle_phase(panels: tuple[CameraPanel, ...]) -> RecordPhase:
    if not panels:
        return RecordPhase.NO_CAMERA
    return RecordPhase.WAITING if all(panel.frame is None for panel in panels) else RecordPhase.READY


def _headline(phase: RecordPhase, panels: tuple[CameraPanel, ...], *, low: bool) -> tuple[str, Tone]:
    lost = [panel.name for panel in panels if panel.tone is Tone.BAD]
    silent = [panel.name for panel in panels if panel.frame is None and panel.tone is not Tone.BAD]
    match phase:
        case RecordPhase.NO_CAMERA:
            return "No camera. Open a source on the Settings page.", Tone.WARNING
        case RecordPhase.WAITING:
            return "Waiting for the first picture of a camera.", Tone.WARNING
        case RecordPhase.STARTING:
            return "Starting ...", Tone.CALM
        case RecordPhase.CLOSING:
            return "Writing what waits, then closing the session ...", Tone.CALM
    if lost:
        others = "the others go on" if len(lost) < len(panels) else "no camera is left"
        verb = "is" if len(lost) == 1 else "are"
        return f"{', '.join(lost)} {verb} lost; {others}.", Tone.BAD
    if low:
        return "The disk is nearly full. Make room, or choose another sessions folder.", Tone.WARNING
    if phase is RecordPhase.RECORDING:
        return "Recording. Every frame is accounted for below.", Tone.CALM
    if silent:
        return f"No picture from {', '.join(silent)} yet; it would not be recorded.", Tone.WARNING
    return "Ready.", Tone.CALM


def _panel(line: CameraLine, status: RecorderStatus | None) -> CameraPanel:
    words, tone = _camera_words(line.state.latest())
    return CameraPanel(
        camera_id=line.info.id,
        name=line.info.name or line.info.id,
        words=words,
        tone=tone,
        frame=line.channel.newest.latest(),
        count=None if status is None else status.cameras.get(line.info.id),
    )


def _camera_words(state: CameraState | None) -> tuple[str, Tone]:
    if state is None or state.status is CameraStatus.STARTING:
        return "Starting", Tone.CALM
    match state.status:
        case CameraStatus.STREAMING:
            return "Live", Tone.CALM
        case CameraStatus.SILENT:
            return "Sends no pictures", Tone.WARNING
        case CameraStatus.LOST:
            return "Lost. " + ("" if state.error is None else state.error.hint), Tone.BAD
        case CameraStatus.ENDED:
            return "At its end", Tone.WARNING
    return "Stopped", Tone.WARNING


def loss_words(count: CameraCount) -> tuple[str, Tone]:
    """A camera's lost frames, by cause, in words."""
    if count.lost == 0:
        return "No frame lost", Tone.CALM
    causes = [
        f"{number:,} {cause}"
        for number, cause in (
            (count.device_gap, "by the device"),
            (count.dropped, "dropped: disk or encoders too slow"),
            (count.failed, "failed"),
        )
        if number
    ]
    return f"{counted(count.lost, 'frame')} lost: {', '.join(causes)}", Tone.WARNING


def _relabel(folder: Path, labels: LabelChoice) -> None:
    try:
        relabel(folder, scene=labels.scene, tags=labels.tags)
    except SessionError as error:
        log.warning("labels changed while recording were not kept: %s %s", error, error.hint)


def _saved(folder: Path, reason: str, hint: str) -> Saved:
    entry = read_entry(folder)
    return Saved(folder, _saved_words(entry), entry.lost, reason or entry.failure, hint)


def _saved_words(entry: SessionEntry) -> str:
    if entry.problem:
        return f"Saved, but it cannot be read: {entry.problem}"
    lost = "none lost" if entry.lost == 0 else f"{entry.lost:,} lost"
    parts = [
        duration(entry.seconds),
        counted(len(entry.cameras), "camera"),
        counted(entry.frames, "frame"),
        lost,
    ]
    return f"Saved: {', '.join(parts)}"


def _disk_words(left_s: float, free_bytes: int, *, known: bool, about: bool) -> str:
    if not known:
        return f"{free_bytes / 1e9:,.0f} GB free"
    words = time_left(left_s)
    return f"about {words}" if about and not words.startswith("over") else words


def _bytes_per_s(line: CameraLine) -> float:
    frame = line.channel.newest.latest()
    if frame is None:
        return 0.0
    height, width = frame.color.shape[:2]
    return float(height * width * BYTES_PER_PIXEL * line.info.rate_hz)


def _free_bytes(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
