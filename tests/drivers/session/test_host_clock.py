import sys

import pytest

from drivers.session.host_clock import POINTS, ClockLineFit, network_time


def test_the_line_of_a_clock_that_runs_fast_is_found_to_the_nanosecond():
    fit = ClockLineFit()
    assert fit.line() is None
    origin_ns = 1_795_909_318_274_002_192
    for n in range(POINTS + 50):
        fit.add(n * 33_000_000, origin_ns + n * 33_000_330)
    line = fit.line()
    assert line.host_per_device == pytest.approx(1.00001, abs=1e-12)
    assert line.at_host_ns == pytest.approx(origin_ns + (POINTS + 49) * 33_000_330, abs=2)
    assert line.residual_us < 0.01
    assert line.points == POINTS


def test_a_device_that_was_restarted_gets_a_new_line():
    fit = ClockLineFit()
    for n in range(10):
        fit.add(10**12 + n * 1000, n * 1000)
    for n in range(3):
        fit.add(n * 1000, 50_000 + n * 2000)
    line = fit.line()
    assert line.points == 3
    assert line.host_per_device == pytest.approx(2.0)


def test_the_state_of_the_system_clock_is_told_where_there_is_one():
    state = network_time()
    if not sys.platform.startswith("linux"):
        assert state is None
        return
    assert state.most_error_us >= 0
    assert isinstance(state.synchronised, bool)
