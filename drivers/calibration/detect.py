"""Corners of a board in one picture, or in words why there are none that can be used."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.calibration.board import DICTIONARIES, Board, pattern
from drivers.geometry import Intrinsics

LEAST_SHARE = 0.34
"""Of the corners: fewer are a board that sticks out of the picture, or a hand before it."""
WIDEST_EDGE_PX = 5.0
"""Of an edge from black to white: beyond, a corner moves by more than a tenth of a pixel."""
FIT_PX = 3.0
FITTING_SHARE = 0.8
SOME_MARKERS = 3
ENLARGED_TO_PX = 960

Why = Literal["none", "partial", "blurred", "mirrored", "wrong"]
Picture = NDArray[np.uint8]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sighting:
    """A board in a picture.

    Attributes:
        ids: (N,) int32 numbers of the corners.
        pixels: (N, 2) float64 where they are, lens distortion included.
        edge_px: how wide an edge is; 3 is sharp.
    """

    ids: NDArray[np.int32]
    pixels: Matrix
    edge_px: float


@dataclass(frozen=True)
class Refused:
    """A picture that cannot be used.

    Attributes:
        why: in one word.
        words: for the operator.
    """

    why: Why
    words: str


@lru_cache(maxsize=16)
def _detector(board: Board) -> cv2.aruco.CharucoDetector:
    parameters = cv2.aruco.CharucoParameters()
    parameters.tryRefineMarkers = True
    parameters.minMarkers = 1
    return cv2.aruco.CharucoDetector(pattern(board), parameters)


def _detect(grey: Picture, board: Board) -> tuple[Matrix, NDArray[np.int32], Matrix, NDArray[np.int32]]:
    """Corners (N, 2) and their numbers (N,), corners of markers (M, 4, 2) and their numbers (M,).

    Small pictures are enlarged before: of boards of 14 px a square that finds all corners instead of seven in
    ten, and those to 0.15 px instead of 0.23 (rendered boards of known truth).
    """
    scale = 2 if grey.shape[1] <= ENLARGED_TO_PX else 1
    if scale > 1:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)
    # Any: the stubs of OpenCV know nothing of the None that stands for "nothing found".
    result: Any = _detector(board).detectBoard(grey)
    corners, ids, markers, marker_ids = result
    found = np.empty((0, 2)) if ids is None else np.asarray(corners, np.float64).reshape(-1, 2)
    squares = np.empty((0, 4, 2)) if marker_ids is None else np.asarray(markers, np.float64).reshape(-1, 4, 2)
    return (
        (found + 0.5) / scale - 0.5,
        np.empty(0, np.int32) if ids is None else np.asarray(ids, np.int32).ravel(),
        (squares + 0.5) / scale - 0.5,
        np.empty(0, np.int32) if marker_ids is None else np.asarray(marker_ids, np.int32).ravel(),
    )


def look_for(image: Picture, board: Board, camera: Intrinsics, *, explain: bool = True) -> Sighting | Refused:
    """The board in one picture.

    Args:
        image: (H, W, 3) uint8 RGB, or (H, W) uint8.
        board: what is looked for.
        camera: that took the picture, so that its lens is not mistaken for a bent board.
        explain: look also for mirrored boards and for those of another kind where there is none; slow.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8) if image.ndim == 3 else image
    pixels, numbers, marker_corners, marker_ids = _detect(grey, board)
    if len(marker_ids) < SOME_MARKERS:
        return _absent(grey, board, camera) if explain else Refused("none", "No board in the picture.")
    if not _fits(board, marker_corners, marker_ids, camera):
        return _mirrored(grey, board, camera) or Refused(
            "wrong", f"This board is not the one that was chosen ({board.words})."
        )
    points = board.points(numbers)[:, :2]
    flat = len(numbers) < 4 or min(np.ptp(points[:, 0]), np.ptp(points[:, 1])) < 1.5 * board.square_m
    edge_px = 0.0 if flat else _edge_px(grey, points, pixels)
    if edge_px > WIDEST_EDGE_PX:  # which is also why corners are missing
        return Refused("blurred", f"The board is blurred (edges {edge_px:.1f} px wide): hold it still.")
    if flat or len(numbers) < max(6, LEAST_SHARE * board.corners):
        seen = f"{len(numbers)} of {board.corners} corners"
        return Refused("partial", f"Only {seen} are seen: show the whole board.")
    return Sighting(numbers, pixels, edge_px)


