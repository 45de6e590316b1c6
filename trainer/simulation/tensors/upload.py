"""A scene of `drivers.synth` as tensors on one device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivers.synth.shapes import Ball, Material, Panel, Scene, Texture, Turned

REFLECTIVE_FROM = 0.02
LEVELS = 6


@dataclass(frozen=True, eq=False)
class Atlas:
    """All textures, one after the other.

    Attributes:
        texels: (N, 4) uint8 RGBA.
        first: (T, LEVELS) where each level of each texture begins; the coarsest stands for those below.
        width: (T, LEVELS) columns; likewise `height`.
        coarsest: (T,) number of the coarsest level.
    """

    texels: Tensor
    first: Tensor
    width: Tensor
    height: Tensor
    coarsest: Tensor


@dataclass(frozen=True, eq=False)
class Panels:
    """Flat pieces; texture number p belongs to panel p.

    Attributes:
        origin: (P, 3) where s and t are 0.
        normal: (P, 3) unit.
        along: (P, 2, 3) what turns a place beside `origin` into s and t.
        edges: (P, E, 3) the outline as weights of s, t and 1, at least 0 inside; some may repeat.
        texels_per_area: (P,) texels of the finest level.
        two_sided: (P,) bool.
        reflectivity: (P,) straight on.
        mirror: (P,) bool.
        middle: (P, 3) mean of the corners.
        squares: numbers of those with a square outline and no cut-out.
        others: numbers of those with another outline.
        cut: numbers of those of which the texture says what is there.
        blur: side of the blur of what the glossy ones show, in quarter pixels; 0 if there are none.
    """

    origin: Tensor
    normal: Tensor
    along: Tensor
    edges: Tensor
    texels_per_area: Tensor
    two_sided: Tensor
    reflectivity: Tensor
    mirror: Tensor
    middle: Tensor
    squares: Tensor
    others: Tensor
    cut: Tensor
    blur: int


@dataclass(frozen=True, eq=False)
class Bodies:
    """Round bodies, turned ones before balls; those of glass are a set of their own.

    Attributes:
        foot: (B, 3) of a turned body its foot, of a ball its centre.
        radii: (B, 3) of a ball; ones for turned bodies.
        turned: (B,) bool.
        height_m: (B,) of turned bodies, 1 for balls.
        bottom_m: (B,) radius at the foot, and `top_m` at the top; 0 for balls.
        top_m: see `bottom_m`.
        follows_view: (B,) bool.
        material: (B,) int64.
        texture: (B,) in the atlas.
        tint: (B, 3) of glass, 0 to 1.
        reach_m: (B,) largest radius.
    """

    foot: Tensor
    radii: Tensor
    turned: Tensor
    height_m: Tensor
    bottom_m: Tensor
    top_m: Tensor
    follows_view: Tensor
    material: Tensor
    texture: Tensor
    tint: Tensor
    reach_m: Tensor

    def __len__(self) -> int:
        return len(self.foot)


@dataclass(frozen=True, eq=False)
class SceneTensors:
    """One room on one device.

    Attributes:
        panels: flat pieces.
        solids: round bodies that light does not pass.
        glasses: those that it passes.
        atlas: of all textures.
        material: (P + B,) int64 of panels and then solids; the last entry stands for nothing.
    """

    panels: Panels
    solids: Bodies
    glasses: Bodies
    atlas: Atlas
    material: Tensor

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.material.device


def uploaded(scene: Scene, device: torch.device, *, t_s: float = 0.0) -> SceneTensors:
    """The scene at a moment, on a device."""
    now = scene.at(t_s)
    bodies: list[Turned | Ball] = [*now.turned, *now.balls]
    solids = [body for body in bodies if body.material is not Material.GLASS]
    glasses = [body for body in bodies if body.material is Material.GLASS and isinstance(body, Turned)]
    textures = [item.texture for item in (*now.panels, *solids)]
    materials = [int(item.material) for item in (*now.panels, *solids)]
    return SceneTensors(
        _panels(now.panels, device),
        _bodies(solids, len(now.panels), device),
        _bodies(glasses, 0, device),
        _atlas(textures, device),
        torch.tensor([*materials, int(Material.MATTE)], device=device),
    )


def _there(values: NDArray[np.generic], device: torch.device) -> Tensor:
    if values.dtype == np.float64:
        values = values.astype(np.float32)
    return torch.from_numpy(np.ascontiguousarray(values)).to(device)


def _panels(panels: Sequence[Panel], device: torch.device) -> Panels:
    along = np.zeros((len(panels), 2, 3))
    for k, panel in enumerate(panels):
        along[k] = np.linalg.pinv(np.stack([panel.across, panel.down], axis=1))
    square = [len(panel.outline) == 4 for panel in panels]
    most = max([len(panel.outline) for panel in panels] or [4])
    edges = np.stack([_edges(panel.outline, most) for panel in panels])
    numbers = np.arange(len(panels))
    cut = np.array([panel.cutout for panel in panels], bool)
    squares = np.array(square, bool)
    blurred = [panel.blur for panel in panels if panel.reflectivity > REFLECTIVE_FROM and panel.blur]
    sizes = [panel.texture.levels[0].shape[:2] for panel in panels]
    return Panels(
        origin=_there(np.array([panel.origin for panel in panels]), device),
        normal=_there(np.array([panel.normal for panel in panels]), device),
        along=_there(along, device),
        edges=_there(edges, device),
        texels_per_area=_there(np.array([float(h * w) for h, w in sizes]), device),
        two_sided=_there(np.array([panel.two_sided for panel in panels]), device),
        reflectivity=_there(np.array([panel.reflectivity for panel in panels]), device),
        mirror=_there(np.array([panel.material is Material.MIRROR for panel in panels]), device),
        middle=_there(np.array([panel.corners.mean(axis=0) for panel in panels]), device),
        squares=_there(numbers[squares & ~cut], device),
        others=_there(numbers[~squares & ~cut], device),
        cut=_there(numbers[cut], device),
        blur=max(blurred, default=0),
    )


def _edges(outline: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """(most, 3) half planes whose common part is the outline."""
    start, end = outline, np.roll(outline, -1, axis=0)
    step = end - start
    planes = np.stack([-step[:, 1], step[:, 0], step[:, 1] * start[:, 0] - step[:, 0] * start[:, 1]], axis=1)
    middle = np.array([*outline.mean(axis=0), 1.0])
    planes *= np.sign(planes @ middle)[:, None]
    return planes[np.arange(most) % len(planes)]


def _bodies(bodies: Sequence[Turned | Ball], before: int, device: torch.device) -> Bodies:
    rows = []
    for body in bodies:
        if isinstance(body, Turned):
            shape = (*body.foot, 1.0, 1.0, 1.0, body.height_m, body.radius_bottom_m, body.radius_top_m)
            reach = max(body.radius_bottom_m, body.radius_top_m)
        else:
            shape = (*body.centre, *body.radii, 1.0, 0.0, 0.0)
            reach = float(body.radii.max())
        rows.append((*shape, reach, *(body.texture.levels[0][0, 0, :3] / 255)))
    table = _there(np.array(rows, np.float64).reshape(-1, 13), device)
    return Bodies(
        foot=table[:, 0:3],
        radii=table[:, 3:6],
        turned=torch.tensor([isinstance(body, Turned) for body in bodies], dtype=torch.bool, device=device),
        height_m=table[:, 6],
        bottom_m=table[:, 7],
        top_m=table[:, 8],
        follows_view=torch.tensor([body.follows_view for body in bodies], dtype=torch.bool, device=device),
        material=torch.tensor([int(body.material) for body in bodies], dtype=torch.int64, device=device),
        texture=torch.arange(len(bodies), device=device) + before,
        tint=table[:, 10:13],
        reach_m=table[:, 9],
    )


def _atlas(textures: Sequence[Texture], device: torch.device) -> Atlas:
    texels, begin = [], 0
    table = np.zeros((3, len(textures), LEVELS), np.int64)
    for k, texture in enumerate(textures):
        for level in range(LEVELS):
            if level < len(texture.levels):
                pixels = texture.levels[level]
                table[:, k, level] = begin, pixels.shape[1], pixels.shape[0]
                texels.append(pixels.reshape(-1, 4))
                begin += len(texels[-1])
            else:
                table[:, k, level] = table[:, k, level - 1]
    first, width, height = (_there(part, device) for part in table)
    coarsest = np.array([min(len(texture.levels), LEVELS) - 1 for texture in textures], np.int64)
    return Atlas(_there(np.concatenate(texels), device), first, width, height, _there(coarsest, device))
