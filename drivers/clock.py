"""A device's clock and frame counter, told as the host's monotonic clock and as indices that only grow."""

import time
from collections import deque
from dataclasses import dataclass
from enum import Enum

import numpy as np


class Clock(Enum):
    """Where a frame's `captured_ns` comes from."""

    HOST = "host"
    """This program chose the moment: files and simulated cameras."""
    DEVICE = "device"
    """The device's own time of the exposure, mapped to the host; good to about a millisecond."""
    STAMP = "stamp"
    """The device's or driver's own stamp, likewise mapped, where nothing tells how far it is from the middle
    of the exposure: off by up to an exposure and a readout."""
    ARRIVAL = "arrival"
    """When the frame reached this computer: late by exposure, readout and transfer."""


STAMPED = (Clock.DEVICE, Clock.STAMP)
"""Those in which the device's own clock is followed."""


@dataclass(frozen=True)
class ClockQuality:
    """How well a device's clock is known.

    Attributes:
        drift_ppm: how much too fast the device's clock runs against the host's, in millionths; None before
            enough time has passed to tell.
        residual_ms: by how much the line misses the arrivals that it is laid under, 95th percentile.
        span_s: of device time that the line rests on.
        restarts: how often the clock jumped or began anew, so that the line had to as well.
    """

    drift_ppm: float | None
    residual_ms: float
    span_s: float
    restarts: int = 0


BARELY_NS = 20_000_000


class ClockFit:
    """Follows a device's clock that starts anywhere and runs a little too fast or too slow.

    A frame arrives some delay after its exposure; the delay has a smallest value and is noisy upwards. So a
    line is laid under the points: its slope from the lowest point of each block (Theil-Sen, which outliers do
    not bend), its height from the lowest of all. What remains is the smallest delay, which no clock can tell.
    A clock that jumps by more than delays can explain is followed from there.
    """

    BLOCK = 15
    """Points of which the lowest counts."""
    BLOCKS = 60
    """Blocks that are remembered: half a minute at 30 Hz."""
    SLOPE_AFTER_NS = 5_000_000_000
    """Over a shorter time than this the noise would make a worse slope than none."""
    JUMP_NS = 250_000_000
    """No delay shrinks by so much from one frame to the next, and none grows so much for a whole block."""

    def __init__(self) -> None:
        self._last_ns = -1
        self._restarts = -1
        self._begin(0)

    def _begin(self, device_ns: int) -> None:
        self._origin_ns = device_ns
        self._slope = 0.0
        self._block: list[tuple[int, int]] = []
        self._lowest: deque[tuple[int, int]] = deque(maxlen=self.BLOCKS)
        self._floor_ns: float | None = None
        self._restarts += 1

    def host_ns(self, device_ns: int, arrival_ns: int) -> int:
        """The exposure on the host's clock, of a frame that was exposed at `device_ns` and came just now."""
        if self._last_ns < 0:
            self._origin_ns = device_ns
        elif device_ns < self._last_ns or self._is_early(device_ns, arrival_ns):
            self._begin(device_ns)
        self._last_ns = device_ns
        point = (device_ns - self._origin_ns, arrival_ns - device_ns)
        self._block.append(point)
        if len(self._block) == self.BLOCK:
            self._end_block()
        heights = [delay_ns - self._slope * at_ns for at_ns, delay_ns in self._block]
        if self._floor_ns is not None:
            heights.append(self._floor_ns)
        return device_ns + round(min(heights) + self._slope * (device_ns - self._origin_ns))

    @property
    def quality(self) -> ClockQuality | None:
        """How well the clock is known by now; None before the first block of frames."""
        if not self._lowest:
            return None
        at_ns, delay_ns = np.array(self._lowest, np.float64).T
        heights_ms = (delay_ns - self._slope * at_ns) / 1e6
        span_ns = float(at_ns[-1] - at_ns[0])
        return ClockQuality(
            # The delay shrinks while the device's clock runs ahead.
            drift_ppm=-self._slope * 1e6 if span_ns >= self.SLOPE_AFTER_NS else None,
            residual_ms=float(np.percentile(heights_ms - heights_ms.min(), 95)),
            span_s=span_ns / 1e9,
            restarts=self._restarts,
        )

    def _is_early(self, device_ns: int, arrival_ns: int) -> bool:
        """Whether the device's clock has jumped ahead: the frame would have come before its exposure."""
        if self._floor_ns is None:
            return False
        line_ns = self._floor_ns + self._slope * (device_ns - self._origin_ns)
        return arrival_ns - device_ns < line_ns - self.JUMP_NS

    def _end_block(self) -> None:
        lowest = min(self._block, key=lambda point: point[1] - self._slope * point[0])
        height_ns = lowest[1] - self._slope * lowest[0]
        if self._floor_ns is not None and height_ns > self._floor_ns + self.JUMP_NS:
            # The clock stood still for a while: every frame of the block seems late.
            block, device_ns = self._block, self._last_ns - self._block[-1][0] + self._block[0][0]
            shift_ns = device_ns - self._origin_ns
            self._begin(device_ns)
            self._block = [(at_ns - shift_ns, delay_ns) for at_ns, delay_ns in block]
            lowest = min(self._block, key=lambda point: point[1])
        self._block = []
        self._lowest.append(lowest)
        self._slope = self._theil_sen()
        self._floor_ns = min(delay_ns - self._slope * at_ns for at_ns, delay_ns in self._lowest)

    def _theil_sen(self) -> float:
        at_ns, delay_ns = np.array(self._lowest, np.float64).T
        if at_ns[-1] - at_ns[0] < self.SLOPE_AFTER_NS:
            return 0.0
        first, second = np.triu_indices(len(at_ns), k=1)
        return float(np.median((delay_ns[second] - delay_ns[first]) / (at_ns[second] - at_ns[first])))


