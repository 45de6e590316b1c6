import threading
import time

import numpy as np
import pytest

from app.flow.filtering import FilterLoop
from app.flow.slot import Slot
from drivers.cameras.synthetic import SyntheticCamera
from drivers.depth import DepthMap
from drivers.errors import SdkMissing
from drivers.registry import depth_filters
from drivers.synth.sensor import SensorKind


class Halving:
    """Takes every second pixel; counts how often it was made and closed."""

    made = closed = 0

    def __init__(self, calibration, unit_m):
        type(self).made += 1
        self.lens, self.unit_m = calibration.depth, unit_m

    def filtered(self, depth):
        values = np.ascontiguousarray(depth.values[::2, ::2])
        return DepthMap(values, depth.unit_m), self.lens.scaled(values.shape[1], values.shape[0])

    def close(self):
        type(self).closed += 1


@pytest.fixture
def bench():
    frames, filtered = Slot(), Slot()
    stop, started = threading.Event(), []

    def start(make):
        loop = FilterLoop(lambda: {"sim": (frames, filtered)}, make)
        thread = threading.Thread(target=loop.run, args=(stop,))
        thread.start()
        started.append(thread)
        return loop, frames, filtered

    yield start
    stop.set()
    for thread in started:
        thread.join(5)


@pytest.fixture
def frames():
    camera = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=64, height=48)
    return [camera.expose(index) for index in range(4)]


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_nothing_is_filtered_until_it_is_wanted(bench, frames):
    loop, newest, filtered = bench(lambda calibration, unit_m, _: Halving(calibration, unit_m))
    newest.put(frames[0])
    time.sleep(0.3)
    assert filtered.latest() is None

    loop.steps = ("decimation",)

    until(lambda: filtered.latest() is not None)
    assert filtered.latest().frame is frames[0]
    assert filtered.latest().depth.values.shape == (48, 64)  # carried into the view of colour
    assert filtered.latest().depth.fill_rate > 0.5


def test_filters_are_kept_from_frame_to_frame_and_closed_when_they_are_not_wanted(bench, frames):
    Halving.made = Halving.closed = 0
    loop, newest, filtered = bench(lambda calibration, unit_m, _: Halving(calibration, unit_m))
    loop.steps = ("temporal",)
    for frame in frames:
        newest.put(frame)
        until(lambda frame=frame: filtered.latest() is not None and filtered.latest().frame is frame)
    assert Halving.made == 1

    loop.steps = ()

    until(lambda: Halving.closed == 1)


def test_without_the_vendors_library_it_says_so(bench, frames):
    def make(*_):
        raise SdkMissing("Not installed.", hint="Run: pip install it")

    loop, newest, filtered = bench(make)
    loop.steps = ("spatial",)
    newest.put(frames[0])

    until(lambda: "pip install" in loop.problem)
    assert filtered.latest() is None


def test_the_vendors_own_filters_fill_holes(bench, frames):
    from drivers.registry import SDKS

    if not SDKS[0].state().ready:
        pytest.skip("pyrealsense2 is not here")
    loop, newest, filtered = bench(depth_filters)
    loop.steps = ("spatial", "hole filling")
    newest.put(frames[0])

    until(lambda: filtered.latest() is not None or loop.problem)

    assert loop.problem == ""
    assert filtered.latest().depth.fill_rate > frames[0].depth.fill_rate
