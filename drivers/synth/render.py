"""Pictures of a scene at camera rate: colour, exact depth and material, nearly all of it inside OpenCV.

A panel is one perspective warp of its texture, and its inverse depth is linear in the pixel coordinates, so
exact depth costs one sum over its bounding box. Round bodies are intersected analytically in theirs.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import atan2, hypot
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
STRIP_PX = 160
TRIMMED_FROM_PX = 2000
MARGIN_PX = 3


def inverted(depth: Float) -> Float:
    """1 over each pixel, 0 where it is 0: metres to inverse metres, and back."""
    return np.divide(np.float32(1), depth, out=np.zeros_like(depth), where=depth > 0)


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
        counts = self.depth_m * np.float32(1000)
        counts += np.float32(0.5)
        return np.asarray(cv2.threshold(counts, 65535.9, 0, cv2.THRESH_TOZERO_INV)[1]).astype(np.uint16)

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
) -> View:
    """The scene as a camera sees it; lens distortion is ignored.

    Args:
        scene: at rest.
        world_from_camera: 4 x 4, where the camera is.
        camera: its picture.
        t_s: moment.
    """
    canvas = Canvas(camera)
    draw(canvas, scene, world_from_camera, t_s=t_s, mirrors=True)
    _soften_edges(canvas)
    with np.errstate(divide="ignore"):
        depth = np.divide(np.float32(1), canvas.inverse)
    cv2.threshold(depth, 1e6, 0, cv2.THRESH_TOZERO_INV, dst=depth)
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


def draw(canvas: Canvas, scene: Scene, world_from_camera: Transform, *, t_s: float, mirrors: bool) -> None:
    """Draw `scene` into `canvas`.

    Args:
        canvas: fresh buffers.
        scene: at rest.
        world_from_camera: 4 x 4; may contain a reflection, whose planar z is then that of the virtual image.
        t_s: moment.
        mirrors: whether mirrors and polished panels show something; without, glass is left out as well.
    """
    rotation, eye = world_from_camera[:3, :3], world_from_camera[:3, 3]
    now = scene.at(t_s)
    smallest_px = 0 if mirrors else 7
    shown: list[tuple[int, int, Window]] = []
    for piece in _pieces(canvas, now, rotation, eye, smallest_px=smallest_px):
        panel = now.panels[piece.number]
        item = canvas.new_id(panel.material)
        drawn = _draw_panel(canvas, panel, piece, item)
        if drawn and panel.reflectivity > REFLECTIVE_FROM:
            shown.append((piece.number, item, piece.window))
    bodies = _bodies(canvas, now, rotation, eye, smallest_px=smallest_px)
    for seen in bodies:
        if seen.body.material is not Material.GLASS:
            _draw_round(canvas, seen)
    if not mirrors:
        return
    for index, item, window in shown:
        _draw_reflection(canvas, scene, index, item, window, world_from_camera, t_s)
    for seen in bodies:
        if seen.body.material is Material.GLASS and isinstance(seen.body, Turned):
            _draw_glass(canvas, seen.body, seen, rotation, eye)


class _Piece(NamedTuple):
    """One panel as the camera sees it.

    Attributes:
        number: of the panel in its scene.
        window: of the picture that encloses it.
        outline: (N, 2) its corners in 1/16 px from the window's corner.
        across: (W,) float32 inverse depth along the window's first row.
        along: (H, 1) float32 what is added to that in each row.
        texels_from_window: (3, 3) pixel of the window to pixel of the padded texture level.
        level: of the texture, the one whose texels are about as large as pixels.
        shell: it is a wall, the floor or the ceiling, whose outline no one sees.
    """

    number: int
    window: Window
    outline: NDArray[np.int32]
    across: Float
    along: Float
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
    # A panel that reaches behind the eye may still lie beside the picture, and then need not be clipped.
    places = points[:, :2] * focal + depth[:, None] * centre
    before, after = places + depth[:, None], depth[:, None] * (size + 1) - places
    hidden |= (np.maximum.reduceat(np.concatenate([before, after], axis=1), first) < 0).any(axis=1)
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
    planes = warps[:, 2].astype(np.float32)
    across = planes[:, :1] * canvas.columns + planes[:, 2:]
    along = (planes[:, 1:2] * canvas.rows)[:, :, None]
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
                across[row, : right - left],
                along[row, : bottom - top],
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
    # The mask holds the item's id, so that it is also what is copied into `ids`.
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, piece.outline, item, cv2.LINE_8, 4)
    pixels = panel.texture.padded[piece.level]
    # Of paint without texture, interpolation shows nothing and takes twice the time.
    flags = cv2.INTER_NEAREST if piece.shell and panel.texture.smooth else cv2.INTER_LINEAR
    if mask.size < TRIMMED_FROM_PX:
        return _draw_part(canvas, piece, pixels, flags, mask, 0, 0)
    # Slanted panels fill little of their window: in strips, less is looked at that is not theirs.
    strip_px = right - left if mask.size < STRIPS_FROM_PX else STRIP_PX
    drawn = False
    for begin in range(0, right - left, strip_px):
        x, y, w, h = cv2.boundingRect(mask[:, begin : begin + strip_px])
        x += begin
        if w:
            drawn |= _draw_part(canvas, piece, pixels, flags, mask[y : y + h, x : x + w], x, y)
    return drawn


def _draw_part(  # noqa: PLR0917 - the state of one drawing
    canvas: Canvas, piece: _Piece, pixels: Bytes, flags: int, part: Bytes, x: int, y: int
) -> bool:
    """Draw what `part` of the mask, from `x` and `y` in the piece's window, marks; whether it is in sight."""
    top, _, left, _ = piece.window
    h, w = part.shape
    inverse = np.add(piece.across[x : x + w], piece.along[y : y + h])
    nearest = canvas.inverse[top + y : top + y + h, left + x : left + x + w]
    cv2.bitwise_and(part, cv2.compare(inverse, nearest, cv2.CMP_GT), dst=part)
    if part.size < TRIMMED_FROM_PX:
        if not cv2.countNonZero(part):
            return False
    else:
        dx, dy, w, h = cv2.boundingRect(part)
        if not w:
            return False
        x, y = x + dx, y + dy
        inside = (slice(dy, dy + h), slice(dx, dx + w))
        part, inverse, nearest = part[inside], inverse[inside], nearest[inside]
    warp = piece.texels_from_window
    if x or y:
        warp = warp.copy()
        warp[:, 2] += warp @ (x, y, 0)
    warped = cv2.warpPerspective(pixels, warp, (w, h), flags=flags | cv2.WARP_INVERSE_MAP)
    if not piece.shell:  # Below half, so that neighbouring faces of a box overlap rather than gape.
        there = cv2.threshold(cv2.extractChannel(warped, 3), 100, 255, cv2.THRESH_BINARY)[1]
        cv2.bitwise_and(part, there, dst=part)
    inside = (slice(top + y, top + y + h), slice(left + x, left + x + w))
    cv2.copyTo(warped, part, canvas.color[inside])
    cv2.copyTo(inverse, part, nearest)
    cv2.copyTo(part, part, canvas.ids[inside])
    return True


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


