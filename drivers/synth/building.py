"""Puts a scene together and bakes its light into the textures."""

from dataclasses import dataclass, field, replace
from math import cos, pi, radians, sin, tau

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth import textures
from drivers.synth.arrays import floats
from drivers.synth.shapes import (
    SQUARE,
    Ball,
    Material,
    Panel,
    Scene,
    Sun,
    Texture,
    Turned,
    polygon,
    texture,
    vector,
)
from drivers.synth.textures import Pixels, Rgb

Points = NDArray[np.float64]
AMBIENT_REACH_M = 0.22
UNLIT = {Material.EMITTER, Material.WINDOW, Material.MIRROR}
"""Their colours are not paint that waits for light."""
SUN_STEP = 8
"""Texels between the points where a patch of sun is looked for first."""
SUN_PART = 4096
"""Points whose shadows are looked for at once; all of a wall's would take gigabytes."""


@dataclass(frozen=True)
class Lamp:
    """A light with an extent.

    Attributes:
        samples: (S, 3) points of it.
        color: (3,) strength per channel; 1 lights a wall at 1 m to white.
        facing: (3,) direction a flat one shines to; zero for all around.
    """

    samples: Points
    color: Points
    facing: Points


@dataclass
class Builder:
    """Collects the parts of one room; `scene` bakes the light and freezes it.

    Attributes:
        size_m: (3,) of the room.
        rng: where all chance comes from.
        texels_per_m: resolution of large surfaces.
        sun: shines in through the windows; None on a dull day.
    """

    size_m: Points
    rng: np.random.Generator
    texels_per_m: float = 220.0
    panels: list[Panel] = field(default_factory=list)
    turned: list[Turned] = field(default_factory=list)
    balls: list[Ball] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    ambient: Points = field(default_factory=lambda: vector((0.32, 0.32, 0.34)))
    interest: list[Points] = field(default_factory=list)
    obstacles: list[Points] = field(default_factory=list)
    boxes: list[tuple[Points, Points, float]] = field(default_factory=list)
    travel_m: Points = field(default_factory=lambda: np.zeros(3))
    painted: dict[int, Pixels] = field(default_factory=dict)
    sun: Sun | None = None

    def texels(self, size_m: float, *, most: int = 1024) -> int:
        """Texture size for an edge of `size_m`."""
        fine = self.texels_per_m * (1.0 if size_m > 1.2 else 2.5)
        return int(np.clip(round(size_m * fine), 16, most))

    def panel(  # noqa: PLR0917 - a panel is a place, two edges, and how it is painted
        self,
        origin: Points,
        across: Points,
        down: Points,
        painter: textures.Painter,
        color: Rgb,
        material: Material = Material.MATTE,
        *,
        outline: Points = SQUARE,
        reflectivity: float = 0.0,
        blur: int = 0,
        cutout: bool = False,
        two_sided: bool = False,
        moving: bool = False,
        radiance: Points | None = None,
    ) -> None:
        """Add one flat piece."""
        w, h = self.texels(float(np.linalg.norm(across))), self.texels(float(np.linalg.norm(down)))
        self.paint_panel(
            painter(self.rng, h, w, color),
            Panel(
                origin,
                across,
                down,
                outline,
                Texture(()),
                material,
                reflectivity,
                blur,
                cutout,
                two_sided,
                moving,
                radiance=radiance,
            ),
        )

    def paint_panel(self, pixels: Pixels, panel: Panel) -> None:
        """Add `panel` with its unlit colours."""
        self.painted[len(self.panels)] = pixels
        self.panels.append(panel)

    def box(  # noqa: PLR0917 - as `panel`
        self,
        centre: tuple[float, float],
        bottom_m: float,
        size: tuple[float, float, float],
        painters: textures.Painter | dict[str, textures.Painter],
        color: Rgb,
        material: Material = Material.MATTE,
        *,
        turn_deg: float = 0.0,
        top_reflectivity: float = 0.0,
        top_color: Rgb | None = None,
        top_material: Material | None = None,
        moving: bool = False,
        solid: bool = True,
    ) -> None:
        """Add a box standing at `bottom_m`; `painters` may differ for "top" and "side"."""
        angle = radians(turn_deg)
        ex, ey = vector((cos(angle), sin(angle), 0)), vector((-sin(angle), cos(angle), 0))
        sx, sy, sz = size
        middle = vector((*centre, bottom_m))
        up = vector((0, 0, sz))
        by_part = painters if isinstance(painters, dict) else {"top": painters, "side": painters}
        for out, along, depth, width in (
            (ey, -ex, sy, sx),
            (-ey, ex, sy, sx),
            (ex, ey, sx, sy),
            (-ex, -ey, sx, sy),
        ):
            origin = middle + out * depth / 2 - along * width / 2 + up
            self.panel(origin, along * width, -up, by_part["side"], color, material, moving=moving)
        self.panel(
            middle + up - ex * sx / 2 + ey * sy / 2,
            ex * sx,
            -ey * sy,
            by_part["top"],
            top_color or color,
            material if top_material is None else top_material,
            reflectivity=top_reflectivity,
            blur=7 if top_reflectivity else 0,
            moving=moving,
        )
        if bottom_m > 0.05:
            origin = middle - ex * sx / 2 - ey * sy / 2
            self.panel(
                origin, ex * sx, ey * sy, by_part["side"], textures.shade(color, 0.8), material, moving=moving
            )
        if not moving:
            self.boxes.append((middle + up / 2, vector((sx, sy, sz)) / 2, angle))
        if solid:
            reach = abs(ex) * sx / 2 + abs(ey) * sy / 2
            self.obstacles.append(np.stack([middle - reach, middle + reach + up]))

    def round(  # noqa: PLR0917 - as `panel`
        self,
        foot: tuple[float, float, float],
        height_m: float,
        radii_m: tuple[float, float],
        painter: textures.Painter,
        color: Rgb,
        material: Material,
        *,
        lid: bool = True,
        lid_color: Rgb | None = None,
        follows_view: bool = False,
        moving: bool = False,
    ) -> None:
        """Add an upright round body, with its top unless `lid` is false."""
        bottom_m, top_m = radii_m
        place = vector(foot)
        if material is Material.GLASS:
            paint = pixels = np.full((2, 2, 3), color, np.uint8)
        else:
            w = self.texels(max(radii_m) * tau, most=512) // 2 * 2
            paint = painter(self.rng, self.texels(height_m, most=256), w, color)
            pixels = self._lit_round(paint, place, height_m, bottom_m, top_m, follows_view=follows_view)
        self.turned.append(
            Turned(place, height_m, bottom_m, top_m, texture(pixels), material, follows_view, moving, paint)
        )
        if lid:
            self.panel(
                place + vector((-top_m, top_m, height_m)),
                vector((2 * top_m, 0, 0)),
                vector((0, -2 * top_m, 0)),
                textures.plain if material is Material.METAL else painter,
                lid_color or color,
                material,
                outline=polygon(28),
                moving=moving,
            )
        if material is not Material.GLASS and not moving:
            radius = 0.8 * max(radii_m)
            self.boxes.append(
                (place + vector((0, 0, height_m / 2)), vector((radius, radius, height_m / 2)), 0.0)
            )

    def ball(
        self,
        centre: tuple[float, float, float],
        radii: tuple[float, float, float],
        painter: textures.Painter,
        color: Rgb,
        material: Material = Material.MATTE,
        *,
        follows_view: bool = False,
    ) -> None:
        """Add an ellipsoid."""
        w = self.texels(max(radii) * tau, most=512) // 2 * 2
        pixels = painter(self.rng, max(w // 2, 8), w, color)
        h = pixels.shape[0]
        latitude = pi * (np.arange(h) + 0.5) / h
        angle = tau * (np.arange(w) + 0.5) / w
        normals = np.empty((h, w, 3))
        normals[..., 0] = np.sin(latitude)[:, None] * np.cos(angle)
        normals[..., 1] = np.sin(latitude)[:, None] * np.sin(angle)
        normals[..., 2] = np.cos(latitude)[:, None]
        place, size = vector(centre), vector(radii)
        lit = self._lit(pixels, place + normals * size * 1.02, normals, coarse=16, shadows=False)
        if follows_view:
            lit = pixels
        self.balls.append(Ball(place, size, texture(lit), material, follows_view, paint=pixels))
        self.boxes.append((place, size * 0.75, 0.0))

    def plant(
        self, foot: tuple[float, float, float], height_m: float, color: Rgb, *, leaves: int | None = None
    ) -> None:
        """Add leaves around a point, each a panel with a cut-out outline."""
        pixels = textures.leaf(self.rng, 96, 40, color)
        for _ in range(leaves or int(self.rng.integers(7, 12))):
            angle, lean = self.rng.uniform(0, tau), self.rng.uniform(0.15, 1.1)
            length = height_m * self.rng.uniform(0.6, 1.0)
            grow = vector((sin(lean) * cos(angle), sin(lean) * sin(angle), cos(lean))) * length
            wide = vector((-sin(angle), cos(angle), 0)) * length * 0.33
            base = vector(foot)
            panel = Panel(
                base + grow - wide / 2,
                wide,
                -grow,
                SQUARE,
                Texture(()),
                Material.MATTE,
                cutout=True,
                two_sided=True,
            )
            self.paint_panel(pixels, panel)

    def scene(self, *, exposure: float = 1.0) -> Scene:
        """The finished scene, lit."""
        lit = []
        for index, panel in enumerate(self.panels):
            pixels = self.painted[index]
            if panel.radiance is not None or panel.material in UNLIT:
                lit.append(replace(panel, texture=texture(pixels), paint=pixels))
                continue
            h, w = pixels.shape[:2]
            s, t = np.meshgrid((np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h)
            points = panel.origin + s[..., None] * panel.across + t[..., None] * panel.down
            size = float(max(np.linalg.norm(panel.across), np.linalg.norm(panel.down)))
            coarse = int(np.clip(size / 0.06, 4, 48))
            normals = np.broadcast_to(panel.normal, points.shape)
            shaded = self._lit(
                pixels[..., :3],
                points + panel.normal * 0.004,
                normals,
                coarse=coarse,
                exposure=exposure,
                shadows=not panel.moving,
            )
            if panel.cutout:
                shaded = np.dstack([shaded, pixels[..., 3]])
            lit.append(replace(panel, texture=texture(shaded), paint=pixels))
        return Scene(
            panels=tuple(lit),
            turned=tuple(self.turned),
            balls=tuple(self.balls),
            size_m=self.size_m,
            points_of_interest=np.array(self.interest or [self.size_m / 2], np.float64),
            obstacles=np.array(self.obstacles, np.float64).reshape(-1, 2, 3),
            travel_m=self.travel_m,
            sun=self.sun,
        )

    def _lit_round(
        self, pixels: Pixels, foot: Points, height: float, bottom: float, top: float, *, follows_view: bool
    ) -> Pixels:
        if follows_view:
            return pixels
        h, w = pixels.shape[:2]
        angle = tau * (np.arange(w) + 0.5) / w
        level = 1 - (np.arange(h) + 0.5) / h
        radius = (bottom + (top - bottom) * level)[:, None]
        normals = np.zeros((h, w, 3))
        normals[..., 0], normals[..., 1] = np.cos(angle), np.sin(angle)
        normals[..., 2] = (bottom - top) / height
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        points = np.empty((h, w, 3))
        points[..., 0] = foot[0] + radius * np.cos(angle)
        points[..., 1] = foot[1] + radius * np.sin(angle)
        points[..., 2] = foot[2] + height * level[:, None]
        return self._lit(pixels, points, normals, coarse=16, shadows=False)

    def _lit(
        self,
        pixels: Pixels,
        points: Points,
        normals: Points,
        *,
        coarse: int,
        exposure: float = 1.0,
        shadows: bool = True,
    ) -> Pixels:
        h, w = pixels.shape[:2]
        ys = np.linspace(0, h - 1, min(h, coarse)).astype(int)
        xs = np.linspace(0, w - 1, min(w, coarse)).astype(int)
        few_points = points[ys][:, xs].reshape(-1, 3)
        few_normals = normals[ys][:, xs].reshape(-1, 3)
        light = self.light(few_points, few_normals, shadows=shadows).reshape(len(ys), len(xs), 3)
        gain = np.clip(light * exposure, 0.002, 3.0) ** (1 / 2.2)
        grid_x = np.linspace(0, len(xs) - 1, w, dtype=np.float32)
        grid_y = np.linspace(0, len(ys) - 1, h, dtype=np.float32)
        fine = floats(
            cv2.remap(
                gain.astype(np.float32),
                *np.meshgrid(grid_x, grid_y),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )
        if self.sun is not None:
            self._add_sun(fine, points, normals, exposure=exposure, shadows=shadows)
        return np.asarray(cv2.multiply(pixels, fine, dtype=cv2.CV_8U), np.uint8)

    def _add_sun(
        self, gain: NDArray[np.float32], points: Points, normals: Points, *, exposure: float, shadows: bool
    ) -> None:
        """Brighten (h, w, 3) `gain` in place; the sun's edges are as sharp as the texture."""
        few = (slice(None, None, SUN_STEP), slice(None, None, SUN_STEP))
        some = self.sunlight(points[few].reshape(-1, 3), normals[few].reshape(-1, 3), shadows=False)
        rows, columns = np.nonzero(some.reshape(*points[few].shape).any(axis=2))
        if not len(rows):
            return
        part = tuple(
            slice(max(int(at.min()) - 1, 0) * SUN_STEP, (int(at.max()) + 2) * SUN_STEP)
            for at in (rows, columns)
        )
        direct = self.sunlight(points[part].reshape(-1, 3), normals[part].reshape(-1, 3), shadows=shadows)
        light = gain[part] ** np.float32(2.2)
        light += direct.reshape(light.shape).astype(np.float32) * np.float32(exposure)
        gain[part] = np.minimum(light, np.float32(3)) ** np.float32(1 / 2.2)

    def light(self, points: Points, normals: Points, *, shadows: bool) -> Points:
        """(N, 3) light that arrives at points with these normals."""
        at, facing = (
            np.ascontiguousarray(points.T),
            np.ascontiguousarray(normals.T),
        )  # (3, N): three times as fast
        size_m = self.size_m[:, None]
        near = np.minimum(at, size_m - at)
        closed = 1 - 0.42 * np.exp(-np.clip(near, 0, None) / AMBIENT_REACH_M) * (np.abs(facing) < 0.7)
        open_sky = closed[0] * closed[1] * closed[2] * (0.85 + 0.15 * facing[2])
        if shadows:
            open_sky = open_sky * self._contact(at, facing)
        total = np.outer(self.ambient, open_sky)
        blockers = self._blockers(at) if shadows and self.boxes else None
        for lamp in self.lamps:
            for sample in lamp.samples:
                to_lamp = sample[:, None] - at
                distance = np.sqrt(_dot(to_lamp, to_lamp)) + 1e-6
                strength = np.clip(_dot(to_lamp, facing) / distance, 0, None) / (0.5 + distance**2)
                if lamp.facing.any():
                    strength = strength * np.clip(-(lamp.facing @ to_lamp) / distance, 0, None)
                if blockers and strength.any():
                    strength = strength * ~blockers.between(to_lamp)
                total += np.outer(lamp.color, strength / len(lamp.samples))
        return np.ascontiguousarray(total.T)

    def sunlight(self, points: Points, normals: Points, *, shadows: bool) -> Points:
        """(N, 3) light that comes to points with these normals from the sun, through windows."""
        total = np.zeros((len(points), 3))
        if self.sun is None:
            return total
        toward = self.sun.toward
        slant = np.clip(normals @ toward, 0, None)
        if not slant.any():
            return total
        for window in (panel for panel in self.panels if panel.material is Material.WINDOW):
            steep = float(toward @ window.normal)
            if steep > -1e-3:
                continue
            distance = ((window.origin - points) @ window.normal) / steep
            offset = points + distance[:, None] * toward - window.origin
            column = offset @ window.across / (window.across @ window.across)
            row = offset @ window.down / (window.down @ window.down)
            lit = (distance > 0) & (slant > 0) & (column > 0) & (column < 1) & (row > 0) & (row < 1)
            found = np.flatnonzero(lit)
            if shadows and self.boxes and len(found):
                at = np.ascontiguousarray(points[found].T)
                to_window = np.outer(toward + 1e-9, distance[found])  # no part may be 0
                parts = range(0, len(found), SUN_PART)
                blocked = [
                    self._blockers(at[:, k : k + SUN_PART]).between(to_window[:, k : k + SUN_PART])
                    for k in parts
                ]
                found = found[~np.concatenate(blocked)]
            total[found] += slant[found, None] * self.sun.color
        return total

    def _blockers(self, at: Points) -> "_Blockers":
        centres = np.array([centre for centre, _, _ in self.boxes])
        angles = np.array([angle for _, _, angle in self.boxes])
        turns = np.cos(angles)[:, None], np.sin(angles)[:, None]
        starts = _all_turned_back(at[:, None] - centres.T[:, :, None], *turns)
        return _Blockers(starts, np.array([half for _, half, _ in self.boxes]).T[:, :, None], *turns)

    def _contact(self, at: Points, facing: Points) -> Points:
        """(N,) how much of the sky the bodies nearby leave open."""
        open_share = np.ones(at.shape[1])
        for centre, half, angle in self.boxes:
            offset = at - centre[:, None]
            beyond = np.abs(_turned_back(offset, angle)) - half[:, None]
            outside = np.clip(beyond, 0, None)
            distance = np.sqrt(_dot(outside, outside))
            reach = 0.3 * float(half.max()) + 0.01
            if distance.min() > 6 * reach:
                continue
            towards = (_dot(offset, facing) < -0.2 * float(half.min())) & (beyond.max(axis=0) > 0.002)
            open_share *= 1 - 0.5 * np.exp(-distance / reach) * towards
        return open_share


@dataclass(frozen=True, eq=False)
class _Blockers:
    """B bodies that may throw a shadow on N points; all of them at once, as most panels have few points.

    Attributes:
        starts: (3, B, N) the points as each body's box sees them.
        half: (3, B, 1) size of the boxes.
        cosine: (B, 1) of their angle around the vertical.
        sine: (B, 1) of it.
    """

    starts: Points
    half: Points
    cosine: Points
    sine: Points

    def between(self, to_lamp: Points) -> NDArray[np.bool_]:
        """(N,) bool: some body stands between the points and a lamp that lies (3, N) from them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            slow = 1 / _all_turned_back(to_lamp[:, None], self.cosine, self.sine)
        middle, reach = -self.starts * slow, self.half * np.abs(slow)
        first, last = (middle - reach).max(axis=0), (middle + reach).min(axis=0)
        hit = (first < last) & (last > 0.003) & (first < 0.97) & (first > -1e-3)
        return np.asarray(hit.any(axis=0), np.bool_)


def _dot(a: Points, b: Points) -> Points:
    """(N,) of two (3, N)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], np.float64)


def _turned_back(points: Points, angle: float) -> Points:
    """(3, N) `points` turned by -`angle` around the vertical."""
    if not angle:
        return points
    c, s = cos(angle), sin(angle)
    return np.stack([c * points[0] + s * points[1], -s * points[0] + c * points[1], points[2]])


def _all_turned_back(points: Points, cosine: Points, sine: Points) -> Points:
    """(3, B, N) `points` turned around the vertical, for each of B angles."""
    x, y = cosine * points[0] + sine * points[1], cosine * points[1] - sine * points[0]
    return np.stack([x, y, np.broadcast_to(points[2], x.shape)])