def _mirrored(grey: Picture, board: Board, camera: Intrinsics) -> Refused | None:
    flipped = np.ascontiguousarray(grey[:, ::-1])
    _, _, corners, ids = _detect(flipped, board)
    if len(ids) < SOME_MARKERS or not _fits(board, corners, ids, _flipped(camera)):
        return None
    return Refused("mirrored", "The board is mirrored: the camera or the print flips left and right.")


def _flipped(camera: Intrinsics) -> Intrinsics:
    """Without its distortion, which hardly moves a marker against its neighbours."""
    return replace(camera, cx=camera.width - 1 - camera.cx, distortion=())


def _absent(grey: Picture, board: Board, camera: Intrinsics) -> Refused:
    """Why no board is found: mirrored, of another kind, or simply not there."""
    mirrored = _mirrored(grey, board, camera)
    if mirrored is not None:
        return mirrored
    own = pattern(board).getDictionary().markerSize
    for name in DICTIONARIES:
        if cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name)).markerSize != own:
            dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
            result: Any = cv2.aruco.ArucoDetector(dictionary).detectMarkers(grey)
            ids = result[1]
            if ids is not None and len(ids) >= SOME_MARKERS:
                return Refused("wrong", f"This board has markers of {name}, not of {board.dictionary}.")
    return Refused("none", "No board in the picture.")


def _fits(board: Board, corners: Matrix, ids: NDArray[np.int32], camera: Intrinsics) -> bool:
    """Whether the markers lie where those of this board do; one of another layout has the same markers."""
    places = _marker_places(board)
    numbers = ids.tolist()
    known = [i for i, number in enumerate(numbers) if number in places]
    if len(known) < max(SOME_MARKERS, FITTING_SHARE * len(numbers)):
        return False
    seen = corners[known].reshape(-1, 2)
    flat = np.concatenate([places[numbers[i]] for i in known])
    result: Any = cv2.findHomography(flat, undistorted(seen, camera), cv2.RANSAC, FIT_PX)
    homography, inside = result
    return homography is not None and float(np.mean(inside)) >= FITTING_SHARE


@lru_cache(maxsize=16)
def _marker_places(board: Board) -> dict[int, Matrix]:
    """(4, 2) metres of every marker's corners, by its number."""
    known = pattern(board)
    places = (np.asarray(corners, np.float64)[:, :2] for corners in known.getObjPoints())
    return dict(zip(np.asarray(known.getIds()).ravel().tolist(), places, strict=True))


def undistorted(pixels: Matrix, camera: Intrinsics) -> Matrix:
    """(N, 2) where the pixels would be without lens distortion."""
    if not camera.distortion:
        return pixels
    straight = cv2.undistortPoints(
        pixels.reshape(-1, 1, 2), camera.matrix, np.array(camera.distortion), P=camera.matrix
    )  # to a fraction of a pixel, which is enough to tell boards apart
    return np.asarray(straight, np.float64).reshape(-1, 2)


def _edge_px(grey: Picture, points: Matrix, pixels: Matrix) -> float:
    """Median over the corners of the width of the wider of the two edges that meet there.

    Motion blurs one direction only, so the slope is taken across each edge.
    """
    homography: Any = cv2.findHomography(points, pixels)[0]
    if homography is None:
        return float("inf")
    step = 1e-3
    ahead = [
        np.asarray(cv2.perspectiveTransform((points + shift)[:, None], homography), np.float64)[:, 0]
        for shift in ((0.0, 0.0), (step, 0.0), (0.0, step))
    ]
    smooth = cv2.boxFilter(grey, cv2.CV_32F, (3, 3))
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1) / 2
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1) / 2
    square_px = float(np.median(np.linalg.norm(ahead[1] - ahead[0], axis=1))) / step
    square_px *= float(np.median(np.diff(np.unique(points[:, 0].round(6)))))
    radius = int(np.clip(0.3 * square_px, 3, 12))
    widths = []
    for i, (x, y) in enumerate(np.rint(pixels).astype(int)):
        window = (slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1))
        patch = grey[window]
        contrast = float(np.percentile(patch, 95)) - float(np.percentile(patch, 5))
        slopes = []
        for other in ahead[1:]:
            along = other[i] - ahead[0][i]
            across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-12)
            slope = np.abs(right[window] * across[0] + down[window] * across[1])
            slopes.append(float(np.percentile(slope, 95)))
        widths.append(contrast / max(min(slopes), 1e-3))
    return float(np.median(widths))
