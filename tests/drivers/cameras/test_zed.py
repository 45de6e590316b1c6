"""The ZED driver on a stand-in that knows every public name and argument of the real SDK, and no other."""

import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from drivers.camera import EndOfStream, Resettable
from drivers.cameras import zed
from drivers.cameras.zed import ZedCamera, find_devices, live_cameras
from drivers.clock import Clock
from drivers.errors import (
    CameraBusy,
    CameraError,
    CameraLost,
    CameraNotFound,
    ModeUnsupported,
    SdkMissing,
)
from drivers.sdk import SdkStatus

WIDTH, HEIGHT = 32, 24


def pictures(number):
    """What the SDK hands out: BGRA, grey and millimetres."""
    color = np.full((HEIGHT, WIDTH, 4), (3, 2, number, 255), np.uint8)
    grey = np.full((HEIGHT, WIDTH), number, np.uint8)
    doubt = np.full((HEIGHT, WIDTH), 50.5, np.float32)
    doubt[0, :3] = (1.0, 100.0, np.nan)
    return {
        "LEFT": color,
        "LEFT_GRAY": grey,
        "RIGHT_GRAY": grey + 1,
        "DEPTH_U16_MM": grey.astype(np.uint16) + 1000,
        "CONFIDENCE": doubt,
    }


class Bench:
    """The stand-in with one camera of serial number 123; `grabs` are its answers, the last one for ever."""

    def __init__(self, sl):
        self.sl = sl
        self.number = -1
        self.grabs = [sl.ERROR_CODE.SUCCESS]
        self.times_ns = None
        self.opened = sl.ERROR_CODE.SUCCESS
        self.state = sl.CAMERA_STATE.AVAILABLE
        lens = SimpleNamespace(fx=20.0, fy=21.0, cx=15.5, cy=11.5, image_size=sl_size())
        found = SimpleNamespace(left_cam=lens, right_cam=lens, get_camera_baseline=lambda: 0.12)
        self.sensors = SimpleNamespace(
            accelerometer_parameters=SimpleNamespace(is_available=True),
            gyroscope_parameters=SimpleNamespace(is_available=True),
        )
        information = SimpleNamespace(
            camera_configuration=SimpleNamespace(calibration_parameters=found),
            sensors_configuration=self.sensors,
        )
        self.settings = {
            "AEC_AGC": [1, 0, 1],
            "EXPOSURE": [50, 0, 100],
            "WHITEBALANCE_TEMPERATURE": [4600, 2800, 6500],
        }
        code = sl.ERROR_CODE.SUCCESS
        sl.behave("Camera.is_camera_setting_supported", lambda _, setting: setting.name in self.settings)
        sl.behave("Camera.get_camera_settings", lambda _, setting: (code, self.settings[setting.name][0]))
        sl.behave(
            "Camera.get_camera_settings_range", lambda _, setting: (code, *self.settings[setting.name][1:])
        )
        sl.behave("Camera.set_camera_settings", self.adjust)
        sl.behave("Camera.get_sensors_data", lambda *_: code)
        sl.behave("SensorsData.get_imu_data", lambda _: self.imu())
        sl.behave("Camera.get_device_list", lambda *_: [self.device()])
        sl.behave("Camera.open", lambda *_: self.opened)
        sl.behave("Camera.grab", lambda *_: self.grab())
        sl.behave("Camera.get_camera_information", lambda *_: information)
        sl.behave("Camera.retrieve_image", lambda _, mat, view, *__: self.put(mat, view.name))
        sl.behave("Camera.retrieve_measure", lambda _, mat, measure, *__: self.put(mat, measure.name))
        sl.behave("Camera.set_svo_position", lambda *_: None)
        sl.behave("Camera.get_timestamp", lambda *_: SimpleNamespace(get_nanoseconds=self.time_ns))
        sl.behave("Mat.get_data", lambda mat, *_: mat._v["data"])

    def adjust(self, _camera, setting, value):
        self.settings[setting.name][0] = value
        return self.sl.ERROR_CODE.SUCCESS

    def imu(self):
        stamp = SimpleNamespace(get_nanoseconds=lambda: self.told_ns - 2_000_000)
        return SimpleNamespace(
            is_available=True,
            timestamp=stamp,
            get_angular_velocity=lambda: [180.0, 0.0, -90.0],
            get_linear_acceleration=lambda: [0.0, -9.8, 0.1],
        )

    def device(self):
        return SimpleNamespace(
            serial_number=123, camera_model="ZED 2i", camera_state=self.state, path="/dev/video0"
        )

    def grab(self):
        self.number += 1
        return self.grabs[min(self.number, len(self.grabs) - 1)]

    def time_ns(self):
        self.told_ns = time.time_ns() if self.times_ns is None else self.times_ns[self.number]
        return self.told_ns

    def put(self, mat, name):
        mat._v["data"] = pictures(self.number)[name]
        return self.sl.ERROR_CODE.SUCCESS


