import json
import os
import subprocess
import threading

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from session_recordings import START_NS, make_frame, make_info, record

from drivers.errors import SessionError
from drivers.session import topics
from drivers.session.encode import encode
from drivers.session.manifest import CameraTotals, SegmentEntry
from drivers.session.reader import Session
from drivers.session.topics import topic
from drivers.session.writer import SessionWriter, clock_anchor, new_session_folder, session_camera

CAMERAS = ("left", "right")


def rig_frames(count, **options):
    return [make_frame(index, camera_id, **options) for index in range(count) for camera_id in CAMERAS]


def test_depth_and_truth_come_back_bit_for_bit(tmp_path):
    frames = rig_frames(8, ir=True, truth=True, unit_m=0.0001)
    record(tmp_path / "s", frames).close()
    session = Session(tmp_path / "s")
    for frame in frames:
        again = session.frame(frame.camera_id, frame.index)
        assert np.array_equal(again.depth.values, frame.depth.values)
        assert again.depth.unit_m == 0.0001
        assert np.array_equal(again.truth.values, frame.truth.values)
        assert again.truth.unit_m == 0.0005
        assert (again.index, again.captured_ns) == (frame.index, frame.captured_ns)
        assert again.device_ns == frame.device_ns
        assert np.abs(again.color.astype(int) - frame.color).mean() < 4
        assert np.abs(again.ir_right.astype(int) - frame.ir_right).mean() < 2
        assert again.calibration.color == frame.calibration.color
        assert np.array_equal(again.calibration.color_from_depth, frame.calibration.color_from_depth)


