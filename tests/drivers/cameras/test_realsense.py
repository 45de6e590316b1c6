"""The real SDK without a camera: software devices, and recordings that it wrote itself."""

import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from software_realsense import HEIGHT, RATE_HZ, WIDTH, SoftwareRealSense, record, scene

from drivers.camera import Camera, EndOfStream
from drivers.cameras.realsense import SDK, RealSenseCamera, _camera_error, by_serial, find_devices, recording
from drivers.clock import Clock
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound, ModeUnsupported
from drivers.frame import FrameSettings

if not (_state := SDK.state()).ready:
    pytest.skip(f"{_state.text} {_state.fix}", allow_module_level=True)

RECORDED = Path("/work/shared/sdk/data")
PERIOD_NS = 10**9 // RATE_HZ


@pytest.fixture
def make():
    """Software cameras with a feeding thread, stopped in the end."""
    made = []

    def factory(**how):
        software = SoftwareRealSense(**how)
        camera = RealSenseCamera(lambda: software.device)
        made.append((software, camera))
        return software, camera

    yield factory
    for software, camera in made:
        software.stop()
        camera.close()


def read(camera, count=1):
    frames = []
    deadline_s = time.monotonic() + 20
    while len(frames) < count:
        assert time.monotonic() < deadline_s, f"{len(frames)} of {count} frames in twenty seconds"
        if frame := camera.read(timeout_s=0.5):
            frames.append(frame)
    return frames


def push_and_read(software, camera, **how):
    software.push(**how)
    return read(camera)[0]


def test_images_are_those_that_the_device_sent(make):
    software, camera = make()
    with camera:
        for number in range(4):
            frame = push_and_read(software, camera, number=number)
            sent = scene(number)
            np.testing.assert_array_equal(frame.color, sent["color"])
            np.testing.assert_array_equal(frame.depth.values, sent["depth"])
            np.testing.assert_array_equal(frame.ir_left, sent["ir_left"])
            np.testing.assert_array_equal(frame.ir_right, sent["ir_right"])
            assert frame.index == number


def test_kept_frames_are_ours_and_do_not_stop_the_sdk(make):
    software, camera = make()
    with camera:
        kept = [push_and_read(software, camera, number=number) for number in range(60)]

    assert [int(frame.depth.values[0, -1]) for frame in kept] == [1000 + number for number in range(60)]


@pytest.mark.parametrize("unit_m", [0.001, 0.0001])
def test_the_depth_unit_is_the_cameras(make, unit_m):
    software, camera = make(unit_m=unit_m, model="D405")
    with camera:
        assert push_and_read(software, camera).depth.unit_m == unit_m


@pytest.mark.parametrize(
    ("model", "line", "usb", "sensor"),
    [
        ("D405", "D400", "3.2", "passive stereo"),
        ("D457", "D400", "3.2", "active stereo"),
        ("D555", "D500", None, "active stereo"),
        ("D585S", "D500", "3.2", "active stereo"),
    ],
)
def test_every_family_is_known_by_its_name_and_streams_alike(make, model, line, usb, sensor):
    software, camera = make(model=model, line=line, usb=usb)
    with camera:
        frame = push_and_read(software, camera)

    assert (camera.info.name, camera.info.model) == (f"RealSense {model}", model)
    assert (camera.info.id, camera.info.sensor) == (f"{model.lower()}_sw0001", sensor)
    np.testing.assert_array_equal(frame.depth.values, scene(frame.index)["depth"])
    assert frame.ir_right is not None


def test_transforms_take_points_into_the_colour_camera(make):
    _, camera = make()
    calibration = camera.calibration

    # The software camera's colour sensor is turned by 90 degrees and moved.
    np.testing.assert_allclose(
        calibration.color_from_depth @ [1.0, 2.0, 3.0, 1.0], [-2.0 + 0.015, 1.0 + 0.002, 3.0 - 0.001, 1.0]
    )
    np.testing.assert_allclose(calibration.color_from_ir_left, calibration.color_from_depth)
    assert calibration.baseline_m == pytest.approx(0.05)


