"""Depth carried into the colour camera's view: the arithmetic behind `drivers.geometry.register_depth`.

What does not change from frame to frame is computed once for each pair of cameras. Every measured pixel then
falls on one place of the colour grid, where the nearest surface wins; a minimum over the footprint of a depth
pixel closes what would be cracks where the colour grid is the finer one.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Counts = NDArray[np.uint16]

SLANT = 1.25
"""Neighbours on a slanted surface fall farther apart than on one that faces the camera."""
TYPICAL_M = 1.0
BLOCK_PX = 1 << 17
"""So many pixels at a time stay in the processor's cache."""
FARTHEST = 65_535
POLYNOMIAL = 8
"""Distortion coefficients that are computed here: k1 k2 p1 p2 k3 k4 k5 k6."""


class Lens(Protocol):
    """What is needed of `drivers.geometry.Intrinsics`, which calls this module."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def fx(self) -> float: ...
    @property
    def fy(self) -> float: ...
    @property
    def cx(self) -> float: ...
    @property
    def cy(self) -> float: ...
    @property
    def distortion(self) -> tuple[float, ...]: ...


@dataclass(frozen=True, eq=False)
class Plan:
    """What is the same for all frames of one pair of cameras.

    Attributes:
        x: (H, W) of the depth grid: x of the rotated rays. Times the depth in counts, plus `shift`, they are
            points in the colour camera; likewise `y` and `z`.
        y: see `x`.
        z: see `x`.
        shift: (3,) counts.
        color: where points go.
        limit: largest x/z and y/z that the colour picture shows; a polynomial may lead back from beyond.
        footprint: (columns, rows) of the colour grid that a depth pixel covers.
    """

    x: Float
    y: Float
    z: Float
    shift: tuple[float, float, float]
    color: Lens
    limit: tuple[float, float]
    footprint: tuple[int, int] = (1, 1)


def make_plan(
    rays: Float,
    color_from_depth: NDArray[np.float64],
    unit_m: float,
    color: Lens,
    limit: tuple[float, float],
) -> Plan:
    """The plan of one pair of cameras.

    Args:
        rays: (H, W, 2) x/z and y/z of the depth grid.
        color_from_depth: (4, 4) metres.
        unit_m: metres per count.
        color: where points go.
        limit: see `Plan`.
    """
    assert len(color.distortion) <= POLYNOMIAL, color.distortion
    turned = np.dstack([rays, np.ones(rays.shape[:2], np.float32)]) @ color_from_depth[:3, :3].T
    x, y, z = (np.ascontiguousarray(turned[..., axis], np.float32) for axis in range(3))
    shift = color_from_depth[:3, 3] / unit_m
    made = Plan(x, y, z, (float(shift[0]), float(shift[1]), float(shift[2])), color, limit)
    column, row, _ = _places(made, slice(None), np.full(x.shape, TYPICAL_M / unit_m, np.float32))
    inside = (column > 0) & (column < color.width) & (row > 0) & (row < color.height)
    return replace(made, footprint=(_footprint(column, inside, 1), _footprint(row, inside, 0)))


def _footprint(place: Float, inside: NDArray[np.bool_], axis: int) -> int:
    """Pixels from one depth pixel's place to the next one's, rounded up."""
    both = np.delete(inside, 0, axis) & np.delete(inside, -1, axis)
    apart = np.abs(np.diff(place, axis=axis))[both]
    return max(1, int(np.ceil(SLANT * float(np.median(apart))))) if apart.size else 1


def splat(values: Counts, made: Plan) -> Counts:
    """(H, W) of the colour grid, from (H, W) counts of the depth grid; 0 where nothing was measured."""
    import cv2

    across, down = made.footprint
    # A frame takes what falls outside: as wide as the footprint at the left and top, one pixel at the right.
    width, height = made.color.width + across + 1, made.color.height + down + 1
    out = np.full(height * width, FARTHEST, np.uint16)
    rows = max(1, BLOCK_PX // values.shape[1])
    for first in range(0, values.shape[0], rows):
        block = slice(first, first + rows)
        counts = values[block]
        column, row, z = _places(made, block, counts.astype(np.float32), (across / 2 + 1, down / 2 + 1))
        np.clip(column, 0, width - 1, out=column)
        np.clip(row, 0, height - 1, out=row)
        np.floor(column, out=column)
        np.floor(row, out=row)
        cv2.scaleAdd(row, width, column, dst=row)
        # Rounded, and one less, so that the farthest of all is left for "no measurement".
        z -= np.float32(0.5)
        np.clip(z, 0, FARTHEST, out=z)
        nearest = z.astype(np.uint16)
        np.copyto(nearest, FARTHEST, where=counts == 0)
        np.minimum.at(out, row.astype(np.int64).ravel(), nearest.ravel())
    grid = out.reshape(height, width)
    if made.footprint != (1, 1):
        kernel = np.ones((down, across), np.uint8)
        corner = (across - 1, down - 1)  # a place covers itself and what lies to its right and below
        grid = np.asarray(
            cv2.erode(grid, kernel, anchor=corner, borderType=cv2.BORDER_CONSTANT, borderValue=(FARTHEST,)),
            np.uint16,
        )
    return np.add(grid[down:-1, across:-1], np.uint16(1))


def _places(
    made: Plan, block: slice, counts: Float, offset: tuple[float, float] = (0.0, 0.0)
) -> tuple[Float, Float, Float]:
    """Column and row in the colour picture plus `offset`, and z in counts, of a block of depth's rows.

    Every line here is a pass over all pixels, of which a millisecond holds ten.
    """
    color = made.color
    z = made.z[block] * counts
    z += np.float32(made.shift[2])
    np.clip(z, np.float32(1e-6), None, out=z)
    x, y = made.x[block] * counts, made.y[block] * counts
    x += np.float32(made.shift[0])
    y += np.float32(made.shift[1])
    x /= z
    y /= z
    if color.distortion:
        # What lies beyond is moved to just outside the picture, from where no polynomial leads back.
        np.clip(x, -made.limit[0], made.limit[0], out=x)
        np.clip(y, -made.limit[1], made.limit[1], out=y)
        _distort(x, y, color.distortion)
    x *= np.float32(color.fx)
    x += np.float32(color.cx + offset[0])
    y *= np.float32(color.fy)
    y += np.float32(color.cy + offset[1])
    return x, y, z


def _distort(x: Float, y: Float, distortion: tuple[float, ...]) -> None:
    """What the lens makes of (H, W) x/z and y/z, in place; OpenCV's model with common factors taken out."""
    import cv2

    k1, k2, p1, p2, k3, k4, k5, k6 = (np.float32(k) for k in (*distortion, *(0.0,) * (8 - len(distortion))))
    rr = x * x
    rr += y * y
    factor = _polynomial(rr, k1, k2, k3)
    if k4 or k5 or k6:
        factor /= _polynomial(rr, k4, k5, k6)
    if p1 or p2:
        cv2.scaleAdd(y, 2 * float(p1), factor, dst=factor)
        cv2.scaleAdd(x, 2 * float(p2), factor, dst=factor)
    x *= factor
    y *= factor
    if p1 or p2:
        cv2.scaleAdd(rr, float(p2), x, dst=x)
        cv2.scaleAdd(rr, float(p1), y, dst=y)


def _polynomial(rr: Float, first: np.float32, second: np.float32, third: np.float32) -> Float:
    """1 + first * rr + second * rr^2 + third * rr^3."""
    made = rr * third
    for k in (second, first):
        made += k
        made *= rr
    made += np.float32(1)
    return made
