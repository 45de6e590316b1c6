import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from stereo_scene import CONF, side_by_side

from drivers.camera import Camera
from drivers.cameras import zed_uvc
from drivers.cameras.zed_uvc import ZedUvcCamera, find_devices, live_cameras
from drivers.clock import Clock
from drivers.errors import CameraLost, CameraNotFound, ModeUnsupported
from drivers.stereo import read_conf


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    path = tmp_path_factory.mktemp("zed") / "SN12345.conf"
    path.write_text(CONF)
    return path


@pytest.fixture(scope="module")
def image(conf):
    return side_by_side(read_conf(conf, 1280, 720))[0]


class Film:
    """OpenCV's capture, as far as the driver uses it: these pictures, with V4L2's stamps."""

    def __init__(self, images, stamps_ms=None):
        self.images, self.stamps_ms = list(images), stamps_ms
        self.number, self.released = -1, False

    def read(self):
        self.number += 1
        if self.number >= len(self.images):
            return False, None
        return True, self.images[self.number]

    def get(self, what):
        assert what == cv2.CAP_PROP_POS_MSEC
        return self.stamps_ms[self.number] if self.stamps_ms else 0.0

    def release(self):
        self.released = True


def camera(conf, film):
    return ZedUvcCamera(
        "/dev/video0",
        conf,
        model="ZED 2i",
        open_node=lambda _: film,
        wait_for=lambda _, timeout_s: timeout_s > 0,
    )


def test_a_pair_of_pictures_becomes_colour_depth_and_both_grey_images(conf, image):
    film = Film([image])
    with camera(conf, film) as zed:
        frame = zed.read(timeout_s=1)
        assert isinstance(zed, Camera)

    assert frame.color.shape == (720, 1280, 3)
    assert frame.depth.values.shape == frame.ir_left.shape == frame.ir_right.shape == (360, 640)
    assert frame.depth.fill_rate > 0.6
    assert (zed.info.id, zed.info.serial) == ("zed_12345", "12345")
    assert film.released


def test_frames_lost_while_matching_are_told_by_the_stamps(conf, image):
    now_ms = time.monotonic_ns() / 1e6
    stamps_ms = [now_ms - 300 + n * 1000 / 15 for n in (0, 1, 4)]
    with camera(conf, Film([image] * 3, stamps_ms)) as zed:
        frames = [zed.read(timeout_s=1) for _ in range(3)]

    assert [frame.index for frame in frames] == [0, 1, 4]
    assert {frame.clock for frame in frames} == {Clock.STAMP}


def test_another_size_than_a_pair_is_refused_with_what_to_do(conf):
    film = Film([np.zeros((376, 1344, 3), np.uint8)])
    with camera(conf, film) as zed, pytest.raises(ModeUnsupported, match="1344 x 376") as caught:
        zed.read(timeout_s=1)
    assert "USB 3" in caught.value.hint


def test_an_unplugged_camera_is_lost(conf, image):
    with camera(conf, Film([image])) as zed:
        zed.read(timeout_s=1)
        with pytest.raises(CameraLost):
            zed.read(timeout_s=1)
        assert zed.read(timeout_s=0) is None


@pytest.fixture
def computer(tmp_path):
    """Linux's folders with a ZED 2i and a webcam plugged in."""
    nodes, sysfs, settings = tmp_path / "dev", tmp_path / "v4l", tmp_path / "settings"
    for number, (vendor, product) in enumerate((("2b03", "ZED 2i"), ("046d", "Webcam"))):
        usb = tmp_path / "usb" / f"2-{number + 1}"
        (usb / "interface").mkdir(parents=True)
        for name, text in (
            ("idVendor", vendor),
            ("product", product),
            ("speed", "5000"),
            ("serial", "OV0001"),
        ):
            (usb / name).write_text(text)
        node = sysfs / f"video{number}"
        node.mkdir(parents=True)
        (node / "index").write_text("0")
        (node / "name").write_text(product)
        Path(node / "device").symlink_to(usb / "interface")
        nodes.mkdir(exist_ok=True)
        (nodes / f"video{number}").touch()
    settings.mkdir()
    return sysfs, nodes, (settings,)


def test_a_zed_without_its_calibration_says_where_to_get_it(computer):
    (device,) = find_devices(*computer)

    assert (device.source, device.model, device.link) == ("", "ZED 2i (without its SDK)", "USB 3")
    assert "calib.stereolabs.com" in device.hint
    assert ".conf" in device.hint


def test_with_its_calibration_it_can_be_opened(computer):
    (computer[2][0] / "SN12345.conf").write_text(CONF)

    (device,) = find_devices(*computer)

    assert (device.source, device.problem) == ("zed-uvc:video0", "")


def test_of_two_calibrations_only_the_cameras_own_is_taken(computer):
    for serial in ("1", "2"):
        (computer[2][0] / f"SN{serial}.conf").write_text(CONF)
    assert find_devices(*computer)[0].source == ""

    (computer[2][0] / "SNOV0001.conf").write_text(CONF)

    assert find_devices(*computer)[0].source == "zed-uvc:video0"


def test_a_node_that_is_not_there_is_not_found(monkeypatch, tmp_path):
    monkeypatch.setattr(zed_uvc, "SYSFS", tmp_path)
    with pytest.raises(CameraNotFound, match="video9"):
        live_cameras("video9")
    assert live_cameras() == []
