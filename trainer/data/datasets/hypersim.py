"""Hypersim: rendered interiors, `ai_VVV_NNN/images/scene_cam_XX_{final_preview,geometry_hdf5}`.

Depth is metres along the ray, NaN where there is no surface. The camera comes from
`metadata_camera_parameters.csv`, in the root folder or one of the two above it (a part of the set may be
given): some scenes shift or tilt the lens, which its matrix M_cam_from_uv holds. Without that file, the
nominal camera of 60 degrees is used, and training says so.
"""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.data.datasets.files import ScenesOfFiles
from trainer.data.datasets.taskonomy import clean_sample
from trainer.data.images import HINT, color_of, resized_depth, usable
from trainer.data.samples import Sample
from trainer.errors import DataError

NOMINAL_FOCAL_PX = 886.81
NOMINAL_WIDTH_PX = 1024
FARTHEST_M = 80.0
CAMERAS = "metadata_camera_parameters.csv"
ABOVE = 2


class Hypersim(ScenesOfFiles):
    """All frames below a folder.

    Attributes:
        note: which cameras are not known; empty where all are.
    """

    clean = True

    def __init__(self, root: Path) -> None:
        super().__init__(
            root.rglob("scene_cam_*_final_preview/frame.*.tonemap.jpg"),
            root=root,
            wanted="Hypersim frame (scene_cam_XX_final_preview/frame.IIII.tonemap.jpg)",
        )
        tables = (folder / CAMERAS for folder in (root, *root.absolute().parents[:ABOVE]))
        table = next((path for path in tables if path.is_file()), None)
        self._cameras = {} if table is None else cameras(table)
        scenes = {self.scene(number) for number in range(len(self))}
        lacking = scenes - self._cameras.keys()
        self.note = (
            f"Hypersim: {CAMERAS} lacks the cameras of {len(lacking)} of {len(scenes)} scenes; "
            "one of 60 degrees is taken for them."
            if lacking
            else ""
        )

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        camera = path.parent.name.removesuffix("_final_preview")
        name = path.name.removesuffix(".tonemap.jpg") + ".depth_meters.hdf5"
        ray_m = hdf5(path.parent.with_name(f"{camera}_geometry_hdf5") / name)
        directions = directions_of(self._cameras.get(self.scene(number)), *ray_m.shape)
        # z is the ray's length times the share of its unit direction that points along the optical axis.
        depth_m = ray_m * (-directions[..., 2] / np.linalg.norm(directions, axis=-1))
        sample = clean_sample(color_of(path), usable(depth_m, farthest_m=FARTHEST_M))
        size = sample.depth_m.shape[1], sample.depth_m.shape[0]
        return replace(sample, nothing=resized_depth(np.isnan(ray_m), size) > 0)


def hdf5(path: Path) -> NDArray[np.float32]:
    """The one array of the file.

    Raises:
        DataError: it cannot be read, or the library for it is missing.
    """
    try:
        import h5py
    except ImportError as error:
        raise DataError(
            "HDF5 files need a library that is not installed.", hint='pip install "depthmend[datasets]"'
        ) from error
    try:
        with h5py.File(path, "r") as file:
            return np.asarray(file["dataset"][:], np.float32)
    except (OSError, KeyError) as error:
        raise DataError(f"{path} cannot be read: {error}.", hint=HINT) from error


def cameras(path: Path) -> dict[str, NDArray[np.float64]]:
    """(3, 3) M_cam_from_uv of each scene."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["scene_name"]: np.array(
                [[float(row[f"M_cam_from_uv_{i}{j}"]) for j in range(3)] for i in range(3)]
            )
            for row in csv.DictReader(file)
        }


def directions_of(matrix: NDArray[np.float64] | None, height: int, width: int) -> NDArray[np.float64]:
    """(H, W, 3) directions of the pixels' rays in Hypersim's camera, which looks along -Z with +Y up.

    Args:
        matrix: M_cam_from_uv, from u and v of -1 to 1; None stands for the nominal camera.
        height: of the image.
        width: of the image.
    """
    if matrix is None:
        across = width / 2 / (NOMINAL_FOCAL_PX * width / NOMINAL_WIDTH_PX)
        matrix = np.diag([across, across * height / width, -1.0])
    u = (np.arange(width) + 0.5) / width * 2 - 1
    v = 1 - (np.arange(height) + 0.5) / height * 2
    uv = np.stack([*np.meshgrid(u, v), np.ones((height, width))], -1)  # (H, W, 3)
    directions = uv @ matrix.T
    return np.asarray(directions * -np.sign(directions[..., 2:]), np.float64)
