import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui import rebinding
from app.ui.commands import Bound, Command, change_keys
from app.ui.keys_dialog import KeysDialog
from app.ui.rebinding import keyed
from app.ui.widgets import IconButton
from tests.app.ui import pages


@pytest.fixture
def made(qtbot, themed):
    done = []
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    commands = [
        Command("Freeze", lambda: done.append("freeze"), ("Space",)),
        Command("Measure", lambda: done.append("measure"), ("M",)),
        Command("Mesh", lambda: done.append("mesh")),
    ]
    bound = Bound(commands, window, "Live")
    button = IconButton("ruler", keyed("Measure (M)", "Live"))
    button.setParent(window)
    window.show()
    dialog = KeysDialog(bound.entries, {}, window)
    dialog.rebound.connect(change_keys)
    dialog.open()
    qtbot.waitExposed(dialog)
    yield window, dialog, button, done
    window.close()
    rebinding.use({})


def touch(dialog, row):
    QTest.mouseClick(dialog.rows[row], Qt.MouseButton.LeftButton)


def keys(dialog):
    return [row.keys for row in dialog.rows]


def test_a_touched_row_takes_the_next_key_and_it_works_at_once(qtbot, made):
    window, dialog, button, done = made
    pages.assert_fit_for_fingers(dialog)

    touch(dialog, 1)
    pages.assert_fit_for_fingers(dialog)
    QTest.keyClick(dialog, Qt.Key.Key_F6)

    assert keys(dialog) == ["Space", "F6", ""]
    assert button.toolTip() == "Measure (F6)"
    dialog.accept()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_M)
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert done == ["measure"]


def test_esc_keeps_a_key_delete_removes_it_and_undo_brings_it_back(made):
    _, dialog, button, _ = made
    touch(dialog, 1)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert keys(dialog) == ["Space", "M", ""]

    touch(dialog, 1)
    QTest.keyClick(dialog, Qt.Key.Key_Delete)
    assert keys(dialog) == ["Space", "", ""]
    assert button.toolTip() == "Measure"

    dialog.undo.click()
    assert keys(dialog) == ["Space", "M", ""]


def test_a_key_that_is_taken_names_its_command_and_is_moved_on_request(made):
    _, dialog, _, _ = made
    touch(dialog, 2)
    QTest.keyClick(dialog, Qt.Key.Key_Space)
    assert "Freeze (Live)" in dialog.note.text()
    assert keys(dialog) == ["Space", "M", ""]

    dialog.move_here.click()
    assert keys(dialog) == ["", "M", "Space"]

    dialog.reset.click()
    assert keys(dialog) == ["Space", "M", ""]
    assert rebinding.in_use() == {}


def test_a_key_that_goes_through_the_window_is_refused(made):
    _, dialog, _, _ = made
    touch(dialog, 2)
    QTest.keyClick(dialog, Qt.Key.Key_Tab)
    assert dialog.note.text().startswith("Tab goes through the controls")
    assert keys(dialog) == ["Space", "M", ""]
