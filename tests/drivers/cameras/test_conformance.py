"""What every camera must do, run over all cameras that need no device."""

import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "session"))
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from fake_v4l2 import FakeControls
from session_recordings import make_frame, record

from drivers.camera import Camera
from drivers.cameras import orbbec, realsense, uvc, zed_uvc
from drivers.cameras.folder import FolderCamera
from drivers.cameras.replay import ReplayCamera
from drivers.cameras.synthetic import SyntheticCamera
from drivers.controls import ControlKind, Role
from drivers.errors import ModeUnsupported
from drivers.session.reader import Session
from drivers.synth.sensor import SensorKind


def synthetic(kind, width=32, height=24):
    return lambda _: SyntheticCamera("sim", kind, width=width, height=height, rate_hz=60.0, imu=True)


def folder(tmp_path):
    cv2.imwrite(str(tmp_path / "rgb.png"), np.zeros((24, 32, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "depth.png"), np.full((24, 32), 700, np.uint16))
    (tmp_path / "intrinsics.txt").write_text("32 0 16 0 32 12 0 0 1")
    return FolderCamera(tmp_path, rate_hz=60.0)


def replay(tmp_path):
    record(tmp_path / "session", [make_frame(index, "left") for index in range(4)]).close()
    return ReplayCamera(Session(tmp_path / "session"), "left")


def realsense_device(_):
    """The real SDK with a software device that sends until the test ends."""
    require(realsense.SDK)
    from software_realsense import SoftwareRealSense

    software = SoftwareRealSense(options=True, imu=True)
    software.start()
    camera = realsense.RealSenseCamera(lambda: software.device)
    camera.feeder = software  # the camera outlives its device otherwise
    return camera


def realsense_file(tmp_path):
    require(realsense.SDK)
    from software_realsense import record as record_realsense

    record_realsense(tmp_path / "recorded.db3", frames=4, options=True, imu=True)
    return realsense.recording(tmp_path / "recorded.db3")


def orbbec_file(tmp_path):
    require(orbbec.SDK)
    from orbbec_bag import write

    write(tmp_path / "recorded.bag", frames=4)
    return orbbec.recording(tmp_path / "recorded.bag")


def zed_pair(tmp_path):
    """A ZED's pair of pictures, again and again."""
    from stereo_scene import CONF

    (tmp_path / "SN1.conf").write_text(CONF)
    image = np.random.default_rng(0).integers(0, 255, (720, 2560, 3), np.uint8)
    return zed_uvc.ZedUvcCamera(
        "/dev/video0",
        tmp_path / "SN1.conf",
        open_node=lambda _: Still(image),
        wait_for=paced,
        kernel=FakeControls().kernel,
    )


def colour_only(_):
    image = np.zeros((480, 640, 3), np.uint8)
    return uvc.UvcCamera(
        "/dev/video0", open_node=lambda _: Still(image), wait=paced, kernel=FakeControls().kernel
    )


class Still:
    """OpenCV's capture, as far as drivers use it."""

    def __init__(self, image):
        self.image = image

    def read(self):
        return True, self.image

    def get(self, what):
        assert what == cv2.CAP_PROP_POS_MSEC
        return time.monotonic_ns() / 1e6

    def release(self):
        self.image = None


def paced(_, timeout_s):
    time.sleep(min(timeout_s, 1 / 60))
    return timeout_s > 0


def require(sdk):
    if not (state := sdk.state()).ready:
        pytest.skip(f"{state.text} {state.fix}")


FACTORIES = {
    "folder": folder,
    "replay": replay,
    "RealSense device": realsense_device,
    "RealSense recording": realsense_file,
    "Orbbec recording": orbbec_file,
    "ZED without its SDK": zed_pair,
    "colour only": colour_only,
    "active stereo": synthetic(SensorKind.ACTIVE_STEREO),
    "time of flight": synthetic(SensorKind.TIME_OF_FLIGHT),
    "passive stereo": synthetic(SensorKind.PASSIVE_STEREO),
    "active stereo, 4 x 2": synthetic(SensorKind.ACTIVE_STEREO, 4, 2),
    "time of flight, 4 x 2": synthetic(SensorKind.TIME_OF_FLIGHT, 4, 2),
    "passive stereo, 4 x 2": synthetic(SensorKind.PASSIVE_STEREO, 4, 2),
}


@pytest.fixture(params=FACTORIES)
def camera(request, tmp_path):
    camera = FACTORIES[request.param](tmp_path)
    yield camera
    camera.close()
    if feeder := getattr(camera, "feeder", None):
        feeder.stop()


def next_frame(camera):
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        if frame := camera.read(timeout_s=0.5):
            return frame
    raise AssertionError("no frame in ten seconds")


def test_it_keeps_the_contract(camera):
    assert isinstance(camera, Camera)


def test_it_introduces_itself_before_it_is_opened(camera):
    assert camera.info.id.replace("_", "").isalnum()
    assert camera.info.rate_hz > 0


def test_the_index_only_grows(camera):
    with camera:
        indices = [next_frame(camera).index for _ in range(4)]

    assert (np.diff(indices) > 0).all()


def test_frames_are_stamped_with_the_monotonic_clock(camera):
    with camera:
        stamps = [next_frame(camera).captured_ns for _ in range(3)]
        now_ns = time.monotonic_ns()

    assert (np.diff(stamps) > 0).all()
    assert 0 <= now_ns - stamps[-1] < 2_000_000_000


def test_images_cannot_be_written_to(camera):
    with camera:
        frame = next_frame(camera)

    for image in (frame.color, frame.depth.values, frame.ir_left, frame.ir_right, frame.confidence):
        assert image is None or not image.flags.writeable


def test_images_have_the_size_the_calibration_says(camera):
    with camera:
        frame = next_frame(camera)
        calibration = camera.calibration

    assert frame.color.shape == (calibration.color.height, calibration.color.width, 3)
    assert frame.depth.values.shape == (calibration.depth.height, calibration.depth.width)
    for image in (frame.ir_left, frame.ir_right):
        assert image is None or image.shape == (calibration.ir.height, calibration.ir.width)


def test_confidence_lies_in_the_grid_of_depth(camera):
    with camera:
        frame = next_frame(camera)

    assert frame.confidence is None or frame.confidence.shape == frame.depth.values.shape
    assert frame.confidence is None or frame.confidence.dtype == np.uint8


def test_inertial_readings_are_of_the_time_before_their_frame_and_in_order(camera):
    with camera:
        frames = [next_frame(camera) for _ in range(3)]

    times = [sample.captured_ns for frame in frames for sample in frame.imu]
    assert times == sorted(times)
    assert all(frame.captured_ns + 20_000_000 >= s.captured_ns for frame in frames for s in frame.imu)


def test_controls_describe_themselves(camera):
    with camera:
        next_frame(camera)
        controls = camera.controls()

    names = [control.name for control in controls]
    assert len(set(names)) == len(names)
    for control in controls:
        assert control.title
        assert control.group
        match control.kind:
            case ControlKind.NUMBER:
                assert control.read_only or control.minimum <= control.value <= control.maximum
            case ControlKind.CHOICE:
                assert control.value in control.choices
            case ControlKind.SWITCH:
                assert isinstance(control.value, bool)


def test_every_control_takes_the_value_that_it_has_and_what_it_refuses_changes_nothing(camera):
    with camera:
        next_frame(camera)
        for control in camera.controls():
            if not control.read_only and control.role not in {Role.EXPOSURE, Role.GAIN, Role.WHITE_BALANCE}:
                camera.set_control(control.name, control.value)
        before = {c.name: c.value for c in camera.controls() if not c.read_only}
        for control in camera.controls():
            with pytest.raises(ModeUnsupported):
                camera.set_control(control.name, "no such value")
        with pytest.raises(ModeUnsupported):
            camera.set_control("no.such.control", 1.0)
        after = {c.name: c.value for c in camera.controls() if not c.read_only}

        assert after == before
        assert next_frame(camera) is not None


def test_frames_carry_the_name_of_their_camera(camera):
    with camera:
        assert next_frame(camera).camera_id == camera.info.id


def test_reading_gives_up_in_time(camera):
    with camera:
        next_frame(camera)
        started_s = time.monotonic()
        camera.read(timeout_s=0.0)

    assert time.monotonic() - started_s < 1.0


def test_closing_twice_is_harmless(camera):
    camera.open()
    camera.close()
    camera.close()


def test_it_can_be_opened_again(camera):
    with camera:
        next_frame(camera)
    with camera:
        assert next_frame(camera).color.size
