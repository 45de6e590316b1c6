"""Orbbec's controls and inertial sensor on a stand-in that knows the library's public names, and no other."""

import json
from types import SimpleNamespace

import pytest

from drivers.controls import ControlKind
from drivers.errors import ModeUnsupported
from drivers.vendor import orbbec_controls
from drivers.vendor.orbbec_motion import MotionReader


@pytest.fixture
def ob(shared, monkeypatch):
    monkeypatch.syspath_prepend(shared / "sdk/scripts")
    import apispec

    module = apispec.fake_module(apispec.load(shared / "sdk/api_orbbec.json"), "pyorbbecsdk")
    module.OBError = type("OBError", (RuntimeError,), {})  # the data have no bases of classes
    return module


class Gemini:
    """A Gemini 335 of these properties: current, smallest, largest, step, default; `None` has no range."""

    def __init__(self, ob):
        self.ob = ob
        self.values = {
            "COLOR_AUTO_EXPOSURE_BOOL": [1, 0, 1, 1, 1],
            "COLOR_EXPOSURE_INT": [156, 1, 10000, 1, 156],
            "COLOR_AUTO_EXPOSURE_PRIORITY_INT": [0, 0, 1, 1, 0],
            "COLOR_POWER_LINE_FREQUENCY_INT": [1, 0, 2, 1, 1],
            "LASER_CONTROL_INT": [1, 0, 2, 1, 1],
            "LASER_POWER_LEVEL_CONTROL_INT": [6, 1, 6, 1, 6],
            "DEPTH_UNIT_FLEXIBLE_ADJUSTMENT_FLOAT": [1.0, 0.1, 10.0, 0.1, 1.0],
            "IR_GAIN_INT": None,
        }
        self.preset = "Default"
        self.loaded = None
        self.device = object.__new__(ob.Device)
        ob.behave("Device.is_property_supported", lambda _, key, _permission: self.key(key) in self.values)
        for kind in ("int", "bool", "float"):
            ob.behave(f"Device.get_{kind}_property", lambda _, key: self.values[self.key(key)][0])
            ob.behave(f"Device.set_{kind}_property", self.put)
            ob.behave(f"Device.get_{kind}_property_range", self.reach)
        listed = SimpleNamespace(
            get_count=lambda: 2, get_name_by_index=lambda number: ("Default", "High Accuracy")[number]
        )
        ob.behave("Device.get_available_preset_list", lambda _: listed)
        ob.behave("Device.get_current_preset_name", lambda _: self.preset)
        ob.behave("Device.load_preset", lambda _, name: setattr(self, "preset", name))
        ob.behave("Device.export_settings_as_preset_json_data", lambda _, name: json.dumps([name]).encode())
        ob.behave(
            "Device.load_preset_from_json_data", lambda _, name, text: setattr(self, "loaded", (name, text))
        )

    def key(self, key):
        return key.name.removeprefix("OB_PROP_")

    def put(self, _device, key, value):
        self.values[self.key(key)][0] = value

    def reach(self, _device, key):
        found = self.values[self.key(key)]
        if found is None:
            raise self.ob.OBError("no range")
        return SimpleNamespace(min=found[1], max=found[2], step=found[3], default_value=found[4])

    def controls(self):
        found = orbbec_controls.controls(self.ob, self.device, live=True)
        return {control.name: control for control in found}

    def set(self, name, value):
        orbbec_controls.set_control(self.ob, self.device, name, value)


@pytest.fixture
def gemini(ob):
    return Gemini(ob)


def test_properties_become_controls_of_the_right_kind(gemini):
    found = gemini.controls()

    assert found["color.auto_exposure"].kind is ControlKind.SWITCH
    assert (found["color.exposure"].maximum, found["color.exposure"].value) == (10000, 156)
    assert found["color.power_line_frequency"].choices == ("Off", "50 Hz", "60 Hz")
    assert found["color.power_line_frequency"].value == "50 Hz"
    assert found["depth.laser_control"].choices == ("Off", "On", "Auto")
    assert (found["depth.unit"].unit, found["depth.unit"].step) == ("mm", 0.1)


def test_a_property_without_a_range_is_left_out(gemini):
    assert "ir.gain" not in gemini.controls()


def test_values_reach_the_device_by_type(gemini):
    gemini.set("color.power_line_frequency", "60 Hz")
    gemini.set("depth.laser_power", 3.0)
    gemini.set("depth.unit", 0.5)

    assert gemini.values["COLOR_POWER_LINE_FREQUENCY_INT"][0] == 2
    assert gemini.values["LASER_POWER_LEVEL_CONTROL_INT"][0] == 3
    assert gemini.values["DEPTH_UNIT_FLEXIBLE_ADJUSTMENT_FLOAT"][0] == pytest.approx(0.5)


