"""OpenCV's results with the type they have: its stubs promise no more than "some array"."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def floats(array: ArrayLike) -> Float:
    """The same array, known to be float32."""
    return np.asarray(array, np.float32)


def octets(array: ArrayLike) -> Bytes:
    """The same array, known to be uint8."""
    return np.asarray(array, np.uint8)
