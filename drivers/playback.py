"""Where the replay of a session stands: people play, pause, step and move it, and its cameras follow."""

import threading
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.session.reader import Session

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
_LATE_NS = 500_000_000
_LATECOMER = -1


@dataclass
class Cursor:
    """The place of one camera; only its own thread touches it.

    Attributes:
        times_ns: (N,) of its frames, from the session's start, ascending.
        next: position of the frame that it delivers next.
        round: how often the session was begun again.
        jumps: of the playback, as far as this camera has followed.
    """

    times_ns: NDArray[np.int64]
    next: int = 0
    round: int = 0
    jumps: int = 0


class Playback:
    """The clock that the cameras of one session share. All methods may be called from any thread.

    No frame is left out unless somebody moves or asks for it: a camera that falls behind holds the clock for
    all of them, or, where the pace is to be kept, shows its newest frame and counts those it left out.
    Moving goes from frame to frame of the camera that has most of them, the lead; the others show what they
    had at that moment.

    Attributes:
        session: that is replayed.
        lead: id of the camera whose frames are counted.
        loop: whether it begins again after the last frame.
    """

    def __init__(self, session: Session, *, loop: bool = True) -> None:
        self.session = session
        self.loop = loop
        filled = [camera for camera in session.cameras if session.count(camera.id)]
        assert filled, "a session without frames cannot be replayed"
        lead = max(filled, key=lambda camera: session.count(camera.id))
        self.lead = lead.id
        self._start_ns = session.start_ns
        self._lead_ns = session.times(lead.id) - self._start_ns
        self._period_ns = int(session.duration_s * 1e9 + 1e9 / max(lead.rate_hz, 1.0))
        self._changed = threading.Condition()
        self._playing = True
        self._speed = 1.0
        self._at_ns = 0  # from the session's start, rounds included, at `_since_ns` of the host's clock
        self._since_ns = time.monotonic_ns()
        self._jumps = 0
        self._jumped_to_ns = 0
        self._followers = 0
        self._skipping = False
        self._skipped = 0

    @property
    def playing(self) -> bool:
        """Whether it goes on by itself."""
        return self._playing

    @property
    def speed(self) -> float:
        """1.0 is that of the recording."""
        return self._speed

    @property
    def skipping(self) -> bool:
        """Whether frames are left out so that the pace is kept."""
        return self._skipping

    @property
    def skipped(self) -> int:
        """Frames of all cameras that were left out since that was asked for."""
        return self._skipped

    @property
    def length_ns(self) -> int:
        """Of the session, until it begins again."""
        return self._period_ns

    @property
    def frames(self) -> int:
        """Of the lead camera."""
        return int(self._lead_ns.size)

    @property
    def at_ns(self) -> int:
        """From the session's start."""
        with self._changed:
            return self._now_ns() % self._period_ns

    def frame_at(self, at_ns: int) -> int:
        """Position of the lead camera's frame at a time from the session's start."""
        return max(int(np.searchsorted(self._lead_ns, at_ns, "right")) - 1, 0)

    def time_of(self, frame: int) -> int:
        """Nanoseconds from the session's start to a frame of the lead camera."""
        return int(self._lead_ns[frame])

    def cursor(self, camera_id: str) -> Cursor:
        """A place for a camera of the session, at its first frame."""
        return Cursor(self.session.times(camera_id) - self._start_ns)

    def play(self) -> None:
        """Go on from here."""
        with self._changed:
            self._anchor(self._now_ns(), playing=True)

    def pause(self) -> None:
        """Stay here; what is due up to here is still delivered."""
        with self._changed:
            self._anchor(self._now_ns(), playing=False)

    def set_speed(self, speed: float) -> None:
        """Play faster or slower from here on."""
        assert speed > 0, speed
        with self._changed:
            at_ns = self._now_ns()
            self._speed = speed
            self._anchor(at_ns, playing=self._playing)

    def set_skipping(self, skipping: bool) -> None:
        """Keep the pace, or show every frame however long it takes."""
        with self._changed:
            self._skipping, self._skipped = skipping, 0
            self._anchor(self._now_ns(), playing=self._playing)

    def seek(self, at_ns: int) -> None:
        """Go to the frame at a time from the session's start, and play on from there or stay there."""
        self._jump(self.frame_at(at_ns), playing=self._playing)

    def step(self, frames: int) -> None:
        """Stay, so many frames of the lead camera later or earlier; forward no frame is left out."""
        with self._changed:
            now_ns = self._now_ns()
            round_ns = now_ns - now_ns % self._period_ns
            target = self.frame_at(now_ns % self._period_ns) + frames
            if frames > 0:
                rounds, target = divmod(target, self.frames)
                if rounds and not self.loop:
                    rounds, target = 0, self.frames - 1
                self._anchor(round_ns + rounds * self._period_ns + self.time_of(target), playing=False)
                return
        self._jump(max(target, 0), playing=False)

    def join(self, cursor: Cursor) -> None:
        """A camera is opened: the first one begins the session, others come in where it stands."""
        with self._changed:
            self._followers += 1
            if self._followers == 1:
                self._jumps = 0
                self._anchor(0, playing=True)
            cursor.next = cursor.round = 0
            fresh = self._jumps == 0 and self._now_ns() < _LATE_NS
            cursor.jumps = self._jumps if fresh else _LATECOMER

    def leave(self) -> None:
        """A camera is closed."""
        with self._changed:
            self._followers -= 1

    def follow(self, cursor: Cursor, *, timeout_s: float) -> bool:
        """Wait until the frame at `cursor.next` is to be delivered; false if that is not so in time.

        Where somebody has moved, or the pace is to be kept and more frames are due, the cursor goes to the
        newest frame of that moment, which is to be delivered at once.
        """
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        with self._changed:
            while True:
                if cursor.jumps != self._jumps:
                    self._move(cursor)
                    return True
                now_ns = time.monotonic_ns()
                at_ns = int(cursor.times_ns[cursor.next]) + cursor.round * self._period_ns
                until_ns = deadline_ns
                if self._playing:
                    due_ns = self._since_ns + int((at_ns - self._at_ns) / self._speed)
                    if self._skipping and due_ns <= now_ns:
                        self._skip(cursor)
                        return True
                    if now_ns - due_ns > _LATE_NS:
                        self._since_ns += now_ns - due_ns  # everybody waits for the slow one
                    if due_ns <= now_ns:
                        return True
                    until_ns = min(due_ns, deadline_ns)
                elif at_ns <= self._at_ns:
                    return True
                if now_ns >= deadline_ns:
                    return False
                self._changed.wait((until_ns - now_ns) / 1e9)

    def _skip(self, cursor: Cursor) -> None:
        at_ns = self._now_ns() - cursor.round * self._period_ns
        newest = int(np.searchsorted(cursor.times_ns, at_ns, "right")) - 1
        self._skipped += max(newest - cursor.next, 0)
        cursor.next = max(newest, cursor.next)

    def _move(self, cursor: Cursor) -> None:
        # Exactly there, also when time has gone on since; who comes late begins where the others are.
        at_ns = self._now_ns() if cursor.jumps == _LATECOMER else self._jumped_to_ns
        cursor.jumps = self._jumps
        cursor.round = at_ns // self._period_ns
        found = np.searchsorted(cursor.times_ns, at_ns % self._period_ns, "right")
        cursor.next = max(int(found) - 1, 0)

    def _jump(self, frame: int, *, playing: bool) -> None:
        with self._changed:
            self._jumps += 1
            self._jumped_to_ns = self.time_of(frame)
            self._anchor(self._jumped_to_ns, playing=playing)

    def _anchor(self, at_ns: int, *, playing: bool) -> None:
        self._at_ns, self._since_ns, self._playing = at_ns, time.monotonic_ns(), playing
        self._changed.notify_all()

    def _now_ns(self) -> int:
        if not self._playing:
            return self._at_ns
        return max(self._at_ns + int((time.monotonic_ns() - self._since_ns) * self._speed), 0)
