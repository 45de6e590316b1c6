"""The way of one camera's frames: one slot for whoever wants the newest, taps for whoever wants all."""

import time
from collections.abc import Callable

from app.flow.meter import Meter
from app.flow.slot import Slot
from drivers.frame import Frame

Tap = Callable[[Frame], None]


class Channel:
    """Fans frames out in the camera's thread.

    Attributes:
        newest: the newest frame.
        meter: frame rate, and milliseconds from exposure to arrival.
        device_gaps: frames that the device's own counter skipped since the start.
    """

    def __init__(self) -> None:
        self.newest: Slot[Frame] = Slot()
        self.meter = Meter()
        self.device_gaps = 0
        self._taps: tuple[Tap, ...] = ()

    def deliver(self, frame: Frame) -> None:
        """Hand `frame` on; called in the camera's thread only. A tap must not block."""
        last = self.newest.latest()
        if last is not None and frame.index > last.index:
            self.device_gaps += frame.index - last.index - 1
        now_ns = time.monotonic_ns()
        self.meter.note(now_ns, (now_ns - frame.captured_ns) / 1e6)
        self.newest.put(frame)
        for tap in self._taps:
            tap(frame)

    def add_tap(self, tap: Tap) -> None:
        """Call `tap` with every frame from now on."""
        self._taps = (*self._taps, tap)

    def remove_tap(self, tap: Tap) -> None:
        """Stop calling `tap`; a call under way may still finish."""
        self._taps = tuple(other for other in self._taps if other != tap)
