"""Which depth tokens the transformer sees, and the remapped depth that decides it."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX, Remap

MIN_DEPTH_M = 0.01
# As upstream: a remapped pixel counts from -9.5 to 200 and never at 0, so log(1 m) reads as a hole.
VISIBLE_RANGE = (-9.5, 200.0)
SMALLEST_SHARE = 0.01  # below one pixel's share of what is averaged

BUCKETS = 8
"""Lengths that a sequence can have, apart from that without any depth token."""
ALIGNED_TOKENS = 16
"""Kernels of CUDA want a bias whose rows are a multiple of this."""

Hide = Literal["bias", "lengths"]


class Padding(NamedTuple):
    """How sequences of different lengths get one length.

    Attributes:
        hide: how the attention is told of what only fills up: by a bias on its scores, or by lengths, for
            kernels that do not even read it.
        buckets: lengths to choose from, apart from that without any depth token.
    """

    hide: Hide = "bias"
    buckets: int = BUCKETS


class Kept(NamedTuple):
    """Depth tokens that the transformer sees, as arrays of one size for the whole batch.

    Attributes:
        places: (B, K) int64, which of the N tokens, visible ones first, in row order; None for all of them.
        bias: (B, 1, 1, L) float32 for the keys of the sequence: 0, or -inf for what only fills it up; None
            where nothing does, or where `lengths` says it.
        lengths: (B,) int32, tokens of each sequence that count; the others fill it up to L.
    """

    places: Tensor | None
    bias: Tensor | None
    lengths: Tensor | None = None


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


def fill_patches(remapped: Tensor) -> Tensor:
    """Holes inside visible patches take the mean of what was measured nearest to them in the same patch.

    After the logarithm a hole reads as 1 m. A network that has seen 250 million samples learns to tell the
    two apart; a small one does not (docs/decisions/0004). Patches without any measurement stay 0.

    Args:
        remapped: (B, 1, 14 R, 14 C), 0 where nothing was measured.
    """
    b, _, height, width = remapped.shape
    rows, cols = height // PATCH_PX, width // PATCH_PX
    cells = remapped.view(b, rows, PATCH_PX, cols, PATCH_PX).transpose(2, 3)  # (B, R, C, 14, 14)
    pixels = cells.reshape(-1, 1, PATCH_PX, PATCH_PX)  # (B R C, 1, 14, 14)
    known = (pixels != 0).to(pixels.dtype)
    # Means of 2 x 2 pixels, spread from cell to cell until the patch is full.
    share, mean = F.avg_pool2d(known, 2), F.avg_pool2d(pixels, 2)  # (B R C, 1, 7, 7)
    mean = mean / share.clamp(min=SMALLEST_SHARE)
    share = (share > 0).to(share.dtype)
    for _ in range(PATCH_PX // 2 - 1):
        around = F.avg_pool2d(share, 3, 1, 1)
        spread = F.avg_pool2d(mean, 3, 1, 1) / around.clamp(min=SMALLEST_SHARE)
        mean = torch.where(share > 0, mean, spread)
        share = (around > 0).to(share.dtype)
    filled = torch.where(known > 0, pixels, F.interpolate(mean, scale_factor=2.0, mode="nearest"))
    cells = filled.view(b, rows, cols, PATCH_PX, PATCH_PX).transpose(2, 3)  # (B, R, 14, C, 14)
    return cells.reshape(b, 1, height, width)


def visible_tokens(remapped: Tensor) -> Tensor:
    """(B, N) bool, row by row: the patches of a (B, 1, 14 R, 14 C) remapped depth with a valid pixel."""
    low, high = VISIBLE_RANGE
    valid = (remapped != 0) & (remapped >= low) & (remapped <= high)
    patches = F.max_pool2d(valid.float(), PATCH_PX)  # (B, 1, R, C)
    return patches.flatten(1) > 0  # (B, N)


def bucket(count: int, *, tokens: int, front: int, buckets: int = BUCKETS) -> int:
    """Depth tokens to make room for, at least `count`: one of nine numbers for each token grid.

    Args:
        count: visible tokens, of the sample of a batch that has most.
        tokens: depth tokens there are.
        front: tokens before them in the sequence.
        buckets: numbers to choose from, apart from that for no token at all.
    """
    step = -(-tokens // buckets)
    wanted = min(-(-count // step) * step, tokens)
    return -(-(front + wanted) // ALIGNED_TOKENS) * ALIGNED_TOKENS - front


def padded(visible: Tensor, size: int, *, front: int, hide: Hide = "bias") -> Kept:
    """The visible tokens of each sample first, then others that nobody attends to, `size` in all.

    Args:
        visible: (B, N) bool with at most `size` True in each row.
        size: K, which may be above N.
        front: tokens before the depth tokens in the sequence.
        hide: the others, as `Padding` says.
    """
    order = visible.to(torch.uint8).argsort(dim=1, descending=True, stable=True)  # (B, N)
    places = F.pad(order[:, :size], (0, max(size - visible.shape[1], 0)))  # (B, K)
    used = front + visible.sum(1, keepdim=True)  # (B, 1)
    if hide == "lengths":
        return Kept(places, None, used.flatten().to(torch.int32))
    place = torch.arange(front + size, device=visible.device)  # (L)
    bias = torch.zeros(len(visible), front + size, device=visible.device)  # (B, L)
    return Kept(places, bias.masked_fill(place >= used, -torch.inf)[:, None, None])


def every_token(visible: Tensor, *, front: int) -> Kept:
    """All tokens where they are; nobody attends to those that are not visible.

    Args:
        visible: (B, N) bool.
        front: tokens before the image tokens, which are as many as the depth tokens.
    """
    bias = torch.where(visible, 0.0, -torch.inf)  # (B, N)
    bias = F.pad(bias, (front + visible.shape[1], 0))  # (B, L)
    return Kept(None, bias[:, None, None])


def exact(visible: Tensor) -> Kept:
    """The visible tokens of one sample and no other; shapes depend on how many there are.

    Args:
        visible: (1, N) bool.
    """
    return Kept(visible[0].nonzero().T, None)
