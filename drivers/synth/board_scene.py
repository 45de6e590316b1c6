"""A room in which somebody holds a calibration board: still for a moment, then somewhere else."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.calibration.board import BOARDS, Board, picture
from drivers.synth.scene import camera_path
from drivers.synth.shapes import MOMENTS, SQUARE, Material, Panel, Scene, Texture, texture, vector

Transform = NDArray[np.float64]

BOARD = BOARDS["a4"]
PX_PER_SQUARE = 48
MARGIN_SQUARES = 0.75  # a whole number of pixels, or the board would not be as large as it says
INK, PAPER = 14, 228
GLIDE_S, REST_S = 0.6, 1.6
STEPS: tuple[tuple[float, float, float, float, float, float], ...] = (
    (0.00, 0.02, 0.82, 0, 0, 0),
    (-0.14, -0.10, 0.78, 22, 0, 6),
    (0.14, -0.10, 0.80, -22, 0, -6),
    (0.14, 0.12, 0.74, 0, 24, 0),
    (-0.14, 0.12, 0.76, 0, -24, 10),
    (0.00, -0.02, 0.66, 18, 14, 0),
    (-0.20, 0.02, 0.88, -16, 18, -12),
    (0.20, 0.02, 0.90, 16, -18, 12),
    (0.02, -0.16, 0.84, -20, -12, 0),
    (-0.02, 0.18, 0.72, 20, 10, 20),
    (-0.10, 0.00, 0.62, 0, 20, 0),
    (0.10, 0.00, 0.64, 12, -24, 0),
)
"""Where the middle of the board goes, in metres before the rig's second camera (right, down, ahead), and how
it is turned, in degrees around those axes."""


@dataclass(frozen=True, eq=False)
class BoardScene(Scene):
    """A scene with one more panel, which moves and turns.

    Attributes:
        room: the scene without it.
        board: its measures.
        world_from_board: (4, 4) metres at a moment in seconds.
        paper: the board's texture, margin included.
    """

    room: Scene = None  # type: ignore[assignment]  # fields of a subclass need a default
    board: Board = BOARD
    world_from_board: Callable[[float], Transform] = None  # type: ignore[assignment]  # likewise
    paper: Texture = None  # type: ignore[assignment]  # likewise

    def at(self, t_s: float) -> Scene:
        known: dict[float, Scene] = self.__dict__.setdefault("_with_board", {})
        if t_s not in known:
            room = self.room.at(t_s)
            scene = replace(room, panels=(*room.panels, self._panel(self.world_from_board(t_s))))
            self.__dict__["_with_board"] = dict([*known.items(), (t_s, scene)][-MOMENTS:])
            return scene
        return known[t_s]

    def _panel(self, pose: Transform) -> Panel:
        width, height = self.board.size_m
        margin = MARGIN_SQUARES * self.board.square_m
        origin = pose[:3, 3] - margin * (pose[:3, 0] + pose[:3, 1])
        across, down = pose[:3, 0] * (width + 2 * margin), pose[:3, 1] * (height + 2 * margin)
        return Panel(origin, across, down, SQUARE, self.paper, Material.MATTE)


def board_scene(room: Scene, board: Board = BOARD) -> BoardScene:
    """The room with a board before the rig that stands at the start of its path."""
    anchor = camera_path(room, 0.0, 1)

    def world_from_board(t_s: float) -> Transform:
        return np.asarray(anchor @ _held(board, t_s), np.float64)

    given = {field.name: getattr(room, field.name) for field in fields(Scene)}
    return BoardScene(**given, room=room, board=board, world_from_board=world_from_board, paper=_paper(board))


def _held(board: Board, t_s: float) -> Transform:
    """(4, 4) camera_from_board at a moment."""
    step, within_s = divmod(t_s, GLIDE_S + REST_S)
    before, after = (np.array(STEPS[(int(step) + k) % len(STEPS)]) for k in (-1, 0))
    share = min(within_s / GLIDE_S, 1.0)
    share = (1 - np.cos(pi * share)) / 2
    place = before + share * (after - before)
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(np.radians(place[3:]))[0]
    width, height = board.size_m
    pose[:3, 3] = place[:3] - pose[:3, :3] @ vector((width / 2, height / 2, 0.0))
    return pose


def _paper(board: Board) -> Texture:
    margin = round(MARGIN_SQUARES * PX_PER_SQUARE)
    ink = cv2.copyMakeBorder(
        picture(board, PX_PER_SQUARE), margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(255,)
    )
    grey = np.rint(INK + np.asarray(ink, np.float32) * ((PAPER - INK) / 255)).astype(np.uint8)
    return texture(np.repeat(grey[..., None], 3, axis=2))
