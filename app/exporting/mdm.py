"""The layout of the published data set `robbyant/mdm_depth`, as its loader finds it."""

import re
from pathlib import Path

from app.exporting.pieces import Piece, Read, write_whole
from app.exporting.source import Source, Spot, matrix_text, millimetres
from drivers.depth import DepthMap
from drivers.session.manifest import CameraEntry
from drivers.session.png16 import encode_png16


def mdm_layout(source: Source, folder: Path) -> list[Piece]:
    """`<scene>/<vendor>_<model>_<serial>/{color,rawdepth,gtdepth}/0000001.*` and `intrinsic.txt`."""
    names = _camera_names(source)
    return [
        Piece(
            _scene(source, folder) / names[camera.id] / "rawdepth" / f"{spot.number + 1:07d}.png",
            (spot,),
            _Triplet(spot),
        )
        for camera in source.cameras
        for spot in source.of(camera.id)
    ]


def write_intrinsics(source: Source, folder: Path) -> None:
    """`intrinsic.txt` of each camera."""
    for camera_id, name in _camera_names(source).items():
        lens = source.session.calibration(camera_id).color
        write_whole(_scene(source, folder) / name / "intrinsic.txt", matrix_text(lens).encode())


class _Triplet:
    """Colour, raw depth, and the depth that a network shall learn, where there is one."""

    def __init__(self, spot: Spot) -> None:
        self._spot = spot

    def __call__(self, raw_path: Path, read: Read) -> None:
        shot = read(self._spot)
        camera_folder, name = raw_path.parent.parent, f"{self._spot.number + 1:07d}"
        write_whole(camera_folder / "color" / f"{name}{shot.color_suffix}", shot.color_file)
        target: DepthMap | None = shot.frame.truth
        if target is None and shot.refined is not None:
            target = shot.refined.depth
        if target is not None:
            write_whole(camera_folder / "gtdepth" / f"{name}.png", encode_png16(millimetres(target)))
        raw_path.write_bytes(encode_png16(millimetres(shot.raw)))  # last: its name says that all are there


def _scene(source: Source, folder: Path) -> Path:
    scene = source.session.labels.scene
    return folder / _word(f"{scene}_{source.name}" if scene else source.name)


def _camera_names(source: Source) -> dict[str, str]:
    """By camera id; two cameras that say the same of themselves are told apart by their ids."""
    names = {camera.id: _camera_name(camera) for camera in source.cameras}
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {camera_id: f"{name}_{camera_id}" if name in twice else name for camera_id, name in names.items()}


def _camera_name(camera: CameraEntry) -> str:
    vendor = (camera.name or camera.id).split()[0].lower()
    model = re.sub(rf"^{re.escape(vendor)}\W*", "", camera.model or camera.id, flags=re.IGNORECASE)
    return "_".join(_word(part) for part in (vendor, model or camera.id, camera.serial or "0"))


def _word(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "0"
