"""Folders of the TUM RGB-D benchmark."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.errors import ModeUnsupported
from drivers.frame import Frame
from drivers.frames_folder import load_color, load_depth
from drivers.geometry import Calibration, Intrinsics
from drivers.imports.folders import identifier
from drivers.imports.recording import Imported, RecordedCamera, Recording

UNIT_M = 1 / 5000
APART_S = 0.02
"""As the benchmark's own associate.py: images that are further apart are no pair."""
LENSES = {
    "freiburg1": (517.3, 516.5, 318.6, 255.3, 0.2624, -0.9531, -0.0054, 0.0026, 1.1633),
    "freiburg2": (520.9, 521.0, 325.1, 249.7, 0.2312, -0.7849, -0.0033, -0.0001, 0.9172),
    "freiburg3": (535.4, 539.2, 320.1, 247.6),
}
"""fx, fy, cx, cy and distortion of the benchmark's three cameras, as its web page gives them."""
USUAL_LENS = (525.0, 525.0, 319.5, 239.5)
_LISTS = ("rgb.txt", "depth.txt")


def matches(path: Path) -> bool:
    """Whether it is a folder of the benchmark, or holds one for each camera."""
    return bool(_folders(path))


def open_tum(path: Path) -> Recording:
    """Each folder with rgb.txt and depth.txt as one camera.

    Raises:
        ModeUnsupported: a list cannot be read, or no two images belong together.
    """
    folders = _folders(path)
    cameras, notes = [], []
    for folder in folders:
        pairs = _pairs(folder)
        numbers, known = _lens_numbers(folder)
        if not known:
            notes.append(f"{folder.name} names no lens; the Kinect's usual one of 525 pixels is assumed.")
        name = folder.name if len(folders) > 1 else path.name
        cameras.append(_camera(name, pairs, numbers))
    return Recording(f"TUM RGB-D, {path.name}", tuple(cameras), tuple(notes))


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    below = sorted(child for child in path.iterdir() if child.is_dir())
    return [each for each in (path, *below) if all((each / name).is_file() for name in _LISTS)]


def _camera(name: str, pairs: list[tuple[float, Path, Path]], numbers: tuple[float, ...]) -> RecordedCamera:
    times = np.array([at_s for at_s, _, _ in pairs])
    rate_hz = float(np.round(1 / np.median(np.diff(times)), 1)) if len(pairs) > 1 else 30.0
    info = CameraInfo(identifier(name), name, "TUM RGB-D", "", "structured light", rate_hz, live=False)

    def frames() -> Iterator[Imported]:
        for number, (at_s, color_path, depth_path) in enumerate(pairs):
            color = load_color(color_path)
            height, width = color.shape[:2]
            depth = DepthMap(load_depth(depth_path).values, UNIT_M)
            fx, fy, cx, cy, *distortion = numbers
            lens = Intrinsics(width, height, fx, fy, cx, cy, tuple(distortion))
            own = lens.scaled(depth.values.shape[1], depth.values.shape[0])
            at_ns = round(at_s * 1e6) * 1000
            frame = Frame(info.id, number, at_ns, at_ns, color, depth, Calibration(lens, own))
            yield Imported(frame, color_path.read_bytes())

    return RecordedCamera(info, frames, len(pairs))


def _pairs(folder: Path) -> list[tuple[float, Path, Path]]:
    """Time of depth, colour file and depth file of images that belong together."""
    colors, depths = (_list(folder, name) for name in _LISTS)
    times = np.array([at_s for at_s, _ in colors])
    pairs, used = [], set()
    for at_s, depth_path in depths:
        nearest = int(np.argmin(np.abs(times - at_s)))
        if abs(times[nearest] - at_s) < APART_S and nearest not in used:
            used.add(nearest)
            pairs.append((at_s, colors[nearest][1], depth_path))
    if not pairs:
        raise ModeUnsupported(
            f"in {folder} no colour image is within {APART_S * 1000:.0f} ms of a depth image",
            hint="Check the times in rgb.txt and depth.txt.",
        )
    return pairs


def _list(folder: Path, name: str) -> list[tuple[float, Path]]:
    found = []
    lines = (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            found.append((float(words[0]), folder / words[1]))
        except (ValueError, IndexError) as error:
            raise ModeUnsupported(
                f"{folder / name} line {number} is no time and file name: {line[:60]!r}",
                hint="Correct or remove that line.",
            ) from error
    if not found:
        raise ModeUnsupported(f"{folder / name} names no image", hint="Get the whole sequence.")
    return sorted(found)


def _lens_numbers(folder: Path) -> tuple[tuple[float, ...], bool]:
    """fx, fy, cx, cy and distortion; and whether anything says so."""
    path = folder / "camera.txt"
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        words = [word for line in lines if not line.startswith("#") for word in line.split()]
        try:
            numbers = tuple(float(word) for word in words)
        except ValueError:
            numbers = ()
        if len(numbers) < 4:
            raise ModeUnsupported(f"{path} is no lens", hint="Write fx fy cx cy into it, or remove it.")
        return numbers, True
    for name, lens in LENSES.items():
        if name in str(folder):
            return lens, True
    return USUAL_LENS, False
