"""Pictures of a scene at camera rate: colour, exact depth and material, nearly all of it inside OpenCV.

A panel is one perspective warp of its texture, and its inverse depth is linear in the pixel coordinates, so
exact depth costs one sum over its bounding box. Round bodies are intersected analytically in theirs.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics
from drivers.synth.arrays import Bytes, Float, floats, octets
from drivers.synth.shapes import PADDING, Ball, Material, Panel, Scene, Turned

Transform = NDArray[np.float64]
Window = tuple[int, int, int, int]  # top, bottom, left, right
NEAREST_M = 0.05
REFLECTIVE_FROM = 0.02
STRIPS_FROM_PX = 16000
STRIP_PX = 96


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
        inverse = floats(cv2.resize(self.inverse_depth, size, interpolation=cv2.INTER_NEAREST))
        beyond = inverse
        if self.beyond is not self.inverse_depth:
            beyond = floats(cv2.resize(self.beyond, size, interpolation=cv2.INTER_NEAREST))
        return View(
            octets(cv2.resize(self.color, size, interpolation=cv2.INTER_NEAREST)),
            floats(cv2.resize(self.depth_m, size, interpolation=cv2.INTER_NEAREST)),
            inverse,
            beyond,
            octets(cv2.resize(self.material, size, interpolation=cv2.INTER_NEAREST)),
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
    draw(canvas, scene, world_from_camera, t_s=t_s, reflections=reflections)
    _soften_edges(canvas)
    with np.errstate(divide="ignore"):
        depth = np.divide(np.float32(1), canvas.inverse)
    depth[canvas.inverse <= 0] = 0
    return View(
        octets(cv2.cvtColor(canvas.color, cv2.COLOR_RGBA2RGB)),
        depth,
        canvas.inverse,
        canvas.inverse if canvas.beyond is None else canvas.beyond,
        octets(cv2.LUT(canvas.ids, canvas.material_of)),
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
        self.columns = np.arange(w, dtype=np.float32)
        self.rows = np.arange(h, dtype=np.float32)
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
    canvas: Canvas, scene: Scene, world_from_camera: Transform, *, t_s: float, reflections: bool
) -> None:
    """Draw `scene` into `canvas`.

    Args:
        canvas: fresh buffers.
        scene: at rest.
        world_from_camera: 4 x 4; may contain a reflection, whose planar z is then that of the virtual image.
        t_s: moment.
        reflections: draw what mirrors and polished panels show, and glass.
    """
    rotation, eye = world_from_camera[:3, :3], world_from_camera[:3, 3]
    now = scene.at(t_s)
    shown: list[tuple[int, int, Window]] = []
    for piece in _pieces(canvas, now, rotation, eye, smallest_px=0 if reflections else 7):
        panel = now.panels[piece.number]
        item = canvas.new_id(panel.material)
        drawn = _draw_panel(canvas, panel, piece, item)
        if drawn and reflections and panel.reflectivity > REFLECTIVE_FROM:
            shown.append((piece.number, item, piece.window))
    glass: list[tuple[float, Turned, Window]] = []
    for body, window in _bodies(canvas, now, rotation, eye, smallest_px=0 if reflections else 7):
        if body.material is Material.GLASS and isinstance(body, Turned):
            if reflections:
                glass.append((float((body.foot - eye) @ rotation[:, 2]), body, window))
        else:
            _draw_round(canvas, body, window, rotation, eye)
    for index, item, box in shown:
        _draw_reflection(canvas, scene, index, item, box, world_from_camera, t_s)
    for _, body, window in sorted(glass, key=lambda entry: -entry[0]):
        _draw_glass(canvas, body, window, rotation, eye)


class _Piece(NamedTuple):
    """One panel as the camera sees it.

    Attributes:
        number: of the panel in its scene.
        window: of the picture that encloses it.
        outline: (N, 2) its corners in 1/16 px from the window's corner.
        plane: inverse depth per pixel to the right, per pixel down, and at the window's corner.
        texels_from_window: (3, 3) pixel of the window to pixel of the padded texture level.
        level: of the texture, the one whose texels are about as large as pixels.
        shell: it is a wall, the floor or the ceiling, whose outline no one sees.
    """

    number: int
    window: Window
    outline: NDArray[np.int32]
    plane: tuple[float, float, float]
    texels_from_window: Transform
    level: int
    shell: bool


def _pieces(
    canvas: Canvas, scene: Scene, rotation: Transform, eye: NDArray[np.float64], *, smallest_px: int
) -> list[_Piece]:
    """Panels in sight, the nearest first, the room's shell last; all their geometry at once."""
    camera = canvas.camera
    focal, centre = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    size = np.array([camera.width, camera.height], np.float64)
    points = (scene.corners - eye) @ rotation
    first = scene.first_corner
    depth = points[:, 2]
    facing = ((eye - scene.frames[:, :, 2]) * scene.normals).sum(axis=1)
    near, far = np.minimum.reduceat(depth, first), np.maximum.reduceat(depth, first)
    hidden = (far < NEAREST_M) | ((facing <= 0) & ~scene.two_sided)
    with np.errstate(divide="ignore", invalid="ignore"):
        uv = points[:, :2] / depth[:, None] * focal + centre
    low, high = np.minimum.reduceat(uv, first), np.maximum.reduceat(uv, first)
    clipped: dict[int, NDArray[np.float64]] = {}
    ends = [*first[1:].tolist(), len(points)]
    for index in np.flatnonzero((near < NEAREST_M) & ~hidden).tolist():
        kept = _clipped(points[first[index] : ends[index]].tolist())
        clipped[index] = kept[:, :2] / kept[:, 2:] * focal + centre
        low[index], high[index] = clipped[index].min(axis=0), clipped[index].max(axis=0)
    hidden |= ((high <= -1) | (low >= size) | (high - low < smallest_px)).any(axis=1)
    seen = np.flatnonzero(~hidden)
    frames = scene.frames[seen]
    frames[:, :, 2] -= eye
    image_from_panel = (camera.matrix @ rotation.T) @ frames
    flat = np.abs(np.linalg.det(image_from_panel)) < 1e-9
    start, stop = (
        np.clip(low[seen], 0, size).astype(np.int64),
        np.clip(high[seen] + 2, 0, size).astype(np.int64),
    )
    kept = ~flat & (start < stop).all(axis=1)
    order = np.flatnonzero(kept)[np.argsort((near + far + 100.0 * scene.shell)[seen[kept]])]
    seen, start, stop, image_from_panel = seen[order], start[order], stop[order], image_from_panel[order]
    panel_from_image = np.asarray(np.linalg.inv(image_from_panel), np.float64)
    levels = _levels(image_from_panel, panel_from_image, (start + stop) / 2, scene.texels[seen, 0])
    levels = np.minimum(levels, scene.coarsest[seen])
    warps = panel_from_image
    warps[:, :, 2] += warps[:, :, 0] * start[:, :1] + warps[:, :, 1] * start[:, 1:]
    planes = warps[:, 2].tolist()
    warps[:, :2] *= scene.texels[seen, levels][:, :, None]
    warps[:, :2] += (PADDING - 0.5) * warps[:, 2:]
    corners = np.rint(np.nan_to_num(np.clip(uv * 16, -1e7, 1e7))).astype(np.int32)
    corner, shell, shift = first.tolist(), scene.shell[seen].tolist(), (start * 16).astype(np.int32)
    windows, levels = np.concatenate([start, stop], axis=1).tolist(), levels.tolist()
    pieces = []
    for row, index in enumerate(seen.tolist()):
        left, top, right, bottom = windows[row]
        if index in clipped:
            outline = np.rint(np.clip(clipped[index] * 16, -1e7, 1e7)).astype(np.int32)
        else:
            outline = corners[corner[index] : ends[index]]
        pieces.append(
            _Piece(
                index,
                (top, bottom, left, right),
                outline - shift[row],
                planes[row],
                warps[row],
                levels[row],
                shell[row],
            )
        )
    return pieces


