"""Whether the clouds of two placed cameras still agree: a cheap look at what both see."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.frame import Frame
from drivers.geometry import Intrinsics, project, rays

STEP = 6
LEAST_OVERLAP = 150
CELLS = (8, 6)
LEAST_IN_CELL = 8
LEAST_CELLS = 6
PERCENTILE = 70.0
HIDDEN_M = 0.25
"""Farther behind what the other camera sees than this, a point is hidden from it, not misplaced."""
WORST_MM = 20.0
WORST_SHARE = 0.015


@dataclass(frozen=True)
class Agreement:
    """How two clouds lie to each other.

    Attributes:
        points: that both cameras see.
        apart_m: distance along the other camera's rays, averaged within parts of its picture, where noise
            averages out and a moved camera does not; most parts lie nearer than this.
        distance_m: median distance of these points.
    """

    points: int
    apart_m: float
    distance_m: float

    @property
    def good(self) -> bool:
        """Whether no camera has been moved, as far as these points tell."""
        return self.apart_m <= max(WORST_MM / 1e3, WORST_SHARE * self.distance_m)


def compare(one: Frame, other: Frame, other_from_one: NDArray[np.float64]) -> Agreement | None:
    """How the cloud of `one` lies in the picture of `other`; None where they share too little.

    Args:
        one: frame of a placed camera.
        other: of another one, of about the same moment.
        other_from_one: (4, 4) metres between their colour lenses.
    """
    counts = one.depth.values[::STEP, ::STEP]
    valid = counts > 0
    z = counts[valid].astype(np.float64) * one.depth.unit_m
    directions = _directions(one.calibration.depth)[valid]
    points = np.column_stack([directions * z[:, None], z])
    carried = np.linalg.inv(other.calibration.color_from_depth) @ other_from_one
    matrix = carried @ one.calibration.color_from_depth
    points = points @ matrix[:3, :3].T + matrix[:3, 3]
    points = points[points[:, 2] > 0.05]
    if len(points) < LEAST_OVERLAP:
        return None
    lens = other.calibration.depth
    column, row = project(points.astype(np.float32), lens)
    u, v = np.rint(column).astype(np.int64), np.rint(row).astype(np.int64)
    inside = (u >= 0) & (u < lens.width) & (v >= 0) & (v < lens.height)
    seen = other.depth.values[v[inside], u[inside]] * other.depth.unit_m
    behind = points[inside, 2] - seen
    both = (seen > 0) & (behind < HIDDEN_M)
    if np.count_nonzero(both) < LEAST_OVERLAP:
        return None
    cell = u[inside][both] * CELLS[0] // lens.width + CELLS[0] * (v[inside][both] * CELLS[1] // lens.height)
    middles = [
        float(np.median(part))
        for number in range(CELLS[0] * CELLS[1])
        if len(part := behind[both][cell == number]) >= LEAST_IN_CELL
    ]
    if len(middles) < LEAST_CELLS:
        return None
    apart = float(np.percentile(np.abs(middles), PERCENTILE))
    return Agreement(int(np.count_nonzero(both)), apart, float(np.median(seen[both])))


@lru_cache(maxsize=16)
def _directions(lens: Intrinsics) -> NDArray[np.float32]:
    return np.ascontiguousarray(rays(lens)[::STEP, ::STEP])