def test_the_official_reader_reads_every_message(tmp_path):
    record(tmp_path / "s", rig_frames(8, ir=True, truth=True)).close()
    with (tmp_path / "s" / "seg_00000.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        assert reader.get_header().profile == "ros2"
        decoded = list(reader.iter_decoded_messages())
        assert {m.name for m in reader.iter_metadata()} >= {"session", "camera/left", "recorder_totals"}
        assert [a.name for a in reader.iter_attachments()] == ["calibration.json"]
        units = {m.name: m.metadata for m in reader.iter_metadata()}["camera/left"]
    assert float(units["depth_unit_m"]) == 0.001
    names = [m.channel.topic for m in decoded]
    for camera_id in CAMERAS:
        streams = (topics.COLOR, topics.DEPTH, topics.TRUTH, topics.IR_LEFT, topics.IR_RIGHT, topics.META)
        for stream in streams:
            assert names.count(topic(camera_id, stream)) == 8
    meta = [m for m in decoded if m.channel.topic == "/left/frame_meta"]
    assert [m.message.sequence for m in meta] == list(range(8))
    stamps = [m.decoded_message.header.stamp for m in meta]
    assert [s.sec * 10**9 + s.nanosec for s in stamps] == [m.message.log_time for m in meta]


def test_rosbags_reads_every_message(tmp_path):
    record(tmp_path / "s", rig_frames(4, ir=True)).close()
    with AnyReader([tmp_path / "s" / "seg_00000.mcap"]) as reader:
        formats = set()
        for connection, _, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            if connection.msgtype == "sensor_msgs/msg/CompressedImage":
                formats.add(message.format)
    assert formats == {"jpeg", "16UC1; compressedDepth png"}


def test_each_segment_can_be_read_on_its_own(tmp_path):
    manifest = record(tmp_path / "s", rig_frames(10), segment_bytes=60_000).close()
    assert len(manifest.files) > 2
    for entry in manifest.files:
        with (tmp_path / "s" / entry.name).open("rb") as file:
            reader = make_reader(file, validate_crcs=True)
            names = {channel.topic for _, channel, _ in reader.iter_messages()}
            assert {"/tf_static", "/left/color/camera_info", "/right/depth/camera_info"} <= names
            assert len(list(reader.iter_attachments())) == 1
    assert sum(entry.counts["/left/frame_meta"] for entry in manifest.files) == 10
    assert [frame.index for frame in Session(tmp_path / "s").frames("left")] == list(range(10))


def test_segments_change_on_a_frame_set_boundary(tmp_path):
    manifest = record(tmp_path / "s", rig_frames(10), segment_bytes=60_000).close()
    for entry in manifest.files:
        assert entry.counts["/left/frame_meta"] == entry.counts["/right/frame_meta"]


def test_the_manifest_tells_size_hash_and_counts(tmp_path):
    import hashlib

    manifest = record(tmp_path / "s", rig_frames(5)).close()
    (entry,) = manifest.files
    data = (tmp_path / "s" / entry.name).read_bytes()
    assert isinstance(entry, SegmentEntry)
    assert (entry.size, entry.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert manifest.frames("left") == 5
    assert not list((tmp_path / "s").glob("*.active"))
    assert not (tmp_path / "s" / ".lock").exists()


def test_gaps_of_the_device_counter_are_counted(tmp_path):
    manifest = record(tmp_path / "s", [make_frame(index) for index in (5, 6, 9)]).close()
    assert manifest.totals["left"] == CameraTotals(
        device_frames=5, written=3, device_gap=2, stages={"device": 2}
    )
    assert manifest.honest
    assert [Session(tmp_path / "s").meta("left", n).dropped_before for n in range(3)] == [0, 0, 2]


def test_totals_that_do_not_add_up_are_called_out(tmp_path):
    writer = record(tmp_path / "s", [make_frame(index) for index in range(3)])
    manifest = writer.close({"left": CameraTotals(device_frames=9, written=4, host_drop=5)})
    assert not manifest.honest


def test_the_counter_may_pass_32_bits(tmp_path):
    record(tmp_path / "s", [make_frame(2**32 + 1), make_frame(2**32 + 2)]).close()
    assert Session(tmp_path / "s").frame("left", 1).index == 2**32 + 2


def test_the_clock_has_one_anchor(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    anchor = writer.info.anchor
    writer.close()
    assert Session(tmp_path / "s").times("left")[0] == START_NS - anchor.monotonic_ns + anchor.utc_ns
    now = clock_anchor()
    assert anchor.monotonic_from_utc(anchor.utc_from_monotonic(now.monotonic_ns)) == now.monotonic_ns


def test_two_frames_of_one_moment_are_both_kept(tmp_path):
    frames = [make_frame(0, captured_ns=START_NS), make_frame(1, captured_ns=START_NS)]
    record(tmp_path / "s", frames).close()
    assert [frame.index for frame in Session(tmp_path / "s").frames("left")] == [0, 1]


def test_sync_and_write_go_on_in_two_threads(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)], segment_bytes=100_000)
    stop = threading.Event()

    def sync():
        while not stop.wait(0.005):
            writer.sync()

    thread = threading.Thread(target=sync)
    thread.start()
    for index in range(1, 100):
        writer.write(encode(make_frame(index)))
    stop.set()
    thread.join(5)
    writer.sync()
    assert writer.synced_until_ns == make_frame(99).captured_ns
    manifest = writer.close()
    assert manifest.frames("left") == 100
    assert len(manifest.files) > 3


def test_what_was_synced_is_in_the_file_before_it_is_closed(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    size = (tmp_path / "s" / "seg_00000.mcap.active").stat().st_size
    writer.sync()
    assert (tmp_path / "s" / "seg_00000.mcap.active").stat().st_size > size + 5000
    writer.close()


def test_labels_and_reports_go_to_the_file_and_beside_it(tmp_path):
    from drivers.session.labels import add_label

    writer = record(tmp_path / "s", [make_frame(0)], scene="kitchen", tags=["glass"], operator="Ada")
    writer.add_label(add_label("note", "a note"))
    writer.add_status({"queue": 3})
    writer.add_drops({"left": [4]})
    writer.close()
    labels = Session(tmp_path / "s").labels
    assert (labels.scene, labels.tags, labels.operator, labels.notes) == (
        "kitchen",
        ("glass",),
        "Ada",
        "a note",
    )
    with (tmp_path / "s" / "seg_00000.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        texts = [
            (m.channel.topic, json.loads(m.decoded_message.data))
            for m in reader.iter_decoded_messages([topics.LABELS, topics.STATUS, topics.DROPS, topics.CLOCK])
        ]
    assert (topics.STATUS, {"queue": 3}) in texts
    assert (topics.DROPS, {"left": [4]}) in texts
    assert any(name == topics.LABELS and text["value"] == "a note" for name, text in texts)
    assert any(name == topics.CLOCK for name, _ in texts)


def test_a_changed_mode_is_refused_and_the_rest_is_kept(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    for frame in (make_frame(1, width=32), make_frame(1, unit_m=0.0001), make_frame(1, "other")):
        with pytest.raises(SessionError) as error:
            writer.write(encode(frame))
        assert error.value.hint
    assert writer.close().frames("left") == 1


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(SessionError, match="not empty"):
        record(tmp_path, [make_frame(0)])
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_a_session_has_one_writer(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    with pytest.raises(SessionError, match=str(os.getpid())):
        record(tmp_path / "s", [make_frame(0)])
    writer.close()


def test_a_camera_name_that_is_no_topic_is_refused(tmp_path):
    with pytest.raises(SessionError, match="topic"):
        SessionWriter(tmp_path / "s", [session_camera(make_info("a/b"), make_frame(0))])


def test_folder_names_tell_time_and_place(tmp_path):
    first, second = new_session_folder(tmp_path, "Lab 3, Zürich"), new_session_folder(tmp_path)
    assert first.name.split("_")[1] == "Lab-3--Z-rich"
    assert first.name[15] == "Z"
    assert second.name.split("_")[1] == "nosite"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def write_many(writer):
    for index in range(1, 2000):
        writer.write(encode(make_frame(index, noise=True)))


def fill(writer):
    with pytest.raises(SessionError) as error:
        write_many(writer)
    assert "Make room" in error.value.hint


def test_a_nearly_full_disk_ends_the_recording_with_an_index(small_disk):
    writer = record(small_disk / "s", [make_frame(0)], reserve_bytes=500_000)
    fill(writer)
    with pytest.raises(SessionError):
        writer.write(encode(make_frame(2000)))
    manifest = writer.close()
    assert "full" in manifest.failure
    assert Session(small_disk / "s").count("left") == manifest.frames("left") > 50


def test_a_disk_that_fills_up_at_once_still_leaves_an_index(small_disk):
    writer = record(small_disk / "s", [make_frame(0)], reserve_bytes=0)
    fill(writer)
    manifest = writer.close()
    assert manifest.failure
    assert manifest.honest, manifest.dishonest_because
    assert manifest.totals["left"].stages["write"] == manifest.totals["left"].error > 0
    session = Session(small_disk / "s")
    assert session.count("left") > 50
    for frame in session.frames():
        assert np.array_equal(frame.depth.values, make_frame(frame.index, noise=True).depth.values)


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX limit")
def test_a_write_error_keeps_what_was_written(tmp_path):
    import resource
    import signal

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = record(tmp_path / "s", [make_frame(0)])
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, limit[1]))
        fill(writer)
        manifest = writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert "cannot go on" in manifest.failure
    assert Session(tmp_path / "s").count("left") == manifest.frames("left") > 50
