"""What a simulated scene is made of: textured panels, turned bodies and balls.

The world has +Z up and metres; a camera has +X right, +Y down, +Z forward, as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from math import sin, tau

import cv2
import numpy as np
from numpy.typing import NDArray

PADDING = 2
SMOOTH_LEVELS = 10
MOMENTS = 4


class Material(IntEnum):
    """What a surface is to a depth sensor."""

    MATTE = 0
    GLOSSY = 1
    METAL = 2
    DARK_GLOSSY = 3
    GLASS = 4
    MIRROR = 5
    WINDOW = 6
    EMITTER = 7


@dataclass(frozen=True, eq=False)
class Texture:
    """Colours of one surface, finest level first.

    Attributes:
        levels: (h, w, 4) uint8 RGBA each, every level half the size of the one before. Four channels because
            OpenCV warps them three times as fast as three.
        padded: `levels` with their edge repeated `PADDING` times around and see-through there: OpenCV warps
            with a constant border ten times as fast as with a repeated one, and the warped alpha is the exact
            outline.
    """

    levels: tuple[NDArray[np.uint8], ...]

    @cached_property
    def smooth(self) -> bool:
        """No two neighbouring texels of the finest level differ by much more than a sensor's noise."""
        pixels = self.levels[0]
        return all(
            int(cv2.absdiff(pixels[:-1], pixels[1:]).max(initial=0)) <= SMOOTH_LEVELS
            for pixels in (pixels, pixels.transpose(1, 0, 2))
        )

    @cached_property
    def padded(self) -> tuple[NDArray[np.uint8], ...]:
        padded = []
        for level in self.levels:
            wide = np.asarray(
                cv2.copyMakeBorder(level, PADDING, PADDING, PADDING, PADDING, cv2.BORDER_REPLICATE), np.uint8
            )
            alpha = wide[..., 3].copy()
            wide[..., 3] = 0
            inner = (slice(PADDING, -PADDING), slice(PADDING, -PADDING))
            wide[inner][..., 3] = alpha[inner]
            padded.append(wide)
        return tuple(padded)


def texture(pixels: NDArray[np.uint8]) -> Texture:
    """A texture with all its coarser levels from (h, w, 3 or 4) uint8."""
    level = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA) if pixels.shape[2] == 3 else pixels
    levels = [np.ascontiguousarray(level, np.uint8)]
    while min(level.shape[:2]) >= 16 and len(levels) < 6:
        size = (level.shape[1] // 2, level.shape[0] // 2)
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(level, np.uint8))
    return Texture(tuple(levels))


@dataclass(frozen=True, eq=False)
class Panel:
    """A flat convex piece, seen from the side its normal points to.

    Attributes:
        origin: (3,) where the texture's top-left corner lies.
        across: (3,) from there along the texture's top edge.
        down: (3,) from there along the texture's left edge.
        outline: (N, 2) convex outline in units of `across` and `down`; the unit square for a rectangle.
        texture: baked colours.
        material: for the sensors.
        reflectivity: share of mirrored light seen straight on, 0 to 1; rises at grazing angles.
        blur: of the mirrored picture in px; 0 for a mirror.
        cutout: the texture's alpha decides what is there.
        two_sided: visible from behind too.
        moving: follows the scene's motion.
        paint: (h, w, 3 or 4) uint8 the colours before light fell on them, for renderers with light of their
            own; None in scenes that were made without.
        radiance: (3,) what it sends out where its paint is white, in units of a white wall in good light;
            None for what only reflects.
    """

    origin: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    outline: NDArray[np.float64]
    texture: Texture
    material: Material
    reflectivity: float = 0.0
    blur: int = 0
    cutout: bool = False
    two_sided: bool = False
    moving: bool = False
    paint: NDArray[np.uint8] | None = None
    radiance: NDArray[np.float64] | None = None

    @cached_property
    def corners(self) -> NDArray[np.float64]:
        """(N, 3) in the world."""
        return np.asarray(
            self.origin + self.outline[:, :1] * self.across + self.outline[:, 1:] * self.down, np.float64
        )

    @cached_property
    def normal(self) -> NDArray[np.float64]:
        """(3,) unit vector to the side it is seen from."""
        normal = np.cross(self.down, self.across)
        return np.asarray(normal / np.linalg.norm(normal), np.float64)


