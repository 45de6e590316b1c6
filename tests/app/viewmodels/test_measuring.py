import math
from dataclasses import replace

import numpy as np
import pytest

from app.viewmodels.live import Note, TileView
from app.viewmodels.measuring import (
    distance_m,
    pixel,
    place_in_color,
    point,
    profile,
    scene,
    seen_alike,
    stats,
)
from drivers.depth import DepthMap
from drivers.geometry import Calibration, Intrinsics

LENS = Intrinsics(640, 480, 600.0, 610.0, 320.25, 238.5)


def place(column, row, width=640, height=480):
    return (column + 0.5) / width, (row + 0.5) / height


def flat(z_m, unit_m=0.001):
    return DepthMap(np.full((480, 640), round(z_m / unit_m), np.uint16), unit_m)


def slanted(unit_m=0.0001):
    """A plane z = 0.5 + 0.8 x, solved for the depth that each pixel's ray meets; tenths of a millimetre."""
    x = (np.arange(640) - LENS.cx) / LENS.fx
    z = 0.5 / (1 - 0.8 * x)
    return DepthMap(np.tile(np.rint(z / unit_m).astype(np.uint16), (480, 1)), unit_m)


def test_a_place_is_the_pixel_that_it_lies_in():
    assert pixel((0.0, 0.0), (480, 640)) == (0, 0)
    assert pixel((1.0, 1.0), (480, 640)) == (639, 479)
    assert pixel(place(17, 33), (480, 640)) == (17, 33)


def test_a_point_lies_on_its_pixels_ray():
    found = point(flat(2.0), LENS, place(500, 100))
    assert found == pytest.approx([2.0 * (500 - 320.25) / 600, 2.0 * (100 - 238.5) / 610, 2.0])


def test_a_point_in_a_hole_is_none():
    values = flat(2.0).values.copy()
    values[100, 500] = 0
    holed = DepthMap(values, 0.001)
    assert point(holed, LENS, place(500, 100)) is None
    assert distance_m(holed, LENS, place(500, 100), place(10, 10)) is None


def test_a_distorted_lens_is_straightened():
    import cv2

    bent = replace(LENS, distortion=(-0.2, 0.05, 0.001, -0.001, 0.0))
    truth = np.array([0.6, -0.4, 1.5])
    seen, _ = cv2.projectPoints(truth, np.zeros(3), np.zeros(3), bent.matrix, np.array(bent.distortion))
    column, row = np.rint(seen.ravel())
    found = point(flat(1.5), bent, place(column, row))
    assert found == pytest.approx(truth, abs=0.5 * 1.5 / 600 * 1.5)  # half a pixel, somewhat stretched


@pytest.mark.parametrize("unit_m", [0.001, 0.0001])
def test_distance_on_a_wall_that_faces_the_camera(unit_m):
    across = distance_m(flat(1.5, unit_m), LENS, place(100, 240), place(400, 240))
    down = distance_m(flat(1.5, unit_m), LENS, place(100, 40), place(100, 440))
    assert across == pytest.approx(1.5 * 300 / 600)
    assert down == pytest.approx(1.5 * 400 / 610)


def test_distance_on_a_slanted_wall_goes_along_the_wall():
    a, b = 150, 450
    x_a, x_b = ((column - LENS.cx) / LENS.fx for column in (a, b))
    along_x = 0.5 * x_b / (1 - 0.8 * x_b) - 0.5 * x_a / (1 - 0.8 * x_a)
    truth = along_x * math.hypot(1, 0.8)
    assert distance_m(slanted(), LENS, place(a, 240), place(b, 240)) == pytest.approx(truth, abs=2e-4)


def test_statistics_agree_with_numpy_and_skip_holes():
    rng = np.random.default_rng(3)
    values = rng.integers(500, 4000, (480, 640)).astype(np.uint16)
    values[rng.random(values.shape) < 0.3] = 0
    found = stats(DepthMap(values, 0.001), LENS, place(600, 400), place(21, 7))
    inside = values[7:401, 21:601]
    metres = inside[inside > 0] / 1000
    assert found.fill == pytest.approx((inside > 0).mean())
    assert (found.mean_m, found.std_m) == (pytest.approx(metres.mean()), pytest.approx(metres.std()))
    assert found.median_m == pytest.approx(np.median(metres))
    assert (found.min_m, found.max_m) == (pytest.approx(metres.min()), pytest.approx(metres.max()))


