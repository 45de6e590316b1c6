"""Evaluation sets in MoGe's form: `.index.txt`, then `<instance>/{image.jpg,depth.png,meta.json}`.

Depth is a 16-bit PNG in logarithmic steps, not in millimetres; infinity marks the sky.
"""

from dataclasses import replace
from pathlib import Path

from trainer.data.datasets.files import ScenesOfFiles
from trainer.data.datasets.taskonomy import clean_sample
from trainer.data.images import color_of, log_depth_of, resized_depth
from trainer.data.samples import Sample


class MoGe(ScenesOfFiles):
    """All instances below a folder."""

    clean = True
    scene_at = 1

    def __init__(self, root: Path) -> None:
        images = (path for path in root.rglob("image.*") if (path.parent / "depth.png").is_file())
        super().__init__(images, root=root, wanted="instance (image.jpg and depth.png)")

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        depth_m, infinite = log_depth_of(path.parent / "depth.png")
        sample = clean_sample(color_of(path), depth_m)
        size = sample.depth_m.shape[1], sample.depth_m.shape[0]
        return replace(sample, nothing=resized_depth(infinite, size) > 0)
