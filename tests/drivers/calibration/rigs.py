"""Boards of known truth before rigs of known truth, rendered once for all tests."""

from functools import lru_cache

import cv2
import numpy as np

from drivers.calibration.board import BOARDS
from drivers.calibration.detect import Refused, look_for
from drivers.calibration.solve import View
from drivers.geometry import Intrinsics
from drivers.synth.board import board_photo

BOARD = BOARDS["a4"]
CAMERAS = {
    "left": Intrinsics(640, 480, 460.0, 461.0, 318.0, 241.0, (0.09, -0.2, 0.0005, -0.0004, 0.06)),
    "right": Intrinsics(640, 480, 480.0, 480.0, 319.5, 239.5),
}


def pose(rotation_vector, shift):
    made = np.eye(4)
    made[:3, :3] = cv2.Rodrigues(np.array(rotation_vector, float))[0]
    made[:3, 3] = shift
    return made


TRUTH = {"left": np.eye(4), "right": pose([0.02, -0.24, 0.05], [0.26, 0.02, -0.03])}
PLACES = tuple(
    (tilt, middle)
    for tilt, middle in zip(
        ([0.5, 0, 0], [-0.5, 0, 0.2], [0, 0.5, 0], [0, -0.5, 0.1], [0.4, 0.3, 0.3], [-0.3, 0.4, 0],
         [0.3, -0.4, 0], [0.1, 0.1, -0.3], [-0.4, -0.3, 0]),
        ([0, 0, 0.8], [0.2, 0.12, 0.75], [-0.1, -0.12, 0.8], [0.15, -0.13, 0.9], [0.3, 0, 0.8],
         [-0.15, 0.13, 0.85], [0.1, 0, 0.65], [0.2, -0.1, 0.7], [0.05, 0.15, 0.9]),
        strict=True,
    )
)  # fmt: skip


def rig_from_board(tilt, middle):
    width, height = BOARD.size_m
    made = pose(tilt, [0, 0, 0])
    made[:3, 3] = np.array(middle) - made[:3, :3] @ [width / 2, height / 2, 0]
    return made


def photo(camera, place, **bad):
    rng = np.random.default_rng(int(1000 * sum(map(abs, place[1]))))
    camera_from_board = np.linalg.inv(TRUTH[camera]) @ rig_from_board(*place)
    return board_photo(BOARD, CAMERAS[camera], camera_from_board, rng, noise=3.0, **bad)


@lru_cache(maxsize=1)
def views():
    made = []
    for place in PLACES:
        found = {name: look_for(photo(name, place)[0], BOARD, CAMERAS[name]) for name in CAMERAS}
        made.append(View({name: s for name, s in found.items() if not isinstance(s, Refused)}))
    return tuple(made)


def off(solution, name):
    """Degrees and millimetres at 1 m between solution and truth."""
    between = np.linalg.inv(TRUTH[name]) @ solution.rig_from_color[name]
    degrees = np.degrees(np.arccos(np.clip((np.trace(between[:3, :3]) - 1) / 2, -1, 1)))
    ahead = between[:3] @ [0, 0, 1, 1] - [0, 0, 1]
    return degrees, 1e3 * max(np.linalg.norm(between[:3, 3]), np.linalg.norm(ahead))