def _levels(
    image_from_panel: Transform,
    panel_from_image: Transform,
    middle: NDArray[np.floating],
    texels: NDArray[np.float64],
) -> NDArray[np.int64]:
    """(P,) texture level of each panel, from how large its texels are in the middle of what is seen."""
    homogeneous = np.concatenate([middle, np.ones((len(middle), 1))], axis=1)
    inverse = np.einsum("pj,pj->p", panel_from_image[:, 2], homogeneous)
    steps = image_from_panel[:, :2, :2] - middle[:, :, None] * image_from_panel[:, 2:, :2]
    area = np.abs(np.linalg.det(steps)) * inverse**2
    texels_per_pixel = texels.prod(axis=1) / np.maximum(area, 1e-9)
    level = 0.5 * np.log2(np.maximum(texels_per_pixel, 1e-9)) + 0.3
    return np.where(inverse > 0, np.clip(level, 0, 20), 20).astype(np.int64)


def _draw_panel(canvas: Canvas, panel: Panel, piece: _Piece, item: int) -> bool:
    """Draw it where it is the nearest; whether that is anywhere."""
    top, bottom, left, right = piece.window
    a, b, c = piece.plane
    # The mask holds the item's id, so that it is also what is copied into `ids`.
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, piece.outline, item, cv2.LINE_8, 4)
    inverse = np.add(
        canvas.columns[: right - left] * np.float32(a) + np.float32(c),
        (canvas.rows[: bottom - top] * np.float32(b))[:, None],
    )
    nearest = canvas.inverse[top:bottom, left:right]
    cv2.bitwise_and(mask, cv2.compare(inverse, nearest, cv2.CMP_GT), dst=mask)
    drawn = False
    # Slanted panels fill little of their window: in strips, less is warped that nobody sees.
    strip_px = right - left if mask.size < STRIPS_FROM_PX else STRIP_PX
    pixels = panel.texture.padded[piece.level]
    for begin in range(0, right - left, strip_px):
        part = mask[:, begin : begin + strip_px]
        x, y, w, h = cv2.boundingRect(part)
        if not w:
            continue
        part = part[y : y + h, x : x + w]
        warp = piece.texels_from_window
        x += begin
        if x or y:
            warp = warp.copy()
            warp[:, 2] += warp @ (x, y, 0)
        warped = cv2.warpPerspective(pixels, warp, (w, h), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        if not piece.shell:  # Below half, so that neighbouring faces of a box overlap rather than gape.
            there = cv2.threshold(cv2.extractChannel(warped, 3), 100, 255, cv2.THRESH_BINARY)[1]
            cv2.bitwise_and(part, there, dst=part)
        inside = (slice(top + y, top + y + h), slice(left + x, left + x + w))
        cv2.copyTo(warped, part, canvas.color[inside])
        cv2.copyTo(inverse[y : y + h, x : x + w], part, nearest[y : y + h, x : x + w])
        cv2.copyTo(part, part, canvas.ids[inside])
        drawn = True
    return drawn


def _clipped(points: list[list[float]]) -> NDArray[np.float64]:
    """(M, 3) what of a polygon lies beyond the nearest distance."""
    kept = []
    for start, end in zip(points, [*points[1:], points[0]], strict=True):
        if start[2] >= NEAREST_M:
            kept.append(start)
        if (start[2] < NEAREST_M) != (end[2] < NEAREST_M):
            share = (NEAREST_M - start[2]) / (end[2] - start[2])
            kept.append([a + share * (b - a) for a, b in zip(start, end, strict=True)])
    return np.array(kept)


def _bodies(
    canvas: Canvas, scene: Scene, rotation: Transform, eye: NDArray[np.float64], *, smallest_px: int
) -> list[tuple[Turned | Ball, Window]]:
    """Round bodies in sight, each with the window of the picture that encloses it."""
    camera = canvas.camera
    found: list[tuple[Turned | Ball, Window]] = []
    if not len(scene.boxes):
        return found
    points = (scene.boxes - eye) @ rotation
    depth = points[:, :, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        uv = points[:, :, :2] / depth[:, :, None] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    limit = [camera.width, camera.height]
    start, stop = np.clip(uv.min(axis=1), 0, limit), np.clip(uv.max(axis=1) + 2, 0, limit)
    crossing = depth.min(axis=1) < NEAREST_M
    start[crossing], stop[crossing] = 0, limit
    gone = (depth.max(axis=1) < NEAREST_M) | (start.astype(np.int64) >= stop.astype(np.int64)).any(axis=1)
    gone |= (stop - start < smallest_px).any(axis=1)
    windows = np.concatenate([start, stop], axis=1).astype(np.int64)
    bodies: list[Turned | Ball] = [*scene.turned, *scene.balls]
    for index in np.flatnonzero(~gone).tolist():
        left, top, right, bottom = windows[index].tolist()
        found.append((bodies[index], (top, bottom, left, right)))
    return found


@dataclass(frozen=True, eq=False)
class _Hit:
    """Where a round body is hit: a window of the picture and what is in it."""

    inside: tuple[slice, slice]
    inverse: Float
    mask: Bytes
    normal: tuple[Float, Float, Float]
    level: Float
    toward_camera: float


def _hit(
    canvas: Canvas, body: Turned | Ball, window: Window, rotation: Transform, eye: NDArray[np.float64]
) -> _Hit | None:
    camera = canvas.camera
    top, bottom, left, right = window
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
    nearer = cv2.compare(inverse, canvas.inverse[inside], cv2.CMP_GT)
    mask = octets(cv2.bitwise_and(hit.astype(np.uint8) * np.uint8(255), nearer))
    if not cv2.countNonZero(mask):
        return None
    return _Hit(inside, inverse, mask, (nx, ny, nz), level, float(np.arctan2(o[1], o[0])))


def _draw_round(
    canvas: Canvas, body: Turned | Ball, window: Window, rotation: Transform, eye: NDArray[np.float64]
) -> None:
    hit = _hit(canvas, body, window, rotation, eye)
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


def _draw_glass(
    canvas: Canvas, body: Turned, window: Window, rotation: Transform, eye: NDArray[np.float64]
) -> None:
    hit = _hit(canvas, body, window, rotation, eye)
    if hit is None:
        return
    if canvas.beyond is None:
        canvas.beyond = canvas.inverse.copy()
    inside, mask = hit.inside, hit.mask
    h, w = mask.shape
    nx, ny, _ = hit.normal
    length = np.float32(1) / np.maximum(floats(cv2.magnitude(nx, ny)), np.float32(1e-6))
    nx, ny = floats(nx * length), floats(ny * length)
    sideways = np.clip(
        nx * np.float32(rotation[0, 0]) + ny * np.float32(rotation[1, 0]), -1, 1
    )  # -1 left .. 1 right
    # Thin-walled glass bends the rays at its edges only: a pull towards the middle that grows with the rim.
    pull, looks = _glass_tables()
    angle = cv2.convertScaleAbs(sideways + np.float32(1), alpha=127)
    columns = cv2.subtract(
        np.repeat(canvas.columns[None, inside[1]].astype(np.float32), h, axis=0),
        cv2.LUT(angle, pull * np.float32(w)),
    )
    rows = np.repeat(canvas.rows[inside[0], None].astype(np.float32), w, axis=1)
    behind = cv2.remap(canvas.color, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    tint = body.texture.levels[0][0, 0].astype(np.float32)[:3] / 255
    passed = cv2.LUT(cv2.merge([angle] * 4), (looks[0][:, None] * [*tint, 1.0]).astype(np.uint8)[None])
    colors = cv2.multiply(behind, passed, scale=1 / 255)
    shine = cv2.LUT(cv2.merge([angle] * 4), np.repeat(looks[1][:, None], 4, axis=1)[None])
    # The streaks of light end before the lip and before the base, which is solid and darker.
    middle = cv2.inRange(hit.level, 0.08, 0.8)
    base = cv2.inRange(hit.level, 0.95, 2.0)
    colors = cv2.add(colors, cv2.convertScaleAbs(shine, alpha=0.45))
    cv2.add(colors, cv2.convertScaleAbs(shine, alpha=0.55), dst=colors, mask=middle)
    cv2.copyTo(cv2.convertScaleAbs(colors, alpha=0.75), base, colors)
    item = canvas.new_id(Material.GLASS)
    cv2.copyTo(colors, mask, canvas.color[inside])
    cv2.copyTo(hit.inverse, mask, canvas.inverse[inside])
    cv2.copyTo(np.full((h, w), item, np.uint8), mask, canvas.ids[inside])
    _draw_rim(canvas, body, rotation, eye, hit)


@lru_cache(maxsize=1)
def _glass_tables() -> tuple[Float, tuple[Bytes, Bytes]]:
    """By 127 times (1 + sideways part of the normal): how far rays are bent, what passes, what shines."""
    sideways = np.clip(np.arange(256, dtype=np.float32) / 127 - 1, -1, 1)
    rim = np.abs(sideways) ** 6
    passed = np.clip(0.97 - 0.5 * rim, 0, 1) * 255
    shine = 150 * np.exp(-(((sideways + 0.62) * 14) ** 2)) + 90 * np.exp(-(((sideways - 0.45) * 22) ** 2))
    shine += rim * 38 + 5
    return (0.35 * sideways * rim).astype(np.float32), (passed.astype(np.uint8), shine.astype(np.uint8))


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


def _draw_reflection(  # noqa: PLR0917 - the state of one drawing
    canvas: Canvas,
    scene: Scene,
    index: int,
    item: int,
    box: Window,
    world_from_camera: Transform,
    t_s: float,
) -> None:
    panel = scene.panels[index]
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
    draw(small, scene.mirrored_in(index), reflect @ world_from_camera, t_s=t_s, reflections=False)
    colors = small.color
    if panel.blur:
        colors = octets(cv2.blur(colors, (panel.blur, panel.blur)))
    colors = octets(cv2.resize(colors, (w, h), interpolation=cv2.INTER_LINEAR))
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
