from dataclasses import replace

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from session_recordings import MADE_BY, make_frame, make_refined, record

from drivers.errors import SessionError
from drivers.session import topics
from drivers.session.encode import encode
from drivers.session.manifest import CameraTotals, RefinedTotals
from drivers.session.png16 import decode_png8, decode_png16
from drivers.session.reader import Session
from drivers.session.recover import recover
from drivers.session.segment import ACTIVE_SUFFIX
from drivers.session.topics import topic


def refined_session(folder, frames, refined, **options):
    """Frames, then refined depth of those with these numbers."""
    writer = record(folder, frames, **options)
    for frame in frames:
        if frame.index in refined:
            assert writer.write_refined(make_refined(frame))
    return writer


def test_refined_depth_comes_back_bit_for_bit_with_what_made_it(tmp_path):
    frames = [make_frame(n, camera, unit_m=0.0001) for n in range(6) for camera in ("left", "right")]
    manifest = refined_session(tmp_path / "s", frames, {1, 4}).close()
    session = Session(tmp_path / "s")
    assert session.refined_positions("left").tolist() == [1, 4]
    assert session.refined("left", 0) is None
    for n in (4, 1):
        refined = session.refined("right", n)
        values = make_frame(n, "right").depth.values
        assert np.array_equal(refined.depth.values, np.where(values == 0, 700, values))
        assert refined.depth.unit_m == 0.0001
        assert np.array_equal(refined.provenance.ravel()[:5], [0, 1, 2, 3, 0])
        assert (refined.meta.frame_number, refined.meta.took_ms) == (n, 12.5)
        assert refined.meta.made_by == MADE_BY
    assert manifest.refined_frames("left") == 2
    assert manifest.refined["left"] == RefinedTotals(made=2, written=2)
    assert manifest.honest


def test_refined_depth_may_follow_its_frame_in_a_later_file(tmp_path):
    frames = [make_frame(n) for n in range(12)]
    manifest = refined_session(tmp_path / "s", frames, {0, 11}, segment_bytes=60_000).close()
    assert len(manifest.files) == 2
    session = Session(tmp_path / "s")
    assert manifest.files[0].counts.get(topic("left", topics.REFINED), 0) == 0
    assert session.refined("left", 0).meta.frame_number == 0
    assert [frame.index for frame in session.frames("left")] == list(range(12))


def test_the_official_reader_shows_it_in_the_colour_view_at_the_frames_time(tmp_path):
    frame = make_frame(7)
    refined_session(tmp_path / "s", [frame], {7}).close()
    with (tmp_path / "s" / "seg_00000.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        found = {m.channel.topic: m for m in reader.iter_decoded_messages()}
    depth, sources = (
        found["/left/refined/image_raw/compressedDepth"],
        found["/left/refined/provenance/compressed"],
    )
    assert depth.decoded_message.format == "16UC1; compressedDepth png"
    assert depth.decoded_message.header.frame_id == "left_color_optical_frame"
    assert depth.message.log_time == found["/left/frame_meta"].message.log_time
    assert depth.message.sequence == 7
    assert decode_png16(depth.decoded_message.data[12:]).shape == (48, 64)
    assert set(decode_png8(sources.decoded_message.data).ravel()) == {0, 1, 2, 3}


def test_refined_depth_of_a_frame_that_is_not_there_is_not_written(tmp_path):
    frames = [make_frame(0), make_frame(1)]
    writer = record(tmp_path / "s", frames)
    assert writer.write_refined(make_refined(frames[1]))
    assert not writer.write_refined(make_refined(frames[1])), "a frame has one"
    assert not writer.write_refined(make_refined(make_frame(5)))
    assert writer.close().refined["left"] == RefinedTotals(made=1, written=1)


def test_an_image_of_another_size_or_unit_is_refused(tmp_path):
    frame = make_frame(0)
    writer = record(tmp_path / "s", [frame])
    for other in (replace(make_refined(frame), size=(32, 24)), replace(make_refined(frame), unit_m=0.002)):
        with pytest.raises(SessionError, match="size and unit") as error:
            writer.write_refined(other)
        assert error.value.hint
    assert writer.close().refined == {}


def test_counts_that_the_files_do_not_hold_are_called_out(tmp_path):
    writer = refined_session(tmp_path / "s", [make_frame(0)], {0})
    totals = {"left": CameraTotals(device_frames=1, written=1)}
    assert not writer.close(totals, {"left": RefinedTotals(made=2, written=2)}).honest


def test_recovery_keeps_whole_refined_frames(tmp_path):
    frames = [make_frame(n) for n in range(4)]
    refined_session(tmp_path / "s", frames, {0, 1, 2, 3}).close()
    path = tmp_path / "s" / "seg_00000.mcap"
    data = path.read_bytes()
    path.unlink()
    (tmp_path / "s" / "manifest.json").unlink()
    last = data.index(b'{"frame_number":3')
    path.with_name(path.name + ACTIVE_SUFFIX).write_bytes(data[: last + 5])
    report = recover(tmp_path / "s")
    assert report.frames == {"left": 4}
    session = Session(tmp_path / "s")
    assert session.refined_positions("left").tolist() == [0, 1, 2]
    assert session.manifest.refined_frames("left") == 3
    assert np.array_equal(session.refined("left", 2).depth.values[0], make_frame(2).depth.values[0])


def test_only_the_last_frames_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("drivers.session.writer.PLACES_KEPT", 2)
    frames = [make_frame(n) for n in range(4)]
    writer = record(tmp_path / "s", frames)
    assert [writer.write_refined(make_refined(frame)) for frame in frames] == [False, False, True, True]
    writer.write(encode(make_frame(4)))
    writer.close()
