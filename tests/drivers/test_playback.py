"""Replayed cameras follow one playback, to the frame; every camera is read in this thread."""

import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "session"))
from session_recordings import PERIOD_NS, make_frame, record

from drivers.camera import EndOfStream
from drivers.cameras.replay import ReplayCamera, replay_cameras
from drivers.playback import Playback
from drivers.session.reader import Session

FRAMES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Left has every frame, right every second one."""
    folder = tmp_path_factory.mktemp("session") / "s"
    frames = [
        make_frame(index, camera)
        for index in range(FRAMES)
        for camera in ("left", "right")
        if camera == "left" or index % 2 == 0
    ]
    record(folder, frames).close()
    return folder


@pytest.fixture
def rig(folder):
    """Both cameras, open and paused before the second frame."""
    left, right = replay_cameras(folder)
    with left, right:
        left.playback.seek(0)
        left.playback.pause()
        left.playback.seek(0)
        yield left, right


def depths(camera):
    """Recorded numbers of the frames that are delivered until the camera rests."""
    numbers = []
    while (frame := camera.read(timeout_s=0)) is not None:
        number = next(
            n
            for n in range(FRAMES)
            if (make_frame(n, camera.info.id).depth.values == frame.depth.values).all()
        )
        numbers.append(number)
    return numbers


def shown(playback):
    """Position of the lead camera's frame."""
    return playback.frame_at(playback.at_ns)


def test_the_camera_with_most_frames_leads(folder):
    playback = Playback(Session(folder))
    assert (playback.lead, playback.frames) == ("left", FRAMES)
    assert playback.length_ns == pytest.approx(FRAMES * PERIOD_NS, abs=2)
    assert playback.frame_at(playback.time_of(5)) == 5
    assert playback.frame_at(playback.time_of(6) - 1) == 5


def test_while_paused_every_camera_rests_at_the_same_moment(rig):
    left, right = rig
    assert depths(left) == [0]
    assert depths(right) == [0]
    assert not left.playback.playing
    assert shown(left.playback) == 0
    assert depths(left) == []


def test_a_step_is_one_frame_of_the_lead_and_none_is_left_out(rig):
    left, right = rig
    depths(left), depths(right)
    seen = []
    for _ in range(3):
        left.playback.step(1)
        seen.append((depths(left), depths(right), shown(left.playback)))
    assert seen == [([1], [], 1), ([2], [2], 2), ([3], [], 3)]
    left.playback.step(4)
    assert (depths(left), depths(right)) == ([4, 5, 6, 7], [4, 6])


def test_a_step_back_shows_what_was_there(rig):
    left, right = rig
    left.playback.step(5)
    depths(left), depths(right)
    left.playback.step(-1)
    assert (depths(left), depths(right), shown(left.playback)) == ([4], [4], 4)
    left.playback.step(-1)
    assert (depths(left), depths(right)) == ([3], [2])
    left.playback.step(-9)
    assert (depths(left), shown(left.playback)) == ([0], 0)


def test_a_jump_goes_to_the_frame_of_that_moment_and_indices_count_on(rig):
    left, right = rig
    first = left.read(timeout_s=0)
    left.playback.seek(left.playback.time_of(9) + PERIOD_NS // 3)
    jumped = left.read(timeout_s=0)
    assert (jumped.depth.values == make_frame(9).depth.values).all()
    assert jumped.index == first.index + 1
    assert depths(right) == [8]
    left.playback.seek(0)
    again = left.read(timeout_s=0)
    assert (again.depth.values == first.depth.values).all()
    assert again.index == first.index + 2


def test_stepping_over_the_end_begins_again(rig):
    left, _ = rig
    left.playback.step(FRAMES - 1)
    assert depths(left) == list(range(FRAMES))
    left.playback.step(2)
    assert depths(left) == [0, 1]
    assert shown(left.playback) == 1


def test_without_a_loop_stepping_ends_at_the_last_frame(folder):
    with ReplayCamera(Session(folder), "left", loop=False) as camera:
        camera.playback.step(99)
        for n in range(FRAMES):
            assert camera.read(timeout_s=1).index == n
        with pytest.raises(EndOfStream):
            camera.read(timeout_s=0)


def test_it_plays_on_from_where_it_was_moved(rig):
    left, _ = rig
    left.playback.seek(left.playback.time_of(6))
    left.playback.play()
    frames = [left.read(timeout_s=2) for _ in range(4)]
    for number, frame in enumerate(frames, 6):
        assert (frame.depth.values == make_frame(number).depth.values).all()
    assert left.playback.playing


@pytest.mark.parametrize("speed", [0.25, 4.0])
def test_speed_changes_when_frames_are_due_and_not_which(folder, speed):
    with ReplayCamera(Session(folder), "left") as camera:
        camera.playback.set_speed(speed)
        began_ns = time.monotonic_ns()
        frames = [camera.read(timeout_s=5) for _ in range(5)]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert frames[-1].captured_ns - began_ns >= 3 * PERIOD_NS / speed


def test_a_slow_reader_holds_the_clock_for_all(folder, monkeypatch):
    monkeypatch.setattr("drivers.playback._LATE_NS", 1_000_000)
    left, right = replay_cameras(folder)
    with left, right:
        left.read(timeout_s=1)
        left.playback.set_speed(4.0)
        threading.Event().wait(0.2)  # as long as 24 frames
        numbers = [left.read(timeout_s=1).index for _ in range(4)]
        assert numbers == [1, 2, 3, 4]
        assert right.read(timeout_s=1).index == 0


def test_a_paused_camera_is_not_silent(rig, monkeypatch):
    left, _ = rig
    shown = left.read(timeout_s=0)
    monkeypatch.setattr("drivers.cameras.replay._STILL_NS", 0)
    again = left.read(timeout_s=0)
    assert again.index == shown.index
    assert again.depth is shown.depth
    assert again.captured_ns > shown.captured_ns


def test_a_camera_that_comes_late_joins_where_the_others_are(folder):
    left, right = replay_cameras(folder)
    with left:
        left.playback.pause()
        left.playback.step(8)
        depths(left)
        left.playback.seek(left.playback.time_of(8))
        with right:
            assert depths(right) == [8]


def test_opening_again_begins_again(folder):
    camera = ReplayCamera(Session(folder), "left")
    with camera:
        camera.playback.seek(camera.playback.time_of(7))
        camera.playback.pause()
        camera.read(timeout_s=1)
    with camera:
        assert camera.playback.playing
        assert camera.read(timeout_s=1).index == 0


def numbers_of_a_slow_reader(folder, *, skipping):
    """What a reader that takes three periods for each frame gets, and what the playback says it skipped."""
    camera = replay_cameras(folder, loop=False)[0]
    numbers = []
    with camera:
        camera.playback.set_skipping(skipping)
        try:
            while True:
                frame = camera.read(timeout_s=1)
                numbers.append(frame.index)
                threading.Event().wait(3 * PERIOD_NS / 1e9)
        except EndOfStream:
            return len(numbers), camera.playback.skipped, numbers


def test_no_frame_is_skipped_unless_that_is_asked_for(folder):
    assert numbers_of_a_slow_reader(folder, skipping=False)[:2] == (FRAMES, 0)


def test_a_slow_reader_keeps_the_pace_where_that_is_asked_for(folder):
    count, skipped, indices = numbers_of_a_slow_reader(folder, skipping=True)
    assert count + skipped == FRAMES
    assert skipped >= FRAMES // 3
    assert indices == list(range(indices[0], indices[0] + count))  # what was asked for is no loss
