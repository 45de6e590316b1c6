import threading

import pytest

from app.flow import capture as module
from app.flow.capture import CameraStatus, capture
from app.flow.channel import Channel
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.synth.sensor import SensorKind


def tiny(**faults) -> SyntheticCamera:
    return SyntheticCamera(
        "tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200, faults=Faults(**faults)
    )


def run(camera, *, until, timeout_s=20.0):
    """Capture until a state or frame count is reached; returns frames and states."""
    frames, states = [], []
    stop, reached = threading.Event(), threading.Event()

    def check():
        if until(frames, states):
            reached.set()

    def deliver(frame):
        frames.append(frame)
        check()

    def report(state):
        states.append(state)
        check()

    thread = threading.Thread(target=capture, args=(camera, deliver, report, stop))
    thread.start()
    assert reached.wait(timeout_s), [state.status for state in states]
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    return frames, states


def test_frames_come_in_the_order_of_the_device_counter():
    frames, states = run(tiny(), until=lambda frames, _: len(frames) >= 5)
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert [state.status for state in states][:2] == [CameraStatus.STARTING, CameraStatus.STREAMING]
    assert states[-1].status is CameraStatus.STOPPED


def test_a_lost_camera_is_found_again(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    camera = tiny(lose_from=3)

    def lost_then_back(frames, states):
        if any(state.status is CameraStatus.LOST for state in states):
            camera.faults = Faults()
        return [state.status for state in states].count(CameraStatus.STREAMING) == 2

    _, states = run(camera, until=lost_then_back)
    lost = next(state for state in states if state.status is CameraStatus.LOST)
    assert lost.error is not None
    assert lost.error.hint


def test_the_reason_stays_on_the_screen_while_a_camera_is_tried_again(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    camera = tiny(lose_from=3)
    _, states = run(
        camera,
        until=lambda _, states: [state.status for state in states].count(CameraStatus.LOST) >= 4,
    )
    since = next(n for n, state in enumerate(states) if state.status is CameraStatus.LOST)
    later = [state for state in states[since:] if state.status is not CameraStatus.STOPPED]
    assert {state.status for state in later} == {CameraStatus.LOST}
    assert all(state.error is not None for state in later)


def test_the_log_names_a_lasting_reason_once(monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    run(tiny(busy=True), until=lambda _, states: len(states) >= 5)
    assert len([record for record in caplog.records if "in use" in record.getMessage()]) == 1


def test_a_stuck_camera_is_opened_again(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(module, "REOPEN_S", 0.4)

    class Stuck(SyntheticCamera):
        """Stalls until it is opened for the second time."""

        opened = 0

        def open(self):
            self.opened += 1
            self.faults = Faults(stall_from=0) if self.opened == 1 else Faults()
            super().open()

    camera = Stuck("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200)
    _, states = run(camera, until=lambda frames, _: len(frames) >= 1)
    assert camera.opened == 2
    lost = next(state for state in states if state.status is CameraStatus.LOST)
    assert "sent nothing" in str(lost.error)


def test_a_busy_camera_is_reported_with_what_to_do():
    _, states = run(tiny(busy=True), until=lambda _, states: states[-1].status is CameraStatus.LOST)
    assert states[-2].error is not None
    assert "other program" in states[-2].error.hint


def test_a_camera_that_falls_silent_is_said_to_be(monkeypatch):
    monkeypatch.setattr(module, "SILENCE_S", 0.2)
    _, states = run(tiny(stall_from=3), until=lambda _, states: states[-1].status is CameraStatus.SILENT)
    assert CameraStatus.STREAMING in [state.status for state in states]


@pytest.mark.parametrize("drop_every", [2, 5])
def test_gaps_of_the_device_counter_are_counted(drop_every):
    channel = Channel()
    camera = SyntheticCamera("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12)
    camera.open()
    indices = [n for n in range(11) if n % drop_every != drop_every - 1]
    for index in indices:
        channel.deliver(camera.expose(index))
    assert channel.device_gaps == indices[-1] + 1 - len(indices)
    camera.close()
