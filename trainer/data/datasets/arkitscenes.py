"""ARKitScenes: iPads' lidar beside a laser scanner's depth.

Upsampling layout: `{Training,Validation}/<video>/{color,lowres_depth,confidence,highres_depth}/<file>.png`;
raw
layout: `lowres_wide`, `vga_wide` or `wide` for the colour and `highres_depth` where it was scanned. Depth is
16-bit millimetres. Apple fills the lidar's depth without holes, so pixels of low confidence become holes
again. Without a laser scan the lidar itself is the target.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.datasets.files import ScenesOfFiles
from trainer.data.images import (
    HINT,
    color_of,
    counts_of,
    fitted,
    metres,
    resized_color,
    resized_depth,
    usable,
)
from trainer.data.samples import Sample
from trainer.errors import DataError

UNIT_M = 0.001
SURE = 2
"""Confidence is 0, 1 or 2."""
FARTHEST_M = 10.0
COLORS = ("color", "wide", "vga_wide", "lowres_wide")


class ArkitScenes(ScenesOfFiles):
    """All frames below a folder that have lidar depth."""

    clean = False
    scene_at = 1

    def __init__(self, root: Path) -> None:
        super().__init__(
            root.rglob("lowres_depth/*.png"), root=root, wanted="ARKitScenes frame (lowres_depth/*.png)"
        )

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        video = path.parents[1]
        color = color_of(_color_path(video, path.name))
        size = fitted(color)
        measured_m = usable(metres(counts_of(path), UNIT_M), farthest_m=FARTHEST_M)
        confidence = video / "confidence" / path.name
        if confidence.is_file():
            measured_m = np.where(_confidence(confidence) >= SURE, measured_m, np.float32(0))
        depth_m = resized_depth(measured_m, size)
        laser = video / "highres_depth" / path.name
        target_m = depth_m
        if laser.is_file():
            target_m = resized_depth(usable(metres(counts_of(laser), UNIT_M), farthest_m=FARTHEST_M), size)
        return Sample(resized_color(color, size), depth_m, target_m)


def _confidence(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 2:
        raise DataError(f"{path} is no confidence of one channel.", hint=HINT)
    return np.asarray(image, np.uint8)


def _color_path(video: Path, name: str) -> Path:
    found = next((video / folder / name for folder in COLORS if (video / folder / name).is_file()), None)
    if found is None:
        raise DataError(f"{video} has no colour for {name}.", hint=f"Fetch one of {', '.join(COLORS)}.")
    return found
