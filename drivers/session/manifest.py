"""The JSON files of a session as validated models: session.json, calibration.json, manifest.json."""

import hashlib
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.errors import SessionError
from drivers.geometry import Calibration, Intrinsics
from drivers.session.durable import write_atomically
from drivers.session.ledger import LostFrames, Stage
from drivers.session.mistakes import mistake, remedy
from drivers.session.topics import META, REFINED_META, topic

FORMAT = "rgbd-session"
VERSION = 1
SESSION_NAME = "session.json"
CALIBRATION_NAME = "calibration.json"
MANIFEST_NAME = "manifest.json"

Matrix4 = tuple[
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
    tuple[float, float, float, float],
]
IDENTITY: Matrix4 = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))


class _Model(BaseModel):
    # Fields of a later version of the format are no reason to refuse a file.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Anchor(_Model):
    """One moment on two clocks; it turns host monotonic time into UTC for the whole session.

    Attributes:
        utc_ns: nanoseconds since 1970.
        monotonic_ns: `time.monotonic_ns` at that moment.
    """

    utc_ns: int
    monotonic_ns: int

    def utc_from_monotonic(self, monotonic_ns: int) -> int:
        """UTC nanoseconds; never steps, whatever happens to the system clock meanwhile."""
        return monotonic_ns - self.monotonic_ns + self.utc_ns

    def monotonic_from_utc(self, utc_ns: int) -> int:
        """The counterpart of `utc_from_monotonic`."""
        return utc_ns - self.utc_ns + self.monotonic_ns


class CameraEntry(_Model):
    """One camera of a session.

    Attributes:
        id: as in topics and in `Frame.camera_id`.
        name: for people.
        model: vendor's model name.
        serial: vendor's serial number.
        sensor: how depth is measured.
        rate_hz: as asked for.
        depth_unit_m: metres per count of depth.
        truth_unit_m: metres per count of exact depth; None where the camera is no simulation.
        sync: how its exposures are timed: "free run", or by whom it is triggered.
        controls: what the camera was set to, by the name of the control.
        vendor_settings: the same as the vendor's own tool would have saved it, or empty.
    """

    id: str
    name: str = ""
    model: str = ""
    serial: str = ""
    sensor: str = ""
    rate_hz: float = 30.0
    depth_unit_m: float = Field(default=0.001, gt=0)
    truth_unit_m: float | None = None
    sync: str = "free run"
    controls: dict[str, bool | float | str] = {}
    vendor_settings: str = ""


class SessionInfo(_Model):
    """session.json: what was known before the first frame.

    Attributes:
        id: unique.
        site: as said at the start, as operator and consent are; labels.jsonl has what holds now.
        operator: who recorded.
        consent: of the people in view.
        started_utc: ISO 8601.
        app_version: of the program that wrote it.
        host: name of the computer.
        depth_profile: "standard" is PNG; "compact" is JPEG XL.
        imported_from: format and name of another program's files that it was made from, or empty.
        anchor: between the two clocks.
        cameras: in the rig's order.
    """

    format: Literal["rgbd-session"] = "rgbd-session"
    version: int = VERSION
    id: str
    site: str = ""
    operator: str = ""
    consent: str = ""
    started_utc: str
    app_version: str = ""
    host: str = ""
    depth_profile: Literal["standard", "compact"] = "standard"
    imported_from: str = ""
    anchor: Anchor
    cameras: tuple[CameraEntry, ...]


