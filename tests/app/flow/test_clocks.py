"""Times that cannot be true do not leave the camera's thread."""

from dataclasses import replace

import pytest

from app.flow.clocks import ClockWatch
from drivers.cameras.synthetic import SyntheticCamera
from drivers.clock import Clock
from drivers.frame import ImuSample
from drivers.synth.sensor import SensorKind

SECOND_NS = 1_000_000_000
NOW_NS = 500 * SECOND_NS
FRAME = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=4, height=2).expose(0)


def frame(captured_ns, clock=Clock.DEVICE, device_ns=0):
    return replace(FRAME, captured_ns=captured_ns, device_ns=device_ns, clock=clock)


@pytest.mark.parametrize("off_s", [3600.0, 2.0, -1.5, -3600.0])
def test_a_time_that_cannot_be_true_is_replaced_by_that_of_the_arrival(off_s):
    watch = ClockWatch()

    got = watch.checked(frame(NOW_NS + round(off_s * SECOND_NS)), NOW_NS)

    assert (got.captured_ns, got.clock) == (NOW_NS, Clock.ARRIVAL)
    assert watch.state.wrong_by_s == pytest.approx(off_s)
    assert watch.state.corrected == 1


def test_what_an_inertial_sensor_felt_moves_with_its_frame():
    felt = ImuSample(3600 * SECOND_NS - 4_000_000, (0.0, 0.0, 0.1))
    sent = replace(frame(3600 * SECOND_NS), imu=(felt,))

    (moved,) = ClockWatch().checked(sent, NOW_NS).imu

    assert moved == replace(felt, captured_ns=NOW_NS - 4_000_000)


@pytest.mark.parametrize("age_ms", [0, 5, 120, 900])
def test_a_time_that_can_be_true_stays(age_ms):
    watch = ClockWatch()
    sent = frame(NOW_NS - age_ms * 1_000_000)

    assert watch.checked(sent, NOW_NS) is sent
    assert watch.state.corrected == 0


def test_a_time_that_this_program_chose_is_not_judged():
    sent = frame(0, clock=Clock.HOST)

    assert ClockWatch().checked(sent, NOW_NS) is sent


def test_a_clock_that_comes_right_again_is_believed_again():
    watch = ClockWatch()
    watch.checked(frame(0), NOW_NS)
    watch.checked(frame(NOW_NS), NOW_NS)

    assert watch.state.clock is Clock.DEVICE
    assert watch.state.wrong_by_s == 0.0
    assert watch.state.corrected == 1


@pytest.mark.parametrize("ppm", [-40.0, 40.0, 300.0])
def test_the_drift_of_a_devices_clock_is_told(ppm):
    watch = ClockWatch()
    for number in range(900):
        at_ns = NOW_NS + number * SECOND_NS // 30
        device_ns = round(number * SECOND_NS // 30 * (1 + ppm * 1e-6))
        watch.checked(frame(at_ns - 8_000_000, device_ns=device_ns), at_ns)

    quality = watch.state.quality
    assert quality.drift_ppm == pytest.approx(ppm, abs=1.0)
    assert quality.residual_ms < 0.1
    assert quality.span_s == pytest.approx(29.5, abs=1.0)
