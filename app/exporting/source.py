"""What is exported of a session: which frames, and each of them in one grid."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.messages import UsageError
from drivers.depth import DepthMap
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.geometry import Intrinsics, register_depth
from drivers.session.cdr import FrameMeta
from drivers.session.manifest import CameraEntry
from drivers.session.reader import Session
from drivers.session.refined import RefinedFrame


class Repairer(Protocol):
    """Repairs recorded frames while they are exported."""

    @property
    def title(self) -> str:
        """Of the model and its settings."""

    def __call__(self, frame: Frame, sensor: str) -> RefinedFrame:
        """Repair a frame; `sensor` says how its depth was measured."""


MILLIMETRE_M = 0.001


@dataclass(frozen=True)
class ExportOptions:
    """What somebody wants of a session.

    Attributes:
        depth: which depth goes where a format has room for one.
        every: of so many frames one.
        cameras: ids; empty for all.
        from_s: from the session's start.
        to_s: from the session's start; None to its end.
    """

    depth: Literal["raw", "refined"] = "raw"
    every: int = 1
    cameras: tuple[str, ...] = ()
    from_s: float = 0.0
    to_s: float | None = None


@dataclass(frozen=True)
class Spot:
    """The place of one frame.

    Attributes:
        camera_id: of its camera.
        position: in the session.
        number: among the exported frames of its camera, from 0.
        at_ns: middle of the exposure, UTC.
    """

    camera_id: str
    position: int
    number: int
    at_ns: int


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame as it is exported.

    Attributes:
        spot: its place.
        frame: as recorded.
        meta: time and settings.
        color_file: the recorded colour image, a JPEG or PNG file.
        raw: measured depth in the colour grid.
        refined: what was recorded, or made now; None without.
        depth: raw or refined, as was asked for; in the colour grid.
    """

    spot: Spot
    frame: Frame
    meta: FrameMeta
    color_file: bytes
    raw: DepthMap
    refined: RefinedFrame | None
    depth: DepthMap = field(repr=False)

    @property
    def color_suffix(self) -> str:
        """Of a file with `color_file`."""
        return ".png" if self.color_file.startswith(b"\x89PNG") else ".jpg"

    @property
    def camera(self) -> Intrinsics:
        """The lens of colour and depth."""
        return self.frame.calibration.color


class Source:
    """The frames of a session that are wanted, in the order of their exposure.

    Attributes:
        session: whole.
        options: what is wanted.
        spots: places of all frames.
        left_out: frames without the depth that was asked for.
    """

    def __init__(self, session: Session, options: ExportOptions, repair: Repairer | None = None) -> None:
        """Choose the frames.

        Raises:
            UsageError: the options leave none.
            SessionError: the session holds none, or is damaged.
        """
        self.session = session
        self.options = options
        self._repair = repair
        self.left_out = 0
        unknown = [camera for camera in options.cameras if camera not in session.camera_ids]
        if unknown:
            raise UsageError(
                f"{session.path} has no camera {unknown[0]}.",
                hint=f"Choose among: {', '.join(session.camera_ids)}.",
            )
        if not any(session.count(camera) for camera in session.camera_ids):
            raise SessionError(
                f"{session.path} holds no frame.", hint="Record again, or choose another session."
            )
        spots = [spot for camera in self.cameras for spot in self._of_camera(camera.id)]
        self.spots = tuple(sorted(spots, key=lambda spot: (spot.at_ns, spot.camera_id)))
        if not self.spots and self.left_out:
            raise UsageError(
                f"{session.path} holds no refined depth.",
                hint="Export raw depth, or repair it now (--repair).",
            )
        if not self.spots:
            raise UsageError(
                "No frame is left to export.",
                hint=f"The session has {session.duration_s:.1f} s; choose a part of it.",
            )

    @property
    def repairs_now(self) -> str:
        """Title of what repairs while exporting; empty where recorded depth is exported."""
        return "" if self._repair is None else self._repair.title

    @property
    def name(self) -> str:
        """Of the session's folder, fit for a file name and a key of WebDataset, which ends at a dot."""
        return self.session.path.name.replace(".", "-")

    @property
    def cameras(self) -> tuple[CameraEntry, ...]:
        """Those that are wanted."""
        chosen = self.options.cameras
        return tuple(camera for camera in self.session.cameras if not chosen or camera.id in chosen)

    def of(self, camera_id: str) -> tuple[Spot, ...]:
        """Frames of one camera."""
        return tuple(spot for spot in self.spots if spot.camera_id == camera_id)

    def read(self, spot: Spot) -> Shot:
        """One frame, its depth registered to colour.

        Raises:
            SessionError: the file is damaged.
        """
        session, camera_id, position = self.session, spot.camera_id, spot.position
        frame = session.frame(camera_id, position)
        refined = session.refined(camera_id, position)
        if self._repair is not None:
            refined = self._repair(frame, self.entry(camera_id).sensor)
        raw = register_depth(frame.depth, frame.calibration)
        wanted = refined.depth if self.options.depth == "refined" and refined is not None else raw
        meta, color = session.meta(camera_id, position), session.color_file(camera_id, position)
        return Shot(spot, frame, meta, color, raw, refined, wanted)

    def entry(self, camera_id: str) -> CameraEntry:
        """What the session says of a camera."""
        return next(camera for camera in self.session.cameras if camera.id == camera_id)

    def _of_camera(self, camera_id: str) -> list[Spot]:
        session, options = self.session, self.options
        times = session.times(camera_id)
        since_s = (times - session.start_ns) / 1e9
        wanted = (since_s >= options.from_s) & (since_s <= (options.to_s or np.inf))
        positions = np.flatnonzero(wanted)
        if options.depth == "refined" and self._repair is None:
            having = np.intersect1d(positions, session.refined_positions(camera_id))
            self.left_out += positions.size - having.size
            positions = having
        chosen = positions[:: options.every].tolist()
        return [Spot(camera_id, n, number, int(times[n])) for number, n in enumerate(chosen)]


def millimetres(depth: DepthMap) -> NDArray[np.uint16]:
    """(H, W) uint16 millimetres, 0 for none; what lies beyond 65.5 m becomes 0."""
    if depth.unit_m == MILLIMETRE_M:
        return depth.values
    return rescaled(depth, MILLIMETRE_M)


def rescaled(depth: DepthMap, unit_m: float) -> NDArray[np.uint16]:
    """(H, W) uint16 counts of another unit; what no count can say becomes 0."""
    counts = np.rint(depth.values * (depth.unit_m / unit_m))
    counts[counts > np.iinfo(np.uint16).max] = 0
    return np.asarray(counts, np.uint16)


def matrix_text(camera: Intrinsics) -> str:
    """Three lines of a camera matrix in pixels."""
    return "".join(" ".join(f"{value:.6f}" for value in row) + "\n" for row in camera.matrix)
