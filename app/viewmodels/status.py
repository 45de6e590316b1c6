"""What runs behind every page: engine, rate, recording, disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import InferenceState, InferenceStatus, Studio
from app.flow.meter import Reading
from app.language import from_below, joined, tr
from app.paths import free_bytes
from app.recording.room import LOW_S, lasts_s
from app.rigging import PlacesWatch
from app.viewmodels.playback import is_paused
from app.viewmodels.words import clock, size, time_left, with_precision

POLL_MS = 500
PLACES_EVERY_TICKS = 4
"""Two seconds: comparing two clouds takes a few milliseconds."""
DISK_EVERY_TICKS = 10


@dataclass(frozen=True)
class StatusItem:
    """One part of the status strip.

    Attributes:
        text: for the operator.
        tone: "", "ok", "warning" or "error".
    """

    text: str
    tone: str = ""


@dataclass(frozen=True)
class StatusLine:
    """The status strip.

    Attributes:
        engine: name and state of the repair.
        rate: repaired frames per second of all cameras.
        moments: how far apart the exposures of one moment are; empty with one camera.
        places: what is wrong with where the cameras stand; empty where nothing is, or nothing is known.
        recording: whether, for how long, and lost frames.
        disk: room that is left.
    """

    engine: StatusItem
    rate: StatusItem
    moments: StatusItem
    places: StatusItem
    recording: StatusItem
    disk: StatusItem


def engine_item(state: InferenceState | None) -> StatusItem:
    """Words for what the repair is doing."""
    if state is None:
        return StatusItem(tr("No camera open"))
    words = {
        InferenceStatus.OFF: StatusItem(tr("Repair off")),
        InferenceStatus.LOADING: StatusItem(tr("Loading {label}").format(label=from_below(state.label))),
        InferenceStatus.RUNNING: StatusItem(
            with_precision(joined(", ", filter(None, (from_below(state.label), from_below(state.message))))),
            "ok",
        ),
        InferenceStatus.FAILED: StatusItem(
            tr("{label}: failed").format(label=from_below(state.label) or tr("Repair")), "error"
        ),
    }
    return words[state.status]


def moments_item(spread: Reading, together: int, cameras: int) -> StatusItem:
    """Words for the sets of frames of one moment.

    Args:
        spread: sets per second, and from the first exposure of a set to the last.
        together: cameras in a set.
        cameras: of the rig.
    """
    if not spread.rate_hz or together < 2:
        return StatusItem(tr("Cameras not together"), "warning")
    within = tr("within {milliseconds} ms").format(milliseconds=max(1, round(spread.median_ms)))
    if together < cameras:
        return StatusItem(
            tr("{together} of {cameras} cameras {within}").format(
                together=together, cameras=cameras, within=within
            ),
            "warning",
        )
    return StatusItem(tr("{cameras} cameras {within}").format(cameras=cameras, within=within))


def rate_item(readings: Sequence[Reading]) -> StatusItem:
    """Frames of all cameras that are repaired in a second; nothing where a camera has too few for a rate.

    Args:
        readings: of each camera's repaired frames.
    """
    rate_hz = sum(reading.rate_hz for reading in readings)
    if not rate_hz or any(reading.events == 1 for reading in readings):
        return StatusItem("")
    return StatusItem(tr("{rate_hz:.1f} refined per s").format(rate_hz=rate_hz))


class StatusModel(QObject):
    """Polls the studio twice a second.

    Args:
        studio: what runs.
        sessions_folder: gives the folder whose disk is watched.

    Signals:
        changed: `StatusLine`.
    """

    changed = Signal(StatusLine)

    def __init__(
        self, studio: Studio, sessions_folder: Callable[[], Path], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._sessions_folder = sessions_folder
        self._ticks = 0
        self._watch = PlacesWatch()
        self._asked: Path | None = None
        self._disk = StatusItem("")
        self._last: StatusLine | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    def start(self) -> None:
        """Poll from now on."""
        self.poll()
        self._timer.start()

    def stop(self) -> None:
        """Poll no more."""
        self._timer.stop()

    def poll(self) -> None:
        """Look once; called by the timer."""
        folder = self._sessions_folder()
        if folder != self._asked or self._ticks % DISK_EVERY_TICKS == 0:
            self._asked, self._disk = folder, self._disk_item(folder)
        self._ticks += 1
        line = StatusLine(
            self._engine(), self._rate(), self._moments(), self._places(), self._recording(), self._disk
        )
        if line != self._last:
            self._last = line
            self.changed.emit(line)

    def _engine(self) -> StatusItem:
        pipeline = self._studio.pipeline
        if pipeline is None:
            return engine_item(None)
        return engine_item(
            pipeline.inference.latest() or InferenceState(InferenceStatus.LOADING, tr("the repair"))
        )

    def _rate(self) -> StatusItem:
        pipeline = self._studio.pipeline
        state = None if pipeline is None else pipeline.inference.latest()
        if pipeline is None or state is None or state.status is not InferenceStatus.RUNNING:
            return StatusItem("")
        return rate_item(pipeline.refined_readings())

    def _moments(self) -> StatusItem:
        pipeline = self._studio.pipeline
        if pipeline is None or len(pipeline.lines) < 2:
            return StatusItem("")
        if any(is_paused(line.camera) for line in pipeline.lines.values()):
            return StatusItem(tr("Replay paused"))
        moments = pipeline.moments
        return moments_item(moments.spread(), moments.together(), len(pipeline.lines))

    def _places(self) -> StatusItem:
        pipeline = self._studio.pipeline
        if pipeline is None:
            return StatusItem("")
        newest = {name: line.channel.newest.latest() for name, line in pipeline.lines.items()}
        names = {name: line.info.name for name, line in pipeline.lines.items()}
        if self._ticks % PLACES_EVERY_TICKS == 0:
            self._watch.look(pipeline.rig.latest(), newest, names)
        return StatusItem(self._watch.words, "warning")

    def _recording(self) -> StatusItem:
        recorder = self._studio.recorder
        if recorder is None:
            return StatusItem(tr("Saving ...") if self._studio.saving else tr("Not recording"))
        status = recorder.status()
        if status.error:
            return StatusItem(
                tr("Recording stopped: {error}").format(error=from_below(status.error)), "error"
            )
        lost = sum(count.lost for count in status.cameras.values())
        words = tr("Recording {clock}").format(clock=clock(status.seconds))
        return StatusItem(
            tr("{words}, {lost} lost").format(words=words, lost=lost) if lost else words, "error"
        )

    def _disk_item(self, folder: Path) -> StatusItem:
        try:
            free = free_bytes(folder.expanduser().absolute())
        except OSError as error:
            return StatusItem(
                tr("Disk: {strerror}").format(strerror=from_below(str(error.strerror))), "error"
            )
        if free is None:
            return StatusItem(tr("Disk: {disk}").format(disk=tr("room unknown")), "warning")
        pipeline = self._studio.pipeline
        left_s = lasts_s(free, None if pipeline is None else pipeline.bytes_per_s)
        if left_s >= LOW_S:
            return StatusItem(tr("{size} free").format(size=size(free)))
        words = tr("{size}, {left}").format(size=size(free), left=time_left(left_s))
        return StatusItem(words, "warning")
