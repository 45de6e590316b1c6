from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.recording import room
from app.recording.room import (
    CLOSE_BYTES,
    COLOR_BYTES,
    DEPTH_BYTES,
    GRAY_BYTES,
    LOW_S,
    USUAL_BYTES_PER_S,
    Limits,
    bytes_per_s,
    is_low,
    memory_frames,
)
from tests.app.recording.small_sessions import small_frame


def test_time_left_counts_to_the_room_that_is_kept():
    assert Limits().seconds_left(CLOSE_BYTES + 50_000_000, 1_000_000) == 50
    # 60 s at 100 MB/s are more than the 2 GB that are kept in any case
    assert Limits().seconds_left(10_000_000_000, 100_000_000) == 40


def test_a_camera_needs_more_room_for_each_image_that_it_has():
    plain = replace(small_frame("one", 0), ir_left=None, ir_right=None, truth=None)
    pixels = plain.color.shape[0] * plain.color.shape[1]
    assert plain.depth.values.size == pixels
    gray = plain.color[..., 0].copy()
    assert bytes_per_s(plain, 30.0) == pytest.approx(pixels * 30 * (COLOR_BYTES + DEPTH_BYTES))
    seen = replace(plain, ir_left=gray, ir_right=gray.copy())
    assert bytes_per_s(seen, 30.0) - bytes_per_s(plain, 30.0) == pytest.approx(pixels * 30 * 2 * GRAY_BYTES)


def test_frames_that_wait_never_take_more_than_a_share_of_the_memory(monkeypatch):
    frame = replace(small_frame("one", 0), ir_left=None, ir_right=None)
    size = frame.color.nbytes + frame.depth.values.nbytes
    free = SimpleNamespace(available=size * 40)
    monkeypatch.setattr(room.psutil, "virtual_memory", lambda: free)
    assert memory_frames([frame, frame]) == 10
    free.available = size
    assert memory_frames([frame, frame]) == 2


def test_a_disk_is_low_when_a_recording_would_be_refused():
    rate = 40e6
    least = 60 * rate + LOW_S * rate
    assert not is_low(int(least), rate)
    assert is_low(int(least) - 1_000_000, rate)


def test_without_a_camera_one_usual_camera_is_assumed():
    assert is_low(14_000_000_000, None) == is_low(14_000_000_000, USUAL_BYTES_PER_S)
    assert is_low(5_000_000_000, None)
    assert not is_low(50_000_000_000, None)
