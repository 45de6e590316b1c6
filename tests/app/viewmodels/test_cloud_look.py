import numpy as np
import pytest

from app.viewmodels.cloud_look import GRID_STEP_M, POINT_SIZES, ClipBox, CloudLook, box_around, grid_lines

BOX = ClipBox((-1.0, -0.5, 0.5), (1.0, 0.5, 2.0))


def test_a_box_holds_what_lies_between_its_corners():
    assert BOX.contains(np.array([(0, 0, 1), (0, 0, 2.1), (-1, 0.5, 0.5)], float)).tolist() == [
        True,
        False,
        True,
    ]


def test_a_box_has_twelve_edges_of_its_own_lengths():
    lengths = np.linalg.norm(np.diff(BOX.lines(), axis=1), axis=2).ravel()
    assert sorted(lengths.tolist()) == pytest.approx([1.0] * 4 + [1.5] * 4 + [2.0] * 4)


def test_the_opposite_side_of_a_box_gives_way():
    assert BOX.moved(2, "low", 2.5).high_m[2] > 2.5
    assert BOX.moved(0, "high", -1.5).low_m[0] < -1.5
    assert BOX.moved(1, "low", -0.2) == ClipBox((-1.0, -0.2, 0.5), BOX.high_m)


def test_a_box_around_points_leaves_out_the_odd_one():
    points = np.random.default_rng(0).uniform((-1, -0.5, 1), (1, 0.5, 3), (2000, 3))
    points[0] = (50, 50, 50)
    box = box_around(points)
    assert np.array(box.low_m) == pytest.approx([-1, -0.5, 1], abs=0.11)
    assert np.array(box.high_m) == pytest.approx([1, 0.5, 3], abs=0.11)


def test_the_grid_lies_level_with_even_gaps():
    lines = grid_lines(1.2)
    assert (lines[..., 1] == np.float32(1.2)).all()
    along = np.unique(lines[lines[:, 0, 0] == lines[:, 1, 0]][:, 0, 0])
    assert np.diff(along) == pytest.approx(GRID_STEP_M)


def test_points_grow_and_shrink_within_limits():
    look = CloudLook()
    assert look.resized(1).point_size > 1 > look.resized(-1).point_size
    assert look.resized(99).point_size == POINT_SIZES[-1]
    assert look.resized(-99).point_size == POINT_SIZES[0]
