import cv2
import numpy as np
import pytest

from drivers.calibration.board import parse_board, picture
from drivers.calibration.bundle import board_pose
from drivers.calibration.detect import Refused, Sighting, look_for
from drivers.geometry import Intrinsics
from tests.drivers.calibration.rigs import BOARD, CAMERAS, PLACES, TRUTH, photo, rig_from_board


def look(image, camera="left"):
    return look_for(image, BOARD, CAMERAS[camera])


def flat(board):
    """A board straight ahead, and a lens that it fits."""
    sheet = cv2.copyMakeBorder(picture(board, 40), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(255,))
    return np.asarray(sheet, np.uint8), Intrinsics(sheet.shape[1], sheet.shape[0], 500, 500, 200, 150)


@pytest.mark.parametrize("camera", list(CAMERAS))
def test_corners_of_a_rendered_board_are_found_to_a_quarter_of_a_pixel(camera):
    image, _ = photo(camera, PLACES[0])
    found = look(image, camera)
    assert isinstance(found, Sighting)
    assert len(found.ids) == BOARD.corners
    lens = CAMERAS[camera]
    camera_from_board = np.linalg.inv(TRUTH[camera]) @ rig_from_board(*PLACES[0])
    points = BOARD.points(found.ids) @ camera_from_board[:3, :3].T + camera_from_board[:3, 3]
    distortion = np.array(lens.distortion) if lens.distortion else None
    pixels, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), lens.matrix, distortion)
    assert np.sqrt(((pixels[:, 0] - found.pixels) ** 2).sum(axis=1).mean()) < 0.25
    assert np.abs(board_pose(BOARD, found, lens) - camera_from_board).max() < 0.01


@pytest.mark.parametrize(
    "smear", [lambda image: cv2.GaussianBlur(image, (0, 0), 2.5), lambda image: cv2.blur(image, (8, 1))]
)
def test_a_blurred_board_is_refused(smear):
    image, lens = flat(BOARD)
    assert isinstance(look_for(image, BOARD, lens), Sighting)
    found = look_for(np.asarray(smear(image), np.uint8), BOARD, lens)
    assert isinstance(found, Refused)
    assert found.why == "blurred"


def test_a_mirrored_board_is_refused():
    found = look(np.ascontiguousarray(photo("left", PLACES[0])[0][:, ::-1]))
    assert isinstance(found, Refused)
    assert found.why == "mirrored"


def test_a_board_that_sticks_out_is_refused():
    found = look(photo("left", ([0.1, 0, 0], [-0.51, -0.2, 0.6]))[0])
    assert isinstance(found, Refused)
    assert found.why == "partial"


@pytest.mark.parametrize("other", ["8x5:30/22:DICT_4X4_100", "9x6:30/22:DICT_5X5_100"])
def test_another_board_is_refused(other):
    image, lens = flat(parse_board(other))
    found = look_for(image, BOARD, lens)
    assert isinstance(found, Refused)
    assert found.why == "wrong"


def test_no_board_is_no_board():
    found = look(np.full((480, 640, 3), 120, np.uint8))
    assert found == Refused("none", "No board in the picture.")
