"""A scene as Mitsuba holds it: a mesh for each kind of surface and each lamp, all paint in one picture."""

import gc
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.shapes import Material, Scene, Sun
from trainer.synth.physical import atlas
from trainer.synth.physical.library import load
from trainer.synth.physical.meshes import Mesh, joined
from trainer.synth.physical.surfaces import KINDS, PAINT, PANE, Surface, surfaces

Float = NDArray[np.float32]
mi, dr = load()
LAMPS = 24
"""Lamps, windows and screens of a scene; the weakest of more than that do not shine."""
CELL_PX = 256
IS_GLASS, IS_WINDOW, IS_MIRROR = 1, 2, 4
FLAGS = {Material.GLASS: IS_GLASS, Material.WINDOW: IS_WINDOW, Material.MIRROR: IS_MIRROR}
INTERFACE_PASSES = 0.96
"""Share of light that crosses one surface of glass straight on."""
NOWHERE_M = -50.0


class Studio:
    """What the tracer needs of a scene; no dataclass, which Dr.Jit would carry through its loops by value.

    Attributes:
        scene: Mitsuba's.
        material: by Mitsuba's number of a shape, `Material`.
        flags: likewise, IS_GLASS and so on.
        infrared: likewise, near infrared that is reflected, over visible light.
        tint: by the triangle of the glass, what each surface lets pass on a straight line.
        toward_sun: unit vector.
        sun: light on what faces it; zeros on a dull day.
    """

    def __init__(
        self, scene: Any, meaning: dict[str, tuple[Material, float]], glasses: list[Surface], sun: Sun | None
    ) -> None:
        numbers = np.array(dr.reinterpret_array(mi.UInt32, scene.shapes_dr()))
        material = np.zeros(int(numbers.max()) + 1, np.uint32)
        infrared = np.ones(len(material), np.float32)
        for number, shape in zip(numbers, scene.shapes(), strict=True):
            material[number], infrared[number] = meaning[shape.id()]
        flags = np.array([FLAGS.get(Material(int(value)), 0) for value in material], np.uint32)
        self.scene = scene
        self.material, self.flags, self.infrared = mi.UInt32(material), mi.UInt32(flags), mi.Float(infrared)
        self.tint = mi.Color3f(*(mi.Float(np.ascontiguousarray(channel)) for channel in _tints(glasses).T))
        toward, color = (sun.toward, sun.color) if sun else ((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
        self.toward_sun = mi.Vector3f(*(dr.opaque(mi.Float, float(value)) for value in toward))
        self.sun = mi.Color3f(*(dr.opaque(mi.Float, float(value)) for value in color))
        dr.make_opaque(self.material, self.flags, self.infrared, self.tint)


def studio(scene: Scene) -> Studio:
    """Build `scene`, at rest, for Mitsuba.

    Raises:
        ValueError: a shape has no paint, or is of a kind that cannot be shown.
    """
    gc.collect()  # a scene that is still held changes numbers in the kernels, which are then compiled anew
    shapes = list(surfaces(scene))
    painted = [shape for shape in shapes if shape.kind != "shining"]
    lamps = sorted((shape for shape in shapes if shape.kind == "shining"), key=_power, reverse=True)
    whole = atlas.packed([shape.paint for shape in painted])
    picture = mi.load_dict(
        {"type": "bitmap", "bitmap": mi.Bitmap(whole.pixels), "raw": False, "wrap_mode": "clamp"}
    )
    everything: dict[str, Any] = {"type": "scene"}
    meaning: dict[str, tuple[Material, float]] = {}
    for kind in KINDS:
        meshes = [
            replace(shape.mesh, places=whole.placed(k, shape.mesh.places))
            for k, shape in enumerate(painted)
            if shape.kind == kind.name
        ]
        everything[kind.name] = _shape(kind.name, joined([_nothing(), *meshes]), _bsdf(kind.bsdf, picture))
        meaning[kind.name] = (kind.material, kind.infrared)
    pane = mi.load_dict({"type": "twosided", "inside": PANE})
    for number, lamp in enumerate([*lamps, *[None] * max(LAMPS - len(lamps), 0)]):
        name = f"lamp {number}"
        emitter = _emitter(lamp) if number < LAMPS else None
        everything[name] = _shape(name, lamp.mesh if lamp else _nothing(), pane, emitter)
        meaning[name] = (lamp.panel.material if lamp and lamp.panel else Material.EMITTER, 1.0)
    built = mi.load_dict(everything, parallel=False)
    return Studio(built, meaning, [shape for shape in painted if shape.kind == "glass"], scene.sun)


def _tints(glasses: list[Surface]) -> Float:
    """(F, 3) what each triangle of the glass mesh lets pass; the first two are those of `_nothing`."""
    tints = [np.ones((2, 3))]
    for glass in glasses:
        tint = (glass.paint[0, 0, :3] / 255.0) ** 2.2
        tints.append(np.broadcast_to(tint, (len(glass.mesh.faces), 3)))
    return np.asarray(np.concatenate(tints) * INTERFACE_PASSES, np.float32)


def _power(lamp: Surface) -> float:
    panel = lamp.panel
    assert panel is not None
    assert panel.radiance is not None
    area = float(np.linalg.norm(np.cross(panel.across, panel.down)))
    return area * float(panel.radiance.mean()) * float(((lamp.paint[..., :3] / 255.0) ** 2.2).mean())


def _emitter(lamp: Surface | None) -> Any:
    """Light by its picture; of none, a light that is too weak to be seen."""
    size = (CELL_PX, CELL_PX)
    if lamp is None or lamp.panel is None or lamp.panel.radiance is None:
        light, weight = np.zeros((*size, 3), np.float32), 1e-4
    else:
        paint = cv2.resize(np.ascontiguousarray(lamp.paint[..., :3]), size, interpolation=cv2.INTER_AREA)
        light = ((paint / np.float32(255)) ** np.float32(2.2) * lamp.panel.radiance).astype(np.float32)
        weight = max(_power(lamp) ** 0.5, 1e-4)
    radiance = {"type": "bitmap", "data": mi.TensorXf(light), "raw": True, "wrap_mode": "clamp"}
    return mi.load_dict({"type": "area", "sampling_weight": weight, "radiance": radiance})


def _bsdf(bsdf: dict[str, Any], picture: Any) -> Any:
    return mi.load_dict(_filled(bsdf, picture))


def _filled(bsdf: dict[str, Any], picture: Any) -> dict[str, Any]:
    return {
        key: picture if value is PAINT else _filled(value, picture) if isinstance(value, dict) else value
        for key, value in bsdf.items()
    }


def _shape(name: str, mesh: Mesh, bsdf: Any, emitter: Any = None) -> Any:
    properties = mi.Properties()
    properties["bsdf"] = bsdf
    if emitter is not None:
        properties["emitter"] = emitter
    shape = mi.Mesh(name, len(mesh.vertices), len(mesh.faces), properties, True, True)
    values = mi.traverse(shape)
    values["vertex_positions"] = mesh.vertices.ravel()
    values["vertex_normals"] = mesh.normals.ravel()
    values["vertex_texcoords"] = mesh.places.ravel()
    values["faces"] = mesh.faces.ravel()
    values.update()
    return shape


def _nothing() -> Mesh:
    """Two triangles that no one sees, so that every kind of surface is always there."""
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    vertices = np.column_stack([corner * 0.01, np.full(4, NOWHERE_M)]).astype(np.float32)
    normals = np.tile(np.array([[0, 0, 1]], np.float32), (4, 1))
    return Mesh(vertices, normals, corner * 0, np.array([[0, 1, 2], [0, 2, 3]], np.uint32))
