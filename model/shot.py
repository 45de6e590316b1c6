"""What one camera sees, as arrays, and what is known of its sensor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.repair import USUAL_NOISE, SensorNoise


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame to repair.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        counts: (h, w) uint16 depth over the same field of view, 0 for a hole.
        unit_m: metres per count.
        intrinsics: (3, 3) camera matrix of `color` in pixels, for points; None where nobody knows it.
        noise: of the depth sensor, for provenance.
    """

    color: NDArray[np.uint8]
    counts: NDArray[np.uint16]
    unit_m: float
    intrinsics: NDArray[np.float64] | None = None
    noise: SensorNoise = USUAL_NOISE
