import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import session_recordings
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from session_recordings import PERIOD_NS, make_frame, record

from drivers.errors import SessionError
from drivers.session.encode import encode
from drivers.session.ledger import LostFrames, Stage
from drivers.session.manifest import CameraTotals, Manifest, read_model, write_model
from drivers.session.reader import Session
from drivers.session.recover import needs_recovery, recover, unfinished

SEGMENT = "seg_00000.mcap"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A whole session of 30 frames in several chunks, and each chunk's place in its file."""
    folder = tmp_path_factory.mktemp("finished") / "s"
    start_ns = time.monotonic_ns()  # not that of the module: what a crash cost is told by times
    writer = record(folder, [make_frame(0, captured_ns=start_ns)])
    for index in range(1, 30):
        writer.write(encode(make_frame(index, ir=True, captured_ns=start_ns + index * PERIOD_NS)))
        if index % 5 == 0:
            writer.sync()
    writer.close()
    return folder


def crashed(finished, folder, *, keep):
    """What a crash would leave: the first bytes of the file, not renamed, no manifest."""
    shutil.copytree(finished, folder)
    (folder / "manifest.json").unlink()
    active = (folder / SEGMENT).rename(folder / f"{SEGMENT}.active")
    os.truncate(active, keep)
    return folder


def chunk_places(path):
    with path.open("rb") as file:
        return [
            (chunk.chunk_start_offset, chunk.chunk_length, chunk.message_index_length)
            for chunk in make_reader(file).get_summary().chunk_indexes
        ]


def assert_readable(folder):
    """All that remains decodes, by us and by others; the indices of the frames of the camera."""
    with (folder / SEGMENT).open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        assert reader.get_summary() is not None
        count = sum(1 for _ in reader.iter_decoded_messages())
        assert count == reader.get_summary().statistics.message_count
        assert len(list(reader.iter_metadata())) >= 2
        assert len(list(reader.iter_attachments())) == 1
    with AnyReader([folder / SEGMENT]) as bag:
        assert bag.message_count == count
    session = Session(folder)
    frames = list(session.frames("left"))
    for frame in frames:
        assert np.array_equal(frame.depth.values, make_frame(frame.index).depth.values)
    return [frame.index for frame in frames]


def test_a_file_cut_anywhere_is_made_whole(finished, tmp_path):
    size = (finished / SEGMENT).stat().st_size
    data_end = sum(chunk_places(finished / SEGMENT)[-1])
    first_chunk = chunk_places(finished / SEGMENT)[0]
    begin = sum(first_chunk[:2])
    offsets = np.random.default_rng(1).integers(begin, size, 25).tolist()
    counts = []
    for number, keep in enumerate(sorted([*offsets, begin, data_end, size - 1])):
        folder = crashed(finished, tmp_path / str(number), keep=keep)
        report = recover(folder)
        indices = assert_readable(folder)
        assert indices == list(range(len(indices)))
        assert report.frames == {"left": len(indices)}
        counts.append(len(indices))
    assert counts == sorted(counts)
    assert counts[-1] == 30


def test_whole_messages_of_the_torn_chunk_are_saved(finished, tmp_path):
    start, length, _ = chunk_places(finished / SEGMENT)[-1]
    without = crashed(finished, tmp_path / "without", keep=start)
    most = crashed(finished, tmp_path / "most", keep=start + length - 10)
    recover(without)
    report = recover(most)
    assert report.salvaged_messages > 0
    assert len(assert_readable(most)) > len(assert_readable(without))
    (torn,) = report.torn
    assert torn.read_bytes() == (finished / SEGMENT).read_bytes()[start : start + length - 10]
    assert report.lost_estimate_s < 1


