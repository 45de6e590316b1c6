from dataclasses import replace

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea

from app.recording.library import read_entry
from app.ui.export_dialog import ExportDialog
from app.ui.folder_dialog import ROW_PX, FolderDialog
from app.ui.main_window import AROUND_DIALOG, SMALLEST
from app.ui.session_card import without_picture
from app.ui.sessions_page import make_page
from app.viewmodels.handover import handover
from app.viewmodels.session_overview import Looked
from app.viewmodels.session_work import Refusal
from app.viewmodels.words import session_name, size
from drivers.session.library import State
from drivers.session.manifest import CameraTotals
from tests.app.recording import small_sessions as small
from tests.app.ui import pages


@pytest.fixture
def make(qtbot, themed, tmp_path):
    made = []

    def build():
        context, asked = pages.context_for(tmp_path)
        page = make_page(context)
        qtbot.addWidget(page)
        page.resize(*pages.SIZES[0])
        page.show()
        page.shown()
        made.append(page)
        qtbot.waitUntil(lambda: page._model.view.loaded and not page._model.list.loading)
        return page, asked

    yield build
    for page in made:
        pages.discard(page)


def cards(page):
    return list(page.grid.cards)


def test_an_empty_library_says_what_will_be_here(make):
    page, asked = make()

    assert page.pages.currentWidget() is page.nothing
    page.nothing.button.click()

    assert asked.pages == ["Record"]


def test_a_card_says_date_labels_length_and_losses(make, tmp_path):
    small.make_session(tmp_path / "a", scene="office", tags=["glass"])

    page, _ = make()

    said = cards(page)[0].accessibleName()
    assert "office, glass" in said
    assert "2 cameras" in said
    assert "No frame lost" in said


def test_what_is_being_recorded_is_not_called_unreadable_and_cannot_be_deleted(make, tmp_path):
    whole = read_entry(small.make_session(tmp_path / "sessions" / "2026-05-01_10-00-00"))
    page, _ = make()
    page.detail.show_entry(replace(whole, state=State.RECORDING), None)
    assert page.detail.delete.isHidden()
    assert without_picture(replace(whole, state=State.RECORDING)) == "Being recorded"
    page.detail.show_entry(whole, None)
    assert not page.detail.delete.isHidden()


def test_a_damaged_session_is_shown_with_the_reason(make, tmp_path):
    (small.make_session(tmp_path / "a") / "session.json").write_text("{", encoding="utf-8")

    page, _ = make()
    cards(page)[0].click()

    assert "damaged" in cards(page)[0].accessibleName()
    assert not page.detail.replay.isVisibleTo(page)
    assert page.detail.delete.isVisibleTo(page)


def test_replay_opens_the_session_and_goes_to_live(make, tmp_path):
    folder = small.make_session(tmp_path / "a")
    page, asked = make()
    cards(page)[0].click()

    page.detail.replay.click()

    assert asked.sources == [str(folder)]
    assert asked.pages == ["Live"]


def test_train_on_this_hands_the_session_over(make, tmp_path):
    folder = small.make_session(tmp_path / "a")
    page, asked = make()
    cards(page)[0].click()

    page.detail.train.click()

    assert asked.pages == ["Train"]
    assert handover.take_train_on() == (folder,)


