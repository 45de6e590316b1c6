"""What the recording page shows, in values and words."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from app.compose import CameraLine, InferenceState, InferenceStatus
from app.flow.capture import CameraState, CameraStatus
from app.recording.counts import CameraCount, RecorderStatus
from app.recording.entry import SessionEntry
from app.recording.guards import Caution
from app.recording.library import read_entry
from app.recording.preflight import Check
from app.viewmodels.words import counted, duration, lost_frames, time_left
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
    ("glass", "Glass here"),
    ("mirror", "Mirror here"),
    ("sun", "Bright sun"),
    ("dark", "Dark here"),
    ("people", "People"),
    ("", "Other"),
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


def headline(phase: RecordPhase, panels: tuple[CameraPanel, ...], *, low: bool) -> tuple[str, Tone]:
    """The state in one sentence, and how bad it is."""
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


def camera_panel(line: CameraLine, status: RecorderStatus | None) -> CameraPanel:
    """One camera at this moment."""
    words, tone = camera_words(line.state.latest())
    return CameraPanel(
        camera_id=line.info.id,
        name=line.info.name or line.info.id,
        words=words,
        tone=tone,
        frame=line.channel.newest.latest(),
        count=None if status is None else status.cameras.get(line.info.id),
    )


def camera_words(state: CameraState | None) -> tuple[str, Tone]:
    """What a camera is doing."""
    if state is None or state.status in {CameraStatus.STARTING, CameraStatus.OPEN}:
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


def safety_words(view: RecordView) -> str:
    """How much would survive a power cut now, and how depth is written."""
    behind_s = max(0.0, view.seconds - view.synced_s)
    words = f"Safe on the disk but for the last {behind_s:.1f} s"
    return f"{words}. Depth is compact (JPEG XL)." if view.compact else f"{words}."


def loss_words(count: CameraCount) -> tuple[str, Tone]:
    """A camera's lost frames, by cause, in words."""
    if count.lost == 0:
        return "No frame lost", Tone.CALM
    causes = (
        (count.device_gap, "by the device"),
        (count.dropped, "dropped: disk or encoders too slow"),
        (count.unencoded, "could not be compressed"),
        (count.unwritten, "not taken by the disk"),
        (count.late, "after the recording had ended"),
    )
    return lost_frames(causes), Tone.WARNING


def refined_words(
    inference: InferenceState | None, rate_hz: float, status: RecorderStatus | None
) -> tuple[str, Tone]:
    """What is, or would be, recorded of refined depth.

    Args:
        inference: what the repair is doing.
        rate_hz: refined frames per second of all cameras.
        status: of the recording under way.
    """
    if status is not None:
        if not status.refined:
            return "This recording began without refined depth.", Tone.CALM
        written = sum(count.written for count in status.refined.values())
        frames = sum(count.written for count in status.cameras.values())
        dropped = sum(count.lost for count in status.refined.values())
        words = f"Refined: {written:,} of {counted(frames, 'frame')}"
        return (f"{words}, {dropped:,} not kept" if dropped else words), Tone.CALM
    if inference is None or inference.status is InferenceStatus.OFF:
        return "The repair is off: choose a model on the Live page.", Tone.WARNING
    if inference.status is InferenceStatus.FAILED:
        return f"The repair does not run: {inference.message} {inference.hint}".strip(), Tone.WARNING
    if inference.status is InferenceStatus.LOADING:
        return f"{inference.label} is being loaded.", Tone.CALM
    return f"{inference.label} makes {rate_hz:.1f} per second; frames between have none.", Tone.CALM


def saved_from(folder: Path, reason: str, hint: str) -> Saved:
    """What is in the session that has just been closed, as its own files say."""
    entry = read_entry(folder)
    return Saved(folder, saved_words(entry), entry.lost, reason or entry.failure, hint)


def saved_words(entry: SessionEntry) -> str:
    """What was saved, in one line."""
    if entry.problem:
        return f"Saved, but it cannot be read: {entry.problem}"
    lost = "none lost" if entry.lost == 0 else f"{entry.lost:,} lost"
    parts = [
        duration(entry.seconds),
        counted(len(entry.cameras), "camera"),
        counted(entry.frames, "frame"),
        lost,
    ]
    if entry.refined:
        parts.append(f"{entry.refined:,} refined")
    return f"Saved: {', '.join(parts)}"


def disk_words(left_s: float, free_bytes: int, *, known: bool, about: bool) -> str:
    """Room on the disk as time, or in bytes where no camera says how fast it fills."""
    if not known:
        return f"{free_bytes / 1e9:,.0f} GB free"
    words = time_left(left_s)
    return f"about {words}" if about and not words.startswith("over") else words
