"""How the 3D view looks besides its clouds: size of points, mesh, grid, clip box, lines."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRID_STEP_M: Final = 0.5
GRID_REACH_M: Final = 4.0
POINT_SIZES: Final = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Of the size at which neighbouring points just touch."""
SMALLEST_SIDE_M: Final = 0.05
EDGES: Final = (
    (0, 1), (1, 3), (3, 2), (2, 0), (4, 5), (5, 7), (7, 6), (6, 4), (0, 4), (1, 5), (2, 6), (3, 7),
)  # fmt: skip
"""Of a box whose corner number has a bit for each of z, y and x."""

Place = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines in one colour.

    Attributes:
        ends: (N, 2, 3) float32 metres in the space that is drawn.
        colour: red, green and blue, 0 to 1.
    """

    ends: NDArray[np.float32]
    colour: Place


@dataclass(frozen=True)
class ClipBox:
    """Points outside are not drawn; axes are those of the large camera (+X right, +Y down, +Z forward).

    Attributes:
        low_m: corner with the smallest coordinates.
        high_m: the opposite one.
    """

    low_m: Place
    high_m: Place

    def moved(self, axis: int, side: str, value_m: float) -> "ClipBox":
        """One side elsewhere, "low" or "high" of axis 0, 1 or 2; the opposite side gives way."""
        low, high = list(self.low_m), list(self.high_m)
        if side == "low":
            low[axis] = value_m
            high[axis] = max(high[axis], value_m + SMALLEST_SIDE_M)
        else:
            high[axis] = value_m
            low[axis] = min(low[axis], value_m - SMALLEST_SIDE_M)
        return ClipBox((low[0], low[1], low[2]), (high[0], high[1], high[2]))

    def contains(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(N,) which of (N, 3) points are drawn."""
        return np.asarray(((points >= self.low_m) & (points <= self.high_m)).all(axis=1), np.bool_)

    def lines(self) -> NDArray[np.float32]:
        """(12, 2, 3) float32 edges."""
        ends = np.array([self.low_m, self.high_m], np.float32)
        corners = np.array(
            [[ends[x, 0], ends[y, 1], ends[z, 2]] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
        )
        return np.asarray(corners[np.array(EDGES)], np.float32)


@dataclass(frozen=True)
class CloudLook:
    """What the operator chose for the 3D view.

    Attributes:
        point_size: one of `POINT_SIZES`.
        mesh: surfaces between neighbouring pixels instead of points.
        grid: lines on the floor, `GRID_STEP_M` apart.
        box: points outside are hidden; None shows all.
    """

    point_size: float = 1.0
    mesh: bool = False
    grid: bool = False
    box: ClipBox | None = None

    def resized(self, steps: int) -> "CloudLook":
        """Points so many sizes larger, or smaller for a negative number."""
        at = POINT_SIZES.index(self.point_size) + steps
        return replace(self, point_size=POINT_SIZES[min(max(at, 0), len(POINT_SIZES) - 1)])


def grid_lines(floor_m: float) -> NDArray[np.float32]:
    """(N, 2, 3) float32 lines on the level `floor_m` below the camera, in front of it."""
    reach, places = GRID_REACH_M, np.arange(-GRID_REACH_M, GRID_REACH_M + 1e-6, GRID_STEP_M)
    along = [((x, floor_m, 0.0), (x, floor_m, 2 * reach)) for x in places]
    across = [((-reach, floor_m, z + reach), (reach, floor_m, z + reach)) for z in places]
    return np.array([*along, *across], np.float32)


def box_around(points: NDArray[np.floating]) -> ClipBox:
    """A box, on tenths of a metre, that holds nearly all of (N, 3) points, N at least 1."""
    low = np.floor(np.percentile(points, 1, axis=0) * 10) / 10
    high = np.ceil(np.percentile(points, 99, axis=0) * 10) / 10
    high = np.maximum(high, low + SMALLEST_SIDE_M)
    return ClipBox(
        (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))
    )
