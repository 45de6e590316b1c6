"""Where all cameras of a rig stand, from the boards that they saw: bundle adjustment over all pairs jointly.

What is asked of the pictures before, and of the solution after, stands here; the least squares are in
`bundle`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from drivers.calibration.board import Board
from drivers.calibration.bundle import Bundle, Matrix, Seen, board_pose, moved_by, projected
from drivers.calibration.detect import Sighting
from drivers.errors import CalibrationError
from drivers.geometry import Intrinsics

LEAST_VIEWS = 6
"""Boards that a camera must have seen together with the others."""
MOST_VIEWS = 80
LEAST_TILT_DEG = 20.0
"""Between two boards: flat ones, all alike, leave direction and place hard to tell apart."""
LEAST_CELLS = 5
"""Of the 12 cells of a picture that the boards must have touched."""
GRID = (4, 3)
WORST_RMS_PX = 1.5
WORST_ROTATION_DEG = 0.1
WORST_TRANSLATION_MM = 2.0


@dataclass(frozen=True, eq=False)
class View:
    """One pose of the board, as all cameras that saw it did.

    Attributes:
        sightings: by camera id.
    """

    sightings: Mapping[str, Sighting]


@dataclass(frozen=True)
class CameraFigures:
    """How well one camera is placed.

    Attributes:
        views: boards that it saw, those left out not counted.
        rms_px: what is left between corners and solution.
        rotation_sd_deg: one standard deviation; 0 for the first camera.
        translation_sd_mm: likewise.
    """

    views: int
    rms_px: float
    rotation_sd_deg: float
    translation_sd_mm: float


@dataclass(frozen=True, eq=False)
class Solution:
    """A rig that is placed.

    Attributes:
        rig_from_color: (4, 4) metres by camera id; the identity for the first camera.
        figures: by camera id.
        pairs: views and rms in pixels by two camera ids, of those that saw boards together: corners of the
            one, carried by the board's pose of its own picture into the other.
        rig_from_board: (4, 4) metres by number of the view; without those left out.
        left_out: what was not used: number of the view, camera id, and the reason.
    """

    rig_from_color: dict[str, Matrix]
    figures: dict[str, CameraFigures]
    pairs: dict[tuple[str, str], tuple[int, float]]
    rig_from_board: dict[int, Matrix]
    left_out: tuple[tuple[int, str, str], ...] = ()


def solve(views: Sequence[View], cameras: Mapping[str, Intrinsics], board: Board) -> Solution:
    """Place the cameras.

    Args:
        views: boards; those that only one camera saw are of no use and are passed over.
        cameras: colour intrinsics by camera id, two or more; the first one's lens is the rig's origin.
        board: that was held.

    Raises:
        CalibrationError: there are too few views, they cover too little, or the solution is too uncertain.
    """
    if len(cameras) < 2:
        raise CalibrationError("One camera has no neighbours.", hint="Open a rig of two cameras or more.")
    names = list(cameras)
    lenses = list(cameras.values())
    seen = _observations(_chosen(views, names), names, board)
    check_coverage(views, cameras, board)
    poses = {(s.camera, s.view): board_pose(board, s.sighting, lenses[s.camera]) for s in seen}
    camera_poses, board_poses = _first_guess(names, seen, poses)
    left_out: list[tuple[int, str, str]] = []
    while True:
        bundle = Bundle(lenses, seen, camera_poses, board_poses)
        bundle.run()
        bad = bundle.worst()
        if not bad:
            bundle.trust_by_fit()
            bundle.run()
            break
        left_out += [(s.view, names[s.camera], f"{rms:.1f} px off: moved or misread") for s, rms in bad]
        dropped = {id(s) for s, _ in bad}
        seen = _shared([s for s in seen if id(s) not in dropped])
        _check_linked(names, [(s.camera, s.view) for s in seen])
        camera_poses = bundle.camera_from_rig
        board_poses = {v: bundle.rig_from_board[v] for v in {s.view for s in seen}}
    return _result(names, bundle, left_out, board)


def _chosen(views: Sequence[View], names: Sequence[str]) -> dict[int, View]:
    """Views that two of the cameras saw, by number; evenly thinned where there are too many."""
    useful = {i: view for i, view in enumerate(views) if sum(n in view.sightings for n in names) > 1}
    if len(useful) <= MOST_VIEWS:
        return useful
    keys = list(useful)
    taken = np.linspace(0, len(keys) - 1, MOST_VIEWS).round().astype(int)
    return {keys[i]: useful[keys[i]] for i in taken}


def _observations(views: Mapping[int, View], names: Sequence[str], board: Board) -> list[Seen]:
    return [
        Seen(names.index(name), number, sighting, board.points(sighting.ids))
        for number, view in views.items()
        for name, sighting in view.sightings.items()
        if name in names
    ]


def _shared(seen: Sequence[Seen]) -> list[Seen]:
    """Without boards that only one camera is left for."""
    counts: dict[int, int] = {}
    for s in seen:
        counts[s.view] = counts.get(s.view, 0) + 1
    return [s for s in seen if counts[s.view] > 1]


def cells_of(pixels: Matrix, camera: Intrinsics) -> set[tuple[int, int]]:
    """Column and row of the picture's cells, of `GRID` each way, that these pixels lie in."""
    columns = np.clip((pixels[:, 0] + 0.5) * GRID[0] / camera.width, 0, GRID[0] - 1).astype(int)
    rows = np.clip((pixels[:, 1] + 0.5) * GRID[1] / camera.height, 0, GRID[1] - 1).astype(int)
    return set(zip(columns.tolist(), rows.tolist(), strict=True))


