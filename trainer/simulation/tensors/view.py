"""What an ideal camera sees of a room: the pictures of `drivers.synth.render`, cast ray by ray.

Colours of glass and of what shines follow the same rules as there, so that both renderers show one world.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import tau

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from drivers.synth.shapes import Material
from trainer.simulation.tensors.atlas import texel
from trainer.simulation.tensors.cast import Hits, directions, nearest, rounds
from trainer.simulation.tensors.upload import REFLECTIVE_FROM, SceneTensors

GLASS_LAYERS = 4
"""So many glasses one behind the other are told apart."""
COARSE_PX = 4
"""What a glossy surface shows is blurred, so it is cast in every fourth pixel."""
RIM_PX = 0.75
RIM = (215.0, 222.0, 225.0)


@dataclass(frozen=True, eq=False)
class TensorView:
    """Views of several cameras.

    Attributes:
        color: (V, 3, H, W) float32 RGB of 0 to 255, without noise.
        inverse: (V, H, W) float32 1/z of the first surface, glass and mirrors included; 0 for nothing.
        beyond: (V, H, W) float32 1/z of what is seen through glass or in a mirror; elsewhere `inverse`.
        material: (V, H, W) int64 of `Material`.
        camera: (V, 4) fx, fy, cx and cy in pixels.
    """

    color: Tensor
    inverse: Tensor
    beyond: Tensor
    material: Tensor
    camera: Tensor

    def picked(self, views: Tensor) -> "TensorView":
        """Some of the views, by their numbers."""
        return TensorView(*(getattr(self, each.name)[views] for each in fields(self)))

    @property
    def depth_m(self) -> Tensor:
        """(V, H, W) float32 planar z of the first surface, 0 for nothing."""
        return torch.where(self.inverse > 0, 1 / self.inverse.clamp_min(1e-9), 0)


def rendered(
    scene: SceneTensors, world_from_camera: Tensor, camera: Tensor, size: tuple[int, int]
) -> TensorView:
    """The room as cameras see it.

    Args:
        scene: the room.
        world_from_camera: (V, 4, 4) float32.
        camera: (V, 4) float32 fx, fy, cx and cy in pixels.
        size: H and W of all pictures.
    """
    rotation, eye = world_from_camera[:, :3, :3], world_from_camera[:, :3, 3]
    sight = directions(camera, rotation, size)
    hits = nearest(scene, eye, sight)
    focal = camera[:, :1]
    color = _colors(scene, hits, eye, sight, focal)
    beyond = hits.inverse
    color, beyond = _with_mirrors(scene, hits, eye, sight, focal, color, beyond, size)
    grid = _grid(color, size)
    color, inverse, item = _with_glass(scene, hits, world_from_camera, camera, sight, grid)
    item, inverse = _grid(item, size), _grid(inverse, size)
    known = torch.cat([scene.material, scene.material.new_full((len(scene.glasses),), int(Material.GLASS))])
    color = _softened(color.movedim(-1, 1), item)
    return TensorView(
        color.round().clamp(0, 255),
        inverse,
        _grid(beyond, size),
        known[item],
        camera,
    )


def rendered_in(
    rooms: Sequence[SceneTensors], world_from_camera: Tensor, camera: Tensor, size: tuple[int, int]
) -> TensorView:
    """As `rendered`, with a room for each view; views of one room are rendered together."""
    parts: list[TensorView] = []
    order: list[int] = []
    for room in dict.fromkeys(rooms):
        mine = [k for k, each in enumerate(rooms) if each is room]
        pick = torch.tensor(mine, device=camera.device)
        parts.append(rendered(room, world_from_camera[pick], camera[pick], size))
        order += mine
    back = torch.tensor(order, device=camera.device).argsort()
    return joined(parts).picked(back)


def joined(parts: Sequence[TensorView]) -> TensorView:
    """All views one after the other."""
    return TensorView(
        *(torch.cat([getattr(part, each.name) for part in parts]) for each in fields(TensorView))
    )


def _colors(scene: SceneTensors, hits: Hits, eye: Tensor, sight: Tensor, focal: Tensor) -> Tensor:
    """(V, N, 3) of the surfaces themselves; `eye` is (V, 3) or (V, N, 3)."""
    panels = len(scene.panels.origin)
    flat, solid = hits.item < panels, (hits.item >= panels) & (hits.item < len(scene.material) - 1)
    number = hits.item.clamp_max(panels - 1)
    z = 1 / hits.inverse.clamp_min(1e-6)
    eyes = eye[:, None, :] if eye.dim() == 2 else eye
    place = eyes + sight * z[..., None]
    beside = place - scene.panels.origin[number]
    s, t = ((beside * scene.panels.along[number, k]).sum(-1) for k in (0, 1))
    # Texels in one pixel: those of a square metre, times the square metres that a pixel covers there.
    area = torch.linalg.cross(scene.panels.along[number, 0], scene.panels.along[number, 1], dim=-1).norm(
        dim=-1
    )
    cosine = (sight * scene.panels.normal[number]).sum(-1).abs().clamp_min(1e-3)
    per_pixel = scene.panels.texels_per_area[number] * area * z**2 / (focal**2 * cosine)
    level = (0.5 * per_pixel.clamp_min(1e-9).log2() + 0.3).clamp(0, 20).long()
    color = texel(scene.atlas, number, level, s, t)[..., :3]
    if len(scene.solids):
        color = torch.where(solid[..., None], _round_colors(scene, hits, eyes, sight, focal), color)
    return torch.where((flat | solid)[..., None], color, 0)


def _round_colors(scene: SceneTensors, hits: Hits, eyes: Tensor, sight: Tensor, focal: Tensor) -> Tensor:
    solids = scene.solids
    number = (hits.item - len(scene.panels.origin)).clamp(0, len(solids) - 1)
    z = 1 / hits.inverse.clamp_min(1e-6)
    origin = (eyes - solids.foot[number]) / solids.radii[number]
    place = origin + sight / solids.radii[number] * z[..., None]
    around = torch.atan2(place[..., 1], place[..., 0])
    toward = torch.atan2(origin[..., 1], origin[..., 0])
    around = torch.remainder(around - torch.where(solids.follows_view[number], toward, 0), tau) / tau
    down_turned = 1 - place[..., 2] / solids.height_m[number]
    down_ball = place[..., 2].clamp(-1, 1).arccos() * (2 / tau)
    down = torch.where(solids.turned[number], down_turned, down_ball)
    texture = solids.texture[number]
    width_px = 2 * solids.reach_m[number] * hits.inverse * focal + 2
    wider = scene.atlas.width[texture, 0] / (1.6 * width_px)
    level = wider.clamp_min(1).log2().floor().long()
    return texel(scene.atlas, texture, level, around, down)[..., :3]


def _with_mirrors(  # noqa: PLR0917 - the state of one picture
    scene: SceneTensors,
    hits: Hits,
    eye: Tensor,
    sight: Tensor,
    focal: Tensor,
    color: Tensor,
    beyond: Tensor,
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Colour (V, N, 3) and 1/z beyond (V, N), with what mirrors and polished panels show."""
    panels = scene.panels
    shiny = torch.cat([panels.reflectivity > REFLECTIVE_FROM, torch.zeros(len(scene.material) - len(
        panels.origin), dtype=torch.bool, device=scene.device)])  # fmt: skip
    mirror = torch.cat([panels.mirror, torch.zeros_like(shiny[len(panels.mirror) :])])
    is_mirror = shiny[hits.item] & mirror[hits.item]
    view, pixel = is_mirror.nonzero(as_tuple=True)
    if len(view):
        seen, shown = _mirrored(scene, hits, eye, sight, focal, view, pixel)
        share = panels.reflectivity[hits.item[view, pixel]][:, None]
        color, beyond = color.clone(), beyond.clone()
        color[view, pixel] = shown * share + color[view, pixel] * (1 - share)
        beyond[view, pixel] = seen
    glossy = shiny[hits.item] & ~mirror[hits.item]
    height, width = size
    coarse = torch.zeros(size, dtype=torch.bool, device=scene.device)
    coarse[COARSE_PX // 2 :: COARSE_PX, COARSE_PX // 2 :: COARSE_PX] = True
    view, pixel = (glossy & coarse.flatten()).nonzero(as_tuple=True)
    if len(view):
        _, shown = _mirrored(scene, hits, eye, sight, focal * (1 / COARSE_PX), view, pixel)
        field = color.new_zeros(len(color), height * width, 4)
        field[view, pixel] = F.pad(shown, (0, 1), value=1.0)
        small = _grid(field, size)[:, COARSE_PX // 2 :: COARSE_PX, COARSE_PX // 2 :: COARSE_PX]
        side = 2 * (max(panels.blur, 3) // 2) + 1
        blurred = F.avg_pool2d(small.movedim(-1, 1), side, 1, side // 2)  # (V, 4, h, w)
        whole = F.interpolate(blurred, size, mode="bilinear").movedim(1, -1).flatten(1, 2)
        weight = whole[..., 3:].clamp_min(1e-6)
        number = hits.item.clamp_max(len(panels.origin) - 1)
        share = _fresnel(scene, eye)[torch.arange(len(color), device=scene.device)[:, None], number][
            ..., None
        ]
        mixed = whole[..., :3] / weight * share + color * (1 - 0.6 * share)
        color = torch.where((glossy & (whole[..., 3] > 1e-4))[..., None], mixed.clamp(0, 255), color)
    return color, beyond


def _fresnel(scene: SceneTensors, eye: Tensor) -> Tensor:
    """(V, P) share of mirrored light, by the angle at which the middle of a panel is seen."""
    toward = scene.panels.middle - eye[:, None, :]
    cosine = (toward * scene.panels.normal).sum(-1).abs() / toward.norm(dim=-1).clamp_min(1e-6)
    straight = scene.panels.reflectivity
    share: Tensor = straight + (1 - straight) * (1 - cosine) ** 5
    return share


def _mirrored(  # noqa: PLR0917 - the state of one picture
    scene: SceneTensors, hits: Hits, eye: Tensor, sight: Tensor, focal: Tensor, view: Tensor, pixel: Tensor
) -> tuple[Tensor, Tensor]:
    """1/z of the virtual image, (R,), and its colour, (R, 3), in some pixels of some views."""
    number = hits.item[view, pixel]
    normal, origin = scene.panels.normal[number], scene.panels.origin[number]
    away = 2 * ((eye[view] - origin) * normal).sum(-1, keepdim=True)
    behind = (eye[view] - away * normal)[None]
    turned = sight[view, pixel]
    turned = (turned - 2 * (turned * normal).sum(-1, keepdim=True) * normal)[None]
    limit = hits.inverse[view, pixel][None] * 0.999
    seen = nearest(scene, behind, turned, nearer_than=limit)
    return seen.inverse[0], _colors(scene, seen, behind, turned, focal[view].T)[0]


def _with_glass(  # noqa: PLR0917 - the state of one picture
    scene: SceneTensors,
    hits: Hits,
    world_from_camera: Tensor,
    camera: Tensor,
    sight: Tensor,
    color: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Colour (V, H, W, 3), 1/z and item (V, N) with glasses before the rest, the farthest first."""
    glasses = scene.glasses
    inverse, item = hits.inverse, hits.item
    if not len(glasses):
        return color, inverse, item
    eye, right = world_from_camera[:, :3, 3], world_from_camera[:, :3, 0]
    size = color.shape[1:3]
    found, place = rounds(glasses, eye, sight)
    found = torch.where((place[..., 2] >= 0) & (place[..., 2] <= glasses.height_m), found, 0)
    found = torch.where(found > inverse[..., None], found, 0)
    if not bool(found.any()):
        return color, inverse, item
    layers = min(GLASS_LAYERS, len(glasses))
    ordered, which = found.topk(layers, dim=-1)
    flat = right[:, :2] / right[:, :2].norm(dim=-1, keepdim=True).clamp_min(1e-6)
    sideways_m = (place[..., :2] * flat[:, None, None, :]).sum(-1)  # (V, N, G)
    for layer in reversed(range(layers)):
        here, number = ordered[..., layer], which[..., layer]
        pick = number[..., None]
        down = 1 - place[..., 2].gather(-1, pick)[..., 0] / glasses.height_m[number]
        radius = glasses.top_m[number] + down * (glasses.bottom_m - glasses.top_m)[number]
        sideways = (sideways_m.gather(-1, pick)[..., 0] / radius.clamp_min(1e-3)).clamp(-1, 1)
        width_px = 2 * glasses.reach_m[number] * here * camera[:, :1] + 2
        looks = _through(color, _grid(sideways, size), _grid(width_px, size))
        looks = _tinted(looks, _grid(sideways, size), _grid(down, size),
                        _grid(glasses.tint[number], size))  # fmt: skip
        there = here > 0
        color = torch.where(_grid(there, size)[..., None], looks, color)
        inverse = torch.where(there, here, inverse)
        item = torch.where(there, number + len(scene.material), item)
    return _with_rims(scene, world_from_camera, sight, color, hits.inverse, found), inverse, item


def _through(color: Tensor, sideways: Tensor, width_px: Tensor) -> Tensor:
    """(V, H, W, 3) what is behind thin-walled glass, pulled towards its middle near the rim."""
    pull = 0.35 * sideways * sideways.abs() ** 6 * width_px
    columns = torch.arange(color.shape[2], device=color.device) - pull
    columns = columns.clamp(0, color.shape[2] - 1)
    left = columns.floor().long()
    share = (columns - left)[..., None]
    right = (left + 1).clamp_max(color.shape[2] - 1)
    first, second = (color.gather(2, at[..., None].expand_as(color)) for at in (left, right))
    return torch.lerp(first, second, share)


def _tinted(behind: Tensor, sideways: Tensor, down: Tensor, tint: Tensor) -> Tensor:
    rim = sideways.abs() ** 6
    passed = (0.97 - 0.5 * rim).clamp(0, 1)[..., None] * tint
    shine = 150 * torch.exp(-(((sideways + 0.62) * 14) ** 2)) + 90 * torch.exp(
        -(((sideways - 0.45) * 22) ** 2)
    )
    shine = (shine + rim * 38 + 5)[..., None]
    # The streaks of light end before the lip and before the base, which is solid and darker.
    streak = ((down >= 0.08) & (down <= 0.8))[..., None]
    color = (behind * passed + 0.45 * shine + torch.where(streak, 0.55 * shine, 0)).clamp_max(255)
    return torch.where((down >= 0.95)[..., None], 0.75 * color, color)


def _with_rims(  # noqa: PLR0917 - the state of one picture
    scene: SceneTensors,
    world_from_camera: Tensor,
    sight: Tensor,
    color: Tensor,
    opaque: Tensor,
    found: Tensor,
) -> Tensor:
    """(V, H, W, 3) with the lips of glasses as bright thin lines, where nothing hides them."""
    glasses, eye = scene.glasses, world_from_camera[:, :3, 3]
    lip = glasses.foot[:, 2] + glasses.height_m
    z = (lip - eye[:, None, 2:3]) / torch.where(sight[..., 2:].abs() > 1e-6, sight[..., 2:], 1e-6)
    place = eye[:, None, None, :2] + sight[:, :, None, :2] * z[..., None] - glasses.foot[:, :2]
    apart = _grid(place.norm(dim=-1) - glasses.top_m, color.shape[1:3])  # (V, H, W, G)
    steep = torch.stack(torch.gradient(apart, dim=(1, 2))).norm(dim=0).clamp_min(1e-6)
    on_line = (apart.abs() < RIM_PX * steep) & _grid(z > 0, color.shape[1:3])
    near = F.max_pool2d(_grid((found > 0).float(), color.shape[1:3]).movedim(-1, 1), 3, 1, 1) > 0
    free = _grid(1 / z.clamp_min(1e-6), color.shape[1:3]) > _grid(opaque, color.shape[1:3])[..., None]
    lit = (on_line & near.movedim(1, -1) & free).any(dim=-1)
    return torch.where(lit[..., None], color.new_tensor(RIM), color)


def _grid(flat: Tensor, size: Sequence[int]) -> Tensor:
    """(V, H, W, ...) of (V, H W, ...)."""
    return flat.reshape(len(flat), *size, *flat.shape[2:])


def _softened(color: Tensor, item: Tensor) -> Tensor:
    """(V, 3, H, W) blended across silhouettes, as a lens and a pixel with an area do."""
    number = F.pad(item.float()[:, None], (1, 1, 1, 1), mode="replicate")
    edge = F.max_pool2d(number, 3, 1) != -F.max_pool2d(-number, 3, 1)
    weights = color.new_tensor([0.25, 0.5, 0.25])
    kernel = (weights[:, None] * weights).expand(color.shape[1], 1, 3, 3)
    soft = F.conv2d(F.pad(color, (1, 1, 1, 1), mode="reflect"), kernel, groups=color.shape[1])
    return torch.where(edge, soft, color)
