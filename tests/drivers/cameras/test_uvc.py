"""The colour camera on OpenCV's real capture of a film, and its search on a tree like Linux's."""

import os
import time

import cv2
import numpy as np
import pytest

from drivers.camera import Camera
from drivers.cameras.uvc import UvcCamera, find_devices
from drivers.clock import Clock
from drivers.errors import CameraError, CameraLost, CameraNotFound
from drivers.video_node import exposed_ns

COUNT = 6


@pytest.fixture
def camera(tmp_path):
    """Six frames, red 200 and green 40 + 10 n; after the last the capture fails as an unplugged one does."""
    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    for number in range(COUNT):
        writer.write(np.full((48, 64, 3), (0, 40 + 10 * number, 200), np.uint8))
    writer.release()
    made = UvcCamera(
        "/dev/video7",
        open_node=lambda _: cv2.VideoCapture(path, cv2.CAP_OPENCV_MJPEG),
        wait=lambda _, timeout_s: timeout_s > 0,
    )
    yield made
    made.close()


def test_it_keeps_the_contract(camera):
    assert isinstance(camera, Camera)
    assert camera.info.id == "uvc_video7"


def test_colour_is_rgb_and_depth_is_one_hole(camera):
    with camera:
        frame = camera.read(timeout_s=1)

    np.testing.assert_allclose(frame.color[24, 32], (200, 40, 0), atol=6)
    assert frame.depth.values.shape == (48, 64)
    assert not frame.depth.valid.any()


def test_the_calibration_follows_the_size_that_really_comes(camera):
    assert camera.calibration.color.width == 640
    with camera:
        frame = camera.read(timeout_s=1)

    assert (frame.calibration.color.width, frame.calibration.color.height) == (64, 48)
    # Half of 64 pixels over half of 60 degrees: 32 / tan(30 degrees).
    assert frame.calibration.color.fx == pytest.approx(32 * 3**0.5)


def test_an_unplugged_camera_is_lost_and_counts_on_when_it_is_back(camera):
    with camera:
        last = [camera.read(timeout_s=1).index for _ in range(COUNT)][-1]
        with pytest.raises(CameraLost, match="unplugged"):
            camera.read(timeout_s=1)
    with camera:
        assert camera.read(timeout_s=1).index > last


def test_silence_is_no_frame(camera):
    with camera:
        assert camera.read(timeout_s=0) is None


def test_a_closed_camera_cannot_be_read(camera):
    with pytest.raises(CameraError, match="not open"):
        camera.read(timeout_s=0)


def test_a_node_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CameraNotFound, match="video99"):
        UvcCamera(str(tmp_path / "video99")).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_node_that_this_user_may_not_open_names_the_group(tmp_path):
    node = tmp_path / "video0"
    node.touch(mode=0o000)
    with pytest.raises(CameraError) as caught:
        UvcCamera(str(node)).open()
    assert "group video" in caught.value.hint


def test_a_stamp_of_the_monotonic_clock_is_believed_and_no_other():
    now_ns = time.monotonic_ns()

    assert exposed_ns((now_ns - 20_000_000) / 1e6, now_ns)[1] is Clock.STAMP
    assert exposed_ns(33.3, now_ns) == (now_ns, Clock.ARRIVAL)
    assert exposed_ns(time.time() * 1e3, now_ns) == (now_ns, Clock.ARRIVAL)


@pytest.fixture
def system(tmp_path):
    """Adds nodes as Linux shows them."""

    def plug(node, vendor, product, *, index="0", openable=True):
        usb = tmp_path / "usb" / f"1-{node[-1]}"
        interface = usb / "interface"
        interface.mkdir(parents=True)
        for name, value in {"idVendor": vendor, "product": product, "serial": "S1", "speed": "480"}.items():
            (usb / name).write_text(f"{value}\n")
        folder = tmp_path / "sys" / node
        folder.mkdir(parents=True)
        (folder / "index").write_text(f"{index}\n")
        (folder / "name").write_text(f"{product}\n")
        (folder / "device").symlink_to(interface)
        (tmp_path / "dev").mkdir(exist_ok=True)
        if openable:
            (tmp_path / "dev" / node).touch()

    plug.devices = lambda: find_devices(tmp_path / "sys", tmp_path / "dev")
    return plug


def test_colour_cameras_are_found_and_wait_to_be_asked_for(system):
    system("video0", "046d", "HD Webcam C920")
    system("video1", "046d", "HD Webcam C920", index="1")

    (device,) = system.devices()

    assert (device.source, device.model, device.link, device.port) == (
        "uvc:video0",
        "HD Webcam C920",
        "USB 2",
        "1-0",
    )
    assert not device.automatic


def test_depth_cameras_are_left_to_their_vendors(system):
    system("video0", "8086", "Intel(R) RealSense(TM) Depth Camera 435")
    system("video1", "2bc5", "Gemini 335")

    assert system.devices() == []


def test_a_camera_that_may_not_be_opened_says_so(system):
    system("video0", "046d", "HD Webcam C920", openable=False)

    (device,) = system.devices()

    assert (device.source, device.problem) == ("", "This user may not open it.")


def test_without_v4l2_there_is_nothing(tmp_path):
    assert find_devices(tmp_path / "none", tmp_path) == []
