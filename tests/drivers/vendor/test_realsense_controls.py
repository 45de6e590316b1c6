"""The driver's controls on the real SDK with a software device, and on names where it needs hardware."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cameras"))

from drivers.cameras import realsense
from drivers.cameras.realsense import RealSenseCamera
from drivers.controls import ControlKind, Role
from drivers.errors import CameraError, ModeUnsupported
from drivers.vendor import realsense_controls


@pytest.fixture
def software():
    state = realsense.SDK.state()
    if not state.ready:
        pytest.skip(f"{state.text} {state.fix}")
    from software_realsense import SoftwareRealSense

    return SoftwareRealSense(options=True)


@pytest.fixture
def camera(software):
    with RealSenseCamera(lambda: software.device) as camera:
        yield camera


def of(camera):
    return {control.name: control for control in camera.controls()}


def next_frame(camera):
    for _ in range(20):
        if frame := camera.read(timeout_s=0.5):
            return frame
    raise AssertionError("no frame")


def test_options_become_controls_with_range_step_default_and_unit(camera):
    exposure = of(camera)["depth.exposure"]

    assert (exposure.minimum, exposure.maximum, exposure.step) == (1, 165000, 1)
    assert (exposure.default, exposure.value) == (8500, 8500)
    assert (exposure.unit, exposure.role, exposure.group) == ("μs", Role.EXPOSURE, "Depth")
    assert of(camera)["color.exposure"].unit == "x 100 μs"


def test_an_option_of_zero_and_one_is_a_switch(camera):
    auto = of(camera)["depth.enable_auto_exposure"]

    assert (auto.kind, auto.value, auto.role) == (ControlKind.SWITCH, True, Role.AUTO_EXPOSURE)


def test_a_temperature_can_only_be_read(camera):
    heat = of(camera)["depth.asic_temperature"]

    assert (heat.value, heat.unit, heat.read_only) == (33.5, "°C", True)
    with pytest.raises(ModeUnsupported, match="only be read"):
        camera.set_control("depth.asic_temperature", 20.0)


def test_a_value_reaches_the_device(camera, software):
    camera.set_control("depth.laser_power", 91.0)

    assert software.stereo.get_option(software.rs.option.laser_power) == 90
    assert of(camera)["depth.laser_power"].value == 90


def test_setting_what_an_automatic_decides_ends_it(camera, software):
    camera.set_control("depth.exposure", 5000.0)
    camera.set_control("color.white_balance", 5000.0)

    assert of(camera)["depth.enable_auto_exposure"].value is False
    assert of(camera)["color.enable_auto_exposure"].value is True
    assert of(camera)["color.enable_auto_white_balance"].value is False


def test_a_value_out_of_range_never_reaches_the_device(camera, software):
    with pytest.raises(ModeUnsupported, match="400"):
        camera.set_control("depth.laser_power", 400.0)

    assert software.stereo.get_option(software.rs.option.laser_power) == 150


def test_keeping_the_rate_is_the_opposite_of_the_sdks_option(camera, software):
    keep = of(camera)["color.auto_exposure_priority"]
    assert (keep.title, keep.value, keep.at_default) == ("Keep the rate in the dark", True, True)

    camera.set_control("color.auto_exposure_priority", False)

    assert software.rgb.get_option(software.rs.option.auto_exposure_priority) == 1


def test_what_the_driver_and_the_rig_decide_is_no_control(camera):
    assert not {"depth.frames_queue_size", "depth.inter_cam_sync_mode"} & of(camera).keys()


def test_size_and_rate_are_those_that_the_device_offers(camera):
    found = of(camera)

    assert (found["stream.rate"].choices, found["stream.rate"].value) == (("30 Hz",), "30 Hz")
    assert found["stream.size"].choices == ("64 x 48",)


def test_another_mode_streams_at_once_and_loses_nothing(software):
    software = type(software)(rates=(30, 60))
    with RealSenseCamera(lambda: software.device) as camera:
        software.push(5)
        first = next_frame(camera)
        assert of(camera)["stream.rate"].choices == ("30 Hz", "60 Hz")
        camera.set_control("stream.rate", "60 Hz")
        software.use(60)
        software.push(0)
        second = next_frame(camera)

        assert camera.info.rate_hz == 60
        assert of(camera)["stream.rate"].value == "60 Hz"
        assert second.index == first.index + 1


def test_a_closed_camera_says_so(software):
    with pytest.raises(CameraError, match="not open"):
        RealSenseCamera(lambda: software.device).controls()


def test_a_device_without_the_viewers_json_takes_none(camera):
    assert camera.vendor_settings() is None
    with pytest.raises(ModeUnsupported):
        camera.load_vendor_settings("{}")


def test_a_recording_tells_its_options_and_offers_no_modes(tmp_path, software):
    from software_realsense import record

    record(tmp_path / "a.db3", frames=3, options=True)
    with realsense.recording(tmp_path / "a.db3") as camera:
        found = of(camera)

        assert found["depth.exposure"].value == 8500
        assert "stream.rate" not in found


class FakeDevice:
    """A D435 of the public names: emitter and preset have words, and it takes the viewer's JSON."""

    def __init__(self, rs):
        self.rs, self.text, self.power = rs, "{}", 1.0
        self.refuses = False
        words = {0: "Off", 1: "Laser", 2: "Laser Auto"}
        rs.behave("device.query_sensors", lambda _: [rs.sensor()])
        rs.behave("sensor.get_info", lambda *_: "Stereo Module")
        rs.behave("sensor.get_supported_options", lambda _: [rs.option.emitter_enabled])
        rs.behave("sensor.is_option_read_only", lambda *_: False)
        rs.behave("sensor.get_option", lambda *_: self.power)
        rs.behave("sensor.set_option", self._set)
        rs.behave("sensor.supports", lambda *_: False)
        rs.behave("sensor.get_option_description", lambda *_: "Emitter select")
        rs.behave("sensor.get_option_value_description", lambda _, __, value: words[value])
        rs.behave("option_range.min", 0.0)
        rs.behave("option_range.max", 2.0)
        rs.behave("option_range.step", 1.0)
        rs.behave("option_range.default", 1.0)
        rs.behave("sensor.get_option_range", lambda *_: rs.option_range())
        rs.behave("serializable_device.serialize_json", lambda _: self.text)
        rs.behave("serializable_device.load_json", lambda _, text: setattr(self, "text", text))
        self.device = rs.device

    def _set(self, _sensor, option, value):
        assert option is self.rs.option.emitter_enabled
        self.power = value


@pytest.fixture
def fake(shared, monkeypatch):
    monkeypatch.syspath_prepend(shared / "sdk/scripts")
    import apispec

    return FakeDevice(apispec.fake_module(apispec.load(shared / "sdk/api_realsense.json"), "pyrealsense2"))


def test_an_option_whose_values_have_names_is_a_choice(fake):
    device = object.__new__(fake.rs.device)
    (emitter,) = realsense_controls.controls(fake.rs, device)
    assert (emitter.kind, emitter.choices) == (ControlKind.CHOICE, ("Off", "Laser", "Laser Auto"))
    assert (emitter.value, emitter.default) == ("Laser", "Laser")

    realsense_controls.set_control(fake.rs, device, "depth.emitter_enabled", "Laser Auto")

    assert fake.power == 2
    assert realsense_controls.controls(fake.rs, device)[0].value == "Laser Auto"


def test_the_viewers_json_is_saved_and_loaded(fake):
    device = object.__new__(fake.rs.device)
    realsense_controls.load_settings(fake.rs, device, '{"param-depthunits": "100"}')

    assert realsense_controls.settings(fake.rs, device) == '{"param-depthunits": "100"}'
