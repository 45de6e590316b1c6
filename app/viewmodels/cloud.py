"""What the 3D view draws: depth images with the cameras that they were seen by."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.viewmodels.live import TileView
from drivers.depth import DepthMap
from drivers.geometry import Intrinsics, rays

CloudColouring = Literal["colour", "depth", "provenance"]
CloudLayout = Literal["both", "overlay", "raw", "refined"]


@dataclass(frozen=True, eq=False)
class Cloud:
    """One depth image that can be drawn as points.

    Attributes:
        depth: in the grid of `camera`.
        camera: that saw it.
        color: (H, W, 3) uint8 RGB of the same moment.
        color_camera: that saw `color`.
        color_from_depth: (4, 4) float64, metres.
        provenance: (H, W) uint8 in the grid of `depth`, or None where all is measured.
    """

    depth: DepthMap
    camera: Intrinsics
    color: NDArray[np.uint8]
    color_camera: Intrinsics
    color_from_depth: NDArray[np.float64]
    provenance: NDArray[np.uint8] | None = None


def raw_cloud(tile: TileView) -> Cloud | None:
    """The newest measured depth; None before the first frame."""
    if tile.frame is None:
        return None
    seen_by = tile.frame.calibration
    return Cloud(tile.frame.depth, seen_by.depth, tile.frame.color, seen_by.color, seen_by.color_from_depth)


def refined_cloud(tile: TileView) -> Cloud | None:
    """The newest repaired depth; None while there is none that is current."""
    if tile.refined is None or tile.refined_note is not None:
        return None
    frame, camera = tile.refined.frame, tile.refined.frame.calibration.color
    return Cloud(tile.refined.depth, camera, frame.color, camera, np.eye(4), tile.refined.provenance)


def grid(camera: Intrinsics, step: int) -> NDArray[np.float32]:
    """(N, 4) float32: column and row as shares of the image, x/z and y/z, of every `step`-th pixel."""
    columns, rows = np.meshgrid(
        (np.arange(camera.width, dtype=np.float32) + 0.5) / camera.width,
        (np.arange(camera.height, dtype=np.float32) + 0.5) / camera.height,
    )
    places = np.dstack([columns, rows, rays(camera)])[::step, ::step]
    return np.ascontiguousarray(places.reshape(-1, 4), np.float32)


def middle_depth_m(depth: DepthMap) -> float | None:
    """Median depth in metres, of a thin sample; None if nothing is measured."""
    sample = depth.values[::8, ::8]
    sample = sample[sample > 0]
    return float(np.median(sample)) * depth.unit_m if sample.size else None
