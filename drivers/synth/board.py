"""Pictures of a calibration board by a lens that distorts, with known truth."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.calibration.board import Board, picture
from drivers.geometry import Intrinsics, rays
from drivers.synth.arrays import Bytes, Float, floats, octets

PX_PER_SQUARE = 90
SUPERSAMPLING = 3
PAPER = 225.0
BEHIND = 96.0
MARGIN_SQUARES = 0.8


def board_photo(
    board: Board,
    camera: Intrinsics,
    camera_from_board: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    noise: float = 2.0,
    blur_px: float = 0.0,
    motion_px: int = 0,
) -> tuple[Bytes, Float]:
    """What a camera makes of a board before a grey wall.

    Args:
        board: what is held.
        camera: its lens, distortion included.
        camera_from_board: (4, 4) metres.
        rng: of the noise.
        noise: grey levels, one standard deviation.
        blur_px: radius of the lens's blur.
        motion_px: length of a smear to the side.

    Returns:
        (H, W, 3) uint8 RGB, and (H, W) float32 metres of depth, 0 beside the board.
    """
    texture = _sheet(board)
    fine = camera.scaled(camera.width * SUPERSAMPLING, camera.height * SUPERSAMPLING)
    normal, place = camera_from_board[:3, 2], camera_from_board[:3, 3]
    x, y = _rays(fine)
    scale = PX_PER_SQUARE / board.square_m
    start = MARGIN_SQUARES * PX_PER_SQUARE - 0.5
    along = normal.astype(np.float32)
    reach = np.float32(normal @ place) / (x * along[0] + y * along[1] + along[2])
    px = []
    for axis in (0, 1):
        on = [np.float32(part * scale) for part in camera_from_board[:3, axis]]
        shift = np.float32(start - scale * (place @ camera_from_board[:3, axis]))
        place_px = (x * on[0] + y * on[1] + on[2]) * reach + shift
        px.append(np.where(reach > 0, place_px, np.float32(-1e4)))
    seen = cv2.remap(texture, px[0], px[1], cv2.INTER_LINEAR, borderValue=(BEHIND,))
    grey = floats(cv2.resize(seen, (camera.width, camera.height), interpolation=cv2.INTER_AREA))
    if blur_px:
        grey = floats(cv2.GaussianBlur(grey, (0, 0), blur_px))
    if motion_px:
        grey = floats(cv2.blur(grey, (motion_px, 1)))
    grey = grey * np.float32(0.8) + np.float32(20) + rng.normal(0, noise, grey.shape).astype(np.float32)
    middle = slice(SUPERSAMPLING // 2, None, SUPERSAMPLING)
    column, row = px[0][middle, middle], px[1][middle, middle]
    inside = (column > 0) & (row > 0) & (column < texture.shape[1]) & (row < texture.shape[0])
    depth = np.where(inside, reach[middle, middle], 0)
    picture = octets(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    return octets(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)), floats(depth)


@lru_cache(maxsize=4)
def _sheet(board: Board) -> Float:
    margin = round(MARGIN_SQUARES * PX_PER_SQUARE)
    ink = picture(board, PX_PER_SQUARE).astype(np.float32) * np.float32(PAPER / 255) + np.float32(12)
    return floats(
        cv2.copyMakeBorder(ink, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(PAPER + 12,))
    )


@lru_cache(maxsize=8)
def _rays(camera: Intrinsics) -> tuple[Float, Float]:
    both = rays(camera)
    return np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1])
