"""A device's clock and frame counter, told as the host's monotonic clock and as indices that only grow."""

import time
from collections import deque
from enum import Enum

import numpy as np


class Clock(Enum):
    """Where a frame's `captured_ns` comes from."""

    HOST = "host"
    """This program chose the moment: files and simulated cameras."""
    DEVICE = "device"
    """The device's own time of the exposure, mapped to the host; good to about a millisecond."""
    ARRIVAL = "arrival"
    """When the frame reached this computer: late by exposure, readout and transfer."""


class ClockFit:
    """Follows a device's clock that starts anywhere and runs a little too fast or too slow.

    A frame arrives some delay after its exposure; the delay has a smallest value and is noisy upwards. So a
    line is laid under the points: its slope from the lowest point of each block (Theil-Sen, which outliers do
    not bend), its height from the lowest of all. What remains is the smallest delay, which no clock can tell.
    """

    BLOCK = 15
    """Points of which the lowest counts."""
    BLOCKS = 60
    """Blocks that are remembered: half a minute at 30 Hz."""
    SLOPE_AFTER_NS = 5_000_000_000
    """Over a shorter time than this the noise would make a worse slope than none."""

    def __init__(self) -> None:
        self._origin_ns = 0
        self._last_ns = -1
        self._slope = 0.0
        self._block: list[tuple[int, int]] = []
        self._lowest: deque[tuple[int, int]] = deque(maxlen=self.BLOCKS)

    def host_ns(self, device_ns: int, arrival_ns: int) -> int:
        """The exposure on the host's clock, of a frame that was exposed at `device_ns` and came just now."""
        if self._last_ns < 0 or device_ns < self._last_ns:  # the first, or the device was restarted
            self._origin_ns = device_ns
            self._slope = 0.0
            self._block = []
            self._lowest.clear()
        self._last_ns = device_ns
        point = (device_ns - self._origin_ns, arrival_ns - device_ns)
        self._block.append(point)
        if len(self._block) == self.BLOCK:
            self._lowest.append(self._under(self._block))
            self._block = []
            self._slope = self._theil_sen()
        points = [*self._lowest, self._under(self._block)] if self._block else list(self._lowest)
        height_ns = min(delay_ns - self._slope * at_ns for at_ns, delay_ns in points)
        return device_ns + round(height_ns + self._slope * point[0])

    def _under(self, points: list[tuple[int, int]]) -> tuple[int, int]:
        return min(points, key=lambda point: point[1] - self._slope * point[0])

    def _theil_sen(self) -> float:
        at_ns, delay_ns = np.array(self._lowest, np.float64).T
        if at_ns[-1] - at_ns[0] < self.SLOPE_AFTER_NS:
            return 0.0
        first, second = np.triu_indices(len(at_ns), k=1)
        return float(np.median((delay_ns[second] - delay_ns[first]) / (at_ns[second] - at_ns[first])))


def monotonic_from_epoch(epoch_ns: int) -> int:
    """A moment just now in nanoseconds since 1970, on the monotonic clock."""
    return epoch_ns - (time.time_ns() - time.monotonic_ns())


class FrameCounter:
    """Indices that go on growing when a device is opened again and starts to count anew.

    What was lost in between nobody counted; the time that passed says how much it was.

    Args:
        rate_hz: of the device; None for a recording, which loses nothing while it is closed.
    """

    def __init__(self, rate_hz: float | None) -> None:
        self._rate_hz = rate_hz
        self._offset: int | None = 0
        self._last: tuple[int, int] | None = None

    def restart(self) -> None:
        """The device counts anew from here on."""
        self._offset = None

    def index(self, number: int, captured_ns: int) -> int:
        """The index of the frame that the device calls `number`."""
        if self._last is not None:
            last, last_ns = self._last
            if self._offset is None or number + self._offset <= last:
                passed = 1 if self._rate_hz is None else round((captured_ns - last_ns) / 1e9 * self._rate_hz)
                self._offset = last + max(1, passed) - number
        self._offset = self._offset or 0
        index = number + self._offset
        self._last = (index, captured_ns)
        return index
