"""Depth as lossless JPEG XL: written in less than half the time of our PNG, and a third smaller."""

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from drivers.errors import SessionError

EFFORT = 1
"""The next one takes fourteen times as long for a sixth less (benchmarks/encode_speed.py)."""


def encode_jxl16(values: NDArray[np.uint16]) -> bytes:
    """`values`, (H, W) uint16, as a lossless JPEG XL file; one call, without the interpreter lock."""
    values = np.ascontiguousarray(values)
    return bytes(imagecodecs.jpegxl_encode(values, lossless=True, effort=EFFORT, numthreads=1))


def decode_jxl16(data: bytes | memoryview) -> NDArray[np.uint16]:
    """(H, W) uint16 of a JPEG XL file.

    Raises:
        SessionError: `data` is no whole gray JPEG XL file of 16 bits.
    """
    try:
        values = np.asarray(imagecodecs.jpegxl_decode(bytes(data), numthreads=1))
    except (RuntimeError, ValueError) as error:
        raise _no_jxl(data) from error
    if values.ndim != 2 or values.dtype != np.uint16:
        raise _no_jxl(data)
    return values


def _no_jxl(data: bytes | memoryview) -> SessionError:
    return SessionError(
        f"{len(data)} bytes of depth are no 16-bit gray JPEG XL image",
        hint="The file is damaged; leave this frame out.",
    )
