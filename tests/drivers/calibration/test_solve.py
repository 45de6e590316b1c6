from dataclasses import replace

import numpy as np
import pytest

from drivers.calibration.detect import Sighting
from drivers.calibration.solve import View, solve
from drivers.errors import CalibrationError
from tests.drivers.calibration.rigs import BOARD, CAMERAS, off, views


def test_a_rig_is_placed_to_a_tenth_of_a_degree_and_a_millimetre_at_one_metre():
    solution = solve(views(), CAMERAS, BOARD)
    degrees, mm = off(solution, "right")
    assert degrees < 0.1
    assert mm < 1.0
    assert np.array_equal(solution.rig_from_color["left"], np.eye(4))
    assert solution.figures["right"].rms_px < 0.4
    assert not solution.left_out


def test_the_uncertainty_that_is_said_covers_the_error():
    solution = solve(views(), CAMERAS, BOARD)
    degrees, mm = off(solution, "right")
    figure = solution.figures["right"]
    assert degrees < 4 * figure.rotation_sd_deg
    assert mm < 4 * figure.translation_sd_mm + 4e3 * np.radians(figure.rotation_sd_deg)
    assert solution.figures["left"].rotation_sd_deg == 0


def test_a_board_that_moved_between_two_pictures_is_left_out_and_named():
    moved = list(views())
    right = moved[3].sightings["right"]
    shifted = Sighting(right.ids, right.pixels + np.array([9.0, 4.0]), right.edge_px)
    moved[3] = View({**moved[3].sightings, "right": shifted})
    solution = solve(moved, CAMERAS, BOARD)
    assert [(view, name) for view, name, _ in solution.left_out] == [(3, "right")]
    degrees, mm = off(solution, "right")
    assert degrees < 0.1
    assert mm < 1.0


def test_too_few_boards_are_refused_with_the_number():
    with pytest.raises(CalibrationError, match=r"\d times; 6 are needed") as raised:
        solve(views()[:4], CAMERAS, BOARD)
    assert "two cameras see it" in raised.value.hint


def test_one_corner_of_the_picture_is_not_enough():
    with pytest.raises(CalibrationError, match="of 12 parts of the picture"):
        solve([views()[0]] * 8, CAMERAS, BOARD)


def test_cameras_that_never_saw_the_same_board_are_named():
    alone = {**CAMERAS, "third": CAMERAS["left"], "fourth": CAMERAS["right"]}
    names = {"left": "third", "right": "fourth"}
    apart = [View({names[name]: s for name, s in view.sightings.items()}) for view in views()]
    with pytest.raises(CalibrationError, match="No board links third, fourth with left"):
        solve([*views(), *apart], alone, BOARD)


def test_a_wrong_lens_is_noticed():
    wrong = {**CAMERAS, "left": replace(CAMERAS["left"], fx=520.0)}
    with pytest.raises(CalibrationError, match=r"px from the solution|fit to each other|is known to"):
        solve(views(), wrong, BOARD)


def test_one_camera_has_no_neighbours():
    with pytest.raises(CalibrationError, match="no neighbours"):
        solve(views(), {"left": CAMERAS["left"]}, BOARD)
