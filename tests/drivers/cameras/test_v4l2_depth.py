import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from fake_v4l2 import FakeNode

from drivers import v4l2
from drivers.camera import Camera
from drivers.cameras import v4l2_depth
from drivers.cameras.v4l2_depth import V4l2DepthCamera, find_devices, live_cameras
from drivers.clock import Clock
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound, ModeUnsupported


class Colors:
    """OpenCV's capture with some pictures waiting, blue for the first and redder with each."""

    def __init__(self, count=1):
        self.waiting, self.number, self.released = count, -1, False

    def read(self):
        self.number, self.waiting = self.number + 1, self.waiting - 1
        return True, np.full((48, 64, 3), (200, 0, 10 * self.number), np.uint8)

    def release(self):
        self.released = True


def camera(node, colors):
    return V4l2DepthCamera(
        "/dev/video0",
        "/dev/video4",
        kernel=node.kernel,
        open_node=lambda _: colors,
        wait_for=lambda capture, _timeout_s: capture.waiting > 0,
    )


def now_us(ago_ms=5):
    return (time.monotonic_ns() - ago_ms * 1_000_000) // 1000


def test_depth_comes_with_the_newest_colour():
    node, colors = FakeNode(), Colors(count=3)
    with camera(node, colors) as opened:
        node.send(np.full((24, 32), 1234, np.uint16), 40, stamp_us=now_us())
        frame = opened.read(timeout_s=1)
        assert isinstance(opened, Camera)

    assert (frame.depth.values == 1234).all()
    assert frame.depth.unit_m == 0.001
    assert frame.color[0, 0].tolist() == [20, 0, 200]
    assert frame.clock is Clock.STAMP
    assert (frame.calibration.color.width, frame.calibration.depth.width) == (64, 32)
    assert colors.released
    assert not node.streaming


def test_lost_frames_are_told_by_the_drivers_counter():
    node = FakeNode()
    with camera(node, Colors()) as opened:
        indices = []
        for number in (3, 4, 8):
            node.send(np.ones((24, 32), np.uint16), number, stamp_us=now_us())
            indices.append(opened.read(timeout_s=1).index)

    assert np.diff(indices).tolist() == [1, 4]


def test_without_any_colour_yet_there_is_no_frame():
    node = FakeNode()
    with camera(node, Colors(count=0)) as opened:
        node.send(np.ones((24, 32), np.uint16), 0)
        assert opened.read(timeout_s=0) is None


def test_an_unplugged_camera_is_lost():
    node = FakeNode()
    with camera(node, Colors()) as opened:
        node.gone = True
        with pytest.raises(CameraLost):
            opened.read(timeout_s=1)


def test_where_colour_is_busy_depth_is_let_go():
    def busy(_):
        raise CameraBusy("/dev/video4 does not open")

    node = FakeNode()
    with pytest.raises(CameraBusy):
        V4l2DepthCamera("/dev/video0", "/dev/video4", kernel=node.kernel, open_node=busy).open()
    assert node.opened == 0


def test_a_device_with_depth_and_colour_is_found_and_has_to_be_asked_for(tmp_path):
    usb, sysfs, nodes = tmp_path / "usb" / "2-1", tmp_path / "v4l", tmp_path / "dev"
    nodes.mkdir()
    (usb / "interface").mkdir(parents=True)
    (usb / "product").write_text("RealSense D435")
    (usb / "speed").write_text("5000")
    for number in (0, 2, 4):
        folder = sysfs / f"video{number}"
        folder.mkdir(parents=True)
        (folder / "index").write_text("0")
        (folder / "device").symlink_to(usb / "interface")
        (nodes / folder.name).touch()
    depth, other = FakeNode(), FakeNode(formats=(0x56595559,))
    here = {"video0": depth, "video2": other, "video4": other}
    current = []

    def opened(node):
        current[:] = [here[Path(node).name]]
        return 7

    kernel = v4l2.Kernel(
        opened, lambda _: None, lambda *call: current[0].ioctl(*call), depth.map, depth.ready
    )

    (device,) = find_devices(sysfs, nodes, kernel)

    assert (device.source, device.link, device.automatic) == ("v4l2:video0", "USB 3", False)
    assert device.model == "RealSense D435 (without its library)"


def test_a_node_that_gives_no_depth_is_not_found(monkeypatch, tmp_path):
    monkeypatch.setattr(v4l2_depth, "SYSFS", tmp_path)
    with pytest.raises(CameraNotFound, match="video3"):
        live_cameras("video3")


def test_both_nodes_have_their_own_controls():
    node = FakeNode()
    with camera(node, Colors()) as opened:
        names = {control.name for control in opened.controls()}
        assert {"depth.exposure", "color.exposure", "color.power_line_frequency"} <= names
        opened.set_control("color.power_line_frequency", "50 Hz")
        assert node.controls.values[0x980918] == 1
        with pytest.raises(ModeUnsupported, match="no control"):
            opened.set_control("motion.exposure", 1.0)
    with pytest.raises(CameraError, match="not open"):
        opened.controls()
