"""A depth image as counts with a unit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DepthMap:
    """Depth as a sensor counts it.

    Attributes:
        values: (H, W) uint16 counts; 0 means no measurement, whatever the reason. Read-only.
        unit_m: metres per count: 0.001 on most cameras, 0.0001 on a D405.
    """

    values: NDArray[np.uint16]
    unit_m: float

    def __post_init__(self) -> None:
        assert self.values.ndim == 2, self.values.shape
        assert self.values.dtype == np.uint16, self.values.dtype
        self.values.flags.writeable = False

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(H, W) bool, true where the sensor measured."""
        return self.values > 0

    @property
    def metres(self) -> NDArray[np.float32]:
        """(H, W) float32 metres, 0 where there is no measurement."""
        return self.values * np.float32(self.unit_m)

    @property
    def fill_rate(self) -> float:
        """Share of pixels with a measurement, 0 to 1."""
        return float(np.count_nonzero(self.values)) / self.values.size


def depth_map(depth_m: NDArray[np.floating], *, unit_m: float = 0.001) -> DepthMap:
    """Counts nearest to `depth_m`.

    Args:
        depth_m: (H, W) metres; everything that is not a positive finite number becomes 0.
        unit_m: metres per count. What lies beyond 65,535 counts becomes 0 as well: no count can say it.
    """
    counts = np.rint(np.nan_to_num(depth_m, nan=0.0, posinf=0.0, neginf=0.0) / unit_m)
    counts[(counts < 0) | (counts > np.iinfo(np.uint16).max)] = 0
    return DepthMap(counts.astype(np.uint16), unit_m)
