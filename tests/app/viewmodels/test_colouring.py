import numpy as np
import pytest

from app.viewmodels.colouring import (
    HOLE_COLOURS,
    PROVENANCE_COLOURS,
    colour_depth,
    colour_provenance,
    copy_color,
    depth_table,
    hole_pattern,
    provenance_table,
    turbo,
)
from model.repair import Provenance


def rgb(value):
    return (int(value) >> 16) & 255, (int(value) >> 8) & 255, int(value) & 255


def test_near_is_blue_and_far_is_red():
    near, far = turbo()[0].astype(int), turbo()[-1].astype(int)
    assert near[2] > near[0]
    assert far[0] > far[2]


def test_the_table_is_the_same_length_in_metres_for_every_unit():
    assert depth_table(0.3, 4.0, 0.001)[2000] == depth_table(0.3, 4.0, 0.0001)[20_000]


def test_what_lies_outside_the_range_takes_its_ends():
    table = depth_table(1.0, 2.0, 0.001)
    assert rgb(table[500]) == rgb(table[1000]) == tuple(turbo()[0])
    assert rgb(table[9000]) == rgb(table[2000]) == tuple(turbo()[255])


def test_a_hole_is_checked_and_no_depth_looks_like_it():
    counts = np.zeros((16, 16), np.uint16)
    out = colour_depth(counts, depth_table(0.3, 4.0, 0.001), np.empty((16, 16), np.uint32))
    assert {rgb(value) for value in np.unique(out)} == set(HOLE_COLOURS)
    assert not set(np.unique(depth_table(0.3, 4.0, 0.001)[1:])) & set(np.unique(hole_pattern(16, 16)))


@pytest.mark.parametrize("kind", list(Provenance))
def test_provenance_has_its_full_colour_where_the_picture_is_white(kind):
    out = colour_provenance(
        np.full((2, 2), kind, np.uint8), np.full((2, 2, 3), 255, np.uint8), np.empty((2, 2), np.uint32)
    )
    assert rgb(out[0, 0]) == PROVENANCE_COLOURS[kind]


def test_provenance_can_be_told_apart_in_the_dark():
    darkest = [rgb(provenance_table()[kind * 256]) for kind in Provenance]
    apart = [max(abs(a - b) for a, b in zip(x, y, strict=True)) for x in darkest for y in darkest if x != y]
    assert min(apart) >= 25


def test_colour_is_copied_as_it_is():
    color = np.array([[[10, 20, 30], [200, 100, 0]]], np.uint8)
    out = copy_color(color, np.empty((1, 2), np.uint32))
    assert [rgb(value) for value in out[0]] == [(10, 20, 30), (200, 100, 0)]
