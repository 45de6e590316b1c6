"""What the 3D view draws: depth images with the cameras that they were seen by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from app.flow.capture import CameraStatus
from app.language import tr
from app.viewmodels.live import TileView
from app.viewmodels.words import how_old
from drivers.depth import DepthMap
from drivers.geometry import Intrinsics, rays

CloudColouring = Literal["colour", "depth", "provenance"]
CloudLayout = Literal["both", "overlay", "raw", "refined"]

TEAR: Final = 0.05
"""Neighbouring pixels whose depths differ by more than this share lie on two surfaces."""


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
        world_from_color: (4, 4) float64 metres, from this camera's colour lens into the space that is drawn,
            which is that of the camera shown large.
        old: words on its age, where it has become too old to pass as the present scene; it is drawn dim.
    """

    depth: DepthMap
    camera: Intrinsics
    color: NDArray[np.uint8]
    color_camera: Intrinsics
    color_from_depth: NDArray[np.float64]
    provenance: NDArray[np.uint8] | None = None
    world_from_color: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    old: str = ""


def raw_cloud(tile: TileView) -> Cloud | None:
    """The newest measured depth, however old; None before the first frame and of a camera that is lost."""
    if tile.frame is None or _is_lost(tile):
        return None
    frame, seen_by = tile.frame, tile.frame.calibration
    old = "" if tile.camera_note is None else tile.camera_note.text
    return Cloud(frame.depth, seen_by.depth, frame.color, seen_by.color, seen_by.color_from_depth, old=old)


def refined_cloud(tile: TileView) -> Cloud | None:
    """The newest repaired depth, however old; None where there is none, and of a camera that is lost."""
    if tile.refined is None or _is_lost(tile):
        return None
    frame, camera = tile.refined.frame, tile.refined.frame.calibration.color
    old = "" if tile.refined_note is None else tile.refined_note.text
    return Cloud(tile.refined.depth, camera, frame.color, camera, np.eye(4), tile.refined.provenance, old=old)


def missing_words(tile: TileView) -> dict[str, str]:
    """By "raw" or "refined", why there is no cloud of it."""
    missing = {}
    if raw_cloud(tile) is None:
        missing["raw"] = tr("Camera starting") if tile.camera_note is None else tile.camera_note.text
    if refined_cloud(tile) is None:
        note = tile.refined_note or tile.camera_note
        missing["refined"] = tr("Waiting for the first refined frame") if note is None else note.text
    return missing


def _is_lost(tile: TileView) -> bool:
    """Whether its camera sees nothing any more, and no moment is held."""
    return tile.status is CameraStatus.LOST and not tile.frozen


@dataclass(frozen=True, eq=False)
class Frustum:
    """What one camera of the rig sees, as lines.

    Attributes:
        name: of the camera.
        lines: (N, 2, 3) float32 ends of lines in metres, in the space that is drawn.
        age: how old its repaired depth is, or why clouds are missing; empty where nothing is to be said.
        late: whether its repaired depth is too old to pass as the present scene, or its clouds are missing.
    """

    name: str
    lines: NDArray[np.float32]
    age: str = ""
    late: bool = False


@dataclass(frozen=True, eq=False)
class RigClouds:
    """The clouds of the other cameras of a calibrated rig, in the space of the one that is shown large.

    Attributes:
        raw: measured depth.
        refined: repaired depth.
        frusta: of all cameras, the large one among them.
    """

    raw: tuple[Cloud, ...] = ()
    refined: tuple[Cloud, ...] = ()
    frusta: tuple[Frustum, ...] = ()


FRUSTUM_M = 0.16


def rig_clouds(
    large_id: str,
    tiles: Sequence[TileView],
    rig_from_color: Mapping[str, NDArray[np.float64]],
    names: Mapping[str, str],
) -> RigClouds:
    """What a calibrated rig shows besides the camera `large_id`; empty where its place is not known.

    Args:
        large_id: the camera whose axes are the drawn space.
        tiles: of all cameras.
        rig_from_color: (4, 4) metres by camera id.
        names: of the cameras for people, by camera id.
    """
    if large_id not in rig_from_color:
        return RigClouds()
    large_from_rig = np.linalg.inv(rig_from_color[large_id])
    raw: list[Cloud] = []
    refined: list[Cloud] = []
    frusta: list[Frustum] = []
    for tile in tiles:
        place = rig_from_color.get(tile.camera_id)
        if place is None or tile.frame is None:
            continue
        world_from_color = large_from_rig @ place
        camera = tile.frame.calibration.color
        lines = frustum_lines(camera, world_from_color)
        age, late = age_words(tile)
        frusta.append(Frustum(names[tile.camera_id], lines, age, late))
        if tile.camera_id == large_id:
            continue
        for clouds, cloud in ((raw, raw_cloud(tile)), (refined, refined_cloud(tile))):
            if cloud is not None:
                clouds.append(replace(cloud, world_from_color=world_from_color))
    return RigClouds(tuple(raw), tuple(refined), tuple(frusta))


