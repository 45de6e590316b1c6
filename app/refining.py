"""Repairs stored frames one by one and writes what came out beside what went in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.flow.refine import Engine, noise_of
from app.images import write_image
from app.pictures import comparison, provenance_picture
from drivers.errors import CameraError, SessionError
from drivers.frame import Frame
from drivers.frames_folder import INTRINSICS_NAME, frame_folders, load_frame
from drivers.geometry import Intrinsics, rays, register_depth
from drivers.session.library import is_session
from drivers.session.reader import Session
from model.repair import USUAL_NOISE, Repair, SensorNoise
from model.shot import Shot

UNREADABLE = (CameraError, SessionError)
"""What `Waiting.read` raises for one bad frame among good ones."""


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """A frame to repair, in one grid.

    Attributes:
        name: relative path under which its results go.
        color: (H, W, 3) uint8 RGB.
        counts: (H, W) uint16 depth registered to colour, 0 for a hole.
        unit_m: metres per count.
        intrinsics: of both; None where nobody knows, then there is no point cloud.
        noise: of the depth sensor.
    """

    name: Path
    color: NDArray[np.uint8]
    counts: NDArray[np.uint16]
    unit_m: float
    intrinsics: Intrinsics | None
    noise: SensorNoise = USUAL_NOISE

    @property
    def measured_m(self) -> NDArray[np.float32]:
        """(H, W) float32 metres, 0 for a hole."""
        return self.counts * np.float32(self.unit_m)


@dataclass(frozen=True)
class Waiting:
    """A frame that is not read yet.

    Attributes:
        name: relative path under which its results go.
        read: reads it; raises one of `UNREADABLE` if it cannot be.
    """

    name: Path
    read: Callable[[], StoredFrame]


def stored_frames(source: Path) -> list[Waiting]:
    """Every frame of a frame folder, of a folder of frame folders at any depth, or of a session.

    Raises:
        CameraNotFound: there are none.
        SessionError: the session cannot be read, or holds none.
    """
    return _of_session(source) if is_session(source) else _of_folders(source)


def stored_frame(name: Path, frame: Frame, *, lens_known: bool = True, sensor: str = "") -> StoredFrame:
    """A captured frame with its depth registered to colour.

    Args:
        name: relative path under which its results go.
        frame: as captured.
        lens_known: whether its intrinsics are more than a guess.
        sensor: how depth was measured, as the camera says it.
    """
    calibration = frame.calibration
    depth = register_depth(frame.depth, calibration)
    camera = calibration.color if lens_known else None
    return StoredFrame(name, frame.color, depth.values, depth.unit_m, camera, noise_of(calibration, sensor))


def write_repair(folder: Path, frame: StoredFrame, repair: Repair, *, title: str) -> None:
    """Write input, result, confidence, provenance, comparison picture and point cloud.

    Their names are those of the published example.

    Args:
        folder: made where it is missing.
        frame: what went in.
        repair: what came out.
        title: what made the repair, for the picture.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_image(folder / "rgb.png", frame.color)
    _write_array(folder / "depth_input.npy", frame.measured_m)
    _write_array(folder / "depth_refined.npy", repair.depth_m)
    if repair.confidence is not None:
        _write_array(folder / "confidence.npy", repair.confidence)
    write_image(folder / "provenance.png", provenance_picture(repair.provenance))
    picture = comparison(frame.color, frame.measured_m, repair.depth_m, repair.provenance, title=title)
    write_image(folder / "depth_comparison.png", picture)
    if frame.intrinsics is not None:
        write_point_cloud(folder / "point_cloud.ply", frame.color, repair, frame.intrinsics)


def repair_frame(engine: Engine, frame: StoredFrame) -> Repair:
    """The engine's answer in float metres, nothing rounded; provenance by the noise of the frame's sensor."""
    matrix = None if frame.intrinsics is None else frame.intrinsics.matrix
    return engine.repair_batch([Shot(frame.color, frame.counts, frame.unit_m, matrix, frame.noise)])[0]


def write_point_cloud(path: Path, color: NDArray[np.uint8], repair: Repair, camera: Intrinsics) -> None:
    """Write every pixel with a depth as a point: binary PLY, metres, +X right, +Y down, +Z forward.

    Besides its colour a point has `provenance`: a number of `model.repair.Provenance`.

    Raises:
        OSError: the file cannot be written.
    """
    depth_m = repair.depth_m
    known = np.isfinite(depth_m) & (depth_m > 0)
    layout = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("provenance", "u1")])
    points = np.empty(int(np.count_nonzero(known)), layout)
    z = depth_m[known]
    points["xyz"][:, :2] = rays(camera)[known] * z[:, None]
    points["xyz"][:, 2] = z
    points["rgb"] = color[known]
    points["provenance"] = repair.provenance[known]
    names = [f"property float {axis}\n" for axis in "xyz"]
    names += [f"property uchar {channel}\n" for channel in ("red", "green", "blue", "provenance")]
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {points.size}\n{''.join(names)}end_header\n"
    )
    path.write_bytes(header.encode("ascii") + points.tobytes())


def _write_array(path: Path, values: NDArray[np.float32]) -> None:
    np.save(path, np.ascontiguousarray(values, np.float32), allow_pickle=False)


def _of_folders(source: Path) -> list[Waiting]:
    def waiting(folder: Path) -> Waiting:
        name = folder.relative_to(source)
        lens_known = (folder / INTRINSICS_NAME).exists()
        return Waiting(name, lambda: stored_frame(name, load_frame(folder), lens_known=lens_known))

    return [waiting(folder) for folder in frame_folders(source)]


def _of_session(source: Path) -> list[Waiting]:
    session = Session(source)

    def waiting(camera_id: str, n: int) -> Waiting:
        name = Path(camera_id) / f"{n:06d}"
        return Waiting(
            name, lambda: stored_frame(name, session.frame(camera_id, n), sensor=sensors[camera_id])
        )

    sensors = {entry.id: entry.sensor for entry in session.cameras}
    found = [waiting(camera, n) for camera in session.camera_ids for n in range(session.count(camera))]
    if not found:
        raise SessionError(f"{source} holds no frame.", hint="Choose another session.")
    return found
