from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.recording import library
from app.recording.entry import with_marks_only
from app.recording.library import FillRate, LabelEdit
from drivers.depth import DepthMap
from drivers.errors import SessionError
from drivers.session.encode import encode
from drivers.session.labels import add_label, append_event, apply, read_events
from drivers.session.library import State
from drivers.session.manifest import CameraTotals
from tests.app.recording import small_sessions as small


def test_a_session_is_listed_with_what_the_writer_was_told(tmp_path):
    small.make_session(tmp_path / "a", scene="office", tags=["glass", "sun"], site="Hall 3", operator="Kim")

    [entry] = library.entries(tmp_path)

    assert entry.usable
    assert (entry.labels.scene, entry.labels.tags, entry.labels.site) == (
        "office",
        ("glass", "sun"),
        "Hall 3",
    )
    assert [camera.name for camera in entry.cameras] == ["left camera", "right camera"]
    assert entry.frames == 8
    assert entry.lost == 0
    assert entry.bytes > 0


def test_the_newest_session_comes_first(tmp_path):
    for name in ("20260101T000000Z_a_1", "20260301T000000Z_a_1", "20260201T000000Z_a_1"):
        small.make_session(tmp_path / name)

    assert [entry.name[:6] for entry in library.entries(tmp_path)] == ["202603", "202602", "202601"]


def test_losses_are_those_of_the_manifest(tmp_path):
    totals = {
        "left": CameraTotals(device_frames=10, written=4, host_drop=3, device_gap=2, error=1),
        "right": CameraTotals(device_frames=4, written=4),
    }
    small.make_session(tmp_path / "a", totals=totals)

    assert [camera.lost for camera in next(library.entries(tmp_path)).cameras] == [6, 0]


def test_a_damaged_session_is_listed_with_the_reason(tmp_path):
    (small.make_session(tmp_path / "a") / "session.json").write_text("{", encoding="utf-8")

    [entry] = library.entries(tmp_path)

    assert not entry.usable
    assert "damaged" in entry.problem
    assert entry.hint


def test_a_session_that_lost_its_first_file_is_not_hidden(tmp_path):
    (small.make_session(tmp_path / "a") / "session.json").unlink()

    [entry] = library.entries(tmp_path)

    assert entry.state is State.DAMAGED
    assert "session.json" in entry.problem


def test_other_folders_are_no_sessions(tmp_path):
    (tmp_path / "holiday").mkdir()

    assert list(library.entries(tmp_path)) == []


def test_a_missing_folder_holds_no_sessions(tmp_path):
    assert list(library.entries(tmp_path / "none")) == []


def test_a_session_being_recorded_says_so(tmp_path):
    writer = small.begin_session(tmp_path / "a")
    [entry] = library.entries(tmp_path)
    writer.close()

    assert entry.state is State.RECORDING
    assert "recorded now" in entry.problem


def test_the_thumbnail_is_a_colour_frame_and_is_kept(tmp_path):
    entry = library.read_entry(small.make_session(tmp_path / "a"))

    data = library.thumbnail(entry)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)

    assert image.shape == (360, 480, 3)
    assert np.abs(image.mean(axis=(0, 1)) - (40, 120, 200)).max() < 4
    assert (entry.folder / library.THUMBNAIL_NAME).read_bytes() == data
    assert library.thumbnail(entry) == data


def test_a_session_without_frames_has_no_thumbnail(tmp_path):
    entry = library.read_entry(small.make_session(tmp_path / "a", frames=0))

    assert library.thumbnail(entry) is None


def test_a_deleted_session_can_be_brought_back(tmp_path):
    folder = small.make_session(tmp_path / "a")

    trashed = library.delete(library.read_entry(folder))
    assert list(library.entries(tmp_path)) == []
    assert [entry.name for entry in library.trash(tmp_path)] == ["a"]
    library.restore(trashed)

    assert [entry.folder for entry in library.entries(tmp_path)] == [folder]
    assert library.trash(tmp_path) == []


def test_only_a_purge_removes_for_good(tmp_path):
    library.delete(library.read_entry(small.make_session(tmp_path / "a")))
    small.make_session(tmp_path / "b")

    library.purge(tmp_path)

    assert library.trash(tmp_path) == []
    assert [entry.name for entry in library.entries(tmp_path)] == ["b"]


