"""Tar files in the layout of WebDataset."""

import io
import json
import tarfile
from pathlib import Path

from app.exporting.pieces import Piece, Read
from app.exporting.source import Shot, Source, Spot
from drivers.session.png16 import encode_png8, encode_png16

SAMPLES = 500
"""Of one shard: some 300 MB at 720p."""


def tar_shards(source: Source, folder: Path) -> list[Piece]:
    """`<session>-000000.tar` and so on; cameras lie in the order of their exposures."""
    starts = range(0, len(source.spots), SAMPLES)
    return [
        Piece(
            folder / f"{source.name}-{number:06d}.tar",
            source.spots[start : start + SAMPLES],
            _Shard(source, source.spots[start : start + SAMPLES]),
        )
        for number, start in enumerate(starts)
    ]


class _Shard:
    def __init__(self, source: Source, spots: tuple[Spot, ...]) -> None:
        self._source = source
        self._spots = spots

    def __call__(self, path: Path, read: Read) -> None:
        with tarfile.open(path, "w") as tar:
            for spot in self._spots:
                key = f"{self._source.name}/{spot.camera_id}/{spot.number:06d}"
                for name, data in self._files(read(spot)).items():
                    member = tarfile.TarInfo(f"{key}.{name}")
                    member.size, member.mtime = len(data), spot.at_ns // 1_000_000_000
                    tar.addfile(member, io.BytesIO(data))

    def _files(self, shot: Shot) -> dict[str, bytes]:
        """By extension, which is everything after the first dot."""
        files = {f"color{shot.color_suffix}": shot.color_file, "depth.png": encode_png16(shot.raw.values)}
        if shot.refined is not None:
            files["refined.png"] = encode_png16(shot.refined.depth.values)
            files["provenance.png"] = encode_png8(shot.refined.provenance)
        if shot.frame.truth is not None:
            files["truth.png"] = encode_png16(shot.frame.truth.values)
        camera, refined = shot.camera, shot.refined
        facts = {
            "session": self._source.session.info.id,
            "camera": shot.spot.camera_id,
            "frame_number": shot.frame.index,
            "utc_ns": shot.spot.at_ns,
            "depth_unit_m": shot.raw.unit_m,
            "truth_unit_m": None if shot.frame.truth is None else shot.frame.truth.unit_m,
            "intrinsics": camera.matrix.tolist(),
            "distortion": list(camera.distortion),
            "refined": None if refined is None else refined.meta.made_by.model_dump(),
        }
        return {**files, "json": json.dumps(facts).encode()}
