"""Lengths and statistics of depth images: arrays and intrinsics in, metres out."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.live import TileView
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics, project, register_depth

Place = tuple[float, float]
"""Shares of a picture's width and height, from its upper left corner."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What can be measured in one camera's tile, all of one exposure, in the pixels of the colour camera.

    Attributes:
        raw: measured depth.
        refined: repaired depth, or None while there is none that is current.
        camera: the colour camera.
    """

    raw: DepthMap
    refined: DepthMap | None
    camera: Intrinsics


@dataclass(frozen=True)
class Stats:
    """Depth within a rectangle; metres, and NaN where nothing is measured.

    Attributes:
        fill: share of the pixels with a depth, 0 to 1.
        mean_m: of the pixels with a depth; likewise all that follow.
        median_m: the middle one, or the mean of the two middle ones.
        std_m: standard deviation around the mean.
        min_m: nearest.
        max_m: farthest.
        width_m: of the rectangle, seen at the median depth; likewise `height_m`.
    """

    fill: float
    mean_m: float
    median_m: float
    std_m: float
    min_m: float
    max_m: float
    width_m: float
    height_m: float


def scene(tile: TileView) -> Scene | None:
    """Raw and refined of the newest repaired frame, else the newest raw frame; None before the first."""
    if tile.refined is not None and tile.refined_note is None:
        refined = tile.refined
        return Scene(refined.raw, refined.depth, refined.frame.calibration.color)
    if tile.frame is None:
        return None
    return Scene(registered(tile.frame), None, tile.frame.calibration.color)


@lru_cache(maxsize=4)
def registered(frame: Frame) -> DepthMap:
    """The frame's depth in the colour grid; kept for a while, for each mark and the loupe ask again."""
    return register_depth(frame.depth, frame.calibration)


def seen_alike(calibration: Calibration) -> bool:
    """Whether depth and colour camera see the same at the same shares of their pictures."""
    depth, color = (
        calibration.depth.scaled(calibration.color.width, calibration.color.height),
        calibration.color,
    )
    numbers = (depth.fx - color.fx, depth.fy - color.fy, depth.cx - color.cx, depth.cy - color.cy)
    return (
        np.array_equal(calibration.color_from_depth, np.eye(4))
        and max(map(abs, numbers)) < 1
        and depth.distortion == color.distortion
    )


def place_in_color(frame: Frame, place: Place) -> Place | None:
    """Where the colour camera sees what the depth camera sees at `place`; None in a hole or out of sight."""
    seen = point(frame.depth, frame.calibration.depth, place)
    if seen is None:
        return None
    moved = frame.calibration.color_from_depth @ np.append(seen, 1.0)
    if moved[2] <= 0:
        return None
    color = frame.calibration.color
    columns, rows = project(np.asarray(moved[None, :3], np.float32), color)
    x, y = (float(columns[0]) + 0.5) / color.width, (float(rows[0]) + 0.5) / color.height
    return (x, y) if 0 <= x <= 1 and 0 <= y <= 1 else None


def pixel(place: Place, shape: tuple[int, ...]) -> tuple[int, int]:
    """Column and row of the pixel at a place of an (H, W) image."""
    height, width = shape
    x, y = place
    return min(max(int(x * width), 0), width - 1), min(max(int(y * height), 0), height - 1)


def point(depth: DepthMap, camera: Intrinsics, place: Place) -> NDArray[np.float64] | None:
    """(3,) metres in the camera's axes of what the pixel at `place` sees; None in a hole."""
    column, row = pixel(place, depth.values.shape)
    z = float(depth.values[row, column]) * depth.unit_m
    if z <= 0:
        return None
    ray = np.array([(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy])
    if camera.distortion:
        import cv2

        seen = np.array([[[column, row]]], np.float64)
        ray = np.ravel(cv2.undistortPoints(seen, camera.matrix, np.array(camera.distortion)))
    return np.append(ray, 1.0) * z


def distance_m(depth: DepthMap, camera: Intrinsics, start: Place, end: Place) -> float | None:
    """Straight through space between what two pixels see; None where either is a hole."""
    a, b = point(depth, camera, start), point(depth, camera, end)
    return None if a is None or b is None else float(np.linalg.norm(b - a))


def stats(depth: DepthMap, camera: Intrinsics, start: Place, end: Place) -> Stats:
    """Statistics of the rectangle with these two corners, both of them included."""
    corners = pixel(start, depth.values.shape), pixel(end, depth.values.shape)
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(*corners, strict=True))
    values = depth.values[top : bottom + 1, left : right + 1]
    # Exact, and faster than sorting: depth has few different values.
    numbers = np.bincount(values.ravel())
    numbers[0] = 0
    count = int(numbers.sum())
    if not count:
        nan = float("nan")
        return Stats(0.0, nan, nan, nan, nan, nan, nan, nan)
    levels = np.flatnonzero(numbers)
    weights, metres = numbers[levels], levels * depth.unit_m
    upto = weights.cumsum()
    middles = np.searchsorted(upto, [(count + 1) // 2, count // 2 + 1])
    mean_m, median_m = float(metres @ weights / count), float(metres[middles].mean())
    std_m = float(np.sqrt((metres - mean_m) ** 2 @ weights / count))
    return Stats(
        fill=count / values.size,
        mean_m=mean_m,
        median_m=median_m,
        std_m=std_m,
        min_m=float(metres[0]),
        max_m=float(metres[-1]),
        width_m=(right - left + 1) * median_m / camera.fx,
        height_m=(bottom - top + 1) * median_m / camera.fy,
    )


def profile(depth: DepthMap, start: Place, end: Place) -> NDArray[np.float32]:
    """(N,) metres of the pixels from one place to the other, NaN in holes; one for each column or row."""
    first, last = pixel(start, depth.values.shape), pixel(end, depth.values.shape)
    count = max(abs(last[0] - first[0]), abs(last[1] - first[1])) + 1
    columns, rows = (
        np.rint(np.linspace(a, b, count)).astype(np.intp) for a, b in zip(first, last, strict=True)
    )
    metres = depth.values[rows, columns] * np.float32(depth.unit_m)
    metres[metres == 0] = np.nan
    return metres
