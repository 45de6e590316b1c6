"""A point cloud for each frame."""

from pathlib import Path

import numpy as np

from app.exporting.pieces import Piece, Read
from app.exporting.source import Source, Spot
from app.refining import write_point_cloud
from model.repair import Provenance, Repair


def point_clouds(source: Source, folder: Path) -> list[Piece]:
    """`<camera>/<number>.ply` in the axes of the colour camera."""
    return [
        Piece(folder / spot.camera_id / f"{spot.number:06d}.ply", (spot,), _Cloud(source, spot))
        for camera in source.cameras
        for spot in source.of(camera.id)
    ]


class _Cloud:
    def __init__(self, source: Source, spot: Spot) -> None:
        self._refined = source.options.depth == "refined"
        self._spot = spot

    def __call__(self, path: Path, read: Read) -> None:
        shot = read(self._spot)
        if self._refined and shot.refined is not None:
            provenance = shot.refined.provenance
        else:
            provenance = np.full(shot.depth.values.shape, Provenance.MEASURED, np.uint8)
        write_point_cloud(path, shot.frame.color, Repair(shot.depth.metres, provenance), shot.camera)
