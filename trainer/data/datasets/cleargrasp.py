"""ClearGrasp: rendered transparent objects, and the real ones filmed with their opaque twins.

Synthetic: `<object>-train/{rgb-imgs,depth-imgs-rectified}`; depth is OpenEXR metres along the optical axis
("rectified"), complete, so a sensor that sees through the objects has to be made: with `segmentation-masks`
the objects become holes. Real: `real-{val,test}/<camera>/NNN-transparent-{rgb-img.jpg,depth-img.exr}`, where
the opaque twin's depth is the target.
"""

from pathlib import Path

import numpy as np

from trainer.data.datasets.files import listed
from trainer.data.images import color_of, exr_depth_of, fitted, grey_of, resized_color, resized_depth, usable
from trainer.data.samples import Sample

FARTHEST_M = 10.0
SYNTHETIC_RGB, REAL_RGB = "-rgb.jpg", "-transparent-rgb-img.jpg"


class ClearGrasp:
    """All frames below a folder, rendered and real."""

    clean = False

    def __init__(self, root: Path) -> None:
        rendered = root.rglob(f"rgb-imgs/*{SYNTHETIC_RGB}")
        filmed = root.rglob(f"*{REAL_RGB}")
        self._frames = listed(
            [*rendered, *filmed],
            root=root,
            wanted=f"ClearGrasp frame (rgb-imgs/*{SYNTHETIC_RGB} or *{REAL_RGB})",
        )

    def __len__(self) -> int:
        return len(self._frames)

    def scene(self, number: int) -> str:
        path = self._frames[number]
        return path.parent.name if path.name.endswith(REAL_RGB) else path.parents[1].name

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        color = color_of(path)
        size = fitted(color)
        if path.name.endswith(REAL_RGB):
            stem = path.name.removesuffix(REAL_RGB)
            depth_m = exr_depth_of(path.with_name(f"{stem}-transparent-depth-img.exr"))
            target_m = exr_depth_of(path.with_name(f"{stem}-opaque-depth-img.exr"))
        else:
            stem, folder = path.name.removesuffix(SYNTHETIC_RGB), path.parents[1]
            target_m = exr_depth_of(folder / "depth-imgs-rectified" / f"{stem}-depth-rectified.exr")
            mask = folder / "segmentation-masks" / f"{stem}-segmentation-mask.png"
            depth_m = np.where(grey_of(mask, target_m.shape) > 0, np.float32(0), target_m)
        return Sample(
            resized_color(color, size),
            resized_depth(usable(depth_m, farthest_m=FARTHEST_M), size),
            resized_depth(usable(target_m, farthest_m=FARTHEST_M), size),
        )
