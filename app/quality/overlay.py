"""How colour lies over the infrared picture that depth is made of: beside it, or larger."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.frame import Frame

Grey = NDArray[np.uint8]

REACH_PX: Final = 40
RESEMBLANCE: Final = 0.3
"""Correlation of colour with infrared from which on anything can be told of them."""
SMALL_PX: Final = 320
"""Width at which sizes are compared."""
SMALL_REACH_PX: Final = 16
ZOOMS: Final = tuple(round(0.7 + 0.05 * step, 2) for step in range(15))
SURE: Final = 0.4
"""The same, from which on it can be told at which size they fit."""
CLEARLY: Final = 0.8
"""Of the best correlation: with its own focal length colour reaches less if that is wrong."""


def color_shift_px(frame: Frame) -> tuple[float, float] | None:
    """How far colour lies beside infrared, in pixels of colour; None where that cannot be told.

    Infrared is carried into the colour view over a plane at the middle of the depth. Gradients are compared:
    what reflects infrared light is not what reflects visible light, but edges are where edges are.
    """
    import cv2

    height, width = frame.color.shape[:2]
    color_from_ir = _through_plane(frame)
    if color_from_ir is None or min(height, width) <= 4 * REACH_PX:
        return None
    assert frame.ir_left is not None
    assert frame.calibration.ir is not None
    matrix = frame.calibration.color.matrix @ color_from_ir @ np.linalg.inv(frame.calibration.ir.matrix)
    warped = cv2.warpPerspective(frame.ir_left, matrix, (width, height))
    carried = _gradient(np.asarray(warped, np.uint8), 2.5)
    inner = carried[REACH_PX:-REACH_PX, REACH_PX:-REACH_PX]
    alike = cv2.matchTemplate(_gradient(grey_of(frame), 2.5), inner, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    return (float(x - REACH_PX), float(y - REACH_PX)) if best >= RESEMBLANCE else None


def color_zoom(frame: Frame) -> float | None:
    """At how many times its focal length colour fits infrared; None where that cannot be told.

    1 if it fits at its own, or nearly as well. Compared as `color_shift_px` compares, in small pictures.
    """
    import cv2

    color_from_ir = _through_plane(frame)
    if color_from_ir is None or min(frame.color.shape[:2]) <= 4 * REACH_PX:
        return None
    assert frame.ir_left is not None
    assert frame.calibration.ir is not None
    color, ir = (
        camera.scaled(SMALL_PX, round(camera.height * SMALL_PX / camera.width))
        for camera in (frame.calibration.color, frame.calibration.ir)
    )
    size = (color.width, color.height)
    seen = _gradient(
        np.asarray(cv2.resize(grey_of(frame), size, interpolation=cv2.INTER_AREA), np.uint8), 1.5
    )
    infrared = cv2.resize(frame.ir_left, (ir.width, ir.height), interpolation=cv2.INTER_AREA)
    steep = _gradient(np.asarray(infrared, np.uint8), 1.5)
    edge = slice(SMALL_REACH_PX, -SMALL_REACH_PX)
    alike = {}
    for zoom in ZOOMS:
        zoomed = replace(color, fx=color.fx * zoom, fy=color.fy * zoom)
        carried = cv2.warpPerspective(steep, zoomed.matrix @ color_from_ir @ np.linalg.inv(ir.matrix), size)
        alike[zoom] = float(cv2.matchTemplate(seen, carried[edge, edge], cv2.TM_CCOEFF_NORMED).max())
    best = max(alike, key=lambda zoom: alike[zoom])
    if alike[best] < SURE:
        return None
    return best if alike[1.0] < CLEARLY * alike[best] else 1.0


def _through_plane(frame: Frame) -> NDArray[np.float64] | None:
    """(3, 3) rays of colour from rays of infrared, over a plane at the middle of the depth."""
    measured = frame.depth.values[frame.depth.values > 0]
    place = frame.calibration.color_from_ir_left
    if frame.ir_left is None or frame.calibration.ir is None or place is None or not measured.size:
        return None
    plane_m = float(np.median(measured)) * frame.depth.unit_m
    return np.asarray(place[:3, :3] + np.outer(place[:3, 3], (0, 0, 1 / plane_m)), np.float64)


def _gradient(grey: Grey, soft_px: float) -> NDArray[np.float32]:
    import cv2

    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), soft_px)
    steep = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    return np.asarray(np.minimum(steep, np.percentile(steep, 98)), np.float32)


def grey_of(frame: Frame) -> Grey:
    """(H, W) uint8, the colour picture without its colour."""
    import cv2

    return np.asarray(cv2.cvtColor(frame.color, cv2.COLOR_RGB2GRAY), np.uint8)
