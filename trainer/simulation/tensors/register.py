"""Depth carried into the colour camera's view, by the rules of `drivers.registration`, on tensors."""

from math import ceil

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from drivers.registration import SLANT
from trainer.simulation.sensors import ZOOM

FOOTPRINT_PX = ceil(SLANT / ZOOM[0])
"""Of a depth pixel in a colour grid as much finer as zooms allow, so that the device need not be asked."""


def registered(depth_m: Tensor, camera: Tensor, color: Tensor, color_from_depth: Tensor) -> Tensor:
    """(V, H, W) depth in the colour grid, of the same size; the nearest wins, 0 where nothing was measured.

    Args:
        depth_m: (V, H, W) float32 metres, 0 for a hole.
        camera: (V, 4) fx, fy, cx and cy of the depth cameras.
        color: likewise of the colour cameras.
        color_from_depth: (V, 4, 4) metres.
    """
    views, height, width = depth_m.shape
    columns = torch.arange(width, device=depth_m.device, dtype=torch.float32)
    rows = torch.arange(height, device=depth_m.device, dtype=torch.float32)
    x = ((columns[None] - camera[:, 2:3]) / camera[:, 0:1])[:, None, :].expand(-1, height, -1)
    y = ((rows[None] - camera[:, 3:4]) / camera[:, 1:2])[:, :, None].expand(-1, -1, width)
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1) * depth_m[..., None]
    points = (
        points.flatten(1, 2) @ color_from_depth[:, :3, :3].transpose(1, 2) + color_from_depth[:, None, :3, 3]
    )
    z = points[..., 2].clamp_min(1e-6)
    u = points[..., 0] / z * color[:, 0:1] + color[:, 2:3]
    v = points[..., 1] / z * color[:, 1:2] + color[:, 3:4]
    across = FOOTPRINT_PX
    frame = across + 1
    column = (u + across / 2 + 1).floor().clamp(0, width + frame - 1).long()
    row = (v + across / 2 + 1).floor().clamp(0, height + frame - 1).long()
    place = row * (width + frame) + column
    nearest = torch.where(depth_m.flatten(1) > 0, z, torch.inf)
    grid = torch.full((views, (height + frame) * (width + frame)), torch.inf, device=depth_m.device)
    grid = grid.scatter_reduce(1, place, nearest, "amin").reshape(views, height + frame, width + frame)
    # A place covers itself and what lies to its right and below.
    padded = F.pad(grid[:, None], (across - 1, 0, across - 1, 0), value=torch.inf)
    grid = -F.max_pool2d(-padded, across, 1)[:, 0]
    grid = grid[:, across:-1, across:-1]
    return torch.where(torch.isfinite(grid), grid, 0)
