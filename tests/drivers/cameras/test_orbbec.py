"""The real SDK on recordings that the tests write."""

import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from orbbec_bag import LENS, RATE_HZ, START_US, scene, write

from drivers.camera import Camera, EndOfStream
from drivers.cameras import orbbec
from drivers.cameras.orbbec import (
    SDK,
    OrbbecCamera,
    _camera_error,
    _settings,
    find_devices,
    is_recording,
    recording,
)
from drivers.clock import Clock
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound, ModeUnsupported
from drivers.frame import FrameSettings
from drivers.profiles import Stream
from drivers.registry import open_source

RECORDED = Path("/work/shared/sdk/data")

if not (_state := SDK.state()).ready:
    pytest.skip(f"{_state.text} {_state.fix}", allow_module_level=True)


@pytest.fixture
def bag(tmp_path):
    def make(**how):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.bag"
        write(path, **how)
        return path

    return make


def read(camera, count=1):
    frames = []
    deadline_s = time.monotonic() + 20
    while len(frames) < count:
        assert time.monotonic() < deadline_s, f"{len(frames)} of {count} frames in twenty seconds"
        if frame := camera.read(timeout_s=0.5):
            frames.append(frame)
    return frames


def test_a_recording_gives_back_every_image(bag):
    with recording(bag(skip=(3,)), loop=False) as camera:
        frames = read(camera, 7)
        with pytest.raises(EndOfStream):
            read(camera)

    assert isinstance(camera, Camera)
    assert [frame.index for frame in frames] == [0, 1, 2, 4, 5, 6, 7]
    for frame in frames:
        sent = scene(frame.index)
        np.testing.assert_array_equal(frame.color, sent["color"])
        np.testing.assert_array_equal(frame.depth.values, sent["depth"])
        np.testing.assert_array_equal(frame.ir_left, sent["ir_left"])
        np.testing.assert_array_equal(frame.ir_right, sent["ir_right"])
    assert frames[0].device_ns == START_US * 1000
    assert frames[0].clock is Clock.HOST


def test_depth_is_not_filtered_even_where_the_recording_says_so(bag):
    with recording(bag(noise_removal=1)) as camera:
        frame = read(camera)[0]

    np.testing.assert_array_equal(frame.depth.values, scene(frame.index)["depth"])


def test_a_recording_begins_again_and_its_indices_count_on(bag):
    with recording(bag()) as camera:
        frames = read(camera, 20)

    assert [frame.index for frame in frames] == list(range(20))
    assert int(frames[8].depth.values[0, -1]) == 1000
    stamps = [frame.captured_ns for frame in frames]
    assert stamps == sorted(stamps)


def test_a_recording_takes_its_time(bag):
    camera = recording(bag())
    opened_ns = time.monotonic_ns()
    with camera:
        last = read(camera, 8)[-1]

    assert last.index >= 7
    assert last.captured_ns - opened_ns >= 7 * 10**9 // RATE_HZ


@pytest.mark.parametrize(("unit_mm", "unit_m"), [(1.0, 0.001), (0.1, 0.0001)])
def test_the_depth_unit_is_in_metres(bag, unit_mm, unit_m):
    with recording(bag(unit_mm=unit_mm)) as camera:
        assert read(camera)[0].depth.unit_m == pytest.approx(unit_m)


def test_transforms_are_in_metres_and_the_right_way_round(bag):
    calibration = recording(bag()).calibration

    np.testing.assert_allclose(
        calibration.color_from_depth @ [1.0, 2.0, 3.0, 1.0],
        [-2.0 + 0.015, 1.0 + 0.002, 3.0 - 0.001, 1.0],
        atol=1e-6,
    )
    assert calibration.baseline_m == pytest.approx(0.05)


