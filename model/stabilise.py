"""Steadies repaired depth over time where nothing has changed, and lets go at once where something has.

One `Stabiliser` follows one camera. A pixel is averaged with its own past for as long as the picture around
it looks the same and its depth says the same. What ends the past of a pixel:

- the picture around it changed: something moved there (or the whole camera did: then all pixels start anew);
- the sensor measured something else, on a patch and not on a single pixel: that is evidence, not noise;
- anything else that differs clearly, a filling that jumps or a ragged edge, and stays for `PATIENCE` frames.

It looks back only, so that no result becomes older than it was.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from model.repair import USUAL_NOISE, Provenance, Repair, SensorNoise, provenance

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

LONGEST = 8
"""Frames that a measured pixel's average reaches back; twice that where the sensor is silent."""
ALIKE_LEVELS = 9
"""Of 255 in any colour channel; noise of a camera in a dim room stays below after a mean of 6 x 6 pixels."""
AROUND_PX = 13
"""A measured pixel is still only if everything within half of that is."""
FILLED_AROUND_PX = 96
"""The same for one that never was measured: its filling comes from what is around, and moves with it."""
MEASURED_SIGMAS = 4.0
"""A measurement that far from the average is not noise."""
FILLED_SHARE = 0.03
"""A filling that differs by more than this share of its depth is not averaged but waited for."""
PATIENCE = 8
"""Frames for which what differs, and shows no reason, has to stay before it is believed; fewer where the
average itself is younger."""
PATCH_PX = 5
"""Smallest thing that is believed at once for its depth alone; sensors coarser than colour err in blocks."""
MOVED_PX = 0.25
"""Shift of the picture as a whole from which on the camera has moved, in pixels of `SHIFT_WIDTH_PX`."""
SHIFT_WIDTH_PX = 160


@dataclass(frozen=True, eq=False)
class _Past:
    """What is known of each pixel.

    Attributes:
        depth_m: (H, W) float32, the average; 0 where there is none.
        frames: (H, W) uint8 that are in it.
        doubts: (H, W) uint8 frames in a row that differed without a reason to be seen.
        measured: (H, W) bool, whether the sensor's word is in the average.
        seen: (h, w, 3) uint8, the picture at half size.
        thumb: (t, u) float32 grey, the picture when all began, thinned.
    """

    depth_m: Map
    frames: Bytes
    doubts: Bytes
    measured: Mask
    seen: Bytes
    thumb: Map


class Stabiliser:
    """The temporal filter of one camera; each frame goes through once, in order.

    Args:
        noise: of the sensor.
    """

    def __init__(self, noise: SensorNoise = USUAL_NOISE) -> None:
        self._noise = noise
        self._past: _Past | None = None

    def steadied(self, color: NDArray[np.uint8], measured_m: Map, repair: Repair) -> Repair:
        """The repair with its depth averaged over the past of each pixel that has one.

        Provenance is that of the new depth: a measured pixel counts as measured while the average stays
        within the sensor's noise around its present value. What was rejected stays rejected, and confidence
        is that of the single frame.

        Args:
            color: (H, W, 3) uint8 RGB.
            measured_m: (H, W) float32 metres in the colour grid, 0 for a hole.
            repair: of this frame.
        """
        given = np.isfinite(repair.depth_m) & (repair.depth_m > 0)
        new_m = np.where(given, repair.depth_m, np.float32(0))
        kept = repair.provenance == Provenance.MEASURED
        seen, thumb = _half(color), _thumb(color)
        past = self._past
        if past is None or past.depth_m.shape != new_m.shape or shift_px(past.thumb, thumb) > MOVED_PX:
            self._past = _Past(
                new_m, given.astype(np.uint8), np.zeros(given.shape, np.uint8), kept, seen, thumb
            )
            return repair
        alike, all_alike = _alike(past.seen, seen, new_m.shape)
        known = given & (past.frames > 0) & alike & (kept | past.measured | all_alike)
        differs = np.abs(new_m - past.depth_m)
        # A measurement is told from noise; where only the filling speaks, it is told from its usual drift.
        both = kept & past.measured
        limit_m = np.where(both, MEASURED_SIGMAS * self._noise.sigma_m(new_m), FILLED_SHARE * new_m)
        odd = known & (differs > np.maximum(limit_m, np.float32(1e-3)))
        evident = _patches(odd & kept)
        doubts = np.where(odd & ~evident, past.doubts + 1, 0).astype(np.uint8)
        known &= ~evident & (doubts < np.minimum(past.frames, PATIENCE))
        waits = known & odd
        frames = np.where(known, np.minimum(past.frames + ~waits, 2 * LONGEST), given).astype(np.uint8)
        # The sensor's word weighs more than a filling: an average of measurements is not led astray by one.
        reach = np.where(kept & past.measured, np.minimum(frames, LONGEST), frames)
        share = np.where(waits, np.float32(0), 1 / np.maximum(reach, 1).astype(np.float32))
        depth_m = np.where(known, past.depth_m + share * (new_m - past.depth_m), new_m)
        doubts[~known] = 0
        measured = np.where(known, past.measured | kept, kept)
        self._past = _Past(depth_m, frames, doubts, measured, _drifting(past.seen, seen), past.thumb)
        shown_m = np.where(given, depth_m, repair.depth_m)
        return replace(repair, depth_m=shown_m, provenance=provenance(measured_m, shown_m, noise=self._noise))


def shift_px(before: NDArray[np.floating] | Bytes, after: NDArray[np.floating] | Bytes) -> float:
    """How far a grey picture has moved as a whole, in pixels, by phase correlation (Kuglin and Hines, 1975).

    A thing that moves in front of a still room leaves it near 0.
    """
    height, width = before.shape
    hanning = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(before.astype(np.float32), after.astype(np.float32), hanning)
    return float(np.hypot(dx, dy))


def _half(color: Bytes) -> Bytes:
    height, width = color.shape[:2]
    size = (max(width // 2, 1), max(height // 2, 1))
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(small, (3, 3)), np.uint8)


def _thumb(color: Bytes) -> Map:
    height, width = color.shape[:2]
    step = max(width / SHIFT_WIDTH_PX, 1)
    size = (max(round(width / step), 2), max(round(height / step), 2))
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _alike(before: Bytes, after: Bytes, shape: tuple[int, ...]) -> tuple[Mask, Mask]:
    """(H, W) bool each, where the picture looks as it did within `AROUND_PX` and `FILLED_AROUND_PX`."""
    changed = cv2.threshold(cv2.absdiff(before, after).max(axis=2), ALIKE_LEVELS, 255, cv2.THRESH_BINARY)[1]
    changed = cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))

    def unchanged(around_px: int) -> Mask:
        near = cv2.dilate(changed, np.ones((around_px // 2,) * 2, np.uint8))
        return np.asarray(cv2.resize(near, shape[1::-1], interpolation=cv2.INTER_NEAREST) == 0, np.bool_)

    return unchanged(AROUND_PX), unchanged(FILLED_AROUND_PX)


def _patches(mask: Mask) -> Mask:
    """Only what is at least `PATCH_PX` wide and high, with its rim."""
    patches = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((PATCH_PX,) * 2, np.uint8))
    return np.asarray(cv2.dilate(patches, np.ones((3, 3), np.uint8)) > 0, np.bool_)


def _drifting(before: Bytes, after: Bytes) -> Bytes:
    """The picture to compare with: follows slow changes of light, and what has changed at once."""
    changed = cv2.absdiff(before, after) > ALIKE_LEVELS
    slowly = cv2.addWeighted(before, 0.75, after, 0.25, 0)
    return np.where(changed, after, slowly)
