import threading

import pytest

from app.flow.capture import capture
from app.flow.desk import NOTHING, Desk, Wanted
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.errors import CameraError, CameraLost, ModeUnsupported
from drivers.synth.sensor import SensorKind


def tiny(**kwargs):
    return SyntheticCamera(
        "tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200, faults=Faults(**kwargs)
    )


def value(desk, name):
    return next(control.value for control in desk.state.latest().controls if control.name == name)


def test_the_newest_value_for_a_control_is_set_and_told():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    for power in (30.0, 60.0, 90.0):
        desk.ask({"depth.laser_power": power})

    desk.serve(camera)

    assert value(desk, "depth.laser_power") == 90.0
    assert desk.wanted == Wanted({"depth.laser_power": 90.0})


def test_without_a_wish_the_camera_is_left_in_peace():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    version = desk.state.version
    for _ in range(5):
        desk.serve(camera)

    assert desk.state.version == version


def test_what_was_set_is_set_again_after_a_reconnect(monkeypatch):
    """The device forgets, as one that was unplugged does; the operator does not have to do it again."""
    monkeypatch.setattr("app.flow.capture.RETRY_S", 0.01)

    class Forgetful(SyntheticCamera):
        def open(self):
            self._adjusted = None
            super().open()

    camera = Forgetful("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12, rate_hz=200)
    desk, frames, stop, done = Desk(), [], threading.Event(), threading.Event()

    def deliver(frame):
        frames.append(frame)
        if len(frames) == 3:
            desk.ask({"depth.laser_power": 240.0, "color.exposure": 2000.0})
            camera.faults = Faults(lose_from=frame.index + 10)
        if len(frames) > 3 and not camera.faults.lost(frame.index) and recovered:
            done.set()

    recovered = []

    def report(state):
        if state.error is not None:
            camera.faults = Faults()
            recovered.append(state)

    thread = threading.Thread(target=capture, args=(camera, deliver, report, stop, desk))
    thread.start()
    assert done.wait(10)
    stop.set()
    thread.join(5)

    assert value(desk, "depth.laser_power") == 240.0
    assert value(desk, "color.exposure") == 2000.0
    assert value(desk, "color.auto_exposure") is False


def test_one_refusal_is_told_and_the_others_are_set_all_the_same():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    desk.ask({"depth.laser_power": 9999.0, "color.gain": 2.0, "depth.nonsense": 1.0})

    desk.serve(camera)

    assert desk.state.latest().problem.hint
    assert value(desk, "color.gain") == 2.0
    assert desk.wanted.values == {"color.gain": 2.0}


def test_looking_does_not_wipe_a_problem_away_and_a_success_does():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    desk.ask({"depth.laser_power": 9999.0})
    desk.serve(camera)
    desk.look()
    desk.serve(camera)
    assert desk.state.latest().problem is not None

    desk.ask({"depth.laser_power": 30.0})
    desk.serve(camera)

    assert desk.state.latest().problem is None


def test_defaults_are_what_the_camera_began_with():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    before = desk.state.latest().controls
    desk.ask({"depth.laser_power": 30.0, "color.exposure": 2000.0, "depth.emitter": False})
    desk.serve(camera)
    assert desk.state.latest().controls != before

    desk.ask_for_defaults()
    desk.serve(camera)

    assert desk.state.latest().controls == before
    assert desk.wanted == NOTHING


def test_of_an_automatic_and_a_value_the_later_one_is_restored():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    for values in ({"color.auto_exposure": True}, {"color.exposure": 2000.0}):
        desk.ask(values)
        desk.serve(camera)
    fresh = tiny()
    desk.opened(fresh)
    assert (value(desk, "color.exposure"), value(desk, "color.auto_exposure")) == (2000.0, False)

    desk.ask({"color.auto_exposure": True})
    desk.serve(fresh)
    desk.opened(tiny())

    assert value(desk, "color.auto_exposure") is True


def test_while_it_is_recorded_nothing_is_changed():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    desk.lock()

    with pytest.raises(ModeUnsupported, match="recording") as caught:
        desk.ask({"color.gain": 2.0})
    assert caught.value.hint

    desk.unlock()
    desk.ask({"color.gain": 2.0})


def test_a_lock_waits_for_changes_under_way():
    camera, desk = tiny(), Desk()
    desk.opened(camera)
    desk.ask({"color.gain": 2.0})
    threading.Timer(0.1, desk.serve, (camera,)).start()

    desk.lock()

    assert value(desk, "color.gain") == 2.0


def test_a_camera_that_is_gone_is_lost_and_not_merely_refusing():
    class Gone(SyntheticCamera):
        def set_control(self, name, value):
            raise CameraLost("It was unplugged")

    camera = Gone("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12)
    desk = Desk(Wanted({"color.gain": 2.0}))

    with pytest.raises(CameraLost):
        desk.opened(camera)


def test_a_camera_that_does_not_answer_goes_on_with_its_picture():
    class Mute(SyntheticCamera):
        def controls(self):
            raise CameraError("It does not answer", hint="Wait.")

    desk = Desk()
    desk.opened(Mute("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12))

    assert desk.state.latest().problem.hint == "Wait."


def test_a_vendors_text_comes_before_single_values_and_replaces_earlier_ones():
    class Vendor(SyntheticCamera):
        text = "{}"

        def vendor_settings(self):
            return self.text

        def load_vendor_settings(self, text):
            self.text = text
            self._adjusted = None

    camera = Vendor("tiny", SensorKind.ACTIVE_STEREO, width=16, height=12)
    desk = Desk(Wanted({"color.gain": 3.0}))
    desk.opened(camera)
    desk.ask_to_load('{"laser": 1}')
    desk.serve(camera)
    assert desk.wanted == Wanted({}, '{"laser": 1}')
    assert desk.state.latest().vendor_settings == '{"laser": 1}'
    desk.ask({"color.gain": 2.0})
    desk.serve(camera)
    camera.text, camera._adjusted = "{}", None

    desk.opened(camera)

    assert camera.text == '{"laser": 1}'
    assert value(desk, "color.gain") == 2.0