class IntrinsicsEntry(_Model):
    """`drivers.geometry.Intrinsics` as JSON."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()

    @classmethod
    def of(cls, camera: Intrinsics) -> "IntrinsicsEntry":
        """From the type used in memory."""
        return cls(
            width=camera.width,
            height=camera.height,
            fx=camera.fx,
            fy=camera.fy,
            cx=camera.cx,
            cy=camera.cy,
            distortion=camera.distortion,
        )

    def intrinsics(self) -> Intrinsics:
        """To the type used in memory."""
        return Intrinsics(self.width, self.height, self.fx, self.fy, self.cx, self.cy, self.distortion)


class CalibrationEntry(_Model):
    """`drivers.geometry.Calibration` as JSON, and where the camera sits in the rig."""

    color: IntrinsicsEntry
    depth: IntrinsicsEntry
    color_from_depth: Matrix4
    ir: IntrinsicsEntry | None = None
    color_from_ir_left: Matrix4 | None = None
    baseline_m: float | None = None
    rig_from_color: Matrix4 = IDENTITY

    @classmethod
    def of(cls, calibration: Calibration, rig_from_color: NDArray[np.float64] | None) -> "CalibrationEntry":
        """From the type used in memory; `rig_from_color` is (4, 4) in metres, None for the identity."""
        ir_left = calibration.color_from_ir_left
        return cls(
            color=IntrinsicsEntry.of(calibration.color),
            depth=IntrinsicsEntry.of(calibration.depth),
            color_from_depth=_rows(calibration.color_from_depth),
            ir=None if calibration.ir is None else IntrinsicsEntry.of(calibration.ir),
            color_from_ir_left=None if ir_left is None else _rows(ir_left),
            baseline_m=calibration.baseline_m,
            rig_from_color=IDENTITY if rig_from_color is None else _rows(rig_from_color),
        )

    def calibration(self) -> Calibration:
        """To the type used in memory."""
        ir_left = self.color_from_ir_left
        return Calibration(
            color=self.color.intrinsics(),
            depth=self.depth.intrinsics(),
            color_from_depth=np.array(self.color_from_depth),
            ir=None if self.ir is None else self.ir.intrinsics(),
            color_from_ir_left=None if ir_left is None else np.array(ir_left),
            baseline_m=self.baseline_m,
        )


class CalibrationFile(_Model):
    """calibration.json: by camera id."""

    cameras: dict[str, CalibrationEntry]


class CameraTotals(_Model):
    """Where the frames of one camera went.

    Attributes:
        device_frames: that the device's counter went through.
        written: that the recording holds.
        host_drop: that came and were not written, because the host was too slow.
        device_gap: that the device counted and never delivered.
        error: that came and could not be encoded or written.
        stages: the lost ones by where they were lost, as `drivers.session.ledger.Stage` names it; empty in
            sessions of an earlier program.
        compact: of the written ones, those with depth as JPEG XL.
        away_s: how long nothing at all came from it, in seconds; 0 in sessions of an earlier program.
    """

    device_frames: int
    written: int
    host_drop: int = 0
    device_gap: int = 0
    error: int = 0
    stages: dict[str, int] = {}
    compact: int = 0
    away_s: float = 0.0

    @property
    def honest(self) -> bool:
        """Whether every frame is accounted for."""
        whole = self.device_frames == self.written + self.lost
        return whole and (not self.stages or sum(self.stages.values()) == self.lost)

    def without(self, frames: int, *, compact: int) -> "CameraTotals":
        """The same after written frames were lost again, because the disk did not keep them."""
        stages = self.stages | {Stage.WRITE.value: self.stages.get(Stage.WRITE.value, 0) + frames}
        changes = {
            "written": self.written - frames,
            "error": self.error + frames,
            "compact": self.compact - compact,
            "stages": stages,
        }
        return self.model_copy(update=changes)

    @property
    def lost(self) -> int:
        """Frames that the recording does not hold."""
        return self.host_drop + self.device_gap + self.error


class RefinedTotals(_Model):
    """Where the refined frames of one camera went.

    Attributes:
        made: that the repair delivered while recording.
        written: that the recording holds.
        dropped: that were thrown away so that raw frames had room.
        unplaced: whose own frame is not in the recording.
        failed: that could not be encoded or written.
    """

    made: int
    written: int
    dropped: int = 0
    unplaced: int = 0
    failed: int = 0

    @property
    def honest(self) -> bool:
        """Whether every refined frame is accounted for."""
        return self.made == self.written + self.dropped + self.unplaced + self.failed


class SegmentEntry(_Model):
    """One MCAP file of a session.

    Attributes:
        name: file name within the session folder.
        size: bytes.
        sha256: of the whole file.
        first_ns: earliest message, UTC; 0 in an empty segment.
        last_ns: latest message, UTC.
        counts: messages by topic.
        recovered: whether it was repaired after a crash.
    """

    name: str
    size: int
    sha256: str
    first_ns: int
    last_ns: int
    counts: dict[str, int]
    recovered: bool = False


class SyncEntry(_Model):
    """How one camera's exposures lay in time against those of the reference, measured to the end.

    Attributes:
        role: as in session.json, at the end of the recording.
        reference: id of the camera it was measured against; empty where nothing could be measured.
        offset_ms: by which it exposed later, median.
        jitter_ms: of that offset, from the 5th to the 95th percentile.
        drift_ppm: by which the offset grew; None where too short a time was measured.
        in_step: whether both exposed together; None where that could not be told.
    """

    role: str
    reference: str = ""
    offset_ms: float | None = None
    jitter_ms: float | None = None
    drift_ppm: float | None = None
    in_step: bool | None = None


class Manifest(_Model):
    """manifest.json: what a finished session holds.

    Attributes:
        files: segments in order.
        documents: SHA-256 by name of the JSON files that never change; empty in sessions of earlier programs.
        totals: by camera id.
        refined: by camera id; empty where no refined depth was recorded.
        lost: by camera id, the device counters of all lost frames; cameras that lost none are left out.
        sync: by camera id, whether those that should expose together did; empty where nobody measured.
        honest: whether the totals account for every frame and agree with a scan of the files.
        dishonest_because: in words, where they do not.
        recovered: whether a crash was repaired.
        lost_estimate_s: seconds that the crash cost, as far as one can tell.
        failure: why recording ended early, or empty.
    """

    format: Literal["rgbd-session"] = "rgbd-session"
    version: int = VERSION
    session_id: str
    files: tuple[SegmentEntry, ...]
    documents: dict[str, str] = {}
    totals: dict[str, CameraTotals] = {}
    refined: dict[str, RefinedTotals] = {}
    lost: dict[str, tuple[LostFrames, ...]] = {}
    sync: dict[str, SyncEntry] = {}
    honest: bool = True
    dishonest_because: str = ""
    recovered: bool = False
    lost_estimate_s: float = 0.0
    failure: str = ""

    @property
    def duration_s(self) -> float:
        """From the first message to the last one."""
        filled = [file for file in self.files if file.last_ns]
        if not filled:
            return 0.0
        return (max(file.last_ns for file in filled) - min(file.first_ns for file in filled)) / 1e9

    @property
    def start_ns(self) -> int:
        """UTC of the first message; 0 without any."""
        return min((file.first_ns for file in self.files if file.first_ns), default=0)

    def frames(self, camera_id: str) -> int:
        """Frames of one camera in all segments."""
        return self._messages(topic(camera_id, META))

    def refined_frames(self, camera_id: str) -> int:
        """Frames of one camera that have refined depth."""
        return self._messages(topic(camera_id, REFINED_META))

    def _messages(self, name: str) -> int:
        return sum(file.counts.get(name, 0) for file in self.files)


def document_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the JSON files that never change after the first frame, by name.

    Raises:
        OSError: one is not there.
    """
    names = (SESSION_NAME, CALIBRATION_NAME)
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