def test_the_lens_bends_as_the_sdk_bends_it(bag):
    ob = SDK.require()
    color = recording(bag()).calibration.color
    lens, bend, here = ob.OBCameraIntrinsic(), ob.OBCameraDistortion(), ob.OBExtrinsic()
    lens.fx, lens.fy, lens.cx, lens.cy = color.fx, color.fy, color.cx, color.cy
    lens.width, lens.height = color.width, color.height
    for name, value in zip(("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2"), LENS, strict=True):
        setattr(bend, name, value)
    bend.model = ob.OBCameraDistortionModel.BROWN_CONRADY
    here.rot, here.transform = np.eye(3, dtype=np.float32), np.zeros(3, np.float32)
    points = np.random.default_rng(0).uniform((-0.3, -0.2, 0.9), (0.3, 0.2, 1.1), (30, 3))

    ours, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), color.matrix, np.array(color.distortion))

    for point, pixel in zip(points, ours[:, 0], strict=True):
        place = ob.OBPoint3f()
        place.x, place.y, place.z = map(float, point * 1000)
        theirs = ob.transformation3dto2d(place, lens, bend, here)
        np.testing.assert_allclose(pixel, (theirs.x, theirs.y), atol=0.01)


def test_a_fisheye_is_refused(bag):
    with pytest.raises(ModeUnsupported, match="fisheye"):
        recording(bag(lens_model=5))


@pytest.mark.parametrize("color_format", ["bgr", "mjpg"])
def test_every_colour_format_becomes_rgb(bag, color_format):
    with recording(bag(color_format=color_format)) as camera:
        frame = read(camera)[0]

    off = np.abs(frame.color.astype(int) - scene(frame.index)["color"].astype(int))
    assert off.max() <= (0 if color_format == "bgr" else 12)


def test_a_time_of_flight_camera_without_an_infrared_pair(bag):
    with recording(bag(name="Orbbec Femto Bolt", streams=("depth", "color"))) as camera:
        frame = read(camera)[0]

    assert (camera.info.model, camera.info.sensor) == ("Femto Bolt", "time of flight")
    assert (frame.ir_left, frame.ir_right, camera.calibration.ir) == (None, None, None)


def test_time_of_flight_gives_its_one_infrared_image(bag):
    with recording(bag(name="Orbbec Femto Mega", streams=("depth", "color", "ir"))) as camera:
        frame = read(camera)[0]

    np.testing.assert_array_equal(frame.ir_left, scene(frame.index)["ir_left"])
    assert frame.ir_right is None


class WithConfidence:
    """The SDK's pipeline of a recording, whose left infrared stands for confidence: files keep none."""

    def __init__(self, pipeline, ob):
        self.pipeline, self.ob = pipeline, ob

    def wait_for_frames(self, timeout_ms):
        self.frames = self.pipeline.wait_for_frames(timeout_ms)
        return None if self.frames is None else self

    def get_frame(self, kind):
        confidence = kind == self.ob.OBFrameType.CONFIDENCE_FRAME
        return self.frames.get_frame(self.ob.OBFrameType.LEFT_IR_FRAME if confidence else kind)

    def stop(self):
        self.pipeline.stop()


def test_confidence_is_given_where_the_device_has_it(bag):
    with recording(bag()) as camera:
        camera._pipeline = WithConfidence(camera._pipeline, SDK.require())
        camera._chosen = {**camera._chosen, Stream.CONFIDENCE: camera._chosen[Stream.IR_LEFT]}
        frame = read(camera)[0]

    np.testing.assert_array_equal(frame.confidence, scene(frame.index)["ir_left"])


def test_a_recordings_properties_are_told_and_cannot_be_set(bag):
    with recording(bag(unit_mm=0.5)) as camera:
        (unit,) = [control for control in camera.controls() if control.name == "depth.unit"]
        assert (unit.value, unit.unit, unit.read_only) == (0.5, "mm", True)
        with pytest.raises(ModeUnsupported, match="only be read"):
            camera.set_control("depth.unit", 1.0)
        with pytest.raises(ModeUnsupported, match="no control"):
            camera.set_control("stream.rate", "30 Hz")
        assert camera.vendor_settings() is None


def test_depth_without_colour_is_refused(bag):
    with pytest.raises(ModeUnsupported, match="colour"):
        recording(bag(streams=("depth",)))


def test_what_is_no_recording_says_why(tmp_path):
    with pytest.raises(CameraNotFound):
        recording(tmp_path / "absent.bag")
    (tmp_path / "text.bag").write_text("no bag")
    with pytest.raises(ModeUnsupported, match=r"text\.bag"):
        recording(tmp_path / "text.bag")


def test_a_bag_of_orbbecs_is_a_source(bag):
    (camera,) = open_source(str(bag()))

    assert isinstance(camera, OrbbecCamera)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded files are not here")
