"""ScanNet++: frames of an iPhone, and fisheye pictures of a camera, of rooms that a laser has scanned.

iPhone frames lie as the toolbox extracts them, `data/<scene>/iphone/{rgb,depth}/frame_NNNNNN.*`. Lidar depth
is 16-bit millimetres at 256 x 192 over the colour's 1920 x 1440. Where the toolbox has rendered the scan
(`<scene>/iphone/render_depth/frame_NNNNNN.png`, beside the frames or in a folder of its own below the same
root), that is the target; elsewhere the lidar is.

The camera's pictures (`<scene>/dslr/resized_images/*.JPG`) have no sensor's depth; the rendered scan
(`<scene>/dslr/render_depth/*.png`, in either place) is all there is. Both are brought from the lens of
`dslr/nerfstudio/transforms.json` (OPENCV_FISHEYE) into the pinhole camera that OpenCV finds for it, as the
toolbox does. What a mask hides (`dslr/resized_anon_masks`, 0: faces and the like) is no target.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.datasets.files import ScenesOfFiles
from trainer.data.images import (
    color_of,
    counts_of,
    fitted,
    grey_of,
    metres,
    resized_color,
    resized_depth,
    usable,
)
from trainer.data.samples import Sample
from trainer.errors import DataError

UNIT_M = 0.001
FARTHEST_M = 20.0


class ScanNetPP(ScenesOfFiles):
    """All iPhone frames below a folder that have colour and depth."""

    clean = False

    def __init__(self, root: Path) -> None:
        depths = (path for path in root.rglob("iphone/depth/frame_*.png") if _color(path).is_file())
        super().__init__(depths, root=root, wanted="ScanNet++ frame (iphone/depth/frame_*.png and rgb)")
        rendered = root.rglob("iphone/render_depth/frame_*.png")
        self._rendered = {_key(path): path for path in rendered}

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        color = color_of(_color(path))
        size = fitted(color)
        depth_m = _depth(path, size)
        rendered = self._rendered.get(_key(path))
        target_m = depth_m if rendered is None else _depth(rendered, size)
        return Sample(resized_color(color, size), depth_m, target_m)


class ScanNetPPCamera(ScenesOfFiles):
    """All fisheye pictures below a folder whose depth was rendered, as a pinhole camera sees them."""

    clean = True

    def __init__(self, root: Path) -> None:
        pictures = root.rglob("dslr/resized_images/*.JPG")
        self._pictures = {_key(path): path for path in pictures}
        rendered = (path for path in root.rglob("dslr/render_depth/*.png") if _key(path) in self._pictures)
        wanted = "ScanNet++ picture (dslr/resized_images/*.JPG and dslr/render_depth/*.png)"
        super().__init__(rendered, root=root, wanted=wanted)

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        picture = self._pictures[_key(path)]
        color, depth_m = color_of(picture), metres(counts_of(path), UNIT_M)
        mask = picture.parents[1] / "resized_anon_masks" / f"{picture.stem}.png"
        if mask.is_file():
            depth_m = np.where(grey_of(mask, depth_m.shape) > 0, depth_m, np.float32(0))
        size = fitted(color)
        across, down = _straight(picture.parents[1] / "nerfstudio" / "transforms.json", size)
        seen = cv2.remap(resized_color(color, size), across, down, cv2.INTER_LINEAR)
        flat_m = cv2.remap(resized_depth(depth_m, size), across, down, cv2.INTER_NEAREST)
        target_m = usable(np.asarray(flat_m, np.float32), farthest_m=FARTHEST_M)
        return Sample(np.asarray(seen, np.uint8), target_m, target_m)


def _key(path: Path) -> tuple[str, str]:
    """Scene and frame of a file, wherever its root is."""
    return path.parents[2].name, path.stem


@lru_cache(64)
def _straight(transforms: Path, size: tuple[int, int]) -> tuple[Any, Any]:
    """Where the pixels of a pinhole picture of `size` (width, height) lie in a fisheye picture as large."""
    hint = "Fetch that file of ScanNet++ again."
    try:
        entry: dict[str, Any] = json.loads(transforms.read_bytes())
        across, down = size[0] / entry["w"], size[1] / entry["h"]
        lens = np.array(
            [
                [across * entry["fl_x"], 0, across * entry["cx"]],
                [0, down * entry["fl_y"], down * entry["cy"]],
                [0, 0, 1],
            ]
        )
        bent = np.array([float(entry[name]) for name in ("k1", "k2", "k3", "k4")])
        model = entry["camera_model"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{transforms} does not tell the lens: {error!r}.", hint=hint) from error
    if model != "OPENCV_FISHEYE":
        raise DataError(f"{transforms} is of another lens: {model}.", hint=hint)
    pinhole = cv2.fisheye.estimateNewCameraMatrixForUndistortRectify(lens, bent, size, np.eye(3))
    return cv2.fisheye.initUndistortRectifyMap(lens, bent, np.eye(3), pinhole, size, cv2.CV_32FC1)


def _depth(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    return resized_depth(usable(metres(counts_of(path), UNIT_M), farthest_m=FARTHEST_M), size)


def _color(depth: Path) -> Path:
    return depth.parents[1] / "rgb" / f"{depth.stem}.jpg"
