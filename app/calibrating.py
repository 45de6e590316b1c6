"""Takes pictures of a board with a running rig, and solves: what the wizard and a verb do, without either.

Nothing here has a thread: whoever owns the calibrator calls `look` again and again, from one thread.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.language import joined, tr, tr_noop, with_minus
from drivers.calibration.board import Board
from drivers.calibration.coverage import Progress, is_new, moved_px, progress
from drivers.calibration.detect import Refused, Sighting, look_for
from drivers.calibration.factory import Finding, Sample, judge, sample, square_note
from drivers.calibration.rig import PairResidual, PlacedCamera, RigCalibration, now_utc
from drivers.calibration.solve import Solution, View, solve
from drivers.camera import CameraInfo
from drivers.errors import CalibrationError
from drivers.frame import Frame
from drivers.geometry import Intrinsics

STILL_PX = 0.8
STILL_S = 0.25
"""A board that moves by less than `STILL_PX` in this time is held still."""
EXPLAIN_EVERY = 5
"""Looks without a board until it is asked why; that takes longer."""
SAMPLES = 12

Tone = Literal["", "ok", "warning"]


@dataclass(frozen=True, eq=False)
class CameraLook:
    """What one camera sees of the board.

    Attributes:
        camera_id: which.
        frame: that was looked at, or None before the first.
        sighting: the corners, or None.
        still: whether the board is held still.
        words: what is the case, for the operator.
        tone: of the words.
    """

    camera_id: str
    frame: Frame | None = None
    sighting: Sighting | None = None
    still: bool = False
    words: str = tr_noop("Waiting for a picture.")
    tone: Tone = ""


@dataclass(frozen=True, eq=False)
class Placed:
    """A solution with everything that is said about it.

    Attributes:
        solution: places and figures.
        findings: of each camera's own calibration, by camera id.
        square: what all cameras together say of the size of the squares; empty where nothing.
    """

    solution: Solution
    findings: Mapping[str, Finding] = field(default_factory=dict)
    square: str = ""


def serials_of(infos: Sequence[CameraInfo]) -> dict[str, str]:
    """Serial numbers by camera id, of cameras that a calibration can be kept for.

    Raises:
        CalibrationError: there are fewer than two, or some cannot be told apart.
    """
    if len(infos) < 2:
        raise CalibrationError(
            "A rig has two cameras or more.", hint="Open all cameras, or the simulated rig, then come back."
        )
    unnamed = [info.name for info in infos if not info.serial]
    if unnamed:
        raise CalibrationError(
            f"{', '.join(unnamed)} has no serial number.",
            hint="What is measured could not be found again; leave this camera out.",
        )
    serials = {info.id: info.serial for info in infos}
    if len(set(serials.values())) < len(serials):
        raise CalibrationError("Two cameras have the same serial number.", hint="Leave one of them out.")
    return serials


class Calibrator:
    """Collects boards of some cameras of a rig.

    Args:
        infos: the cameras that take part, the first one becomes the origin.
        board: that is held.

    Attributes:
        views: boards that were taken.

    Raises:
        CalibrationError: these cameras cannot be calibrated.
    """

    def __init__(self, infos: Sequence[CameraInfo], board: Board) -> None:
        self.infos = {info.id: info for info in infos}
        self.board = board
        self.views: list[View] = []
        self._serials = serials_of(infos)
        self._lenses: dict[str, Intrinsics] = {}
        self._before: dict[str, list[tuple[float, Sighting]]] = {camera_id: [] for camera_id in self.infos}
        self._misses = dict.fromkeys(self.infos, 0)
        self._samples: list[dict[str, Sample]] = []

    @property
    def names(self) -> dict[str, str]:
        """Of the cameras for people, by camera id."""
        return {camera_id: info.name for camera_id, info in self.infos.items()}

    def look(self, frames: Mapping[str, Frame], now_s: float | None = None) -> dict[str, CameraLook]:
        """Find the board in one frame of each camera that has one."""
        now_s = time.monotonic() if now_s is None else now_s
        return {
            camera_id: self._look(camera_id, frames[camera_id], now_s)
            if camera_id in frames
            else CameraLook(camera_id)
            for camera_id in self.infos
        }

    def _look(self, camera_id: str, frame: Frame, now_s: float) -> CameraLook:
        lens = self._lenses[camera_id] = frame.calibration.color
        explain = self._misses[camera_id] % EXPLAIN_EVERY == EXPLAIN_EVERY - 1
        found = look_for(frame.color, self.board, lens, explain=explain)
        if isinstance(found, Refused):
            self._misses[camera_id] += 1
            self._before[camera_id] = []
            tone: Tone = "" if found.why == "none" else "warning"
            return CameraLook(camera_id, frame, words=found.words, tone=tone)
        self._misses[camera_id] = 0
        history = [entry for entry in self._before[camera_id] if now_s - entry[0] < 4 * STILL_S]
        earlier = [old for at_s, old in history if now_s - at_s >= STILL_S]
        still = bool(earlier) and moved_px(earlier[-1], found) < STILL_PX
        self._before[camera_id] = [*history, (now_s, found)]
        words = tr("{found} of {corners} corners, {motion}.").format(
            found=len(found.ids), corners=self.board.corners, motion=tr("still") if still else tr("moving")
        )
        return CameraLook(camera_id, frame, found, still, words, "ok" if still else "")

    def worth_taking(self, looks: Mapping[str, CameraLook]) -> bool:
        """Whether the board is held still where two cameras see it, and stands otherwise than before."""
        seen = {name: look.sighting for name, look in looks.items() if look.sighting is not None}
        still = all(looks[name].still for name in seen)
        return len(seen) > 1 and still and is_new(seen, self.views, self._lenses, self.board)

    def take(self, looks: Mapping[str, CameraLook]) -> None:
        """Add what is seen now as one board.

        Raises:
            CalibrationError: fewer than two cameras see it.
        """
        seen = {name: look for name, look in looks.items() if look.sighting is not None}
        if len(seen) < 2:
            raise CalibrationError(
                "Fewer than two cameras see the whole board.", hint="Hold it where two cameras see it."
            )
        self.views.append(View({name: look.sighting for name, look in seen.items() if look.sighting}))
        samples = {}
        for name, look in seen.items():
            taken = sum(name in already for already in self._samples)
            if look.frame is not None and look.sighting is not None and taken < SAMPLES:
                measured = sample(look.frame, look.sighting, self.board)
                if measured is not None:
                    samples[name] = measured
        self._samples.append(samples)

    def take_back(self) -> None:
        """Forget the newest board; nothing without any."""
        if self.views:
            self.views.pop()
            self._samples.pop()

    def progress(self) -> Progress:
        """What the boards so far cover."""
        if len(self._lenses) < len(self.infos):
            missing = [self.names[name] for name in self.infos if name not in self._lenses]
            return Progress(
                len(self.views), advice=tr("Waiting for {missing}.").format(missing=", ".join(missing))
            )
        return progress(self.views, self._ordered_lenses(), self.board, self.names)

    def solve(self) -> Placed:
        """Place the cameras.

        Raises:
            CalibrationError: the pictures do not suffice; says why.
        """
        missing = [self.names[name] for name in self.infos if name not in self._lenses]
        if missing:
            raise CalibrationError(f"There is no picture of {', '.join(missing)}.", hint="Wait for it.")
        solution = solve(self.views, self._ordered_lenses(), self.board)
        findings = {
            name: judge([samples[name] for samples in self._samples if name in samples])
            for name in self.infos
        }
        return Placed(solution, findings, square_note(list(findings.values()), self.board))

    def calibration(self, placed: Placed) -> RigCalibration:
        """What is kept of a solution."""
        return rig_calibration(placed, self._serials, self.names, self.board)

    def _ordered_lenses(self) -> dict[str, Intrinsics]:
        return {camera_id: self._lenses[camera_id] for camera_id in self.infos}


def rig_calibration(
    placed: Placed, serials: Mapping[str, str], names: Mapping[str, str], board: Board
) -> RigCalibration:
    """What is kept of a solution.

    Args:
        placed: the solution.
        serials: by camera id.
        names: likewise.
        board: that was held.
    """
    solution = placed.solution
    cameras = tuple(
        PlacedCamera(
            serial=serials[camera_id],
            name=names[camera_id],
            rig_from_color=tuple(tuple(row) for row in matrix.tolist()),
            views=solution.figures[camera_id].views,
            rms_px=round(solution.figures[camera_id].rms_px, 4),
            rotation_sd_deg=round(solution.figures[camera_id].rotation_sd_deg, 5),
            translation_sd_mm=round(solution.figures[camera_id].translation_sd_mm, 4),
            factory=placed.findings[camera_id].words if camera_id in placed.findings else "",
        )
        for camera_id, matrix in solution.rig_from_color.items()
    )
    pairs = tuple(
        PairResidual(serials=(serials[a], serials[b]), views=views, rms_px=round(rms_px, 4))
        for (a, b), (views, rms_px) in solution.pairs.items()
    )
    return RigCalibration(made_utc=now_utc(), board=board.words, cameras=cameras, pairs=pairs)


def solution_lines(placed: Placed, names: Mapping[str, str]) -> list[str]:
    """A solution in words, one line for each camera and pair."""
    lines = [joined(": ", (names[n], place_words(placed, n))) for n in placed.solution.figures]
    return lines + pair_lines(placed, names)


def place_words(placed: Placed, camera_id: str) -> str:
    """Where one camera stands, and how well that is known."""
    solution = placed.solution
    figure = solution.figures[camera_id]
    fit = tr("{views} pictures fit to {rms_px:.2f} px").format(views=figure.views, rms_px=figure.rms_px)
    if camera_id == next(iter(solution.figures)):
        return tr("the origin; {fit}").format(fit=fit)
    x, y, z = (with_minus(f"{1e3 * value:+.1f}") for value in solution.rig_from_color[camera_id][:3, 3])
    return tr(
        "at x {x}, y {y}, z {z} mm, known to {translation_sd_mm:.2f} mm and "
        "{rotation_sd_deg:.3f} degrees (one standard deviation); {fit}"
    ).format(
        x=x,
        y=y,
        z=z,
        translation_sd_mm=figure.translation_sd_mm,
        rotation_sd_deg=figure.rotation_sd_deg,
        fit=fit,
    )


def pair_lines(placed: Placed, names: Mapping[str, str]) -> list[str]:
    """How well the cameras of each pair agree, in words."""
    lines = []
    for (a, b), (views, rms_px) in placed.solution.pairs.items():
        lines.append(
            tr(
                "{one} and {other}: {views} pictures; placed by one camera alone, the board lies "
                "{rms_px:.2f} px off in the other"
            ).format(one=names[a], other=names[b], views=views, rms_px=rms_px)
        )
    return lines
