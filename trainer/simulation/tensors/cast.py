"""The nearest surface along lines of sight, for many views at once.

A line of sight is `eye + direction * z` with z in metres along the optical axis, so 1/z is what is compared:
for a panel it is linear in the pixel coordinates, and for a round body the larger root of a quadratic.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.simulation.tensors.atlas import texel
from trainer.simulation.tensors.upload import Bodies, Panels, SceneTensors

NEAREST_M = 0.05
TESTS_AT_ONCE = {"cpu": 1 << 21, "cuda": 1 << 25}
"""Pairs of a line of sight and a shape: as many as fit into a processor's cache, or keep a GPU busy."""


@dataclass(frozen=True, eq=False)
class Hits:
    """What lines of sight meet first.

    Attributes:
        inverse: (V, N) float32 1/z; 0 for nothing.
        item: (V, N) int64 number of the panel, then of the solid body; the number of both for nothing.
    """

    inverse: Tensor
    item: Tensor


def directions(camera: Tensor, rotation: Tensor, size: tuple[int, int]) -> Tensor:
    """(V, H W, 3) lines of sight in the world, of length 1 along the optical axis.

    Args:
        camera: (V, 4) fx, fy, cx and cy in pixels.
        rotation: (V, 3, 3) world from camera.
        size: H and W.
    """
    height, width = size
    columns = torch.arange(width, device=camera.device, dtype=torch.float32)
    rows = torch.arange(height, device=camera.device, dtype=torch.float32)
    x = (columns[None] - camera[:, 2:3]) / camera[:, 0:1]  # (V, W)
    y = (rows[None] - camera[:, 3:4]) / camera[:, 1:2]  # (V, H)
    x, y = x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)
    own = torch.stack([x, y, torch.ones_like(x)], dim=-1).flatten(1, 2)  # (V, H W, 3)
    return own @ rotation.transpose(1, 2)


