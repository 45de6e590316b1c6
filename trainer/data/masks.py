"""Which depth tokens are hidden in training (report, sections 2.2 and 3.3)."""

import numpy as np
from numpy.typing import NDArray

from trainer.config import MaskingConfig


def keep_tokens(
    valid_share: NDArray[np.float32], config: MaskingConfig, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(N,) bool, true for the depth tokens that the network may see.

    A patch without depth is always hidden, one with some holes with `mixed_probability`; then whole patches
    are hidden at random until the share of hidden tokens reaches a ratio drawn from `ratio`. At least one
    token with depth stays, where there is one.

    Args:
        valid_share: (N,) share of each patch's pixels that have depth.
        config: the probabilities.
        rng: draws.
    """
    has_depth = valid_share > 0
    if rng.random() < config.natural:
        return has_depth
    mixed = has_depth & (valid_share < 1)
    keep = has_depth & ~(mixed & (rng.random(valid_share.shape) < config.mixed_probability))
    hidden = round(rng.uniform(*config.ratio) * keep.size)
    surplus = hidden - int((~keep).sum())
    if surplus > 0:
        shown = np.flatnonzero(keep)
        keep[rng.choice(shown, min(surplus, len(shown)), replace=False)] = False
    if not keep.any() and has_depth.any():
        keep[rng.choice(np.flatnonzero(has_depth))] = True
    return keep


def valid_share(depth_m: NDArray[np.float32], rows: int, cols: int) -> NDArray[np.float32]:
    """(rows * cols,) share of pixels with depth in each cell of the grid; depth_m is (rows * k, cols * k)."""
    height, width = depth_m.shape
    cells = (depth_m > 0).reshape(rows, height // rows, cols, width // cols)  # (R, k, C, k)
    return np.asarray(cells.mean((1, 3)), np.float32).ravel()


def hide_blocks(
    depth_m: NDArray[np.float32], rng: np.random.Generator, *, share: float = 0.3
) -> NDArray[np.bool_]:
    """(H, W) bool, true where measured depth is taken away for a test, in blocks.

    Args:
        depth_m: (H, W) metres, 0 for a hole.
        rng: draws.
        share: of the image to cover, holes included; a block's side is 0.1 to 0.33 of the image's.
    """
    height, width = depth_m.shape
    hidden = np.zeros(depth_m.shape, bool)
    while hidden.mean() < share:
        h, w = (int(side * rng.uniform(0.1, 0.33)) for side in (height, width))
        top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        hidden[top : top + h, left : left + w] = True
    return hidden & (depth_m > 0)
