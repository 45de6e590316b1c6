"""Rooms to look at: one made by hand for the demo, and endless random ones for training."""

from itertools import pairwise
from math import cos, pi, radians, sin, tau

import numpy as np
from numpy.typing import NDArray

from drivers.synth import furniture, textures
from drivers.synth.building import Builder, Lamp
from drivers.synth.shapes import SQUARE, Ball, Material, Panel, Scene, Sun, Texture, Turned, vector
from drivers.synth.textures import Painter, Rgb

Transform = NDArray[np.float64]
WHITE: Rgb = (246, 244, 238)
DAYLIGHT = vector((1.0, 1.05, 1.15)) * 2.4
"""Light of a square metre of window; 1 lights a wall at 1 m to white."""
SUNNY = 0.4
"""Share of the random rooms with a window that the sun shines into."""
CLOSE_M = (0.35, 1.0)
CLOSE_GLASS = 3.0


def look_at(eye: NDArray[np.float64], target: NDArray[np.float64], *, roll_rad: float = 0.0) -> Transform:
    """(4, 4) world_from_camera of a camera at `eye` that looks at `target`, upright but for `roll_rad`."""
    forward = target - eye
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    pose = np.eye(4)
    pose[:3, 0] = cos(roll_rad) * right + sin(roll_rad) * down
    pose[:3, 1] = cos(roll_rad) * down - sin(roll_rad) * right
    pose[:3, 2] = forward
    pose[:3, 3] = eye
    return pose


def shell(
    builder: Builder,
    walls: tuple[tuple[Painter, Rgb], ...],
    floor: tuple[Painter, Rgb],
    ceiling: Rgb,
    *,
    polish: float = 0.0,
) -> None:
    """Add the room itself; walls in the order y=0, x=max, y=max, x=0; a floor with `polish` reflects."""
    lx, ly, lz = builder.size_m
    down = vector((0, 0, -lz))
    places = (
        (vector((lx, 0, lz)), vector((-lx, 0, 0))),
        (vector((lx, ly, lz)), vector((0, -ly, 0))),
        (vector((0, ly, lz)), vector((lx, 0, 0))),
        (vector((0, 0, lz)), vector((0, ly, 0))),
    )
    for (origin, across), (painter, color) in zip(places, walls, strict=True):
        builder.panel(origin, across, down, painter, color)
    builder.panel(
        vector((0, ly, 0)),
        vector((lx, 0, 0)),
        vector((0, -ly, 0)),
        *floor,
        Material.GLOSSY if polish else Material.MATTE,
        reflectivity=polish,
        blur=9 if polish else 0,
    )
    builder.panel(vector((0, 0, lz)), vector((lx, 0, 0)), vector((0, ly, 0)), textures.plain, ceiling)


def ceiling_lamp(
    builder: Builder, x: float, y: float, *, power: float, color: Rgb, radius_m: float = 0.25
) -> None:
    """Add a round lamp below the ceiling."""
    z = float(builder.size_m[2]) - 0.12
    ring = [(x + radius_m * cos(a), y + radius_m * sin(a), z) for a in (0.4, 2.5, 4.6)]
    builder.lamps.append(Lamp(np.array(ring), np.array(color) / 255 * power, np.zeros(3)))
    builder.panel(
        vector((x - radius_m, y - radius_m, z)),
        vector((2 * radius_m, 0, 0)),
        vector((0, 2 * radius_m, 0)),
        textures.plain,
        (255, 252, 240),
        Material.EMITTER,
        radiance=builder.lamps[-1].color * (pi / (4 * radius_m**2)),
    )


