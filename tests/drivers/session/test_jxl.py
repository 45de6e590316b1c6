import numpy as np
import pytest
from session_recordings import make_frame, make_imu, record

from drivers.errors import SessionError
from drivers.session import topics
from drivers.session.encode import encode
from drivers.session.jxl import decode_jxl16, encode_jxl16
from drivers.session.reader import Session
from drivers.session.topics import topic
from drivers.session.verify import verify

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((4, 4), np.uint16),
        np.full((3, 7), 65535, np.uint16),
        RANDOM.integers(0, 65536, (37, 53), dtype=np.uint16),
        RANDOM.integers(0, 65536, (40, 80), dtype=np.uint16)[::2, 1::2],
    ],
    ids=["holes", "largest", "noise", "strided"],
)
def test_every_depth_comes_back_bit_for_bit(values):
    assert np.array_equal(decode_jxl16(encode_jxl16(values)), values)


@pytest.mark.parametrize("keep", [0, 5, 200])
def test_what_is_no_whole_image_is_refused(keep):
    data = encode_jxl16(RANDOM.integers(0, 65536, (37, 53), dtype=np.uint16))
    with pytest.raises(SessionError, match="JPEG XL") as refused:
        decode_jxl16(data[:keep])
    assert refused.value.hint


def test_an_image_of_another_kind_is_refused():
    import imagecodecs

    with pytest.raises(SessionError):
        decode_jxl16(imagecodecs.jpegxl_encode(np.zeros((4, 4), np.uint8), lossless=True))


def test_png_and_jpeg_xl_may_alternate_within_a_session(tmp_path):
    frames = [make_frame(index) for index in range(6)]
    writer = record(tmp_path / "s", frames[:1], compact=True)
    for frame in frames[1:]:
        writer.write(encode(frame, compact=frame.index % 2 == 1))
    manifest = writer.close()
    session = Session(tmp_path / "s")
    assert session.info.depth_profile == "compact"
    assert manifest.totals["left"].compact == 3
    assert manifest.files[0].counts[topic("left", topics.DEPTH_JXL)] == 3
    assert manifest.honest
    for frame in frames:
        assert np.array_equal(session.frame("left", frame.index).depth.values, frame.depth.values)
        assert np.array_equal(session.depth("left", frame.index).values, frame.depth.values)
    assert verify(tmp_path / "s", lambda done, total: True) == []


def test_confidence_and_inertial_readings_come_back_with_their_frame(tmp_path):
    frames = [make_frame(index, imu=index != 2, confidence=True) for index in (0, 1, 2, 5)]
    record(tmp_path / "s", frames, segment_bytes=40_000).close()
    session = Session(tmp_path / "s")
    for n, frame in enumerate(frames):
        again = session.frame("left", n)
        assert np.array_equal(again.confidence, frame.confidence)
        assert sorted(again.imu, key=str) == sorted(frame.imu, key=str)
    assert len(session.imu("left")) == 3 * len(make_imu(0))
    assert [sample.captured_ns for sample in session.imu("left")] == sorted(
        sample.captured_ns for frame in frames for sample in frame.imu
    )
