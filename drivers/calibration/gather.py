"""Boards from recordings: a session, or folders of pictures that were taken of one board after the other."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from drivers.calibration.board import Board
from drivers.calibration.coverage import is_new, moved_px
from drivers.calibration.detect import Refused, Sighting, look_for
from drivers.calibration.factory import Sample, sample
from drivers.calibration.solve import View
from drivers.errors import CalibrationError
from drivers.frame import Frame
from drivers.geometry import Intrinsics
from drivers.session.manifest import CalibrationFile
from drivers.session.reader import Session

EVERY_NS = 300_000_000
TOGETHER_NS = 60_000_000
SMEAR_PX = 0.4
"""So far a board may have moved between the exposures of two cameras."""
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
SAMPLES = 12

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Gathered:
    """What was found.

    Attributes:
        cameras: colour intrinsics by camera id.
        serials: by camera id.
        names: for people, by camera id.
        views: boards.
        samples: of depth against colour, by camera id.
        refused: how many pictures were refused, by reason.
    """

    cameras: Mapping[str, Intrinsics]
    serials: Mapping[str, str]
    names: Mapping[str, str]
    views: list[View] = field(default_factory=list)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def look(self, picture: np.ndarray, camera_id: str, board: Board) -> Sighting | None:
        """The board in one picture; a refusal is counted."""
        found = look_for(picture, board, self.cameras[camera_id], explain=False)
        if isinstance(found, Refused):
            self.refused[found.why] = self.refused.get(found.why, 0) + 1
            return None
        return found

    def take(self, sightings: Mapping[str, Sighting], board: Board) -> bool:
        """Keep a board that two cameras saw, if it stands otherwise than all before."""
        taken = len(sightings) > 1 and is_new(sightings, self.views, self.cameras, board)
        if taken:
            self.views.append(View(dict(sightings)))
        return taken


def from_session(path: Path, board: Board, tell: Tell) -> Gathered:
    """Boards that were held before a rig while it recorded.

    A board that moved between the exposures of two cameras is left out: its speed is known from two frames of
    each camera in a row.

    Raises:
        SessionError: the session cannot be read.
        CalibrationError: it has one camera only.
    """
    session = Session(path)
    ids = [camera_id for camera_id in session.camera_ids if session.count(camera_id) > 1]
    if len(ids) < 2:
        raise CalibrationError(f"{path} has one camera only.", hint="Record the whole rig.")
    entries = {entry.id: entry for entry in session.cameras}
    found = Gathered(
        cameras={camera_id: session.calibration(camera_id).color for camera_id in ids},
        serials={camera_id: entries[camera_id].serial or camera_id for camera_id in ids},
        names={camera_id: entries[camera_id].name or camera_id for camera_id in ids},
    )
    times = {camera_id: session.times(camera_id) for camera_id in ids}
    first, last = max(t[0] for t in times.values()), min(t[-1] for t in times.values())
    moments = np.arange(first, last + 1, EVERY_NS)
    for number, moment in enumerate(moments):
        if number % 20 == 0:
            tell(f"{number} of {len(moments)} moments, {len(found.views)} boards")
        sightings: dict[str, Sighting] = {}
        frames: dict[str, int] = {}
        for camera_id in ids:
            n = int(np.abs(times[camera_id] - moment).argmin())
            n = min(n, session.count(camera_id) - 2)
            if abs(int(times[camera_id][n]) - int(moment)) > TOGETHER_NS:
                continue
            seen = found.look(session.frame(camera_id, n).color, camera_id, board)
            if seen is None:
                continue
            here, there = (int(times[camera_id][k]) for k in (n, n + 1))
            share = abs(here - int(moment)) / max(there - here, 1)
            if _smear_px(seen, session.frame(camera_id, n + 1), board, share) > SMEAR_PX:
                found.refused["moving"] = found.refused.get("moving", 0) + 1
                continue
            sightings[camera_id], frames[camera_id] = seen, n
        if found.take(sightings, board):
            for camera_id, n in frames.items():
                samples = found.samples.setdefault(camera_id, [])
                if len(samples) < SAMPLES:
                    measured = sample(session.frame(camera_id, n), sightings[camera_id], board)
                    samples += [measured] if measured is not None else []
    return found


def _smear_px(seen: Sighting, after: Frame, board: Board, share: float) -> float:
    """How far the board moves in this share of the time to the next frame."""
    again = look_for(after.color, board, after.calibration.color, explain=False)
    return float("inf") if isinstance(again, Refused) else moved_px(seen, again) * share


def from_folder(path: Path, board: Board, tell: Tell) -> Gathered:
    """Boards from pictures: a folder for each camera, files of one board with one name in all of them.

    `calibration.json` beside the folders says what the lenses are, as in a session: `cameras`, by the
    folder's name, `color` with width, height, fx, fy, cx, cy and distortion. `serial` may stand beside it.

    Raises:
        CalibrationError: it is not such a folder.
    """
    lenses, serials = _lenses(path / "calibration.json")
    folders = {name: path / name for name in lenses if (path / name).is_dir()}
    if len(folders) < 2:
        raise CalibrationError(
            f"{path} has pictures of {len(folders)} of the cameras in its calibration.json.",
            hint="Put the pictures of each camera into a folder of its name.",
        )
    cameras = {name: lenses[name] for name in folders}
    found = Gathered(cameras, {n: serials[n] for n in folders}, {name: name for name in folders})
    pictures = {
        name: {file.stem: file for file in sorted(folder.iterdir()) if file.suffix.lower() in PICTURES}
        for name, folder in folders.items()
    }
    stems = sorted(set().union(*(files.keys() for files in pictures.values())))
    for number, stem in enumerate(stems):
        if number % 20 == 0:
            tell(f"{number} of {len(stems)} pictures, {len(found.views)} boards")
        sightings = {}
        for name, files in pictures.items():
            if stem not in files:
                continue
            grey = cv2.imdecode(np.fromfile(files[stem], np.uint8), cv2.IMREAD_GRAYSCALE)
            lens = cameras[name]
            if grey is None or grey.shape != (lens.height, lens.width):
                raise CalibrationError(
                    f"{files[stem]} is no picture of {lens.width} x {lens.height} pixels.",
                    hint="The pictures must be as large as calibration.json says.",
                )
            seen = found.look(np.asarray(grey, np.uint8), name, board)
            if seen is not None:
                sightings[name] = seen
        found.take(sightings, board)
    return found


def _lenses(path: Path) -> tuple[dict[str, Intrinsics], dict[str, str]]:
    hint = "It holds cameras by name, each with color: width, height, fx, fy, cx, cy, distortion."
    try:
        raw = json.loads(path.read_text("utf-8"))
        for camera in raw["cameras"].values():
            camera.setdefault("depth", camera["color"])
            camera.setdefault("color_from_depth", np.eye(4).tolist())
        cameras = CalibrationFile.model_validate(raw).cameras
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read: {error.strerror}.", hint=hint) from error
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError) as error:
        raise CalibrationError(f"{path} is damaged.", hint=hint) from error
    serials = {name: str(raw["cameras"][name].get("serial", name)) for name in cameras}
    return {name: camera.color.intrinsics() for name, camera in cameras.items()}, serials