def tilt_deg(normals: Sequence[Matrix]) -> float:
    """The largest angle between two of these (3,) unit vectors."""
    if len(normals) < 2:
        return 0.0
    stack = np.array(normals)
    return float(np.degrees(np.arccos(np.clip((stack @ stack.T).min(), -1, 1))))


def check_coverage(views: Sequence[View], cameras: Mapping[str, Intrinsics], board: Board) -> None:
    """Whether these views are enough.

    Raises:
        CalibrationError: they are not; the message says for which camera, the hint where to hold the board.
    """
    names = list(cameras)
    useful = _chosen(views, names)
    links = [(names.index(n), v) for v, view in useful.items() for n in view.sightings if n in names]
    for name, camera in cameras.items():
        mine = [view.sightings[name] for view in useful.values() if name in view.sightings]
        if len(mine) < LEAST_VIEWS:
            raise CalibrationError(
                f"{name} saw the board together with another camera {len(mine)} times; "
                f"{LEAST_VIEWS} are needed.",
                hint="Hold the board still where two cameras see it, in more places.",
            )
        cells = set().union(*(cells_of(s.pixels, camera) for s in mine))
        if len(cells) < LEAST_CELLS:
            raise CalibrationError(
                f"The boards cover only {len(cells)} of {GRID[0] * GRID[1]} parts of the picture of {name}; "
                f"{LEAST_CELLS} are needed.",
                hint="Hold the board also near the edges of the picture.",
            )
        tilt = tilt_deg([board_pose(board, s, camera)[:3, 2] for s in mine])
        if tilt < LEAST_TILT_DEG:
            raise CalibrationError(
                f"All boards that {name} saw lie within {tilt:.0f} degrees; {LEAST_TILT_DEG:.0f} are needed.",
                hint="Tilt the board: left, right, up and down.",
            )
    _check_linked(names, links)


def _check_linked(names: Sequence[str], links: Sequence[tuple[int, int]]) -> None:
    """Whether shared boards lead from the first camera to all others.

    Raises:
        CalibrationError: they do not.
    """
    reached, views = {0}, {v for c, v in links if c == 0}
    while True:
        more = {c for c, v in links if v in views} - reached
        if not more:
            break
        reached |= more
        views |= {v for c, v in links if c in more}
    if len(reached) < len(names):
        alone = ", ".join(name for i, name in enumerate(names) if i not in reached)
        raise CalibrationError(
            f"No board links {alone} with {names[0]}.",
            hint="Hold the board where it is seen by a camera of either group at once.",
        )


