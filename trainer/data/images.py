"""Pictures and depth as data sets store them, brought to training size."""

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics, rays
from trainer.errors import DataError

LONG_SIDE_PX = 640
"""Data sets are read at no more than this; a step resizes to its token grid anyway."""
COUNT_MAX = 65535
HINT = "Fetch that file again."


def color_of(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB.

    Raises:
        DataError: it is missing or no picture.
    """
    image = cv2.imdecode(_bytes(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path} is no picture.", hint=HINT)
    return np.ascontiguousarray(np.asarray(image, np.uint8)[..., ::-1])


def counts_of(path: Path) -> NDArray[np.uint16]:
    """(H, W) uint16 of a 16-bit PNG.

    Raises:
        DataError: it is missing, or no 16-bit picture of one channel.
    """
    return decoded_counts(_bytes(path), str(path))


def decoded_counts(content: NDArray[np.uint8], name: str) -> NDArray[np.uint16]:
    """(H, W) uint16 of the bytes of a 16-bit PNG; `name` is for the message.

    Raises:
        DataError: they are no 16-bit picture of one channel.
    """
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint16 or image.ndim != 2:
        raise DataError(f"{name} is no 16-bit picture of one channel.", hint=HINT)
    return np.asarray(image, np.uint16)


def metres(counts: NDArray[np.uint16], unit_m: float) -> NDArray[np.float32]:
    """(H, W) float32 metres; 65535, which several sets write for "nothing", is a hole like 0."""
    return np.where(counts == COUNT_MAX, np.float32(0), counts * np.float32(unit_m))


def grey_of(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """(H, W) uint8 of one channel, at the height and width of `shape` by nearest neighbour.

    Raises:
        DataError: it is missing or no picture.
    """
    image = cv2.imdecode(_bytes(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise DataError(f"{path} is no picture.", hint=HINT)
    return np.asarray(cv2.resize(image, shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


def packed_depth_of(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 of a PNG whose four channels are the bytes of a little-endian float32, blue first.

    Raises:
        DataError: it is missing, or no 8-bit picture of four channels.
    """
    image = cv2.imdecode(_bytes(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 4:
        raise DataError(f"{path} is no 8-bit picture of four channels, which hold a float32.", hint=HINT)
    return np.ascontiguousarray(image).view("<f4")[..., 0].astype(np.float32)


def log_depth_of(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Depth of a PNG in MoGe's logarithmic coding, and where it says that there is nothing.

    Counts 1 to 65,534 run evenly in the logarithm from the text field `near` to `far`; 0 is unknown, 65,535
    is infinitely far (MoGe, moge/utils/io.py). A field `unit` gives metres per unit.

    Returns:
        (H, W) float32 metres, 0 where unknown or infinite; (H, W) bool, true where infinite.

    Raises:
        DataError: it is no such picture.
    """
    fields = _png_texts(path)
    try:
        near, far, unit_m = float(fields["near"]), float(fields["far"]), float(fields.get("unit", "1"))
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} has no near and far, so its depth is not logarithmic.", hint=HINT) from error
    counts = counts_of(path)
    share = (counts.astype(np.float64) - 1) / (COUNT_MAX - 2)
    depth = (near ** (1 - share) * far**share * unit_m).astype(np.float32)
    infinite = counts == COUNT_MAX
    return np.where((counts == 0) | infinite, np.float32(0), depth), infinite


def _png_texts(path: Path) -> dict[str, str]:
    content = _bytes(path).tobytes()
    found: dict[str, str] = {}
    place = 8
    while place + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        body = content[place + 8 : place + 8 + size]
        if kind == b"tEXt":
            name, _, text = body.partition(b"\0")
            found[name.decode("latin-1")] = text.decode("latin-1")
        elif kind == b"zTXt":
            name, _, packed = body.partition(b"\0")
            found[name.decode("latin-1")] = zlib.decompress(packed[1:]).decode("latin-1")
        place += 12 + size
    return found


def exr_depth_of(path: Path) -> NDArray[np.float32]:
    """(H, W) float32, the first channel of an OpenEXR file.

    Raises:
        DataError: it is missing or broken, or the library for it is.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise DataError(
            "OpenEXR files need a library that is not installed.", hint='pip install "depthmend[datasets]"'
        ) from error
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = file.channels()
            first = next(channels[name] for name in ("R", "Z", "Y", *channels) if name in channels)
            return np.asarray(first.pixels, np.float32)
    except (RuntimeError, OSError, ValueError, StopIteration) as error:
        raise DataError(f"{path} is no OpenEXR file: {error}.", hint=HINT) from error


def planar(ray_m: NDArray[np.float32], camera: Intrinsics) -> NDArray[np.float32]:
    """(H, W) metres along the optical axis from (H, W) metres along each pixel's ray."""
    direction = rays(camera)
    length = np.sqrt(1 + (direction.astype(np.float32) ** 2).sum(-1))
    return np.asarray(ray_m / length, np.float32)


def fitted(image: NDArray[Any], long_side_px: int = LONG_SIDE_PX) -> tuple[int, int]:
    """(width, height) of an image with its long side brought down to `long_side_px`; smaller ones stay."""
    height, width = image.shape[:2]
    factor = min(1.0, long_side_px / max(width, height))
    return round(width * factor), round(height * factor)


def resized_color(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture at (width, height), averaged over areas."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def resized_depth(depth_m: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float32]:
    """Depth at (width, height) by nearest neighbour: means across an edge lie in the empty air."""
    out = cv2.resize(depth_m.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(out, np.float32)


def usable(depth_m: NDArray[np.floating], *, farthest_m: float) -> NDArray[np.float32]:
    """(H, W) float32 with 0 for all that is not finite, not positive, or beyond `farthest_m`."""
    good = np.isfinite(depth_m) & (depth_m > 0) & (depth_m <= farthest_m)
    return np.where(good, depth_m, 0).astype(np.float32)


def _bytes(path: Path) -> NDArray[np.uint8]:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", hint=HINT) from error
    if not content.size:
        raise DataError(f"{path} is empty.", hint=HINT)
    return content
