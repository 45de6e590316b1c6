import threading
import time
from dataclasses import replace

import pytest

from app.flow import capture as capturing
from app.flow.channel import Channel
from app.flow.moments import Moments
from app.flow.refine import refine_frames
from app.flow.taps import Taps
from app.recording import recorder as module
from app.recording.library import read_entry
from app.recording.recorder import Recorder
from app.recording.room import Limits
from drivers.cameras.replay import replay_cameras
from drivers.cameras.synthetic import Faults
from drivers.errors import SessionError
from drivers.frame import ImuSample
from drivers.session.labels import SessionLabels
from drivers.session.manifest import RefinedTotals, SyncEntry
from drivers.session.reader import Session
from drivers.session.recover import recover
from drivers.session.refined import MadeBy
from model.engine import ClassicalEngine
from tests.app.recording.recorded import deliver, make, until


def test_frames_that_find_the_queue_full_are_counted_as_dropped(tmp_path, camera, channel, monkeypatch):
    gate = threading.Event()
    encode = module.encode

    def slow(frame, **kwargs):
        gate.wait(30)
        return encode(frame, **kwargs)

    monkeypatch.setattr(module, "encode", slow)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    capacity = round(module.QUEUE_S * 30)
    deliver(camera, channel, range(1, capacity + 21))
    status = recorder.status()
    assert status.cameras["cam"].dropped >= 15
    assert status.queue_fill == pytest.approx(1.0, abs=0.1)
    gate.set()
    session = Session(recorder.stop())
    totals = session.manifest.totals["cam"]
    assert totals.honest
    assert totals.written == session.count("cam")
    assert totals.written + totals.host_drop == capacity + 20


@pytest.mark.parametrize(("late_ns", "in_step"), [(400_000, True), (7_000_000, False)])
def test_the_session_says_whether_the_cameras_really_exposed_together(
    tmp_path, camera, channel, late_ns, in_step
):
    moments = Moments(reference="first")
    still = camera.expose(0)
    for number in range(30 * 15):
        at_ns = 10**12 + number * 33_333_333
        moments.note(replace(still, camera_id="first", index=number, captured_ns=at_ns), 30.0)
        moments.note(replace(still, index=number, captured_ns=at_ns + late_ns), 30.0)
    recorder = make(tmp_path, camera, channel, moments=moments)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    session = Session(recorder.stop())
    assert session.manifest.sync == {
        "cam": SyncEntry(
            role="free run",
            reference="first",
            offset_ms=late_ns / 1e6,
            jitter_ms=0.0,
            drift_ppm=0.0,
            in_step=in_step,
        )
    }


def test_a_recording_that_ended_leaves_nothing_on_the_camera(tmp_path, camera, channel):
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    recorder.stop()
    assert channel.taps._taps == ()
    deliver(camera, channel, range(4, 8))
    assert recorder.status().cameras["cam"].written == 3


def test_a_failure_that_nobody_expected_ends_the_recording_and_keeps_the_file(
    tmp_path, camera, channel, monkeypatch
):
    encode = module.encode

    def breaks_at_five(frame, **kwargs):
        if frame.index == 5:
            raise ZeroDivisionError("codec")
        return encode(frame, **kwargs)

    monkeypatch.setattr(module, "encode", breaks_at_five)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 8))
    deadline = time.monotonic() + 20
    while not recorder.status().error:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    assert "codec" in recorder.status().error
    session = Session(recorder.stop())
    assert session.count("cam") == 4
    assert session.manifest.totals["cam"].honest


def test_too_little_room_is_refused_before_anything_is_written(tmp_path, camera, channel):
    recorder = make(tmp_path, camera, channel, limits=Limits(start_s=1e9))
    with pytest.raises(SessionError, match="room for less than") as refused:
        recorder.start()
    assert refused.value.hint
    assert not list(tmp_path.iterdir())


