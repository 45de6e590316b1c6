"""One held-out sample in pictures, before and after so much training."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.mdm import MDM
from trainer.data.samples import Sample
from trainer.evaluate.holes import network
from trainer.evaluate.pictures import depth_picture, small
from trainer.files import SAMPLE_AFTER, SAMPLE_BEFORE

JPEG_QUALITY = 88


def sample_strip(
    model: MDM, sample: Sample, *, grid: tuple[int, int], folder: Path, step: int
) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB: colour, input, what the network says, and the right depth.

    It is written into the folder: of step 0 as `SAMPLE_BEFORE`, else as `SAMPLE_AFTER`.

    Raises:
        OSError: the folder cannot be written.
    """
    output_m = network(model, grid=grid)(sample.color, sample.depth_m)
    known = sample.target_m[sample.target_m > 0]
    near_m, far_m = (float(edge) for edge in np.percentile(known, [2, 98])) if known.size else (0.5, 5.0)
    depths = (
        depth_picture(depth_m, near_m, far_m) for depth_m in (sample.depth_m, output_m, sample.target_m)
    )
    strip = np.hstack([small(picture) for picture in (sample.color, *depths)])
    path = folder / (SAMPLE_AFTER if step else SAMPLE_BEFORE)
    jpeg = cv2.imencode(".jpg", strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    partial = path.with_name(f"{path.name}.partial")  # a window may read it at any moment
    partial.write_bytes(jpeg.tobytes())
    partial.replace(path)
    return strip