def test_an_exposure_ends_the_automatic(gemini):
    gemini.set("color.exposure", 300.0)

    assert gemini.values["COLOR_AUTO_EXPOSURE_BOOL"][0] is False
    assert gemini.values["COLOR_EXPOSURE_INT"][0] == 300


def test_keeping_the_rate_is_the_opposite_of_the_librarys_property(gemini):
    assert gemini.controls()["color.keep_rate"].value is True
    gemini.set("color.keep_rate", False)

    assert gemini.values["COLOR_AUTO_EXPOSURE_PRIORITY_INT"][0] == 1


def test_presets_are_a_choice(gemini):
    assert gemini.controls()["depth.preset"].choices == ("Default", "High Accuracy")
    gemini.set("depth.preset", "High Accuracy")

    assert gemini.preset == "High Accuracy"
    with pytest.raises(ModeUnsupported):
        gemini.set("depth.preset", "Best")


def test_the_viewers_settings_are_saved_and_loaded(gemini):
    text = orbbec_controls.settings(gemini.ob, gemini.device)
    orbbec_controls.load_settings(gemini.device, text)

    assert gemini.loaded[1] == text
    assert gemini.preset == gemini.loaded[0]


class Inertial:
    """A device with both sensors; `frames` are what its pipeline hands out."""

    def __init__(self, ob, sensors=("ACCEL_SENSOR", "GYRO_SENSOR")):
        self.ob, self.frames, self.started = ob, [], 0
        self.device = object.__new__(ob.Device)
        types = [SimpleNamespace(get_type=lambda kind=kind: ob.OBSensorType[kind]) for kind in sensors]
        ob.behave("Device.get_sensor_list", lambda _: types)
        rates = [ob.OBGyroSampleRate.SAMPLE_RATE_1_KHZ, ob.OBGyroSampleRate.SAMPLE_RATE_100_HZ]
        turn = SimpleNamespace(rot=[0, -1, 0, 1, 0, 0, 0, 0, 1])  # by rows
        profiles = [self.profile(rate, turn) for rate in rates]
        self.chosen = []
        ob.behave("Pipeline.get_stream_profile_list", lambda _, __: Listed(profiles))
        ob.behave("Config.enable_stream", lambda _, profile: self.chosen.append(profile.rate))
        ob.behave("Pipeline.start", lambda *_: setattr(self, "started", self.started + 1))
        ob.behave("Pipeline.wait_for_frames", lambda *_: self.frames.pop(0) if self.frames else None)
        ob.behave("Pipeline.stop", lambda _: None)

    def profile(self, rate, turn):
        own = SimpleNamespace(get_sample_rate=lambda: rate)
        return SimpleNamespace(
            rate=rate,
            as_accel_stream_profile=lambda: own,
            as_gyro_stream_profile=lambda: own,
            get_extrinsic_to=lambda _color: turn,
        )

    def put(self, kind, at_us, x, y, z):
        value = SimpleNamespace(get_x=lambda: x, get_y=lambda: y, get_z=lambda: z)
        frame = SimpleNamespace(
            get_timestamp_us=lambda: at_us, as_accel_frame=lambda: value, as_gyro_frame=lambda: value
        )
        wanted = self.ob.OBFrameType[f"{kind}_FRAME"]
        self.frames.append(SimpleNamespace(get_frame=lambda asked: frame if asked == wanted else None))


class Listed(list):
    def get_stream_profile_by_index(self, number):
        return self[number]


def test_readings_are_placed_by_the_devices_clock_in_the_axes_of_colour(ob):
    inertial = Inertial(ob)
    reader = MotionReader(ob, inertial.device, None)
    reader.start()
    inertial.put("GYRO", 1_000_900, 0.1, 0.2, 0.3)
    inertial.put("ACCEL", 1_000_400, 9.8, 0.0, 0.0)
    inertial.put("ACCEL", 1_002_000, 0.0, 0.0, 1.0)

    first, second = reader.taken(1_001_000)
    (third,) = reader.taken(1_003_000)

    assert first.captured_ns == -600_000
    assert first.linear_acceleration_m_s2 == pytest.approx((0.0, 9.8, 0.0))
    assert second.angular_velocity_rad_s == pytest.approx((-0.2, 0.1, 0.3))
    assert third.captured_ns == -1_000_000
    assert set(inertial.chosen) == {ob.OBGyroSampleRate.SAMPLE_RATE_100_HZ}
    reader.stop()


def test_a_device_without_both_sensors_is_left_alone(ob):
    inertial = Inertial(ob, sensors=("ACCEL_SENSOR",))
    reader = MotionReader(ob, inertial.device, None)
    reader.start()

    assert (inertial.started, reader.taken(0)) == (0, ())
