"""Which depth tokens are hidden in training (report, sections 2.2 and 3.3)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from trainer.data.draws import Draws


def keep_tokens(valid_share: Tensor, draws: Sequence[Draws]) -> Tensor:
    """(B, N) bool, true for the depth tokens that the network may see.

    A patch without depth is always hidden, one with some holes with `mixed_probability`; then whole patches
    are hidden at random until the share of hidden tokens reaches the sample's ratio. At least one token with
    depth stays, where there is one. Samples with random masks hide as many tokens as that, the first of the
    order wherever they lie; those with masks everywhere hide all.

    Args:
        valid_share: (B, N) share of each patch's pixels that have depth.
        draws: of each sample.
    """
    device, tokens = valid_share.device, valid_share.shape[1]
    mixed_draw = torch.from_numpy(np.stack([d.mixed for d in draws])).to(device)
    order = torch.from_numpy(np.stack([d.order for d in draws])).to(device)
    numbers = torch.tensor(
        [(d.mixed_probability, round(d.ratio * tokens), d.natural) for d in draws], device=device
    )  # (B, 3)
    has_depth = valid_share > 0
    keep = has_depth & ~((valid_share < 1) & (mixed_draw < numbers[:, :1]))
    surplus = numbers[:, 1:2] - (~keep).sum(1, keepdim=True)
    # Whole patches first in the order; what is hidden already stands behind all of them.
    place = torch.where(keep, order, torch.inf).argsort(1).argsort(1)
    keep &= place >= surplus
    best = torch.where(has_depth, order, -1.0).argmax(1, keepdim=True)
    lonely = torch.zeros_like(keep).scatter_(1, best, value=True) & has_depth
    keep |= lonely & ~keep.any(1, keepdim=True)
    keep = torch.where(numbers[:, 2:] > 0, has_depth, keep)
    for row, drawn in enumerate(draws):
        if drawn.masks == "random":
            keep[row] = order[row].argsort().argsort() >= (~keep[row]).sum()
        elif drawn.masks == "all":
            keep[row] = False
    return keep


def valid_share(depth_m: Tensor, rows: int, cols: int) -> Tensor:
    """(B, rows * cols) share of pixels with depth in each cell of the grid.

    Args:
        depth_m: (B, rows * k, cols * k) metres, 0 for a hole.
        rows: of the grid.
        cols: of the grid.
    """
    batch, height, width = depth_m.shape
    cells = (depth_m > 0).float().view(batch, rows, height // rows, cols, width // cols)  # (B, R, k, C, k)
    return cells.mean((2, 4)).flatten(1)