@dataclass(frozen=True, eq=False)
class Turned:
    """The side of an upright round body whose radius changes evenly: cylinder, tumbler, pot, shoulder.

    Attributes:
        foot: (3,) centre of the bottom.
        height_m: upwards.
        radius_bottom_m: at the foot.
        radius_top_m: at the top.
        texture: colours around (columns) and from top to foot (rows); of glass, its tint.
        material: for the sensors; GLASS is drawn see-through.
        follows_view: the texture turns with the camera, as reflections in polished metal do.
        moving: follows the scene's motion.
        paint: as in `Panel`.
    """

    foot: NDArray[np.float64]
    height_m: float
    radius_bottom_m: float
    radius_top_m: float
    texture: Texture
    material: Material
    follows_view: bool = False
    moving: bool = False
    paint: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class Ball:
    """An ellipsoid with axes along the world's.

    Attributes:
        centre: (3,).
        radii: (3,) metres.
        texture: colours around (columns) and from top to bottom (rows).
        material: for the sensors.
        follows_view: as in `Turned`.
        moving: follows the scene's motion.
        paint: as in `Panel`.
    """

    centre: NDArray[np.float64]
    radii: NDArray[np.float64]
    texture: Texture
    material: Material
    follows_view: bool = False
    moving: bool = False
    paint: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class Sun:
    """Sunlight, which enters a room through its windows only.

    Attributes:
        toward: (3,) unit vector from the room to the sun.
        color: (3,) light on a surface that faces it; 1 lights a white wall to white.
    """

    toward: NDArray[np.float64]
    color: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scene:
    """A room with things in it.

    Attributes:
        panels: flat pieces, the room's shell included.
        turned: round bodies.
        balls: ellipsoids.
        size_m: (3,) of the room, whose corner is the world's origin.
        points_of_interest: (N, 3) what a camera should look at.
        obstacles: (N, 2, 3) lowest and highest corner of what a camera must not stand in.
        travel_m: (3,) how far moving things slide each way.
        travel_s: seconds for there and back.
        sun: baked into the textures already; None on a dull day.
    """

    panels: tuple[Panel, ...]
    turned: tuple[Turned, ...]
    balls: tuple[Ball, ...]
    size_m: NDArray[np.float64]
    points_of_interest: NDArray[np.float64]
    obstacles: NDArray[np.float64]
    travel_m: NDArray[np.float64]
    travel_s: float = 8.0
    sun: Sun | None = None

    def at(self, t_s: float) -> "Scene":
        """The scene with its moving things where they are at `t_s`; textures are shared."""
        if not self.travel_m.any():
            return self
        known: dict[float, Scene] = self.__dict__.setdefault("_at", {})
        scene = known.get(t_s)
        if scene is None:  # Cameras of one rig ask for the same moments one after the other.
            scene = self._moved(t_s)
            self.__dict__["_at"] = dict([*known.items(), (t_s, scene)][-MOMENTS:])
        return scene

    def _moved(self, t_s: float) -> "Scene":
        shift = self.travel_m * sin(tau * t_s / self.travel_s)
        panels, turned, balls = list(self.panels), list(self.turned), list(self.balls)
        at_panels, at_turned, at_balls = self._moving
        for k in at_panels:
            panels[k] = replace(panels[k], origin=panels[k].origin + shift)
        for k in at_turned:
            turned[k] = replace(turned[k], foot=turned[k].foot + shift)
        for k in at_balls:
            balls[k] = replace(balls[k], centre=balls[k].centre + shift)
        moved = replace(self, panels=tuple(panels), turned=tuple(turned), balls=tuple(balls))
        for name in (
            "first_corner",
            "normals",
            "two_sided",
            "shell",
            "texels",
            "coarsest",
        ):  # the shift leaves them alone
            moved.__dict__[name] = getattr(self, name)
        corners, frames, boxes = self.corners.copy(), self.frames.copy(), self.boxes.copy()
        for k in at_panels:
            first = self.first_corner[k]
            corners[first : first + len(panels[k].outline)] += shift
            frames[k, :, 2] += shift
        for k in (*at_turned, *(len(turned) + k for k in at_balls)):
            boxes[k] += shift
        moved.__dict__.update(corners=corners, frames=frames, boxes=boxes)
        return moved

    @cached_property
    def _moving(self) -> tuple[list[int], list[int], list[int]]:
        return (
            [k for k, panel in enumerate(self.panels) if panel.moving],
            [k for k, body in enumerate(self.turned) if body.moving],
            [k for k, ball in enumerate(self.balls) if ball.moving],
        )

    def mirrored_in(self, index: int) -> "Scene":
        """What panel number `index` can mirror: what is above its plane, nothing small if it blurs."""
        known: dict[int, Scene] = self.__dict__.setdefault("_mirrored", {})
        if index not in known:
            glossy = self.panels[index]
            height = float(glossy.normal @ glossy.origin) + 0.02
            smallest_m = 0.12 if glossy.blur else 0.06
            sizes = [min(float(np.linalg.norm(p.across)), float(np.linalg.norm(p.down))) for p in self.panels]
            known[index] = replace(
                self,
                panels=tuple(
                    p
                    for p, size in zip(self.panels, sizes, strict=True)
                    if (p.corners @ glossy.normal).max() > height and size > smallest_m
                ),
                turned=tuple(
                    b
                    for b in self.turned
                    if b.material is not Material.GLASS
                    and b.foot @ glossy.normal > height - 0.04
                    and b.height_m > smallest_m
                ),
                balls=tuple(
                    b
                    for b in self.balls
                    if b.centre @ glossy.normal > height and float(b.radii.min()) * 2 > smallest_m
                ),
            )
        return known[index]

    @cached_property
    def first_corner(self) -> NDArray[np.int64]:
        """(P,) where each panel's corners begin in a list of all corners."""
        counts = [len(panel.outline) for panel in self.panels]
        return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)

    @cached_property
    def corners(self) -> NDArray[np.float64]:
        """(M, 3) the corners of all panels, one after the other."""
        return np.concatenate([panel.corners for panel in self.panels])

    @cached_property
    def frames(self) -> NDArray[np.float64]:
        """(P, 3, 3) each panel's `across`, `down` and `origin` as columns."""
        return np.array([np.stack([p.across, p.down, p.origin], axis=1) for p in self.panels])

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """(P, 3) of all panels."""
        return np.array([panel.normal for panel in self.panels])

    @cached_property
    def two_sided(self) -> NDArray[np.bool_]:
        """(P,) of all panels."""
        return np.array([panel.two_sided for panel in self.panels])

    @cached_property
    def shell(self) -> NDArray[np.bool_]:
        """(P,) which panels enclose the room: walls, floor, ceiling."""
        reach = np.abs(self.frames[:, :, :2]).max(axis=1)
        sides = (np.abs(reach[:, :, None] - self.size_m) < 1e-9).any(axis=2).all(axis=1)
        return np.asarray(sides, np.bool_)

    @cached_property
    def texels(self) -> NDArray[np.float64]:
        """(P, L, 2) columns and rows of each level of each panel's texture; 0 where it has fewer levels."""
        sizes = np.zeros((len(self.panels), 1 + int(self.coarsest.max(initial=0)), 2))
        for k, panel in enumerate(self.panels):
            for level, pixels in enumerate(panel.texture.levels):
                sizes[k, level] = pixels.shape[1::-1]
        return sizes

    @cached_property
    def coarsest(self) -> NDArray[np.int64]:
        """(P,) number of the coarsest texture level of each panel."""
        return np.array([len(panel.texture.levels) - 1 for panel in self.panels], np.int64)

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """(B, 8, 3) corners of what encloses each round body, `turned` before `balls`."""
        low, high = [], []
        for body in self.turned:
            radius = max(body.radius_bottom_m, body.radius_top_m)
            low.append(body.foot - np.array([radius, radius, 0]))
            high.append(body.foot + np.array([radius, radius, body.height_m]))
        for ball in self.balls:
            low.append(ball.centre - ball.radii)
            high.append(ball.centre + ball.radii)
        ends = np.array([low, high]).reshape(2, -1, 3)
        pick = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
        return np.asarray(ends[pick, :, [0, 1, 2]].transpose(2, 0, 1), np.float64)


def polygon(sides: int) -> NDArray[np.float64]:
    """(sides, 2) a round outline in the unit square."""
    angle = np.arange(sides) * (tau / sides)
    return np.stack([0.5 + 0.5 * np.cos(angle), 0.5 + 0.5 * np.sin(angle)], axis=1)


SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def vector(values: Sequence[float]) -> NDArray[np.float64]:
    """(3,) float64."""
    return np.array(values, np.float64)
