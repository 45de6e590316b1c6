"""Files of Record3D, an app for the depth cameras of phones: ZIP archives of images."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.camera import CameraInfo
from drivers.depth import depth_map
from drivers.errors import ModeUnsupported
from drivers.extras import LZFSE
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.imports.recording import Imported, RecordedCamera, Recording
from drivers.session.encode import decode_color

UNIT_M = 0.00025
"""The files hold float metres. A phone measures up to 5 m, this counts up to 16.4 m in steps of 0.25 mm."""
CONFIDENCE = np.array([0, 128, 255], np.uint8)
"""Of ARKit's low, medium and high."""
_DAMAGED = (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, RuntimeError)


def matches(path: Path) -> bool:
    """Whether it is a file of Record3D."""
    return path.is_file() and path.suffix.lower() == ".r3d"


def open_r3d(path: Path) -> Recording:
    """The camera in a file.

    Raises:
        LibraryMissing: the library that unpacks depth is not installed.
        ModeUnsupported: it is no such file.
    """
    LZFSE.load()
    try:
        with zipfile.ZipFile(path) as archive:
            meta = json.loads(archive.read("metadata"))
            names = {name for name in archive.namelist() if name.startswith("rgbd/")}
            numbers = sorted(int(Path(name).stem) for name in names if name.endswith(".depth"))
            size = decode_color(archive.read(f"rgbd/{numbers[0]}.jpg")).shape[1::-1]
        lens, spread = _lens(meta, *size)
        rate_hz = float(meta.get("fps", 30))
    except (*_DAMAGED, IndexError) as error:
        raise ModeUnsupported(
            f"{path.name} is no file of Record3D: {error}", hint="Export it from the app once more."
        ) from error
    info = CameraInfo(
        "record3d",
        "Record3D",
        str(meta.get("deviceModel", "phone")),
        "",
        "time of flight",
        rate_hz,
        live=False,
    )
    notes = ["Poses of the phone are not taken over.", f"Depth is rounded to {UNIT_M * 1000:g} mm."]
    if spread > 0.005:
        notes.append(f"The lens focused while recording ({spread:.1%}); its median is taken.")

    def frames() -> Iterator[Imported]:
        yield from _frames(path, info, meta, numbers, lens)

    return Recording(f"Record3D, {path.name}", (RecordedCamera(info, frames, len(numbers)),), tuple(notes))


def _frames(
    path: Path, info: CameraInfo, meta: dict[str, Any], numbers: list[int], lens: Intrinsics
) -> Iterator[Imported]:
    times = meta.get("frameTimestamps") or [number / info.rate_hz for number in numbers]
    shape = (int(meta["dh"]), int(meta["dw"]))
    calibration = Calibration(lens, lens.scaled(shape[1], shape[0]))
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        for place, number in enumerate(numbers):
            try:
                color_file = archive.read(f"rgbd/{number}.jpg")
                metres = _unpacked(archive.read(f"rgbd/{number}.depth"), shape, np.dtype("<f4"))
                sure = f"rgbd/{number}.conf"
                confidence = (
                    CONFIDENCE[_unpacked(archive.read(sure), shape, np.dtype("u1")).clip(0, 2)]
                    if sure in names
                    else None
                )
                at_ns = round(times[place] * 1e6) * 1000
            except (*_DAMAGED, IndexError) as error:
                raise ModeUnsupported(
                    f"{path.name} is damaged at image {number}: {error}", hint="Take it from a copy."
                ) from error
            depth = depth_map(metres, unit_m=UNIT_M)
            frame = Frame(
                info.id,
                number,
                at_ns,
                at_ns,
                decode_color(color_file),
                depth,
                calibration,
                confidence=confidence,
            )
            yield Imported(frame, color_file)


def _unpacked(data: bytes, shape: tuple[int, int], kind: np.dtype[Any]) -> NDArray[Any]:
    imagecodecs: Any = LZFSE.load()
    size = shape[0] * shape[1] * kind.itemsize
    raw = data if len(data) == size else imagecodecs.lzfse_decode(data, out=size)
    return np.frombuffer(raw, kind).reshape(shape)


def _lens(meta: dict[str, Any], width: int, height: int) -> tuple[Intrinsics, float]:
    """Median lens of the colour images, and by which share its focal length varies."""
    stored = meta.get("perFrameIntrinsicCoeffs")
    # K lies column by column.
    rows = (
        np.array([each[:4] for each in stored])
        if stored
        else np.array([[meta["K"][n] for n in (0, 4, 6, 7)]])
    )
    fx, fy, cx, cy = np.median(rows, axis=0)
    spread = float(np.ptp(rows[:, 0]) / fx)
    given = Intrinsics(int(meta["w"]), int(meta["h"]), float(fx), float(fy), float(cx), float(cy))
    return given.scaled(width, height), spread
