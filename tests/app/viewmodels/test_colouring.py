import numpy as np
import pytest

from app.viewmodels.colouring import (
    COLOUR_MAP_WORDS,
    HOLE_COLOURS,
    PROVENANCE_COLOURS,
    colour_confidence,
    colour_depth,
    colour_difference,
    colour_infrared,
    colour_provenance,
    copy_color,
    depth_table,
    difference_table,
    diverging,
    hole_pattern,
    provenance_table,
    ramp,
)
from model.repair import Provenance


def rgb(value):
    return (int(value) >> 16) & 255, (int(value) >> 8) & 255, int(value) & 255


def test_near_is_blue_and_far_is_red():
    near, far = ramp("turbo")[0].astype(int), ramp("turbo")[-1].astype(int)
    assert near[2] > near[0]
    assert far[0] > far[2]


def test_the_table_is_the_same_length_in_metres_for_every_unit():
    assert depth_table(0.3, 4.0, 0.001)[2000] == depth_table(0.3, 4.0, 0.0001)[20_000]


def test_what_lies_outside_the_range_takes_its_ends():
    table = depth_table(1.0, 2.0, 0.001)
    assert rgb(table[500]) == rgb(table[1000]) == tuple(ramp("turbo")[0])
    assert rgb(table[9000]) == rgb(table[2000]) == tuple(ramp("turbo")[255])


@pytest.mark.parametrize("colour_map", list(COLOUR_MAP_WORDS))
def test_no_distance_looks_like_a_hole_in_any_colour_map(colour_map):
    colours = ramp(colour_map).astype(int)
    assert colours.shape == (256, 3)
    apart = [np.abs(colours - np.array(hole)).max(axis=1).min() for hole in HOLE_COLOURS]
    assert min(apart) >= 25


def test_colour_maps_differ():
    assert len({ramp(colour_map).tobytes() for colour_map in COLOUR_MAP_WORDS}) == len(COLOUR_MAP_WORDS)


def test_a_difference_is_signed_and_symmetric():
    raw = np.array([[1000, 1000, 1000, 0, 1000]], np.uint16)
    refined = np.array([[1100, 900, 1000, 900, 0]], np.uint16)
    out = colour_difference(raw, refined, difference_table(0.1, 0.001), np.empty((1, 5), np.uint32))
    farther, nearer, same, no_raw, no_refined = (rgb(value) for value in out[0])
    assert (farther, nearer) == (tuple(diverging()[255]), tuple(diverging()[0]))
    assert max(same) - min(same) <= 1
    assert {no_raw, no_refined} <= set(HOLE_COLOURS)


def test_the_largest_differences_do_not_wrap_around():
    raw, refined = np.array([[1, 65_535]], np.uint16), np.array([[65_535, 1]], np.uint16)
    out = colour_difference(raw, refined, difference_table(0.1, 0.001), np.empty((1, 2), np.uint32))
    assert [rgb(value) for value in out[0]] == [tuple(diverging()[255]), tuple(diverging()[0])]


def test_confidence_and_infrared_have_the_ends_of_their_scales():
    sure = colour_confidence(np.array([[0, 1]], np.float32), np.empty((1, 2), np.uint32))
    assert [rgb(value) for value in sure[0]] == [(68, 1, 84), (253, 231, 37)]  # Viridis, as published
    grey = colour_infrared(np.array([[0, 9, 255]], np.uint8), np.empty((1, 3), np.uint32))
    assert [rgb(value) for value in grey[0]] == [(0, 0, 0), (9, 9, 9), (255, 255, 255)]


def test_a_hole_is_checked_and_no_depth_looks_like_it():
    counts = np.zeros((16, 16), np.uint16)
    out = colour_depth(counts, depth_table(0.3, 4.0, 0.001), np.empty((16, 16), np.uint32))
    assert {rgb(value) for value in np.unique(out)} == set(HOLE_COLOURS)
    assert not set(np.unique(depth_table(0.3, 4.0, 0.001)[2:])) & set(np.unique(hole_pattern(16, 16)))


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
