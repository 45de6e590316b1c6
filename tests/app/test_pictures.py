"""The comparison picture shows the same metre in the same colour, and holes as holes."""

import numpy as np

from app.pictures import (
    HATCH,
    MARK,
    PROVENANCE_COLORS,
    REJECTED_HATCH,
    DepthRange,
    attention_picture,
    comparison,
    depth_picture,
    depth_range,
    provenance_picture,
)
from model.repair import Provenance


def test_a_hole_is_hatched_and_a_rejected_pixel_hatched_otherwise() -> None:
    depth = np.array([[0.0, np.inf, 1.0]], np.float32)
    picture = depth_picture(depth, DepthRange(0.5, 2.0))
    assert tuple(picture[0, 0]) in HATCH
    assert tuple(picture[0, 1]) in REJECTED_HATCH
    assert tuple(picture[0, 2]) not in {*HATCH, *REJECTED_HATCH}


def test_equal_metres_have_equal_colours_and_the_ends_hold() -> None:
    scale = DepthRange(1.0, 3.0)
    row = depth_picture(np.array([[0.2, 1.0, 3.0, 9.0]], np.float32), scale)[0]
    assert (row[0] == row[1]).all()
    assert (row[2] == row[3]).all()
    assert (row[0] != row[2]).any()


def test_holes_and_infinity_do_not_stretch_the_range() -> None:
    scale = depth_range(np.array([[0.0, np.inf] + [1.0, 2.0] * 50], np.float32))
    assert 1.0 <= scale.near_m < scale.far_m <= 2.0


def test_saturated_pixels_do_not_stretch_the_range() -> None:
    scale = depth_range(np.array([1.0] * 70 + [65.535] * 30, np.float32))
    assert scale.far_m == 5.0


def test_an_image_without_any_depth_still_has_a_range() -> None:
    scale = depth_range(np.zeros((4, 4), np.float32))
    assert scale.near_m < scale.far_m


def test_each_provenance_has_its_colour() -> None:
    values = np.array([list(Provenance)], np.uint8)
    picture = provenance_picture(values)
    assert [tuple(int(v) for v in pixel) for pixel in picture[0]] == [
        PROVENANCE_COLORS[p] for p in Provenance
    ]


def test_the_picture_has_four_panes_of_one_size() -> None:
    color = np.full((48, 64, 3), 200, np.uint8)
    measured = np.ones((48, 64), np.float32)
    picture = comparison(color, measured, measured, np.zeros((48, 64), np.uint8), title="Test")
    assert picture.dtype == np.uint8
    assert picture.shape[1] == 12 + 4 * (640 + 12)
    assert picture.shape[0] > 480


def test_attention_glows_where_it_is_and_the_asked_place_is_marked() -> None:
    color = np.full((60, 80, 3), 100, np.uint8)
    attention = np.zeros((6, 8), np.float32)
    attention[1, 6] = 0.2
    picture = attention_picture(color, attention, (12, 40)).astype(int)
    assert picture.shape == (60, 80, 3)
    glow = picture.sum(2)
    assert glow[15, 65] > 3 * glow[50, 60]
    assert tuple(picture[40, 12]) == MARK
