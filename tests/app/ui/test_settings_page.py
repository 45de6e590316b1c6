import pytest

from app import settings as stored
from app.settings import Settings
from app.ui import speaking
from app.ui.folder_dialog import FolderDialog
from app.ui.settings_page import make_page
from tests.app.recording import small_sessions as small
from tests.app.ui import pages


@pytest.fixture
def made(qtbot, themed, tmp_path, monkeypatch):
    monkeypatch.setenv("DEPTHMEND_CONFIG", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("DEPTHMEND_DATA", str(tmp_path / "data"))
    context, asked = pages.context_for(tmp_path / "sessions", source="demo")
    (tmp_path / "sessions").mkdir()
    page = make_page(context)
    qtbot.addWidget(page)
    page.resize(*pages.SIZES[0])
    page.show()
    page.shown()
    yield page, asked, context
    pages.discard(page)


def press(page, name, key):
    page.editors[name].control.button(key).click()


def dialog_of(page):
    return next(child for child in page.findChildren(FolderDialog) if child.isVisible())


def test_every_setting_has_an_editor(made):
    page, _, _ = made

    assert sorted(page.editors) == sorted(Settings.model_fields)


def test_the_theme_changes_at_once_and_is_saved(made):
    page, asked, _ = made

    press(page, "theme", "light")

    assert asked.themes == ["light"]
    assert stored.load().theme == "light"


def test_a_language_that_is_chosen_in_the_guide_or_the_palette_is_the_one_shown(made, qapp):
    page, _, context = made
    control = page.editors["language"].control

    context.settings.language = "zh_CN"
    speaking.speak(qapp, "zh_CN")
    shown = control.button("zh_CN").isChecked()
    context.settings.language = "en"
    speaking.speak(qapp, "en")

    assert shown
    assert control.button("en").isChecked()


def test_a_switch_and_a_stepper_are_saved_and_reach_the_repair(made):
    page, _, context = made

    page.editors["anchor"].control.click()
    page.editors["tokens"].control._more.click()

    assert not stored.load().anchor
    assert context.studio.choice.tokens == 100
    assert not context.studio.choice.anchor


def test_the_keys_are_changed_in_a_dialog_of_the_window(made):
    page, asked, _ = made

    page.editors["keys"].control.click()

    assert asked.pages == ["keys"]


def test_the_model_chooser_says_where_a_model_comes_from(made):
    page, _, context = made
    editor = page.editors["model"]

    editor.control.picked.emit("classical")

    assert context.studio.choice.model == "classical"
    assert "membrane" in editor._note.text()


def test_connected_cameras_are_opened_with_one_press(made):
    page, asked, _ = made

    press(page, "source", "auto")

    assert asked.sources == ["auto"]
    assert stored.load().source == "auto"


def test_a_session_is_chosen_as_the_source_in_the_dialog(qtbot, made, tmp_path):
    page, asked, _ = made
    folder = small.make_session(tmp_path / "sessions" / "a")

    press(page, "source", "session")
    dialog = dialog_of(page)
    assert not dialog.choose.isEnabled()
    dialog.rows.itemClicked.emit(dialog.rows.item(0))
    qtbot.waitUntil(dialog.choose.isEnabled)
    dialog.choose.click()

    assert asked.sources == [str(folder)]
    assert page.editors["source"].control.choice == "session"


def test_a_dialog_that_is_left_changes_nothing(qtbot, made):
    page, asked, _ = made

    press(page, "source", "folder")
    dialog_of(page).reject()

    assert asked.sources == []
    assert page.editors["source"].control.choice == "demo"


def test_an_error_stands_beside_its_setting(made):
    page, _, context = made
    editor = page.editors["near_m"]

    page._change("near_m", 9.0)

    assert "nearer than the farthest" in editor.problem.text()
    assert editor.problem.isVisibleTo(page)
    assert editor.control.value == context.settings.near_m
    page._change("near_m", 0.5)
    assert not editor.problem.isVisibleTo(page)


def test_an_error_is_gone_with_the_refused_text_when_the_page_comes_back(made, tmp_path):
    page, _, _ = made
    (tmp_path / "file").touch()
    editor = page.editors["sessions"]

    editor.control.set_text(str(tmp_path / "file" / "below"))
    editor.control.submitted.emit(editor.control.edit.text())
    assert editor.problem.isVisible()
    assert "below" in editor.control.edit.text()
    page.shown()

    assert editor.problem.isHidden()
    assert "below" not in editor.control.edit.text()


def test_text_is_kept_when_its_button_is_pressed(made):
    page, _, _ = made
    entry = page.editors["site"].control
    entry.edit.setText(" Hall 4 ")

    entry._submit.click()

    assert stored.load().site == "Hall 4"


def test_a_setting_changed_elsewhere_is_shown(made):
    page, _, context = made
    context.settings.far_m = 7.5

    page.shown()

    assert page.editors["far_m"].control.value == 7.5


@pytest.mark.parametrize("size", pages.SIZES)
def test_everything_can_be_pressed_with_gloves(made, size):
    page, _, _ = made
    page.resize(*size)

    pages.assert_fit_for_fingers(page)


def test_the_pin_is_not_read_over_a_shoulder(made):
    page, _, context = made
    entry = page.editors["kiosk_pin"].control

    entry.edit.setText("2468")
    entry._submit.click()

    assert entry.edit.displayText() != "2468"
    assert context.settings.kiosk_pin == "2468"