def _first_guess(
    names: Sequence[str], seen: Sequence[Seen], poses: Mapping[tuple[int, int], Matrix]
) -> tuple[list[Matrix], dict[int, Matrix]]:
    """camera_from_rig of every camera, rig_from_board of every view: from pair to pair, best linked first."""
    by_camera = [{s.view for s in seen if s.camera == c} for c in range(len(names))]
    camera_from_rig: dict[int, Matrix] = {0: np.eye(4)}
    while len(camera_from_rig) < len(names):
        pairs = [
            (len(by_camera[known] & by_camera[new]), known, new)
            for known in camera_from_rig
            for new in range(len(names))
            if new not in camera_from_rig
        ]
        _, known, new = max(pairs)
        shared = sorted(by_camera[known] & by_camera[new])
        between = [poses[new, v] @ np.linalg.inv(poses[known, v]) for v in shared]
        camera_from_rig[new] = _middle(between) @ camera_from_rig[known]
    views = sorted({s.view for s in seen})
    rig_from_board = {}
    for view in views:
        guesses = [np.linalg.inv(camera_from_rig[c]) @ poses[c, v] for c, v in poses if v == view]
        rig_from_board[view] = _middle(guesses)
    return [camera_from_rig[c] for c in range(len(names))], rig_from_board


def _middle(poses: Sequence[Matrix]) -> Matrix:
    """The one of these poses that is nearest to all others, so that a flipped board does no harm."""
    stack = np.array(poses)
    turn = np.einsum("aij,bij->ab", stack[:, :3, :3], stack[:, :3, :3])
    angle = np.arccos(np.clip((turn - 1) / 2, -1, 1))
    shift = np.linalg.norm(stack[:, None, :3, 3] - stack[None, :, :3, 3], axis=2)
    return np.asarray(stack[int(np.median(angle + shift, axis=1).argmin())])


def _result(
    names: Sequence[str], bundle: Bundle, left_out: list[tuple[int, str, str]], board: Board
) -> Solution:
    by_camera = [[s for s in bundle.seen if s.camera == c] for c in range(len(names))]
    for name, mine in zip(names, by_camera, strict=True):
        if len(mine) < LEAST_VIEWS:
            raise CalibrationError(
                f"Only {len(mine)} of the boards that {name} saw fit to each other.",
                hint="Hold the board still for every picture, and check that it is flat and the right one.",
            )
    uncertain = bundle.uncertainty()
    figures = {
        name: CameraFigures(len(by_camera[c]), bundle.rms(by_camera[c]), *uncertain[c])
        for c, name in enumerate(names)
    }
    for name, figure in figures.items():
        if figure.rms_px > WORST_RMS_PX:
            raise CalibrationError(
                f"Corners of {name} lie {figure.rms_px:.1f} px from the solution; "
                f"{WORST_RMS_PX} are allowed.",
                hint="Is the board flat, and are these pictures taken with the lens that the camera reports?",
            )
        if figure.rotation_sd_deg > WORST_ROTATION_DEG or figure.translation_sd_mm > WORST_TRANSLATION_MM:
            raise CalibrationError(
                f"{name} is known to {figure.rotation_sd_deg:.2f} degrees and "
                f"{figure.translation_sd_mm:.1f} mm only; {WORST_ROTATION_DEG} and "
                f"{WORST_TRANSLATION_MM:.0f} mm are needed.",
                hint="Add pictures: nearer, tilted more, all over the picture.",
            )
    pairs = {}
    for a, b in combinations(range(len(names)), 2):
        views = {s.view for s in by_camera[a]} & {s.view for s in by_camera[b]}
        if views:
            off = _pair_rms(bundle, by_camera[a], by_camera[b], views, board)
            pairs[names[a], names[b]] = (len(views), off)
    return Solution(
        rig_from_color={
            name: np.asarray(np.linalg.inv(bundle.camera_from_rig[c]), np.float64)
            for c, name in enumerate(names)
        },
        figures=figures,
        pairs=pairs,
        rig_from_board=bundle.rig_from_board,
        left_out=tuple(left_out),
    )


def _pair_rms(
    bundle: Bundle, ones: Sequence[Seen], others: Sequence[Seen], views: set[int], board: Board
) -> float:
    """Pixels in the other's picture, of boards that are placed by the one's picture alone."""
    squares = []
    for view in views:
        one = next(s for s in ones if s.view == view)
        other = next(s for s in others if s.view == view)
        alone = board_pose(board, one.sighting, bundle.lenses[one.camera])
        carried = bundle.camera_from_rig[other.camera] @ np.linalg.inv(bundle.camera_from_rig[one.camera])
        lens = bundle.lenses[other.camera]
        pixels, _ = projected(moved_by(carried @ alone, other.points), lens)
        squares.append(((pixels - other.sighting.pixels) ** 2).sum(axis=1))
    return float(np.sqrt(np.concatenate(squares).mean()))