def sl_size():
    return SimpleNamespace(width=WIDTH, height=HEIGHT)


@pytest.fixture
def bench(shared, monkeypatch):
    monkeypatch.syspath_prepend(shared / "sdk/scripts")
    import apispec

    sl = apispec.fake_module(apispec.load(shared / "sdk/api_zed.json"), "pyzed.sl")
    monkeypatch.setattr(type(zed.SDK), "require", lambda _: sl)
    return Bench(sl)


def test_images_are_rgb_grey_and_millimetres(bench):
    with ZedCamera(serial="123") as camera:
        frame = camera.read(timeout_s=1)

    assert frame.color[0, 0].tolist() == [0, 2, 3]
    assert frame.depth.values[0, 0] == 1000
    assert frame.depth.unit_m == 0.001
    assert (frame.ir_left[0, 0], frame.ir_right[0, 0]) == (0, 1)
    assert frame.clock is Clock.DEVICE
    assert abs(time.monotonic_ns() - frame.captured_ns) < 10**9


def test_the_calibration_is_that_of_the_rectified_pair(bench):
    camera = ZedCamera(serial="123")
    with pytest.raises(CameraError, match="not opened"):
        _ = camera.calibration
    with camera:
        calibration = camera.calibration

    assert calibration.aligned
    assert (calibration.color.fx, calibration.color.distortion) == (20.0, ())
    assert calibration.baseline_m == 0.12


def test_confidence_is_the_sdks_turned_round(bench):
    with ZedCamera(serial="123") as camera:
        confidence = camera.read(timeout_s=1).confidence

    assert confidence[0, :4].tolist() == [255, 0, 0, 128]


def test_the_inertial_reading_is_in_radians_at_its_own_time(bench):
    with ZedCamera(serial="123") as camera:
        frame = camera.read(timeout_s=1)

    (sample,) = frame.imu
    assert frame.captured_ns - sample.captured_ns == 2_000_000
    assert sample.angular_velocity_rad_s == pytest.approx((np.pi, 0, -np.pi / 2))
    assert sample.linear_acceleration_m_s2 == pytest.approx((0, -9.8, 0.1))


def test_a_zed_without_inertial_sensors_has_no_readings(bench):
    bench.sensors.gyroscope_parameters.is_available = False
    with ZedCamera(serial="123") as camera:
        assert camera.read(timeout_s=1).imu == ()


def test_video_settings_are_controls(bench):
    with ZedCamera(serial="123") as camera:
        found = {control.name: control for control in camera.controls()}
        camera.set_control("color.exposure", 30.0)
        with pytest.raises(ModeUnsupported):
            camera.set_control("color.exposure", 300.0)

    assert set(found) == {"color.auto_exposure", "color.exposure", "color.white_balance"}
    assert (found["color.exposure"].maximum, found["color.white_balance"].step) == (100, 100)
    assert (bench.settings["EXPOSURE"][0], bench.settings["AEC_AGC"][0]) == (30, 0)


def test_of_a_recording_they_can_only_be_read(bench, tmp_path):
    with ZedCamera(file=tmp_path / "a.svo2") as camera:
        assert all(control.read_only for control in camera.controls())
        with pytest.raises(ModeUnsupported, match="only be read"):
            camera.set_control("color.exposure", 30.0)


