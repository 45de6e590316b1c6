"""Sources by name: the demo rig, sessions, folders, and clear words for everything else."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera import Camera, EndOfStream
from drivers.errors import CameraNotFound, ModeUnsupported
from drivers.registry import Sdk, open_source


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


def test_vendor_cameras_are_honestly_not_supported() -> None:
    with pytest.raises(CameraNotFound, match="no real camera yet") as caught:
        open_source("auto")
    assert "demo" in caught.value.hint


@pytest.mark.parametrize("name", ["drive.db3", "scene.bag"])
def test_vendor_recordings_name_the_way_round(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"SQLite format 3\0")
    with pytest.raises(ModeUnsupported) as caught:
        open_source(str(tmp_path / name))
    assert "frame folders" in caught.value.hint


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


def test_a_library_below_something_that_is_no_package_is_not_installed() -> None:
    assert not Sdk("Test", "abc_no_such_package.part", "pip install it").installed
    assert not Sdk("Test", "this.part", "pip install it").installed
    assert Sdk("Test", "json", "").installed