def test_delete_offers_undo_and_undo_brings_it_back(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    page, asked = make()
    cards(page)[0].click()
    entry = cards(page)[0].entry

    page.detail.delete.click()
    qtbot.waitUntil(lambda: not cards(page))
    assert asked.notices[0].text == f"{session_name(entry)} is in the trash."
    assert asked.notices[0].action_text == "Undo"
    asked.notices[0].action()
    qtbot.waitUntil(lambda: len(cards(page)) == 1)

    assert (tmp_path / "a" / "session.json").exists()


def test_the_trash_is_emptied_only_after_a_question(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    page, asked = make()
    page._model.delete(page._model.view.entries[0])
    qtbot.waitUntil(lambda: page.empty_trash.isVisibleTo(page))

    page.empty_trash.click()
    assert (tmp_path / ".trash" / "a").exists()
    assert asked.notices[-1].danger
    assert size(page._model.view.trash_bytes) in asked.notices[-1].hint
    asked.notices[-1].action()
    qtbot.waitUntil(lambda: not page.empty_trash.isVisibleTo(page))

    assert not (tmp_path / ".trash" / "a").exists()


def test_labels_are_edited_by_touch(make, tmp_path):
    folder = small.make_session(tmp_path / "a", scene="office", tags=["glass"])
    page, _ = make()
    cards(page)[0].click()

    page.detail.tags.button("glass").click()
    page.detail.tag_entry.edit.setText("sun")
    page.detail.tag_entry._submit.click()
    page.detail.scene.picked.emit("home")

    labels = read_entry(folder).labels
    assert (labels.scene, labels.tags) == ("home", ("sun",))
    assert "home, sun" in cards(page)[0].accessibleName()


def test_search_and_scene_filter_the_cards(make, tmp_path):
    small.make_session(tmp_path / "a", scene="office")
    small.make_session(tmp_path / "b", scene="home")
    page, _ = make()

    page.scenes.button("home").click()
    assert len(cards(page)) == 1
    page.search.edit.setText("nothing like it")
    page.search.edited.emit("nothing like it")

    assert cards(page) == []
    assert page.pages.currentWidget() is page.nothing
    assert page.count.text().startswith("0 of 2 sessions")


def test_where_nothing_is_found_the_way_back_to_all_sessions_is_a_press_away(make, tmp_path):
    small.make_session(tmp_path / "a")
    page, _ = make()
    page.search.edit.setText("swimming pool")
    page.search.edited.emit("swimming pool")
    assert not cards(page)
    assert 'No session holds "swimming pool".' in [
        label.text() for label in page.nothing.findChildren(QLabel)
    ]

    page.nothing.button.click()

    assert len(cards(page)) == 1
    assert page.search.text == ""


def test_the_chosen_card_stays_in_view_when_the_list_gets_narrower(qtbot, make, tmp_path):
    for name in "abcdefgh":
        small.make_session(tmp_path / name)
    page, _ = make()
    chosen = cards(page)[-1]

    chosen.click()

    qtbot.waitUntil(lambda: not page._settling.isActive())
    view = page._list_area.viewport()
    assert view.rect().contains(chosen.rect().translated(chosen.mapTo(view, QPoint())))


def test_the_banner_of_a_damaged_session_leads_to_it(make, tmp_path):
    small.make_session(tmp_path / "a", scene="home")
    folder = small.make_session(tmp_path / "b", scene="office")
    page, asked = make()
    page._model.choose_scene("home")
    page.show_refusal(Refusal("b is damaged.", "", folder))

    asked.notices[-1].action()

    assert page._model.view.selected == folder


def test_the_session_that_was_just_saved_is_selected(make, tmp_path):
    folder = small.make_session(tmp_path / "a")
    handover.show = folder

    page, _ = make()

    assert cards(page)[0].isChecked()
    assert page.detail.isVisibleTo(page)


@pytest.mark.parametrize("size", pages.SIZES)
def test_everything_can_be_pressed_with_gloves(qtbot, make, tmp_path, size):
    small.make_session(tmp_path / "a", scene="office", tags=["glass"])
    page, _ = make()
    page.resize(*size)
    cards(page)[0].click()
    qtbot.waitUntil(lambda: page.detail.replay.isVisible())

    pages.assert_fit_for_fingers(page)


def test_verify_tells_the_result(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    page, asked = make()
    cards(page)[0].click()

    page.detail.verify.click()
    assert page.work.isVisibleTo(page)
    qtbot.waitUntil(lambda: bool(asked.notices))

    assert "as it was recorded" in asked.notices[0].text
    assert not page.work.isVisibleTo(page)


def test_copy_asks_for_the_folder_and_copies_into_it(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    page, asked = make()
    cards(page)[0].click()

    page.detail.copy.click()
    dialog = page.findChild(FolderDialog)
    (tmp_path / "disk").mkdir()
    dialog._walk.go_to(tmp_path / "disk")
    dialog.choose.click()
    qtbot.waitUntil(lambda: bool(asked.notices), timeout=20_000)  # each file waits for the disk

    assert "the same" in asked.notices[0].text, asked.notices[0]
    assert (tmp_path / "disk" / "a" / "manifest.json").exists()


def test_the_details_tell_depth_and_losses_and_show_raw_and_refined(qtbot, make, tmp_path):
    totals = {"left": CameraTotals(device_frames=6, written=4, device_gap=2)}
    writer = small.begin_session(tmp_path / "a", cameras=("left",))
    writer.write_refined(small.small_refined(small.small_frame("left", 2)))
    writer.close(totals)
    page, _ = make()
    cards(page)[0].click()
    raw = page.detail.pictures.button("raw")
    assert raw.isVisibleTo(page), "its room is there before its picture"
    assert not raw.isEnabled()
    QApplication.processEvents()
    place = page.detail.replay.mapToGlobal(QPoint())

    def said():
        return " ".join(label.text() for label in page.detail.findChildren(QLabel) if label.isVisible())

    qtbot.waitUntil(lambda: "4 frames, 100% with depth; 1 refined, 100% with depth" in said())
    assert "2 frames lost (by the device)" in said()
    assert "Refined by Classical filling" in said()
    assert page.detail.replay.mapToGlobal(QPoint()) == place
    before = page.detail.picture.grab().toImage()
    raw.click()
    assert page.detail.picture.grab().toImage() != before
    pages.assert_fit_for_fingers(page)


def test_what_a_session_shows_is_there_again_after_one_that_cannot_be_read(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    (small.make_session(tmp_path / "b") / "session.json").write_text("{")
    page, _ = make()
    good, bad = sorted(cards(page), key=lambda card: not card.entry.usable)
    raw = page.detail.pictures.button("raw")
    good.click()
    qtbot.waitUntil(raw.isEnabled)
    bad.click()
    assert not page.detail.pictures.isVisibleTo(page)
    good.click()
    assert raw.isVisibleTo(page)
    assert raw.isEnabled()


def test_a_session_whose_pictures_cannot_be_read_offers_none(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    page, _ = make()
    cards(page)[0].click()
    detail = page.detail
    qtbot.waitUntil(detail.pictures.button("raw").isEnabled)
    detail.show_overview(Looked(tmp_path / "a", None, "It could not be read."))
    detail.show_entry(read_entry(tmp_path / "a"), None)  # as when the page is shown again
    assert not detail.pictures.isVisibleTo(page)


def test_notes_site_and_operator_are_edited_in_place(qtbot, make, tmp_path):
    folder = small.make_session(tmp_path / "a", site="Hall 3")
    page, _ = make()
    cards(page)[0].click()
    assert page.detail.texts["site"].text == "Hall 3"

    page.detail.texts["notes"].edit.setText("mirror at the  left")
    page.detail.texts["notes"]._submit.click()
    page.detail.texts["site"].edit.setText("Hall 4")
    page.detail.texts["site"]._submit.click()

    labels = read_entry(folder).labels
    assert (labels.notes, labels.site) == ("mirror at the left", "Hall 4")


def test_filters_and_disk_use_are_on_the_page(make, tmp_path):
    small.make_session(tmp_path / "a")
    page, _ = make()

    assert page.count.text().startswith("1 session; ")
    page.kept.picked.emit("losses")
    assert cards(page) == []
    page.kept.picked.emit("lossless")
    assert len(cards(page)) == 1


def test_cards_come_in_portions(make, tmp_path, monkeypatch):
    monkeypatch.setattr("app.ui.sessions_page.MOST_CARDS", 2)
    for name in "abcde":
        small.make_session(tmp_path / name)
    page, _ = make()
    assert len(cards(page)) == 2
    assert page.more.text() == "Show 2 more of 3"
    page.more.click()
    assert (len(cards(page)), page.more.text()) == (4, "Show 1 more of 1")
    page.more.click()
    assert len(cards(page)) == 5
    assert not page.more.isVisibleTo(page)


def test_export_asks_for_format_and_folder_and_writes_there(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a", cameras=("left",))
    page, asked = make()
    cards(page)[0].click()

    page.detail.export.click()
    formats = page.findChild(ExportDialog)
    qtbot.waitUntil(formats.isVisible)
    pages.assert_fit_for_fingers(formats)
    rows_end, go_end = (
        widget.mapTo(formats, widget.rect().topRight()).x() for widget in (formats.rows["tum"], formats.go)
    )
    bar = formats.findChild(QScrollArea).verticalScrollBar()
    assert rows_end == go_end or bar.maximum() > 0
    formats.rows["tum"].click()
    formats.go.click()
    folders = page.findChild(FolderDialog)
    qtbot.waitUntil(folders.isVisible)
    assert folders.rows.viewport().height() % ROW_PX == 0
    (tmp_path / "disk").mkdir()
    folders._walk.go_to(tmp_path / "disk")
    folders.choose.click()
    assert page.work.isVisibleTo(page)
    qtbot.waitUntil(lambda: bool(asked.notices))

    assert "4 frames are in" in asked.notices[0].text
    assert len(list((tmp_path / "disk" / "a-tum" / "left" / "depth").iterdir())) == 4


def test_refined_depth_that_is_not_there_cannot_be_exported_unless_it_is_made(make, tmp_path):
    small.make_session(tmp_path / "a", cameras=("left",))
    page, _ = make()
    page._context.settings.model = "demo"
    cards(page)[0].click()
    page.detail.export.click()
    formats = page.findChild(ExportDialog)

    assert not formats.which.isVisibleTo(formats)
    formats.rows["moge"].click()
    room = SMALLEST - AROUND_DIALOG
    assert formats.minimumSizeHint().width() <= room.width(), "it ends beside the screen"
    formats.which.button("refined").click()
    assert not formats.go.isEnabled()
    formats.repair.click()
    assert formats.go.isEnabled()
    wish = formats.wish
    assert (wish.format_name, wish.options.depth, wish.repair.model) == ("moge", "refined", "demo")
    formats.reject()


def test_a_recording_is_imported_and_selected(qtbot, make, tmp_path):
    frames = tmp_path / "frames" / "0"
    frames.mkdir(parents=True)
    cv2.imwrite(str(frames / "rgb.png"), np.zeros((48, 64, 3), np.uint8))
    cv2.imwrite(str(frames / "depth.png"), np.full((48, 64), 900, np.uint16))
    page, asked = make()

    page.bring_in.click()
    dialog = page.findChild(FolderDialog)
    dialog._walk.go_to(tmp_path / "frames")
    dialog.choose.click()
    qtbot.waitUntil(lambda: len(cards(page)) == 1 and cards(page)[0].isChecked())

    assert "frames is a session now: 1 frame" in asked.notices[0].text


def test_another_rigs_sessions_are_merged(qtbot, make, tmp_path):
    small.make_session(tmp_path / "rig 2" / "a", cameras=("left",))
    small.make_session(tmp_path / "a", cameras=("left",))
    page, asked = make()

    page._import(tmp_path / "rig 2")
    qtbot.waitUntil(lambda: len(cards(page)) == 2)

    assert (tmp_path / "a-2" / "manifest.json").exists()
    assert "1 session of rig 2" in asked.notices[0].text


def test_what_cannot_be_imported_is_said(qtbot, make, tmp_path):
    (tmp_path / "empty").mkdir()
    page, asked = make()
    page._import(tmp_path / "empty")
    qtbot.waitUntil(lambda: bool(asked.notices))
    assert "no recording" in asked.notices[0].text
    assert "Record3D" in asked.notices[0].hint


def test_files_that_can_be_imported_are_offered(make, tmp_path):
    for name in ("a.mkv", "b.txt", "c.R3D"):
        (tmp_path / name).touch()
    page, _ = make()
    page.bring_in.click()
    dialog = page.findChild(FolderDialog)
    dialog._walk.go_to(tmp_path)
    assert [row.path.name for row in dialog._walk.view.rows if row.file] == ["a.mkv", "c.R3D"]
    dialog.reject()


def test_consent_is_edited_afterwards_and_found(make, tmp_path):
    folder = small.make_session(tmp_path / "a", consent="not asked")
    page, _ = make()
    cards(page)[0].click()
    assert page.detail.consent.choice == "not asked"

    page.detail.consent.picked.emit("all agreed")

    assert read_entry(folder).labels.consent == "all agreed"
    assert page.detail.consent.choice == "all agreed"
    page.search.edited.emit("agreed")
    assert len(cards(page)) == 1


def test_upright_the_session_is_shown_instead_of_the_list(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    page, _ = make()
    page.resize(800, 1150)
    qtbot.waitUntil(lambda: bool(page._cards))
    next(iter(page._cards.values())).click()
    qtbot.wait(50)
    detail = page.detail
    assert not page.pages.isVisible()
    assert detail.mapTo(page, detail.rect().topRight()).x() < 800
    detail.close_button.click()
    assert page.pages.isVisible()
