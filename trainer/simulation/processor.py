"""What the processor in a stereo camera does with disparities before it reports them.

Semi-global matching answers nearly everywhere, also where no answer can be right: in the band beside a near
object that only one camera sees, where smoothness carries on one of both surfaces, and along the object's
rim, where a block lies on both. Cameras find such answers and drop them, which is why their depth has holes
along edges.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

AGREED_PX = 1.0
"""By which two answers for the same place in the right picture may differ."""
STEP_PX, STEP = 1.0, 0.08
"""A step in disparity is larger than so many pixels and, beside that, than this share of the nearer side's:
less is what a slanted surface gives, along which semi-global matching goes in stairs."""
BESIDE = np.ones((3, 3), np.uint8)
"""Steps are found between neighbours, so that a slant is none however far a block reaches, and disparities
are averaged over these."""


def seen_by_both(disparity: Float) -> Float:
    """Disparities without those whose place in the right picture belongs to a nearer surface.

    The left-right check (Hirschmueller, "Stereo processing by semiglobal matching and mutual information",
    2008) on what was answered. OpenCV's own compares costs while it matches, and lets such answers pass.

    Args:
        disparity: (H, W) float32 pixels of the left picture, 0 where there is no answer.
    """
    height, width = disparity.shape
    columns = np.arange(width, dtype=np.float32)
    place = np.maximum(columns - disparity, 0).astype(np.int32)
    flat = place + np.arange(height, dtype=np.int32)[:, None] * np.int32(width)
    nearest = np.zeros(height * width, np.float32)
    np.maximum.at(nearest, flat.ravel(), disparity.ravel())
    # A disparity lies between two columns of the right picture and claims both.
    here = nearest.reshape(height, width)
    claimed = here.copy()
    np.maximum(here[:, 1:], here[:, :-1], out=claimed[:, 1:])
    onward = np.full_like(claimed, np.inf)
    onward[:, :-1] = claimed[:, 1:]
    taken = np.minimum(claimed, onward).ravel()[flat]
    return np.where(taken > disparity + np.float32(AGREED_PX), np.float32(0), disparity)


def without_rims(disparity: Float, reach_px: int) -> Float:
    """Disparities without those that have a step within reach: their blocks lay on two surfaces.

    Args:
        disparity: (H, W) float32 pixels, 0 where there is no answer.
        reach_px: of a block to either side of its pixel, 1 at least.
    """
    near = np.asarray(cv2.dilate(disparity, BESIDE), np.float32)
    far = cv2.erode(np.where(disparity > 0, disparity, np.float32(1e6)), BESIDE)
    step = near - far > np.float32(STEP_PX) + np.float32(STEP) * near
    rim = cv2.dilate(step.astype(np.uint8), np.ones((2 * reach_px - 1, 2 * reach_px - 1), np.uint8))
    return np.where(rim > 0, np.float32(0), disparity)


def evened(disparity: Float) -> Float:
    """Disparities averaged with their neighbours where a surface goes on, finer than the matcher's steps.

    Args:
        disparity: (H, W) float32 pixels, 0 where there is no answer.
    """
    far, near = cv2.erode(disparity, BESIDE), cv2.dilate(disparity, BESIDE)
    mean = np.asarray(cv2.blur(disparity, BESIDE.shape), np.float32)
    return np.where((far > 0) & (near - far <= 1), mean, disparity)
