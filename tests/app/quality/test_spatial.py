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


def test_z_error_does_not_stick_to_whole_counts():
    noisy_m = 2.003 + np.random.default_rng(4).normal(0, 0.003, (120, 160))
    depth, truth = depth_map(noisy_m, unit_m=0.01), depth_map(np.full((120, 160), 2.0))
    assert spatial.z_error(depth, truth) == pytest.approx(float(depth.metres.mean()) / 2 - 1, abs=1e-6)


def test_z_error_is_signed_and_of_the_region():
    truth = depth_map(np.full((40, 60), 2.0))
    measured = np.full((40, 60), 2.04)
    measured[:, :30] = 1.9
    measured[0, 40] = 0
    depth = depth_map(measured)
    assert spatial.z_error(depth, truth, Region(0.5, 0, 1, 1)) == pytest.approx(0.02)
    assert spatial.z_error(depth, truth, Region(0, 0, 0.5, 1)) == pytest.approx(-0.05)
    assert spatial.z_error(depth_map(np.zeros((40, 60))), truth) is None
