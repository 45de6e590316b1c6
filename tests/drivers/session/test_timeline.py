import shutil

import pytest
from session_recordings import make_frame, make_refined, record

from drivers.session.reader import Session
from drivers.session.timeline import TIMELINE_NAME


@pytest.fixture
def folder(tmp_path):
    frames = [make_frame(n) for n in range(6)]
    writer = record(tmp_path / "s", frames, segment_bytes=40_000)
    for frame in frames[2:4]:
        assert writer.write_refined(make_refined(frame))
    writer.close()
    return tmp_path / "s"


def test_the_second_opening_reads_no_index_of_the_recording(folder, monkeypatch):
    first = Session(folder)
    times, refined = first.times("left"), first.refined_positions("left")
    monkeypatch.setattr("drivers.session.reader.read_index", lambda path: pytest.fail(f"{path} was read"))

    again = Session(folder)

    assert again.times("left").tolist() == times.tolist()
    assert again.refined_positions("left").tolist() == refined.tolist() == [2, 3]


def test_it_is_made_again_where_it_is_gone_or_damaged_or_of_another_recording(folder, tmp_path):
    times = Session(folder).times("left").tolist()
    kept = (folder / TIMELINE_NAME).read_bytes()
    other = tmp_path / "other"
    record(other, [make_frame(n) for n in range(3)]).close()
    shutil.copy(folder / TIMELINE_NAME, other / TIMELINE_NAME)

    (folder / TIMELINE_NAME).write_bytes(kept[:100])
    assert Session(folder).times("left").tolist() == times
    (folder / TIMELINE_NAME).unlink()
    assert Session(folder).times("left").tolist() == times
    assert (folder / TIMELINE_NAME).exists()
    assert Session(other).count("left") == 3


def test_a_folder_that_cannot_be_written_is_read_all_the_same(folder, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("drivers.session.timeline.write_atomically", refuse)
    assert Session(folder).count("left") == 6
    assert not (folder / TIMELINE_NAME).exists()
