"""What synchronization achieved is measured, not believed."""

import numpy as np
import pytest

from app.flow.phase import PhaseMeter
from drivers.cameras.synthetic import SyntheticCamera
from drivers.frame import Frame, FrameSet
from drivers.synth.sensor import SensorKind

TEMPLATE = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=4, height=2).expose(0)


def frame(name, at_s):
    at_ns = round(at_s * 1e9)
    return Frame(name, 0, at_ns, at_ns, TEMPLATE.color, TEMPLATE.depth, TEMPLATE.calibration)


def measure(*, offset_ms, ppm=0.0, seconds=30, noise_ms=0.15):
    rng = np.random.default_rng(3)
    meter = PhaseMeter("a")
    for n in range(seconds * 30):
        at_s = n / 30
        later_s = (offset_ms + at_s * ppm / 1000 + noise_ms * rng.standard_normal()) / 1000
        meter.note(FrameSet({"a": frame("a", at_s), "b": frame("b", at_s + later_s)}))
    return meter.read()["b"]


def test_cameras_on_one_cable_are_in_step():
    phase = measure(offset_ms=0.2)

    assert phase.in_step is True
    assert phase.offset_ms == pytest.approx(0.2, abs=0.1)
    assert phase.jitter_ms < 0.5


@pytest.mark.parametrize(("offset_ms", "ppm"), [(0.2, 20.0), (11.0, 0.0), (-11.0, -35.0)])
def test_cameras_with_clocks_of_their_own_are_not(offset_ms, ppm):
    phase = measure(offset_ms=offset_ms, ppm=ppm)

    assert phase.in_step is False
    assert phase.drift_ppm == pytest.approx(ppm, abs=4.0)


def test_in_the_first_seconds_nothing_is_claimed():
    assert measure(offset_ms=0.0, seconds=5).in_step is None


def test_a_set_without_the_reference_tells_nothing():
    meter = PhaseMeter("a")
    meter.note(FrameSet({"b": frame("b", 0)}))

    assert meter.read() == {}
