"""Rates and durations over the last few seconds."""

import threading
from collections import deque
from dataclasses import dataclass
from statistics import median

FEW_WINDOWS = 6


@dataclass(frozen=True)
class Reading:
    """What a meter shows.

    Attributes:
        rate_hz: events per second over the window.
        median_ms: of the values noted with the events; 0 before the first.
        worst_ms: of the same values.
        events: that count.
    """

    rate_hz: float
    median_ms: float
    worst_ms: float
    events: int = 0


class Meter:
    """Counts events, and the milliseconds noted with them, over a sliding window.

    Args:
        window_s: how long an event counts.
        few: so many of the newest events count for six windows, lest what is slow reads as standing still.
    """

    def __init__(self, *, window_s: float = 2.0, few: int = 0) -> None:
        self._window_ns = round(window_s * 1e9)
        self._few = few
        self._events: deque[tuple[int, float]] = deque()
        self._lock = threading.Lock()
        self._total = 0

    @property
    def total(self) -> int:
        """Events since the meter was made."""
        return self._total

    def note(self, now_ns: int, value_ms: float = 0.0) -> None:
        """Count one event at `now_ns` of the monotonic clock."""
        with self._lock:
            self._events.append((now_ns, value_ms))
            self._total += 1
            self._forget(now_ns)

    def read(self, now_ns: int) -> Reading:
        """Over the window that ends at `now_ns`."""
        with self._lock:
            self._forget(now_ns)
            events = list(self._events)
        if not events:
            return Reading(0.0, 0.0, 0.0)
        values = [value for _, value in events]
        span_ns = max(now_ns - events[0][0], 1)
        rate = (len(events) - 1) * 1e9 / span_ns if len(events) > 1 else 0.0
        return Reading(rate, median(values), max(values), len(events))

    def _forget(self, now_ns: int) -> None:
        while self._events:
            windows = 1 if len(self._events) > self._few else FEW_WINDOWS
            if self._events[0][0] >= now_ns - windows * self._window_ns:
                return
            self._events.popleft()