@pytest.mark.parametrize("lens", ["brown_conrady", "inverse_brown_conrady", "modified_brown_conrady"])
def test_lenses_bend_as_the_sdk_bends_them(make, lens):
    software, camera = make(lens=lens)
    rs = software.rs
    with camera:
        color = camera.calibration.color
    native = software.profiles["color"].get_intrinsics()
    points = np.random.default_rng(0).uniform((-0.4, -0.3, 0.9), (0.4, 0.3, 1.1), (50, 3))

    ours, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), color.matrix, np.array(color.distortion))

    theirs = [rs.rs2_project_point_to_pixel(native, list(point)) for point in points]
    np.testing.assert_allclose(ours[:, 0], theirs, atol=0.02)


def test_a_lens_without_distortion_has_no_numbers(make):
    _, camera = make()
    with camera:
        assert camera.calibration.depth.distortion == ()


def test_a_lens_that_opencv_cannot_tell_is_refused(make):
    with pytest.raises(ModeUnsupported, match="kannala_brandt4"):
        make(lens="kannala_brandt4", focal_px=9.0)


def test_blue_and_red_are_not_swapped(make):
    software, camera = make(color_format="bgr8")
    with camera:
        frame = push_and_read(software, camera, number=200)

    np.testing.assert_array_equal(frame.color, scene(200)["color"])


def test_a_camera_without_colour_shows_its_infrared(make):
    software, camera = make(with_color=False)
    assert "infrared for colour" in camera.info.sensor
    with camera:
        frame = push_and_read(software, camera, number=9)

    np.testing.assert_array_equal(frame.color, np.repeat(frame.ir_left[..., None], 3, axis=2))


def test_the_devices_clock_is_mapped_to_ours(make):
    software, camera = make()
    with camera:
        first = push_and_read(software, camera, at_ms=5_000_000.0)
        second = push_and_read(software, camera, at_ms=5_000_000.0 + 1000 / RATE_HZ)

    assert first.clock is Clock.STAMP
    assert first.device_ns == 5_000_000_000_000
    assert second.captured_ns <= time.monotonic_ns()


def test_global_time_is_told_on_the_monotonic_clock(make):
    software, camera = make()
    with camera:
        exposed_ns = time.monotonic_ns() - 20_000_000
        at_ms = (time.time_ns() - 20_000_000) / 1e6
        frame = push_and_read(software, camera, domain="global_time", at_ms=at_ms)

    assert frame.clock is Clock.STAMP
    assert abs(frame.captured_ns - exposed_ns) < 1_000_000


def test_the_middle_of_the_exposure_counts(make):
    software, camera = make()
    with camera:
        exposed_ns = time.monotonic_ns()
        frame = push_and_read(
            software,
            camera,
            domain="global_time",
            at_ms=time.time_ns() / 1e6,
            metadata={"frame_timestamp": 90_000, "sensor_timestamp": 84_000},
        )

    assert abs(frame.captured_ns - (exposed_ns - 6_000_000)) < 1_000_000
    assert frame.clock is Clock.DEVICE


def test_a_frame_says_how_it_was_taken(make):
    software, camera = make()
    taken = {"actual_exposure": 8500, "gain_level": 16, "frame_laser_power": 150, "temperature": 41}
    with camera:
        plain = push_and_read(software, camera)
        frame = push_and_read(software, camera, metadata=taken)
        dark = push_and_read(software, camera, metadata={**taken, "frame_emitter_mode": 0})

    assert plain.settings is None
    assert frame.settings == FrameSettings(8500.0, 16.0, 150.0, 41.0)
    assert dark.settings.laser_power_mw == 0.0