@pytest.mark.parametrize(("values", "median_m"), [([1, 3], 0.002), ([1, 2, 9], 0.002), ([5], 0.005)])
def test_the_median_of_few_values(values, median_m):
    row = np.array([values], np.uint16)
    assert stats(DepthMap(row, 0.001), LENS, (0, 0), (1, 1)).median_m == pytest.approx(median_m)


def test_the_size_of_an_area_is_that_of_the_wall_it_covers():
    found = stats(flat(2.0), LENS, place(100, 100), place(399, 344))
    assert (found.width_m, found.height_m) == (pytest.approx(1.0), pytest.approx(2.0 * 245 / 610))


def test_an_area_without_a_measurement_has_no_values():
    found = stats(DepthMap(np.zeros((480, 640), np.uint16), 0.001), LENS, (0, 0), (1, 1))
    assert found.fill == 0
    assert math.isnan(found.mean_m)


def test_a_profile_reads_every_pixel_of_its_line_and_leaves_gaps():
    values = np.arange(640, dtype=np.uint16)[None, :].repeat(480, axis=0) + 1000
    values[:, 300] = 0
    found = profile(DepthMap(values, 0.001), place(295, 10), place(305, 12))
    truth = (np.arange(295, 306) + 1000) / 1000
    truth[5] = np.nan
    np.testing.assert_allclose(found, truth, rtol=1e-6)


def test_a_profile_goes_the_way_it_was_drawn():
    there = profile(slanted(), place(10, 10), place(60, 40))
    back = profile(slanted(), place(60, 40), place(10, 10))
    assert there[0] == back[-1] < there[-1] == back[0]


def test_raw_and_refined_are_measured_in_one_exposure(make_camera, make_refined):
    old, new = make_camera().frame(), make_camera().frame()
    tile = TileView("tiny", frame=new, refined=make_refined(old))
    found = scene(tile)
    assert found.raw is old.depth
    assert found.refined is tile.refined.depth
    stale = scene(replace(tile, refined_note=Note("Refined depth is 9 s old")))
    assert (stale.raw, stale.refined) == (new.depth, None)
    assert scene(TileView("tiny")) is None


@pytest.fixture
def apart(make_camera):
    """A frame whose depth camera has another lens and sits 5 cm to the left of the colour camera."""
    own = Intrinsics(320, 240, 250.0, 250.0, 159.5, 119.5)
    color_from_depth = np.eye(4)
    color_from_depth[0, 3] = 0.05
    values = np.full((240, 320), 1200, np.uint16)
    values[100, 100] = 0
    return replace(
        make_camera().frame(),
        color=np.zeros((480, 640, 3), np.uint8),
        depth=DepthMap(values, 0.001),
        calibration=Calibration(LENS, own, color_from_depth),
    )


def test_cameras_apart_do_not_see_alike(apart, make_camera):
    assert not seen_alike(apart.calibration)
    assert seen_alike(make_camera().calibration)
    assert seen_alike(Calibration(LENS, LENS.scaled(320, 240)))


def test_a_place_in_depth_is_found_in_colour(apart):
    x, y = place_in_color(apart, place(200, 60, 320, 240))
    point_x, point_y = 1.2 * (200 - 159.5) / 250 + 0.05, 1.2 * (60 - 119.5) / 250
    assert x == pytest.approx((point_x / 1.2 * LENS.fx + LENS.cx + 0.5) / 640)
    assert y == pytest.approx((point_y / 1.2 * LENS.fy + LENS.cy + 0.5) / 480)
    assert place_in_color(apart, place(100, 100, 320, 240)) is None


def test_raw_depth_alone_is_measured_in_the_colour_grid(apart):
    found = scene(TileView("tiny", frame=apart))
    assert found.camera == LENS
    assert found.raw.values.shape == (480, 640)
    truth = 1.2 * 100 / LENS.fx
    assert distance_m(found.raw, found.camera, place(300, 240), place(400, 240)) == pytest.approx(truth)
