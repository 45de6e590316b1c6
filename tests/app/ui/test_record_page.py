from pathlib import Path

import pytest
from PySide6.QtWidgets import QScrollArea

from app.recording.counts import CameraCount
from app.recording.guards import Caution
from app.recording.preflight import Check
from app.settings import SCENES
from app.ui import speaking, theme
from app.ui.keyboard import OnScreenKeyboard
from app.ui.record_page import RECORD_PX, CheckRow, make_page
from app.viewmodels.handover import handover
from app.viewmodels.record_view import CameraPanel, Problem, RecordPhase, RecordView, Saved, Tone
from app.viewmodels.words import unbroken
from tests.app.recording.small_sessions import small_frame
from tests.app.ui import pages


@pytest.fixture
def made(qtbot, themed, tmp_path, monkeypatch):
    monkeypatch.setenv("DEPTHMEND_CONFIG", str(tmp_path / "settings.toml"))
    context, asked = pages.context_for(tmp_path, site="Hall 3", operator="Kim")
    page = make_page(context)
    qtbot.addWidget(page)
    page.resize(*pages.SIZES[0])
    page.show()
    keys = OnScreenKeyboard(page, page.layout(), lambda: "auto")
    page.keyboard = keys
    yield page, asked
    pages.discard(page)
    context.studio.close()


def panel(name, count=None, tone=Tone.CALM, words="Live"):
    return CameraPanel(name, name.capitalize(), words, tone, small_frame(name, 0), count)


def view(phase, *panels, **changes):
    values = {
        "seconds": 62.0, "words": "Ready.", "tone": Tone.CALM, "disk": "2 h 10 min left", "disk_low": False,
        "queue_fill": 0.1, "marks": 2, "bytes_written": 5_000_000,
    } | changes  # fmt: skip
    return RecordView(phase=phase, cameras=panels, **values)


def texts(page):
    from PySide6.QtWidgets import QLabel

    return [label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page) and label.text()]


def test_without_a_camera_the_button_is_off_and_the_way_out_is_shown(qtbot, made):
    page, asked = made

    assert not page.record.isEnabled()
    assert any("No camera" in text for text in texts(page))
    page.no_camera.button.click()

    assert asked.pages == ["Cameras"]


def test_the_button_is_huge_and_says_what_it_does(made):
    page, _ = made
    assert RECORD_PX >= 96

    page.show_view(view(RecordPhase.READY, panel("left")))
    assert (page.record.text(), page.record.isEnabled()) == ("Record", True)
    page.show_view(view(RecordPhase.RECORDING, panel("left", CameraCount(written=9))))

    assert page.record.text() == "Stop"
    assert page.record.height() >= 96
    assert page.timer.text() == "01:02"


def test_each_camera_accounts_for_its_frames(made):
    page, _ = made

    page.show_view(
        view(
            RecordPhase.RECORDING,
            panel("left", CameraCount(written=1860)),
            panel("right", CameraCount(written=1850, dropped=7, device_gap=3)),
        )
    )

    said = texts(page)
    assert "1,860\u00a0frames written" in said
    assert "No frame lost" in said
    assert "10\u00a0frames lost: 3 by the device, 7 because disk or encoders were too slow" in said
    assert "What happens now; 2 moments marked" in said


def test_a_disk_that_is_nearly_full_is_said_in_words(made):
    page, _ = made

    page.show_view(view(RecordPhase.READY, panel("left"), disk="9 min left", disk_low=True))

    assert page.disk.text() == "Disk: 9 min left"
    assert page.disk.property("tone") == "warning"


def test_what_was_saved_can_be_opened(made):
    page, asked = made

    page.show_saved(Saved(Path("/data/s1"), "Saved: 62 s, 3 cameras, 5,580 frames, none lost", lossless=True))
    page.saved.open.click()

    assert unbroken("Saved: 62 s, 3 cameras, 5,580 frames, none lost") in texts(page)
    assert asked.pages == ["Sessions"]
    assert handover.take_show() == Path("/data/s1")