def test_lost_frames_are_told_by_the_time(bench):
    bench.times_ns = [10**18 + n * 10**9 // 30 for n in (0, 1, 5)]
    with ZedCamera(serial="123") as camera:
        assert [camera.read(timeout_s=1).index for _ in range(3)] == [0, 1, 5]


def test_a_damaged_frame_is_left_out(bench):
    code = bench.sl.ERROR_CODE
    bench.grabs = [code.CORRUPTED_FRAME, code.CAMERA_REBOOTING, code.SUCCESS]
    with ZedCamera(serial="123") as camera:
        got = [camera.read(timeout_s=1) for _ in range(3)]

    assert [frame is None for frame in got] == [True, True, False]


def test_a_recording_ends_or_begins_again(bench, tmp_path):
    code = bench.sl.ERROR_CODE
    bench.grabs = [code.SUCCESS, code.END_OF_SVOFILE_REACHED, code.SUCCESS]
    with ZedCamera(file=tmp_path / "a.svo2") as camera:
        got = [camera.read(timeout_s=1) for _ in range(3)]
    assert [frame and frame.index for frame in got] == [0, None, 1]
    assert got[0].clock is Clock.HOST

    bench.number = -1
    with ZedCamera(file=tmp_path / "a.svo2", loop=False) as camera:
        camera.read(timeout_s=1)
        with pytest.raises(EndOfStream):
            camera.read(timeout_s=1)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CAMERA_NOT_DETECTED", CameraNotFound),
        ("CANNOT_START_CAMERA_STREAM", CameraBusy),
        ("NO_GPU_DETECTED", SdkMissing),
        ("INVALID_SVO_FILE", ModeUnsupported),
        ("LOW_USB_BANDWIDTH", CameraError),
        ("FAILURE", CameraError),
    ],
)
def test_codes_become_the_contracts_errors(bench, code, kind):
    bench.opened = bench.sl.ERROR_CODE[code]

    with pytest.raises(CameraError) as caught:
        ZedCamera(serial="123").open()

    assert type(caught.value) is kind
    assert caught.value.hint


def test_a_warning_is_no_error(bench):
    bench.opened = bench.sl.ERROR_CODE.CONFIGURATION_FALLBACK
    with ZedCamera(serial="123") as camera:
        assert camera.read(timeout_s=1) is not None


def test_an_unplugged_camera_is_lost(bench):
    code = bench.sl.ERROR_CODE
    bench.grabs = [code.SUCCESS, code.CAMERA_NOT_DETECTED]
    with ZedCamera(serial="123") as camera:
        camera.read(timeout_s=1)
        with pytest.raises(CameraLost):
            camera.read(timeout_s=1)


def test_cameras_are_listed_and_a_busy_one_says_so(bench):
    assert find_devices()[0].source == "zed:123"
    assert [camera.info.id for camera in live_cameras()] == ["zed_123"]
    bench.state = bench.sl.CAMERA_STATE.NOT_AVAILABLE

    (device,) = find_devices()

    assert (device.source, device.problem) == ("", "Another program uses it.")
    assert live_cameras() == []


def test_another_serial_number_is_not_found(bench):
    with pytest.raises(CameraNotFound, match="999"):
        live_cameras("999")


def test_the_package_of_that_name_on_pypi_is_not_taken_for_the_sdk(tmp_path, monkeypatch):
    """As it is there: one module pyzed.py, and no pyzed.sl in it."""
    if "pyzed" in sys.modules or zed.SDK.state().ready:
        pytest.skip("the real pyzed is here")
    (tmp_path / "pyzed.py").write_text("class Zed: ...")
    info = tmp_path / "pyzed-1.3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pyzed\nVersion: 1.3.0\n")
    monkeypatch.syspath_prepend(tmp_path)

    state = zed.SDK.state()
    sys.modules.pop("pyzed", None)

    assert state.status is SdkStatus.WRONG
    assert "uninstall -y pyzed" in state.fix
    assert "get_python_api.py" in state.fix


def test_a_stuck_camera_is_started_anew(bench):
    rebooted = []

    def reboot(serial, full_reboot=True):
        rebooted.append(serial)
        return bench.sl.ERROR_CODE.SUCCESS if serial == 123 else bench.sl.ERROR_CODE.CAMERA_NOT_DETECTED

    bench.sl.behave("Camera.reboot", reboot)
    camera = ZedCamera(serial="123")
    assert isinstance(camera, Resettable)
    camera.reset()

    assert rebooted == [123]
    with pytest.raises(CameraLost):
        ZedCamera(serial="124").reset()


def test_a_clock_that_jumps_is_no_loss_of_frames(bench):
    jump_ns = 3600 * 10**9
    bench.times_ns = [10**18 + n * 10**9 // 30 + (jump_ns if n > 1 else 0) for n in range(3)]
    with ZedCamera(serial="123") as camera:
        indices = [camera.read(timeout_s=1).index for _ in range(3)]

    assert indices[-1] - indices[0] < 60


def test_what_passed_while_the_camera_was_away_was_lost(bench):
    camera = ZedCamera(serial="123")
    with camera:
        first = camera.read(timeout_s=1).index
    time.sleep(0.3)
    with camera:
        assert camera.read(timeout_s=1).index - first >= 8