def test_a_camera_without_metadata_is_stamped_at_arrival(make):
    software, camera = make()
    with camera:
        frame = push_and_read(software, camera, domain="system_time", at_ms=time.time_ns() / 1e6)

    assert frame.clock is Clock.ARRIVAL
    assert 0 <= time.monotonic_ns() - frame.captured_ns < 10**9


def test_what_the_device_lost_is_a_gap_in_the_index(make):
    software, camera = make()
    with camera:
        indices = [push_and_read(software, camera, number=number).index for number in (0, 1, 5)]

    assert indices == [0, 1, 5]


def test_a_reader_that_is_late_loses_nothing_at_first(make):
    software, camera = make()
    with camera:
        for number in range(6):
            software.push(number)
            time.sleep(0.02)
        indices = [frame.index for frame in read(camera, 6)]

    assert indices == list(range(6))


@pytest.mark.parametrize("missing", ["color", "depth", "ir_right"])
def test_images_of_different_exposures_are_never_put_together(make, missing):
    software, camera = make()
    with camera:
        frames = []
        for number in range(8):
            software.push(number, without=(missing,) if number in {2, 5} else ())
            time.sleep(0.02)
        while frame := camera.read(timeout_s=0.3):
            frames.append(frame)

    assert {frame.index for frame in frames} == {0, 1, 3, 4, 6, 7}
    for frame in frames:
        assert int(frame.depth.values[0, -1]) == 1000 + frame.index
        assert {int(frame.color[0, 0, 0]), int(frame.ir_left[0, 0])} == {frame.index}
        assert int(frame.ir_right[0, 0]) == frame.index + 1


def test_indices_go_on_after_the_camera_was_opened_again(make):
    software, camera = make()
    with camera:
        last = push_and_read(software, camera, number=40).index
    with camera:
        assert push_and_read(software, camera, number=0).index > last


def test_silence_is_no_frame_and_no_error(make):
    _, camera = make()
    with camera:
        started_s = time.monotonic()
        assert camera.read(timeout_s=0.1) is None
        assert time.monotonic() - started_s < 5


def test_closing_while_frames_come_does_not_hang(make):
    software, camera = make()
    software.start()
    for _ in range(5):
        camera.open()
        read(camera)
        done = threading.Thread(target=camera.close, daemon=True)
        done.start()
        done.join(5)
        assert not done.is_alive()


def test_a_closed_camera_cannot_be_read(make):
    _, camera = make()
    with pytest.raises(CameraError, match="not open"):
        camera.read(timeout_s=0)


def test_a_mode_that_the_link_does_not_carry_is_refused(make):
    make(usb="2.1", size=(320, 240))
    with pytest.raises(ModeUnsupported, match="link"):
        make(usb="2.1", size=(1280, 720))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "gap.db3"
    record(path, frames=8, skip=(3,), unit_m=0.0001)
    return path


def test_a_recording_gives_back_every_frame(file):
    with recording(file, loop=False, realtime=False) as camera:
        frames = read(camera, 7)
        with pytest.raises(EndOfStream):
            read(camera)

    assert isinstance(camera, Camera)
    assert [frame.index for frame in frames] == [0, 1, 2, 4, 5, 6, 7]
    for frame in frames:
        np.testing.assert_array_equal(frame.depth.values, scene(frame.index)["depth"])
        np.testing.assert_array_equal(frame.color, scene(frame.index)["color"])
    assert frames[0].depth.unit_m == 0.0001
    assert frames[0].device_ns == 1_700_000_000 * 10**9


def test_a_recording_loses_nothing_to_a_slow_reader(file):
    with recording(file, loop=False, realtime=False) as camera:
        indices = []
        for frame in iter(lambda: read(camera)[0], None):
            indices.append(frame.index)
            time.sleep(0.06)
            if len(indices) == 7:
                break

    assert indices == [0, 1, 2, 4, 5, 6, 7]


