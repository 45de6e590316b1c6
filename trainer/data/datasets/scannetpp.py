"""ScanNet++: iPhone frames as its toolbox extracts them, `data/<scene>/iphone/{rgb,depth}/frame_NNNNNN.*`.

Lidar depth is 16-bit millimetres at 256 x 192 over the colour's 1920 x 1440. Where the toolbox has rendered
the laser scan (`<scene>/iphone/render_depth/frame_NNNNNN.png`, beside the frames or in a folder of its own
below the same root), that is the target; elsewhere the lidar is. The fisheye pictures of `dslr` are not read.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.datasets.files import listed
from trainer.data.images import color_of, counts_of, fitted, metres, resized_color, resized_depth, usable
from trainer.data.samples import Sample

UNIT_M = 0.001
FARTHEST_M = 20.0


class ScanNetPP:
    """All iPhone frames below a folder that have colour and depth."""

    clean = False

    def __init__(self, root: Path) -> None:
        depths = (path for path in root.rglob("iphone/depth/frame_*.png") if _color(path).is_file())
        self._frames = listed(depths, root=root, wanted="ScanNet++ frame (iphone/depth/frame_*.png and rgb)")
        rendered = root.rglob("iphone/render_depth/frame_*.png")
        self._rendered = {(path.parents[2].name, path.name): path for path in rendered}

    def __len__(self) -> int:
        return len(self._frames)

    def scene(self, number: int) -> str:
        return self._frames[number].parents[2].name

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        color = color_of(_color(path))
        size = fitted(color)
        depth_m = _depth(path, size)
        rendered = self._rendered.get((self.scene(number), path.name))
        target_m = depth_m if rendered is None else _depth(rendered, size)
        return Sample(resized_color(color, size), depth_m, target_m)


def _depth(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    return resized_depth(usable(metres(counts_of(path), UNIT_M), farthest_m=FARTHEST_M), size)


def _color(depth: Path) -> Path:
    return depth.parents[1] / "rgb" / f"{depth.stem}.jpg"
