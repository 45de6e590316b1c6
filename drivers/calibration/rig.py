"""Where the cameras of one rig stand, as it is kept: one dated file for each set of serial numbers."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from drivers.errors import CalibrationError, SessionError
from drivers.session.manifest import Matrix4, read_model, write_model

VERSION = 1
OLD_AFTER_DAYS = 30.0
"""Mounts settle, and cables pull: a rig that is carried about is measured again after this time."""

AGAIN = "Calibrate the rig again, or put the file back from a copy."


class PlacedCamera(BaseModel):
    """One camera of a calibrated rig.

    Attributes:
        serial: vendor's serial number.
        name: for people.
        rig_from_color: where its colour camera sits, metres; the identity for the first camera.
        views: pictures of the board that it took part with.
        rms_px: what is left between its corners and the solution.
        rotation_sd_deg: one standard deviation of its direction; 0 for the first camera.
        translation_sd_mm: one standard deviation of its place; 0 for the first camera.
        factory: what the check of its depth against its colour found, in words; empty where none was made.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    serial: str
    name: str = ""
    rig_from_color: Matrix4
    views: int = 0
    rms_px: float = 0.0
    rotation_sd_deg: float = 0.0
    translation_sd_mm: float = 0.0
    factory: str = ""

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) `rig_from_color`."""
        return np.array(self.rig_from_color)


class PairResidual(BaseModel):
    """How well two cameras agree about the boards that both saw.

    Attributes:
        serials: of the two.
        views: that both took part in.
        rms_px: corners that the one saw, carried into the other by the solution.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    serials: tuple[str, str]
    views: int
    rms_px: float


class RigCalibration(BaseModel):
    """Where the cameras of one rig stand; the first camera's colour lens is the origin.

    Attributes:
        made_utc: when the pictures were taken, ISO 8601.
        board: what was held, in words.
        cameras: in the rig's order.
        pairs: of cameras that saw boards together.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["rig-calibration"] = "rig-calibration"
    version: int = VERSION
    made_utc: str
    board: str = ""
    cameras: tuple[PlacedCamera, ...]
    pairs: tuple[PairResidual, ...] = ()

    @property
    def serials(self) -> frozenset[str]:
        """Of all cameras."""
        return frozenset(camera.serial for camera in self.cameras)

    @property
    def made(self) -> datetime:
        """`made_utc` as a moment."""
        made = datetime.fromisoformat(self.made_utc)
        return made if made.tzinfo is not None else made.replace(tzinfo=UTC)

    def age_days(self, now: datetime | None = None) -> float:
        """Days since it was made."""
        return ((now or datetime.now(UTC)) - self.made).total_seconds() / 86_400

    def places(self, serials: Mapping[str, str]) -> dict[str, NDArray[np.float64]]:
        """(4, 4) `rig_from_color` of every camera that is known.

        Args:
            serials: by the camera's name within the rig.
        """
        by_serial = {camera.serial: camera.matrix for camera in self.cameras}
        return {name: by_serial[serial] for name, serial in serials.items() if serial in by_serial}


def now_utc() -> str:
    """This moment as `RigCalibration.made_utc` wants it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def rig_file(folder: Path, serials: Iterable[str]) -> Path:
    """Where the calibration of the rig of these cameras is kept."""
    key = "\n".join(sorted(serials))
    return folder / f"rig-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def save(folder: Path, calibration: RigCalibration) -> Path:
    """Keep a calibration; the one before of the same cameras stays beside it, under its date.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = rig_file(folder, calibration.serials)
    if path.exists():
        stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%S")
        path.replace(path.with_suffix(f".{stamp}.bak"))
    write_model(path, calibration)
    return path


def load(path: Path) -> RigCalibration:
    """Read one file.

    Raises:
        CalibrationError: it is missing, damaged or of a later version.
    """
    try:
        calibration = read_model(path, RigCalibration)
    except SessionError as error:
        raise CalibrationError(str(error), hint=AGAIN) from error
    if len(calibration.serials) != len(calibration.cameras):
        raise CalibrationError(f"{path} names a camera twice.", hint=AGAIN)
    return calibration


def find(folder: Path, serials: Iterable[str]) -> RigCalibration | None:
    """The calibration of the rig of these cameras, or the newest of a larger rig that has them all.

    A camera without a serial number cannot be told from its neighbour, so such a rig has none.

    Raises:
        CalibrationError: the rig's own file is damaged.
    """
    wanted = list(serials)
    if len(wanted) < 2 or "" in wanted or len(set(wanted)) != len(wanted):
        return None
    own = rig_file(folder, wanted)
    if own.exists():
        return load(own)
    larger = []
    for path in sorted(folder.glob("rig-*.json")):
        try:
            calibration = load(path)
        except CalibrationError:  # of another rig: none of our business, and its own start says so
            continue
        if calibration.serials >= set(wanted):
            larger.append(calibration)
    return max(larger, key=lambda calibration: calibration.made, default=None)
