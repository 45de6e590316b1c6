"""State of the playback bar: where the replay of the rig stands, with pictures and marks along it."""

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import Pipeline, Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import tr
from app.viewmodels.words import clock
from drivers.errors import SessionError
from drivers.playback import Playback

POLL_MS = 50
PICTURES = 16
PICTURE_WIDTH_PX = 120


@dataclass(frozen=True)
class Mark:
    """A moment that somebody marked while recording.

    Attributes:
        share: of the session, 0 to 1.
        text: what was said.
    """

    share: float
    text: str


@dataclass(frozen=True)
class PlaybackView:
    """What the bar shows.

    Attributes:
        playing: whether it goes on by itself.
        speed: 1.0 is that of the recording.
        share: of the session, 0 to 1.
        time: "00:12 of 01:05".
        frame: "frame 361 of 1,950", and how many were skipped.
        skipping: whether frames are left out to keep the pace.
    """

    playing: bool
    speed: float
    share: float
    time: str
    frame: str
    skipping: bool = False


@dataclass(frozen=True, eq=False)
class Filmstrip:
    """What lies along the session.

    Attributes:
        pictures: (H, W, 3) uint8 RGB, at equal distances; None where one is not read yet or damaged.
        marks: in their order.
    """

    pictures: tuple[NDArray[np.uint8] | None, ...] = (None,) * PICTURES
    marks: tuple[Mark, ...] = ()


class PlaybackModel(QObject):
    """Finds the playback of the rig that runs, and follows it.

    Args:
        studio: whose rig may be a replay.

    Signals:
        offered: whether there is a playback.
        view_changed: `PlaybackView`.
        strip_changed: `Filmstrip`.
    """

    offered = Signal(bool)
    view_changed = Signal(PlaybackView)
    strip_changed = Signal(Filmstrip)

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._pipeline: Pipeline | None = None
        self._playback: Playback | None = None
        self._view: PlaybackView | None = None
        self._reader: Worker | None = None
        self._strip: Slot[Filmstrip] = Slot()
        self._strip_seen = 0
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def playback(self) -> Playback | None:
        """Of the rig that runs; None where it is live."""
        return self._playback

    def start(self) -> None:
        """Follow from now on."""
        self._timer.start()
        self.poll()

    def stop(self) -> None:
        """Follow no more, and join the thread that reads pictures."""
        self._timer.stop()
        if self._reader is not None:
            self._reader.stop()

    def toggle(self) -> None:
        """Play, or pause."""
        if self._playback is not None:
            (self._playback.pause if self._playback.playing else self._playback.play)()
            self.poll()

    def step(self, frames: int) -> None:
        """So many frames later or earlier, and stay there."""
        if self._playback is not None:
            self._playback.step(frames)
            self.poll()

    def seek(self, share: float) -> None:
        """Go to a place of the session, 0 to 1."""
        if self._playback is not None:
            self._playback.seek(int(min(max(share, 0.0), 1.0) * (self._playback.length_ns - 1)))
            self.poll()

    def to_end(self) -> None:
        """Go to the last frame and stay there, as playing would begin again at once."""
        if self._playback is not None:
            self._playback.pause()
            self.seek(1.0)

    def set_speed(self, speed: float) -> None:
        """Play faster or slower."""
        if self._playback is not None:
            self._playback.set_speed(speed)
            self.poll()

    def set_skipping(self, skipping: bool) -> None:
        """Keep the pace, or show every frame."""
        if self._playback is not None:
            self._playback.set_skipping(skipping)
            self.poll()

    def poll(self) -> None:
        """Look once; the timer calls this."""
        if self._studio.pipeline is not self._pipeline:
            self._take(self._studio.pipeline)
        if self._playback is None:
            return
        view = _view(self._playback)
        if view != self._view:
            self._view = view
            self.view_changed.emit(view)
        newer = self._strip.newer_than(self._strip_seen, timeout_s=0)
        if newer is not None:
            self._strip_seen = newer[0]
            self.strip_changed.emit(newer[1])

    def _take(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline
        cameras = [] if pipeline is None else [line.camera for line in pipeline.lines.values()]
        found = [getattr(camera, "playback", None) for camera in cameras]
        self._playback = next((playback for playback in found if isinstance(playback, Playback)), None)
        self._view = None
        if self._reader is not None:
            self._reader.stop()
            self._reader = None
        self.offered.emit(self._playback is not None)
        if self._playback is not None:
            self._strip, self._strip_seen = Slot(), 0
            self._read_strip(self._playback, self._strip)

    def _read_strip(self, playback: Playback, strip: Slot[Filmstrip]) -> None:
        def work(stop: threading.Event) -> None:
            pictures: list[NDArray[np.uint8] | None] = [None] * PICTURES
            marks = _marks(playback)
            strip.put(Filmstrip(tuple(pictures), marks))
            for number in range(PICTURES):
                if stop.is_set():
                    return
                pictures[number] = _picture(playback, (number + 0.5) / PICTURES)
                strip.put(Filmstrip(tuple(pictures), marks))

        self._reader = Worker("filmstrip", work)
        self._reader.start()


def is_paused(camera: object) -> bool:
    """Whether a camera replays a session that stands still."""
    playback = getattr(camera, "playback", None)
    return isinstance(playback, Playback) and not playback.playing


def replay_place(pipeline: Pipeline | None, folder: Path) -> float | None:
    """Seconds into the session in `folder` at which its replay stands; None where it is not replayed."""
    for line in () if pipeline is None else pipeline.lines.values():
        playback = getattr(line.camera, "playback", None)
        if isinstance(playback, Playback) and playback.session.path == folder:
            return playback.at_ns / 1e9
    return None


def _view(playback: Playback) -> PlaybackView:
    at_ns, length_ns = playback.at_ns, playback.length_ns
    frame = tr("frame {frame_at:,} of {frames:,}").format(
        frame_at=playback.frame_at(at_ns) + 1, frames=playback.frames
    )
    return PlaybackView(
        playing=playback.playing,
        speed=playback.speed,
        share=at_ns / length_ns,
        time=tr("{position} of {length}").format(position=clock(at_ns / 1e9), length=clock(length_ns / 1e9)),
        frame=tr("{frame}, {skipped:,} skipped").format(frame=frame, skipped=playback.skipped)
        if playback.skipping
        else frame,
        skipping=playback.skipping,
    )


def _marks(playback: Playback) -> tuple[Mark, ...]:
    session = playback.session
    try:
        events = session.labels.events.values()
    except SessionError:
        return ()  # the Sessions page says what is wrong with its labels
    shares = [
        ((event.start_ns - session.start_ns) / playback.length_ns, event.value)
        for event in events
        if event.kind == "mark" and event.start_ns is not None
    ]
    return tuple(Mark(share, text) for share, text in sorted(shares) if 0 <= share <= 1)


def _picture(playback: Playback, share: float) -> NDArray[np.uint8] | None:
    import cv2

    frame = playback.frame_at(int(share * playback.length_ns))
    try:
        color = playback.session.color(playback.lead, frame)
    except SessionError:
        return None  # a gap in the strip; the camera says what is damaged when it comes there
    height, width = color.shape[:2]
    size = (PICTURE_WIDTH_PX, max(round(height * PICTURE_WIDTH_PX / width), 1))
    return np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_AREA), np.uint8)