def test_a_recording_that_stopped_by_itself_says_why_and_where_the_data_is(made):
    page, asked = made

    page.show_saved(
        Saved(Path("/data/s1"), "Saved: 5 s", lossless=False, reason="The disk is full.", hint="Make room.")
    )

    [notice] = asked.notices
    assert notice.level == "error"
    assert "The disk is full." in notice.text
    assert notice.hint.endswith("in s1.")
    assert "In /data/\u200bs1" in texts(page)
    assert any("stopped by itself. The disk is full. Make room." in text for text in texts(page))


def test_a_tag_is_typed_with_the_keys_on_the_page(qtbot, made):
    page, _ = made
    page.activateWindow()
    page.tag_entry._keyboard.click()
    for letter in "sun":
        page.keyboard.keys.key(letter).click()

    page.tag_entry._submit.click()

    assert page.tags.selected == ["sun"]
    assert page.tag_entry.text == ""
    page.tags.button("sun").click()
    assert page.tags.selected == []


def test_a_tag_that_is_typed_is_wholly_in_view_with_signs_and_in_another_language(qtbot, made, qapp):
    page, _ = made
    page.show_view(view(RecordPhase.READY, panel("left")))
    field = page.tag_entry.edit

    def in_view():
        return field.visibleRegion().boundingRect().size() == field.size()

    page.tag_entry._keyboard.click()
    qtbot.waitUntil(in_view, timeout=2000)
    page.keyboard.keys.signs.click()
    qtbot.wait(50)
    assert in_view()
    speaking.speak(qapp, "zh_CN")
    try:
        qtbot.waitUntil(in_view, timeout=2000)
    finally:
        speaking.speak(qapp, "en")


def test_a_tag_that_is_typed_stays_in_view_when_the_window_gets_another_size(qtbot, made):
    page, _ = made
    page.show_view(view(RecordPhase.READY, panel("left"), panel("middle"), panel("right")))
    field, window = page.tag_entry.edit, page.window()
    page.tag_entry._keyboard.click()

    for size in ((1280, 800), (1920, 1080), (1280, 800), (1280, 720), (800, 1280)):
        window.resize(*size)
        qtbot.wait(50)
        assert field.visibleRegion().boundingRect().size() == field.size(), size

    area = next(area for area in page.findChildren(QScrollArea) if area.isAncestorOf(field))
    below_px = field.mapTo(area.viewport(), field.rect().bottomLeft()).y() - area.viewport().height()
    bar = area.verticalScrollBar()
    bar.setValue(bar.value() + below_px - 9)
    assert field.visibleRegion().boundingRect().height() < field.height()
    window.resize(window.width(), window.height() - 1)
    qtbot.wait(50)
    assert field.visibleRegion().boundingRect().size() == field.size()


def test_site_and_operator_come_from_the_settings_and_go_back_there(made):
    page, asked = made
    page.shown()
    assert (page.site.text, page.operator.text) == ("Hall 3", "Kim")

    page.operator.edit.setText("Noor")
    page.operator.edit.editingFinished.emit()

    assert page._context.settings.operator == "Noor"
    assert asked.saved == 1
    page.operator.edit.editingFinished.emit()
    assert asked.saved == 1


def test_consent_and_notes_are_said_by_touch(made):
    page, _ = made

    page.consent.button("all agreed").click()
    page.notes.edit.setText("a glass door")
    page.notes.submitted.emit("a glass door")

    assert (page._model.labels.consent, page._model.labels.notes) == ("all agreed", "a glass door")


def test_what_happens_is_marked_by_one_touch_and_only_while_recording(made, monkeypatch):
    page, _ = made
    marked = []
    page.events.marked.connect(marked.append)
    page.show_view(view(RecordPhase.READY, panel("left")))
    assert not page.events.isVisible()

    page.show_view(view(RecordPhase.RECORDING, panel("left", CameraCount(written=9))))
    page.events.marked.disconnect(page._model.mark)
    page.events.buttons["glass"].click()
    page.events.buttons[""].click()

    assert marked == ["glass", ""]
    assert all(button.height() >= theme.BIG_TARGET_PX for button in page.events.buttons.values())


