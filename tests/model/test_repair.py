"""Provenance follows published rules."""

import numpy as np
import pytest

from model.repair import (
    STRUCTURED_LIGHT,
    TIME_OF_FLIGHT,
    USUAL_NOISE,
    Provenance,
    SensorNoise,
    provenance,
    sensor_noise,
    stereo_noise,
)


def one(measured_m: float, repaired_m: float, noise: SensorNoise) -> Provenance:
    pixels = np.array([[measured_m]], np.float32), np.array([[repaired_m]], np.float32)
    return Provenance(int(provenance(*pixels, noise=noise)[0, 0]))


def test_stereo_noise_grows_with_the_square_of_the_range() -> None:
    # 0.1 px of 400 px * 0.05 m = 20 px m: 5 mm at 1 m, 20 mm at 2 m, 80 mm at 4 m
    sigma = stereo_noise(focal_px=400, baseline_m=0.05).sigma_m(np.array([1, 2, 4], np.float32))
    np.testing.assert_allclose(sigma, [0.005, 0.02, 0.08], rtol=1e-5)


def test_time_of_flight_noise_grows_with_the_range_to_the_promised_17_mm() -> None:
    sigma = TIME_OF_FLIGHT.sigma_m(np.array([0, 1.75, 3.5], np.float32))
    np.testing.assert_allclose(np.diff(sigma, 2), 0, atol=1e-7)
    assert sigma[-1] == pytest.approx(0.017)


def test_structured_light_has_the_noise_of_a_kinect() -> None:
    # Nguyen et al. 2012, table of axial noise: about 10 mm at 2.3 m
    assert STRUCTURED_LIGHT.sigma_m(np.array([2.3], np.float32))[0] == pytest.approx(0.010, rel=0.2)


def test_a_change_within_three_sigmas_leaves_a_pixel_measured_and_a_larger_one_refines_it() -> None:
    noise = stereo_noise(focal_px=400, baseline_m=0.05)  # 20 mm at 2 m
    assert one(2.0, 2.059, noise) is Provenance.MEASURED
    assert one(2.0, 1.941, noise) is Provenance.MEASURED
    assert one(2.0, 2.061, noise) is Provenance.REFINED
    assert one(2.0, 1.939, noise) is Provenance.REFINED


def test_the_same_change_is_noise_far_away_and_a_correction_nearby() -> None:
    noise = stereo_noise(focal_px=400, baseline_m=0.05)
    assert one(4.0, 4.05, noise) is Provenance.MEASURED
    assert one(1.0, 1.05, noise) is Provenance.REFINED


def test_rounding_to_counts_changes_no_provenance_even_of_a_perfect_sensor() -> None:
    assert one(1.0, 1.0005, SensorNoise()) is Provenance.MEASURED


def test_what_was_not_measured_is_invented_whatever_its_value() -> None:
    assert one(0.0, 2.0, TIME_OF_FLIGHT) is Provenance.INVENTED


@pytest.mark.parametrize("measured_m", [0.0, 1.0])
def test_what_has_no_depth_is_rejected_measured_or_not(measured_m: float) -> None:
    assert one(measured_m, np.inf, TIME_OF_FLIGHT) is Provenance.REJECTED


@pytest.mark.parametrize(
    ("sensor", "baseline_m", "expected"),
    [
        ("active stereo", 0.1, stereo_noise(500, 0.1)),
        ("passive stereo", 0.1, stereo_noise(500, 0.1)),
        ("time of flight", None, TIME_OF_FLIGHT),
        ("structured light", 0.075, STRUCTURED_LIGHT),
        ("active stereo", None, USUAL_NOISE),
        ("", None, USUAL_NOISE),
    ],
)
def test_each_kind_of_sensor_has_its_noise(
    sensor: str, baseline_m: float | None, expected: SensorNoise
) -> None:
    assert sensor_noise(sensor, focal_px=500, baseline_m=baseline_m) == expected