def age_words(tile: TileView) -> tuple[str, bool]:
    """How old a camera's clouds are in words, and whether they are too old, or missing."""
    if tile.camera_note is not None:
        return tile.camera_note.text, True
    if tile.refined is None or tile.age_ms is None:
        return "", False
    age = tr("refined {milliseconds} old").format(milliseconds=how_old(tile.age_ms))
    return age, tile.refined_note is not None


def frustum_lines(camera: Intrinsics, world_from_color: NDArray[np.float64]) -> NDArray[np.float32]:
    """(10, 2, 3) float32: four edges, the picture's frame, and a mark at its top; `FRUSTUM_M` deep."""
    right, bottom = (
        (camera.width - 0.5 - camera.cx) / camera.fx,
        (camera.height - 0.5 - camera.cy) / camera.fy,
    )
    left, top = (-0.5 - camera.cx) / camera.fx, (-0.5 - camera.cy) / camera.fy
    corners = FRUSTUM_M * np.array([(left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)])
    up = FRUSTUM_M * np.array([(left + right) / 2, 1.25 * top, 1.0])
    edges = [(np.zeros(3), corner) for corner in corners]
    frame = [(corners[i], corners[(i + 1) % 4]) for i in range(4)]
    ends = np.array([*edges, *frame, (up, corners[0]), (up, corners[1])])
    return np.asarray(ends @ world_from_color[:3, :3].T + world_from_color[:3, 3], np.float32)


def grid(camera: Intrinsics, step: int) -> NDArray[np.float32]:
    """(N, 4) float32: column and row as shares of the image, x/z and y/z, of every `step`-th pixel."""
    return np.ascontiguousarray(_places(camera)[::step, ::step].reshape(-1, 4))


@lru_cache(maxsize=8)
def _places(camera: Intrinsics) -> NDArray[np.float32]:
    """(H, W, 4) float32 for `grid`: to undo a lens takes long, and the step changes under a finger."""
    columns, rows = np.meshgrid(
        (np.arange(camera.width, dtype=np.float32) + 0.5) / camera.width,
        (np.arange(camera.height, dtype=np.float32) + 0.5) / camera.height,
    )
    places: NDArray[np.float32] = np.dstack([columns, rows, rays(camera)]).astype(np.float32)
    places.flags.writeable = False
    return places


def mesh_triangles(camera: Intrinsics, step: int) -> NDArray[np.uint32]:
    """(3 N,) uint32 vertices of two triangles between any four neighbours of `grid`."""
    width, height = len(range(0, camera.width, step)), len(range(0, camera.height, step))
    vertex = np.arange(width * height, dtype=np.uint32).reshape(height, width)
    a, b, c, d = vertex[:-1, :-1], vertex[:-1, 1:], vertex[1:, :-1], vertex[1:, 1:]
    return np.stack([a, c, b, b, c, d], axis=-1).reshape(-1)


def points_in_world(cloud: Cloud, step: int = 1) -> NDArray[np.float32]:
    """(N, 3) float32 metres of every `step`-th row and column, without holes, in the space that is drawn."""
    return in_world(cloud, *measured_in_camera(cloud, step))


def measured_in_camera(cloud: Cloud, step: int = 1) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(h, w, 3) float32 points of every pixel of the thinned image, in its own axes; (h, w) where any is."""
    z = cloud.depth.metres[::step, ::step]
    points = np.dstack([rays(cloud.camera)[::step, ::step] * z[..., None], z])
    return np.asarray(points, np.float32), z > 0


def in_world(cloud: Cloud, points: NDArray[np.float32], kept: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(N, 3) float32 metres in the space that is drawn, of the points of `cloud` that are `kept`."""
    world_from_depth = (cloud.world_from_color @ cloud.color_from_depth).astype(np.float32)
    return np.asarray(points[kept] @ world_from_depth[:3, :3].T + world_from_depth[:3, 3], np.float32)


def middle_depth_m(depth: DepthMap) -> float | None:
    """Median depth in metres, of a thin sample; None if nothing is measured."""
    sample = depth.values[::8, ::8]
    sample = sample[sample > 0]
    return float(np.median(sample)) * depth.unit_m if sample.size else None
