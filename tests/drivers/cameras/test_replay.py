import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "session"))
from session_recordings import make_frame, record

from drivers.camera import Camera, EndOfStream
from drivers.cameras.replay import ReplayCamera, replay_cameras
from drivers.errors import CameraError, CameraNotFound, ModeUnsupported
from drivers.session.reader import Session


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session") / "s"
    record(folder, [make_frame(i, camera) for i in (3, 4, 6) for camera in ("left", "right")]).close()
    return folder


def test_it_keeps_the_contract(folder):
    camera = ReplayCamera(Session(folder), "left")
    assert isinstance(camera, Camera)
    assert (camera.info.id, camera.info.live, camera.info.rate_hz) == ("left", False, 30.0)
    assert camera.calibration.color.width == 64
    with camera, camera:
        assert camera.read(timeout_s=1) is not None
    camera.close()
    with pytest.raises(CameraError, match="not open"):
        camera.read(timeout_s=0)


def test_recorded_gaps_stay_and_indices_count_on(folder):
    with ReplayCamera(Session(folder), "left", realtime=False) as camera:
        frames = [camera.read(timeout_s=1) for _ in range(7)]
    assert [frame.index for frame in frames] == [3, 4, 6, 7, 8, 10, 11]
    assert np.array_equal(frames[4].depth.values, make_frame(4).depth.values)
    times = [frame.captured_ns for frame in frames]
    assert times == sorted(times)
    assert abs(times[-1] - time.monotonic_ns()) < 10**9


def test_without_a_loop_there_is_an_end(folder):
    with ReplayCamera(Session(folder), "left", loop=False, realtime=False) as camera:
        for _ in range(3):
            camera.read(timeout_s=1)
        with pytest.raises(EndOfStream):
            camera.read(timeout_s=1)


def test_it_is_no_faster_than_the_recording(folder):
    with ReplayCamera(Session(folder), "left") as camera:
        start_s = time.perf_counter()
        frames = [camera.read(timeout_s=1) for _ in range(4)]
        took_s = time.perf_counter() - start_s
    assert all(frames)
    assert took_s >= 4 / 30 - 0.001


def test_a_short_wait_ends_without_a_frame(folder):
    with ReplayCamera(Session(folder), "left") as camera:
        camera.read(timeout_s=1)
        assert camera.read(timeout_s=0.0) is None
        assert camera.read(timeout_s=1).index == 4


def test_all_cameras_of_a_session_share_it(folder):
    assert [camera.info.id for camera in replay_cameras(folder)] == ["left", "right"]


def test_what_cannot_be_replayed_says_why(folder, tmp_path):
    with pytest.raises(CameraNotFound, match="no camera top"):
        ReplayCamera(Session(folder), "top")
    with pytest.raises(CameraNotFound, match="is no session"):
        replay_cameras(tmp_path)


def test_a_damaged_frame_is_an_error_of_the_camera(folder, tmp_path):
    import shutil

    copy = shutil.copytree(folder, tmp_path / "s")
    segment = copy / "seg_00000.mcap"
    segment.write_bytes(segment.read_bytes().replace(b"IHDR", b"IHDX"))
    with pytest.raises(ModeUnsupported, match="damaged"):
        read_all(Session(copy))


def read_all(session):
    """Frames by a reader that has nothing cached."""
    camera = ReplayCamera(session, "left", realtime=False)
    with camera:
        camera.read(timeout_s=1)


def test_inertial_readings_move_with_their_frame(tmp_path):
    sent = [make_frame(index, "left", imu=True) for index in (3, 4)]
    record(tmp_path / "s", sent).close()
    with ReplayCamera(Session(tmp_path / "s"), "left", realtime=False, loop=False) as camera:
        frames = [camera.read(timeout_s=1) for _ in sent]

    for told, frame in zip(frames, sent, strict=True):
        assert frame.imu
        before = sorted(s.captured_ns - frame.captured_ns for s in frame.imu)
        assert [s.captured_ns - told.captured_ns for s in told.imu] == pytest.approx(before, abs=1000)
