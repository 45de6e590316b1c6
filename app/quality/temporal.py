"""Quality of depth over time: noise and flicker on the pixels that stand still."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr
from model.stabilise import shift_px

WINDOW: Final = 40
"""Frames, as the Depth Quality Tool's Temporal Noise has."""
FEWEST_FRAMES: Final = 5
STILL_LEVELS: Final = 14
"""Grey levels of 255 that a pixel of a still scene may vary by: sensor noise after a 5 x 5 blur."""
FEWEST_STILL: Final = 200
MOVED_PX: Final = 0.25
"""Shift of the picture from which on the camera has moved, in pixels of the thinned grid."""
TYPICAL_WIDTH_PX: Final = 160


def temporal_noise_mm(depths_mm: NDArray[np.floating], still: NDArray[np.bool_]) -> float | None:
    """Deviation over time of a typical still pixel, in millimetres ("Temporal Noise").

    The median over places of the root mean square deviation over the frames of the 3 x 3 pixels there, of
    those that have a depth in half of the frames or more. One pixel would not do: depth comes in counts, and
    where noise is less than one, a single pixel hardly ever changes, or jumps by a whole one. The median of
    few numbers' deviations is too small: divided by (1 - 2 / 9k) ** 1.5, with k degrees of freedom, it is
    right for normal noise (Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931).

    Args:
        depths_mm: (T, H, W) millimetres, 0 for a hole.
        still: (H, W) which pixels show the same thing throughout.
    """
    import cv2

    measured = depths_mm > 0
    count = np.count_nonzero(measured, axis=0)
    steady = still & (count >= max(2, len(depths_mm) / 2))
    if np.count_nonzero(steady) < FEWEST_STILL:
        return None
    mean = depths_mm.sum(axis=0, dtype=np.float64) / np.maximum(count, 1)
    squares = np.where(measured, depths_mm - mean, 0)
    squares = np.einsum("thw,thw->hw", squares, squares)
    around = [
        cv2.boxFilter(image * steady, cv2.CV_64F, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for image in (squares, count - 1.0)
    ]
    freedom = around[1][steady]
    variance = np.maximum(around[0][steady], 0) / freedom  # sums that slide may end a trifle below 0
    return float(np.median(np.sqrt(variance) / (1 - 2 / (9 * freedom)) ** 1.5))


def flicker_mm(depths_mm: NDArray[np.floating], still: NDArray[np.bool_]) -> float | None:
    """Mean absolute change from one frame to the next of still pixels, in millimetres.

    Where either frame has a hole there is no change to take. Normal noise of deviation s that is new in each
    frame flickers by 2 s / sqrt(pi).

    Args:
        depths_mm: (T, H, W) millimetres, 0 for a hole.
        still: (H, W) which pixels show the same thing throughout.
    """
    if len(depths_mm) < 2:
        return None
    shown = depths_mm[:, still]
    both = (shown[1:] > 0) & (shown[:-1] > 0)
    if np.count_nonzero(both) < FEWEST_STILL:
        return None
    return float(np.abs(np.diff(shown, axis=0))[both].mean(dtype=np.float64))


@dataclass(frozen=True)
class TemporalFigures:
    """What a window of frames says of one stream.

    Attributes:
        noise_mm: `temporal_noise_mm`, or None.
        flicker_mm: `flicker_mm`, or None.
        why_not: words for what is None.
    """

    noise_mm: float | None = None
    flicker_mm: float | None = None
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class _Sample:
    grey: NDArray[np.uint8]
    depths_mm: dict[str, NDArray[np.float32]]


class StillWindow:
    """The last frames of one camera for as long as it stands still, thinned to about 160 columns."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=WINDOW)
        self._moved = False

    def __len__(self) -> int:
        """Frames in the window."""
        return len(self._samples)

    @property
    def moved(self) -> bool:
        """Whether the camera had moved when the last frame came."""
        return self._moved

    def add(self, color: NDArray[np.uint8], depths_mm: dict[str, NDArray[np.floating]]) -> None:
        """Take one more frame; where the camera has moved, or other streams come, the window starts anew.

        Args:
            color: (H, W, 3) uint8 RGB.
            depths_mm: by stream, (H, W) millimetres in the pixels of `color`, 0 for a hole.
        """
        import cv2

        step = max(round(color.shape[1] / TYPICAL_WIDTH_PX), 1)
        grey = cv2.blur(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), (5, 5))[::step, ::step]
        sample = _Sample(
            np.ascontiguousarray(grey, np.uint8),
            {name: np.asarray(depth[::step, ::step], np.float32) for name, depth in depths_mm.items()},
        )
        self._moved = False
        if self._samples:
            first = self._samples[0]
            alike = (
                first.grey.shape == sample.grey.shape and first.depths_mm.keys() == sample.depths_mm.keys()
            )
            self._moved = alike and shift_px(first.grey, sample.grey) > MOVED_PX
            if self._moved or not alike:
                self._samples.clear()
        self._samples.append(sample)

    def still(self) -> NDArray[np.bool_]:
        """(H, W) which pixels of the thinned grid, and those around them, have looked the same throughout."""
        import cv2

        greys = np.stack([sample.grey for sample in self._samples])
        alike = (np.ptp(greys, axis=0) <= STILL_LEVELS).astype(np.uint8)
        return np.asarray(cv2.erode(alike, np.ones((5, 5), np.uint8)), np.bool_)

    def figures(self) -> dict[str, TemporalFigures]:
        """By stream; with too few frames, or nothing still, words instead."""
        if not self._samples:
            return {}
        names = self._samples[0].depths_mm
        if len(self._samples) < FEWEST_FRAMES:
            words = (
                tr("camera moved")
                if self._moved
                else tr("{samples} of {fewest_frames} frames").format(
                    samples=len(self._samples), fewest_frames=FEWEST_FRAMES
                )
            )
            return {name: TemporalFigures(why_not=words) for name in names}
        still = self.still()
        if np.count_nonzero(still) < FEWEST_STILL:
            return {name: TemporalFigures(why_not=tr("scene moves")) for name in names}
        made = {}
        for name in names:
            depths_mm = np.stack([sample.depths_mm[name] for sample in self._samples])
            made[name] = TemporalFigures(
                temporal_noise_mm(depths_mm, still), flicker_mm(depths_mm, still), tr("too few depths")
            )
        return made
