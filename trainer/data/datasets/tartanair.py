"""TartanAir: simulated flights, in the layout of either version.

Version 1 is `<env>/{Easy,Hard}/PNNN/{image_left,depth_left}` with depth as float32 in .npy files; version 2
is `<env>/Data_{easy,hard}/PNNN/{image,depth}_{l,r}cam_{front,back,left,right,top,bottom}`, where the four
bytes of a float32 are the four channels of a PNG. Both are metres along the optical axis of a pinhole camera.
Version 2's fisheye and panorama folders are left out: their depth lies along the ray of another lens. The sky
is a dome thousands of metres away, as far as each environment has it: it is no target, and `nothing` says so.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.datasets.files import ScenesOfFiles
from trainer.data.datasets.taskonomy import clean_sample
from trainer.data.images import HINT, color_of, packed_depth_of, resized_depth, usable
from trainer.data.samples import Sample
from trainer.errors import DataError

SKY_M = 1000.0
FARTHEST_M = 80.0
"""Beyond this, a step of one metre changes nothing that a camera sees; such pixels carry no loss."""
FACES = ("front", "back", "left", "right", "top", "bottom")
PINHOLES = frozenset(("left", *(f"{side}cam_{face}" for side in "lr" for face in FACES)))
"""What follows `depth_` in the names of folders whose pictures are of a pinhole camera."""


class TartanAir(ScenesOfFiles):
    """All pinhole views below a folder that have depth."""

    clean = True
    scene_at = 3

    def __init__(self, root: Path) -> None:
        depths = (
            path
            for path in root.rglob("depth_*/*_depth.*")
            if path.parent.name.removeprefix("depth_") in PINHOLES and path.suffix in {".npy", ".png"}
        )
        super().__init__(
            depths,
            root=root,
            wanted="TartanAir depth of a pinhole camera (depth_left/*_left_depth.npy or "
            "depth_lcam_front/*_lcam_front_depth.png)",
        )

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        camera = path.parent.name.removeprefix("depth_")
        color = path.parents[1] / f"image_{camera}" / f"{path.stem.removesuffix('_depth')}.png"
        depth_m = _array(path) if path.suffix == ".npy" else packed_depth_of(path)
        sample = clean_sample(color_of(color), usable(depth_m, farthest_m=FARTHEST_M))
        size = sample.depth_m.shape[1], sample.depth_m.shape[0]
        return replace(sample, nothing=resized_depth(depth_m > SKY_M, size) > 0)


def _array(path: Path) -> NDArray[np.float32]:
    try:
        return np.asarray(np.load(path), np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}.", hint=HINT) from error
