import threading

import pytest

from app.flow import capture as module
from app.flow.capture import CameraStatus, after_failure, capture
from app.flow.channel import Channel
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound
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
    began = [CameraStatus.STARTING, CameraStatus.OPEN, CameraStatus.STREAMING]
    assert [state.status for state in states][:3] == began
    assert states[-1].status is CameraStatus.STOPPED


def test_a_lost_camera_is_found_again(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    camera = tiny(lose_from=3)

    def lost_then_back(frames, states):
        statuses = [state.status for state in states]
        if CameraStatus.LOST not in statuses:  # a busy machine may lose it before its first frame
            return False
        camera.faults = Faults()
        return CameraStatus.STREAMING in statuses[statuses.index(CameraStatus.LOST) :]

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


def test_a_camera_that_is_not_there_is_looked_for_every_second():
    assert {after_failure(CameraNotFound("gone"), n).wait_s for n in range(1, 9)} == {module.RETRY_S}


def test_any_other_failure_is_tried_less_and_less_often():
    waits_s = [after_failure(CameraLost("stopped"), n).wait_s for n in range(1, 9)]

    assert waits_s == sorted(waits_s)
    assert (waits_s[0], waits_s[-1]) == (module.RETRY_S, module.RETRY_MOST_S)


@pytest.mark.parametrize(
    ("error", "reset"),
    [(CameraLost, True), (CameraError, True), (CameraBusy, False), (CameraNotFound, False)],
)
def test_only_a_device_that_a_reset_may_help_is_reset(error, reset):
    assert [after_failure(error("trouble"), n).reset for n in range(1, 5)] == [False, reset, False, reset]


class Odd(SyntheticCamera):
    """Raises what no driver should, twice after three frames each."""

    raised = resets = 0

    def read(self, *, timeout_s):
        if self.raised < 2 and self.count == 3:
            self.raised += 1
            raise TypeError("'NoneType' object is not callable")
        self.count += 1
        return super().read(timeout_s=timeout_s)

    def open(self):
        self.count = 0 if self.raised < 1 else 3 if self.raised < 2 else 9
        super().open()

    def reset(self):
        self.resets += 1


def test_whatever_a_library_raises_the_camera_comes_back(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    camera = Odd("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200)

    _, states = run(
        camera,
        until=lambda _, states: [state.status for state in states].count(CameraStatus.STREAMING) == 2,
    )

    lost = [state for state in states if state.status is CameraStatus.LOST]
    assert len(lost) == 2
    assert "NoneType" in str(lost[0].error)
    assert "by itself" in lost[0].error.hint


def test_a_device_that_fails_again_and_again_is_started_anew(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    camera = Odd("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200)

    run(camera, until=lambda frames, _: len(frames) >= 8)

    assert camera.raised == 2
    assert camera.resets == 1


def test_a_reset_that_fails_is_one_more_failure(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.01)

    class Stubborn(Odd):
        def reset(self):
            super().reset()
            raise RuntimeError("the library will not")

    camera = Stubborn("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200)

    _, states = run(camera, until=lambda frames, _: len(frames) >= 8)

    assert camera.resets == 1
    assert any("the library will not" in str(state.error) for state in states)