def test_what_is_being_recorded_cannot_be_deleted(tmp_path):
    writer = small.begin_session(tmp_path / "a")
    try:
        with pytest.raises(SessionError, match="recorded"):
            library.delete(library.read_entry(tmp_path / "a"))
    finally:
        writer.close()


def test_a_session_left_unfinished_by_a_crash_is_recovered(tmp_path):
    folder = crashed_session(tmp_path / "a")
    assert library.read_entry(folder).state is State.UNFINISHED

    told = []
    [entry] = library.entries(tmp_path, told.append)

    [recovery] = told
    assert recovery.problem == ""
    assert entry.usable
    assert entry.recovered
    assert entry.frames == 8
    assert [again.recovered for again in library.entries(tmp_path, told.append)] == [True]
    assert told == [recovery]
    assert library.read_entry(folder) == entry


def test_new_labels_hold_and_the_old_ones_stay_in_the_file(tmp_path):
    folder = small.make_session(tmp_path / "a", scene="office", tags=["glass", "sun"])

    library.relabel(folder, LabelEdit(scene="home", tags=("sun", "mirror")))
    labels = library.read_entry(folder).labels

    assert (labels.scene, labels.tags) == ("home", ("sun", "mirror"))
    assert "office" in [event.value for event in read_events(folder)]


def test_the_same_labels_again_write_nothing(tmp_path):
    labels = apply(read_events(small.make_session(tmp_path / "a", scene="office", tags=["glass"])))

    assert library.changes(labels, LabelEdit(scene="office", tags=("glass",), notes="", site="")) == []


def test_a_marked_moment_is_no_tag_to_take_away(tmp_path):
    labels = apply([add_label("tag", "mark 1", start_ns=5), add_label("tag", "sun")])

    assert [event.op for event in library.changes(labels, LabelEdit(scene="", tags=()))] == ["remove"]


def test_every_word_of_a_search_must_occur(tmp_path):
    entry = library.read_entry(small.make_session(tmp_path / "a", scene="office", tags=["glass"]))

    assert entry.matches("GLASS off")
    assert not entry.matches("glass home")


def crashed_session(folder: Path) -> Path:
    """What a killed recorder leaves: the file under its active name, no manifest, no lock."""
    writer = small.begin_session(folder)
    writer.sync()
    active = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}
    writer.close()
    for path in folder.iterdir():
        path.unlink()
    for name, data in active.items():
        (folder / name).write_bytes(data)
    return folder


def test_every_label_can_be_edited_afterwards_and_images_are_not_touched(tmp_path):
    folder = small.make_session(tmp_path / "a", notes="first", operator="Kim", site="Hall 3", tags=["sun"])
    append_event(folder, add_label("note", "second"))
    append_event(folder, add_label("mark", "glass", start_ns=5))
    before = (folder / "seg_00000.mcap").read_bytes()

    labels = library.relabel(folder, LabelEdit(notes="both", operator="Ada", site=""))
    assert (labels.notes, labels.operator, labels.site) == ("both", "Ada", "")
    assert labels.tags == ("sun",)
    (mark,) = [label.id for label in labels.events.values() if label.kind == "mark"]
    labels = library.relabel(folder, LabelEdit(without=(mark,)))

    assert "mark" not in {label.kind for label in labels.events.values()}
    assert library.read_entry(folder).labels == with_marks_only(labels)
    assert (folder / "seg_00000.mcap").read_bytes() == before


def test_the_overview_tells_how_much_depth_there_is(tmp_path):
    writer = small.begin_session(tmp_path / "a", frames=0)
    for index in range(20):
        for name in ("left", "right"):
            frame = small.small_frame(name, index)
            values = frame.depth.values.copy()
            values[:6] = 0  # a quarter
            writer.write(encode(replace(frame, depth=DepthMap(values, 0.001))))
            if name == "right" and index in {3, 11}:
                writer.write_refined(small.small_refined(frame))
    writer.close()

    seen = library.overview(tmp_path / "a")

    assert seen.fill["left"] == FillRate(0.75, None)
    assert seen.fill["right"] == FillRate(0.75, 1.0)
    assert set(seen.pictures) == {"color", "raw", "refined"}
    assert all(picture.shape == (24, 32, 3) for picture in seen.pictures.values())
    assert seen.made_by == "Classical filling"
    assert library.read_entry(tmp_path / "a").refined == 2


def test_a_session_without_frames_has_an_empty_overview(tmp_path):
    seen = library.overview(small.make_session(tmp_path / "a", frames=0))
    assert (seen.fill, seen.pictures) == ({}, {})
