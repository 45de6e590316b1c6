"""Frame folders: one exposure as plain image and text files, written and read.

    rgb.png | rgb.jpg              colour
    raw_depth.png | depth.png      uint16, 0 = no measurement; metres = value / depth_scale
    intrinsics.txt                 3 x 3 camera matrix in pixels of the colour image
    meta.txt                       key=value lines; depth_scale is 1000 where nothing is said

Depth covers the colour camera's field of view, on its grid or another one of the same shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.errors import ModeUnsupported
from drivers.geometry import Calibration, Intrinsics, intrinsics_from_matrix

COLOR_NAMES = ("rgb.png", "rgb.jpg")
DEPTH_NAMES = ("raw_depth.png", "depth.png")
INTRINSICS_NAME = "intrinsics.txt"
META_NAME = "meta.txt"
DEFAULT_SCALE = 1000.0
JPEG_QUALITY = 95
SHAPE_TOLERANCE = 0.02
"""Relative difference of width to height between colour and depth up to which they see the same."""


@dataclass(frozen=True, eq=False)
class FrameFiles:
    """What a frame folder holds.

    Attributes:
        path: the folder.
        color: (H, W, 3) uint8 RGB.
        depth: on its own grid, over the field of view of the colour image.
        intrinsics: of the colour image; None where the folder has none.
        meta: the lines of meta.txt.
    """

    path: Path
    color: NDArray[np.uint8]
    depth: DepthMap
    intrinsics: Intrinsics | None
    meta: Mapping[str, str]

    @property
    def calibration(self) -> Calibration | None:
        """Of both images; None without intrinsics."""
        if self.intrinsics is None:
            return None
        height, width = self.depth.values.shape
        return Calibration(self.intrinsics, self.intrinsics.scaled(width, height))


def is_frame_folder(path: Path) -> bool:
    """Whether `path` holds a colour and a depth image under the usual names."""
    return _first(path, COLOR_NAMES) is not None and _first(path, DEPTH_NAMES) is not None


def find_frame_folders(path: Path) -> list[Path]:
    """`path` itself, or every frame folder below it, at any depth, in natural order (2 before 10)."""
    if is_frame_folder(path):
        return [path]
    found = {file.parent for name in COLOR_NAMES for file in path.rglob(name)}
    return sorted((folder for folder in found if is_frame_folder(folder)), key=_natural)


def read_frame_folder(path: Path) -> FrameFiles:
    """The content of one frame folder.

    Raises:
        ModeUnsupported: a file is missing, damaged, or of another size or type than it has to be.
    """
    import cv2

    color_path, depth_path = _first(path, COLOR_NAMES), _first(path, DEPTH_NAMES)
    if color_path is None or depth_path is None:
        raise ModeUnsupported(
            f"{path} is no frame folder: it needs {' or '.join(COLOR_NAMES)}, and {' or '.join(DEPTH_NAMES)}.",
            hint="Give a folder with both, or a folder of such folders.",
        )
    bgr = cv2.imread(str(color_path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ModeUnsupported(f"{color_path} is no image.", hint="The file is damaged; copy it again.")
    meta = _read_meta(path / META_NAME)
    color = np.ascontiguousarray(bgr[..., ::-1]).astype(np.uint8, copy=False)
    depth = DepthMap(_read_depth(depth_path, color.shape[:2]), 1.0 / _scale(path / META_NAME, meta))
    height, width = color.shape[:2]
    intrinsics = _read_intrinsics(path / INTRINSICS_NAME, width, height)
    color.flags.writeable = False
    return FrameFiles(path, color, depth, intrinsics, meta)


def write_frame_folder(
    path: Path,
    color: NDArray[np.uint8],
    depth: DepthMap,
    intrinsics: Intrinsics,
    meta: Mapping[str, str | int | float],
) -> None:
    """Write one frame folder.

    Args:
        path: made where it is missing.
        color: (H, W, 3) uint8 RGB.
        depth: registered to colour.
        intrinsics: of the colour image; lens distortion has no place in a camera matrix and is left out.
        meta: further lines for meta.txt.

    Raises:
        OSError: the folder cannot be written.
    """
    path.mkdir(parents=True, exist_ok=True)
    write_image(path / "rgb.jpg", color, quality=JPEG_QUALITY)
    write_image(path / "raw_depth.png", depth.values)
    rows = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in intrinsics.matrix)
    (path / INTRINSICS_NAME).write_text(rows + "\n", encoding="utf-8")
    lines = {"depth_scale": f"{1.0 / depth.unit_m:.10g}", **meta}
    text = "".join(f"{key}={value}\n" for key, value in lines.items())
    (path / META_NAME).write_text(text, encoding="utf-8")


def write_image(
    path: Path, image: NDArray[np.uint8] | NDArray[np.uint16], *, quality: int | None = None
) -> None:
    """Write RGB or gray as the format that the name ends in; unlike OpenCV's own writer it says what failed.

    Raises:
        OSError: the file cannot be written.
    """
    import cv2

    options = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    ok, data = cv2.imencode(path.suffix, image[..., ::-1] if image.ndim == 3 else image, options)
    assert ok, path
    path.write_bytes(data.tobytes())


def _first(path: Path, names: tuple[str, ...]) -> Path | None:
    return next((path / name for name in names if (path / name).is_file()), None)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    # Numbers as numbers, so that 2 comes before 10; the first item keeps the two kinds apart.
    return [(0, int(part)) if part.isdigit() else (1, part) for part in path.parts]


def _read_depth(path: Path, color_size: tuple[int, ...]) -> NDArray[np.uint16]:
    import cv2

    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ModeUnsupported(f"{path} is no image.", hint="The file is damaged; copy it again.")
    if values.dtype != np.uint16 or values.ndim != 2:
        raise ModeUnsupported(
            f"{path} is {values.dtype} with {1 if values.ndim == 2 else values.shape[2]} channels.",
            hint="Depth has to be a 16-bit gray PNG, 0 where nothing was measured.",
        )
    height, width = values.shape
    ratio = (width / height) / (color_size[1] / color_size[0])
    if abs(ratio - 1) > SHAPE_TOLERANCE:
        raise ModeUnsupported(
            f"{path} is {width} x {height}, the colour image {color_size[1]} x {color_size[0]}: "
            "they cannot show the same field of view.",
            hint="Register the depth to the colour image first.",
        )
    return np.asarray(values, np.uint16)


def _read_meta(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _scale(path: Path, meta: Mapping[str, str]) -> float:
    text = meta.get("depth_scale", str(DEFAULT_SCALE))
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not (np.isfinite(scale) and scale > 0):
        raise ModeUnsupported(
            f"{path} says depth_scale={text}.", hint="Write the number of counts for a metre, such as 1000."
        )
    return scale


def _read_intrinsics(path: Path, width: int, height: int) -> Intrinsics | None:
    if not path.is_file():
        return None
    try:
        numbers = [float(word) for word in path.read_text(encoding="utf-8").replace(",", " ").split()]
        matrix = np.array(numbers).reshape(3, 3)
    except ValueError as error:
        raise ModeUnsupported(
            f"{path} is no 3 x 3 matrix of numbers.", hint="Write three rows of three numbers, in pixels."
        ) from error
    if not np.isfinite(matrix).all() or matrix[0, 0] <= 1 or matrix[1, 1] <= 1:
        raise ModeUnsupported(
            f"{path} has focal lengths of {matrix[0, 0]:g} and {matrix[1, 1]:g}.",
            hint="Give them in pixels of the colour image, not as a share of its width.",
        )
    return intrinsics_from_matrix(matrix, width, height)