_Any = TypeVar("_Any", bound=BaseModel)


def write_model(path: Path, model: BaseModel) -> None:
    """Write a model as JSON, durable and all or nothing."""
    write_atomically(path, (model.model_dump_json(indent=2) + "\n").encode())


def read_model(path: Path, kind: type[_Any]) -> _Any:
    """Read one of the JSON files.

    Raises:
        SessionError: the file is missing, damaged, or of a later version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SessionError(
            f"{path} cannot be read: {error.strerror}",
            hint=f"Choose a session folder; it holds a file {SESSION_NAME}.",
        ) from error
    try:
        model = kind.model_validate_json(data)
    except ValidationError as error:
        hint = remedy(path, made_again=path.name == MANIFEST_NAME)
        raise SessionError(f"{path} is damaged: {mistake(error)}", hint=hint) from error
    version = getattr(model, "version", VERSION)
    if version > VERSION:
        raise SessionError(
            f"{path} has version {version} of the format and this program knows {VERSION}",
            hint="Update DepthMend, then open the session again.",
        )
    return model


def _rows(matrix: NDArray[np.float64]) -> Matrix4:
    assert matrix.shape == (4, 4), matrix.shape
    return tuple(tuple(float(number) for number in row) for row in matrix)  # type: ignore[return-value]
