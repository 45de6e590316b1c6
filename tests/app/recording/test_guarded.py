"""A recording whose disk, folder, clock or encoders fail: words, and a whole and honest session."""

import json
import os
import shutil
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from app.recording import recorder as module
from app.recording.recorder import Recorder
from app.recording.room import Limits
from drivers.errors import SessionError
from drivers.session.labels import SessionLabels
from drivers.session.ledger import LostFrames, Stage
from drivers.session.reader import Session
from drivers.session.recover import recover
from drivers.session.verify import verify
from tests.app.recording.recorded import deliver, make, until

NO_RESERVE = Limits(start_s=0.0, close_s=0.0, close_bytes=0)


@pytest.fixture
def mounted(tmp_path):
    """Mounts a small disk, and takes it away at the end."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=66m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def settled(recorder, written=0):
    return lambda: (
        recorder.status().cameras["cam"].waiting == 0
        and (recorder.status().cameras["cam"].written >= written or recorder.status().error)
    )


def whole(session):
    assert verify(session.path, lambda done, total: True) == []
    assert session.manifest.honest, session.manifest.dishonest_because
    for frame in session.frames():
        assert frame.depth.values.any()


def test_a_full_disk_ends_the_recording_in_words_with_a_whole_session(mounted, camera, channel):
    recorder = make(mounted, camera, channel, limits=NO_RESERVE)
    recorder.start()
    index = 1
    while not recorder.status().error:  # 64 MB are the reserve of the index, so two are left to fill
        deliver(camera, channel, [index])
        until(settled(recorder))
        index += 1
        assert index < 2000
    deliver(camera, channel, [index, index + 1])
    status = recorder.status()
    assert "full" in status.error
    assert "Make room" in status.hint
    session = Session(recorder.stop())
    assert session.count("cam") > 10
    totals = session.manifest.totals["cam"]
    assert totals.stages["ended"] >= 2
    assert totals.device_frames == index + 1
    whole(session)


def test_a_disk_that_becomes_read_only_ends_the_recording_in_words(mounted, camera, channel):
    recorder = make(mounted, camera, channel, limits=NO_RESERVE)
    recorder.start()
    deliver(camera, channel, range(1, 6))
    until(settled(recorder, 5))
    recorder._writer.sync()
    # As after an error of the disk; what is open for writing keeps a tmpfs from being mounted like that.

    def refused(descriptor, data):
        raise OSError(30, os.strerror(30))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("drivers.session.segment.os.write", refused)
        deliver(camera, channel, range(6, 12))
        until(lambda: recorder.status().error)
        assert "Read-only file system" in recorder.status().error
        assert recorder.status().hint
    session = Session(recorder.stop())
    totals = session.manifest.totals["cam"]
    assert totals.device_frames == 11
    assert 0 < totals.written <= 11
    whole(session)


def test_a_read_only_folder_is_refused_before_anything_begins(mounted, camera, channel):
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    try:
        with pytest.raises(SessionError, match="cannot be used") as refused:
            make(mounted, camera, channel, limits=NO_RESERVE).start()
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(mounted)], check=True)
    assert refused.value.hint
    assert list(mounted.iterdir()) == []


def test_a_folder_that_vanishes_keeps_nothing_silently(tmp_path, camera, channel):
    recorder = make(tmp_path / "library", camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    until(settled(recorder, 3))
    moved = (tmp_path / "library").rename(tmp_path / "moved")
    until(lambda: recorder.status().error)
    assert "is gone" in recorder.status().error
    with pytest.raises(SessionError, match="no index") as failed:
        recorder.stop()
    assert "recover" in failed.value.hint
    (folder,) = moved.iterdir()
    recover(folder)
    assert Session(folder).count("cam") == 3


def test_spaces_and_letters_of_any_language_in_names_are_no_trouble(tmp_path, camera, channel):
    library = tmp_path / "Übungs ordner-記録 (1)"
    labels = SessionLabels(scene="büro", tags=("Glas Tür",), site="Halle 3-Süd", operator="Łucja Öz")
    recorder = Recorder(library, {"cam": (camera, channel)}, labels)
    recorder.start()
    deliver(camera, channel, range(1, 4))
    recorder.mark("Spiegel-鏡")
    session = Session(recorder.stop())
    assert session.path.parent == library
    assert session.labels.operator == "Łucja Öz"
    assert "Spiegel-鏡" in {event.value for event in session.labels.events.values()}
    whole(session)
    copy = shutil.copytree(session.path, tmp_path / "another name ü")
    whole(Session(copy))


def test_a_clock_that_is_set_back_an_hour_moves_no_frame(tmp_path, camera, channel, monkeypatch):
    monkeypatch.setattr(module, "CAUTIONS_S", 0.0)
    monkeypatch.setattr(module, "STATUS_S", 0.0)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, range(1, 6))
    until(settled(recorder, 5))
    now_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() - 3_600_000_000_000)
    deliver(camera, channel, range(6, 11))
    until(settled(recorder, 10))
    until(lambda: any("back by 3600 s" in caution.text for caution in recorder.status().cautions))
    session = Session(recorder.stop())
    monkeypatch.undo()
    times = session.times("cam")
    assert times.size == 10
    assert ((times[1:] - times[:-1]) > 0).all()
    assert (times[-1] - times[0]) < 60e9
    assert session.manifest.files[-1].last_ns - session.manifest.files[0].first_ns < 60e9
    whole(session)


def test_every_lost_number_is_listed_with_the_place_of_its_loss(tmp_path, camera, channel, monkeypatch):
    monkeypatch.setattr(module, "STATUS_S", 0.0)
    gate = threading.Event()
    encode = module.encode

    def slow(frame, **kwargs):
        gate.wait(30)
        return encode(frame, **kwargs)

    monkeypatch.setattr(module, "encode", slow)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    capacity = round(module.QUEUE_S * 30)
    deliver(camera, channel, [*range(1, 11), *range(13, capacity + 30)])
    gate.set()
    until(settled(recorder, 5))
    dropped = recorder.status().cameras["cam"].dropped
    session = Session(recorder.stop())
    device, queue = session.manifest.lost["cam"]
    assert device == LostFrames(first=11, last=12, stage=Stage.DEVICE)
    assert (queue.stage, queue.count) == (Stage.QUEUE, dropped)
    assert session.manifest.totals["cam"].stages == {"device": 2, "queue": dropped}
    whole(session)


def test_a_queue_that_fills_makes_depth_compact_until_it_has_emptied(tmp_path, camera, channel, monkeypatch):
    gate = threading.Event()
    encode = module.encode

    def slow(frame, **kwargs):
        gate.wait(30)
        return encode(frame, **kwargs)

    monkeypatch.setattr(module, "encode", slow)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    capacity = round(module.QUEUE_S * 30)
    deliver(camera, channel, range(1, capacity - 3))
    assert recorder.status().compact
    gate.set()
    until(settled(recorder, capacity - 4))
    deliver(camera, channel, [capacity])
    assert not recorder.status().compact
    session = Session(recorder.stop())
    totals = session.manifest.totals["cam"]
    assert 0 < totals.compact < totals.written
    assert totals.host_drop == 0
    whole(session)


def test_inertial_readings_of_a_dropped_frame_come_with_the_next_one(tmp_path, camera, channel, monkeypatch):
    from drivers.frame import ImuSample

    monkeypatch.setattr(module.Shedding, "drops", lambda self, camera_id, waiting, now_ns: waiting < 0)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    for index in (1, 2, 3):
        drop = index == 2
        monkeypatch.setattr(module.Shedding, "drops", lambda self, *args, drop=drop: drop)
        sample = ImuSample(time.monotonic_ns(), (0.0, 0.0, float(index)), None)
        frame = replace(camera.expose(index), captured_ns=time.monotonic_ns(), imu=(sample,))
        channel.deliver(frame)
    session = Session(recorder.stop())
    assert [sample.angular_velocity_rad_s[2] for sample in session.imu("cam")] == [1.0, 2.0, 3.0]
    assert [len(frame.imu) for frame in session.frames("cam")] == [1, 2]


def test_python_hands_its_lock_on_sooner_only_while_recording(tmp_path, camera, channel):
    import sys

    before = sys.getswitchinterval()
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    assert sys.getswitchinterval() <= module.SWITCH_S
    recorder.stop()
    assert sys.getswitchinterval() == before


def test_the_file_tells_its_recorders_state_every_second(tmp_path, camera, channel, monkeypatch):
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    monkeypatch.setattr(module, "STATUS_S", 0.0)
    recorder = make(tmp_path, camera, channel)
    recorder.start()
    deliver(camera, channel, [1, 2, 5])
    until(settled(recorder, 3))
    file = recorder.session / "seg_00000.mcap.active"
    until(lambda: b'"stages": {"device": 2}' in file.read_bytes())
    folder = recorder.stop()
    with (folder / "seg_00000.mcap").open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        said = [
            (m.channel.topic, json.loads(m.decoded_message.data))
            for m in reader.iter_decoded_messages(["/recorder/status", "/recorder/drops"])
        ]
    status = [text for name, text in said if name == "/recorder/status"][-1]
    assert {"queue_fill", "disk_free_bytes", "synced_s", "sync_ms", "compact", "cameras"} <= status.keys()
    new = [loss for name, text in said if name == "/recorder/drops" for loss in text["cam"]["new"]]
    assert new == [{"first": 3, "last": 4, "stage": "device"}]
