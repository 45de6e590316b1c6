"""What the recording page shows, in values and words."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.compose import CameraLine, InferenceState, InferenceStatus
from app.flow.capture import CameraState, CameraStatus
from app.language import from_below, joined, sentence, tr, tr_many, tr_noop
from app.recording.counts import CameraCount, RecorderStatus
from app.recording.entry import SessionEntry
from app.recording.guards import Caution
from app.recording.library import read_entry
from app.recording.preflight import Check
from app.recording.room import LOW_S
from app.viewmodels.words import (
    away_cameras,
    away_for,
    clock,
    duration_left,
    lost_frames,
    session_name,
    time_left,
)
from drivers.frame import Frame


class RecordPhase(Enum):
    """What the big button would do."""

    NO_CAMERA = "no camera"
    WAITING = "waiting"
    READY = "ready"
    STARTING = "starting"
    RECORDING = "recording"
    CLOSING = "closing"


MARKS = (
    ("glass", tr_noop("Glass here")),
    ("mirror", tr_noop("Mirror here")),
    ("sun", tr_noop("Bright sun")),
    ("dark", tr_noop("Dark here")),
    ("people", tr_noop("People")),
    ("", tr_noop("Other")),
)
"""What happens while recording and is marked by one touch: the label's text, and the button's."""


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
        refined: what is recorded of refined depth, in words; empty where none is asked for.
        refined_tone: how bad that is.
        cautions: what may spoil the recording.
        synced_s: how much of the recording would survive a power cut now.
        compact: whether depth is written as JPEG XL now.
        checks: what was looked at before a recording; empty while one runs, or nobody has looked yet.
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
    refined: str = ""
    refined_tone: Tone = Tone.CALM
    cautions: tuple[Caution, ...] = ()
    synced_s: float = 0.0
    compact: bool = False
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Saved:
    """A recording that has ended.

    Attributes:
        folder: where the data is.
        words: what was saved, in one line.
        lossless: whether nothing that should be in it is missing.
        reason: why it stopped by itself; empty when the operator stopped it.
        hint: what to do about that.
    """

    folder: Path
    words: str
    lossless: bool
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Problem:
    """What went wrong, and what to do.

    Attributes:
        message: what is the case.
        hint: what to do about it.
        in_settings: whether that is done on the Settings page.
    """

    message: str
    hint: str = ""
    in_settings: bool = False

    @property
    def words(self) -> str:
        """Both in one line."""
        return joined(" ", filter(None, (self.message, self.hint)))


@dataclass(frozen=True)
class LabelChoice:
    """What the operator says of the next recording.

    Attributes:
        scene: category, or empty.
        tags: chosen ones.
        recent: tags that are offered, chosen or not.
        notes: free text.
        operator: who records.
        site: where.
        consent: of the people in view, or empty.
    """

    scene: str
    tags: tuple[str, ...]
    recent: tuple[str, ...]
    notes: str = ""
    operator: str = ""
    site: str = ""
    consent: str = ""


def idle_phase(panels: tuple[CameraPanel, ...]) -> RecordPhase:
    """What the button would do while nothing is recorded."""
    if not panels:
        return RecordPhase.NO_CAMERA
    return RecordPhase.WAITING if all(panel.frame is None for panel in panels) else RecordPhase.READY


def headline(
    phase: RecordPhase, panels: tuple[CameraPanel, ...], *, left_s: float, refused: str = ""
) -> tuple[str, Tone]:
    """The state in one sentence, and how bad it is.

    Args:
        phase: what the big button would do.
        panels: the cameras.
        left_s: for how long a recording finds room on the disk.
        refused: why the last try did not begin a recording, as long as that still holds.
    """
    lost = [panel.name for panel in panels if panel.tone is Tone.BAD]
    silent = [panel.name for panel in panels if panel.frame is None and panel.tone is not Tone.BAD]
    match phase:
        case RecordPhase.NO_CAMERA:
            return tr("No camera. Open one on the Cameras page."), Tone.WARNING
        case RecordPhase.WAITING:
            return tr("Waiting for the first picture of a camera."), Tone.WARNING
        case RecordPhase.STARTING:
            return tr("Starting ..."), Tone.CALM
        case RecordPhase.CLOSING:
            return tr("Writing what waits, then closing the session ..."), Tone.CALM
    if lost:
        others = tr("the others go on") if len(lost) < len(panels) else tr("no camera is left")
        named = joined(", ", lost)
        return tr_many(
            "{cameras} is lost; {others}.",
            "{cameras} are lost; {others}.",
            len(lost),
            cameras=named,
            others=others,
        ), Tone.BAD
    if refused and phase is RecordPhase.READY:
        return refused, Tone.BAD
    if left_s <= 0:
        return tr("The disk is nearly full. Make room, or choose another sessions folder."), Tone.WARNING
    if left_s < LOW_S:  # a fast rig fills a large disk in minutes, which is not full for that
        return tr("The disk has room for about {duration} at this rig's rate.").format(
            duration=duration_left(left_s)
        ), Tone.WARNING
    if phase is RecordPhase.RECORDING:
        return tr("Recording; every frame is counted."), Tone.CALM
    if silent:
        return tr("No picture from {silent} yet; it would not be recorded.").format(
            silent=joined(", ", silent)
        ), Tone.WARNING
    return tr("Ready."), Tone.CALM


def camera_panel(line: CameraLine, status: RecorderStatus | None) -> CameraPanel:
    """One camera at this moment."""
    words, tone = camera_words(line.state.latest())
    return CameraPanel(
        camera_id=line.info.id,
        name=from_below(line.info.name or line.info.id),
        words=words,
        tone=tone,
        frame=line.channel.newest.latest(),
        count=None if status is None else status.cameras.get(line.info.id),
    )


def camera_words(state: CameraState | None) -> tuple[str, Tone]:
    """What a camera is doing."""
    if state is None or state.status in {CameraStatus.STARTING, CameraStatus.OPEN}:
        return tr("Starting"), Tone.CALM
    match state.status:
        case CameraStatus.STREAMING:
            return tr("Live"), Tone.CALM
        case CameraStatus.SILENT:
            return tr("Sends no pictures"), Tone.WARNING
        case CameraStatus.LOST:
            return tr("Lost. ") + ("" if state.error is None else from_below(state.error.hint)), Tone.BAD
        case CameraStatus.ENDED:
            return tr("At its end"), Tone.WARNING
    return tr("Stopped"), Tone.WARNING


def cameras_check(panels: tuple[CameraPanel, ...]) -> Check:
    """Whether every camera sends pictures."""
    well = [panel for panel in panels if panel.frame is not None and panel.tone is Tone.CALM]
    words = tr("{live} of {count} send pictures").format(live=len(well), count=len(panels))
    if len(well) == len(panels):
        return Check(tr("Cameras"), words)
    silent = joined(", ", (panel.name for panel in panels if panel not in well))
    text = tr("No picture comes from {silent}.").format(silent=silent)
    return Check(tr("Cameras"), words, Caution(text, tr("The Cameras page says why.")))


def safety_words(view: RecordView) -> str:
    """How much would survive a power cut now, and how depth is written."""
    behind_s = max(0.0, view.seconds - view.synced_s)
    words = tr("Safe on the disk but for the last {behind_s:.1f} s").format(behind_s=behind_s)
    return tr("{words}. Depth is compact (JPEG XL).").format(words=words) if view.compact else sentence(words)


def loss_words(count: CameraCount) -> tuple[str, Tone]:
    """A camera's lost frames by cause, and how long it sent none, in words."""
    away = away_for(count.away_s) if count.away_s else ""
    if count.lost == 0:
        return (away, Tone.WARNING) if away else (tr("No frame lost"), Tone.CALM)
    causes = (
        (count.device_gap, tr("by the device")),
        (count.dropped, tr("because disk or encoders were too slow")),
        (count.unencoded, tr("could not be compressed")),
        (count.unwritten, tr("not taken by the disk")),
        (count.late, tr("after the recording had ended")),
    )
    return joined("; ", filter(None, (away, lost_frames(causes)))), Tone.WARNING


