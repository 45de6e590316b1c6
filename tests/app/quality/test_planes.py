import numpy as np
import pytest

from app.quality.planes import Region, find_region, fit_plane, points_in, region_around
from drivers.geometry import Intrinsics, rays

CAMERA = Intrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
RAYS = rays(CAMERA)


def plane_depth(normal, distance_m):
    """(H, W) exact depth of the plane `normal @ point = distance_m`."""
    normal = np.array(normal) / np.linalg.norm(normal)
    return distance_m / (RAYS @ normal[:2] + normal[2]), normal


def test_an_exact_plane_is_found_exactly():
    depth, normal = plane_depth((0.3, -0.2, 1.0), 1.4)
    plane = fit_plane(points_in(depth, RAYS))
    assert plane.normal == pytest.approx(normal, abs=1e-6)
    assert plane.distance_m == pytest.approx(1.4, abs=1e-6)
    assert plane.share == 1
    assert plane.depth_m(RAYS[10, 20]) == pytest.approx(depth[10, 20], rel=1e-6)


def test_two_fifths_of_the_points_in_front_do_not_move_the_plane():
    depth, normal = plane_depth((0.1, 0.2, 1.0), 2.0)
    depth = depth + np.random.default_rng(1).normal(0, 0.003, depth.shape)
    depth[:, :64] = 1.2
    plane = fit_plane(points_in(depth, RAYS))
    assert plane.normal == pytest.approx(normal, abs=1e-3)
    assert plane.distance_m == pytest.approx(2.0, abs=2e-3)
    assert plane.share == pytest.approx(0.6, abs=0.01)


def test_normal_noise_is_neither_trimmed_nor_widened():
    depth = np.full((120, 160), 2.0)
    depth = depth + np.random.default_rng(2).normal(0, 0.004, depth.shape)
    assert fit_plane(points_in(depth, RAYS)).rms_m == pytest.approx(0.004, rel=0.02)


def test_a_wall_most_of_which_lies_in_one_count_keeps_the_rest():
    depth = np.rint((2.003 + np.random.default_rng(3).normal(0, 0.002, (120, 160))) / 0.01) * 0.01
    assert (depth == 2.0).mean() > 0.8
    plane = fit_plane(points_in(depth, RAYS))
    assert plane.share == 1
    assert plane.rms_m == pytest.approx(depth.std(), rel=0.02)
    assert plane.depth_m(RAYS[60, 80]) == pytest.approx(depth.mean(), abs=2e-4)


def test_a_slanted_plane_does_not_turn_away_from_its_noise():
    depth, normal = plane_depth((0, 0.5, 0.75**0.5), 1.0)
    rng = np.random.default_rng(6)
    fits = [fit_plane(points_in(depth * (1 + rng.normal(0, 0.03, depth.shape)), RAYS)) for _ in range(8)]
    turned = np.degrees(np.arcsin(np.mean([np.cross(normal, fit.normal)[0] for fit in fits])))
    assert abs(turned) < 0.04  # degrees; total least squares turns it by 0.18


def test_no_plane_is_said_of_a_cloud_or_of_a_handful():
    cloud = np.random.default_rng(3).uniform((-1, -1, 1), (1, 1, 3), (2000, 3))
    plane = fit_plane(cloud)
    assert plane is None or plane.rms_m > 0.2
    assert fit_plane(cloud[:20]) is None
    line = np.linspace((0, 0, 1), (1, 1, 2), 200)
    assert fit_plane(line) is None


def test_holes_are_no_points():
    depth = np.full((120, 160), 1.5)
    depth[:60] = 0
    points = points_in(depth, RAYS, Region(0, 0.25, 1, 0.75))
    assert len(points) == 30 * 160
    assert points[:, 2] == pytest.approx(1.5)


def test_the_one_wall_of_a_rough_scene_is_found_and_kept():
    rng = np.random.default_rng(4)
    depth = rng.uniform(1, 3, (120, 160))
    wall, _ = plane_depth((0.2, 0, 1.0), 2.0)
    depth[20:70, 90:150] = wall[20:70, 90:150] + rng.normal(0, 0.002, (50, 60))
    found = find_region(depth, RAYS)
    assert 90 / 160 - 0.1 < found.left < found.right < 150 / 160 + 0.1
    assert 20 / 120 - 0.1 < found.top < found.bottom < 70 / 120 + 0.1
    kept = Region(0.6, 0.2, 0.8, 0.4)
    assert find_region(depth, RAYS, before=kept) == kept


def test_no_region_is_found_where_nothing_is_flat():
    rough = np.random.default_rng(5).uniform(1, 3, (120, 160))
    assert find_region(rough, RAYS) is None
    assert find_region(np.zeros((120, 160)), RAYS) is None


def test_a_region_stays_within_the_picture():
    region = region_around(0.99, 0.02, share=0.2)
    assert (region.left, region.top, region.right, region.bottom) == pytest.approx((0.8, 0.0, 1.0, 0.2))
    rows, columns = region.slices((100, 200))
    assert (rows, columns) == (slice(0, 20), slice(160, 200))
