"""Writes image files so that a full disk is an error; OpenCV's own writer only returns false."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_image(
    path: Path, image: NDArray[np.uint8] | NDArray[np.uint16], *, quality: int | None = None
) -> None:
    """Write (H, W, 3) RGB or (H, W) gray in the format that the name ends in.

    Args:
        path: ends in .png or .jpg; its folder exists.
        image: uint8, or uint16 gray for a PNG.
        quality: of a JPEG, 0 to 100.

    Raises:
        OSError: the file cannot be written.
    """
    import cv2

    options = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    encoded, data = cv2.imencode(path.suffix, image[..., ::-1] if image.ndim == 3 else image, options)
    assert encoded, path
    path.write_bytes(data.tobytes())