def test_a_chunk_without_its_index_gets_one(finished, tmp_path):
    start, length, index_length = chunk_places(finished / SEGMENT)[-2]
    for number, keep in enumerate([0, 1, index_length // 2, index_length - 1]):
        folder = crashed(finished, tmp_path / str(number), keep=start + length + keep)
        recover(folder)
        whole = assert_readable(folder)
    assert whole == list(range(26))


def test_zeros_at_the_end_are_cut_off(finished, tmp_path):
    start, length, _ = chunk_places(finished / SEGMENT)[-1]
    folder = crashed(finished, tmp_path / "s", keep=start + length // 2)
    os.truncate(folder / f"{SEGMENT}.active", start + length + 50_000)
    recover(folder)
    assert 26 < len(assert_readable(folder)) < 30


def test_a_damaged_chunk_within_is_left_out(finished, tmp_path):
    places = chunk_places(finished / SEGMENT)
    folder = crashed(finished, tmp_path / "s", keep=sum(places[-1]))
    with (folder / f"{SEGMENT}.active").open("r+b") as file:
        file.seek(places[3][0] + 5000)
        file.write(b"damage")
    report = recover(folder)
    assert report.damaged_chunks == 1
    indices = assert_readable(folder)
    assert 20 < len(indices) < 30
    assert indices[-1] == 29
    gone = sorted(set(range(30)) - set(indices))
    manifest = Session(folder).manifest
    assert manifest.totals["left"] == CameraTotals(
        device_frames=30, written=len(indices), error=len(gone), stages={"crash": len(gone)}
    )
    assert [n for loss in manifest.lost["left"] for n in range(loss.first, loss.last + 1)] == gone
    assert {loss.stage.value for loss in manifest.lost["left"]} == {"crash"}


@pytest.mark.parametrize("chunk", [1, 3, -1])
def test_what_is_damaged_after_the_recording_is_counted_again(finished, tmp_path, chunk):
    places = chunk_places(finished / SEGMENT)
    folder = shutil.copytree(finished, tmp_path / "s")
    manifest = read_model(folder / "manifest.json", Manifest)
    totals = CameraTotals(device_frames=32, written=30, host_drop=2, stages={"queue": 2})
    loss = LostFrames(first=30, last=31, stage=Stage.QUEUE)
    told = {"totals": {"left": totals}, "lost": {"left": (loss,)}}
    write_model(folder / "manifest.json", manifest.model_copy(update=told))
    start, length, _ = places[chunk]
    with (folder / SEGMENT).open("r+b") as file:
        file.seek(start + 60)
        file.write(b"\0" * (length - 60))

    report = recover(folder, check=True)

    held = [frame.index for frame in Session(folder).frames("left")]
    gone = sorted(set(range(30)) - set(held))
    assert report.frames_lost == len(gone) > 0
    after = Session(folder).manifest
    assert after.totals["left"] == CameraTotals(
        device_frames=32,
        written=len(held),
        host_drop=2,
        error=len(gone),
        stages={"queue": 2, "crash": len(gone)},
    )
    assert after.totals["left"].honest
    assert loss in after.lost["left"]
    named = [n for loss in after.lost["left"][1:] for n in range(loss.first, loss.last + 1)]
    assert named == [number for number in gone if number > held[0]]


def test_recovering_again_changes_nothing(finished, tmp_path):
    folder = crashed(finished, tmp_path / "s", keep=chunk_places(finished / SEGMENT)[-1][0] + 5000)
    assert recover(folder).needed
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    report = recover(folder)
    assert not report.needed
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_crash_during_recovery_is_no_harm(finished, tmp_path):
    folder = crashed(finished, tmp_path / "s", keep=chunk_places(finished / SEGMENT)[-1][0] + 9000)
    recover(folder)
    whole = assert_readable(folder)
    for number in range(1, 12):
        (folder / "manifest.json").unlink()
        path = (folder / SEGMENT).rename(folder / f"{SEGMENT}.active")
        os.truncate(path, path.stat().st_size - number * 97)
        recover(folder)
    assert assert_readable(folder) == whole


def test_the_manifest_says_that_it_was_recovered(finished, tmp_path):
    folder = crashed(finished, tmp_path / "s", keep=chunk_places(finished / SEGMENT)[-1][0])
    report = recover(folder)
    manifest = read_model(folder / "manifest.json", Manifest)
    assert manifest.recovered
    assert manifest.files[0].recovered
    assert manifest.lost_estimate_s == report.lost_estimate_s > 0
    assert manifest.frames("left") == report.frames["left"]


def test_after_a_crash_every_number_up_to_the_last_frame_is_accounted_for(tmp_path):
    folder = tmp_path / "s"
    writer = record(folder, [make_frame(index) for index in (0, 1, 2)])
    loss = {"first": 3, "last": 4, "stage": "queue"}
    writer.add_drops({"left": {"lost": 2, "stages": {"queue": 2}, "new": [loss]}})
    for index in (5, 8):  # 6 and 7 were lost as well, and nobody came to write it down
        writer.write(encode(make_frame(index)))
    writer.sync()
    writer._lock.release()

    recover(folder)
    manifest = Session(folder).manifest
    assert manifest.totals["left"] == CameraTotals(
        device_frames=9, written=5, host_drop=2, error=2, stages={"queue": 2, "crash": 2}
    )
    assert [(lost.first, lost.last, lost.stage.value) for lost in manifest.lost["left"]] == [
        (3, 4, "queue"), (6, 7, "crash"),
    ]  # fmt: skip
    assert manifest.totals["left"].honest
    assert not manifest.honest


def test_a_finished_file_only_gets_its_name(finished, tmp_path):
    folder = crashed(finished, tmp_path / "s", keep=(finished / SEGMENT).stat().st_size)
    report = recover(folder)
    assert (folder / SEGMENT).read_bytes() == (finished / SEGMENT).read_bytes()
    assert (report.torn, report.lost_estimate_s) == ((), 0.0)


def test_an_empty_file_is_put_aside(finished, tmp_path):
    folder = crashed(finished, tmp_path / "s", keep=0)
    report = recover(folder)
    assert report.frames == {"left": 0}
    assert Session(folder).count("left") == 0


def test_a_library_finds_what_needs_recovery(finished, tmp_path):
    crashed(finished, tmp_path / "b", keep=50_000)
    shutil.copytree(finished, tmp_path / "a")
    (tmp_path / "other").mkdir()
    assert unfinished(tmp_path) == [tmp_path / "b"]
    assert unfinished(tmp_path / "absent") == []


def test_a_session_that_is_being_recorded_is_left_alone(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)])
    assert not needs_recovery(tmp_path / "s")
    with pytest.raises(SessionError, match=f"recorded by process {os.getpid()}") as error:
        recover(tmp_path / "s")
    assert "Stop" in error.value.hint
    writer.close()


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_what_is_no_session_cannot_be_recovered(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SessionError) as error:
        recover(tmp_path / name)
    assert error.value.hint
    assert not (tmp_path / name / ".lock").exists()


def test_a_killed_recorder_loses_less_than_a_second(tmp_path):
    root = Path(session_recordings.__file__).parents[3]
    folder = tmp_path / "s"
    command = [sys.executable, session_recordings.__file__, str(folder), "2", "160", "120", "30"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)}
    ) as child:
        written = [int(child.stdout.readline()) for _ in range(45)]
        child.kill()
        written += [int(line) for line in child.stdout.read().split()]
    assert needs_recovery(folder)
    recover(folder)
    session = Session(folder)
    last = max(frame.captured_ns for frame in session.frames())
    assert (written[-1] - last) / 1e9 < 1
    assert session.count("cam0") >= 15
    times = session.times("cam0")
    assert session.meta("cam0", len(times) - 1).frame_number == len(times) - 1


