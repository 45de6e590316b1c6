import pytest

from app.recording.library import read_entry
from app.ui.sessions_page import make_page
from app.viewmodels.playback import replay_place
from drivers.cameras.replay import replay_cameras
from drivers.session.labels import add_label, append_event, read_events
from drivers.session.verify import verify
from tests.app.recording import small_sessions as small
from tests.app.ui import pages


@pytest.fixture
def folder(tmp_path):
    return small.make_session(tmp_path / "a", scene="office")


@pytest.fixture
def make(qtbot, themed, tmp_path):
    made = []

    def build():
        context, _ = pages.context_for(tmp_path)
        page = make_page(context)
        qtbot.addWidget(page)
        page.resize(*pages.SIZES[0])
        page.show()
        page.shown()
        made.append((page, context))
        qtbot.waitUntil(lambda: page._model.view.loaded and not page._model.list.loading)
        page.grid.cards[0].click()
        return page

    yield build
    for page, context in made:
        pages.discard(page)
        context.studio.close()


def standing(folder):
    """Words and seconds into the session of the marks that hold."""
    entry = read_entry(folder)
    marks = [event for event in entry.labels.events.values() if event.kind == "mark"]
    return [(mark.value, (mark.start_ns - entry.start_ns) / 1e9) for mark in marks]


def type_into(entry, text):
    entry.edit.setText(text)
    entry._submit.click()


def test_a_mark_is_added_renamed_and_taken_away_beside_the_images(make, folder):
    page = make()
    marks = page.detail.marks
    assert not marks.chips.isVisible()
    assert not marks.name.isVisible()
    for _ in range(3):
        marks.moment._more.click()

    type_into(marks.new, "  glass   here ")
    assert standing(folder) == [("glass here", 1.5)]
    assert marks.new.text == ""

    (mark_id,) = marks._said
    marks.chips.button(mark_id).click()
    assert marks.name.text == "glass here"
    type_into(marks.name, "mirror")
    assert standing(folder) == [("mirror", 1.5)]
    assert marks.chips.button(mark_id).text() == "00:01 mirror"

    assert [event.value for event in read_events(folder) if event.kind == "mark"] == ["glass here", "mirror"]
    assert verify(folder, lambda *_: True) == []
    marks.remove.click()
    assert standing(folder) == []
    assert not marks.remove.isVisible()


def test_a_mark_without_words_is_not_made_and_a_name_is_not_emptied(make, folder):
    append_event(folder, add_label("mark", "glass", start_ns=read_entry(folder).start_ns))
    page = make()
    marks = page.detail.marks
    type_into(marks.new, "   ")
    (mark_id,) = marks._said
    marks.chips.button(mark_id).click()
    type_into(marks.name, " ")
    assert standing(folder) == [("glass", 0.0)]
    assert marks.name.text == "glass"


def test_a_new_mark_is_where_the_replay_stands(make, folder):
    page = make()
    marks = page.detail.marks
    assert not marks.here.isVisible()
    cameras = replay_cameras(folder)
    pipeline = page._context.studio.open(cameras)
    playback = cameras[0].playback
    playback.pause()
    playback.seek(playback.length_ns // 2)
    assert replay_place(pipeline, folder.parent) is None

    page.detail.closed.emit()
    page.grid.cards[0].click()
    assert marks.here.isVisible()
    marks.here.click()
    place_s = playback.at_ns / 1e9
    assert place_s > 0
    type_into(marks.new, "mirror")
    assert standing(folder) == [("mirror", pytest.approx(place_s, abs=1e-6))]


@pytest.mark.parametrize("size", pages.SIZES)
def test_marks_can_be_pressed_with_gloves(make, folder, size):
    append_event(folder, add_label("mark", "glass", start_ns=read_entry(folder).start_ns))
    page = make()
    page.resize(*size)
    marks = page.detail.marks
    (mark_id,) = marks._said
    marks.chips.button(mark_id).click()
    assert marks.name.isVisible()
    pages.assert_fit_for_fingers(page)
    assert marks.width() <= page._detail_area.viewport().width()
