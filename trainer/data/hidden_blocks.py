"""Measured depth that is taken away for a test; without torch, so that readers of data sets are quick."""

import numpy as np
from numpy.typing import NDArray


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
