"""Furniture of random rooms that depth cameras find hard: thin rods, leaves, screens, black plastic.

All of it is put together from the panels, turned bodies and balls that every renderer knows.
"""

from math import cos, hypot, radians, sin, tau

import numpy as np

from drivers.synth import textures
from drivers.synth.building import Builder
from drivers.synth.shapes import Material, polygon, vector
from drivers.synth.textures import Painter, Rgb

Place = tuple[float, float]
BLACK: Rgb = (17, 17, 19)
CHROME: Rgb = (205, 207, 212)


def chair(builder: Builder, at: Place, turn_deg: float, painter: Painter, color: Rgb) -> None:
    """A chair on four thin legs, with slats for its back."""
    rng = builder.rng
    radius, seat_m, side_m = float(rng.uniform(0.007, 0.015)), 0.45, 0.40
    for a in (-1, 1):
        for b in (-1, 1):
            foot = _turned((a * 0.46 * side_m, b * 0.46 * side_m), turn_deg, at)
            _rod(builder, foot, 0.0, seat_m - 0.03 if b < 0 else 0.85, radius)
    builder.box(at, seat_m - 0.03, (side_m, side_m, 0.03), painter, color, turn_deg=turn_deg, solid=False)
    slats = int(rng.integers(2, 6))
    for k in range(slats):
        across = (2 * (k + 0.5) / slats - 1) * 0.42 * side_m
        middle = _turned((across, 0.46 * side_m), turn_deg, at)
        builder.box(middle, 0.50, (0.018, 0.012, 0.33), painter, color, turn_deg=turn_deg, solid=False)
    top = _turned((0.0, 0.46 * side_m), turn_deg, at)
    builder.box(top, 0.83, (side_m, 0.018, 0.05), painter, color, turn_deg=turn_deg, solid=False)


def lamp_stand(builder: Builder, at: Place, color: Rgb) -> None:
    """A shade on a pole as thin as a finger."""
    height_m = float(builder.rng.uniform(1.1, 1.6))
    builder.round((*at, 0.0), 0.02, (0.14, 0.13), textures.plain, BLACK, Material.DARK_GLOSSY)
    _rod(builder, at, 0.02, height_m, float(builder.rng.uniform(0.006, 0.012)))
    builder.round((*at, height_m - 0.05), 0.25, (0.19, 0.13), textures.fabric, color, Material.MATTE)
    builder.panel(  # Not every renderer shows the inside of a body that is open below.
        vector((at[0] - 0.19, at[1] - 0.19, height_m - 0.05)),
        vector((0.38, 0, 0)),
        vector((0, 0.38, 0)),
        textures.plain,
        textures.shade(color, 1.2),
        outline=polygon(28),
    )
    builder.obstacles.append(np.array([[at[0] - 0.2, at[1] - 0.2, 0], [at[0] + 0.2, at[1] + 0.2, 1.9]]))


def rack(builder: Builder, at: Place, turn_deg: float, size_m: tuple[float, float, float]) -> None:
    """Shelves of wire between four poles."""
    sx, sy, sz = size_m
    rng = builder.rng
    for a in (-0.5, 0.5):
        for b in (-0.5, 0.5):
            _rod(builder, _turned((a * sx, b * sy), turn_deg, at), 0.0, sz, float(rng.uniform(0.007, 0.011)))
    along = vector((cos(radians(turn_deg)), sin(radians(turn_deg)), 0.0))
    deep = vector((-along[1], along[0], 0.0))
    strip = (deep + vector((0, 0, 1))) * 0.004  # slanted, so that it is seen from the side as from above
    for level in np.linspace(0.25, 1.0, int(rng.integers(2, 5))) * (sz - 0.02):
        for share in np.linspace(-0.5, 0.5, int(rng.integers(5, 9))):
            start = vector((*at, level)) + deep * share * sy - along * sx / 2
            builder.panel(start, along * sx, strip, textures.plain, CHROME, Material.METAL, two_sided=True)
    builder.interest.append(vector((*at, sz * 0.7)))
    builder.obstacles.append(np.array([[at[0] - sx, at[1] - sx, 0], [at[0] + sx, at[1] + sx, sz]]))


def sofa(builder: Builder, at: Place, turn_deg: float, width_m: float, color: Rgb) -> None:
    """Blocks of cloth with cushions."""
    depth_m = 0.85

    def block(middle: Place, bottom_m: float, size_m: tuple[float, float, float]) -> None:
        place = _turned(middle, turn_deg, at)
        builder.box(place, bottom_m, size_m, textures.fabric, color, turn_deg=turn_deg)

    block((0.0, 0.0), 0.0, (width_m, depth_m, 0.42))
    block((0.0, depth_m / 2 - 0.1), 0.42, (width_m, 0.2, 0.4))
    for side in (-1, 1):
        block((side * (width_m / 2 - 0.08), -0.1), 0.42, (0.16, depth_m - 0.2, 0.18))
    for _ in range(int(builder.rng.integers(1, 4))):
        across = float(builder.rng.uniform(-0.35, 0.35)) * width_m
        x, y = _turned((across, 0.1), turn_deg, at)
        tone: Rgb = tuple(builder.rng.uniform(30, 230, 3))
        builder.ball((x, y, 0.57), (0.19, 0.11, 0.16), textures.fabric, tone)
    builder.interest.append(vector((*at, 0.5)))