def refined_words(
    inference: InferenceState | None, rate_hz: float, status: RecorderStatus | None
) -> tuple[str, Tone]:
    """What is, or would be, recorded of refined depth.

    Args:
        inference: what the repair is doing.
        rate_hz: refined frames per second of all cameras; 0 before there are two.
        status: of the recording under way.
    """
    if status is not None:
        if not status.refined:
            return tr("This recording began without refined depth."), Tone.CALM
        written = sum(count.written for count in status.refined.values())
        frames = sum(count.written for count in status.cameras.values())
        dropped = sum(count.lost for count in status.refined.values())
        words = tr("Refined: {written:,} of {frames}").format(
            written=written, frames=tr_many("{count:,} frame", "{count:,} frames", frames)
        )
        return (
            tr("{words}, {dropped:,} not kept").format(words=words, dropped=dropped) if dropped else words
        ), Tone.CALM
    if inference is None or inference.status is InferenceStatus.OFF:
        return tr("The repair is off: choose a model on the Live page."), Tone.WARNING
    if inference.status is InferenceStatus.FAILED:
        return tr("The repair does not run: {message} {hint}").format(
            message=from_below(inference.message), hint=from_below(inference.hint)
        ).strip(), Tone.WARNING
    if inference.status is InferenceStatus.LOADING:
        return tr("{label} is being loaded.").format(label=from_below(inference.label)), Tone.CALM
    if not rate_hz:
        return tr("{label} has begun; its rate is not known yet.").format(
            label=from_below(inference.label)
        ), Tone.CALM
    return tr("{label} makes {rate_hz:.1f} per second; frames between have none.").format(
        label=from_below(inference.label), rate_hz=rate_hz
    ), Tone.CALM


def saved_from(folder: Path, reason: str, hint: str) -> Saved:
    """What is in the session that has just been closed, as its own files say."""
    entry = read_entry(folder)
    return Saved(folder, saved_words(entry), entry.lossless, reason or entry.failure, hint)


def saved_words(entry: SessionEntry) -> str:
    """What was saved, in one line."""
    if entry.problem:
        return tr("Saved, but it cannot be read: {problem}").format(problem=from_below(entry.problem))
    lost = tr("{lost:,} lost").format(lost=entry.lost) if entry.lost else ""
    away = away_cameras(entry)
    if not lost and not away:
        lost = tr("none lost")
    parts = [
        clock(entry.seconds),
        tr_many("{count:,} camera", "{count:,} cameras", len(entry.cameras)),
        tr_many("{count:,} frame", "{count:,} frames", entry.frames),
        *filter(None, (lost, away)),
    ]
    if entry.refined:
        parts.append(tr("{refined:,} refined").format(refined=entry.refined))
    return tr("Saved {name} ({parts})").format(name=session_name(entry), parts=joined(", ", parts))


def disk_words(left_s: float, free_bytes: int | None, *, known: bool, about: bool) -> str:
    """Room on the disk as time, or in bytes where no camera says how fast it fills."""
    if free_bytes is None:
        return tr("room unknown")
    if not known:
        return tr("{free_gb:,.0f} GB free").format(free_gb=free_bytes / 1e9)
    return time_left(left_s, about=about)