def test_several_unfinished_files_are_all_made_whole(tmp_path):
    writer = record(tmp_path / "s", [make_frame(0)], segment_bytes=60_000)
    for index in range(1, 20):
        writer.write(encode(make_frame(index)))
    copy = shutil.copytree(tmp_path / "s", tmp_path / "copy")
    writer.close()
    (copy / ".lock").unlink()
    assert len(list(copy.glob("*.active"))) > 2
    report = recover(copy)
    assert len(report.segments) > 2
    indices = [frame.index for frame in Session(copy).frames("left")]
    assert indices == list(range(len(indices)))
    assert len(indices) > 12


def test_a_full_disk_does_not_cost_what_could_be_recovered(finished, tmp_path, monkeypatch):
    folder = crashed(finished, tmp_path / "s", keep=sum(chunk_places(finished / SEGMENT)[-1][:2]) - 10)
    before = (folder / f"{SEGMENT}.active").read_bytes()
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
        with pytest.raises(SessionError, match="No space left") as error:
            recover(folder)
    assert "Make room" in error.value.hint
    assert (folder / f"{SEGMENT}.active").read_bytes() == before
    assert recover(folder).salvaged_messages > 0


def test_damage_anywhere_is_survived(finished, tmp_path):
    data = (finished / SEGMENT).read_bytes()
    random = np.random.default_rng(3)
    for number in range(20):
        folder = crashed(finished, tmp_path / str(number), keep=0)
        damaged = bytearray(data[: random.integers(10_000, len(data))])
        for at in random.integers(0, len(damaged) - 4, 3):
            damaged[at : at + 4] = random.bytes(4)
        (folder / f"{SEGMENT}.active").write_bytes(damaged)
        recover(folder)
        for frame in Session(folder).frames("left"):
            assert np.array_equal(frame.depth.values, make_frame(frame.index).depth.values)
