"""Pictures of a scene at camera rate: colour, exact depth and material, nearly all of it inside OpenCV.

A panel is one perspective warp of its texture, and its inverse depth is linear in the pixel coordinates, so
exact depth costs one sum over its bounding box. Round bodies are intersected analytically in theirs.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics
from drivers.synth.shapes import Ball, Material, Panel, Scene, Texture, Turned

Transform = NDArray[np.float64]
Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]
NEAREST_M = 0.05
REFLECTIVE_FROM = 0.02


@dataclass(frozen=True, eq=False)
class View:
    """What an ideal camera sees.

    Attributes:
        color: (H, W, 3) uint8 RGB, without noise.
        depth_m: (H, W) float32 planar z of the first surface, glass and mirrors included; 0 where is nothing.
        inverse_depth: (H, W) float32, 1/z of the first surface; 0 where there is nothing.
        beyond: (H, W) float32, 1/z of what is seen through glass or in a mirror; elsewhere `inverse_depth`.
        material: (H, W) uint8 of `Material`.
        camera: of all of these.
    """

    color: Bytes
    depth_m: Float
    inverse_depth: Float
    beyond: Float
    material: Bytes
    camera: Intrinsics

    def millimetres(self) -> NDArray[np.uint16]:
        """(H, W) uint16 `depth_m` in counts of a millimetre; 0 where it does not fit."""
        counts = self.depth_m * np.float32(1000) + np.float32(0.5)
        counts[counts > np.iinfo(np.uint16).max] = 0
        return counts.astype(np.uint16)

    def scaled(self, camera: Intrinsics) -> "View":
        """The same view read out on the coarser pixel grid of `camera`, each pixel the nearest one here."""
        size = (camera.width, camera.height)
        inverse = cv2.resize(self.inverse_depth, size, interpolation=cv2.INTER_NEAREST)
        beyond = inverse
        if self.beyond is not self.inverse_depth:
            beyond = cv2.resize(self.beyond, size, interpolation=cv2.INTER_NEAREST)
        return View(
            cv2.resize(self.color, size, interpolation=cv2.INTER_NEAREST),
            cv2.resize(self.depth_m, size, interpolation=cv2.INTER_NEAREST),
            inverse,
            beyond,
            cv2.resize(self.material, size, interpolation=cv2.INTER_NEAREST),
            camera,
        )


def render(
    scene: Scene,
    world_from_camera: Transform,
    camera: Intrinsics,
    *,
    t_s: float = 0.0,
    reflections: bool = True,
) -> View:
    """The scene as a camera at `world_from_camera` (4 x 4) sees it at `t_s`; lens distortion is ignored."""
    canvas = Canvas(camera)
    draw(canvas, scene.at(t_s), world_from_camera, reflections=reflections)
    _soften_edges(canvas)
    with np.errstate(divide="ignore"):
        depth = np.divide(np.float32(1), canvas.inverse)
    depth[canvas.inverse <= 0] = 0
    return View(
        cv2.cvtColor(canvas.color, cv2.COLOR_RGBA2RGB),
        depth,
        canvas.inverse,
        canvas.inverse if canvas.beyond is None else canvas.beyond,
        cv2.LUT(canvas.ids, canvas.material_of),
        camera,
    )


class Canvas:
    """The buffers one picture is drawn into.

    Attributes:
        color: (H, W, 4) uint8.
        inverse: (H, W) float32 1/z.
        ids: (H, W) uint8, which item; equal ids only of equal material.
        beyond: (H, W) float32 or None while nothing is see-through.
        material_of: (256,) uint8 material of each id.
    """

    def __init__(self, camera: Intrinsics) -> None:
        self.camera = camera
        h, w = camera.height, camera.width
        self.color = np.zeros((h, w, 4), np.uint8)
        self.inverse = np.zeros((h, w), np.float32)
        self.ids = np.zeros((h, w), np.uint8)
        self.beyond: Float | None = None
        self.material_of = np.zeros(256, np.uint8)
        self.columns = np.arange(w, dtype=np.float64)
        self.rows = np.arange(h, dtype=np.float64)
        self.next_id = 1

    def new_id(self, material: Material) -> int:
        """An id of this material; beyond 255 items ids are shared by material."""
        if self.next_id < 248:
            self.next_id += 1
            self.material_of[self.next_id - 1] = material
            return self.next_id - 1
        self.material_of[248 + material] = material
        return 248 + int(material)


def draw(
    canvas: Canvas,
    scene: Scene,
    world_from_camera: Transform,
    *,
    reflections: bool,
    behind: tuple[NDArray[np.float64], float] | None = None,
) -> None:
    """Draw `scene` into `canvas`.

    Args:
        canvas: fresh buffers.
        scene: at its moment.
        world_from_camera: 4 x 4; may contain a reflection, whose planar z is then that of the virtual image.
        reflections: draw what mirrors and polished panels show.
        behind: normal and offset of a plane; what does not rise above it is left out.
    """
    rotation, eye = world_from_camera[:3, :3], world_from_camera[:3, 3]
    shown: list[tuple[Panel, int, tuple[int, int, int, int]]] = []
    points = (scene.corners - eye) @ rotation
    ends = [*scene.first_corner[1:].tolist(), len(points)]
    normals, origins = _planes(scene)
    facing = ((eye - origins) * normals).sum(axis=1)
    depth = points[:, 2]
    first = scene.first_corner
    farthest = np.maximum.reduceat(depth, first)
    camera = canvas.camera
    x, y = points[:, 0] * camera.fx, points[:, 1] * camera.fy
    left, right = camera.cx + 0.5, camera.width - camera.cx - 0.5
    top, bottom = camera.cy + 0.5, camera.height - camera.cy - 0.5
    outside = (
        (np.maximum.reduceat(x + left * depth, first) < 0)
        | (np.minimum.reduceat(x - right * depth, first) > 0)
        | (np.maximum.reduceat(y + top * depth, first) < 0)
        | (np.minimum.reduceat(y - bottom * depth, first) > 0)
        | (farthest < NEAREST_M)
        | ((facing <= 0) & ~_two_sided(scene))
    )
    if behind is not None:
        above = scene.corners @ behind[0] - behind[1]
        outside |= np.maximum.reduceat(above, first) < 0.02
    order = np.argsort(np.add.reduceat(depth, first) / np.diff([*first, len(points)]))
    for index in order.tolist():
        if outside[index]:
            continue
        panel = scene.panels[index]
        item = canvas.new_id(panel.material)
        box = _draw_panel(canvas, panel, rotation, eye, points[first[index] : ends[index]], item)
        if box is not None and reflections and panel.reflectivity > REFLECTIVE_FROM:
            shown.append((panel, item, box))
    glass: list[tuple[float, Turned]] = []
    for body in (*scene.turned, *scene.balls):
        place = body.foot if isinstance(body, Turned) else body.centre
        if behind is not None and float(place @ behind[0]) - behind[1] < -0.02:
            continue
        if body.material is Material.GLASS and isinstance(body, Turned):
            glass.append((float(((place - eye) @ rotation)[2]), body))
        else:
            _draw_round(canvas, body, rotation, eye)
    for panel, item, box in shown:
        _draw_reflection(canvas, scene, panel, item, box, world_from_camera)
    for _, body in sorted(glass, key=lambda pair: -pair[0]):
        _draw_glass(canvas, body, rotation, eye)


def _planes(scene: Scene) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([panel.normal for panel in scene.panels]),
        np.array([panel.origin for panel in scene.panels]),
    )


def _two_sided(scene: Scene) -> NDArray[np.bool_]:
    return np.array([panel.two_sided for panel in scene.panels])


def _draw_panel(
    canvas: Canvas,
    panel: Panel,
    rotation: Transform,
    eye: NDArray[np.float64],
    points: NDArray[np.float64],
    item: int,
) -> tuple[int, int, int, int] | None:
    """Where it is visible, as (top, bottom, left, right), or None."""
    camera = canvas.camera
    if points[:, 2].min() < NEAREST_M:
        points = _clipped(points)
    u = points[:, 0] / points[:, 2] * camera.fx + camera.cx
    v = points[:, 1] / points[:, 2] * camera.fy + camera.cy
    left, right = max(int(u.min()), 0), min(int(u.max()) + 2, camera.width)
    top, bottom = max(int(v.min()), 0), min(int(v.max()) + 2, camera.height)
    if left >= right or top >= bottom:
        return None
    frame = np.stack([panel.across, panel.down, panel.origin - eye], axis=1)  # (3, 3): s, t, 1 -> world
    image_from_panel = camera.matrix @ (rotation.T @ frame)
    try:
        panel_from_image = np.linalg.inv(image_from_panel)
    except np.linalg.LinAlgError:
        return None
    a, b, c = panel_from_image[2]
    h, w = bottom - top, right - left
    outline = np.stack([(u - left) * 16, (v - top) * 16], axis=1)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(np.clip(outline, -1e7, 1e7)).astype(np.int32), 255, cv2.LINE_8, 4)
    inverse = np.add(
        (a * canvas.columns[left:right] + c).astype(np.float32)[None],
        (b * canvas.rows[top:bottom]).astype(np.float32)[:, None],
    )
    nearest = canvas.inverse[top:bottom, left:right]
    cv2.bitwise_and(mask, cv2.compare(inverse, nearest, cv2.CMP_GT), dst=mask)
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return None
    pixels = _level(panel.texture, image_from_panel, (left + x + w / 2, top + y + h / 2), (a, b, c))
    th, tw = pixels.shape[:2]
    texels = np.array([[tw, 0, -0.5], [0, th, -0.5], [0, 0, 1]])
    shift = np.array([[1, 0, left + x], [0, 1, top + y], [0, 0, 1.0]])
    warped = cv2.warpPerspective(
        pixels,
        texels @ panel_from_image @ shift,
        (w, h),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    part = mask[y : y + h, x : x + w]
    if panel.cutout:
        there = cv2.threshold(cv2.extractChannel(warped, 3), 127, 255, cv2.THRESH_BINARY)[1]
        cv2.bitwise_and(part, there, dst=part)
    top, left = top + y, left + x
    inside = (slice(top, top + h), slice(left, left + w))
    cv2.copyTo(warped, part, canvas.color[inside])
    cv2.copyTo(inverse[y : y + h, x : x + w], part, canvas.inverse[inside])
    cv2.copyTo(np.full((h, w), item, np.uint8), part, canvas.ids[inside])
    return top, top + h, left, left + w


def _level(
    texture: Texture,
    image_from_panel: Transform,
    middle: tuple[float, float],
    plane: tuple[float, float, float],
) -> Bytes:
    """The level whose texels are about as large as pixels in the middle of what is seen."""
    inverse = plane[0] * middle[0] + plane[1] * middle[1] + plane[2]
    size = texture.levels[0].shape
    if inverse <= 0:
        return texture.levels[-1]
    direction = image_from_panel[:, :2] - np.outer([*middle, 1.0], image_from_panel[2, :2])
    area = abs(direction[0, 0] * direction[1, 1] - direction[0, 1] * direction[1, 0]) * inverse**2
    ratio = float(np.sqrt(size[0] * size[1] / max(area, 1e-9)))  # texels per pixel along one edge
    level = int(np.clip(np.log2(max(ratio, 1e-6)) + 0.3, 0, len(texture.levels) - 1))
    return texture.levels[level]


def _clipped(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """What of a polygon (N, 3) lies beyond the nearest distance."""
    kept = []
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        if start[2] >= NEAREST_M:
            kept.append(start)
        if (start[2] < NEAREST_M) != (end[2] < NEAREST_M):
            share = (NEAREST_M - start[2]) / (end[2] - start[2])
            kept.append(start + share * (end - start))
    return np.array(kept)


@dataclass(frozen=True, eq=False)
class _Hit:
    """Where a round body is hit: a window of the picture and what is in it."""

    inside: tuple[slice, slice]
    inverse: Float
    mask: Bytes
    normal: tuple[Float, Float, Float]
    level: Float
    toward_camera: float


def _hit(canvas: Canvas, body: Turned | Ball, rotation: Transform, eye: NDArray[np.float64]) -> _Hit | None:
    if isinstance(body, Turned):
        radius = max(body.radius_bottom_m, body.radius_top_m)
        low = body.foot - [radius, radius, 0]
        high = body.foot + [radius, radius, body.height_m]
    else:
        low, high = body.centre - body.radii, body.centre + body.radii
    corners = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    seen = (corners - eye) @ rotation
    camera = canvas.camera
    if seen[:, 2].max() < NEAREST_M:
        return None
    left, right, top, bottom = 0, camera.width, 0, camera.height
    if seen[:, 2].min() > NEAREST_M:
        u = seen[:, 0] / seen[:, 2] * camera.fx + camera.cx
        v = seen[:, 1] / seen[:, 2] * camera.fy + camera.cy
        left, right = max(int(u.min()), 0), min(int(u.max()) + 2, camera.width)
        top, bottom = max(int(v.min()), 0), min(int(v.max()) + 2, camera.height)
    if left >= right or top >= bottom:
        return None
    columns = (canvas.columns[left:right] - camera.cx) / camera.fx
    rows = (canvas.rows[top:bottom] - camera.cy) / camera.fy
    directions = []
    for axis in range(3):
        across = (columns * rotation[axis, 0] + rotation[axis, 2]).astype(np.float32)
        directions.append(np.add(across[None], (rows * rotation[axis, 1]).astype(np.float32)[:, None]))
    dx, dy, dz = directions
    if isinstance(body, Turned):
        o = (eye - body.foot).astype(np.float32)
        slope = np.float32((body.radius_top_m - body.radius_bottom_m) / body.height_m)
        reach = np.float32(body.radius_bottom_m) + slope * o[2]
        aa = dx * dx + dy * dy - (slope * slope) * (dz * dz)
        bb = o[0] * dx + o[1] * dy - (slope * reach) * dz
        cc = o[0] * o[0] + o[1] * o[1] - reach * reach
    else:
        radii = body.radii.astype(np.float32)
        o = ((eye - body.centre) / body.radii).astype(np.float32)
        dx, dy, dz = dx / radii[0], dy / radii[1], dz / radii[2]
        aa = dx * dx + dy * dy + dz * dz
        bb = o[0] * dx + o[1] * dy + o[2] * dz
        cc = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - np.float32(1)
    under = bb * bb - aa * cc
    z = (-bb - np.sqrt(np.maximum(under, 0))) / aa
    level = o[2] + z * dz
    hit = (under > 0) & (z > NEAREST_M)
    if isinstance(body, Turned):
        hit &= (level >= 0) & (level <= body.height_m)
        level = np.float32(1) - level / np.float32(body.height_m)
    nx, ny = o[0] + z * dx, o[1] + z * dy
    nz = o[2] + z * dz if isinstance(body, Ball) else np.zeros_like(nx)
    inverse = np.divide(np.float32(1), np.where(hit, z, np.float32(1e6)))
    inside = (slice(top, bottom), slice(left, right))
    mask = cv2.bitwise_and(
        hit.astype(np.uint8) * np.uint8(255), cv2.compare(inverse, canvas.inverse[inside], cv2.CMP_GT)
    )
    if not cv2.countNonZero(mask):
        return None
    return _Hit(inside, inverse, mask, (nx, ny, nz), level, float(np.arctan2(o[1], o[0])))


def _draw_round(canvas: Canvas, body: Turned | Ball, rotation: Transform, eye: NDArray[np.float64]) -> None:
    hit = _hit(canvas, body, rotation, eye)
    if hit is None:
        return
    nx, ny, nz = hit.normal
    around = cv2.phase(nx, ny)
    if body.follows_view:
        around = np.mod(around - np.float32(hit.toward_camera), np.float32(2 * np.pi))
    h, w = hit.mask.shape
    pixels = body.texture.levels[0]
    for level in body.texture.levels[1:]:
        if level.shape[1] >= 1.6 * w:
            pixels = level
    th, tw = pixels.shape[:2]
    columns = around * np.float32(tw / (2 * np.pi)) - np.float32(0.5)
    if isinstance(body, Turned):
        rows = hit.level * np.float32(th) - np.float32(0.5)
    else:
        rows = np.arccos(np.clip(nz, -1, 1)) * np.float32(th / np.pi) - np.float32(0.5)
    colors = cv2.remap(pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    item = canvas.new_id(body.material)
    cv2.copyTo(colors, hit.mask, canvas.color[hit.inside])
    cv2.copyTo(hit.inverse, hit.mask, canvas.inverse[hit.inside])
    cv2.copyTo(np.full((h, w), item, np.uint8), hit.mask, canvas.ids[hit.inside])


def _draw_glass(canvas: Canvas, body: Turned, rotation: Transform, eye: NDArray[np.float64]) -> None:
    hit = _hit(canvas, body, rotation, eye)
    if hit is None:
        return
    if canvas.beyond is None:
        canvas.beyond = canvas.inverse.copy()
    inside, mask = hit.inside, hit.mask
    h, w = mask.shape
    nx, ny, _ = hit.normal
    length = np.float32(1) / np.maximum(cv2.magnitude(nx, ny), np.float32(1e-6))
    nx, ny = nx * length, ny * length
    sideways = np.clip(
        nx * np.float32(rotation[0, 0]) + ny * np.float32(rotation[1, 0]), -1, 1
    )  # -1 left .. 1 right
    rim = np.power(np.abs(sideways), 6)
    top, left = inside[0].start, inside[1].start
    # Thin-walled glass bends the rays at its edges only: a pull towards the middle that grows with the rim.
    columns = (canvas.columns[inside[1]].astype(np.float32)[None]) - sideways * rim * np.float32(0.35 * w)
    rows = np.repeat(canvas.rows[inside[0]].astype(np.float32)[:, None], w, axis=1)
    behind = cv2.remap(canvas.color, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    tint = body.texture.levels[0][0, 0, :3].astype(np.float32) / 255
    through = np.clip(np.float32(0.97) - np.float32(0.5) * rim, 0, 1)
    thick = hit.level > np.float32(0.95)  # the base is solid
    through = np.where(thick, through * np.float32(0.75), through)
    shine = np.exp(-np.square((sideways + np.float32(0.62)) * np.float32(14))) * np.float32(150)
    shine += np.exp(-np.square((sideways - np.float32(0.45)) * np.float32(22))) * np.float32(90)
    shine *= np.float32(0.45) + np.float32(0.55) * (hit.level > 0.08) * (hit.level < 0.8)
    shine += rim * np.float32(38) + np.float32(5)
    weight = np.dstack([through * tint[0], through * tint[1], through * tint[2], np.ones_like(through)])
    colors = cv2.multiply(behind, weight, dtype=cv2.CV_8U)
    colors = cv2.add(colors, cv2.merge([shine, shine, shine, shine]), dtype=cv2.CV_8U)
    item = canvas.new_id(Material.GLASS)
    cv2.copyTo(colors, mask, canvas.color[inside])
    cv2.copyTo(hit.inverse, mask, canvas.inverse[inside])
    cv2.copyTo(np.full((h, w), item, np.uint8), mask, canvas.ids[inside])
    _draw_rim(canvas, body, rotation, eye, hit)


def _draw_rim(canvas: Canvas, body: Turned, rotation: Transform, eye: NDArray[np.float64], hit: _Hit) -> None:
    """The lip of a glass as a bright thin line, where nothing hides it."""
    if hit.level[hit.mask > 0].min() > 0.12:
        return
    camera = canvas.camera
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1) * body.radius_top_m
    seen = (ring + body.foot + [0, 0, body.height_m] - eye) @ rotation
    if seen[:, 2].min() < NEAREST_M:
        return
    u = seen[:, 0] / seen[:, 2] * camera.fx + camera.cx
    v = seen[:, 1] / seen[:, 2] * camera.fy + camera.cy
    outline = np.rint(np.stack([u, v], axis=1) * 16).astype(np.int32)
    cv2.polylines(canvas.color, [outline], True, (215, 222, 225, 255), 1, cv2.LINE_AA, 4)


def _draw_reflection(
    canvas: Canvas,
    scene: Scene,
    panel: Panel,
    item: int,
    box: tuple[int, int, int, int],
    world_from_camera: Transform,
) -> None:
    top, bottom, left, right = box
    ids = canvas.ids[top:bottom, left:right]
    mask = cv2.inRange(ids, float(item), float(item))
    x, y, w, h = cv2.boundingRect(mask)
    if w < 4 or h < 4:
        return
    top, left, mask = top + y, left + x, mask[y : y + h, x : x + w]
    mirror = panel.material is Material.MIRROR
    step = 2 if mirror else 4
    normal = panel.normal
    offset = float(normal @ panel.origin)
    reflect = np.eye(4)
    reflect[:3, :3] -= 2 * np.outer(normal, normal)
    reflect[:3, 3] = 2 * offset * normal
    camera = canvas.camera
    cropped = Intrinsics(w, h, camera.fx, camera.fy, camera.cx - left, camera.cy - top)
    small = Canvas(cropped.scaled(max(w // step, 1), max(h // step, 1)))
    draw(small, scene, reflect @ world_from_camera, reflections=False, behind=(normal, offset))
    colors = small.color
    if panel.blur:
        colors = cv2.blur(colors, (panel.blur, panel.blur))
    colors = cv2.resize(colors, (w, h), interpolation=cv2.INTER_LINEAR)
    inside = (slice(top, top + h), slice(left, left + w))
    share = panel.reflectivity
    if not mirror:
        middle = panel.corners.mean(axis=0) - world_from_camera[:3, 3]
        cosine = abs(float(normal @ middle)) / float(np.linalg.norm(middle))
        share += (1 - share) * (1 - cosine) ** 5
    base = canvas.color[inside]
    cv2.copyTo(cv2.addWeighted(colors, share, base, 1 - share * (0.6 if not mirror else 1.0), 0), mask, base)
    if mirror:
        if canvas.beyond is None:
            canvas.beyond = canvas.inverse.copy()
        far = cv2.resize(small.inverse, (w, h), interpolation=cv2.INTER_NEAREST)
        cv2.copyTo(far, mask, canvas.beyond[inside])


def _soften_edges(canvas: Canvas) -> None:
    """Blend colours across silhouettes, as a lens and a pixel with an area do."""
    edges = cv2.morphologyEx(canvas.ids, cv2.MORPH_GRADIENT, _kernel())
    cv2.copyTo(cv2.GaussianBlur(canvas.color, (3, 3), 0.75), edges, canvas.color)


@lru_cache(maxsize=1)
def _kernel() -> Bytes:
    return np.ones((3, 3), np.uint8)