def test_what_was_looked_at_before_a_recording_is_shown(made):
    page, _ = made
    slow = Caution("The disk takes 20 MB/s, and this rig makes about 60.", "Record to a faster disk.")
    checks = (Check("Disk room", "74 GB free"), Check("Disk speed", "20 MB/s", slow))

    page.show_view(view(RecordPhase.READY, panel("left"), checks=checks))
    assert "Disk room: 74\u00a0GB free" in texts(page)
    assert unbroken(slow.words) in texts(page)

    page.show_view(view(RecordPhase.RECORDING, panel("left", CameraCount(written=9)), synced_s=61.6))
    assert not any("Disk room" in text for text in texts(page))
    assert "Safe on the disk but for the last 0.4 s." in texts(page)


def test_what_is_not_there_is_neither_well_nor_a_caution(made):
    page, _ = made
    checks = (Check("Heat", "Nothing is too hot"), Check("USB", "No depth camera", applies=False))

    page.show_view(view(RecordPhase.READY, panel("left"), checks=checks))

    assert [row._look for row in page.findChildren(CheckRow)] == ["well", "nothing"]


def test_a_picture_that_is_not_of_now_says_so(made):
    page, _ = made
    lost = panel("left", tone=Tone.BAD, words="Lost. Plug the camera in again.")
    silent = panel("right", tone=Tone.WARNING, words="Sends no pictures")

    page.show_view(view(RecordPhase.READY, lost, silent, panel("top")))

    said = [page._cards[name].picture._veil for name in ("left", "right", "top")]
    assert said == ["Lost", "Sends no pictures", ""]


def test_a_folder_that_cannot_be_used_leads_to_the_settings(made):
    page, asked = made

    page.show_problem(Problem("The folder /data cannot be used.", "In Settings, choose one.", True))
    [notice] = asked.notices
    notice.action()

    assert notice.action_text == "Open Settings"
    assert asked.pages == ["Settings"]


@pytest.mark.parametrize("size", pages.SIZES)
def test_everything_can_be_pressed_with_gloves(made, size):
    page, _ = made
    page.resize(*size)
    page.show_view(view(RecordPhase.RECORDING, panel("left", CameraCount(written=9))))
    page.tag_entry._keyboard.click()

    pages.assert_fit_for_fingers(page)


def test_what_may_spoil_a_recording_is_on_the_page(made):
    page, _ = made
    caution = Caution("The battery is at 9 %.", "Plug the computer in.")

    page.show_view(view(RecordPhase.READY, panel("left"), cautions=(caution,)))
    assert unbroken("The battery is at 9 %. Plug the computer in.") in texts(page)
    page.show_view(view(RecordPhase.READY, panel("left")))
    assert not page.cautions.isVisible()


def test_refined_depth_is_a_switch_that_is_kept_and_rests_while_recording(made):
    page, asked = made
    page.show_view(view(RecordPhase.READY, panel("left"), refined="MDM makes 2.0 per second"))
    assert "MDM makes 2.0 per second" in texts(page)

    page.refined.click()
    assert asked.saved == 1
    assert page._context.settings.record_refined

    page.show_view(view(RecordPhase.RECORDING, panel("left", CameraCount(written=9))))
    assert page.refined.isHidden()
    page.show_view(
        view(RecordPhase.RECORDING, panel("left", CameraCount(written=9)), refined="Refined: 4 of 9 frames")
    )
    assert "Refined: 4 of 9 frames" in texts(page)


def test_keys_and_touch_record_stop_and_go_from_take_to_take(qtbot, made, monkeypatch):
    page, _ = made
    asked = []
    for name in ("toggle", "stop", "next_take", "redo_take"):
        monkeypatch.setattr(type(page._model), name, lambda _self, name=name: asked.append(name))
    remade = {command.keys[0]: command for command in page.commands()}
    page.show_view(view(RecordPhase.RECORDING, panel("left")))
    assert page.next.isVisibleTo(page)
    for key in ("Escape", "Right", "Left"):
        remade[key].act()
    assert asked == ["stop", "next_take", "redo_take"]
    page.scenes.button(SCENES[1]).setFocus()
    remade["Space"].act()
    assert page.scenes.selected == [SCENES[1]]
