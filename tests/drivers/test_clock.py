import time

import numpy as np
import pytest

from drivers.clock import ClockFit, FrameCounter, exposed_ns, monotonic_from_epoch

SECOND_NS = 1_000_000_000
PERIOD_NS = SECOND_NS // 30


def errors_ms(*, ppm, frames=3000, seed=0):
    """Of a clock that is `ppm` wrong: 12 ms delay, 4 ms of jitter, one arrival in fifty late by 80 ms."""
    rng = np.random.default_rng(seed)
    fit = ClockFit()
    exposed_ns = np.arange(frames) * PERIOD_NS + 77 * SECOND_NS
    delay_ns = 12e6 + rng.exponential(4e6, frames) + np.where(rng.random(frames) < 0.02, 80e6, 0)
    device_ns = (np.arange(frames) * PERIOD_NS * (1 + ppm * 1e-6)).astype(np.int64)
    told_ns = [
        fit.host_ns(int(device), int(exposed + delay))
        for device, exposed, delay in zip(device_ns, exposed_ns, delay_ns, strict=True)
    ]
    return (np.array(told_ns) - exposed_ns) / 1e6 - 12.0


@pytest.mark.parametrize("ppm", [-40, 40, 400])
@pytest.mark.parametrize("seed", range(5))
def test_a_drifting_clock_is_followed_within_a_millisecond(ppm, seed):
    settled = errors_ms(ppm=ppm, seed=seed)[600:]

    assert np.percentile(np.abs(settled), 95) < 1.0


def test_no_frame_is_told_after_its_arrival():
    fit = ClockFit()
    rng = np.random.default_rng(1)
    for number in range(500):
        arrival_ns = number * PERIOD_NS + int(rng.exponential(5e6))
        assert fit.host_ns(number * PERIOD_NS, arrival_ns) <= arrival_ns


def test_a_device_that_restarts_its_clock_is_followed_from_there():
    fit = ClockFit()
    for number in range(100):
        fit.host_ns(number * PERIOD_NS, 50 * SECOND_NS + number * PERIOD_NS)

    assert fit.host_ns(0, 90 * SECOND_NS) == 90 * SECOND_NS


def test_a_moment_of_the_calendar_becomes_one_of_the_monotonic_clock():
    assert abs(monotonic_from_epoch(time.time_ns()) - time.monotonic_ns()) < SECOND_NS


def test_numbers_of_the_device_are_indices_with_their_gaps():
    counter = FrameCounter(30.0)

    assert [counter.index(number, number * PERIOD_NS) for number in (4, 5, 9)] == [4, 5, 9]


def test_what_a_reopened_device_lost_is_told_by_the_time():
    counter = FrameCounter(30.0)
    counter.index(100, 0)
    counter.restart()

    assert counter.index(0, 30 * PERIOD_NS) == 130
    assert counter.index(1, 31 * PERIOD_NS) == 131


def test_a_device_that_was_told_to_go_on_at_another_rate_has_lost_nothing():
    counter = FrameCounter(30.0)
    counter.index(100, 0)
    counter.restart(rate_hz=90.0)
    assert counter.index(0, 30 * PERIOD_NS) == 101
    assert counter.index(1, 30 * PERIOD_NS + SECOND_NS // 90) == 102
    counter.restart()

    assert counter.index(0, 30 * PERIOD_NS + SECOND_NS + SECOND_NS // 90) == 102 + 90


def test_a_counter_that_falls_back_by_itself_goes_on_growing():
    counter = FrameCounter(30.0)
    indices = [counter.index(number, at * PERIOD_NS) for at, number in enumerate((7, 8, 0, 1))]

    assert indices == [7, 8, 9, 10]


def test_a_time_barely_after_the_arrival_is_that_of_the_arrival():
    now_ns = time.monotonic_ns()

    assert exposed_ns(time.time_ns() + 4_000_000, now_ns) == now_ns
    assert abs(exposed_ns(time.time_ns() - 4_000_000, now_ns) - (now_ns - 4_000_000)) < 2_000_000


@pytest.mark.parametrize("off_s", [-3600, 3600])
def test_a_time_that_is_far_off_stays_so(off_s):
    now_ns = time.monotonic_ns()

    assert (
        abs(exposed_ns(time.time_ns() + off_s * SECOND_NS, now_ns) - now_ns - off_s * SECOND_NS) < SECOND_NS
    )


def quality(delays_ms, *, ppm=0.0):
    """Of a clock after these delays at 30 Hz."""
    fit = ClockFit()
    for n, delay_ms in enumerate(delays_ms):
        exposed = n * PERIOD_NS
        fit.host_ns(round(exposed * (1 + ppm * 1e-6)), exposed + round(delay_ms * 1e6))
    return fit.quality


def test_the_quality_of_a_clock_is_its_drift_and_what_the_line_leaves():
    rng = np.random.default_rng(2)
    steady, noisy = quality(np.full(900, 12.0), ppm=40), quality(12 + rng.exponential(30, 900), ppm=40)

    assert steady.drift_ppm == pytest.approx(40, abs=0.5)
    assert steady.residual_ms < 0.01
    assert noisy.residual_ms > 1.0
    assert quality(np.full(10, 12.0)) is None
    assert quality(np.full(60, 12.0)).drift_ppm is None


@pytest.mark.parametrize("jump_s", [-7200, -2, 2, 7200])
def test_a_clock_that_jumps_is_followed_within_half_a_second(jump_s):
    fit = ClockFit()
    rng = np.random.default_rng(4)
    wrong_ms = []
    for n in range(900):
        exposed = (8000 + n / 30) * 1e9
        device = exposed + (jump_s * 1e9 if n >= 450 else 0)
        told = fit.host_ns(round(device), round(exposed + 12e6 + rng.exponential(3e6)))
        wrong_ms.append(abs(told - exposed - 12e6) / 1e6)

    assert max(wrong_ms[465:]) < 5
    assert fit.quality.restarts == 1


def test_a_clock_that_stood_still_for_a_while_is_followed():
    fit = ClockFit()
    wrong_ms = []
    for n in range(900):
        exposed = n / 30 * 1e9
        device = exposed - (3e9 if n >= 450 else 0)
        if n >= 450 and device < 449 / 30 * 1e9:
            continue
        wrong_ms.append(abs(fit.host_ns(round(device), round(exposed + 12e6)) - exposed - 12e6) / 1e6)

    assert max(wrong_ms[-300:]) < 1
