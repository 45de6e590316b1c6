"""Sets of frames of one moment, made while the cameras' threads deliver."""

import threading
import time
from collections import deque
from statistics import median

from app.flow.meter import Meter, Reading
from app.flow.phase import Phase, PhaseMeter
from app.flow.slot import Slot
from app.flow.sync import FrameSync
from drivers.frame import Frame, FrameSet

RECENT = 30
"""Sets by which it is told how many cameras are together: a second of them."""


class Moments:
    """Takes frames from all threads.

    Args:
        reference: id of the camera that the others' exposures are measured against.

    Attributes:
        newest: the newest set.
    """

    def __init__(self, reference: str = "") -> None:
        self._phases = PhaseMeter(reference)
        self.newest: Slot[FrameSet] = Slot()
        self._sync = FrameSync({})
        self._spread = Meter()
        self._sizes: deque[int] = deque(maxlen=RECENT)
        self._lock = threading.Lock()

    def note(self, frame: Frame, rate_hz: float) -> None:
        """Take one frame of a camera that runs at `rate_hz`; called in the camera's thread."""
        with self._lock:
            self._sync.join(frame.camera_id, rate_hz)
            sets = self._sync.add(frame)
            for found in sets:
                self._spread.note(time.monotonic_ns(), found.spread_ms)
                self._phases.note(found)
                self._sizes.append(len(found.frames))
                self.newest.put(found)

    def forget(self) -> None:
        """Let go of every frame."""
        with self._lock:
            self._sync = FrameSync({})
            self.newest.clear()

    def together(self) -> int:
        """Cameras in a set, as most of the newest sets have them; 0 before the first."""
        with self._lock:
            return round(median(self._sizes)) if self._sizes else 0

    def spread(self) -> Reading:
        """Sets per second, and their spread in milliseconds, over the last two seconds."""
        return self._spread.read(time.monotonic_ns())

    @property
    def reference(self) -> str:
        """Id of the camera that the others' exposures are measured against."""
        return self._phases.reference

    def phases(self) -> dict[str, Phase]:
        """How each camera's exposures lie against those of the reference, by its id."""
        with self._lock:
            return self._phases.read()
