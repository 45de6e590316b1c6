from math import radians

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.special import ndtr

from app.quality.edge_width import FEWEST_PIECES, GAUSSIAN_RISE, EdgeWindow, edge_width
from drivers.depth import DepthMap, depth_map

SHAPE = (240, 320)
CONTRAST = 2.563103  # 10 to 90 % of a normal distribution, in its deviations


def edges(sigma_px, *, angle_deg=4.0, near_m=1.0, step_m=0.4, noise=0.0, seed=0, unit_m=1e-4, every_px=70):
    """Stripes, near and far by turns, whose slanted edges are Gaussian; noise as a share of the depth."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    across = (columns - 160) * np.cos(radians(angle_deg)) + (rows - 120) * np.sin(radians(angle_deg))
    number = np.round(across / every_px)
    rise = ndtr((across - number * every_px) / sigma_px)
    depth_m = near_m + step_m * np.where(number % 2 == 0, rise, 1 - rise)
    return depth_map(
        depth_m * (1 + noise * np.random.default_rng(seed).standard_normal(SHAPE)), unit_m=unit_m
    )


def gathered(images):
    window = EdgeWindow()
    for number, depth in enumerate(images, 1):
        width = window.add(depth)
        if width.width_px is not None:
            return width, number
    return width, number


@pytest.mark.parametrize("angle_deg", [0, 2, -11, 30, 45, 88, 120])
@pytest.mark.parametrize("sigma_px", [0.4, 0.8, 1.5, 3.0])
def test_a_gaussian_edge_is_as_wide_as_its_closed_form_in_every_direction(sigma_px, angle_deg):
    width = edge_width(edges(sigma_px, angle_deg=angle_deg))
    assert width.width_px == pytest.approx(CONTRAST * sigma_px, rel=0.005)


@pytest.mark.parametrize("noise", [0.001, 0.005, 0.01])
@pytest.mark.parametrize("step_m", [0.1, 1.0])
@pytest.mark.parametrize("sigma_px", [0.4, 1.0, 3.0])
def test_noise_makes_an_edge_neither_wider_nor_narrower(sigma_px, step_m, noise):
    width, _ = gathered(edges(sigma_px, step_m=step_m, noise=noise, seed=seed) for seed in range(20))
    assert width.width_px == pytest.approx(CONTRAST * sigma_px, rel=0.02)


def test_the_noisier_the_scene_the_more_images_it_takes_and_the_error_is_said():
    alone = edge_width(edges(0.5, step_m=0.1, noise=0.01))
    assert alone.width_px is None
    assert alone.why_not == "few edges"
    width, images = gathered(edges(0.5, step_m=0.1, noise=0.01, seed=seed) for seed in range(20))
    assert images > 1
    assert width.error < 0.01 < alone.error


def test_an_edge_whose_image_is_in_counts_of_a_centimetre_is_as_wide():
    assert edge_width(edges(1.2, unit_m=0.01)).width_px == pytest.approx(CONTRAST * 1.2, rel=0.02)


def test_a_step_of_few_counts_is_no_clear_edge():
    assert edge_width(edges(1.2, step_m=0.15, unit_m=0.01)).why_not == "no clear edges"


def test_a_third_of_the_pixels_may_be_holes():
    values = edges(0.7).values.copy()
    values[np.random.default_rng(1).random(SHAPE) < 0.3] = 0
    assert edge_width(DepthMap(values, 1e-4)).width_px == pytest.approx(CONTRAST * 0.7, rel=0.01)


def test_a_whole_step_between_two_pixels_is_four_fifths_of_a_pixel_wide():
    depth_m = np.where(np.arange(320) >= 160, 2.0, 1.0) * np.ones((240, 1))
    assert edge_width(depth_map(depth_m)).width_px == pytest.approx(0.8)


def test_a_band_of_holes_at_an_edge_is_as_wide_as_the_gaussian_nearest_to_the_line_across_it():
    depth_m = np.where(np.arange(320) >= 160, 2.0, 1.0) * np.ones((240, 1))
    depth_m[:, 156:161] = 0  # from column 155 to 161
    places = np.arange(-14, 15)
    bridge = np.clip((places + 3) / 6, 0, 1)
    (_, sigma_px, *_), _ = curve_fit(
        lambda x, at, sigma, low, high, slope, other: (
            (low + slope * x) * (1 - ndtr((x - at) / sigma)) + (high + other * x) * ndtr((x - at) / sigma)
        ),
        places, bridge, p0=(0, 2, 0, 1, 0, 0),
    )  # fmt: skip
    width_px = edge_width(depth_map(depth_m)).width_px
    assert width_px == pytest.approx(CONTRAST * sigma_px, rel=0.02)
    assert width_px == pytest.approx(0.8 * 6, rel=0.1)


def test_a_slope_roughness_a_corner_and_a_tiny_image_have_no_edges():
    slope = np.linspace(1, 3, 160) * np.ones((120, 1))
    corner = 1 + 0.02 * np.abs(np.arange(160) - 80) * np.ones((120, 1))
    rough = np.random.default_rng(2).uniform(1, 3, (120, 160))
    for depth_m in (slope, corner, rough, np.full((120, 160), 1.5), np.zeros((120, 160)), np.ones((10, 10))):
        width = edge_width(depth_map(depth_m))
        assert (width.width_px, width.why_not) == (None, "no clear edges")


def test_edges_that_are_gone_are_not_remembered():
    window = EdgeWindow()
    assert window.add(edges(1.0)).pieces >= FEWEST_PIECES
    assert window.add(depth_map(np.full(SHAPE, 1.5))).width_px is None


def test_a_narrower_edge_is_seen_at_once_where_there_is_no_noise():
    window = EdgeWindow()
    window.add(edges(3.0))
    assert window.add(edges(1.0)).width_px == pytest.approx(GAUSSIAN_RISE * 1.0, rel=0.005)
