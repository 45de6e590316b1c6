"""The figures of simulated sensors are what their simulation was told."""

import numpy as np
import pytest

from app.quality import spatial
from app.quality.edge_width import GAUSSIAN_RISE, measure
from app.quality.planes import find_region, fit_plane, points_in
from app.quality.sensor import stereo
from drivers.cameras.synthetic import demo_rig
from drivers.geometry import rays
from drivers.synth.sensor import DEFAULTS, SensorKind

PASSIVE_NOISE = 1.2
"""A passive pair's matching noise is so much more than its parameter says (`drivers.synth.sensor`)."""


@pytest.fixture(scope="module")
def frames():
    return {camera.info.sensor: camera.expose(0) for camera in demo_rig()}


@pytest.mark.parametrize(
    ("kind", "noise_px"),
    [
        (SensorKind.ACTIVE_STEREO, DEFAULTS[SensorKind.ACTIVE_STEREO].noise_px),
        (SensorKind.PASSIVE_STEREO, PASSIVE_NOISE * DEFAULTS[SensorKind.PASSIVE_STEREO].noise_px),
    ],
)
def test_subpixel_rms_is_the_noise_that_was_simulated(frames, kind, noise_px):
    frame = frames[kind.value]
    directions = rays(frame.calibration.color)
    region = find_region(frame.depth.metres, directions)
    points = points_in(frame.depth.metres, directions, region)
    focal_px, baseline_m = stereo(frame.calibration)
    measured = spatial.subpixel_rms_px(points, fit_plane(points), focal_px=focal_px, baseline_m=baseline_m)
    assert measured == pytest.approx(noise_px, rel=0.05)


def test_exact_depth_is_flat_sharp_whole_and_right(frames):
    frame = frames[SensorKind.ACTIVE_STEREO.value]
    directions = rays(frame.calibration.color)
    region = find_region(frame.truth.metres, directions)
    points = points_in(frame.truth.metres, directions, region)
    rounding_mm = 1 / 12**0.5
    assert spatial.plane_fit_rms_mm(points, fit_plane(points)) <= rounding_mm
    assert spatial.fill_rate(frame.truth) == 1
    assert spatial.z_error(frame.truth, frame.truth) == 0
    assert np.median(measure(frame.truth.metres).sigma_px) * GAUSSIAN_RISE < 1.5
    assert np.median(measure(frame.depth.metres).sigma_px) * GAUSSIAN_RISE > 2
