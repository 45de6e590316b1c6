import numpy as np
import pytest
from mcap.reader import make_reader
from session_recordings import make_frame, record

from drivers.session.index import BrokenIndex, check_end, read_index


@pytest.fixture(scope="module")
def segment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index") / "s"
    frames = [make_frame(n, camera, ir=True) for n in range(9) for camera in ("left", "right")]
    writer = record(folder, frames[:8])
    writer.sync()  # a chunk ends within a frame set
    writer.close()
    return folder / "seg_00000.mcap"


def official_chunks(path):
    with path.open("rb") as file:
        return make_reader(file).get_summary().chunk_indexes


def test_the_index_agrees_with_the_official_reader(segment):
    index = read_index(segment)
    by_topic = {}
    with segment.open("rb") as file:
        for _, channel, message in make_reader(file).iter_messages():
            by_topic.setdefault(channel.topic, []).append(message.log_time)
    chunks = official_chunks(segment)

    assert by_topic.keys() <= index.channels.keys()
    assert index.chunk_starts.tolist() == [chunk.chunk_start_offset for chunk in chunks]
    for topic, times in by_topic.items():
        assert index.places(topic)[0].tolist() == sorted(times)
    assert index.places("/nobody/frame_meta")[0].size == 0


def test_a_message_is_in_the_chunk_that_the_index_names(segment):
    index = read_index(segment)
    chunks = official_chunks(segment)
    for time, number in zip(*index.places("/left/frame_meta"), strict=True):
        assert chunks[number].message_start_time <= time <= chunks[number].message_end_time


@pytest.mark.parametrize("keep", [0, 7, 40, 500])
def test_a_file_without_its_end_is_named(segment, tmp_path, keep):
    short = tmp_path / "short.mcap"
    short.write_bytes(segment.read_bytes()[:keep])
    with pytest.raises(BrokenIndex):
        check_end(short)
    with pytest.raises(BrokenIndex):
        read_index(short)


def test_flipped_bits_in_the_index_never_crash(segment, tmp_path):
    data = np.frombuffer(segment.read_bytes(), np.uint8)
    random = np.random.default_rng(5)
    broken = 0
    for at in random.integers(data.size - 6000, data.size, 200):
        damaged = data.copy()
        damaged[at] ^= 1 << random.integers(8)
        path = tmp_path / "damaged.mcap"
        path.write_bytes(damaged.tobytes())
        try:
            read_index(path).places("/left/frame_meta")
        except BrokenIndex:
            broken += 1
    assert broken > 0
