"""How long a disk lasts: the one place that says what a recording needs, and when there is too little."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from drivers.errors import SessionError
from drivers.frame import Frame

LOW_S = 600.0
"""A disk with room for less is low: it is warned of, and no recording begins on it."""
CLOSE_S = 60.0
CLOSE_BYTES = 2_000_000_000
MEMORY_SHARE = 0.25
"""Of the memory that is free when recording begins, for frames that wait."""
COLOR_BYTES = 0.4
"""Of a colour pixel as JPEG; what real sensors need at most, as of the next two."""
DEPTH_BYTES = 0.75
"""Of a depth pixel as PNG, its preview included."""
GRAY_BYTES = 0.5
"""Of a pixel of infrared or confidence."""
USUAL_BYTES_PER_S = 640 * 480 * 30 * (COLOR_BYTES + DEPTH_BYTES + 2 * GRAY_BYTES)
"""What is assumed where no camera runs: one camera at 640 x 480 and 30 Hz with two infrared images."""


class PlaceRefusedError(SessionError):
    """A recording cannot begin where the sessions lie; another folder is chosen on the Settings page."""


@dataclass(frozen=True)
class Limits:
    """How much disk a recording leaves.

    Attributes:
        start_s: a recording does not begin with less room than this many seconds need.
        close_s: it ends by itself when less than this many seconds are left, or `close_bytes`.
        close_bytes: see `close_s`; the larger of the two counts.
    """

    start_s: float = LOW_S
    close_s: float = CLOSE_S
    close_bytes: int = CLOSE_BYTES

    def seconds_left(self, free_bytes: int, bytes_per_s: float) -> float:
        """Until a recording of that rate ends by itself; negative where it should have ended."""
        return (free_bytes - max(self.close_bytes, self.close_s * bytes_per_s)) / bytes_per_s


def bytes_per_s(frame: Frame, rate_hz: float) -> float:
    """What a camera that delivers such frames will need, before there is a file to measure."""
    height, width = frame.color.shape[:2]
    depths = [frame.depth] if frame.truth is None else [frame.depth, frame.truth]
    grays = [g for g in (frame.ir_left, frame.ir_right, frame.confidence) if g is not None]
    size = height * width * COLOR_BYTES
    size += sum(depth.values.size for depth in depths) * DEPTH_BYTES
    size += sum(gray.size for gray in grays) * GRAY_BYTES
    return float(size * rate_hz)


def memory_frames(frames: Iterable[Frame]) -> int:
    """How many of such frames may wait in memory, so that the system never has to kill the program for it."""
    sizes = []
    for frame in frames:
        images = (frame.color, frame.depth.values, frame.ir_left, frame.ir_right, frame.confidence)
        sizes.append(sum(image.nbytes for image in images if image is not None))
    available = psutil.virtual_memory().available
    return max(len(sizes), int(MEMORY_SHARE * available / max(1.0, sum(sizes) / max(1, len(sizes)))))


def lasts_s(free_bytes: int, rate: float | None) -> float:
    """For how many seconds a recording would find room on a disk.

    Args:
        free_bytes: on the disk.
        rate: bytes per second of the rig; None where no camera runs.
    """
    return Limits().seconds_left(free_bytes, rate or USUAL_BYTES_PER_S)


def is_low(free_bytes: int, rate: float | None) -> bool:
    """Whether that is so little that the operator has to know."""
    return lasts_s(free_bytes, rate) < LOW_S
