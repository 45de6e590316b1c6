"""The layout of the TUM RGB-D benchmark, a folder for each camera."""

from pathlib import Path

from app.exporting.pieces import Piece, Read, write_whole
from app.exporting.source import Source, Spot, rescaled
from drivers.session.png16 import encode_png16

UNIT_M = 1 / 5000


def tum_layout(source: Source, folder: Path) -> list[Piece]:
    """`<camera>/rgb/<seconds>.*` and `<camera>/depth/<seconds>.png`, in 1/5000 m."""
    return [
        Piece(folder / spot.camera_id / "depth" / f"{seconds(spot)}.png", (spot,), _Pair(spot))
        for camera in source.cameras
        for spot in source.of(camera.id)
    ]


def write_lists(source: Source, folder: Path) -> None:
    """rgb.txt, depth.txt, associations.txt and camera.txt of each camera."""
    for camera in source.cameras:
        spots = source.of(camera.id)
        place = folder / camera.id
        if not spots:
            continue
        suffix = _color_suffix(source, spots[0])
        times = [seconds(spot) for spot in spots]
        head = f"# {source.session.path.name}, camera {camera.id}\n# timestamp filename\n"
        texts = {
            "rgb.txt": head + "".join(f"{t} rgb/{t}{suffix}\n" for t in times),
            "depth.txt": head + "".join(f"{t} depth/{t}.png\n" for t in times),
            "associations.txt": "".join(f"{t} rgb/{t}{suffix} {t} depth/{t}.png\n" for t in times),
            "camera.txt": _camera_text(source, camera.id),
        }
        for name, text in texts.items():
            write_whole(place / name, text.encode())


def seconds(spot: Spot) -> str:
    """Of a frame, as file names and lists have it: microseconds, so that neighbours never share a name."""
    return f"{spot.at_ns // 1_000_000_000}.{spot.at_ns % 1_000_000_000 // 1000:06d}"


class _Pair:
    def __init__(self, spot: Spot) -> None:
        self._spot = spot

    def __call__(self, depth_path: Path, read: Read) -> None:
        shot = read(self._spot)
        color = depth_path.parent.parent / "rgb" / f"{seconds(self._spot)}{shot.color_suffix}"
        write_whole(color, shot.color_file)
        depth_path.write_bytes(encode_png16(rescaled(shot.depth, UNIT_M)))


def _color_suffix(source: Source, spot: Spot) -> str:
    data = source.session.color_file(spot.camera_id, spot.position)
    return ".png" if data.startswith(b"\x89PNG") else ".jpg"


def _camera_text(source: Source, camera_id: str) -> str:
    lens = source.session.calibration(camera_id).color
    numbers = (lens.fx, lens.fy, lens.cx, lens.cy, *lens.distortion)
    return "# fx fy cx cy, then the distortion in OpenCV's order\n" + " ".join(map(repr, numbers)) + "\n"
