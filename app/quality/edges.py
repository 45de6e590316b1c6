"""Finds the pieces of edges in a depth image: 32 rows of a nearly straight step between two surfaces."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

REACH_PX: Final = 14
"""Columns on either side of an edge that say how wide it is; no other edge may be there."""
ROWS: Final = 32
HALF: Final = ROWS // 2
SIDE_PX: Final = 8
SMOOTH_ROWS: Final = 5
"""Means of so many columns and rows on either side of a place say whether depth steps there."""
MEASURED: Final = 0.5
"""Share of the pixels of each side, and of a piece, that have to have a depth."""
SMALLEST_STEP_M: Final = 0.08
SMALLEST_STEP_SHARE: Final = 0.06
"""Of the nearer side's depth: what falls off by less may be a slope or noise."""
SIGNAL: Final = 0.6
"""Of the smallest step that the two means have to differ by: they lie partly within a wide edge."""
STRAY_PX: Final = 2
"""Columns by which an edge may go on from one row to the next."""
STEEPEST: Final = 1.02
"""Columns by row; what lies flatter is found in the picture on its side."""
RAGGED_PX: Final = 1.5
"""Median distance of an edge's rows to its line from which on it is no line."""
OFTEN: Final = 2.5
"""Median distances from a line at which a row no longer counts."""
MOST_PIECES: Final = 48
"""Of an image and of the same on its side; more take more time."""
BAND_PX: Final = 3
"""Width of a hole from which on it belongs to an edge, and is not just a pixel that failed."""

PLACES: Final = np.arange(-REACH_PX, REACH_PX + 1)
ALONG: Final = (np.arange(ROWS) - HALF + 0.5) / HALF
"""(ROWS,) place along a piece, -1 to 1."""
LINE: Final = np.column_stack([np.ones(ROWS), ALONG, ALONG**2 - 1 / 3])
"""(ROWS, 3) shapes of a line: where it is, how it is slanted, how it is bent."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """N pieces of edges that run more down than across, each with the depth around it.

    Attributes:
        depth_m: (N, ROWS, PLACES) metres, 0 where nothing is measured.
        measured: (N, ROWS, PLACES) bool.
        columns: (N, ROWS) column of the middle of each row in `depth_m`.
        lines: (N, 3) in columns, with the shapes of `LINE`: about where the edge runs.
    """

    depth_m: NDArray[np.float32]
    measured: NDArray[np.bool_]
    columns: NDArray[np.int64]
    lines: NDArray[np.float64]


def find_pieces(depth_m: NDArray[np.float32]) -> Pieces | None:
    """The clear steps of a depth image in metres, 0 for a hole; None without any.

    Bands of holes are bridged by straight lines along the rows, since what a sensor leaves out along an edge
    makes it as wide as what it smears. Single holes stay holes.
    """
    height, width = depth_m.shape
    if width <= 2 * REACH_PX + 2 or height < ROWS:
        return None
    bridged = _bridge_bands(depth_m)
    steps, least = _steps(bridged)
    rows, columns, sign = _starts(steps, least)
    if not len(rows):
        return None
    tracks, whole = _follow(steps, least, rows, columns, sign)
    lines, straight = _lines(tracks + (SIDE_PX - 0.5))
    chosen = np.flatnonzero(whole & straight)
    if not len(chosen):
        return None
    chosen = chosen[:: -(-len(chosen) // MOST_PIECES)]
    middles = np.rint(lines[chosen] @ LINE.T).astype(np.int64)
    across = middles[..., None] + PLACES
    down = (rows[chosen, None] + np.arange(-HALF, HALF))[..., None]
    around = np.where(
        (across >= 0) & (across < width), bridged[down, np.clip(across, 0, width - 1)], np.float32(0)
    )
    return Pieces(around, around > 0, middles, lines[chosen])


def _steps(depth_m: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """By how much the mean from column x + SIDE_PX on is more than that before it, and what is clear."""
    import cv2

    size, anchor = (SIDE_PX, SMOOTH_ROWS), (0, SMOOTH_ROWS // 2)
    total, count = (
        cv2.boxFilter(image, cv2.CV_32F, size, anchor=anchor, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for image in (depth_m, (depth_m > 0).astype(np.float32))
    )
    means = total / np.maximum(count, 1)
    enough = count >= MEASURED * SIDE_PX * SMOOTH_ROWS
    before, after = means[:, :-SIDE_PX], means[:, SIDE_PX:]
    steps = np.where(enough[:, :-SIDE_PX] & enough[:, SIDE_PX:], after - before, np.float32(0))
    least = np.maximum(np.minimum(before, after) * np.float32(SMALLEST_STEP_SHARE), SMALLEST_STEP_M) * SIGNAL
    return np.asarray(steps, np.float32), np.asarray(least, np.float32)


def _starts(
    steps: NDArray[np.float32], least: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """(N,) row, column and sign of the steps in every ROWS-th row that are the largest within reach."""
    import cv2

    looked_at = np.arange(HALF, len(steps) - HALF + 1, ROWS)
    high = np.abs(steps[looked_at])
    largest = cv2.dilate(high, np.ones((1, 2 * SIDE_PX + 1), np.uint8))
    which, columns = np.nonzero((high > least[looked_at]) & (high >= largest))
    rows = looked_at[which]
    return rows, columns, np.sign(steps[rows, columns])


def _follow(
    steps: NDArray[np.float32],
    least: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    sign: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(N, ROWS) columns of the largest steps from row to row, and (N,) whether all of them are clear."""
    tracks = np.empty((len(rows), ROWS), np.int64)
    whole = np.ones(len(rows), np.bool_)
    each, stray = np.arange(len(rows)), np.arange(-STRAY_PX, STRAY_PX + 1)
    for way in (range(HALF, ROWS), range(HALF - 1, -1, -1)):
        at = columns
        for place in way:
            row = rows + (place - HALF)
            near = np.clip(at[:, None] + stray, 0, steps.shape[1] - 1)
            highs = sign[:, None] * steps[row[:, None], near]
            best = np.argmax(highs, axis=1)
            at = near[each, best]
            whole &= highs[each, best] > least[row, at]
            tracks[:, place] = at
    return tracks, whole


