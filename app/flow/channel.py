"""The way of one camera's frames: one slot for whoever wants the newest, taps for whoever wants all."""

import time

from app.flow.clocks import ClockWatch
from app.flow.meter import Meter
from app.flow.slot import Slot
from app.flow.taps import Taps
from drivers.frame import Frame


class Channel:
    """Fans frames out in the camera's thread.

    Attributes:
        newest: the newest frame.
        taps: get every frame.
        meter: frame rate, and milliseconds from exposure to arrival.
        clock: the camera's clock; a frame whose time cannot be true goes on with that of its arrival.
        device_gaps: frames that the device's own counter skipped since the start.
    """

    def __init__(self) -> None:
        self.newest: Slot[Frame] = Slot()
        self.meter = Meter()
        self.clock = ClockWatch()
        self.device_gaps = 0
        self.taps: Taps[Frame] = Taps()

    def deliver(self, frame: Frame) -> None:
        """Hand `frame` on; called in the camera's thread only."""
        last = self.newest.latest()
        if last is not None and frame.index > last.index:
            self.device_gaps += frame.index - last.index - 1
        now_ns = time.monotonic_ns()
        frame = self.clock.checked(frame, now_ns)
        self.meter.note(now_ns, (now_ns - frame.captured_ns) / 1e6)
        self.newest.put(frame)
        self.taps(frame)
