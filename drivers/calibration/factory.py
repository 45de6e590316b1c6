"""Whether a camera's own calibration of depth against colour holds: measured on the board, said in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.calibration.board import Board
from drivers.calibration.bundle import board_pose, moved_by, projected
from drivers.calibration.detect import Sighting, look_for
from drivers.frame import Frame
from drivers.geometry import points_in_camera

LEAST_POINTS = 150
NEAR_BOARD_M = 0.12
LEAST_SAMPLES = 3
WORST_SHARE = 0.02
WORST_MM = 6.0
WORST_TILT_DEG = 2.5
WORST_IR_PX = 1.5


@dataclass(frozen=True)
class Sample:
    """What one picture of the board says.

    Attributes:
        distance_m: of the board's middle.
        offset_mm: measured depth behind (positive) or before the board, along its normal.
        tilt_deg: between the measured plane and the board.
        points: measured pixels on the board.
        ir_px: corners seen in infrared, carried into colour by the factory's calibration, against the corners
            seen there: root mean square; None where infrared shows no board.
    """

    distance_m: float
    offset_mm: float
    tilt_deg: float
    points: int
    ir_px: float | None = None


@dataclass(frozen=True)
class Finding:
    """What the check found of one camera.

    Attributes:
        good: whether depth and colour agree; None where too little was measured.
        words: with figures.
        offset_share: median offset as a share of the distance; positive reads too far.
    """

    good: bool | None
    words: str
    offset_share: float = 0.0


def sample(frame: Frame, sighting: Sighting, board: Board) -> Sample | None:
    """Depth and infrared of one exposure against the board that colour sees; None without depth on it."""
    calibration = frame.calibration
    color_from_board = board_pose(board, sighting, calibration.color)
    points = points_in_camera(frame.depth, calibration.depth).astype(np.float64)
    on_board = moved_by(np.linalg.inv(color_from_board) @ calibration.color_from_depth, points)
    width, height = board.size_m
    inside = (
        (on_board[:, 0] > 0)
        & (on_board[:, 0] < width)
        & (on_board[:, 1] > 0)
        & (on_board[:, 1] < height)
        & (np.abs(on_board[:, 2]) < NEAR_BOARD_M)
    )
    plane = on_board[inside]
    if len(plane) < LEAST_POINTS:
        return None
    offset = float(np.median(plane[:, 2]))
    flat = plane[np.abs(plane[:, 2] - offset) < 3 * np.median(np.abs(plane[:, 2] - offset)) + 1e-4]
    _, _, axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    tilt = float(np.degrees(np.arccos(min(abs(axes[2, 2]), 1.0))))
    distance = float(moved_by(color_from_board, np.array([[width / 2, height / 2, 0.0]]))[0, 2])
    return Sample(distance, offset * 1e3, tilt, len(plane), _ir_px(frame, sighting, board))


def _ir_px(frame: Frame, sighting: Sighting, board: Board) -> float | None:
    calibration = frame.calibration
    if frame.ir_left is None or calibration.ir is None or calibration.color_from_ir_left is None:
        return None
    seen = look_for(frame.ir_left, board, calibration.ir, explain=False)
    if not isinstance(seen, Sighting):
        return None
    carried = calibration.color_from_ir_left @ board_pose(board, seen, calibration.ir)
    _, ours, _ = np.intersect1d(sighting.ids, seen.ids, return_indices=True)
    by_infrared, _ = projected(moved_by(carried, board.points(sighting.ids[ours])), calibration.color)
    return float(np.sqrt(((by_infrared - sighting.pixels[ours]) ** 2).sum(axis=1).mean()))


def judge(samples: Sequence[Sample]) -> Finding:
    """What several pictures say together."""
    if len(samples) < LEAST_SAMPLES:
        return Finding(None, "Depth against colour was not checked: too little depth on the board.")
    offset_mm = float(np.median([s.offset_mm for s in samples]))
    share = float(np.median([s.offset_mm / 1e3 / s.distance_m for s in samples]))
    tilt = float(np.median([s.tilt_deg for s in samples]))
    distance = float(np.median([s.distance_m for s in samples]))
    offset, percent = abs(offset_mm), 100 * abs(share)
    figures = (
        f"A board at {distance:.2f} m reads {offset:.1f} mm ({percent:.1f}%) too far and {tilt:.1f} degrees "
        f"tilted, in {len(samples)} pictures."
        if offset_mm > 0
        else f"A board at {distance:.2f} m reads {offset:.1f} mm ({percent:.1f}%) too near and "
        f"{tilt:.1f} degrees tilted, in {len(samples)} pictures."
    )
    infrared = [s.ir_px for s in samples if s.ir_px is not None]
    ir_px = float(np.median(infrared)) if len(infrared) >= LEAST_SAMPLES else None
    said = [figures] if ir_px is None else [figures, f"Infrared lies {ir_px:.1f} px from colour."]
    far_off = abs(share) > WORST_SHARE and abs(offset_mm) > WORST_MM
    good = not far_off and tilt <= WORST_TILT_DEG and (ir_px is None or ir_px <= WORST_IR_PX)
    if good:
        return Finding(True, " ".join(("Depth agrees with colour.", *said)), share)
    advice = "Measure a square again, or run the vendor's own calibration of this camera."
    return Finding(False, " ".join(("Depth does not agree with colour.", *said, advice)), share)


def square_note(findings: Sequence[Finding], board: Board) -> str:
    """Whether all cameras say that the squares have another size; empty where they do not."""
    shares = [finding.offset_share for finding in findings if finding.good is not None]
    if len(shares) < 2 or min(abs(share) for share in shares) < WORST_SHARE:
        return ""
    if max(shares) * min(shares) < 0 or max(shares) - min(shares) > WORST_SHARE:
        return ""
    given = board.square_m * 1e3
    fitting = given * (1 + float(np.median(shares)))
    return (
        f"All cameras measure another size of the board: squares of {fitting:.1f} mm would fit, "
        f"{given:.1f} mm were given. Measure them with a ruler."
    )