def _lines(columns: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(N, 3) the line along each track, fitted twice to what lies near it, and (N,) whether it is one."""
    lines = columns @ np.linalg.pinv(LINE).T
    for _ in range(2):
        off = np.abs(columns - lines @ LINE.T)
        near = off <= np.maximum(OFTEN * np.median(off, axis=1, keepdims=True), 1)
        normal = np.einsum("nr,ri,rj->nij", near, LINE, LINE) + 1e-6 * np.eye(3)
        lines = np.linalg.solve(normal, ((near * columns) @ LINE)[..., None])[..., 0]
    off = np.abs(columns - lines @ LINE.T)
    straight = (np.median(off, axis=1) < RAGGED_PX) & (np.abs(lines[:, 1]) <= STEEPEST * HALF)
    return lines, straight


def _bridge_bands(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """The image with bands of holes filled linearly along each row, if they are no wider than a piece."""
    import cv2

    holes = (depth_m <= 0).astype(np.uint8)
    bands = cv2.morphologyEx(holes, cv2.MORPH_OPEN, np.ones((BAND_PX, BAND_PX), np.uint8))
    if not bands.any():
        return depth_m
    # A run of holes begins behind the last measured pixel before it, and ends at the first one after it.
    changes = np.diff(holes.view(np.int8), axis=1)
    begins, ends = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
    which = np.searchsorted(ends, begins)
    begins, which = begins[which < len(ends)], which[which < len(ends)]
    rows, before = np.divmod(begins, changes.shape[1])
    end_rows, last = np.divmod(ends[which], changes.shape[1])
    gap = last + 1 - before
    chosen = (rows == end_rows) & (gap <= 2 * REACH_PX)
    chosen &= bands[rows, np.minimum(before + gap // 2, depth_m.shape[1] - 1)] > 0
    rows, before, gap = rows[chosen], before[chosen], gap[chosen]
    run = np.repeat(np.arange(len(gap)), gap - 1)
    step = np.arange(len(run)) - np.repeat(np.cumsum(gap - 1) - (gap - 1), gap - 1) + 1
    row, start, end = rows[run], before[run], (before + gap)[run]
    share = (step / gap[run]).astype(np.float32)
    bridged = depth_m.copy()
    bridged[row, start + step] = depth_m[row, start] * (1 - share) + depth_m[row, end] * share
    return bridged
