"""Pinhole cameras: intrinsics, calibrations, and depth carried from one view into another.

Axes: +X right, +Y down, +Z forward, in metres. Pixel (0, 0) is the centre of the top-left pixel (OpenCV).
A transform is named after where it takes you: `color_from_depth @ point_in_depth_camera`.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.registration import POLYNOMIAL, Plan, make_plan, splat


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera.

    Attributes:
        width: pixels.
        height: pixels.
        fx: focal length in pixels; likewise fy.
        cx: principal point in pixels; likewise cy.
        distortion: OpenCV order (k1 k2 p1 p2 k3 ...); empty for none.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3) camera matrix in pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def scaled(self, width: int, height: int) -> "Intrinsics":
        """The same camera read out on another pixel grid over the same field of view."""
        sx, sy = width / self.width, height / self.height
        return Intrinsics(
            width,
            height,
            self.fx * sx,
            self.fy * sy,
            (self.cx + 0.5) * sx - 0.5,
            (self.cy + 0.5) * sy - 0.5,
            self.distortion,
        )


def intrinsics_from_matrix(matrix: NDArray[np.floating], width: int, height: int) -> Intrinsics:
    """Intrinsics from a (3, 3) camera matrix in pixels."""
    return Intrinsics(
        width, height, float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])
    )


@dataclass(frozen=True, eq=False)
class Calibration:
    """Where the streams of one camera look from.

    Attributes:
        color: intrinsics of the colour stream.
        depth: intrinsics of the depth stream in its own grid.
        color_from_depth: (4, 4) float64, metres.
        ir: intrinsics shared by both rectified infrared images, or None.
        color_from_ir_left: (4, 4) float64, metres, or None.
        baseline_m: distance between the infrared cameras, or None.
        rig_from_color: (4, 4) metres, where the colour camera sits in its rig, or None where the source does
            not know; a live camera never does (see `drivers.calibration.rig`).
    """

    color: Intrinsics
    depth: Intrinsics
    color_from_depth: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    ir: Intrinsics | None = None
    color_from_ir_left: NDArray[np.float64] | None = None
    baseline_m: float | None = None
    rig_from_color: NDArray[np.float64] | None = None

    @property
    def aligned(self) -> bool:
        """Whether depth already lies in the colour camera's pixels."""
        return self.depth == self.color and bool(np.array_equal(self.color_from_depth, np.eye(4)))


def rays(camera: Intrinsics) -> NDArray[np.float32]:
    """(H, W, 2) float32: x/z and y/z of every pixel, lens distortion removed."""
    columns, rows = np.meshgrid(
        np.arange(camera.width, dtype=np.float32), np.arange(camera.height, dtype=np.float32)
    )
    if camera.distortion:
        import cv2

        pixels = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2)
        # OpenCV stops after five steps unless told otherwise, which leaves tenths of a pixel in wide corners.
        exact = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 1e-7)
        undistorted = cv2.undistortPoints(pixels, camera.matrix, np.array(camera.distortion), criteria=exact)
        return np.asarray(undistorted, np.float32).reshape(camera.height, camera.width, 2)
    return np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy], axis=-1).astype(
        np.float32
    )


def points_in_camera(depth: DepthMap, camera: Intrinsics) -> NDArray[np.float32]:
    """(N, 3) float32 points in metres, one for each measured pixel in row order."""
    valid = depth.valid
    z = depth.metres[valid]
    return np.concatenate([rays(camera)[valid] * z[:, None], z[:, None]], axis=1)


def register_depth(depth: DepthMap, calibration: Calibration) -> DepthMap:
    """Depth as the colour camera would see it, in the colour grid.

    Every measured pixel covers as many colour pixels as it is wide there (so that a finer colour grid is not
    left with a sieve), lenses distort, the nearest surface wins. An aligned calibration returns `depth`
    itself; one that differs in resolution only is resampled by nearest neighbour.

    Raises:
        ValueError: the colour lens has more than eight distortion coefficients.
    """
    if calibration.aligned:
        return depth
    color = calibration.color
    if np.array_equal(calibration.color_from_depth, np.eye(4)) and _same_view(calibration.depth, color):
        import cv2

        values = cv2.resize(depth.values, (color.width, color.height), interpolation=cv2.INTER_NEAREST)
        return DepthMap(np.asarray(values, np.uint16), depth.unit_m)
    matrix = np.ascontiguousarray(calibration.color_from_depth, np.float64)
    plan = _plan(calibration.depth, color, matrix.tobytes(), depth.unit_m)
    return DepthMap(splat(depth.values, plan), depth.unit_m)


@lru_cache(maxsize=8)
def _plan(depth: Intrinsics, color: Intrinsics, color_from_depth: bytes, unit_m: float) -> Plan:
    matrix = np.frombuffer(color_from_depth, np.float64).reshape(4, 4)
    if len(color.distortion) > POLYNOMIAL:
        raise ValueError(f"a lens with {len(color.distortion)} distortion coefficients is not known here")
    edge = np.abs(rays(color)).reshape(-1, 2).max(axis=0) if color.distortion else np.array([np.inf, np.inf])
    limit = (float(edge[0]) + 8 / color.fx, float(edge[1]) + 8 / color.fy)  # well outside the picture
    return make_plan(rays(depth), matrix, unit_m, color, limit)


def project(
    points: NDArray[np.float32], camera: Intrinsics
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixel columns and rows, each (N,) float32, of (N, 3) points in front of `camera`."""
    if camera.distortion:
        import cv2

        pixels, _ = cv2.projectPoints(
            points.astype(np.float64), np.zeros(3), np.zeros(3), camera.matrix, np.array(camera.distortion)
        )
        pixels = np.asarray(pixels, np.float32).reshape(-1, 2)
        return pixels[:, 0], pixels[:, 1]
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    return x / z * np.float32(camera.fx) + np.float32(camera.cx), y / z * np.float32(camera.fy) + np.float32(
        camera.cy
    )


def _same_view(a: Intrinsics, b: Intrinsics) -> bool:
    scaled = a.scaled(b.width, b.height)
    numbers = np.array([scaled.fx, scaled.fy, scaled.cx, scaled.cy])
    return bool(np.allclose(numbers, [b.fx, b.fy, b.cx, b.cy], atol=0.51)) and a.distortion == b.distortion
