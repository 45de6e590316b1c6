import time

import numpy as np
import pytest

from drivers.clock import ClockFit, FrameCounter, monotonic_from_epoch

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
