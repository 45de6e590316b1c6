"""Whatever one camera does, the others go on, and it comes back by itself: through the real pipeline."""

import random
import re
import threading
import time

import pytest

from app.compose import Pipeline, Studio, wait_for_frames
from app.flow import capture
from app.flow.capture import CameraStatus
from app.viewmodels.live import camera_note
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.session.labels import SessionLabels
from drivers.session.reader import Session
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice

OFF = EngineChoice(model="off")


def rig(count=3):
    return [
        SyntheticCamera(
            f"camera_{n}", SensorKind.ACTIVE_STEREO, width=32, height=24, rate_hz=30, seed=n, viewpoint=n
        )
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What takes seconds on a rig takes tenths here."""
    monkeypatch.setattr(capture, "RETRY_S", 0.02)
    monkeypatch.setattr(capture, "SILENCE_S", 0.3)
    monkeypatch.setattr(capture, "REOPEN_S", 0.8)


@pytest.fixture
def running():
    cameras = rig()
    with Pipeline(cameras, OFF) as pipeline:
        assert wait_for_frames(pipeline, timeout_s=30)
        yield cameras, pipeline


def wait_until(condition, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        threading.Event().wait(0.01)


def status(pipeline, number=0):
    state = pipeline.lines[f"camera_{number}"].state.latest()
    return None if state is None else state.status


def others_deliver(pipeline):
    lines = [pipeline.lines[f"camera_{n}"] for n in (1, 2)]
    before = [line.channel.meter.total for line in lines]
    wait_until(lambda: all(line.channel.meter.total > n + 5 for line, n in zip(lines, before, strict=True)))
    return all(line.state.latest().status is CameraStatus.STREAMING for line in lines)


FAULTS = {
    "unplug": (Faults(lose_from=0), CameraStatus.LOST, "Camera lost"),
    "stall": (Faults(stall_from=0), CameraStatus.SILENT, ""),
    "a stall that lasts": (Faults(stall_from=0), CameraStatus.LOST, "sent nothing"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_camera_is_its_own_and_passes(running, name):
    cameras, pipeline = running
    fault, seen, _ = FAULTS[name]
    cameras[0].faults = fault

    wait_until(lambda: status(pipeline) is seen)
    assert others_deliver(pipeline)
    cameras[0].faults = Faults()
    wait_until(lambda: status(pipeline) is CameraStatus.STREAMING)


@pytest.mark.parametrize("name", ["unplug", "a stall that lasts"])
def test_the_screen_says_why_until_it_is_over(running, name):

    cameras, pipeline = running
    cameras[0].faults, seen, words = FAULTS[name]

    wait_until(lambda: status(pipeline) is seen)
    note = camera_note(pipeline.lines["camera_0"].state.latest(), 1.0)
    assert re.search(words, note.text)
    assert note.hint


def test_a_camera_that_is_busy_at_the_start_comes_when_it_is_free():
    cameras = rig()
    cameras[0].faults = Faults(busy=True)
    with Pipeline(cameras, OFF) as pipeline:
        wait_until(lambda: status(pipeline) is CameraStatus.LOST)
        wait_until(lambda: status(pipeline, 1) is CameraStatus.STREAMING)
        wait_until(lambda: status(pipeline, 2) is CameraStatus.STREAMING)
        assert others_deliver(pipeline)
        cameras[0].faults = Faults()
        wait_until(lambda: status(pipeline) is CameraStatus.STREAMING)


def test_dropped_frames_are_counted_for_their_camera_only(running):
    cameras, pipeline = running
    line = pipeline.lines["camera_0"]
    cameras[0].faults = Faults(drop_every=2)
    before = line.channel.device_gaps

    wait_until(lambda: line.channel.device_gaps >= before + 5)


def test_an_unplugged_camera_leaves_an_honest_recording(tmp_path):
    cameras = rig()
    studio = Studio(OFF)
    try:
        pipeline = studio.open(cameras)
        assert wait_for_frames(pipeline, timeout_s=30)
        recorder = studio.record(tmp_path, SessionLabels())
        wait_until(lambda: recorder.status().cameras["camera_0"].written >= 5)
        cameras[0].faults = Faults(lose_from=0)
        wait_until(lambda: status(pipeline) is CameraStatus.LOST)
        assert others_deliver(pipeline)
        cameras[0].faults = Faults()
        wait_until(lambda: status(pipeline) is CameraStatus.STREAMING)
        written = recorder.status().cameras["camera_0"].written
        wait_until(lambda: recorder.status().cameras["camera_0"].written > written + 5)
        session = Session(studio.stop_recording())
    finally:
        studio.close()

    counts = recorder.status().cameras
    assert session.count("camera_0") == counts["camera_0"].written
    numbers = [session.meta("camera_0", n).frame_number for n in range(session.count("camera_0"))]
    assert numbers == sorted(set(numbers))
    missing = numbers[-1] - numbers[0] + 1 - len(numbers)
    assert counts["camera_0"].device_gap == missing > 0


def test_two_hundred_faults_at_random_leave_a_rig_that_works():
    chance = random.Random(4)
    kinds = [
        Faults(),
        Faults(drop_every=2),
        Faults(stall_from=0),
        Faults(lose_from=0),
        Faults(busy=True),
        Faults(clock_ppm=400.0),
    ]
    cameras = rig()
    before = set(threading.enumerate())
    with Pipeline(cameras, OFF) as pipeline:
        assert wait_for_frames(pipeline, timeout_s=30)
        for _ in range(200):
            chance.choice(cameras).faults = chance.choice(kinds)
            threading.Event().wait(0.02)
        for camera in cameras:
            camera.faults = Faults()
        for number in range(len(cameras)):
            wait_until(lambda number=number: status(pipeline, number) is CameraStatus.STREAMING)
        assert others_deliver(pipeline)

    assert set(threading.enumerate()) <= before
