from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from app.calibrating import Calibrator, solution_lines
from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.errors import CalibrationError
from drivers.frame import Frame
from drivers.geometry import Calibration
from tests.drivers.calibration.rigs import BOARD, CAMERAS, PLACES, off, photo


def info(camera_id, serial=None):
    name = f"The {camera_id} one"
    return CameraInfo(camera_id, name, "M", serial or camera_id.upper(), "stereo", 30.0, live=True)


@lru_cache(maxsize=32)
def frames(number):
    made = {}
    for name, lens in CAMERAS.items():
        color, depth = photo(name, PLACES[number])
        counts = DepthMap(np.rint(depth * 1e4).astype(np.uint16), 1e-4)
        made[name] = Frame(name, number, 0, 0, color, counts, Calibration(lens, lens))
    return made


def calibrator():
    return Calibrator([info("left"), info("right")], BOARD)


def hold(made, number, at_s):
    """The board stands there for a second; the last looks."""
    made.look(frames(number), at_s)
    return made.look(frames(number), at_s + 0.5)


def test_boards_that_are_held_still_are_taken_and_place_the_cameras():
    made = calibrator()
    for number in range(len(PLACES)):
        looks = hold(made, number, 2.0 * number)
        if made.worth_taking(looks):
            made.take(looks)
    assert made.progress().ready
    placed = made.solve()
    degrees, mm = off(placed.solution, "right")
    assert degrees < 0.1
    assert mm < 1.0
    assert all(finding.good for finding in placed.findings.values())
    kept = made.calibration(placed)
    assert [camera.serial for camera in kept.cameras] == ["LEFT", "RIGHT"]
    assert kept.cameras[1].matrix == pytest.approx(placed.solution.rig_from_color["right"])
    assert kept.pairs[0].views == placed.solution.pairs["left", "right"][0]
    assert any("The right one" in line and "mm" in line for line in solution_lines(placed, made.names))


def test_a_board_that_moves_is_not_taken_by_itself():
    made = calibrator()
    made.look(frames(0), 0.0)
    looks = made.look(frames(1), 0.5)
    assert looks["left"].sighting is not None
    assert not looks["left"].still
    assert not made.worth_taking(looks)


def test_one_picture_is_not_still_yet():
    made = calibrator()
    assert not made.worth_taking(made.look(frames(0), 0.0))


def test_a_board_that_stays_is_taken_once():
    made = calibrator()
    looks = hold(made, 0, 0.0)
    assert made.worth_taking(looks)
    made.take(looks)
    assert not made.worth_taking(made.look(frames(0), 1.0))
    made.take_back()
    assert made.worth_taking(made.look(frames(0), 1.5))
    assert not made.views


def test_a_board_that_one_camera_sees_is_refused_with_what_to_do():
    made = calibrator()
    looks = made.look({"left": frames(0)["left"]}, 0.0)
    assert looks["right"].words == "Waiting for a picture."
    with pytest.raises(CalibrationError, match="Fewer than two cameras"):
        made.take(looks)


def test_a_mirrored_board_is_explained_to_the_operator():
    made = calibrator()
    flipped = replace(frames(0)["left"], color=np.ascontiguousarray(frames(0)["left"].color[:, ::-1]))
    for _ in range(6):
        look = made.look({"left": flipped})["left"]
    assert "mirrored" in look.words
    assert look.tone == "warning"


def test_too_few_boards_say_so_before_anything_is_solved():
    made = calibrator()
    made.take(hold(made, 0, 0.0))
    assert not made.progress().ready
    with pytest.raises(CalibrationError, match="are needed"):
        made.solve()


@pytest.mark.parametrize(
    ("infos", "words"),
    [
        ([info("left")], "two cameras or more"),
        ([info("left"), replace(info("right"), serial="")], "no serial number"),
        ([info("left", "S"), info("right", "S")], "same serial number"),
    ],
)
def test_cameras_that_cannot_be_kept_apart_are_refused(infos, words):
    with pytest.raises(CalibrationError, match=words):
        Calibrator(infos, BOARD)
