"""Puts the frames of cameras that run at rates of their own together into sets of one moment."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.frame import Frame, FrameSet

PATIENCE_NS = 250_000_000
"""How long a set waits for a camera: more than any device needs to send what it exposed."""
FIRST_NS = 1_000_000_000
"""No camera is waited for longer than this before its first frame."""
SLOWEST_HZ = 0.1
"""A session of another program may say that a camera has no rate at all."""
TOLERANCE = 0.6
"""Of a camera's period. The nearest of its exposures is never further than half of it, but for jitter."""


@dataclass(eq=False)
class _Stream:
    """One camera's frames that are in no set yet.

    Attributes:
        period_ns: between two of its frames.
        last_ns: newest exposure; None before the first frame.
        frames: in the order of their exposures.
    """

    period_ns: float
    last_ns: int | None = None
    frames: deque[Frame] = field(default_factory=deque)

    @property
    def patience_ns(self) -> float:
        """Silent for longer than this, the camera is waited for no more."""
        return max(PATIENCE_NS, 3 * self.period_ns)


class FrameSync:
    """Makes one set for each frame of the slowest camera, with the nearest frame of every other camera.

    A frame is in one set at most. A camera that is silent, or has lost the frame in question, is missing from
    the set; when the slowest is silent, the slowest of the others leads. Nothing is decided by the time at
    which frames come, only by their exposures, so it does not matter which camera sends late.

    Args:
        rates_hz: by camera id.
    """

    def __init__(self, rates_hz: Mapping[str, float]) -> None:
        self._streams: dict[str, _Stream] = {}
        for name, rate_hz in rates_hz.items():
            self.join(name, rate_hz)
        self._lead = ""
        self._first_ns: int | None = None
        self._done_ns = -1

    def join(self, camera_id: str, rate_hz: float) -> None:
        """A camera comes to the others, or runs at another rate from now on."""
        period_ns = 1e9 / max(rate_hz, SLOWEST_HZ)
        self._streams.setdefault(camera_id, _Stream(period_ns)).period_ns = period_ns

    def add(self, frame: Frame) -> list[FrameSet]:
        """Take one frame, and give the sets that it completes, oldest first."""
        stream = self._streams[frame.camera_id]
        stream.frames.append(frame)
        stream.last_ns = max(frame.captured_ns, stream.last_ns or 0)
        if self._first_ns is None:
            self._first_ns = frame.captured_ns
        now_ns = max(other.last_ns for other in self._streams.values() if other.last_ns is not None)
        self._follow_lead(now_ns)
        lead = self._streams[self._lead]
        sets = []
        while lead.frames and self._decidable(lead.frames[0].captured_ns, now_ns):
            sets.append(self._set_of(lead.frames.popleft()))
        self._forget(now_ns)
        return sets

    def _follow_lead(self, now_ns: int) -> None:
        """The slowest camera that is not silent leads; of equals the first."""
        awake = [name for name, stream in self._streams.items() if self._awake(stream, now_ns)]
        lead = max(awake, key=lambda name: self._streams[name].period_ns)
        if lead == self._lead:
            return
        self._lead = lead
        frames = self._streams[lead].frames
        while frames and frames[0].captured_ns <= self._done_ns:
            frames.popleft()

    @staticmethod
    def _awake(stream: _Stream, now_ns: int) -> bool:
        return stream.last_ns is not None and now_ns - stream.last_ns <= stream.patience_ns

    def _decidable(self, moment_ns: int, now_ns: int) -> bool:
        """Whether no camera that is awake can still send a frame nearer to this moment."""
        return all(self._has_passed(stream, moment_ns, now_ns) for stream in self._streams.values())

    def _has_passed(self, stream: _Stream, moment_ns: int, now_ns: int) -> bool:
        if (
            stream.last_ns is None
        ):  # in the first moments every camera is waited for, later none that never came
            return self._first_ns is None or now_ns - self._first_ns > min(stream.patience_ns, FIRST_NS)
        waited_long = now_ns - moment_ns > stream.patience_ns
        return stream.last_ns >= moment_ns or waited_long or not self._awake(stream, now_ns)

    def _set_of(self, lead: Frame) -> FrameSet:
        moment_ns = lead.captured_ns
        frames = {}
        for name, stream in self._streams.items():
            if name == self._lead:
                frames[name] = lead
            elif (nearest := _take_nearest(stream, moment_ns)) is not None:
                frames[name] = nearest
        self._done_ns = moment_ns
        return FrameSet(frames)

    def _forget(self, now_ns: int) -> None:
        """Let go of what cannot become part of a set any more; frames are large."""
        for stream in self._streams.values():
            while stream.frames and now_ns - stream.frames[0].captured_ns > 2 * stream.patience_ns:
                stream.frames.popleft()


def _take_nearest(stream: _Stream, moment_ns: int) -> Frame | None:
    """The frame nearest to the moment, taken out together with all before it; None if none is near."""
    frames = stream.frames
    while len(frames) > 1 and _distance_ns(frames[1], moment_ns) <= _distance_ns(frames[0], moment_ns):
        frames.popleft()
    if frames and _distance_ns(frames[0], moment_ns) <= TOLERANCE * stream.period_ns:
        return frames.popleft()
    return None


def _distance_ns(frame: Frame, moment_ns: int) -> int:
    return abs(frame.captured_ns - moment_ns)
