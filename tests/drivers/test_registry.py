"""Sources by name: the demo rig, sessions, folders, and clear words for everything else."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers import registry
from drivers.camera import Camera, EndOfStream
from drivers.cameras import realsense
from drivers.cameras.synthetic import SyntheticCamera
from drivers.devices import Device
from drivers.errors import CameraBusy, CameraError, CameraNotFound, ModeUnsupported, SdkMissing
from drivers.registry import devices, open_source
from drivers.sdk import Sdk
from drivers.synth.sensor import SensorKind
from drivers.usb import UsbCamera


@pytest.fixture
def frame_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "frames" / "0"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "rgb.png"), np.full((4, 8, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "raw_depth.png"), np.full((4, 8), 1500, np.uint16))
    return folder.parent


def test_the_demo_rig_has_three_sensors_that_fail_differently() -> None:
    cameras = open_source("demo")
    assert {camera.info.sensor for camera in cameras} == {"active stereo", "time of flight", "passive stereo"}


def _read_on(camera: Camera) -> None:
    for _ in range(200):
        camera.read(timeout_s=5.0)


def test_a_folder_of_frames_is_a_camera(frame_folder: Path) -> None:
    (camera,) = open_source(str(frame_folder))
    with camera:
        frame = camera.read(timeout_s=5.0)
    assert frame is not None
    assert (frame.depth.values == 1500).all()


def test_without_loop_a_folder_ends(frame_folder: Path) -> None:
    (camera,) = open_source(str(frame_folder), loop=False)
    with camera, pytest.raises(EndOfStream):
        _read_on(camera)


def test_without_a_camera_auto_says_what_else_there_is() -> None:
    if devices():
        pytest.skip("a camera is plugged in")
    with pytest.raises(CameraNotFound, match="No depth camera") as caught:
        open_source("auto")
    assert "demo" in caught.value.hint


def test_a_camera_that_is_not_plugged_in_is_named() -> None:
    if not realsense.SDK.state().ready:
        pytest.skip("needs pyrealsense2")
    with pytest.raises(CameraNotFound, match="987654"):
        open_source("realsense:987654")


@pytest.mark.parametrize("name", ["drive.db3", "scene.bag"])
def test_a_recording_that_is_none_is_said(tmp_path: Path, name: str) -> None:
    if not realsense.SDK.state().ready:
        pytest.skip("needs pyrealsense2")
    (tmp_path / name).write_bytes(b"SQLite format 3\0")
    with pytest.raises(ModeUnsupported, match=name) as caught:
        open_source(str(tmp_path / name))
    assert caught.value.hint


class Vendor:
    """A vendor with a library that sees what the test says."""

    SDK = Sdk("realsense", "Acme", "json", ("acme",), (1,), "pip install acme")

    def __init__(self, listed: list[Device], failure: CameraError | None = None) -> None:
        self.listed = listed
        self.failure = failure

    def find_devices(self) -> list[Device]:
        if self.failure:
            raise self.failure
        return self.listed

    def live_cameras(self, serial: str = "") -> list[Camera]:
        if serial == "bad":
            raise CameraBusy("Acme bad: busy")
        return [SyntheticCamera(f"acme_{serial}", SensorKind.ACTIVE_STEREO, width=8, height=4)]


def plug(monkeypatch: pytest.MonkeyPatch, vendor: Vendor, *on_bus: UsbCamera) -> None:
    monkeypatch.setattr(registry, "_VENDORS", (vendor,))
    monkeypatch.setattr(registry, "usb_cameras", lambda: list(on_bus))


def found(serial: str, port: str = "") -> Device:
    return Device(f"realsense:{serial}", "Acme", "A1", serial, port=port)


def on_bus(port: str, *, openable: bool = True) -> UsbCamera:
    return UsbCamera("realsense", "Acme(R) A1", "usb-serial", 5000, port, openable)


def test_auto_takes_all_cameras_and_leaves_out_the_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Vendor([found("1"), found("bad"), found("2")]))

    assert [camera.info.id for camera in open_source("auto")] == ["acme_1", "acme_2"]


def test_auto_says_why_the_only_camera_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Vendor([found("bad")]))

    with pytest.raises(CameraBusy, match="busy"):
        open_source("auto")


def test_a_camera_without_its_library_is_listed_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Vendor([], SdkMissing("Acme: Not installed.", hint="Run: get it")), on_bus("2-1"))

    (device,) = devices()

    assert not device.usable
    assert device.model == "A1"
    assert (device.problem, device.hint, device.link) == ("Acme: Not installed.", "Run: get it", "USB 3")


def test_a_camera_that_this_user_may_not_open_names_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Vendor([]), on_bus("2-1", openable=False))

    (device,) = devices()

    assert "may not open" in device.problem
    assert "udev" in device.hint


def test_only_what_the_library_does_not_see_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = found("1", port="/sys/devices/usb2/2-1/2-1:1.0/video0")
    plug(monkeypatch, Vendor([seen]), on_bus("2-1"), on_bus("2-4"))

    assert [(device.port, device.usable) for device in devices()] == [(seen.port, True), ("2-4", False)]


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CameraNotFound, match="There is no source"):
        open_source(str(tmp_path / "absent"))


def test_a_file_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CameraNotFound, match="is a file"):
        open_source(str(tmp_path / "notes.txt"))


def test_an_empty_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(CameraNotFound) as caught:
        open_source(str(tmp_path))
    assert caught.value.hint
