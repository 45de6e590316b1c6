"""Quality of one depth image: fill rate, plane fit, sub-pixel error, Z accuracy, sharpness of edges.

Words and formulas are those of the Depth Quality Tool where it has them (librealsense,
tools/depth-quality/rs-depth-quality.cpp).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.quality.planes import PlaneFit, Points, Region
from drivers.depth import DepthMap

EDGE_REACH_PX: Final = 14
PLATEAU_PX: Final = 6
SMALLEST_STEP_M: Final = 0.08
SMALLEST_STEP_SHARE: Final = 0.06
"""Of the nearer side's depth: what falls off by less may be a slope or noise."""
UNEVEN: Final = 0.08
"""Rise or fall of either side of an edge, as a share of the step: 10 and 90 % have to lie on the step."""
NARROW_PX: Final = 3.0
NARROW_REACH_PX: Final = 4
SHARPEST_PX: Final = 0.8
"""10 to 90 % of a straight line from one pixel to the next: the whole step between two neighbours."""
GAUSSIAN_RISE: Final = 2.563103
"""10 to 90 % of a Gaussian edge, in its standard deviations."""
NEWTON_STEPS: Final = 3
LINES: Final = 213
"""Rows or columns that are looked at, or about as many."""
FEWEST_EDGES: Final = 30
MOST_EDGES: Final = 4000


def fill_rate(depth: DepthMap, region: Region | None = None) -> float:
    """Share of the pixels with a depth, 0 to 1, of a region or of the whole picture ("Fill Rate")."""
    values = depth.values if region is None else depth.values[region.slices(depth.values.shape)]
    return float(np.count_nonzero(values)) / values.size


def plane_fit_rms_mm(points: Points, plane: PlaneFit) -> float:
    """Root mean square distance in millimetres of the plane's own points to it ("Plane Fit RMS Error").

    The Depth Quality Tool fits to all points and then crops 0.5 % at either end of Z; here the robust fit has
    chosen the points.

    Args:
        points: (N, 3) metres, those that the plane was fitted to.
        plane: their fit.
    """
    return 1e3 * float(np.sqrt(np.mean(plane.distances_m(points[plane.on_plane]) ** 2)))


def subpixel_rms_px(points: Points, plane: PlaneFit, *, focal_px: float, baseline_m: float) -> float:
    """Root mean square error of disparity in pixels ("Subpixel RMS Error").

    sqrt(mean((f b / Z - f b / Zp) ** 2)) with Zp the plane's depth in the same pixel. The Depth Quality Tool
    takes the foot of the perpendicular instead: the same where the plane is faced squarely, less by the
    square of the cosine where it is not.

    Args:
        points: (N, 3) metres, those that the plane was fitted to.
        plane: their fit.
        focal_px: of the matched images.
        baseline_m: between their cameras.
    """
    chosen = points[plane.on_plane]
    z = chosen[:, 2]
    disparity_errors = focal_px * baseline_m * (1 / z - 1 / plane.depth_m(chosen[:, :2] / z[:, None]))
    return float(np.sqrt(np.mean(disparity_errors**2)))


def z_accuracy(plane: PlaneFit, ray: NDArray[np.floating], *, distance_m: float) -> float:
    """How far the fitted plane is off, as a share of the true distance; positive is too far ("Z Accuracy").

    The Depth Quality Tool looks along the optical axis; here along any ray, so that a target may stand aside.

    Args:
        plane: fit of the target.
        ray: (2,) x/z and y/z of the pixel to which the distance was measured.
        distance_m: true depth there, along Z.
    """
    return float(plane.depth_m(ray)) / distance_m - 1


def z_error(depth: DepthMap, truth: DepthMap, region: Region | None = None) -> float | None:
    """Median of (Z - true Z) / true Z where both are known, signed; None where they are nowhere."""
    part = (slice(None), slice(None)) if region is None else region.slices(depth.values.shape)
    z, true_z = depth.values[part] * depth.unit_m, truth.values[part] * truth.unit_m
    both = (z > 0) & (true_z > 0)
    return float(np.median(z[both] / true_z[both])) - 1 if both.any() else None


def edge_width_px(depth: DepthMap) -> float | None:
    """Median width in pixels in which depth steps from one surface to another; None with too few steps.

    The 10 to 90 % rise distance of ISO 12233's edges, taken of depth across rows and across columns. 0.8 is
    perfect: the whole step between two neighbouring pixels. Without noise a Gaussian edge of 1.3 px and
    more is measured to 2 %, wherever it falls between pixels. Holes are bridged by straight lines, so that a
    band of holes along an edge counts as width.
    """
    metres = depth.metres
    every = max(round(max(metres.shape) / LINES), 1)
    widths = np.concatenate(
        [
            _rise_widths(metres[::every]),
            _rise_widths(np.ascontiguousarray(metres[:, ::every].T)),
        ]
    )
    return float(np.median(widths)) if len(widths) >= FEWEST_EDGES else None


