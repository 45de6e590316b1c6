"""How probable it is that a repaired depth is right: judged by what network and sensor say around the pixel.

Fitted to simulated rooms, where the truth is known, by `benchmarks/confidence.py --fit`, which prints the
tables below and how honest they are in rooms that the fit has not seen. Real rooms differ from those.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.anchor import COARSE, Agreement, coarse_size

Map = NDArray[np.float32]

TOLERANCE = 0.05
"""A depth is right if it is off by less than this share of the true one."""
FEATURES = ("one", "distance", "spread", "residual", "usual", "range", "gap")
REFERENCE_WIDTH_PX = 640


@dataclass(frozen=True)
class Judge:
    """Weights of `FEATURES` in the log-odds of being right.

    Attributes:
        kept: for pixels where the sensor answered and its value stands.
        other: for all others.
    """

    kept: tuple[float, ...]
    other: tuple[float, ...]


OF_ANCHORED = Judge(
    kept=(-2.074, -2.134, -0.082, -0.305, -0.58, -1.305, -0.464),
    other=(-3.035, -1.908, -0.522, -0.329, -0.23, -0.199, -0.493),
)
OF_NETWORK = Judge(
    kept=(-8.442, -6.65, -0.157, -1.075, 1.087, -0.068, -2.524),
    other=(-3.648, -0.796, -0.5, -0.586, 0.644, -0.352, -0.832),
)


def confidence(judge: Judge, depth_m: Map, kept: NDArray[np.bool_], agreement: Agreement) -> Map:
    """(H, W) float32 in 0..1: the chance that `depth_m` is off by less than `TOLERANCE`.

    Args:
        judge: fitted to this kind of repair: `OF_ANCHORED`, or `OF_NETWORK` for a network's own depth.
        depth_m: (H, W) float32 metres, the repair before anything is rejected.
        kept: (H, W) bool, where the sensor answered and was believed.
        agreement: of network and sensor.
    """
    x = features(depth_m, kept, agreement)
    height, width = depth_m.shape
    chances = [
        cv2.resize(1 / (1 + np.exp(-(x @ np.array(weights, np.float32)))), (width, height))
        for weights in (judge.kept, judge.other)
    ]
    return np.where(kept, *chances).astype(np.float32)


def features(depth_m: Map, kept: NDArray[np.bool_], agreement: Agreement) -> Map:
    """(h, w, 7) float32 `FEATURES` on the grid of `agreement`; arguments as for `confidence`.

    distance: to the next kept pixel. spread: of the network's depth around, large at edges. residual, usual:
    how far network and sensor differ, around and in the whole image. range: of the depth. gap: between the
    depth and the network's surface, shifted to the measurement around. All are logarithms, as errors are
    relative.
    """
    size = coarse_size(depth_m.shape)
    share = cv2.resize(kept.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    far = cv2.distanceTransform((share == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    far *= COARSE * REFERENCE_WIDTH_PX / depth_m.shape[1]
    range_m = np.maximum(cv2.resize(depth_m, size, interpolation=cv2.INTER_AREA), 1e-3)
    log_range = np.log(range_m)
    gap = np.abs(log_range - agreement.surface)
    usual = np.full_like(gap, np.log(agreement.usual + 0.003))
    return np.stack(
        (
            np.ones_like(gap),
            np.log1p(far / 8),
            np.log(agreement.farthest - agreement.nearest + 0.01),
            np.log(agreement.residual + 0.003),
            usual,
            log_range,
            np.log(gap + 0.003),
        ),
        axis=-1,
    ).astype(np.float32)
