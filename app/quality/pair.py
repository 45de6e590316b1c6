"""Whether both infrared pictures of a stereo camera match at the depth that it tells."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.frame import Frame
from drivers.geometry import rays

STEP: Final = 4
"""Every so-many-th pixel of depth in each direction is looked at."""
AROUND_PX: Final = 9
SOFT_LEVELS: Final = 3.0
"""Contrast that counts as much as a camera's noise."""
FEWEST: Final = 400
"""Pixels that have to be seen in both pictures."""


def agreement(frame: Frame, factors: Sequence[float]) -> NDArray[np.float64] | None:
    """(N,) correlation of both infrared pictures where depth times each factor puts the same thing.

    None where the camera has no such pair; 0 where too little of it would be seen by both.
    """
    import cv2

    seen_by = frame.calibration
    ir, left, right = seen_by.ir, frame.ir_left, frame.ir_right
    if left is None or right is None or ir is None or not seen_by.baseline_m or left.shape != right.shape:
        return None
    place = np.eye(4) if seen_by.color_from_ir_left is None else seen_by.color_from_ir_left
    ir_from_depth = np.linalg.inv(place) @ seen_by.color_from_depth
    z = frame.depth.metres[::STEP, ::STEP]
    measured = z > 0
    flat = rays(seen_by.depth)[::STEP, ::STEP][measured].astype(np.float64)
    directions = np.column_stack([flat, np.ones(len(flat))]) * z[measured][:, None]
    pictures = [_contrast(picture) for picture in (left, right)]
    found = np.zeros(len(factors))
    for number, factor in enumerate(factors):
        x, y, depth_m = (factor * directions @ ir_from_depth[:3, :3].T + ir_from_depth[:3, 3]).T
        depth_m = np.maximum(depth_m, 1e-6)
        column, row = ir.fx * x / depth_m + ir.cx, ir.fy * y / depth_m + ir.cy
        other = column - ir.fx * seen_by.baseline_m / depth_m
        both = (other >= 0) & (column < ir.width - 1) & (row >= 0) & (row < ir.height - 1)
        if np.count_nonzero(both) < FEWEST:
            continue
        values = [
            cv2.remap(
                picture,
                at[both, None].astype(np.float32),
                row[both, None].astype(np.float32),
                cv2.INTER_LINEAR,
            )
            for picture, at in zip(pictures, (column, other), strict=True)
        ]
        found[number] = np.corrcoef(values[0].ravel(), values[1].ravel())[0, 1]
    return found


def _contrast(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The picture less its surroundings, in units of their contrast."""
    import cv2

    levels, size = picture.astype(np.float32), (AROUND_PX, AROUND_PX)
    fine = levels - cv2.blur(levels, size)
    return np.asarray(fine / np.sqrt(cv2.blur(fine * fine, size) + SOFT_LEVELS**2), np.float32)
