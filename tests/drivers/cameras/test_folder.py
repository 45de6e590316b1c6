import time

import cv2
import numpy as np
import pytest

from drivers.camera import Camera, EndOfStream
from drivers.cameras.folder import FolderCamera
from drivers.errors import CameraError, CameraNotFound, ModeUnsupported


@pytest.fixture
def stills(tmp_path):
    for number, (height, width) in enumerate([(48, 64), (24, 32)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        cv2.imwrite(str(folder / "rgb.png"), np.zeros((height, width, 3), np.uint8))
        cv2.imwrite(str(folder / "depth.png"), np.full((height, width), number + 1, np.uint16))
        (folder / "intrinsics.txt").write_text(f"{width} 0 10 0 {width} 10 0 0 1")
    return tmp_path


def test_it_keeps_the_contract(stills):
    camera = FolderCamera(stills, camera_id="desk", rate_hz=200)
    assert isinstance(camera, Camera)
    assert (camera.info.id, camera.info.live, camera.info.rate_hz) == ("desk", False, 200)
    for _ in range(2):
        with camera:
            frame = camera.read(timeout_s=1)
            assert (frame.camera_id, frame.index) == ("desk", 0)
            assert frame.calibration == camera.calibration
    with pytest.raises(CameraError, match="not open"):
        camera.read(timeout_s=0)


def test_each_still_is_held_and_indices_count_on(stills):
    with FolderCamera(stills, rate_hz=500, hold_s=0.004) as camera:
        frames = [camera.read(timeout_s=1) for _ in range(6)]
    assert [frame.index for frame in frames] == list(range(6))
    assert [frame.depth.values[0, 0] for frame in frames] == [1, 1, 2, 2, 1, 1]
    assert [frame.calibration.color.width for frame in frames] == [64, 64, 32, 32, 64, 64]
    times = [frame.captured_ns for frame in frames]
    assert times == sorted(times)


def test_without_a_loop_there_is_an_end(stills):
    with FolderCamera(stills, rate_hz=500, hold_s=0, loop=False) as camera:
        assert camera.read(timeout_s=1)
        assert camera.read(timeout_s=1)
        with pytest.raises(EndOfStream):
            camera.read(timeout_s=1)


def test_frames_come_no_faster_than_asked_for(stills):
    with FolderCamera(stills, rate_hz=50) as camera:
        camera.read(timeout_s=1)
        start_s = time.perf_counter()
        for _ in range(5):
            assert camera.read(timeout_s=1)
        assert time.perf_counter() - start_s >= 0.099


def test_a_short_wait_ends_without_a_frame(stills):
    with FolderCamera(stills, rate_hz=5) as camera:
        assert camera.read(timeout_s=0.1) is not None
        assert camera.read(timeout_s=0.02) is None


def test_a_lens_that_is_assumed_is_said(stills, caplog):
    caplog.set_level("INFO")
    assert "assumed" not in FolderCamera(stills).info.sensor
    (stills / "1" / "intrinsics.txt").unlink()
    assert "60 degree lens assumed" in FolderCamera(stills).info.sensor
    assert "1 of 2 frames" in caplog.text


def test_what_cannot_be_shown_says_why(stills, tmp_path):
    with pytest.raises(CameraNotFound):
        FolderCamera(tmp_path / "absent")
    cv2.imwrite(str(stills / "0" / "depth.png"), np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(ModeUnsupported):
        FolderCamera(stills)
