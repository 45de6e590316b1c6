"""Quality of one depth image: fill rate, plane fit, sub-pixel error, Z accuracy.

Words and formulas are those of the Depth Quality Tool where it has them (librealsense,
tools/depth-quality/rs-depth-quality.cpp).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.quality.planes import GATE, GRAINS, PlaneFit, Points, Region
from drivers.depth import DepthMap

NORMAL_MEDIAN: Final = 1.4826
"""Standard deviation of a normal distribution, in medians of what is off."""


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
    """Mean of (Z - true Z) / true Z where both are known, signed; None where they are nowhere.

    What lies more than four deviations from the median, such as the wrong side of an edge, is left out. Not
    the median itself: it would stick to whole counts.
    """
    part = (slice(None), slice(None)) if region is None else region.slices(depth.values.shape)
    z, true_z = depth.values[part] * depth.unit_m, truth.values[part] * truth.unit_m
    both = (z > 0) & (true_z > 0)
    if not both.any():
        return None
    off = z[both] / true_z[both] - 1
    middle = float(np.median(off))
    scatter = NORMAL_MEDIAN * float(np.median(np.abs(off - middle)))
    reach = GATE * scatter + GRAINS * depth.unit_m / float(np.median(true_z[both]))
    return float(off[np.abs(off - middle) <= reach].mean())
