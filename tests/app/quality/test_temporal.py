from math import pi, sqrt

import numpy as np
import pytest
from scipy.special import ndtr

from app.quality.temporal import StillWindow, flicker_mm, temporal_noise_mm

STILL = np.ones((60, 80), np.bool_)


def noisy(frames, sigma_mm, seed=0):
    return 1500 + np.random.default_rng(seed).normal(0, sigma_mm, (frames, 60, 80))


def room(shift=0, seed=7):
    """(240, 320, 3) a picture with structure everywhere, moved to the left by `shift` pixels."""
    import cv2

    rough = np.random.default_rng(seed).normal(0, 1, (240, 480)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), 4)
    grey = np.clip(138 + 50 * smooth / smooth.std(), 40, 255).astype(np.uint8)
    return np.repeat(grey[:, 40 + shift : 360 + shift, None], 3, axis=2)


@pytest.mark.parametrize("frames", [5, 10, 40])
@pytest.mark.parametrize("sigma_mm", [1.5, 8.0])
def test_temporal_noise_is_the_deviation_however_few_the_frames(frames, sigma_mm):
    assert temporal_noise_mm(noisy(frames, sigma_mm), STILL) == pytest.approx(sigma_mm, rel=0.02)


def test_flicker_of_normal_noise_has_a_closed_form():
    assert flicker_mm(noisy(20, 6.0), STILL) == pytest.approx(2 * 6.0 / sqrt(pi), rel=0.02)


def test_a_slow_drift_is_noise_but_hardly_flicker():
    drift = 1500 + 0.5 * np.arange(21)[:, None, None] * np.ones((1, 60, 80))
    assert flicker_mm(drift, STILL) == pytest.approx(0.5)
    assert temporal_noise_mm(drift, STILL) == pytest.approx(0.5 * np.std(np.arange(21), ddof=1), rel=0.02)


def test_holes_and_what_moves_do_not_count():
    depths = noisy(10, 2.0)
    depths[3, :30] = 0
    depths[5:, 40:] += 700
    still = STILL.copy()
    still[40:] = False
    assert temporal_noise_mm(depths, still) == pytest.approx(2.0, rel=0.02)
    assert flicker_mm(depths, still) == pytest.approx(2 * 2.0 / sqrt(pi), rel=0.02)


def test_holes_that_come_and_go_do_not_count():
    depths = noisy(20, 2.0)
    depths[np.random.default_rng(1).random(depths.shape) < 0.3] = 0
    assert temporal_noise_mm(depths, STILL) == pytest.approx(2.0, rel=0.02)
    assert flicker_mm(depths, STILL) == pytest.approx(2 * 2.0 / sqrt(pi), rel=0.02)


def test_noise_below_one_count_is_that_of_the_counts():
    # 3.5 mm beside the middle of a count of 10 mm: a pixel is in this count or in the next one.
    depths = np.rint((noisy(20, 1.5) + 3.5) / 10) * 10
    beyond = 1 - ndtr((5.0 - 3.5) / 1.5)
    assert temporal_noise_mm(depths, STILL) == pytest.approx(10 * sqrt(beyond * (1 - beyond)), rel=0.02)


def test_with_hardly_any_still_pixel_nothing_is_said():
    few = np.zeros((60, 80), np.bool_)
    few[0, :10] = True
    assert temporal_noise_mm(noisy(10, 2.0), few) is None
    assert flicker_mm(noisy(10, 2.0), few) is None
    assert temporal_noise_mm(noisy(1, 2.0), STILL) is None


def test_a_window_starts_anew_when_the_camera_moves():
    window = StillWindow()
    depth = np.full((240, 320), 1200.0)
    for _ in range(6):
        window.add(room(), {"raw": depth})
    assert len(window) == 6
    assert window.figures()["raw"].noise_mm == 0
    window.add(room(8), {"raw": depth})
    assert len(window) == 1
    assert window.figures()["raw"].why_not == "camera moved"


def test_what_moves_in_a_still_room_is_left_out():
    window = StillWindow()
    rng = np.random.default_rng(3)
    for index in range(12):
        color, depth = room(), 1200 + rng.normal(0, 3.0, (240, 320))
        left = 20 * index
        color[100:140, left : left + 40] = 0
        depth[100:140, left : left + 40] = 600
        window.add(color, {"raw": depth})
    figures = window.figures()["raw"]
    assert len(window) == 12
    assert figures.noise_mm == pytest.approx(3.0, rel=0.02)
    assert figures.flicker_mm == pytest.approx(2 * 3.0 / sqrt(pi), rel=0.02)


def test_each_stream_has_its_own_figures_and_new_streams_begin_anew():
    window = StillWindow()
    rng = np.random.default_rng(4)
    for _ in range(10):
        raw = 1200 + rng.normal(0, 6.0, (240, 320))
        window.add(room(), {"raw": raw, "refined": np.full((240, 320), 1200.0)})
    figures = window.figures()
    assert figures["raw"].noise_mm == pytest.approx(6.0, rel=0.02)
    assert figures["refined"].noise_mm == 0
    window.add(room(), {"raw": raw})
    assert len(window) == 1
    assert window.figures()["raw"].why_not == "1 of 5 frames"
