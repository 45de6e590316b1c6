"""Which of Mitsuba's surfaces each shape of a scene becomes: few kinds, always the same ones, in one order.

Dr.Jit compiles a kernel for a set of surfaces (about three seconds); one that never changes is compiled once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.synth.shapes import Ball, Material, Panel, Scene, Turned
from trainer.synth.physical.meshes import Mesh, of_ball, of_panel, of_turned, of_vessel, vessels

Bytes = NDArray[np.uint8]
LEAF_INFRARED = 2.2
"""Leaves reflect the near infrared better than green by this factor."""
STEEL_PAINT = (205, 207, 212)
MIRROR_PAINT = (247, 248, 248)
INTERFACES = 4
"""How often a straight line crosses the surface of a hollow glass."""
REFLECTIVE_FROM = 0.02
PAINT = {"type": "ref", "id": "paint"}


@dataclass(frozen=True)
class Kind:
    """One kind of surface.

    Attributes:
        name: of it.
        material: what it is to a depth sensor.
        bsdf: for Mitsuba; PAINT stands for the scene's paint.
        infrared: near infrared that it reflects, over visible light.
    """

    name: str
    material: Material
    bsdf: dict[str, Any]
    infrared: float = 1.0


def _two_sided(bsdf: dict[str, Any]) -> dict[str, Any]:
    return {"type": "twosided", "inside": bsdf}


def _plastic(f0: float, alpha: float) -> dict[str, Any]:
    """Paint under a clear coat that mirrors the share `f0` straight on."""
    ior = float((1 + f0**0.5) / (1 - f0**0.5))
    coat = {"type": "roughplastic", "distribution": "ggx", "int_ior": ior, "alpha": alpha, "nonlinear": False}
    return _two_sided({**coat, "diffuse_reflectance": PAINT})


def _metal(alpha: float) -> dict[str, Any]:
    rough = {"type": "roughconductor", "material": "none", "distribution": "ggx", "alpha": alpha}
    return _two_sided({**rough, "specular_reflectance": PAINT})


DIFFUSE = _two_sided({"type": "diffuse", "reflectance": PAINT})
COATS = {"coat 4": 0.04, "coat 8": 0.08, "coat 16": 0.16}
KINDS = (
    Kind("matte", Material.MATTE, DIFFUSE),
    Kind("leaf", Material.MATTE, DIFFUSE, LEAF_INFRARED),
    Kind("glossy", Material.GLOSSY, _plastic(0.04, 0.15)),
    Kind("coat 4", Material.GLOSSY, _plastic(0.04, 0.05)),
    Kind("coat 8", Material.GLOSSY, _plastic(0.08, 0.04)),
    Kind("coat 16", Material.GLOSSY, _plastic(0.16, 0.03)),
    Kind("dark", Material.DARK_GLOSSY, _plastic(0.045, 0.03)),
    Kind("brushed", Material.METAL, _metal(0.2)),
    Kind("steel", Material.METAL, _metal(0.07)),
    Kind(
        "mirror",
        Material.MIRROR,
        _two_sided({"type": "conductor", "material": "none", "specular_reflectance": PAINT}),
    ),
    Kind(
        "glass",
        Material.GLASS,
        {"type": "dielectric", "int_ior": 1.5, "ext_ior": 1.0, "specular_transmittance": PAINT},
    ),
)
PANE = {**_plastic(0.04, 0.03)["inside"], "diffuse_reflectance": {"type": "rgb", "value": 0.02}}
"""Lamps, windows and screens that are on: black below a clear coat."""


@dataclass(frozen=True, eq=False)
class Surface:
    """One shape of a scene.

    Attributes:
        kind: name of a `Kind`, or "shining".
        mesh: its triangles.
        paint: (h, w, 3 or 4) uint8 sRGB.
        panel: which panel shines; None for others.
    """

    kind: str
    mesh: Mesh
    paint: Bytes
    panel: Panel | None = None


def surfaces(scene: Scene) -> Iterator[Surface]:
    """Every shape of a scene.

    Raises:
        ValueError: a shape has no paint, or is of glass but not round.
    """
    for panel in scene.panels:
        if panel.radiance is not None:
            yield Surface("shining", of_panel(panel), _paint(panel), panel)
        else:
            yield Surface(_kind_of_panel(panel), of_panel(panel), _paint(panel))
    for group in vessels(scene.turned):
        yield Surface("glass", of_vessel(group), _tint(_paint(group[0])))
    for body in scene.turned:
        if body.material is not Material.GLASS:
            yield Surface(_kind_of_round(body), of_turned(body), _paint(body))
    for ball in scene.balls:
        glass = ball.material is Material.GLASS
        yield Surface(_kind_of_round(ball), of_ball(ball), _tint(_paint(ball)) if glass else _paint(ball))


def _kind_of_panel(panel: Panel) -> str:
    if panel.material is Material.GLASS:
        raise ValueError("a panel cannot be of glass: glass has two sides")
    if panel.material is Material.GLOSSY and panel.reflectivity >= REFLECTIVE_FROM:
        return min(COATS, key=lambda name: abs(COATS[name] - panel.reflectivity))
    if panel.material is Material.MATTE and panel.cutout:
        return "leaf"
    return _NAMES[panel.material]


def _kind_of_round(body: Turned | Ball) -> str:
    if body.material is Material.METAL and body.follows_view:
        return "steel"
    return _NAMES[body.material]


_NAMES = {
    Material.MATTE: "matte",
    Material.GLOSSY: "glossy",
    Material.METAL: "brushed",
    Material.DARK_GLOSSY: "dark",
    Material.GLASS: "glass",
    Material.MIRROR: "mirror",
    # Without a radiance they are paint.
    Material.WINDOW: "matte",
    Material.EMITTER: "matte",
}


def _paint(shape: Panel | Turned | Ball) -> Bytes:
    if shape.paint is None:
        raise ValueError("the scene has no paint without light; build it anew with Builder.scene")
    if shape.material is Material.MIRROR:
        return _plain(MIRROR_PAINT)
    if shape.material is Material.METAL and not isinstance(shape, Panel) and shape.follows_view:
        return _plain(STEEL_PAINT)  # its paint shows reflections, which here are real
    return shape.paint


def _plain(color: tuple[int, int, int]) -> Bytes:
    return np.full((2, 2, 3), color, np.uint8)


def _tint(paint: Bytes) -> Bytes:
    """What each interface lets pass, when all of a hollow glass lets pass `paint`."""
    share = (paint[..., :3].astype(np.float64) / 255) ** (1 / INTERFACES)
    return np.asarray(np.rint(share * 255), np.uint8)