class _Seen(NamedTuple):
    """One round body as the camera sees it.

    A point at z = 1/q along a line of sight is on the body where aa + 2 bb q + cc q^2 = 0, and the larger q
    is the nearer. Over the picture bb is linear and bb^2 - aa cc quadratic; the rest is linear.

    Attributes:
        body: it.
        window: of the picture that encloses it.
        forms: (5, 3, 3) float32 weights of 1, y, y^2 (rows) and 1, x, x^2 (columns), both from the window's
            middle: (bb^2 - aa cc) / cc^2, -bb / cc, and the three parts of the line of sight in the body's
            units, with the picture's right in place of the second for glass.
        origin: the same three parts of the eye as seen from the body.
        toward_camera: angle around the body.
    """

    body: Turned | Ball
    window: Window
    forms: Float
    origin: tuple[float, float, float]
    toward_camera: float


def _bodies(
    canvas: Canvas, scene: Scene, rotation: Transform, eye: NDArray[np.float64], *, smallest_px: int
) -> list[_Seen]:
    """Round bodies in sight, the farthest first."""
    camera = canvas.camera
    if not len(scene.boxes):
        return []
    points = (scene.boxes - eye) @ (rotation @ camera.matrix.T)
    uv, depth = points[:, :, :2], points[:, :, 2:]
    limit = np.array([camera.width, camera.height])
    gone = (uv < -depth).all(axis=1) | (uv > depth * (limit + 1)).all(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        uv = uv / depth
    start, stop = np.clip(uv.min(axis=1), 0, limit), np.clip(uv.max(axis=1) + 2, 0, limit)
    nearest, farthest = depth.min(axis=(1, 2)), depth.max(axis=(1, 2))
    crossing = nearest < NEAREST_M
    start[crossing], stop[crossing] = 0, limit
    start, stop = start.astype(np.int64), stop.astype(np.int64)
    hidden = (gone | (stop - start < max(smallest_px, 1))).any(axis=1) | (farthest < NEAREST_M)
    order = np.flatnonzero(~hidden)
    if not len(order):
        return []
    order = order[np.argsort(-(nearest + farthest)[order])]
    windows = np.concatenate([start[order], stop[order]], axis=1).tolist()
    turned, place, directions = scene.turned, eye.tolist(), (rotation / [camera.fx, camera.fy, 1.0]).tolist()
    found = []
    for index, (left, top, right, bottom) in zip(order.tolist(), windows, strict=True):
        u, v = (left + right - 1) / 2 - camera.cx, (top + bottom - 1) / 2 - camera.cy
        rays = [(a, b, a * u + b * v + c) for a, b, c in directions]
        body = turned[index] if index < len(turned) else scene.balls[index - len(turned)]
        seen = _seen(body, (top, bottom, left, right), rays, place)
        if seen is not None:
            found.append(seen)
    return found


def _seen(
    body: Turned | Ball, window: Window, rays: list[tuple[float, float, float]], eye: list[float]
) -> _Seen | None:
    """`body` from `eye`; None from inside. In plain numbers, which for so few is faster than arrays.

    Args:
        body: to look at.
        window: of the picture.
        rays: three parts of the line of sight by weight of column, row and 1 from the window's middle.
        eye: where the camera is.
    """
    if isinstance(body, Turned):
        ox, oy, oz = (e - m for e, m in zip(eye, body.foot.tolist(), strict=True))
        slope = (body.radius_top_m - body.radius_bottom_m) / body.height_m
        reach = body.radius_bottom_m + slope * oz
        toward, weight = -slope * reach, -slope * slope
        cc = ox * ox + oy * oy - reach * reach
    else:
        radii = body.radii.tolist()
        ox, oy, oz = ((e - m) / r for e, m, r in zip(eye, body.centre.tolist(), radii, strict=True))
        rays = [(a / r, b / r, c / r) for (a, b, c), r in zip(rays, radii, strict=True)]
        toward, weight = oz, 1.0
        cc = ox * ox + oy * oy + oz * oz - 1.0
    if cc < 1e-9:
        return None
    dx, dy, dz = rays
    bu, bv, b1 = (ox * x + oy * y + toward * z for x, y, z in zip(dx, dy, dz, strict=True))

    def under(i: int, j: int, product: float) -> float:
        aa = dx[i] * dx[j] + dy[i] * dy[j] + weight * dz[i] * dz[j]
        return float((product - cc * aa) / (cc * cc))

    second, origin = dy, (ox, oy, oz)
    if body.material is Material.GLASS:
        # The picture's right is the part of the line of sight that grows along its rows.
        length = hypot(dx[0], dy[0]) or 1.0
        right_x, right_y = dx[0] / length, dy[0] / length
        second = (length, right_x * dx[1] + right_y * dy[1], right_x * dx[2] + right_y * dy[2])
        origin = (ox, right_x * ox + right_y * oy, oz)
    forms = np.array(
        [
            [under(2, 2, b1 * b1), 2 * under(0, 2, bu * b1), under(0, 0, bu * bu)],
            [2 * under(1, 2, bv * b1), 2 * under(0, 1, bu * bv), 0.0],
            [under(1, 1, bv * bv), 0.0, 0.0],
            *(
                row
                for u, v, one in ((-bu / cc, -bv / cc, -b1 / cc), dx, second, dz)
                for row in ((one, u, 0.0), (v, 0.0, 0.0), (0.0, 0.0, 0.0))
            ),
        ],
        np.float32,
    )
    return _Seen(body, window, forms.reshape(5, 3, 3), origin, atan2(oy, ox))


@dataclass(frozen=True, eq=False)
class _Hit:
    """Where a round body is hit: a window of the picture and what is in it.

    Attributes:
        inside: the window.
        inverse: 1/z of the body, where it is hit.
        mask: 255 where it is hit and nothing is nearer.
        place: three (h, w) of where it is hit in the body's units, with the picture's right in place of the
            second for glass.
        down: of a turned body, 0 at its top to 1 at its foot.
    """

    inside: tuple[slice, slice]
    inverse: Float
    mask: Bytes
    place: Float
    down: Float


def _hit(canvas: Canvas, seen: _Seen) -> _Hit | None:
    top, bottom, left, right = seen.window
    inside = (slice(top, bottom), slice(left, right))
    fields = floats(_powers(bottom - top) @ seen.forms @ _powers(right - left).T)
    under, inverse, place = fields[0], fields[1], fields[2:]
    mask = cv2.inRange(under, 1e-12, 1e12)
    np.sqrt(np.maximum(under, 0, out=under), out=under)
    np.add(inverse, under, out=inverse)
    cv2.bitwise_and(mask, cv2.compare(inverse, canvas.inverse[inside], cv2.CMP_GT), dst=mask)
    if not cv2.countNonZero(mask):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(place, inverse, out=place)
    place += np.array(seen.origin, np.float32)[:, None, None]
    down = floats(place[2])
    if isinstance(seen.body, Turned):
        down = np.multiply(place[2], np.float32(-1 / seen.body.height_m))
        down += np.float32(1)
        cv2.bitwise_and(mask, cv2.inRange(down, 0.0, 1.0), dst=mask)
    return _Hit(inside, floats(inverse), octets(mask), floats(place), floats(down))


@lru_cache(maxsize=512)
def _powers(count: int) -> Float:
    """(count, 3) float32 1, x and x^2 of positions from the middle."""
    x = np.arange(count) - (count - 1) / 2
    return np.stack([np.ones(count), x, x * x], axis=1).astype(np.float32)


def _draw_round(canvas: Canvas, seen: _Seen) -> None:
    hit = _hit(canvas, seen)
    if hit is None:
        return
    body = seen.body
    around = floats(cv2.phase(hit.place[0], hit.place[1]))
    if body.follows_view:
        around -= np.float32(seen.toward_camera)
        around = np.mod(around, np.float32(2 * np.pi))
    width_px = hit.mask.shape[1]
    pixels = body.texture.levels[0]
    for level in body.texture.levels[1:]:
        if level.shape[1] >= 1.6 * width_px:
            pixels = level
    th, tw = pixels.shape[:2]
    columns = around * np.float32(tw / (2 * np.pi)) - np.float32(0.5)
    if isinstance(body, Turned):
        rows = hit.down * np.float32(th) - np.float32(0.5)
    else:
        rows = np.arccos(np.clip(hit.down, -1, 1)) * np.float32(th / np.pi) - np.float32(0.5)
    colors = cv2.remap(pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    _paint(canvas, hit, octets(colors), canvas.new_id(body.material))


def _paint(canvas: Canvas, hit: _Hit, colors: Bytes, item: int) -> None:
    cv2.copyTo(colors, hit.mask, canvas.color[hit.inside])
    cv2.copyTo(hit.inverse, hit.mask, canvas.inverse[hit.inside])
    cv2.copyTo(np.full(hit.mask.shape, item, np.uint8), hit.mask, canvas.ids[hit.inside])


def _draw_glass(
    canvas: Canvas, body: Turned, seen: _Seen, rotation: Transform, eye: NDArray[np.float64]
) -> None:
    hit = _hit(canvas, seen)
    if hit is None:
        return
    if canvas.beyond is None:
        canvas.beyond = canvas.inverse.copy()
    inside = hit.inside
    w = hit.mask.shape[1]
    # The sideways part of the normal, -1 left to 1 right.
    radius = hit.down * np.float32(body.radius_bottom_m - body.radius_top_m) + np.float32(body.radius_top_m)
    sideways = np.divide(hit.place[1], np.maximum(radius, np.float32(1e-3), out=radius))
    angle = octets(cv2.convertScaleAbs(sideways, alpha=127, beta=127))
    # Thin-walled glass bends the rays at its edges only: a pull towards the middle that grows with the rim.
    pull, _ = _glass_tables()
    columns = np.subtract(canvas.columns[inside[1]], cv2.LUT(angle, pull * np.float32(w)))
    rows = np.repeat(canvas.rows[inside[0], None], w, axis=1)
    behind = cv2.remap(canvas.color, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    passed, faint, strong = _glass_looks(tuple(body.texture.levels[0][0, 0, :3].tolist()))
    colors = cv2.multiply(behind, _looked_up(passed, angle), scale=1 / 255)
    # The streaks of light end before the lip and before the base, which is solid and darker.
    cv2.add(colors, _looked_up(faint, angle), dst=colors)
    cv2.add(colors, _looked_up(strong, angle), dst=colors, mask=cv2.inRange(hit.down, 0.08, 0.8))
    base = cv2.inRange(hit.down, 0.95, 2.0)
    cv2.copyTo(cv2.convertScaleAbs(colors, alpha=0.75), base, colors)
    _paint(canvas, hit, octets(colors), canvas.new_id(Material.GLASS))
    _draw_rim(canvas, body, rotation, eye, hit)


def _looked_up(table: NDArray[np.uint32], index: Bytes) -> Bytes:
    """(h, w, 4) uint8 from a table of whole pixels, which `cv2.LUT` cannot do for one channel."""
    return table.take(index).view(np.uint8).reshape(*index.shape, 4)


@lru_cache(maxsize=64)
def _glass_looks(tint: tuple[int, int, int]) -> tuple[NDArray[np.uint32], ...]:
    """By the same index as `_glass_tables`, as whole RGBA pixels: what passes, faint light, the streaks."""
    passed, shine = _glass_tables()[1]
    tinted = passed[:, None] * (np.array([*tint, 255.0]) / 255)
    parts = (tinted, np.repeat(shine[:, None] * 0.45, 4, axis=1), np.repeat(shine[:, None] * 0.55, 4, axis=1))
    return tuple(np.ascontiguousarray(part.astype(np.uint8)).view(np.uint32).ravel() for part in parts)


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
    if cv2.minMaxLoc(hit.down, hit.mask)[0] > 0.12:
        return
    camera = canvas.camera
    middle = body.foot - eye
    middle[2] += body.height_m
    seen = (_ring() * body.radius_top_m + middle) @ (rotation @ camera.matrix.T)
    if seen[:, 2].min() < NEAREST_M:
        return
    outline = (seen[:, :2] / seen[:, 2:] * 16 + 0.5).astype(np.int32)
    cv2.polylines(canvas.color, [outline], True, (215, 222, 225, 255), 1, cv2.LINE_AA, 4)


@lru_cache(maxsize=1)
def _ring() -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)


def _draw_reflection(  # noqa: PLR0917 - the state of one drawing
    canvas: Canvas,
    scene: Scene,
    index: int,
    item: int,
    window: Window,
    world_from_camera: Transform,
    t_s: float,
) -> None:
    panel = scene.panels[index]
    picture = _mirror(canvas.camera, scene, index, world_from_camera, t_s=t_s)
    if picture is None:
        return
    (from_row, to_row, from_column, to_column), colors, far = picture
    top, bottom = max(window[0], from_row), min(window[1], to_row)
    left, right = max(window[2], from_column), min(window[3], to_column)
    if top >= bottom or left >= right:
        return
    mask = cv2.inRange(canvas.ids[top:bottom, left:right], float(item), float(item))
    x, y, w, h = cv2.boundingRect(mask)
    if not w:
        return
    mask = mask[y : y + h, x : x + w]
    top, left = top + y, left + x
    inside = (slice(top, top + h), slice(left, left + w))
    there = (slice(top - from_row, top - from_row + h), slice(left - from_column, left - from_column + w))
    share, mirror = panel.reflectivity, panel.material is Material.MIRROR
    if not mirror:
        middle = panel.corners.mean(axis=0) - world_from_camera[:3, 3]
        cosine = abs(float(panel.normal @ middle)) / float(np.linalg.norm(middle))
        share += (1 - share) * (1 - cosine) ** 5
    base = canvas.color[inside]
    mixed = cv2.addWeighted(colors[there], share, base, 1 - share * (0.6 if not mirror else 1.0), 0)
    cv2.copyTo(mixed, mask, base)
    if far is not None:
        if canvas.beyond is None:
            canvas.beyond = canvas.inverse.copy()
        cv2.copyTo(far[there], mask, canvas.beyond[inside])


def _mirror(
    camera: Intrinsics, scene: Scene, index: int, world_from_camera: Transform, *, t_s: float
) -> tuple[Window, Bytes, Float | None] | None:
    """What panel number `index` mirrors, with its window of the picture; None if it is too small."""
    panel = scene.panels[index]
    rotation, eye = world_from_camera[:3, :3], world_from_camera[:3, 3]
    corners = _clipped(((panel.corners - eye) @ rotation).tolist())
    if not len(corners):
        return None
    uv = corners[:, :2] / corners[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    size = np.array([camera.width, camera.height])
    left, top = np.clip(uv.min(axis=0) - MARGIN_PX, 0, size).astype(np.int64).tolist()
    right, bottom = np.clip(uv.max(axis=0) + MARGIN_PX, 0, size).astype(np.int64).tolist()
    w, h = right - left, bottom - top
    if w < 4 or h < 4:
        return None
    mirror = panel.material is Material.MIRROR
    step = 2 if mirror else 4
    reflect = np.eye(4)
    reflect[:3, :3] -= 2 * np.outer(panel.normal, panel.normal)
    reflect[:3, 3] = 2 * float(panel.normal @ panel.origin) * panel.normal
    cropped = Intrinsics(w, h, camera.fx, camera.fy, camera.cx - left, camera.cy - top)
    small = Canvas(cropped.scaled(max(w // step, 1), max(h // step, 1)))
    draw(small, scene.mirrored_in(index), reflect @ world_from_camera, t_s=t_s, mirrors=False)
    colors = small.color
    if panel.blur:
        colors = octets(cv2.blur(colors, (panel.blur, panel.blur)))
    colors = octets(cv2.resize(colors, (w, h), interpolation=cv2.INTER_LINEAR))
    far = floats(cv2.resize(small.inverse, (w, h), interpolation=cv2.INTER_NEAREST)) if mirror else None
    return (top, bottom, left, right), colors, far


def _soften_edges(canvas: Canvas) -> None:
    """Blend colours across silhouettes, as a lens and a pixel with an area do."""
    edges = cv2.morphologyEx(canvas.ids, cv2.MORPH_GRADIENT, _kernel())
    cv2.copyTo(cv2.GaussianBlur(canvas.color, (3, 3), 0), edges, canvas.color)


@lru_cache(maxsize=1)
def _kernel() -> Bytes:
    return np.ones((3, 3), np.uint8)
