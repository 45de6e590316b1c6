import cv2
import numpy as np
import pytest

from drivers.depth import DepthMap
from drivers.geometry import Calibration, Intrinsics, points_in_camera, project, register_depth

DEPTH = Intrinsics(80, 60, 70.0, 71.0, 39.5, 29.5)
PLAIN = Intrinsics(80, 60, 70.0, 70.0, 40.0, 30.0)
FINE = Intrinsics(256, 192, 230.0, 230.0, 127.5, 95.5)
BROWN = (0.12, -0.25, 0.0015, -0.001, 0.08)
RATIONAL = (0.12, -0.25, 0.0015, -0.001, 0.08, 0.02, -0.03, 0.01)
LENSES = {
    "plain": PLAIN,
    "distorted": Intrinsics(80, 60, 70.0, 70.0, 40.0, 30.0, BROWN),
    "rational": Intrinsics(80, 60, 70.0, 70.0, 40.0, 30.0, RATIONAL),
    "fine": FINE,
    "coarse": Intrinsics(40, 30, 35.0, 35.0, 19.5, 14.5),
}


def beside(x_m=0.05, *, turn=(0.01, -0.02, 0.015)):
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(np.array(turn, float))[0]
    matrix[:3, 3] = [x_m, 0.004, -0.003]
    return matrix


def scene(camera=DEPTH):
    """A wall, a box before it, and a hole."""
    counts = np.full((camera.height, camera.width), 1500, np.uint16)
    counts[20:40, 30:55] = 600
    counts[50:54, 10:20] = 0
    return DepthMap(counts, 0.001)


def brute(depth, calibration):
    """The nearest point of each colour pixel, with OpenCV's own projection and no footprint."""
    color = calibration.color
    points = points_in_camera(depth, calibration.depth).astype(np.float64)
    points = points @ calibration.color_from_depth[:3, :3].T + calibration.color_from_depth[:3, 3]
    column, row = project(points.astype(np.float32), color)
    out = np.zeros((color.height, color.width), np.uint16)
    for u, v, z in zip(np.rint(column).astype(int), np.rint(row).astype(int), points[:, 2], strict=True):
        if 0 <= u < color.width and 0 <= v < color.height:
            counts = round(z / depth.unit_m)
            out[v, u] = counts if not out[v, u] else min(counts, out[v, u])
    return out


@pytest.mark.parametrize("name", list(LENSES))
def test_every_point_lands_where_opencv_projects_it_and_the_nearest_wins(name):
    calibration = Calibration(LENSES[name], DEPTH, beside())
    ours = register_depth(scene(), calibration).values.astype(int)
    truth = brute(scene(), calibration).astype(int)
    hit = truth > 0
    assert (ours[hit] > 0).all()
    assert (ours[hit] <= truth[hit] + 1).all()
    # A footprint may bring a nearer neighbour, at an edge or on a slant; elsewhere it is the same count.
    assert np.mean(np.abs(ours - truth)[hit] <= 1) > 0.75
    assert set(np.unique(ours // 700)) <= {0, 1, 2}


def test_the_foreground_hides_the_background_on_both_sides():
    for side in (-0.08, 0.08):
        calibration = Calibration(FINE, DEPTH, beside(side, turn=(0, 0, 0)))
        ours = register_depth(scene(), calibration).values
        near = (ours > 0) & (ours < 900)
        rows, columns = np.nonzero(near)
        box = ours[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (box[1:-1, 1:-1] < 900).all()
        assert (box[1:-1, 1:-1] > 0).all()


@pytest.mark.parametrize("factor", [1.0, 1.3, 1.6, 2.0, 3.3, 4.5])
def test_a_finer_colour_grid_has_no_cracks(factor):
    color = Intrinsics(
        round(80 * factor), round(60 * factor), 70 * factor, 70 * factor, 39.5 * factor, 29.5 * factor
    )
    slanted = np.tile(np.linspace(700, 1800, 80).astype(np.uint16), (60, 1))
    calibration = Calibration(color, DEPTH, beside(0.03))
    ours = register_depth(DepthMap(slanted, 0.001), calibration).values
    inner = ours[round(8 * factor) : -round(8 * factor), round(12 * factor) : -round(12 * factor)]
    assert (inner > 0).all()


def test_a_hole_stays_a_hole_and_what_lies_outside_is_left_out():
    ours = register_depth(scene(), Calibration(PLAIN, DEPTH, beside(0.0, turn=(0, 0, 0.001)))).values
    assert (ours[51:53, 12:18] == 0).all()
    away = register_depth(scene(), Calibration(PLAIN, DEPTH, beside(50.0))).values
    assert not away.any()


def test_points_behind_the_colour_camera_are_left_out():
    turned = np.diag([-1.0, 1.0, -1.0, 1.0])
    assert not register_depth(scene(), Calibration(PLAIN, DEPTH, turned)).values.any()


def test_what_a_polynomial_would_fold_back_into_the_picture_is_left_out():
    fold = Intrinsics(80, 60, 200.0, 200.0, 39.5, 29.5, (0.0, -9.0, 0.0, 0.0, 0.0))
    wide = Intrinsics(80, 60, 30.0, 30.0, 39.5, 29.5)
    wall = DepthMap(np.full((60, 80), 1000, np.uint16), 0.001)
    ours = register_depth(wall, Calibration(fold, wide, beside(0.0, turn=(0, 0, 1e-6)))).values
    marked = wall.values.copy()
    marked[:, :20] = 500  # far outside what this lens sees
    theirs = register_depth(DepthMap(marked, 0.001), Calibration(fold, wide, beside(0.0, turn=(0, 0, 1e-6))))
    assert np.array_equal(ours, theirs.values)


def test_a_depth_lens_that_distorts_is_straightened_first():
    bent = Intrinsics(80, 60, 70.0, 71.0, 39.5, 29.5, (-0.2, 0.05, 0.001, 0.0, 0.0))
    calibration = Calibration(PLAIN, bent, beside())
    ours = register_depth(scene(bent), calibration).values.astype(int)
    truth = brute(scene(bent), calibration).astype(int)
    hit = truth > 0
    assert (ours[hit] > 0).all()
    assert np.mean(np.abs(ours - truth)[hit] <= 1) > 0.75


def test_counts_keep_their_unit():
    counts = DepthMap(scene().values * 10, 0.0001)
    calibration = Calibration(PLAIN, DEPTH, beside())
    ours, coarse = register_depth(counts, calibration), register_depth(scene(), calibration)
    assert ours.unit_m == 0.0001
    both = (ours.values > 0) & (coarse.values > 0)
    assert np.abs(ours.values[both] / 10 - coarse.values[both]).max() < 1


def test_a_lens_with_more_coefficients_is_refused():
    color = Intrinsics(80, 60, 70.0, 70.0, 40.0, 30.0, (0.1,) * 12)
    with pytest.raises(ValueError, match="12 distortion coefficients"):
        register_depth(scene(), Calibration(color, DEPTH, beside()))
