"""Whether the computer's clock is right, and how a camera's clock runs against it, for `/clock_sync`."""

import ctypes
import sys
from collections import deque
from dataclasses import dataclass

import numpy as np

POINTS = 600
"""Exposures that a fit is laid through: 20 s at 30 Hz."""
_UNSYNCHRONISED = 0x0040  # STA_UNSYNC of Linux's timex.h
_NANOSECONDS = 0x2000  # STA_NANO: the offset is in nanoseconds
_CLOCK_ERROR = 5  # TIME_ERROR


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),  # more than the kernel writes
    )


@dataclass(frozen=True)
class NetworkTime:
    """What the kernel says of the system clock, which NTP or PTP steers.

    Attributes:
        synchronised: whether a time server steers it now.
        offset_ns: that is still to be corrected.
        most_error_us: by which it may be wrong.
        likely_error_us: by which it probably is.
    """

    synchronised: bool
    offset_ns: int
    most_error_us: int
    likely_error_us: int


def network_time() -> NetworkTime | None:
    """The state of the system clock; None where the system does not tell, as on Windows."""
    if not sys.platform.startswith("linux"):
        return None
    state = _Timex()
    result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    if result < 0:
        return None
    return NetworkTime(
        synchronised=result != _CLOCK_ERROR and not state.status & _UNSYNCHRONISED,
        offset_ns=state.offset if state.status & _NANOSECONDS else state.offset * 1000,
        most_error_us=state.maxerror,
        likely_error_us=state.esterror,
    )


@dataclass(frozen=True)
class ClockLine:
    """host_ns = host_per_device * (device_ns - at_device_ns) + at_host_ns.

    Attributes:
        at_device_ns: the latest exposure on the device's clock.
        at_host_ns: the same moment on the host's monotonic clock, by the fit.
        host_per_device: how fast the device's clock runs.
        residual_us: root mean square of what the line leaves.
        points: exposures that it goes through.
    """

    at_device_ns: int
    at_host_ns: int
    host_per_device: float
    residual_us: float
    points: int


class ClockLineFit:
    """A least-squares line through the latest exposures of one camera on both clocks."""

    def __init__(self) -> None:
        self._points: deque[tuple[int, int]] = deque(maxlen=POINTS)

    def add(self, device_ns: int, host_ns: int) -> None:
        """One exposure."""
        if self._points and device_ns <= self._points[-1][0]:
            self._points.clear()  # the device was restarted
        self._points.append((device_ns, host_ns))

    def line(self) -> ClockLine | None:
        """The fit; None before two exposures."""
        if len(self._points) < 2:
            return None
        # Integers relative to the last point keep their nanoseconds, which float64 of the clocks would not.
        last_device_ns, last_host_ns = self._points[-1]
        device, host = (np.array(self._points) - (last_device_ns, last_host_ns)).astype(np.float64).T
        slope, height = np.polyfit(device, host, 1)
        residual_us = float(np.sqrt(np.mean((host - slope * device - height) ** 2))) / 1e3
        return ClockLine(
            at_device_ns=last_device_ns,
            at_host_ns=last_host_ns + round(float(height)),
            host_per_device=float(slope),
            residual_us=residual_us,
            points=len(self._points),
        )
