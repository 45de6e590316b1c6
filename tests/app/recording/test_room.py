import numpy as np

from app.recording.room import CLOSE_BYTES, LOW_S, USUAL_BYTES_PER_S, Limits, bytes_per_s, is_low
from tests.app.recording.small_sessions import small_frame


def test_time_left_counts_to_the_room_that_is_kept():
    assert Limits().seconds_left(CLOSE_BYTES + 50_000_000, 1_000_000) == 50
    # 60 s at 100 MB/s are more than the 2 GB that are kept in any case
    assert Limits().seconds_left(10_000_000_000, 100_000_000) == 40


def test_a_disk_is_low_when_a_recording_would_be_refused():
    rate = 40e6
    least = 60 * rate + LOW_S * rate
    assert not is_low(int(least), rate)
    assert is_low(int(least) - 1_000_000, rate)


def test_without_a_camera_one_usual_camera_is_assumed():
    frame = small_frame("one", 0)
    assert bytes_per_s(frame, 30.0) == np.prod(frame.color.shape[:2]) * 30 * 2.2
    assert is_low(14_000_000_000, None) == is_low(14_000_000_000, USUAL_BYTES_PER_S)
    assert is_low(5_000_000_000, None)
    assert not is_low(50_000_000_000, None)