def monotonic_from_epoch(epoch_ns: int) -> int:
    """A moment just now in nanoseconds since 1970, on the monotonic clock."""
    return epoch_ns - (time.time_ns() - time.monotonic_ns())


def exposed_ns(epoch_ns: int, now_ns: int) -> int:
    """A device's own time since 1970 of a frame that came at `now_ns`, on the monotonic clock.

    Two clocks that are right differ a little, so a time barely after the arrival is that of the arrival. One
    that is far from it is left as it is: whoever watches the clocks has to see that it is wrong.
    """
    host_ns = monotonic_from_epoch(epoch_ns)
    return now_ns if now_ns < host_ns < now_ns + BARELY_NS else host_ns


class FrameCounter:
    """Indices that go on growing when a device is opened again and starts to count anew.

    What was lost in between nobody counted; the time that passed says how much it was.

    Args:
        rate_hz: of the device; None for a recording, which loses nothing while it is closed.
    """

    def __init__(self, rate_hz: float | None) -> None:
        self._rate_hz = rate_hz
        self._offset: int | None = 0
        self._wanted = False
        self._last: tuple[int, int] | None = None

    def restart(self, *, rate_hz: float | None = None) -> None:
        """The device counts anew from here on.

        Args:
            rate_hz: the rate it now has, where it was told to go on at another one: that loses nothing.
        """
        self._offset = None
        self._wanted = rate_hz is not None
        if rate_hz is not None:
            self._rate_hz = rate_hz

    def index(self, number: int, captured_ns: int) -> int:
        """The index of the frame that the device calls `number`."""
        if self._last is not None:
            last, last_ns = self._last
            if self._offset is None or number + self._offset <= last:
                lossless = self._rate_hz is None or (self._offset is None and self._wanted)
                passed = 1 if lossless else round((captured_ns - last_ns) / 1e9 * (self._rate_hz or 0))
                self._offset = last + max(1, passed) - number
        self._offset = self._offset or 0
        index = number + self._offset
        self._last = (index, captured_ns)
        return index
