import numpy as np
import pytest

from drivers.calibration.detect import look_for
from drivers.calibration.factory import judge, sample, square_note
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from tests.drivers.calibration.rigs import BOARD, CAMERAS, PLACES, photo

LENS = CAMERAS["right"]


def taken(place, *, scale=1.0, board=BOARD, shift_px=0.0):
    """A camera with depth and infrared in the grid of colour, wrong by `scale` and `shift_px`."""
    color, depth = photo("right", place)
    counts = np.rint(depth * scale * 1e4).astype(np.uint16)
    moved = np.eye(4)
    moved[0, 3] = shift_px * depth[depth > 0].mean() / LENS.fx
    frame = Frame(
        "right", 0, 0, 0, color, DepthMap(counts, 1e-4),
        Calibration(LENS, LENS, ir=LENS, color_from_ir_left=moved), ir_left=color[..., 0].copy(),
    )  # fmt: skip
    return sample(frame, look_for(color, BOARD, LENS), board)


def test_depth_that_agrees_is_said_to_agree_with_figures():
    samples = [taken(place) for place in PLACES[:4]]
    finding = judge(samples)
    assert finding.good
    assert "agrees with colour" in finding.words
    assert max(abs(s.offset_mm) for s in samples) < 2
    assert max(s.tilt_deg for s in samples) < 0.5
    assert max(s.ir_px for s in samples) < 0.6


@pytest.mark.parametrize(("scale", "way"), [(1.04, "too far"), (0.96, "too near")])
def test_depth_that_is_off_is_said_with_size_and_way(scale, way):
    finding = judge([taken(place, scale=scale) for place in PLACES[:4]])
    assert finding.good is False
    assert way in finding.words
    assert finding.offset_share == pytest.approx(scale - 1, abs=0.012)


def test_infrared_that_lies_beside_colour_is_noticed():
    finding = judge([taken(place, shift_px=4.0) for place in PLACES[:4]])
    assert finding.good is False
    assert "Infrared lies 4" in finding.words or "Infrared lies 3.9" in finding.words


def test_too_little_depth_is_no_verdict():
    assert judge([]).good is None
    color, _ = photo("right", PLACES[0])
    empty = DepthMap(np.zeros(color.shape[:2], np.uint16), 0.001)
    frame = Frame("right", 0, 0, 0, color, empty, Calibration(LENS, LENS))
    assert sample(frame, look_for(color, BOARD, LENS), BOARD) is None


def test_cameras_that_agree_on_another_square_say_which():
    wrong = BOARD.measured(28.5)  # the print has 30 mm
    finding = judge([taken(place, board=wrong) for place in PLACES[:4]])
    note = square_note([finding, finding], wrong)
    assert "squares of 29." in note or "squares of 30." in note
    assert not square_note([finding], wrong)


def test_a_lens_without_infrared_is_checked_by_depth_alone():
    color, depth = photo("right", PLACES[0])
    plain = Intrinsics(LENS.width, LENS.height, LENS.fx, LENS.fy, LENS.cx, LENS.cy)
    counts = DepthMap(np.rint(depth * 1e4).astype(np.uint16), 1e-4)
    frame = Frame("right", 0, 0, 0, color, counts, Calibration(plain, plain))
    assert sample(frame, look_for(color, BOARD, plain), BOARD).ir_px is None
