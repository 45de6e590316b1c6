import pytest
from PySide6.QtCore import Qt

from app import language
from app.language import tr
from app.ui import rebinding
from app.ui.rebinding import Entry, given, holders, keyed, keys_of, pressed, shown, without

FREEZE = Entry("Live", "Space", "Freeze", ("Space",))
SAVE = Entry("Live", "P", "Save a picture", ("P", "Ctrl+S"))
MESH = Entry("Live", "3D: mesh", "3D: mesh")
RECORD = Entry("Record", "Space", "Record", ("Space",))
LEAVE = Entry("Everywhere", "Ctrl+Q", "Leave", ("Ctrl+Q",))
ALL = (FREEZE, SAVE, MESH, RECORD, LEAVE)


@pytest.fixture(autouse=True)
def usual_keys():
    yield
    rebinding.use({})
    language.use("en")


def test_a_key_is_taken_where_both_commands_can_work_at_once():
    assert holders(ALL, {}, MESH, "Space") == [FREEZE]
    assert holders(ALL, {}, LEAVE, "Space") == [FREEZE, RECORD]
    assert holders(ALL, {}, RECORD, "P") == []
    assert holders(ALL, {}, MESH, "ctrl+q") == [LEAVE]
    assert holders(ALL, {}, FREEZE, "Space") == []


def test_a_moved_key_leaves_its_old_command_the_others():
    changed = given(ALL, {}, MESH, "P")
    assert changed == {"Live": {"P": ["Ctrl+S"], "3D: mesh": ["P"]}}
    assert holders(ALL, changed, FREEZE, "P") == [MESH]


def test_a_removed_key_is_free_and_the_usual_key_leaves_no_change():
    changed = without({}, FREEZE)
    assert keys_of(changed, FREEZE) == ()
    assert holders(ALL, changed, MESH, "Space") == []
    assert given(ALL, changed, FREEZE, "Space") == {}


@pytest.mark.parametrize(
    ("key", "modifiers", "name"),
    [
        (Qt.Key.Key_M, Qt.KeyboardModifier.NoModifier, "M"),
        (Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier, "Shift+M"),
        (Qt.Key.Key_Plus, Qt.KeyboardModifier.ShiftModifier, "+"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5"),
        (Qt.Key.Key_F6, Qt.KeyboardModifier.ControlModifier, "Ctrl+F6"),
        (Qt.Key.Key_Shift, Qt.KeyboardModifier.ShiftModifier, ""),
    ],
)
def test_a_press_is_called_as_the_keyboard_shows_it(key, modifiers, name):
    assert pressed(key, modifiers) == name


def test_words_name_the_present_key_in_both_languages():
    words = keyed(tr("Measure (M)"), "Live")
    assert str(words) == "Measure (M)"
    rebinding.use({"Live": {"M": ["F6"]}})
    assert str(words) == "Measure (F6)"
    language.use("zh_CN")
    assert str(words) == "测量 (F6)"
    rebinding.use({"Live": {"M": []}})
    assert str(words) == "测量"


def test_an_arrow_is_drawn_in_every_language():
    assert shown(("Right", "Ctrl+Left", "M")) == "\u2192,  Ctrl+\u2190,  M"


def test_a_key_that_no_keyboard_has_is_left_out_and_logged(caplog):
    rebinding.use({"Live": {"M": ["No such key", "F6"]}})
    assert rebinding.in_use() == {"Live": {"M": ["F6"]}}
    assert "No such key" in caplog.text
