"""The network is shown every point of sparse depth, and dense depth as it is."""

import numpy as np

from model.sparse import with_every_point

GRID = (3, 4)  # 42 x 56 px


def test_no_point_is_lost_on_the_way_to_a_coarser_grid() -> None:
    counts = np.zeros((480, 640), np.uint16)
    counts[5::96, 7::80] = np.arange(1, 41).reshape(5, 8)
    shown = with_every_point(counts, GRID)
    assert shown.shape == (42, 56)
    assert sorted(shown[shown > 0]) == list(range(1, 41))


def test_a_point_keeps_its_place() -> None:
    counts = np.zeros((84, 112), np.uint16)
    counts[51, 101] = 7
    shown = with_every_point(counts, GRID)
    assert np.argwhere(shown).tolist() == [[25, 50]]


def test_of_two_points_on_one_pixel_the_nearer_one_is_seen() -> None:
    counts = np.zeros((420, 560), np.uint16)
    counts[100, 100], counts[105, 105], counts[109, 101] = 30, 10, 20
    assert with_every_point(counts, GRID)[10, 10] == 10


def test_dense_depth_is_shown_as_it_is() -> None:
    counts = np.ones((84, 112), np.uint16)
    assert with_every_point(counts, GRID) is counts