def test_a_recording_begins_again_and_its_indices_count_on(file):
    with recording(file, realtime=False) as camera:
        frames = read(camera, 16)

    assert [frame.index for frame in frames][:9] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert int(frames[7].depth.values[0, -1]) == 1000
    stamps = [frame.captured_ns for frame in frames]
    assert stamps == sorted(stamps)


def test_a_recording_takes_its_time(file):
    camera = recording(file)
    opened_ns = time.monotonic_ns()
    with camera:
        last = read(camera, 7)[-1]

    assert last.captured_ns - opened_ns >= 7 * PERIOD_NS
    assert abs(last.captured_ns - time.monotonic_ns()) < 10**9


def test_a_recording_knows_its_camera_before_it_is_opened(file):
    info = recording(file).info

    assert (info.model, info.serial, info.rate_hz, info.live) == ("D435", "SW0001", 30.0, False)


def test_what_is_no_recording_says_why(tmp_path):
    with pytest.raises(CameraNotFound):
        recording(tmp_path / "absent.db3")
    (tmp_path / "text.db3").write_text("no database")
    with pytest.raises(ModeUnsupported, match=r"text\.db3"):
        recording(tmp_path / "text.db3")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded files are not here")
@pytest.mark.parametrize(
    ("name", "count", "size"),
    [("d435_640x480_30f.db3", 30, (480, 640)), ("legacy_2.56_320x240_15f.bag", 14, (240, 320))],
)
def test_files_of_other_versions_are_read(name, count, size):
    with recording(RECORDED / name, loop=False, realtime=False) as camera:
        frames = read(camera, count)

    assert frames[0].depth.values.shape == size
    assert np.diff([frame.index for frame in frames]).tolist() == [1] * (count - 1)


class Plug:
    """A camera that is really enumerated by the SDK: a loaded file, opened as if it were live."""

    def __init__(self, path):
        self.path = str(path)
        self.context = SDK.require().context()
        self.plug_in()

    def plug_in(self):
        self.loaded = self.context.load_device(self.path)

    def unplug(self):
        self.context.unload_device(self.path)

    def __call__(self):
        return by_serial(self.context, "SW0001")


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "long.db3"
    record(path, frames=40)
    return path


def test_an_unplugged_camera_is_lost_and_found_again(long_file):
    plug = Plug(long_file)
    camera = RealSenseCamera(plug)
    camera.open()
    last = read(camera)[0].index
    plug.unplug()
    with pytest.raises(CameraLost, match="unplugged"):
        read(camera, 1000)
    camera.close()
    with pytest.raises(CameraNotFound, match="SW0001"):
        camera.open()
    plug.plug_in()
    with camera:
        assert read(camera)[0].index > last


def test_a_serial_number_that_is_not_there_is_said(long_file):
    plug = Plug(long_file)
    with pytest.raises(CameraNotFound, match="42"):
        by_serial(plug.context, "42")


def test_looking_for_cameras_works_without_any():
    assert [device for device in find_devices() if device.serial == "SW0001"] == []


# Words of the SDK: the first four seen when it was run, the others from reports of its users.
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("No device connected", CameraNotFound),
        ("Couldn't resolve requests", ModeUnsupported),
        ("object doesn't support option Laser Power", ModeUnsupported),
        ("out of range value for argument", ModeUnsupported),
        ("Device disconnected. Failed to recconect: No device connected", CameraLost),
        ("failed to set power state", CameraBusy),
        ("xioctl(VIDIOC_S_FMT) failed, errno=16 Last Error: Device or resource busy", CameraBusy),
    ],
)
def test_the_sdks_words_become_the_contracts_errors(words, kind):
    error = _camera_error(RuntimeError(words), "RealSense D435")

    assert type(error) is kind
    assert words in str(error)
    assert error.hint


def test_sizes_are_those_of_the_camera(make):
    software, camera = make()
    with camera:
        frame = push_and_read(software, camera)

    assert frame.color.shape == (HEIGHT, WIDTH, 3)
