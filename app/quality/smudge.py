"""Where a lens is dirty: what passes there is blurred, and sharp elsewhere in the picture."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Map = NDArray[np.float32]

SMALL_PX: Final = 320
"""Width at which pictures are compared."""
STILL_PX: Final = 5.0
"""At that width, as the next ones: a picture that moves less shows nothing new."""
MOVED_PX: Final = 12.5
"""By how much a thing has to have moved to be out of a smudge that it was in."""
AROUND_PX: Final = 15
STRUCTURE: Final = 0.7
"""Of the picture's median sharpness that a thing must have for its blur to be told."""
LEAST_SHARPNESS: Final = 1.0
"""In grey levels; a camera's noise has it, too."""
UNLIKE_LEVELS: Final = 5.0
"""Two places that differ by more when both are blurred are not the same thing."""
BLURRED: Final = 0.5
"""Of the sharpness that the same thing has elsewhere."""
CHANCES: Final = 3
ALWAYS: Final = 0.9
"""Share of the things that pass a place that have to be blurred there: a smudge blurs them all."""
FARTHEST: Final = 3
"""Pictures between two that are compared: what is farther apart shows other things."""


def smudge(greys: Sequence[Grey]) -> NDArray[np.bool_] | None:
    """(h, SMALL_PX) places of a small picture where the lens is dirty; None where nothing moved.

    Each picture is laid over each of its neighbours by dense optical flow (DIS, Kroeger et al., "Fast Optical
    Flow using Dense Inverse Search", ECCV 2016), so that near things may move more than far ones.
    """
    import cv2

    height = round(greys[0].shape[0] * SMALL_PX / greys[0].shape[1])
    small = [cv2.resize(grey, (SMALL_PX, height), interpolation=cv2.INTER_AREA) for grey in greys]
    soft = [np.asarray(cv2.GaussianBlur(grey, (0, 0), 4), np.float32) for grey in small]
    sharp = [_sharpness(np.asarray(grey, np.uint8)) for grey in small]
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    columns, rows = np.meshgrid(np.arange(SMALL_PX, dtype=np.float32), np.arange(height, dtype=np.float32))
    chances, votes = np.zeros((height, SMALL_PX), np.int32), np.zeros((height, SMALL_PX), np.int32)
    moved = False
    for one in range(len(small)):
        for other in range(max(one - FARTHEST, 0), min(one + FARTHEST + 1, len(small))):
            if one == other:
                continue
            flow = flow_of.calc(small[one], small[other], np.zeros((height, SMALL_PX, 2), np.float32))
            far = np.hypot(flow[..., 0], flow[..., 1])
            if np.median(far) < STILL_PX:
                continue
            moved = True
            place = (columns + flow[..., 0], rows + flow[..., 1])
            there = cv2.remap(sharp[other], *place, cv2.INTER_LINEAR)
            looks = cv2.remap(soft[other], *place, cv2.INTER_LINEAR, borderValue=(-99.0,))
            unlike = cv2.blur(np.abs(looks - soft[one]), (9, 9))
            structure = max(STRUCTURE * float(np.median(sharp[other])), LEAST_SHARPNESS)
            told = (there > structure) & (far > MOVED_PX) & (unlike < UNLIKE_LEVELS)
            chances += told
            votes += told & (sharp[one] < BLURRED * there)
    if not moved:
        return None
    dirty = ((chances >= CHANCES) & (votes >= ALWAYS * chances)).astype(np.uint8)
    return np.asarray(cv2.morphologyEx(dirty, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.bool_)


def _sharpness(grey: Grey) -> Map:
    """(H, W) energy of fine structure around each pixel, above a camera's noise."""
    import cv2

    fine = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0), cv2.CV_32F))
    return np.asarray(cv2.blur(fine, (AROUND_PX, AROUND_PX)), np.float32)
