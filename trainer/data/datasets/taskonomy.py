"""Taskonomy and Omnidata's copy of it: rendered scans of buildings.

Either `rgb/taskonomy/<building>/point_P_view_V_domain_rgb.png` (Omnidata) or `<building>_rgb/...`
(Taskonomy). Depth is a 16-bit PNG of 1/512 m; 65535 is no surface, as is 0 in `mask_valid`, where that domain
was fetched. `depth_zbuffer` is along the optical axis
and is taken where it is there; `depth_euclidean` is along the ray and is converted by the view's own field of
view.
"""

import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics
from trainer.data.datasets.files import listed
from trainer.data.images import (
    color_of,
    counts_of,
    fitted,
    grey_of,
    metres,
    planar,
    resized_color,
    resized_depth,
)
from trainer.data.samples import Sample
from trainer.errors import DataError

UNIT_M = 1 / 512
RGB = "_domain_rgb.png"


class Taskonomy:
    """All views below a folder."""

    clean = True

    def __init__(self, root: Path) -> None:
        self._views = listed(root.rglob(f"*{RGB}"), root=root, wanted="Taskonomy view (*_domain_rgb.png)")

    def __len__(self) -> int:
        return len(self._views)

    def scene(self, number: int) -> str:
        return self._views[number].parent.name.removesuffix("_rgb")

    def read(self, number: int) -> Sample:
        path = self._views[number]
        color = color_of(path)
        z_buffer = domain(path, "depth_zbuffer", "png")
        if z_buffer.is_file():
            depth_m = metres(counts_of(z_buffer), UNIT_M)
        else:
            ray_m = metres(counts_of(domain(path, "depth_euclidean", "png")), UNIT_M)
            depth_m = planar(ray_m, camera_of(domain(path, "point_info", "json"), ray_m.shape[1]))
        valid = domain(path, "mask_valid", "png")
        if valid.is_file():
            depth_m = np.where(grey_of(valid, depth_m.shape) > 0, depth_m, np.float32(0))
        return clean_sample(color, depth_m)


def clean_sample(color: NDArray[np.uint8], depth_m: NDArray[np.float32]) -> Sample:
    """The sample of a data set whose depth is both what goes in and what should come out."""
    size = fitted(color)
    small = resized_depth(depth_m, size)
    return Sample(resized_color(color, size), small, small)


def domain(view: Path, name: str, ending: str) -> Path:
    """The same view's file of another domain, in either layout.

    Args:
        view: the file of the domain rgb.
        name: of the other domain.
        ending: of its file.
    """
    file = view.name.removesuffix(RGB) + f"_domain_{name}.{ending}"
    folder = view.parent
    if folder.name.endswith("_rgb"):
        return folder.with_name(folder.name.removesuffix("_rgb") + f"_{name}") / file
    if folder.name == "rgb":
        return folder.with_name(name) / file
    return folder.parents[1].with_name(name) / folder.parent.name / folder.name / file


def camera_of(info: Path, side_px: int) -> Intrinsics:
    """The view's camera: square pixels, optical axis in the middle.

    Raises:
        DataError: the file is missing or says no field of view.
    """
    try:
        content = json.loads(info.read_bytes())
        entry = content[0] if isinstance(content, list) else content
        focal = side_px / 2 / math.tan(float(entry["field_of_view_rads"]) / 2)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DataError(
            f"{info} says no field of view: {error}.", hint="Fetch the domain point_info."
        ) from error
    middle = side_px / 2 - 0.5
    return Intrinsics(side_px, side_px, focal, focal, middle, middle)
