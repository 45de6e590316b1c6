"""Brings arrays to the size at which they are seen, before anything is done to every pixel of them."""

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""Rows and columns."""

Value = TypeVar("Value", bound=np.generic)


def nearest(values: NDArray[Value], size: Size) -> NDArray[Value]:
    """(rows, columns) of (H, W), each from the pixel that its middle lies in: no value is made up."""
    if values.shape == size:
        return values
    rows, columns = _middles(size[0], values.shape[0]), _middles(size[1], values.shape[1])
    # In two steps, each along whole rows, this takes half the time of OpenCV's INTER_NEAREST_EXACT.
    return values.take(rows, axis=0, mode="clip").take(columns, axis=1, mode="clip")


@lru_cache(maxsize=64)
def _middles(count: int, source: int) -> NDArray[np.intp]:
    """Which of `source` pixels the middle of each of `count` pixels lies in."""
    return (np.arange(count) * 2 + 1) * source // (2 * count)


def smooth(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """(rows, columns, ...) of a picture (H, W, ...), between its pixels: not for depth."""
    if image.shape[:2] == size:
        return image
    return np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def no_larger(size: Size, source: tuple[int, ...]) -> Size:
    """`size`, with no more rows and columns than an array of the shape `source` has."""
    return min(size[0], source[0]), min(size[1], source[1])