def nearest(scene: SceneTensors, eye: Tensor, sight: Tensor, *, nearer_than: Tensor | None = None) -> Hits:
    """The first opaque surface along each line of sight.

    Args:
        scene: the room.
        eye: (V, 3), or (V, N, 3) where each line has its own.
        sight: (V, N, 3) lines of sight.
        nearer_than: (V, N) 1/z that hits must stay below, as those beyond a mirror; None for no limit.
    """
    items = len(scene.material)
    step = max(1, TESTS_AT_ONCE.get(sight.device.type, 1 << 24) // (items * len(sight)))
    parts = []
    for start in range(0, sight.shape[1], step):
        rows = slice(start, start + step)
        limit = None if nearer_than is None else nearer_than[:, rows]
        own = eye if eye.dim() == 2 else eye[:, rows]
        parts.append(_nearest(scene, own, sight[:, rows], limit))
    return Hits(torch.cat([part.inverse for part in parts], 1), torch.cat([part.item for part in parts], 1))


def _nearest(scene: SceneTensors, eye: Tensor, sight: Tensor, limit: Tensor | None) -> Hits:
    panels, solids = scene.panels, scene.solids
    nothing = len(scene.material) - 1
    best = torch.zeros(sight.shape[:2], device=sight.device)
    item = torch.full(sight.shape[:2], nothing, device=sight.device)
    groups = [(panels.squares, _on_squares), (panels.others, _on_outlines)]
    for numbers, inside in groups:
        if len(numbers):
            inverse, s, t = planes(panels, numbers, eye, sight)
            inverse = torch.where(inside(panels, numbers, inverse, s, t), inverse, 0)
            best, item = _merged(best, item, inverse, numbers, limit)
    if len(panels.cut):
        inverse, s, t = planes(panels, panels.cut, eye, sight)
        there = _on_squares(panels, panels.cut, inverse, s, t)
        there &= _cut_out(scene, inverse, s, t)
        best, item = _merged(best, item, torch.where(there, inverse, 0), panels.cut, limit)
    if len(solids):
        inverse, place = rounds(solids, eye, sight)
        numbers = torch.arange(len(solids), device=sight.device) + len(panels.origin)
        inverse = torch.where(_in_height(solids, place), inverse, 0)
        best, item = _merged(best, item, inverse, numbers, limit)
    return Hits(best, item)


def _merged(
    best: Tensor, item: Tensor, inverse: Tensor, numbers: Tensor, limit: Tensor | None
) -> tuple[Tensor, Tensor]:
    inverse = torch.where(inverse < 1 / NEAREST_M, inverse, 0)
    if limit is not None:
        inverse = torch.where(inverse < limit[..., None], inverse, 0)
    here, which = inverse.max(dim=-1)
    nearer = here > best
    return torch.where(nearer, here, best), torch.where(nearer, numbers[which], item)


def planes(panels: Panels, numbers: Tensor, eye: Tensor, sight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(V, N, K) 1/z where lines meet the planes of panels (0 from behind), and s and t there times that.

    Args:
        panels: of the scene.
        numbers: (K,) which.
        eye: (V, 3) or (V, N, 3).
        sight: (V, N, 3).
    """
    origin, normal, along = panels.origin[numbers], panels.normal[numbers], panels.along[numbers]
    if eye.dim() == 2:
        beside = eye[:, None, :] - origin  # (V, K, 3)
        above = (beside * normal).sum(-1)[:, None]  # (V, 1, K)
        s0, t0 = ((beside * along[:, k]).sum(-1)[:, None] for k in (0, 1))
    else:
        above = eye @ normal.T - (origin * normal).sum(-1)  # (V, N, K)
        s0, t0 = (eye @ along[:, k].T - (origin * along[:, k]).sum(-1) for k in (0, 1))
    seen = (above > 0) | panels.two_sided[numbers]
    safe = torch.where(above.abs() > 1e-9, above, 1e-9)
    inverse = torch.where(seen, (sight @ normal.T) / -safe, 0)
    return inverse, inverse * s0 + sight @ along[:, 0].T, inverse * t0 + sight @ along[:, 1].T


def _on_squares(_panels: Panels, _numbers: Tensor, inverse: Tensor, s: Tensor, t: Tensor) -> Tensor:
    return (torch.minimum(s, t) >= 0) & (torch.maximum(s, t) <= inverse) & (inverse > 0)


def _on_outlines(panels: Panels, numbers: Tensor, inverse: Tensor, s: Tensor, t: Tensor) -> Tensor:
    inside = inverse > 0
    for edge in panels.edges[numbers].unbind(dim=1):
        inside &= edge[:, 0] * s + edge[:, 1] * t + edge[:, 2] * inverse >= 0
    return inside


def _cut_out(scene: SceneTensors, inverse: Tensor, s: Tensor, t: Tensor) -> Tensor:
    """(V, N, K) bool where the textures of the cut-out panels say that something is there."""
    numbers = scene.panels.cut.expand(inverse.shape)
    z = 1 / inverse.clamp_min(1e-6)
    level = torch.zeros_like(numbers)
    return texel(scene.atlas, numbers, level, (s * z).clamp(0, 1), (t * z).clamp(0, 1))[..., 3] > 100


def rounds(bodies: Bodies, eye: Tensor, sight: Tensor) -> tuple[Tensor, Tensor]:
    """(V, N, B) 1/z where lines meet round bodies first, 0 for nowhere, and (V, N, B, 3) where on the body.

    Places are in metres from the foot of turned bodies, and in radii from the centre of balls.
    """
    eyes = eye[:, None, None, :] if eye.dim() == 2 else eye[:, :, None, :]
    origin = (eyes - bodies.foot) / bodies.radii  # (V, 1 or N, B, 3)
    line = sight[:, :, None, :] / bodies.radii  # (V, N, B, 3)
    slope = torch.where(bodies.turned, (bodies.top_m - bodies.bottom_m) / bodies.height_m, 0)
    radius = bodies.bottom_m + slope * origin[..., 2]
    toward = torch.where(bodies.turned, -slope * radius, origin[..., 2])
    weight = torch.where(bodies.turned, -slope * slope, 1)
    flat = (origin[..., :2] ** 2).sum(-1)
    outside = torch.where(bodies.turned, flat - radius**2, flat + origin[..., 2] ** 2 - 1)
    across = (origin[..., :2] * line[..., :2]).sum(-1) + toward * line[..., 2]
    length = (line[..., :2] ** 2).sum(-1) + weight * line[..., 2] ** 2
    under = across**2 - length * outside
    hit = (under > 1e-12) & (outside > 1e-9)
    inverse = (under.clamp_min(0).sqrt() - across) / outside.clamp_min(1e-9)
    inverse = torch.where(hit & (inverse > 0), inverse, 0)
    place = origin + line / inverse.clamp_min(1e-6)[..., None]
    return inverse, place


def _in_height(bodies: Bodies, place: Tensor) -> Tensor:
    inside = (place[..., 2] >= 0) & (place[..., 2] <= bodies.height_m)
    return inside | ~bodies.turned
