"""Measures, from the times of their frames, whether cameras that should expose together really do."""

from collections import deque
from dataclasses import dataclass
from statistics import median

import numpy as np

from drivers.frame import FrameSet

WINDOW = 60
"""Moments that are remembered, one each half second."""
EVERY_NS = 500_000_000
ENOUGH_S = 10.0
"""Over a shorter time drift and jitter cannot be told apart."""
TOGETHER_MS = 1.0
STEADY_PPM = 5.0
"""Two clocks of their own differ by more; two cameras on one cable by nothing."""


@dataclass(frozen=True)
class Phase:
    """How a camera's exposures lie against those of the reference.

    Attributes:
        offset_ms: later than the reference, median.
        jitter_ms: from the 5th to the 95th percentile, without the drift.
        drift_ppm: by which the offset grows or shrinks; None before ten seconds.
    """

    offset_ms: float
    jitter_ms: float
    drift_ppm: float | None

    @property
    def in_step(self) -> bool | None:
        """Whether both expose together; None before that can be told."""
        if self.drift_ppm is None:
            return None
        return abs(self.offset_ms) < TOGETHER_MS and abs(self.drift_ppm) < STEADY_PPM


class PhaseMeter:
    """Takes sets of frames and tells each camera's phase against one of them.

    Args:
        reference: id of the camera that the others are measured against.
    """

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self._gathered: dict[str, list[float]] = {}
        self._since_ns: int | None = None
        self._points: dict[str, deque[tuple[float, float]]] = {}

    def note(self, frame_set: FrameSet) -> None:
        """Take one set; one without the reference tells nothing."""
        reference = frame_set.frames.get(self.reference)
        if reference is None:
            return
        at_ns = reference.captured_ns
        if self._since_ns is None:
            self._since_ns = at_ns
        for name, frame in frame_set.frames.items():
            if name != self.reference:
                self._gathered.setdefault(name, []).append((frame.captured_ns - at_ns) / 1e6)
        if at_ns - self._since_ns >= EVERY_NS:
            for name, offsets_ms in self._gathered.items():
                points = self._points.setdefault(name, deque(maxlen=WINDOW))
                points.append((at_ns / 1e9, median(offsets_ms)))
            self._gathered = {}
            self._since_ns = at_ns

    def read(self) -> dict[str, Phase]:
        """By camera id, of all that were in a set with the reference."""
        return {name: _phase(np.array(points)) for name, points in list(self._points.items())}


def _phase(points: np.ndarray) -> Phase:
    """Of (N, 2) seconds and milliseconds."""
    at_s, offset_ms = points[:, 0], points[:, 1]
    span_s = at_s[-1] - at_s[0]
    slope = 0.0  # milliseconds per second; Theil-Sen, which outliers do not bend
    if len(points) > 2:
        first, second = np.triu_indices(len(points), k=1)
        slope = float(np.median((offset_ms[second] - offset_ms[first]) / (at_s[second] - at_s[first])))
    flat_ms = offset_ms - slope * (at_s - at_s[-1])
    low, high = np.percentile(flat_ms, [5, 95])
    return Phase(
        offset_ms=float(np.median(flat_ms)),
        jitter_ms=float(high - low),
        drift_ppm=slope * 1000 if span_s >= ENOUGH_S else None,
    )
