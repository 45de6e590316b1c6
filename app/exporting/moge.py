"""MoGe's layout: an index, and a folder with logarithmic depth for each frame."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.exporting.pieces import Piece, Read, write_whole
from app.exporting.source import Source, Spot
from app.images import write_image
from drivers.geometry import Intrinsics
from drivers.session.png16 import encode_png16

INDEX_NAME = ".index.txt"
NEAREST_M = 1e-5
LONGEST_RATIO = 1e5
CODES = 65533
"""1 to 65534 are depths; 0 is unknown, 65535 infinity."""
_HEADER_END = 33  # signature of 8 bytes, IHDR chunk of 25


def moge_layout(source: Source, folder: Path) -> list[Piece]:
    """`<session>/<camera>/<number>/{image.jpg, depth.png, meta.json}`."""
    return [
        Piece(_instance(source, folder, spot), (spot,), _Instance(source, spot))
        for camera in source.cameras
        for spot in source.of(camera.id)
    ]


def write_index(source: Source, folder: Path) -> None:
    """`.index.txt` of all instances in the folder, those of other sessions included."""
    path = folder / INDEX_NAME
    before = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    ours = [_instance(source, folder, spot).relative_to(folder).as_posix() for spot in source.spots]
    lines = sorted(dict.fromkeys(line for line in (*before, *ours) if line))
    write_whole(path, ("\n".join(lines) + "\n").encode())


def log_depth_png(depth_m: NDArray[np.float32]) -> bytes:
    """(H, W) metres, 0 for unknown, as the 16-bit PNG with `near` and `far` that MoGe's `read_depth` expects.

    A code is 1 + 65533 * log(depth / near) / log(far / near), rounded: from 0.3 to 10 m a step is 0.005 %.
    """
    known = depth_m > 0
    values = depth_m[known].astype(np.float64)
    near = max(float(values.min()), NEAREST_M) if values.size else 1.0
    far = max(near * 1.1, min(float(values.max()), near * LONGEST_RATIO)) if values.size else 2.0
    codes = np.zeros(depth_m.shape, np.uint16)
    share = np.log(np.clip(values, near, far) / near) / np.log(far / near)
    codes[known] = 1 + np.rint(share * CODES).astype(np.uint16)
    png = encode_png16(codes)
    texts = b"".join(_text_chunk(key, repr(value)) for key, value in (("near", near), ("far", far)))
    return png[:_HEADER_END] + texts + png[_HEADER_END:]


def normalised(camera: Intrinsics) -> list[list[float]]:
    """Camera matrix for coordinates that go from 0 at the left and upper edge to 1 at the others."""
    width, height = camera.width, camera.height
    return [
        [camera.fx / width, 0.0, (camera.cx + 0.5) / width],  # their pixel 0 reaches from 0 to 1 / width
        [0.0, camera.fy / height, (camera.cy + 0.5) / height],
        [0.0, 0.0, 1.0],
    ]


class _Instance:
    def __init__(self, source: Source, spot: Spot) -> None:
        self._source = source
        self._spot = spot

    def __call__(self, folder: Path, read: Read) -> None:
        shot = read(self._spot)
        folder.mkdir()
        if shot.color_suffix == ".jpg":
            (folder / "image.jpg").write_bytes(shot.color_file)
        else:
            write_image(folder / "image.jpg", shot.frame.color, quality=95)
        (folder / "depth.png").write_bytes(log_depth_png(shot.depth.metres))
        meta = {
            "intrinsics": normalised(shot.camera),
            "distortion": list(shot.camera.distortion),
            "utc_ns": self._spot.at_ns,
            "camera": self._spot.camera_id,
            "session": self._source.session.info.id,
            "depth": self._source.options.depth,
        }
        (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


def _instance(source: Source, folder: Path, spot: Spot) -> Path:
    return folder / source.name / spot.camera_id / f"{spot.number:06d}"


def _text_chunk(key: str, value: str) -> bytes:
    body = key.encode("latin-1") + b"\0" + value.encode("latin-1")
    return struct.pack(">I", len(body)) + b"tEXt" + body + struct.pack(">I", zlib.crc32(b"tEXt" + body))
