"""What the boards so far cover, and where to hold the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from drivers.calibration.board import Board
from drivers.calibration.bundle import board_pose
from drivers.calibration.detect import Sighting
from drivers.calibration.solve import (
    GRID,
    LEAST_CELLS,
    LEAST_TILT_DEG,
    LEAST_VIEWS,
    View,
    cells_of,
    check_coverage,
    tilt_deg,
)
from drivers.errors import CalibrationError
from drivers.geometry import Intrinsics

NEW_SHARE = 0.05
"""Of the picture's width that the board must have moved by, in one camera or more, to be worth a picture."""
NEW_DEG = 7.0
ROWS = ("top", "middle", "bottom")
COLUMNS = ("left", "left of the middle", "right of the middle", "right")


@dataclass(frozen=True)
class Coverage:
    """How far one camera is covered.

    Attributes:
        shared: boards that it saw together with another camera.
        cells: column and row of the parts of its picture that boards have touched.
        tilt_deg: the largest angle between two boards.
    """

    shared: int = 0
    cells: frozenset[tuple[int, int]] = frozenset()
    tilt_deg: float = 0.0


@dataclass(frozen=True)
class Progress:
    """How far the pictures have come.

    Attributes:
        views: pictures that were taken.
        cameras: by camera id.
        ready: whether they are enough to solve.
        advice: what to do next, in words.
        camera: whose picture the advice is about; empty for all.
        cell: column and row of the part of its picture to hold the board in, or None.
    """

    views: int = 0
    cameras: Mapping[str, Coverage] = field(default_factory=dict)
    ready: bool = False
    advice: str = "Hold the board where two cameras see all of it."
    camera: str = ""
    cell: tuple[int, int] | None = None


def progress(
    views: Sequence[View], cameras: Mapping[str, Intrinsics], board: Board, names: Mapping[str, str]
) -> Progress:
    """What the views cover.

    Args:
        views: so far.
        cameras: colour intrinsics by camera id.
        board: that is held.
        names: of the cameras for people, by camera id.
    """
    shared = [view for view in views if len(view.sightings) > 1]
    covered = {camera_id: _covered(shared, camera_id, lens, board) for camera_id, lens in cameras.items()}
    count = len(views)
    fewest = min(covered, key=lambda name: covered[name].shared)
    if covered[fewest].shared < LEAST_VIEWS:
        name, has = names[fewest], covered[fewest].shared
        cell = _free_cell(covered[fewest].cells)
        words = f"Show the board to {name} and another camera: {has} of {LEAST_VIEWS} pictures."
        if cell is not None:
            words += " " + "Hold it in the marked part."  # a sentence of its own in every language
        return Progress(count, covered, False, words, fewest, cell)
    for camera_id, coverage in covered.items():
        if len(coverage.cells) < LEAST_CELLS:
            cell = _free_cell(coverage.cells)
            where = f"{ROWS[cell[1]]}, {COLUMNS[cell[0]]}" if cell is not None else "the edges"
            words = f"Hold the board in another part of the picture of {names[camera_id]}: {where}."
            return Progress(count, covered, False, words, camera_id, cell)
    for camera_id, coverage in covered.items():
        if coverage.tilt_deg < LEAST_TILT_DEG:
            words = f"Tilt the board, to the side and forwards, before {names[camera_id]}."
            return Progress(count, covered, False, words, camera_id)
    try:
        check_coverage(views, cameras, board)
    except CalibrationError as error:
        return Progress(count, covered, False, f"{error} {error.hint}")
    return Progress(count, covered, True, "Enough pictures. More of them make it better.")


def _covered(views: Sequence[View], camera_id: str, lens: Intrinsics, board: Board) -> Coverage:
    mine = [view.sightings[camera_id] for view in views if camera_id in view.sightings]
    cells = frozenset().union(*(cells_of(sighting.pixels, lens) for sighting in mine))
    normals = [board_pose(board, sighting, lens)[:3, 2] for sighting in mine]
    return Coverage(len(mine), cells, tilt_deg(normals))


def _free_cell(cells: frozenset[tuple[int, int]]) -> tuple[int, int] | None:
    """The free cell nearest to the middle of the picture, where boards are seen by other cameras as well."""
    free = [(c, r) for c in range(GRID[0]) for r in range(GRID[1]) if (c, r) not in cells]
    middle = ((GRID[0] - 1) / 2, (GRID[1] - 1) / 2)
    return min(free, key=lambda at: abs(at[0] - middle[0]) + abs(at[1] - middle[1]), default=None)


def moved_px(one: Sighting, other: Sighting) -> float:
    """How far the corners that both have lie apart on average; infinite without any."""
    _, first, second = np.intersect1d(one.ids, other.ids, return_indices=True)
    if not len(first):
        return float("inf")
    return float(np.linalg.norm(one.pixels[first] - other.pixels[second], axis=1).mean())


def is_new(
    sightings: Mapping[str, Sighting],
    views: Sequence[View],
    cameras: Mapping[str, Intrinsics],
    board: Board,
) -> bool:
    """Whether the board stands or leans otherwise than in all views so far."""
    for view in views:
        both = [name for name in sightings if name in view.sightings]
        if len(both) < len(sightings):
            continue
        if all(_alike(sightings[n], view.sightings[n], cameras[n], board) for n in both):
            return False
    return True


def _alike(one: Sighting, other: Sighting, lens: Intrinsics, board: Board) -> bool:
    if moved_px(one, other) > NEW_SHARE * lens.width:
        return False
    normals = [board_pose(board, sighting, lens)[:3, 2] for sighting in (one, other)]
    return tilt_deg(normals) < NEW_DEG
