"""Which depth tokens the transformer sees, and the remapped depth that decides it."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX, Remap

MIN_DEPTH_M = 0.01
# As upstream: a remapped pixel counts from -9.5 to 200 and never at 0, so log(1 m) reads as a hole.
VISIBLE_RANGE = (-9.5, 200.0)


def remap_depth(depth_m: Tensor, *, remap: Remap) -> Tensor:
    """Depth as the embedding reads it: metres or their logarithm, and 0 where nothing was measured.

    Args:
        depth_m: metres; NaN, inf and everything up to 1 cm are holes.
        remap: `log` or `linear`.
    """
    valid = torch.isfinite(depth_m) & (depth_m > MIN_DEPTH_M)
    if remap == "log":
        return torch.where(valid, depth_m, 1.0).log()
    return torch.where(valid, depth_m, 0.0)


def visible_tokens(remapped: Tensor) -> Tensor:
    """(B, N) bool, row by row: the patches of a (B, 1, 14 R, 14 C) remapped depth with a valid pixel."""
    low, high = VISIBLE_RANGE
    valid = (remapped != 0) & (remapped >= low) & (remapped <= high)
    patches = F.max_pool2d(valid.float(), PATCH_PX)  # (B, 1, R, C)
    return patches.flatten(1) > 0  # (B, N)
