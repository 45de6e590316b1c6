"""Hides a share of the depth patches from a repair, to see how it holds up."""

from functools import lru_cache
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap

PATCHES: Final = 432
"""Patches of a picture for a repair that has no tokens."""
ORDER_SEED: Final = 7


def patch_grid(tokens: int, *, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of about so many square patches; as `model.mdm.token_grid`, without torch."""
    aspect = width / height
    return max(1, round(sqrt(tokens / aspect))), max(1, round(sqrt(tokens * aspect)))


@lru_cache(maxsize=8)
def hidden_pixels(height: int, width: int, share: float, tokens: int) -> NDArray[np.bool_]:
    """(H, W) bool, true where depth is hidden; a larger share hides the same patches and more.

    Args:
        height: of the picture.
        width: of the picture.
        share: of all patches, 0 to 1.
        tokens: patches there are, about.
    """
    rows, cols = patch_grid(tokens, height=height, width=width)
    order = np.random.default_rng(ORDER_SEED).permutation(rows * cols)
    hidden = np.zeros(rows * cols, bool)
    hidden[order[: round(share * rows * cols)]] = True
    row = np.arange(height) * rows // height
    column = np.arange(width) * cols // width
    pixels: NDArray[np.bool_] = hidden.reshape(rows, cols)[row[:, None], column[None, :]]
    pixels.flags.writeable = False
    return pixels


def without_hidden(depth: DepthMap, share: float, tokens: int) -> DepthMap:
    """The same depth with holes where patches are hidden."""
    if not share:
        return depth
    height, width = depth.values.shape
    return DepthMap(
        np.where(hidden_pixels(height, width, share, tokens), np.uint16(0), depth.values), depth.unit_m
    )
