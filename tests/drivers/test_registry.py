"""Sources by name: the demo rig, sessions, folders, and clear words for everything else."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from drivers import registry
from drivers.camera import Camera, CameraInfo, EndOfStream
from drivers.cameras import realsense
from drivers.cameras.synthetic import SyntheticCamera
from drivers.devices import Device
from drivers.errors import CameraBusy, CameraError, CameraNotFound, ModeUnsupported, SdkMissing
from drivers.profiles import Wish
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
        self.wishes: list[Wish] = []

    def find_devices(self) -> list[Device]:
        if self.failure:
            raise self.failure
        return self.listed

    def live_cameras(self, serial: str = "", *, wish: Wish | None = None) -> list[Camera]:
        self.wishes.append(wish or Wish())
        if serial == "bad":
            raise CameraBusy("Acme bad: busy")
        return [SyntheticCamera(f"acme_{serial}", SensorKind.ACTIVE_STEREO, width=8, height=4)]


def plug(monkeypatch: pytest.MonkeyPatch, vendor: Vendor, *on_bus: UsbCamera) -> None:
    monkeypatch.setattr(registry, "_VENDORS", (vendor,))
    monkeypatch.setattr(registry, "usb_cameras", lambda: list(on_bus))


def found(serial: str, port: str = "") -> Device:
    return Device(f"realsense:{serial}", "Acme", "A1", serial, port=port)


def on_bus(port: str, *, openable: bool = True) -> UsbCamera:
    nodes = (f"/dev/{port}",)
    return UsbCamera("realsense", "Acme(R) A1", "usb-serial", 5000, port, openable, nodes=nodes)


def test_auto_takes_all_cameras_and_each_has_its_own_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plug(monkeypatch, Vendor([found("1"), found("bad"), found("2")]))

    cameras = open_source("auto")

    assert [camera.info.id for camera in cameras] == ["a1_1", "a1_bad", "a1_2"]
    assert cameras.sources["a1_2"] == "realsense:2"
    for camera in (cameras[0], cameras[2]):
        with camera:
            frame = camera.read(timeout_s=5.0)
            assert frame is not None
            assert frame.camera_id == camera.info.id
            assert camera.info.sensor == "active stereo"
    with pytest.raises(CameraBusy, match="busy"):
        cameras[1].open()


def test_auto_says_why_the_only_camera_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Vendor([]), on_bus("2-1", openable=False))

    with pytest.raises(CameraError, match="may not open it"):
        open_source("auto")


@pytest.mark.parametrize(
    ("product", "title"), [("ZED 2i", "Stereolabs ZED 2i"), ("ZED-M", "Stereolabs ZED M")]
)
def test_a_camera_whose_library_is_missing_bears_its_makers_name_once(
    monkeypatch: pytest.MonkeyPatch, product: str, title: str
) -> None:
    without = Sdk("zed", "Stereolabs ZED", "no_such_module", (), (), "install it")
    monkeypatch.setattr(registry, "_VENDORS", (SimpleNamespace(SDK=without, find_devices=without.require),))
    monkeypatch.setattr(
        registry, "usb_cameras", lambda: [UsbCamera("zed", product, "7", 5000, "2-2", openable=True)]
    )

    [device] = registry.devices()

    assert f"{device.vendor} {device.model}" == title
    assert device.problem == "The library for Stereolabs ZED is not ready. Not installed."
    assert device.hint == "Run this: install it"


def test_a_camera_that_is_plugged_in_later_is_found_once_the_bus_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "SYSFS", tmp_path)
    vendor = Vendor([found("1")])
    plug(monkeypatch, vendor, on_bus("2-1"))
    more = open_source("auto").find_more
    assert more is not None
    vendor.listed.append(found("2"))
    assert more(["a1_1"]) == []  # nothing was plugged in, so no library is asked

    monkeypatch.setattr(registry, "usb_cameras", lambda: [on_bus("2-1"), on_bus("2-4")])

    assert [camera.info.id for camera in more(["a1_1"])] == ["a1_2"]
    assert more(["a1_1", "a1_2"]) == []


def test_a_library_may_be_slow_to_see_what_the_bus_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "SYSFS", tmp_path)
    vendor = Vendor([found("1")])
    plug(monkeypatch, vendor, on_bus("2-1"))
    more = open_source("auto").find_more
    assert more is not None
    monkeypatch.setattr(registry, "usb_cameras", lambda: [on_bus("2-1"), on_bus("2-4")])
    assert more(["a1_1"]) == []

    vendor.listed.append(found("2"))

    assert len(more(["a1_1"])) == 1


def test_where_the_system_shows_no_bus_the_libraries_are_asked_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "SYSFS", tmp_path / "none")
    vendor = Vendor([found("1")])
    plug(monkeypatch, vendor)
    more = open_source("auto").find_more
    assert more is not None

    vendor.listed.append(found("2"))

    assert len(more(["a1_1"])) == 1


def test_cameras_on_one_controller_share_what_it_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = Vendor([found("1", port="/x/usb2/2-1/2-1:1.0"), found("2", port="/x/usb2/2-2/2-2:1.0")])
    bus = [replace(on_bus(port), bus_mbps=5000.0) for port in ("2-1", "2-2")]
    plug(monkeypatch, vendor, *bus)

    for camera in open_source("auto"):
        camera.open()

    assert [wish.budget for wish in vendor.wishes] == [175e6, 175e6]


def test_what_runs_and_what_could_run_is_added_up_for_a_controller() -> None:
    bus = [replace(on_bus(port), bus_mbps=5000.0) for port in ("2-1", "2-2")]
    info = CameraInfo(
        "a", "A", "A1", "1", "", 30, live=True, link_bytes_per_s=166e6, port="/usb2/2-1/2-1:1.0"
    )

    (load,) = registry.loads(bus, [info])

    assert load.asked == 166e6 + 640 * 480 * 30 * 6
    assert load.cameras == ("2-1", "2-2")


def test_a_camera_that_another_program_holds_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, Vendor([found("1", port="2-1"), found("2", port="2-2")]), on_bus("2-1"), on_bus("2-2"))
    monkeypatch.setattr(registry, "holders", lambda nodes: ["viewer (4711)"] if "/dev/2-1" in nodes else [])

    held, free = devices()

    assert "viewer (4711)" in held.problem
    assert "Close" in held.hint
    assert free.problem == ""


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