def test_a_disk_that_runs_full_ends_the_recording_and_keeps_what_is_there(
    tmp_path, camera, channel, monkeypatch
):
    monkeypatch.setattr(module, "STATUS_S", 0.0)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 11))
    monkeypatch.setattr(recorder, "_limits", Limits(close_bytes=1 << 60))
    deadline = time.monotonic() + 20
    while not recorder.status().error:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    deliver(camera, channel, range(11, 16))
    status = recorder.status()
    assert "nearly full" in status.error
    assert status.hint
    assert status.cameras["cam"].failed == 5
    session = Session(recorder.stop())
    assert session.count("cam") == 10
    assert session.manifest.totals["cam"].error == 5


def test_an_unwritable_library_is_refused_with_a_sentence(tmp_path, camera, channel):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(SessionError) as refused:
        make(blocked / "library", camera, channel).start()
    assert refused.value.hint


MADE_BY = MadeBy(model="classical", title="Classical filling")


def refine(camera, index):
    """The frame as the rig delivered it before, filled."""
    frame = camera.expose(index)
    return refine_frames(ClassicalEngine(), [frame])[0], MADE_BY


def test_refined_depth_is_written_with_its_frame_and_counted(tmp_path, camera, channel):
    taps = Taps()
    recorder = make(tmp_path, camera, channel, repairs={"cam": taps})
    recorder.start()
    taps(refine(camera, 0))  # its frame came before the recording
    deliver(camera, channel, range(1, 6))
    for index in (2, 5, 9):  # nobody has recorded frame 9
        taps(refine(camera, index))
        until(lambda: recorder.status().refined["cam"].waiting == 0)
    session = Session(recorder.stop())
    assert taps._taps == ()
    assert session.refined_positions("cam").tolist() == [1, 4]
    refined, frame = session.refined("cam", 1), session.frame("cam", 1)
    assert refined.meta.made_by == MADE_BY
    assert refined.depth.values.shape == frame.color.shape[:2]
    assert refined.depth.fill_rate > frame.depth.fill_rate
    assert session.manifest.refined["cam"] == RefinedTotals(made=3, written=2, unplaced=1)
    assert session.manifest.honest


