"""All paint of a scene in one picture, so that every scene compiles to the same kernel."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Float = NDArray[np.float32]
WIDTH = 4096
BORDER = 2


@dataclass(frozen=True, eq=False)
class Atlas:
    """Pictures side by side.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        corners: (N, 2) where each picture begins, as shares of the width and height.
        sizes: (N, 2) how large each picture is, likewise.
    """

    pixels: Bytes
    corners: Float
    sizes: Float

    def placed(self, number: int, places: Float) -> Float:
        """(V, 2) where points of picture `number` lie in the whole."""
        return np.asarray(self.corners[number] + places * self.sizes[number], np.float32)


def packed(pictures: Sequence[Bytes], *, width: int = WIDTH) -> Atlas:
    """Pictures, (h, w, 3 or 4) uint8 each and at most `width` wide, on shelves of falling height."""
    order = sorted(range(len(pictures)), key=lambda k: -pictures[k].shape[0])
    places = np.zeros((len(pictures), 2), np.int64)
    left, top, shelf = 0, 0, 0
    for k in order:
        h, w = (side + 2 * BORDER for side in pictures[k].shape[:2])
        if left + w > width:
            left, top, shelf = 0, top + shelf, 0
        places[k] = left + BORDER, top + BORDER
        left, shelf = left + w, max(shelf, h)
    height = -(-max(top + shelf, 16) // 512) * 512
    pixels = np.zeros((height, width, 3), np.uint8)
    sizes = np.zeros((len(pictures), 2), np.int64)
    for k, (x, y) in enumerate(places):
        picture = pictures[k][..., :3]
        h, w = picture.shape[:2]
        framed = cv2.copyMakeBorder(np.ascontiguousarray(picture), *(BORDER,) * 4, cv2.BORDER_REPLICATE)
        pixels[y - BORDER : y + h + BORDER, x - BORDER : x + w + BORDER] = framed
        sizes[k] = w, h
    whole = np.array([width, height], np.float32)
    return Atlas(pixels, (places / whole).astype(np.float32), (sizes / whole).astype(np.float32))
