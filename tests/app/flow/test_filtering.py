import threading
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.flow.filtering import FilterLoop
from app.flow.slot import Slot
from drivers.cameras.synthetic import SyntheticCamera
from drivers.depth import DepthMap
from drivers.errors import ModeUnsupported, SdkMissing
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
def camera():
    return SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=64, height=48)


@pytest.fixture
def frames(camera):
    return [camera.expose(index) for index in range(4)]


def until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_nothing_is_filtered_until_it_is_wanted(bench, frames):
    loop, newest, filtered = bench(lambda frame, _: Halving(frame.calibration, frame.depth.unit_m))
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
    loop, newest, filtered = bench(lambda frame, _: Halving(frame.calibration, frame.depth.unit_m))
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


def test_the_vendors_own_filters_fill_holes(bench, camera, frames):
    from drivers.registry import SDKS

    if not SDKS[0].state().ready:
        pytest.skip("pyrealsense2 is not here")
    loop, newest, filtered = bench(partial(depth_filters, camera))
    loop.steps = ("spatial", "hole filling")
    newest.put(frames[0])

    until(lambda: filtered.latest() is not None or loop.problem)

    assert loop.problem == ""
    assert filtered.latest().depth.fill_rate > frames[0].depth.fill_rate


def test_orbbecs_filters_say_that_they_take_no_other_vendors_frames(bench, camera, frames):
    from drivers.registry import SDKS

    if not SDKS[1].state().ready:
        pytest.skip("pyorbbecsdk2 is not here")
    loop, newest, filtered = bench(partial(depth_filters, camera))
    loop.steps = ("orbbec spatial",)
    newest.put(frames[0])

    until(lambda: "only frames of Orbbec's cameras" in loop.problem)
    assert "others stay as measured" in loop.problem
    assert filtered.latest() is None
    loop.steps = ()
    until(lambda: loop.problem == "")


def test_what_is_wrong_with_every_camera_is_said_once(frames):
    def make(*_):
        raise ModeUnsupported("Not these.", hint="Take others.")

    lines = {name: (Slot(), Slot()) for name in ("left", "right")}
    loop = FilterLoop(lambda: lines, make)
    stop = threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    try:
        loop.steps = ("decimation",)
        for frame in frames:
            for name in lines:
                lines[name][0].put(replace(frame, camera_id=name))
            until(lambda: len(loop._problems) == 2)
            assert loop.problem == "Not these. Take others."
    finally:
        stop.set()
        thread.join(5)


def test_one_cameras_trouble_stays_told_while_another_is_filtered(frames):
    def make(frame, _):
        if frame.camera_id == "other":
            raise ModeUnsupported("Not this one.", hint="")
        return Halving(frame.calibration, frame.depth.unit_m)

    lines = {name: (Slot(), Slot()) for name in ("other", "sim")}
    loop = FilterLoop(lambda: lines, make)
    stop = threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    try:
        loop.steps = ("decimation",)
        for frame in frames:
            lines["other"][0].put(replace(frame, camera_id="other"))
            until(lambda: "Not this one." in loop.problem)
            lines["sim"][0].put(frame)
            until(lambda frame=frame: (got := lines["sim"][1].latest()) is not None and got.frame is frame)
            assert "Not this one." in loop.problem
    finally:
        stop.set()
        thread.join(5)