def on_wall(  # noqa: PLR0917 - as `Builder.panel`
    builder: Builder,
    wall: int,
    along_m: float,
    bottom_m: float,
    size: tuple[float, float],
    painter: Painter,
    color: Rgb,
    material: Material,
    *,
    reflectivity: float = 0.0,
    blur: int = 0,
    offset_m: float = 0.035,
    radiance: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Hang a panel on a wall and return its middle; walls are numbered as in `shell`."""
    lx, ly, _ = builder.size_m
    w, h = size
    inward, along, start = (
        (vector((0, 1, 0)), vector((-1, 0, 0)), vector((lx, 0, 0))),
        (vector((-1, 0, 0)), vector((0, -1, 0)), vector((lx, ly, 0))),
        (vector((0, -1, 0)), vector((1, 0, 0)), vector((0, ly, 0))),
        (vector((1, 0, 0)), vector((0, 1, 0)), vector((0, 0, 0))),
    )[wall]
    origin = start + along * along_m + inward * offset_m + vector((0, 0, bottom_m + h))
    if material is Material.WINDOW:
        radiance = DAYLIGHT * pi
    builder.panel(
        origin,
        along * w,
        vector((0, 0, -h)),
        painter,
        color,
        material,
        reflectivity=reflectivity,
        blur=blur,
        radiance=radiance,
    )
    middle = origin + along * w / 2 - vector((0, 0, h / 2))
    if material is Material.WINDOW:
        samples = np.array([middle + along * s * w * 0.3 + inward * 0.05 for s in (-1, 0, 1)])
        builder.lamps.append(Lamp(samples, DAYLIGHT * w * h, inward))
    return np.asarray(middle, np.float64)


def frame_on_wall(  # noqa: PLR0917 - as `on_wall`
    builder: Builder, wall: int, along_m: float, bottom_m: float, size: tuple[float, float], color: Rgb
) -> None:
    """A wooden frame a little larger than a mirror or screen, behind it."""
    w, h = size
    on_wall(
        builder,
        wall,
        along_m - 0.03,
        bottom_m - 0.03,
        (w + 0.06, h + 0.06),
        textures.wood,
        color,
        Material.MATTE,
        offset_m=0.022,
    )


def demo_scene() -> Scene:
    """A kitchen corner with everything that depth cameras find hard."""
    builder = Builder(vector((4.2, 3.6, 2.5)), np.random.default_rng(7))
    builder.ambient = vector((0.30, 0.30, 0.31))
    ceiling_lamp(builder, 2.2, 2.1, power=2.5, color=(255, 238, 208))
    shell(
        builder,
        (
            (textures.plain, (222, 214, 200)),
            (textures.plain, (226, 220, 208)),
            (textures.plain, (212, 216, 210)),
            (textures.plain, (226, 220, 208)),
        ),
        (textures.planks, (168, 122, 80)),
        WHITE,
    )
    # The counter runs along the far wall (y = max); splash back above it.
    builder.box((2.5, 3.27), 0.0, (2.6, 0.62, 0.87), textures.wood, (216, 208, 192), Material.MATTE)
    builder.box(
        (2.5, 3.25),
        0.87,
        (2.66, 0.70, 0.04),
        textures.stone,
        (62, 64, 70),
        Material.GLOSSY,
        top_reflectivity=0.10,
    )
    for k in range(4):  # Handles, whose sides are too thin to be seen.
        builder.panel(
            vector((1.44 + 0.64 * k, 2.955, 0.718)),
            vector((0.22, 0, 0)),
            vector((0, -0.014, -0.018)),
            textures.plain,
            (128, 131, 136),
            Material.METAL,
        )
    on_wall(
        builder, 2, 1.2, 0.91, (2.6, 0.5), textures.tiles, (198, 212, 214), Material.GLOSSY, offset_m=0.01
    )
    frame_on_wall(builder, 2, 1.22, 1.02, (0.56, 0.84), (92, 62, 40))
    mirror = on_wall(
        builder,
        2,
        1.22,
        1.02,
        (0.56, 0.84),
        textures.plain,
        (205, 212, 214),
        Material.MIRROR,
        reflectivity=0.93,
    )
    window = on_wall(builder, 1, 1.35, 0.95, (1.2, 1.1), textures.outdoors, (242, 242, 238), Material.WINDOW)
    on_wall(builder, 2, 2.02, 1.52, (0.55, 0.42), textures.painting, (180, 120, 90), Material.MATTE)
    frame_on_wall(builder, 3, 1.1, 0.95, (1.1, 0.64), (30, 30, 32))
    on_wall(
        builder,
        3,
        1.1,
        0.95,
        (1.1, 0.64),
        textures.screen,
        (16, 16, 18),
        Material.DARK_GLOSSY,
        reflectivity=0.07,
        blur=3,
    )
    builder.box((3.45, 3.43), 1.55, (1.1, 0.33, 0.62), textures.wood, (204, 178, 140))
    # On the counter.
    counter = 0.91
    builder.round(
        (1.75, 3.12, counter),
        0.135,
        (0.031, 0.037),
        textures.plain,
        (238, 244, 242),
        Material.GLASS,
        lid=False,
    )
    builder.round(
        (2.02, 3.02, counter),
        0.10,
        (0.036, 0.040),
        textures.plain,
        (240, 240, 232),
        Material.GLASS,
        lid=False,
    )
    builder.round(
        (1.90, 3.32, counter),
        0.18,
        (0.040, 0.040),
        textures.plain,
        (120, 178, 128),
        Material.GLASS,
        lid=False,
    )
    builder.round(
        (1.90, 3.32, counter + 0.18),
        0.13,
        (0.040, 0.012),
        textures.plain,
        (120, 178, 128),
        Material.GLASS,
        lid=False,
    )
    builder.round(
        (2.75, 3.25, counter),
        0.15,
        (0.12, 0.12),
        textures.steel,
        (226, 228, 232),
        Material.METAL,
        follows_view=True,
        lid_color=(150, 152, 156),
    )
    builder.round(
        (2.75, 3.25, counter + 0.15), 0.03, (0.02, 0.025), textures.plain, (25, 25, 26), Material.GLOSSY
    )
    builder.box((2.33, 3.40), counter, (0.19, 0.07, 0.28), textures.printed, (196, 62, 48), turn_deg=12)
    builder.box(
        (3.3, 3.42),
        counter,
        (0.42, 0.2, 0.24),
        {"side": textures.spines, "top": textures.plain},
        (226, 222, 212),
        turn_deg=-6,
    )
    builder.round(
        (1.42, 3.36, counter),
        0.13,
        (0.055, 0.08),
        textures.plain,
        (190, 96, 66),
        Material.MATTE,
        lid_color=(60, 44, 32),
    )
    builder.plant((1.42, 3.36, counter + 0.13), 0.30, (70, 128, 62), leaves=7)
    builder.ball((3.08, 3.05, counter + 0.04), (0.04, 0.04, 0.04), textures.plaster, (222, 128, 36))
    builder.ball((3.16, 3.09, counter + 0.038), (0.038, 0.038, 0.038), textures.plaster, (196, 52, 40))
    # A table in front with a cloth, and a moving box on the counter's edge.
    builder.box((1.05, 1.75), 0.0, (0.12, 0.12, 0.68), textures.wood, (150, 104, 66))
    builder.box(
        (1.05, 1.75),
        0.68,
        (0.86, 0.64, 0.03),
        {"side": textures.wood, "top": textures.fabric},
        (184, 60, 62),
        turn_deg=0,
    )
    builder.round(
        (1.15, 1.85, 0.71),
        0.22,
        (0.05, 0.075),
        textures.stone,
        (60, 92, 140),
        Material.GLOSSY,
        lid_color=(25, 30, 40),
    )
    builder.box((0.88, 1.62), 0.71, (0.2, 0.27, 0.035), textures.printed, (232, 204, 120), turn_deg=25)
    builder.box(
        (2.35, 3.02), counter, (0.085, 0.06, 0.13), textures.printed, (72, 130, 190), moving=True, solid=False
    )
    builder.travel_m = vector((0.16, 0.0, 0.0))
    builder.interest = [vector((2.2, 3.2, 1.0)), vector((1.9, 3.1, 0.98)), mirror, window]
    return builder.scene(exposure=1.0)


def camera_path(scene: Scene, t_s: float, camera: int = 0) -> Transform:
    """(4, 4) world_from_camera on a slow loop in front of the first point of interest.

    Args:
        scene: the room.
        t_s: moment; the loop takes 24 seconds.
        camera: number in the rig; neighbours stand beside each other and look at the same place.
    """
    phase = tau * t_s / 24.0
    target = scene.points_of_interest[0]
    size = scene.size_m
    side = -0.32 + 0.42 * camera
    eye = vector(
        (
            0.50 * size[0] + side + 0.30 * sin(phase),
            0.44 * size[1] + 0.16 * sin(2 * phase + 0.5) + 0.06 * camera,
            0.60 * size[2] + 0.07 * sin(phase + 1.3),
        )
    )
    look = target + vector((0.22 * sin(phase + 0.8), 0.0, 0.06 * sin(2 * phase)))
    return look_at(eye, look)


def random_pose(scene: Scene, rng: np.random.Generator) -> Transform:
    """(4, 4) world_from_camera of a camera in free space that looks at something."""
    size = scene.size_m
    for attempt in range(60):
        target = scene.points_of_interest[int(rng.integers(len(scene.points_of_interest)))]
        target = target + rng.normal(0, 0.25, 3)
        distance = float(np.exp(rng.uniform(np.log(0.45), np.log(0.75 * float(size[:2].max())))))
        turn, rise = rng.uniform(0, tau), rng.uniform(-0.15, 0.75)
        eye = target + distance * vector((cos(turn) * cos(rise), sin(turn) * cos(rise), sin(rise)))
        if attempt > 40:
            eye = np.clip(eye, 0.3, size - 0.3)
        if ((eye < 0.2) | (eye > size - 0.2)).any():
            continue
        low, high = scene.obstacles[:, 0] - 0.22, scene.obstacles[:, 1] + 0.22
        if len(low) and ((eye > low) & (eye < high)).all(axis=1).any():
            continue
        return look_at(eye, target, roll_rad=float(rng.normal(0, 0.06)))
    eye = vector((size[0] / 2, size[1] / 2, size[2] * 0.8))
    return look_at(eye, vector((size[0] * rng.uniform(0, 1), size[1] * 0.9, 0.5)))


def close_pose(scene: Scene, rng: np.random.Generator) -> Transform:
    """(4, 4) world_from_camera of a camera an arm's length from a small thing, above it, as robots look.

    Glass is looked at three times as often as other things. A room without things gets a `random_pose`.
    """
    things: list[Turned | Ball] = [*scene.turned, *scene.balls]
    if not things:
        return random_pose(scene, rng)
    weights = np.array([CLOSE_GLASS if thing.material is Material.GLASS else 1.0 for thing in things])
    size = scene.size_m
    low, high = scene.obstacles[:, 0] - 0.05, scene.obstacles[:, 1] + 0.05
    for _ in range(40):
        thing = things[int(rng.choice(len(things), p=weights / weights.sum()))]
        place = thing.foot if isinstance(thing, Turned) else thing.centre
        target = place + rng.normal(0, 0.06, 3)
        distance, turn, rise = rng.uniform(*CLOSE_M), rng.uniform(0, tau), rng.uniform(0.3, 1.35)
        eye = target + distance * vector((cos(turn) * cos(rise), sin(turn) * cos(rise), sin(rise)))
        outside = ((eye < 0.1) | (eye > size - 0.1)).any()
        if outside or (len(low) and ((eye > low) & (eye < high)).all(axis=1).any()):
            continue
        return look_at(eye, target, roll_rad=float(rng.normal(0, 0.15)))
    return random_pose(scene, rng)


def random_scene(rng: np.random.Generator) -> Scene:
    """A room unlike the last one: size, colours, light, furniture and how much of it is hard to measure."""
    builder = Builder(
        vector((rng.uniform(2.2, 6.5), rng.uniform(2.2, 6.0), rng.uniform(2.3, 3.0))), rng, texels_per_m=150.0
    )
    lx, ly, _ = builder.size_m
    level = rng.uniform(0.15, 0.45)
    builder.ambient = level * rng.uniform(0.85, 1.1, 3)
    base: Rgb = _wall_color(rng)
    walls = tuple(
        (_pick(rng, textures.WALLS), base if rng.random() < 0.6 else _wall_color(rng)) for _ in range(4)
    )
    floor = _pick(rng, textures.FLOORS)
    polished = floor is not textures.carpet and rng.random() < 0.4
    shell(
        builder,
        walls,
        (floor, _color(rng, 60, 210)),
        _wall_color(rng),
        polish=float(rng.uniform(0.03, 0.12)) if polished else 0.0,
    )
    for _ in range(int(rng.integers(1, 4))):
        warm = rng.uniform(170, 255)
        ceiling_lamp(
            builder,
            rng.uniform(0.4, lx - 0.4),
            rng.uniform(0.4, ly - 0.4),
            power=rng.uniform(0.8, 3.0),
            color=(255, (255 + warm) / 2, warm),
            radius_m=rng.uniform(0.1, 0.35),
        )
    for wall in range(4):
        _furnish_wall(builder, rng, wall, float(lx if wall in {0, 2} else ly))
    _let_sun_in(builder, rng)
    for _ in range(int(rng.integers(3, 9))):
        _furnish_floor(builder, rng)
    if rng.random() < 0.5:
        builder.travel_m = rng.normal(0, 0.1, 3) * [1, 1, 0]
    builder.interest.extend(
        vector((rng.uniform(0, lx), rng.uniform(0, ly), rng.uniform(0.1, 1.6))) for _ in range(2)
    )
    return builder.scene(exposure=float(rng.uniform(0.7, 1.5)))


def _furnish_wall(builder: Builder, rng: np.random.Generator, wall: int, length_m: float) -> None:
    at = 0.15
    while at < length_m - 0.6:
        w = float(rng.uniform(0.35, min(1.6, length_m - at - 0.1)))
        h = float(rng.uniform(0.4, 1.3))
        bottom = float(rng.uniform(0.6, max(0.7, builder.size_m[2] - h - 0.2)))
        kind = rng.random()
        middle: NDArray[np.float64] | None = None
        if kind < 0.16:
            frame_on_wall(builder, wall, at, bottom, (w, h), _color(rng, 20, 200))
            middle = on_wall(
                builder,
                wall,
                at,
                bottom,
                (w, h),
                textures.plain,
                (205, 212, 214),
                Material.MIRROR,
                reflectivity=float(rng.uniform(0.85, 0.95)),
            )
        elif kind < 0.30:
            middle = _window(builder, rng, wall, at, bottom, (w, h))
        elif kind < 0.40:
            on = rng.random() < 0.3
            middle = on_wall(
                builder,
                wall,
                at,
                bottom,
                (w, w * 0.58),
                textures.desktop if on else textures.screen,
                (215, 218, 222) if on else (14, 14, 16),
                Material.DARK_GLOSSY,
                reflectivity=0.08,
                blur=3,
                radiance=vector((0.9, 0.95, 1.05)) if on else None,
            )
        elif kind < 0.62:
            middle = on_wall(
                builder, wall, at, bottom, (w, h), textures.painting, _color(rng, 30, 230), Material.MATTE
            )
        if middle is not None:
            builder.interest.append(middle)
        at += w + float(rng.uniform(0.1, 1.2))


def _window(  # noqa: PLR0917 - as `on_wall`
    builder: Builder,
    rng: np.random.Generator,
    wall: int,
    along_m: float,
    bottom_m: float,
    size: tuple[float, float],
) -> NDArray[np.float64]:
    """A pane with its bars, and often a curtain; returns its middle."""
    w, h = size
    color = _wall_color(rng)
    middle = on_wall(builder, wall, along_m, bottom_m, size, textures.view, WHITE, Material.WINDOW)
    bar = float(rng.uniform(0.02, 0.06))
    places = [
        (-bar, -bar, w + 2 * bar, bar),
        (-bar, h, w + 2 * bar, bar),
        (-bar, 0.0, bar, h),
        (w, 0.0, bar, h),
    ]
    places += [(w * k / 2 - bar / 2, 0.0, bar, h) for k in range(1, int(rng.integers(1, 3)))]
    places += [(0.0, h * float(rng.uniform(0.4, 0.7)), w, bar)] if rng.random() < 0.4 else []
    for right, up, wide, high in places:
        on_wall(
            builder,
            wall,
            along_m + right,
            bottom_m + up,
            (wide, high),
            textures.plain,
            color,
            Material.MATTE,
            offset_m=0.05,
        )
    if rng.random() < 0.4:
        reach = w * float(rng.uniform(0.15, 0.5))
        _curtain(builder, wall, along_m - 0.1, bottom_m - 0.15, (reach, h + 0.3), _color(rng, 40, 240))
    return middle


def _curtain(  # noqa: PLR0917 - as `on_wall`
    builder: Builder, wall: int, along_m: float, bottom_m: float, size: tuple[float, float], color: Rgb
) -> None:
    """Cloth in folds before a wall."""
    lx, ly, _ = builder.size_m
    inward = (vector((0, 1, 0)), vector((-1, 0, 0)), vector((0, -1, 0)), vector((1, 0, 0)))[wall]
    along = vector((inward[1] * -1, inward[0], 0.0))
    start = (vector((lx, 0, 0)), vector((lx, ly, 0)), vector((0, ly, 0)), vector((0, 0, 0)))[wall]
    w, h = size
    bottom_m = max(bottom_m, 0.01)
    folds = max(int(w / 0.06), 2)
    edges = [
        start
        + along * (along_m + w * k / folds)
        + inward * (0.08 + 0.05 * (k % 2))
        + vector((0, 0, bottom_m + h))
        for k in range(folds + 1)
    ]
    pixels = textures.fabric(builder.rng, 96, 32, color)
    for left, right in pairwise(edges):
        cloth = Panel(
            left, right - left, vector((0, 0, -h)), SQUARE, Texture(()), Material.MATTE, two_sided=True
        )
        builder.paint_panel(pixels, cloth)
    half = abs(along) * w / 2 + abs(inward) * 0.03 + vector((0, 0, h / 2))
    builder.boxes.append(((edges[0] + edges[-1]) / 2 - vector((0, 0, h / 2)), half, 0.0))


def _let_sun_in(builder: Builder, rng: np.random.Generator) -> None:
    """Low enough to reach far into the room through one of its windows, if there is one."""
    windows = [panel for panel in builder.panels if panel.material is Material.WINDOW]
    if not windows or rng.random() > SUNNY:
        return
    out = -windows[int(rng.integers(len(windows)))].normal
    turn, rise = radians(float(rng.uniform(-55, 55))), radians(float(rng.uniform(12, 55)))
    level = vector((cos(turn) * out[0] - sin(turn) * out[1], sin(turn) * out[0] + cos(turn) * out[1], 0.0))
    toward = level * cos(rise) + vector((0, 0, sin(rise)))
    builder.sun = Sun(toward, vector((1.0, 0.93, 0.80)) * float(rng.uniform(2.0, 9.0)))


def _put_furniture(builder: Builder, rng: np.random.Generator) -> None:
    """One of the pieces of `furniture`, somewhere on the floor."""
    lx, ly, lz = builder.size_m
    at = (float(rng.uniform(0.35, lx - 0.35)), float(rng.uniform(0.35, ly - 0.35)))
    turn = float(rng.uniform(0, 360))
    color = _color(rng, 25, 235)
    kind = rng.random()
    if kind < 0.30:
        furniture.chair(
            builder, at, turn, _pick(rng, (textures.wood, textures.plain, textures.fabric)), color
        )
        builder.interest.append(vector((*at, 0.5)))
    elif kind < 0.42:
        furniture.lamp_stand(builder, at, color)
    elif kind < 0.57:
        size = (
            float(rng.uniform(0.4, 0.9)),
            float(rng.uniform(0.25, 0.4)),
            float(rng.uniform(0.7, lz * 0.8)),
        )
        furniture.rack(builder, at, float(rng.choice([0.0, 90.0, turn])), size)
    elif kind < 0.69:
        furniture.tall_plant(builder, at, _color(rng, 40, 140))
    elif kind < 0.81 and min(lx, ly) > 2.8:
        furniture.sofa(
            builder, at, float(rng.choice([0.0, 90.0, 180.0, turn])), float(rng.uniform(1.0, 2.0)), color
        )
    elif kind < 0.91:
        furniture.black_bin(builder, at)
    else:
        furniture.pendant(builder, at, color)


def _furnish_floor(builder: Builder, rng: np.random.Generator) -> None:
    if rng.random() < 0.35:
        _put_furniture(builder, rng)
        return
    lx, ly, _ = builder.size_m
    sx, sy = float(rng.uniform(0.3, 1.5)), float(rng.uniform(0.3, 0.9))
    x, y = float(rng.uniform(sx / 2, lx - sx / 2)), float(rng.uniform(sy / 2, ly - sy / 2))
    if rng.random() < 0.6:  # along a wall
        y = sy / 2 + 0.02 if rng.random() < 0.5 else float(ly) - sy / 2 - 0.02
    turn = float(rng.choice([0.0, 0.0, 90.0, rng.uniform(0, 180)]))
    height = float(
        rng.choice(
            [rng.uniform(0.35, 0.55), rng.uniform(0.68, 0.95), rng.uniform(1.2, 2.0)], p=[0.35, 0.5, 0.15]
        )
    )
    color, painter = _color(rng, 25, 235), _pick(rng, textures.THINGS)
    kind = rng.random()
    top_material, reflect = Material.MATTE, 0.0
    top_color, top = color, painter
    if kind < 0.25:
        top_material, reflect, top, top_color = (
            Material.GLOSSY,
            float(rng.uniform(0.05, 0.2)),
            textures.stone,
            _color(rng, 30, 220),
        )
    elif kind < 0.38:
        top_material, reflect, top, top_color = Material.DARK_GLOSSY, 0.1, textures.plain, (18, 18, 20)
    elif kind < 0.48:
        top_material, reflect, top, top_color = Material.METAL, 0.4, textures.plain, (170, 172, 176)
    if rng.random() < 0.45:  # a table on legs
        angle = np.deg2rad(turn)
        for a in (-0.45, 0.45):
            for b in (-0.42, 0.42):
                px, py = a * sx, b * sy
                builder.box(
                    (x + px * cos(angle) - py * sin(angle), y + px * sin(angle) + py * cos(angle)),
                    0.0,
                    (0.05, 0.05, height - 0.04),
                    textures.wood,
                    color,
                    turn_deg=turn,
                )
        builder.box(
            (x, y),
            height - 0.04,
            (sx, sy, 0.04),
            {"side": painter, "top": top},
            color,
            turn_deg=turn,
            top_reflectivity=reflect,
            top_color=top_color,
            top_material=top_material,
        )
    else:
        material = Material.MATTE if rng.random() < 0.8 else Material(int(rng.choice([1, 2, 3])))
        if material is Material.DARK_GLOSSY:
            color, painter = (20, 20, 22), textures.plain
        builder.box(
            (x, y),
            0.0,
            (sx, sy, height),
            {"side": painter, "top": top},
            color,
            material,
            turn_deg=turn,
            top_reflectivity=reflect,
            top_color=top_color,
            top_material=top_material,
        )
    if height < 1.3:
        builder.interest.append(vector((x, y, height + 0.05)))
        for _ in range(int(rng.integers(0, 5))):
            spread = 0.8 * min(sx, sy) / 2
            put_thing(
                builder, rng, (x + rng.uniform(-1, 1) * spread, y + rng.uniform(-1, 1) * spread, height)
            )


def put_thing(builder: Builder, rng: np.random.Generator, foot: tuple[float, float, float]) -> None:
    """Add one small object at a place."""
    x, y, z = foot
    color = _color(rng, 20, 240)
    kind = rng.random()
    radius = float(rng.uniform(0.025, 0.07))
    if kind < 0.25:
        tint = _color(rng, 205, 248) if rng.random() < 0.7 else _color(rng, 100, 220)
        height = float(rng.uniform(0.08, 0.26))
        builder.round(
            foot,
            height,
            (radius * rng.uniform(0.7, 1.0), radius),
            textures.plain,
            tint,
            Material.GLASS,
            lid=False,
        )
        if rng.random() < 0.35:  # a bottle: shoulder, then neck
            shoulder = float(rng.uniform(0.04, 0.08))
            builder.turned.pop()
            builder.round(foot, height, (radius, radius), textures.plain, tint, Material.GLASS, lid=False)
            builder.round(
                (x, y, z + height), shoulder, (radius, 0.014), textures.plain, tint, Material.GLASS, lid=False
            )
            builder.round(
                (x, y, z + height + shoulder),
                0.07,
                (0.014, 0.013),
                textures.plain,
                tint,
                Material.GLASS,
                lid=False,
            )
    elif kind < 0.38:
        size = radius * float(rng.uniform(1.0, 2.2))
        builder.round(
            foot,
            float(rng.uniform(0.08, 0.25)),
            (size, size * rng.uniform(0.85, 1.15)),
            textures.steel,
            (225, 227, 231),
            Material.METAL,
            follows_view=True,
            lid_color=(140, 142, 148),
        )
    elif kind < 0.50:
        material = Material.GLOSSY if rng.random() < 0.5 else Material.MATTE
        builder.round(
            foot,
            float(rng.uniform(0.07, 0.3)),
            (radius, radius * rng.uniform(0.8, 1.6)),
            _pick(rng, textures.THINGS),
            color,
            material,
        )
    elif kind < 0.60:
        builder.ball((x, y, z + radius), (radius, radius, radius), _pick(rng, textures.THINGS), color)
    elif kind < 0.68:
        builder.round(foot, 0.12, (0.05, 0.07), textures.plain, color, Material.MATTE, lid_color=(55, 42, 32))
        builder.plant((x, y, z + 0.12), float(rng.uniform(0.2, 0.5)), _color(rng, 50, 150))
    elif kind < 0.71:
        furniture.wire_basket(builder, foot)
    elif kind < 0.74:
        furniture.monitor(builder, foot, float(rng.uniform(0, 360)))
    elif kind < 0.77:
        furniture.laptop(builder, foot, float(rng.uniform(0, 360)))
    elif kind < 0.82:
        builder.box(
            (x, y),
            z,
            (float(rng.uniform(0.2, 0.5)), 0.16, float(rng.uniform(0.18, 0.3))),
            {"side": textures.spines, "top": textures.plain},
            (225, 222, 212),
            turn_deg=float(rng.uniform(0, 180)),
            solid=False,
        )
    else:
        extent = (
            float(rng.uniform(0.05, 0.3)),
            float(rng.uniform(0.03, 0.2)),
            float(rng.uniform(0.02, 0.32)),
        )
        dark = rng.random() < 0.15
        builder.box(
            (x, y),
            z,
            extent,
            textures.plain if dark else _pick(rng, textures.THINGS),
            (16, 16, 18) if dark else color,
            Material.DARK_GLOSSY if dark else Material.MATTE,
            turn_deg=float(rng.uniform(0, 180)),
            moving=bool(rng.random() < 0.3),
            solid=False,
        )


def _pick(rng: np.random.Generator, painters: tuple[Painter, ...]) -> Painter:
    return painters[int(rng.integers(len(painters)))]


def _color(rng: np.random.Generator, low: float, high: float) -> Rgb:
    r, g, b = rng.uniform(low, high, 3)
    grey = (r + g + b) / 3
    share = float(rng.uniform(0.2, 1.0))
    return (grey + (r - grey) * share, grey + (g - grey) * share, grey + (b - grey) * share)


def _wall_color(rng: np.random.Generator) -> Rgb:
    if rng.random() < 0.65:
        value = float(rng.uniform(185, 245))
        warm = float(rng.uniform(-12, 18))
        return (min(value + warm, 255), value, max(value - warm, 0))
    return _color(rng, 60, 230)