def test_refined_depth_is_dropped_before_any_raw_frame(tmp_path, camera, channel, monkeypatch):
    gate = threading.Event()
    encode = module.encode

    def slow(frame, **kwargs):
        gate.wait(30)
        return encode(frame, **kwargs)

    monkeypatch.setattr(module, "encode", slow)
    taps = Taps()
    recorder = make(tmp_path, camera, channel, repairs={"cam": taps})
    recorder.start()
    capacity = round(module.QUEUE_S * 30)
    deliver(camera, channel, range(1, capacity // 2 + 3))
    taps(refine(camera, 1))
    status = recorder.status()
    assert (status.refined["cam"].dropped, status.cameras["cam"].dropped) == (1, 0)
    gate.set()
    until(lambda: recorder.status().cameras["cam"].waiting == 0)
    taps(refine(camera, 2))
    session = Session(recorder.stop())
    assert session.manifest.totals["cam"].host_drop == 0
    assert session.manifest.refined["cam"] == RefinedTotals(made=2, written=1, dropped=1)


def test_a_refined_encoder_that_fails_costs_no_raw_frame(tmp_path, camera, channel, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("codec")

    monkeypatch.setattr(module, "encode_refined", broken)
    taps = Taps()
    recorder = make(tmp_path, camera, channel, repairs={"cam": taps})
    recorder.start()
    deliver(camera, channel, range(1, 4))
    taps(refine(camera, 1))
    until(lambda: not recorder._refined_encoder.running)
    taps(refine(camera, 2))
    deliver(camera, channel, range(4, 6))
    session = Session(recorder.stop())
    assert session.count("cam") == 5
    assert session.manifest.refined["cam"] == RefinedTotals(made=2, written=0, failed=2)
    assert session.manifest.honest
    assert not session.manifest.failure


def test_a_disk_that_is_taken_away_ends_the_recording_in_words(tmp_path, camera, channel):
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    until(lambda: recorder.status().cameras["cam"].written == 3)
    recorder.session.rename(tmp_path / "elsewhere")
    until(lambda: recorder.status().error)
    assert "is gone" in recorder.status().error
    assert recorder.status().hint
    with pytest.raises(SessionError, match="no index"):
        recorder.stop()
    recover(tmp_path / "elsewhere")
    assert Session(tmp_path / "elsewhere").count("cam") == 3


def test_cautions_are_said_while_recording_and_kept_in_the_file(tmp_path, camera, channel, monkeypatch):
    monkeypatch.setattr(module, "CAUTIONS_S", 0.0)
    monkeypatch.setattr(module, "STATUS_S", 0.0)
    monkeypatch.setattr(module, "disk_speed", lambda folder: 10.0)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 3))
    set_back_ns = time.time_ns() - 3_600_000_000_000
    monkeypatch.setattr(module.time, "time_ns", lambda: set_back_ns)
    until(lambda: len(recorder.status().cautions) == 2)
    slow, jumped = recorder.status().cautions
    assert "MB/s" in slow.text
    assert "back by 3600 s" in jumped.text
    file = recorder.session / "seg_00000.mcap.active"
    until(lambda: b"back by 3600 s" in file.read_bytes())
    monkeypatch.undo()
    assert Session(recorder.stop()).count("cam") == 2


def test_a_frame_that_a_paused_replay_shows_again_is_recorded_once(tmp_path, camera, channel):
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    session = recorder.stop()
    (replayed,) = replay_cameras(session)
    again = Channel()
    with replayed:
        again.deliver(replayed.read(timeout_s=5))
        copy = Recorder(tmp_path, {"cam": (replayed, again)}, SessionLabels())
        copy.start()
        again.deliver(replayed.read(timeout_s=5))
        shown = again.newest.latest()
        again.deliver(replace(shown, captured_ns=shown.captured_ns + 10**9))
        totals = Session(copy.stop()).manifest.totals["cam"]
    assert (totals.written, totals.device_frames) == (1, 1)


def test_card_and_replay_begin_with_the_recording_though_a_sensor_tells_of_the_minute_before(
    tmp_path, camera, channel
):
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    for index in range(1, 4):
        now_ns = time.monotonic_ns()
        felt = tuple(ImuSample(now_ns - age_s * 10**9, (0.0, 0.0, 0.1)) for age_s in (60, 0))
        channel.deliver(replace(camera.expose(index), captured_ns=now_ns, imu=felt[index > 1 :]))
    clock_s = recorder.status().seconds
    entry = read_entry(recorder.stop())
    session = Session(entry.folder)
    assert entry.seconds == pytest.approx(clock_s, abs=0.5)
    assert entry.start_ns == pytest.approx(session.start_ns, abs=0.5e9)
    assert len(session.imu("cam")) == 3


def test_the_session_says_how_long_a_camera_was_away_whether_it_came_back_or_not(
    tmp_path, camera, channel, monkeypatch
):
    monkeypatch.setattr(capturing, "SILENCE_S", 0.3)
    monkeypatch.setattr(capturing, "RETRY_S", 0.05)
    stop = threading.Event()
    reader = threading.Thread(
        target=capturing.capture, args=(camera, channel.deliver, lambda state: None, stop)
    )
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    reader.start()

    def count():
        return recorder.status().cameras["cam"]

    until(lambda: count().device_frames > 3)
    camera.faults = Faults(lose_from=0)
    until(lambda: count().away_s > 0.5)
    assert count().device_gap < 10  # nobody has counted what it would have sent
    camera.faults = Faults()
    written = count().written
    until(lambda: count().written > written + 1)
    back = count()
    assert back.away_s > 0.5
    assert back.device_gap >= 0.4 * 30
    camera.faults = Faults(lose_from=0)
    until(lambda: count().away_s > back.away_s + 0.3)
    session = Session(recorder.stop())
    stop.set()
    reader.join()

    manifest = session.manifest
    assert manifest.honest, manifest.dishonest_because
    totals = manifest.totals["cam"]
    assert totals.away_s == pytest.approx(recorder.status().cameras["cam"].away_s, abs=0.001)
    assert totals.away_s > back.away_s + 0.3
    entry = read_entry(session.path)
    assert entry.cameras[0].away_s == totals.away_s
    assert not entry.lossless
