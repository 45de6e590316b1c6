import pytest

from app.flow.meter import Meter

SECOND = 1_000_000_000


def test_thirty_events_a_second_read_as_thirty():
    meter = Meter(window_s=2.0)
    for n in range(61):
        meter.note(n * SECOND // 30, value_ms=float(n))
    reading = meter.read(60 * SECOND // 30)
    assert reading.rate_hz == pytest.approx(30, rel=0.02)
    assert reading.worst_ms == 60
    assert meter.total == 61


def test_a_few_slow_events_read_as_slow_and_not_as_none():
    meter = Meter(window_s=5.0, few=4)
    for n in range(10):
        meter.note(6 * n * SECOND, 100.0 * n)
    assert meter.read(54 * SECOND).rate_hz == pytest.approx(1 / 6)
    assert meter.read(54 * SECOND).median_ms == 750
    assert meter.read(90 * SECOND).rate_hz == 0


def test_a_meter_falls_to_zero_when_nothing_comes():
    meter = Meter(window_s=1.0)
    meter.note(0, 5.0)
    meter.note(SECOND // 2, 5.0)
    assert meter.read(3 * SECOND).rate_hz == 0
    assert meter.read(3 * SECOND).median_ms == 0