def _rise_widths(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) pixels along rows from 10 to 90 % of each clear step."""
    import cv2

    size = 2 * EDGE_REACH_PX
    if depth_m.shape[1] <= size:
        return np.empty(0, np.float32)
    bridged = _bridge(depth_m)
    steps = np.abs(np.diff(bridged, axis=1))
    # The middle of an edge: no pixel within reach differs more from its neighbour.
    around = cv2.dilate(steps, np.ones((1, size - 1), np.uint8))
    heights = np.abs(bridged[:, size - 1 :] - bridged[:, : 1 - size])
    middles = slice(EDGE_REACH_PX - 1, EDGE_REACH_PX - 1 + heights.shape[1])
    candidates = (heights > SMALLEST_STEP_M) & (steps[:, middles] >= around[:, middles])
    rows, columns = np.nonzero(candidates)
    profiles = np.lib.stride_tricks.sliding_window_view(bridged, size, axis=1)
    thinned = slice(None, None, max(len(rows) // MOST_EDGES, 1))
    found = profiles[rows[thinned], columns[thinned]]
    left, right = found[:, :PLATEAU_PX], found[:, -PLATEAU_PX:]
    low, high = left.mean(axis=1), right.mean(axis=1)
    height = np.abs(high - low)
    clear = (
        (height > SMALLEST_STEP_M)
        & (height > SMALLEST_STEP_SHARE * np.minimum(low, high))
        & (_unevenness(left) < UNEVEN * height)
        & (_unevenness(right) < UNEVEN * height)
        & (found > 0).all(axis=1)
    )
    rising = (found[clear] - low[clear, None]) / (high - low)[clear, None]
    widths = _crossing(rising, 0.9) - _crossing(rising, 0.1)
    return np.asarray(np.where(widths < NARROW_PX, _narrow_widths(rising), widths), np.float32)


def _narrow_widths(rising: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) pixels from 10 to 90 % of edges that rise over so few pixels that no curve through them is sure.

    Their spread says how wide they are: what rises from one pixel to the next is the edge's slope summed over
    a pixel, which adds 1/12 to its variance (Sheppard). As wide as a Gaussian of that variance.
    """
    middle = EDGE_REACH_PX - 1
    around = slice(middle - NARROW_REACH_PX, middle + NARROW_REACH_PX + 1)
    places = np.arange(-NARROW_REACH_PX, NARROW_REACH_PX + 1, dtype=np.float32)
    left, right = _slopes(rising[:, :PLATEAU_PX]), _slopes(rising[:, -PLATEAU_PX:])
    sloping = np.sign(places) / 2  # what both sides rise by themselves is no part of the edge
    rises = (
        np.diff(rising, axis=1)[:, around] - np.outer(left, 0.5 - sloping) - np.outer(right, 0.5 + sloping)
    )
    whole = np.maximum(rises.sum(axis=1), 0.5)
    mean = rises @ places / whole
    variance = rises @ places**2 / whole - mean**2 - np.float32(1 / 12)
    return np.asarray(np.maximum(GAUSSIAN_RISE * np.sqrt(np.maximum(variance, 0)), SHARPEST_PX), np.float32)


def _unevenness(plateau: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) by how much each side of an edge rises or falls on its way to the edge, in metres."""
    return np.asarray(np.abs(_slopes(plateau)) * EDGE_REACH_PX, np.float32)


def _slopes(plateau: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) rise from pixel to pixel of the line fitted to each row."""
    places = np.arange(PLATEAU_PX, dtype=np.float32) - np.float32((PLATEAU_PX - 1) / 2)
    return np.asarray(plateau @ (places / (places**2).sum()), np.float32)


def _bridge(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """The image with holes filled linearly along each row; what lies outside the measured stays 0."""
    width = depth_m.shape[1]
    columns = np.arange(width, dtype=np.int32)
    measured = depth_m > 0
    before = np.maximum.accumulate(np.where(measured, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(measured, columns, width)[:, ::-1], axis=1)[:, ::-1]
    inside = (before >= 0) & (after < width)
    rows = np.arange(len(depth_m))[:, None]
    bridged = depth_m.copy()
    hole = inside & ~measured
    row, start, end = np.broadcast_to(rows, hole.shape)[hole], before[hole], after[hole]
    share = (np.broadcast_to(columns, hole.shape)[hole] - start) / (end - start)
    bridged[hole] = depth_m[row, start] * (1 - share) + depth_m[row, end] * share
    return bridged


def _crossing(rising: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    """(N,) place where each profile, from about 0 to about 1, first reaches `level`, between pixels.

    Between two pixels it is bent as its neighbours say, where both of them say the same (van Leer's mean);
    straight lines would make a rounded foot up to a tenth too wide.
    """
    at = np.clip(np.argmax(rising >= level, axis=1), 2, rising.shape[1] - 2)
    rows = np.arange(len(rising))
    before, low, high, after = (rising[rows, at + i] for i in (-2, -1, 0, 1))
    step = np.where(np.abs(high - low) < 1e-6, np.float32(1e-6), high - low)
    one, other = before - 2 * low + high, low - 2 * high + after
    alike = one * other > 0
    bend = np.where(alike, 2 * one * other / np.where(alike, one + other, 1), 0)
    share = np.clip((level - low) / step, 0, 1)
    for _ in range(NEWTON_STEPS):
        value = low + step * share - bend * share * (1 - share) / 2
        slope = step - bend * (1 - 2 * share) / 2
        share = np.clip(share - (value - level) / np.where(np.abs(slope) < 1e-6, step, slope), 0, 1)
    return np.asarray(at - 1 + share, np.float32)
