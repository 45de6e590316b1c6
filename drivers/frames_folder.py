"""Frames from folders of ordinary image files.

A frame folder holds rgb.png or rgb.jpg, raw_depth.png or depth.png (16-bit, 0 = hole) and may hold
intrinsics.txt (3 x 3, pixels of the colour image) and meta.txt (lines of key=value). Depth is in millimetres,
or in 1 / depth_scale metres where meta.txt has that key. Where the two images differ in size, they show the
same field of view.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.errors import CameraNotFound, ModeUnsupported
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics, intrinsics_from_matrix

COLOR_NAMES = ("rgb.png", "rgb.jpg", "rgb.jpeg")
DEPTH_NAMES = ("raw_depth.png", "depth.png")
INTRINSICS_NAME = "intrinsics.txt"
META_NAME = "meta.txt"
ASSUMED_VIEW_RAD = math.radians(60)

_ASPECT_TOLERANCE = 0.02


def frame_folders(root: Path) -> list[Path]:
    """`root` itself if it is a frame folder, and all frame folders below it, in the order people count.

    Raises:
        CameraNotFound: `root` is no folder or holds no frame.
    """
    if not root.is_dir():
        raise CameraNotFound(f"{root} is no folder", hint="Give a folder of frames that exists.")
    found = {path.parent for name in DEPTH_NAMES for path in root.rglob(name)}
    folders = [folder for folder in found if _first(folder, COLOR_NAMES) is not None]
    if not folders:
        raise CameraNotFound(
            f"{root} holds no frame",
            hint="A frame is a folder with rgb.png or rgb.jpg and with raw_depth.png or depth.png.",
        )
    return sorted(folders, key=lambda folder: _natural(folder.relative_to(root)))


def load_frame(folder: Path, index: int = 0, *, camera_id: str = "folder", captured_ns: int = 0) -> Frame:
    """The frame in `folder`.

    Args:
        folder: a frame folder.
        index: for `Frame.index`.
        camera_id: for `Frame.camera_id`.
        captured_ns: for both times of the frame.

    Raises:
        CameraNotFound: an image is missing.
        ModeUnsupported: a file has another type, size or content than it should.
    """
    color_path, depth_path = _first(folder, COLOR_NAMES), _first(folder, DEPTH_NAMES)
    if color_path is None or depth_path is None:
        missing = "rgb.png or rgb.jpg" if color_path is None else "raw_depth.png or depth.png"
        raise CameraNotFound(f"{folder} has no {missing}", hint=f"Put {missing} into the folder.")
    color = load_color(color_path)
    depth = load_depth(depth_path)
    height, width = color.shape[:2]
    depth_height, depth_width = depth.values.shape
    if abs(depth_width * height / (depth_height * width) - 1) > _ASPECT_TOLERANCE:
        raise ModeUnsupported(
            f"{depth_path} is {depth_width} x {depth_height} and {color_path.name} {width} x {height}",
            hint="Crop one of the images: both have to show the same field of view.",
        )
    camera = load_intrinsics(folder, width, height) or assumed_intrinsics(width, height)
    same = (depth_width, depth_height) == (width, height)
    return Frame(
        camera_id=camera_id,
        index=index,
        captured_ns=captured_ns,
        device_ns=captured_ns,
        color=color,
        depth=depth,
        calibration=Calibration(camera, camera if same else camera.scaled(depth_width, depth_height)),
    )


def load_color(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of an image file.

    Raises:
        ModeUnsupported: it is no image.
    """
    import cv2

    # The depth image is not turned by the camera's orientation tag, so colour must not be either.
    image = _read(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def load_depth(path: Path) -> DepthMap:
    """Depth of a 16-bit gray PNG in millimetres, or in the unit that meta.txt beside it names.

    Raises:
        ModeUnsupported: it is no 16-bit gray image, or the unit is no positive number.
    """
    import cv2

    values = _read(path, cv2.IMREAD_UNCHANGED)
    if values.ndim != 2 or values.dtype != np.uint16:
        kind = "gray" if values.ndim == 2 else "colour"
        raise ModeUnsupported(
            f"{path} is a {values.dtype.itemsize * 8}-bit {kind} image, and depth is a 16-bit gray one",
            hint="Save depth as a 16-bit gray PNG in millimetres, 0 where nothing was measured; "
            "pictures made for looking at hold no distances.",
        )
    text = load_meta(path.parent).get("depth_scale", "1000")
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not (math.isfinite(scale) and scale > 0):
        raise ModeUnsupported(
            f"{path.parent / META_NAME} names depth_scale={text}",
            hint="Write the counts per metre: depth_scale=1000 for millimetres.",
        )
    return DepthMap(np.asarray(values, np.uint16), 1 / scale)


def load_intrinsics(
    folder: Path, width: int, height: int, *, name: str = INTRINSICS_NAME
) -> Intrinsics | None:
    """The lens of the colour image of that size, or None where the folder does not say.

    Raises:
        ModeUnsupported: intrinsics.txt is no camera matrix in pixels.
    """
    path = folder / name
    if not path.exists():
        return None
    try:
        numbers = [float(word) for word in path.read_text(encoding="utf-8").replace(",", " ").split()]
    except (OSError, ValueError):
        numbers = []
    # Focal lengths near 1 are in units of the image's width, as some programs write them.
    if len(numbers) != 9 or not all(map(math.isfinite, numbers)) or min(numbers[0], numbers[4]) < 10:
        raise ModeUnsupported(
            f"{path} is no camera matrix in pixels",
            hint="Write three lines: fx 0 cx, 0 fy cy, 0 0 1; or remove the file.",
        )
    return intrinsics_from_matrix(np.array(numbers).reshape(3, 3), width, height)


def assumed_intrinsics(width: int, height: int) -> Intrinsics:
    """A pinhole camera that sees 60 degrees from left to right."""
    focal_px = width / 2 / math.tan(ASSUMED_VIEW_RAD / 2)
    return Intrinsics(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)


def load_meta(folder: Path) -> dict[str, str]:
    """Keys and values of meta.txt; empty where there is none."""
    try:
        text = (folder / META_NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _read(path: Path, flags: int) -> NDArray[np.integer[Any] | np.floating[Any]]:
    import cv2

    # Read here, because OpenCV cannot open every name that Windows can.
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise CameraNotFound(f"{path} cannot be read: {error.strerror}", hint="Check the file.") from error
    image = cv2.imdecode(data, flags) if data.size else None
    if image is None:
        raise ModeUnsupported(
            f"{path} is no image", hint="Save it again as PNG; it may be damaged or cut off."
        )
    return np.asarray(image)


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in path.parts]
