import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cameras"))

from drivers.cameras import realsense
from drivers.cameras.realsense import RealSenseCamera


@pytest.fixture
def software():
    state = realsense.SDK.state()
    if not state.ready:
        pytest.skip(f"{state.text} {state.fix}")
    from software_realsense import SoftwareRealSense

    return SoftwareRealSense(imu=True)


def frame_of(camera, software, number, readings):
    """Push readings (name, milliseconds after the picture, vector), then the picture; the frame of it."""
    at_ms = 10_000 + number * 1000 / 30
    for name, after_ms, vector in readings:
        software.push_motion(name, at_ms + after_ms, vector)
    time.sleep(0.05)  # the SDK hands readings over in a thread of its own
    software.push(number, at_ms=at_ms)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if frame := camera.read(timeout_s=0.5):
            return frame
    raise AssertionError("no frame")


def test_readings_come_with_the_frame_after_them_in_order_and_in_its_axes(software):
    with RealSenseCamera(lambda: software.device) as camera:
        frame = frame_of(
            camera,
            software,
            0,
            [("gyro", -8.0, (0.1, 0.2, 0.3)), ("accel", -12.0, (-9.8, 0.0, 0.0)), ("gyro", -3.0, (1, 0, 0))],
        )

    gravity, first, second = frame.imu
    assert [s.captured_ns - frame.captured_ns for s in frame.imu] == [-12_000_000, -8_000_000, -3_000_000]
    # The sensor lies on its side: (x, y) of it is (-y, x) of the camera.
    assert gravity.linear_acceleration_m_s2 == pytest.approx((0.0, -9.8, 0.0))
    assert gravity.angular_velocity_rad_s is None
    assert first.angular_velocity_rad_s == pytest.approx((-0.2, 0.1, 0.3))
    assert second.angular_velocity_rad_s == pytest.approx((0, 1, 0))


def test_a_reading_after_the_picture_waits_for_the_next_one(software):
    with RealSenseCamera(lambda: software.device) as camera:
        first = frame_of(camera, software, 0, [("accel", +4.0, (0, 0, 9))])
        second = frame_of(camera, software, 1, [])

    assert first.imu == ()
    (late,) = second.imu
    assert late.linear_acceleration_m_s2 == pytest.approx((0, 0, 9))
    assert second.captured_ns - late.captured_ns == pytest.approx(1e9 / 30 - 4e6, abs=1e6)


def test_readings_by_another_clock_are_left_out_and_said(software, caplog):
    with RealSenseCamera(lambda: software.device) as camera:
        software.push_motion("accel", 1.7e12, (0, 0, 9), domain="global_time")
        frame = frame_of(camera, software, 0, [])

    assert frame.imu == ()
    assert "another clock" in caplog.text


def test_a_camera_without_one_has_no_readings(software):
    from software_realsense import SoftwareRealSense

    plain = SoftwareRealSense()
    with RealSenseCamera(lambda: plain.device) as camera:
        plain.push(0)
        frame = None
        while frame is None:
            frame = camera.read(timeout_s=0.5)

    assert frame.imu == ()


def test_a_recording_has_them_too(tmp_path, software):
    from software_realsense import record

    record(tmp_path / "a.db3", frames=4, imu=True)
    frames = []
    with realsense.recording(tmp_path / "a.db3", realtime=False) as camera:
        deadline = time.monotonic() + 10
        while len(frames) < 4 and time.monotonic() < deadline:
            if frame := camera.read(timeout_s=0.5):
                frames.append(frame)

    readings = [sample for frame in frames for sample in frame.imu]
    turned = [s.linear_acceleration_m_s2 for s in readings if s.linear_acceleration_m_s2]
    assert len(turned) >= 3
    # The SDK's recorder does not keep how a software device's sensor lies, so the axes are its own.
    assert turned == [pytest.approx((n, 0, 0)) for n in range(len(turned))]
    assert all(frame.captured_ns - s.captured_ns == 5_000_000 for frame in frames for s in frame.imu)