def tall_plant(builder: Builder, at: Place, color: Rgb) -> None:
    """A pot on the floor with leaves up to a man's height."""
    pot_m = float(builder.rng.uniform(0.22, 0.4))
    builder.round(
        (*at, 0.0), pot_m, (0.11, 0.16), textures.plaster, CHROME, Material.MATTE, lid_color=(52, 40, 30)
    )
    height_m = float(builder.rng.uniform(0.5, 1.1))
    builder.plant((*at, pot_m), height_m, color, leaves=int(builder.rng.integers(10, 20)))
    builder.interest.append(vector((*at, pot_m + height_m / 2)))


def black_bin(builder: Builder, at: Place) -> None:
    """Black plastic, which sends no light back."""
    radius, height_m = float(builder.rng.uniform(0.11, 0.2)), float(builder.rng.uniform(0.25, 0.6))
    builder.round(
        (*at, 0.0),
        height_m,
        (radius, radius * 1.15),
        textures.plain,
        BLACK,
        Material.DARK_GLOSSY,
        lid_color=(8, 8, 9),
    )
    builder.interest.append(vector((*at, height_m / 2)))


def monitor(builder: Builder, foot: tuple[float, float, float], turn_deg: float) -> None:
    """A flat screen on a thin neck, on or off."""
    x, y, z = foot
    w = float(builder.rng.uniform(0.4, 0.65))
    h = 0.6 * w
    _rod(builder, (x, y), z, z + 0.12 + h / 2, 0.014)
    builder.box(
        (x, y),
        z,
        (0.22, 0.16, 0.012),
        textures.plain,
        BLACK,
        Material.DARK_GLOSSY,
        turn_deg=turn_deg,
        solid=False,
    )
    front = _turned((0.0, -0.03), turn_deg, (x, y))
    builder.box(
        front,
        z + 0.1,
        (w, 0.025, h),
        textures.plain,
        BLACK,
        Material.DARK_GLOSSY,
        turn_deg=turn_deg,
        solid=False,
    )
    along = vector((cos(radians(turn_deg)), sin(radians(turn_deg)), 0.0))
    out = vector((along[1], -along[0], 0.0))
    corner = vector((*front, z + 0.1 + h - 0.008)) + out * 0.0135 - along * (w / 2 - 0.008)
    screen(builder, corner, along * (w - 0.016), vector((0, 0, 0.016 - h)))


def laptop(builder: Builder, foot: tuple[float, float, float], turn_deg: float) -> None:
    """An open one."""
    x, y, z = foot
    builder.box(
        (x, y), z, (0.33, 0.23, 0.016), textures.plain, (150, 152, 156), turn_deg=turn_deg, solid=False
    )
    along = vector((cos(radians(turn_deg)), sin(radians(turn_deg)), 0.0))
    out = vector((along[1], -along[0], 0.0))
    lean = radians(float(builder.rng.uniform(5, 35)))
    rise = vector((0, 0, cos(lean))) - out * sin(lean)
    hinge = vector((x, y, z + 0.018)) - out * 0.115
    screen(builder, hinge + rise * 0.21 - along * 0.165, along * 0.33, -rise * 0.21)
    back = hinge + rise * 0.21 + along * 0.165 - out * 0.004
    builder.panel(back, -along * 0.33, -rise * 0.21, textures.plain, (150, 152, 156))


def screen(builder: Builder, corner: np.ndarray, across: np.ndarray, down: np.ndarray) -> None:
    """A screen that shows something in one of two cases."""
    on = builder.rng.random() < 0.5
    builder.panel(
        corner,
        across,
        down,
        textures.desktop if on else textures.screen,
        (225, 228, 232) if on else (14, 14, 16),
        Material.DARK_GLOSSY,
        reflectivity=0.06,
        blur=3,
        radiance=vector((0.9, 0.95, 1.05)) * float(builder.rng.uniform(0.4, 1.2)) if on else None,
    )


def wire_basket(builder: Builder, foot: tuple[float, float, float]) -> None:
    """A ring of wires, two to five millimetres thick."""
    x, y, z = foot
    ring_m, thick_m = float(builder.rng.uniform(0.06, 0.14)), float(builder.rng.uniform(0.001, 0.0025))
    height_m = float(builder.rng.uniform(0.1, 0.25))
    count = int(builder.rng.integers(8, 16))
    for k in range(count):
        angle = tau * k / count
        _rod(builder, (x + ring_m * cos(angle), y + ring_m * sin(angle)), z, z + height_m, thick_m)


def pendant(builder: Builder, at: Place, color: Rgb) -> None:
    """A globe that hangs on its cable."""
    top_m = float(builder.size_m[2])
    low_m = top_m - float(builder.rng.uniform(0.4, 0.9))
    _rod(builder, at, low_m + 0.1, top_m, 0.003)
    builder.ball((*at, low_m), (0.11, 0.11, 0.11), textures.plain, color, Material.GLOSSY)


def _rod(builder: Builder, at: Place, bottom_m: float, top_m: float, radius_m: float) -> None:
    metal = builder.rng.random() < 0.6
    builder.round(
        (*at, bottom_m),
        top_m - bottom_m,
        (radius_m, radius_m),
        textures.steel if metal else textures.plain,
        CHROME if metal else BLACK,
        Material.METAL if metal else Material.DARK_GLOSSY,
        lid=False,
        follows_view=metal,
    )
    builder.boxes.pop()  # too thin for a shadow that could be seen, and there are many


def _turned(place: Place, turn_deg: float, around: Place) -> Place:
    angle, reach = np.arctan2(place[1], place[0]) + radians(turn_deg), hypot(*place)
    return around[0] + reach * float(np.cos(angle)), around[1] + reach * float(np.sin(angle))
