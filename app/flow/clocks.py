"""Watches the clock of one camera: how good it is, and whether its times can be true at all."""

from dataclasses import dataclass, replace

from drivers.clock import BARELY_NS, STAMPED, Clock, ClockFit, ClockQuality
from drivers.frame import Frame

LATEST_NS = 1_000_000_000
"""No camera takes longer from an exposure to its arrival here."""


@dataclass(frozen=True)
class ClockState:
    """What is known of a camera's clock.

    Attributes:
        clock: where the newest frame's time comes from.
        quality: how well a device's clock is known; None of other clocks, and in the first moments.
        wrong_by_s: how far the newest frame's own time was from any that could be true; 0 while all is well.
        corrected: frames so far whose time was replaced by that of their arrival.
    """

    clock: Clock = Clock.HOST
    quality: ClockQuality | None = None
    wrong_by_s: float = 0.0
    corrected: int = 0


class ClockWatch:
    """Called with every frame of one camera, in its thread."""

    def __init__(self) -> None:
        self._fit = ClockFit()
        self._clock = Clock.HOST
        self._wrong_by_s = 0.0
        self._corrected = 0

    @property
    def state(self) -> ClockState:
        """What is known by now."""
        quality = self._fit.quality if self._clock in STAMPED else None
        return ClockState(self._clock, quality, self._wrong_by_s, self._corrected)

    def checked(self, frame: Frame, now_ns: int) -> Frame:
        """The frame that arrived at `now_ns`, with its time of arrival where its own cannot be true."""
        if frame.clock in STAMPED:
            self._fit.host_ns(frame.device_ns, now_ns)
            age_ns = now_ns - frame.captured_ns
            if not -BARELY_NS <= age_ns <= LATEST_NS:
                self._wrong_by_s = -age_ns / 1e9
                self._corrected += 1
                # Its inertial readings are of the same clock.
                imu = tuple(replace(read, captured_ns=read.captured_ns + age_ns) for read in frame.imu)
                frame = replace(frame, captured_ns=now_ns, clock=Clock.ARRIVAL, imu=imu)
            else:
                self._wrong_by_s = 0.0
        self._clock = frame.clock
        return frame