def test_bags_of_both_vendors_are_told_apart():
    assert is_recording(RECORDED / "gemini335_320x240_30f.bag")
    assert not is_recording(RECORDED / "legacy_2.56_320x240_15f.bag")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded files are not here")
def test_a_file_of_the_sdks_own_recorder_is_read():
    with recording(RECORDED / "gemini335_320x240_30f.bag", loop=False) as camera:
        assert [frame.index for frame in read(camera, 30)] == list(range(30))


class Listing:
    """A list of live devices, as far as a silent camera asks for it."""

    def __init__(self, *serials):
        self.serials = serials

    def query_devices(self):
        return self

    def __len__(self):
        return len(self.serials)

    def get_device_serial_number_by_index(self, number):
        return self.serials[number]


@pytest.fixture
def silent_camera(bag, monkeypatch):
    """The SDK's real pipeline of a recording, taken for a live camera: it falls silent at its end."""
    path = bag(frames=2)
    monkeypatch.setattr(OrbbecCamera, "_prepare_live", lambda _: None)
    camera = OrbbecCamera(lambda: SDK.require().PlaybackDevice(str(path)))
    with camera:
        yield camera


def test_an_unplugged_camera_is_lost(silent_camera, monkeypatch):
    monkeypatch.setattr(orbbec, "_context", lambda: Listing("another"))

    with pytest.raises(CameraLost, match="unplugged"):
        read(silent_camera, 3)


def test_a_silent_camera_that_is_still_there_is_not_lost(silent_camera, monkeypatch):
    monkeypatch.setattr(orbbec, "_context", lambda: Listing("CP0001"))
    deadline_s = time.monotonic() + 2.5
    while time.monotonic() < deadline_s:
        silent_camera.read(timeout_s=0.5)


def test_a_live_camera_has_the_devices_clock(silent_camera):
    frame = read(silent_camera)[0]

    assert frame.clock is Clock.DEVICE
    assert frame.captured_ns <= time.monotonic_ns()


def test_looking_for_cameras_works_without_any():
    assert [device for device in find_devices() if device.serial == "CP0001"] == []


def test_a_serial_number_that_is_not_there_is_said():
    with pytest.raises(CameraNotFound, match="XYZ"):
        open_source("orbbec:XYZ")


def test_a_closed_camera_cannot_be_read(bag):
    with pytest.raises(CameraError, match="not open"):
        recording(bag()).read(timeout_s=0)


def test_the_library_prints_nothing_and_leaves_no_log_folder(tmp_path):
    code = "from drivers.cameras.orbbec import find_devices; print(len(find_devices()))"
    here = {"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": os.environ["PATH"]}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=here, capture_output=True, text=True, timeout=60
    )

    assert said.returncode == 0, said.stderr
    assert said.stdout.strip().isdigit(), said.stdout
    assert list(tmp_path.iterdir()) == []


# Words of the SDK that were seen, and some that its users report.
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Device not found by serial number: 1", CameraNotFound),
        ("No device found", CameraNotFound),
        ("device is busy", CameraBusy),
        ("openUsbDevice failed", CameraError),
        ("No matched profile found", ModeUnsupported),
        ("Device is deactivated/disconnected!", CameraLost),
    ],
)
def test_the_sdks_words_become_the_contracts_errors(words, kind):
    error = _camera_error(RuntimeError(words), "Orbbec Gemini 335")

    assert type(error) is kind
    assert error.hint


class Told:
    """A depth image with these metadata, by the SDK's own names."""

    def __init__(self, **values):
        self.values = {
            getattr(SDK.require().OBFrameMetadataType, name): value for name, value in values.items()
        }

    def has_metadata(self, kind):
        return kind in self.values

    def get_metadata_value(self, kind):
        return self.values[kind]


def test_a_frame_says_how_it_was_taken(bag):
    ob = SDK.require()

    assert _settings(ob, Told(EXPOSURE=7000, GAIN=16, LASER_POWER=120, LASER_STATUS=1)) == FrameSettings(
        7000.0, 16.0, 120.0
    )
    assert _settings(ob, Told(LASER_POWER=120, LASER_STATUS=0)) == FrameSettings(laser_power_mw=0.0)
    assert _settings(ob, Told()) is None
    with recording(bag()) as camera:  # the real SDK's own frames, which have none in this file
        assert read(camera)[0].settings is None
