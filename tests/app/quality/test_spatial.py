import numpy as np
import pytest

from app.quality import spatial
from app.quality.planes import Region, fit_plane, points_in
from drivers.depth import DepthMap, depth_map
from drivers.geometry import Intrinsics, rays

CAMERA = Intrinsics(320, 240, 230.0, 230.0, 159.5, 119.5)
RAYS = rays(CAMERA)
TILTED = np.array([0.35, -0.2, 1.0]) / np.linalg.norm([0.35, -0.2, 1.0])


def tilted(distance_m):
    return distance_m / (RAYS @ TILTED[:2] + TILTED[2])


def test_fill_rate_counts_the_holes_of_the_region_only():
    values = np.full((100, 200), 900, np.uint16)
    values[:50, :50] = 0
    depth = DepthMap(values, 0.001)
    assert spatial.fill_rate(depth) == pytest.approx(1 - 2500 / 20000)
    assert spatial.fill_rate(depth, Region(0, 0, 0.5, 0.5)) == pytest.approx(0.5)


@pytest.mark.parametrize("sigma_mm", [1.0, 4.0, 15.0])
def test_plane_fit_rms_is_the_noise_across_the_plane(sigma_mm):
    noise = np.random.default_rng(1).normal(0, sigma_mm / 1e3, (240, 320))
    depth = tilted(2.0) + noise / (RAYS @ TILTED[:2] + TILTED[2])
    points = points_in(depth, RAYS)
    # A point whose depth is more by n / (ray @ normal) lies n behind the plane.
    assert spatial.plane_fit_rms_mm(points, fit_plane(points)) == pytest.approx(sigma_mm, rel=0.02)


@pytest.mark.parametrize("sigma_px", [0.05, 0.3])
def test_subpixel_rms_is_the_noise_of_disparity_on_a_tilted_plane(sigma_px):
    focal_px, baseline_m = 400.0, 0.055
    disparity = focal_px * baseline_m / tilted(1.5)
    disparity += np.random.default_rng(2).normal(0, sigma_px, disparity.shape)
    points = points_in(focal_px * baseline_m / disparity, RAYS)
    measured = spatial.subpixel_rms_px(points, fit_plane(points), focal_px=focal_px, baseline_m=baseline_m)
    assert measured == pytest.approx(sigma_px, rel=0.02)


@pytest.mark.parametrize("wrong", [-0.03, 0.0, 0.02])
def test_z_accuracy_is_the_scale_error_of_the_depth(wrong):
    noise = np.random.default_rng(3).normal(0, 0.003, (240, 320))
    points = points_in(tilted(1.8) * (1 + wrong) + noise, RAYS)
    true_m = tilted(1.8)[60, 200]
    off = spatial.z_accuracy(fit_plane(points), RAYS[60, 200], distance_m=true_m)
    assert off == pytest.approx(wrong, abs=5e-4)


def test_z_error_is_signed_and_of_the_region():
    truth = depth_map(np.full((40, 60), 2.0))
    measured = np.full((40, 60), 2.04)
    measured[:, :30] = 1.9
    measured[0, 40] = 0
    depth = depth_map(measured)
    assert spatial.z_error(depth, truth, Region(0.5, 0, 1, 1)) == pytest.approx(0.02)
    assert spatial.z_error(depth, truth, Region(0, 0, 0.5, 1)) == pytest.approx(-0.05)
    assert spatial.z_error(depth_map(np.zeros((40, 60))), truth) is None


def step(profile):
    """A near wall and a far one whose step runs as `profile` does, in 0.1 mm counts."""
    near_m, far_m = 1.0, 2.0
    return depth_map(np.tile(near_m + (far_m - near_m) * profile, (120, 1)), unit_m=0.0001)


def test_a_perfect_step_is_four_fifths_of_a_pixel_wide():
    assert spatial.edge_width_px(step((np.arange(160) >= 70) * 1.0)) == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize("width_px", [4, 8])
def test_a_linear_ramp_is_eight_tenths_of_its_width(width_px):
    ramp = np.clip((np.arange(160) - 70) / width_px, 0, 1)
    assert spatial.edge_width_px(step(ramp)) == pytest.approx(0.8 * width_px, rel=0.02)


@pytest.mark.parametrize("middle", [79.0, 79.25, 79.5])
@pytest.mark.parametrize("sigma_px", [0.5, 0.75, 1.0, 1.2, 1.5, 2.0, 3.5])
def test_a_blurred_step_is_as_wide_as_its_gaussian_wherever_it_falls_between_pixels(sigma_px, middle):
    from math import erf

    blurred = np.array([(1 + erf((x - middle) / sigma_px / 2**0.5)) / 2 for x in range(160)])
    assert spatial.edge_width_px(step(blurred)) == pytest.approx(2 * 1.28155 * sigma_px, rel=0.02)


def test_columns_count_as_rows_do():
    values = step((np.arange(160) >= 70) * 1.0).values.T.copy()
    assert spatial.edge_width_px(DepthMap(values, 0.0001)) == pytest.approx(0.8, abs=1e-3)


def test_a_band_of_holes_at_an_edge_is_width():
    values = step((np.arange(160) >= 70) * 1.0).values.copy()
    values[:, 66:71] = 0  # bridged from column 65 to 71
    assert spatial.edge_width_px(DepthMap(values, 0.0001)) == pytest.approx(0.8 * 6, rel=0.01)


def test_a_slope_is_no_edge():
    assert spatial.edge_width_px(depth_map(np.tile(np.linspace(1, 3, 160), (120, 1)))) is None
    assert spatial.edge_width_px(depth_map(np.full((10, 10), 1.0))) is None
