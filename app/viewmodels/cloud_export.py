"""What the 3D view draws, as files for other programs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.ply import write_ply
from app.viewmodels.cloud import TEAR, Cloud, in_world, measured_in_camera, mesh_triangles
from app.viewmodels.cloud_look import ClipBox


def write_cloud(file: Path, clouds: Sequence[Cloud], *, box: ClipBox | None, mesh: bool, words: str) -> int:
    """Write clouds as one PLY in the space that is drawn, in metres; the number of its points.

    Args:
        file: to write.
        clouds: at least one.
        box: points outside are left out.
        mesh: with the triangles between neighbouring pixels.
        words: what it shows, for the head of the file.

    Raises:
        OSError: the folder cannot be written.
    """
    parts = [_part(cloud, box, mesh=mesh) for cloud in clouds]
    before = np.cumsum([0, *(len(points) for points, _, _, _ in parts)])
    kinds = [kind for _, _, kind, _ in parts]
    write_ply(
        file,
        np.concatenate([points for points, _, _, _ in parts]),
        np.concatenate([colors for _, colors, _, _ in parts]),
        provenance=np.concatenate(kinds),
        triangles=np.concatenate([t + n for (_, _, _, t), n in zip(parts, before, strict=False)])
        if mesh
        else None,
        comments=(
            words.encode("ascii", "replace").decode(),
            "metres; +X right, +Y down, +Z forward of the camera shown large",
            "provenance: 0 measured, 1 refined, 2 invented",
        ),
    )
    return int(before[-1])


def _part(
    cloud: Cloud, box: ClipBox | None, *, mesh: bool
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int32]]:
    """Points, colours, provenance and triangles of one cloud."""
    in_camera, there = measured_in_camera(cloud)
    every = in_world(cloud, in_camera, np.ones_like(there))
    kept = there if box is None else there & box.contains(every).reshape(there.shape)
    points = every[kept.reshape(-1)]
    colors = _seen_colors(cloud, in_camera[kept])
    kinds = np.zeros(there.shape, np.uint8) if cloud.provenance is None else cloud.provenance
    triangles = np.empty((0, 3), np.int32)
    if mesh:
        number = np.cumsum(kept.reshape(-1), dtype=np.int64) - 1
        corners = mesh_triangles(cloud.camera, 1).reshape(-1, 3)
        z = in_camera[..., 2].reshape(-1)[corners]
        whole = kept.reshape(-1)[corners].all(axis=1)
        whole &= np.ptp(z, axis=1) <= TEAR * z.min(axis=1)
        triangles = number[corners[whole]].astype(np.int32)
    return points, colors, kinds[kept], triangles


def _seen_colors(cloud: Cloud, points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, 3) uint8 RGB that the colour camera sees where the points are."""
    color_from_depth = cloud.color_from_depth.astype(np.float32)
    x, y, z = (points @ color_from_depth[:3, :3].T + color_from_depth[:3, 3]).T
    camera = cloud.color_camera
    column = np.rint(x / z * camera.fx + camera.cx).astype(np.intp)
    row = np.rint(y / z * camera.fy + camera.cy).astype(np.intp)
    height, width = cloud.color.shape[:2]
    return np.asarray(cloud.color[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], np.uint8)
