import pytest

from drivers.errors import SessionError
from drivers.session.labels import (
    LABELS_NAME,
    LabelEvent,
    add_label,
    append_event,
    apply,
    read_events,
    remove_label,
    replace_label,
)


def test_edits_are_new_lines_and_the_last_one_holds(tmp_path):
    scene, tag, note = add_label("scene", "kitchen"), add_label("tag", "glass"), add_label("note", "first")
    edits = [
        scene,
        tag,
        note,
        add_label("tag", "steel"),
        replace_label(scene, "office"),
        remove_label(tag.id),
    ]
    for event in edits:
        append_event(tmp_path, event)
    labels = apply(read_events(tmp_path))
    assert (labels.scene, labels.tags, labels.notes) == ("office", ("steel",), "first")
    assert len((tmp_path / LABELS_NAME).read_text().splitlines()) == len(edits)


def test_a_label_may_belong_to_a_time_and_a_camera(tmp_path):
    append_event(tmp_path, add_label("tag", "hand", camera_id="left", start_ns=10, end_ns=20))
    (event,) = apply(read_events(tmp_path)).events.values()
    assert (event.camera_id, event.start_ns, event.end_ns) == ("left", 10, 20)


def test_an_edit_of_what_is_gone_does_nothing():
    tag = add_label("tag", "glass")
    assert apply([tag, remove_label(tag.id), replace_label(tag, "steel")]).tags == ()
    assert apply([remove_label("unknown")]).tags == ()


def test_a_line_torn_by_a_crash_is_left_out_and_written_over(tmp_path):
    append_event(tmp_path, add_label("tag", "glass"))
    with (tmp_path / LABELS_NAME).open("ab") as file:
        file.write(b'{"op": "add", "id": "x", "at')
    assert apply(read_events(tmp_path)).tags == ("glass",)
    append_event(tmp_path, add_label("tag", "steel"))
    assert apply(read_events(tmp_path)).tags == ("glass", "steel")


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / LABELS_NAME).write_text("{}\n")
    with pytest.raises(SessionError, match="line 1 is no label"):
        read_events(tmp_path)


def test_a_session_without_labels_has_none(tmp_path):
    assert apply(read_events(tmp_path)).events == {}


def test_labels_cannot_be_saved_in_a_missing_folder(tmp_path):
    with pytest.raises(SessionError, match="not saved") as error:
        append_event(tmp_path / "absent", LabelEvent(op="add", id="a", at_ns=0, kind="tag"))
    assert error.value.hint
