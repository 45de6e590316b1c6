"""One file with all that is needed to understand what went wrong: logs, settings, versions, last frames."""

import json
import logging
import platform
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
from numpy.typing import NDArray

from app import app_version, paths
from app.settings import Settings
from drivers.camera import CameraInfo
from drivers.frame import Frame
from model.spec import EngineChoice

log = logging.getLogger(__name__)

FOLDER_NAME = "bundles"
MOST_LOG_BYTES = 4_000_000
"""Of each log file, its end."""


@dataclass(frozen=True, eq=False)
class LastSeen:
    """What one camera showed last.

    Attributes:
        info: of the camera.
        status: what it was doing, with the reason where something was wrong.
        frame: its newest frame; None before the first.
    """

    info: CameraInfo
    status: str
    frame: Frame | None = None


def write_bundle(
    folder: Path, settings: Settings, cameras: Mapping[str, LastSeen], *, repair: EngineChoice, state: str
) -> Path:
    """Write `depthmend-<time>.zip` into `folder`, whole or not at all, and return it.

    No password, key or token is in it: the program has none but the kiosk's PIN, which is left out. Operator
    and site are, as in every session.

    Args:
        folder: is made where it is not there.
        settings: of this run.
        cameras: by id.
        repair: that is chosen.
        state: what the repair is doing.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now().astimezone()
    file = folder / f"depthmend-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}.zip"
    partial = file.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("settings.json", settings.model_dump_json(indent=1, exclude={"kiosk_pin"}))
        bundle.writestr("versions.json", _json(versions()))
        bundle.writestr("repair.json", _json(asdict(repair) | {"state": state}))
        for log_file in sorted(paths.log_folder().glob("*.log*")):
            bundle.writestr(f"logs/{log_file.name}", _end_of(log_file))
        for camera_id, seen in cameras.items():
            bundle.writestr(f"cameras/{camera_id}/camera.json", _json(_facts(seen)))
            for name, data in _pictures(seen.frame).items():
                bundle.writestr(f"cameras/{camera_id}/{name}", data)
    partial.replace(file)
    log.info("bundle written to %s", file)
    return file


def versions() -> dict[str, object]:
    """Of the program, Python, the system and every installed package."""
    return {
        "depthmend": app_version(),
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
        "processors": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "packages": {dist.name: dist.version for dist in metadata.distributions()},
    }


def _facts(seen: LastSeen) -> dict[str, object]:
    facts: dict[str, object] = {"info": asdict(seen.info), "status": seen.status}
    frame = seen.frame
    if frame is not None:
        facts |= {
            "index": frame.index,
            "captured_ns": frame.captured_ns,
            "clock": frame.clock.value,
            "unit_m": frame.depth.unit_m,
            "fill_rate": frame.depth.fill_rate,
            "calibration": asdict(frame.calibration),
        }
    return facts


def _pictures(frame: Frame | None) -> dict[str, bytes]:
    """PNG files of a frame, depth in its own counts."""
    import cv2

    if frame is None:
        return {}
    images: dict[str, NDArray[np.uint8] | NDArray[np.uint16] | None] = {
        "color.png": np.ascontiguousarray(frame.color[..., ::-1]),
        "depth.png": frame.depth.values,
        "ir_left.png": frame.ir_left,
        "ir_right.png": frame.ir_right,
    }
    return {
        name: cv2.imencode(".png", image)[1].tobytes() for name, image in images.items() if image is not None
    }


def _end_of(file: Path) -> bytes:
    with file.open("rb") as log_file:
        log_file.seek(max(file.stat().st_size - MOST_LOG_BYTES, 0))
        return log_file.read()


def _json(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, indent=1, default=_plain)


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else str(value)
