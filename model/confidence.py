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
    kept=(0.496, 0.943, 0.672, -0.944, 0.065, -0.92, -0.631),
    other=(-1.359, -2.24, -0.859, -0.279, 0.334, -0.105, -0.88),
)
OF_NETWORK = Judge(
    kept=(-4.711, -4.352, -0.789, -2.045, 1.041, 0.239, -0.583),
    other=(-1.711, -1.746, -1.031, -1.365, 0.978, 0.323, -0.225),
)

anchored, measured: 97.0% of 14129592 pixels are less than 5% off
  confidence   pixels    said   right
  0.00-0.10     0.2%   0.073   0.021
  0.10-0.20     0.4%   0.143   0.037
  0.20-0.30     0.2%   0.250   0.126
  0.30-0.40     0.2%   0.352   0.300
  0.40-0.50     0.3%   0.451   0.378
  0.50-0.60     0.3%   0.550   0.452
  0.60-0.70     0.3%   0.653   0.531
  0.70-0.80     0.5%   0.756   0.631
  0.80-0.90     1.3%   0.861   0.716
  0.90-0.95     2.3%   0.930   0.840
  0.95-0.98     6.3%   0.970   0.941
  0.98-1.00    87.6%   0.996   0.997
expected calibration error 0.009; Brier 0.0171, of the base rate alone 0.0293

anchored, holes: 72.4% of 3725708 pixels are less than 5% off
  confidence   pixels    said   right
  0.00-0.10     5.1%   0.046   0.055
  0.10-0.20     4.1%   0.148   0.081
  0.20-0.30     3.8%   0.252   0.214
  0.30-0.40     3.6%   0.349   0.314
  0.40-0.50     3.8%   0.452   0.358
  0.50-0.60     4.4%   0.551   0.423
  0.60-0.70     5.6%   0.652   0.502
  0.70-0.80     6.8%   0.752   0.650
  0.80-0.90    10.7%   0.856   0.801
  0.90-0.95    10.4%   0.928   0.923
  0.95-0.98    14.5%   0.968   0.973
  0.98-1.00    27.2%   0.990   0.996
expected calibration error 0.039; Brier 0.1013, of the base rate alone 0.1999

network, measured: 93.0% of 14129592 pixels are less than 5% off
  confidence   pixels    said   right
  0.00-0.10     2.6%   0.038   0.094
  0.10-0.20     1.0%   0.145   0.114
  0.20-0.30     0.7%   0.249   0.138
  0.30-0.40     0.7%   0.350   0.196
  0.40-0.50     0.7%   0.451   0.264
  0.50-0.60     0.8%   0.551   0.355
  0.60-0.70     1.0%   0.652   0.467
  0.70-0.80     1.3%   0.753   0.636
  0.80-0.90     2.3%   0.857   0.838
  0.90-0.95     2.9%   0.929   0.948
  0.95-0.98     6.0%   0.969   0.987
  0.98-1.00    80.0%   0.996   0.999
expected calibration error 0.015; Brier 0.0211, of the base rate alone 0.0654

network, holes: 65.4% of 3725708 pixels are less than 5% off
  confidence   pixels    said   right
  0.00-0.10     6.5%   0.051   0.073
  0.10-0.20     5.0%   0.149   0.095
  0.20-0.30     5.1%   0.250   0.200
  0.30-0.40     5.0%   0.350   0.315
  0.40-0.50     4.8%   0.450   0.343
  0.50-0.60     4.9%   0.552   0.414
  0.60-0.70     6.5%   0.652   0.480
  0.70-0.80     7.8%   0.752   0.616
  0.80-0.90    12.1%   0.856   0.772
  0.90-0.95    12.3%   0.928   0.911
  0.95-0.98    17.2%   0.967   0.985
  0.98-1.00    12.9%   0.988   0.999
expected calibration error 0.059; Brier 0.1245, of the base rate alone 0.2262


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
