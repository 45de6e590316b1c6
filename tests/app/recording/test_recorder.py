import threading
import time
from dataclasses import replace

import pytest

from app.flow.channel import Channel
from app.recording import recorder as module
from app.recording.recorder import Limits, Recorder
from drivers.cameras.synthetic import SyntheticCamera
from drivers.errors import SessionError
from drivers.session.labels import SessionLabels
from drivers.session.reader import Session
from drivers.synth.sensor import SensorKind


@pytest.fixture
def camera():
    camera = SyntheticCamera("cam", SensorKind.ACTIVE_STEREO, width=64, height=48)
    with camera:
        yield camera


def deliver(camera, channel, indices):
    for index in indices:
        channel.deliver(replace(camera.expose(index), captured_ns=time.monotonic_ns()))


@pytest.fixture
def channel(camera):
    channel = Channel()
    deliver(camera, channel, [0])
    return channel


def make(tmp_path, camera, channel, **kwargs):
    return Recorder(tmp_path, {"cam": (camera, channel)}, SessionLabels(), **kwargs)


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


def test_a_recording_that_ended_leaves_nothing_on_the_camera(tmp_path, camera, channel):
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    recorder.stop()
    assert channel._taps == ()
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
