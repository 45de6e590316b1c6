"""Texels between texels, from all textures at once."""

import torch
from torch import Tensor

from trainer.simulation.tensors.upload import Atlas


def texel(atlas: Atlas, texture: Tensor, level: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """(..., 4) float32 of 0 to 255, between the four nearest; the edge goes on outside.

    Args:
        atlas: of the scene.
        texture: (...) int64 which.
        level: (...) int64, 0 for the finest; coarser than there are gives the coarsest.
        across: (...) float32 from 0 at the left edge to 1 at the right edge.
        down: (...) float32 likewise from the top.
    """
    level = torch.minimum(level, atlas.coarsest[texture]).clamp_min(0)
    first, width, height = (table[texture, level] for table in (atlas.first, atlas.width, atlas.height))
    column, row = across * width - 0.5, down * height - 0.5
    left, top = column.floor(), row.floor()
    share_x, share_y = (column - left)[..., None], (row - top)[..., None]
    left, top = left.long(), top.long()
    right, bottom = left + 1, top + 1
    zero = torch.zeros_like(width)
    left, right = (torch.clamp(x, zero, width - 1) for x in (left, right))
    top, bottom = (torch.clamp(y, zero, height - 1) * width + first for y in (top, bottom))
    upper = torch.lerp(atlas.texels[top + left].float(), atlas.texels[top + right].float(), share_x)
    lower = torch.lerp(atlas.texels[bottom + left].float(), atlas.texels[bottom + right].float(), share_x)
    return torch.lerp(upper, lower, share_y)
