import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui.commands import Command, bind_keys, matching
from app.ui.palette import ROW_PX, Palette
from app.ui.rebinding import EVERYWHERE


@pytest.fixture
def done():
    return []


@pytest.fixture
def commands(done):
    return [
        Command("Freeze the pictures", lambda: done.append("freeze"), ("Space",)),
        Command("Arrange: Wipe", lambda: done.append("wipe"), ("W",)),
        Command("Go to Settings", lambda: done.append("settings"), ("Ctrl+7", "Ctrl+,")),
    ]


@pytest.fixture
def palette(qtbot, themed, commands):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    made = Palette(commands, window)
    made.chosen.connect(lambda command: command.act())
    made.open()
    qtbot.waitExposed(made)
    yield made
    window.close()


def test_every_word_has_to_be_there_in_any_order(commands):
    assert [command.words for command in matching(commands, "PICT fre")] == ["Freeze the pictures"]
    assert matching(commands, "fre settings") == []
    assert len(matching(commands, "")) == 3


def test_a_key_finds_its_command(commands):
    assert [command.words for command in matching(commands, "space")] == ["Freeze the pictures"]


def test_typing_and_return_run_the_first_hit(palette, done):
    QTest.keyClicks(palette.filter, "wipe")
    assert palette.words == ["Arrange: Wipe"]
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    assert done == ["wipe"]


def test_arrows_go_through_the_list(palette, done):
    QTest.keyClick(palette.filter, Qt.Key.Key_Down)
    QTest.keyClick(palette.filter, Qt.Key.Key_Down)
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    assert done == ["settings"]


def test_a_touch_on_a_row_runs_it(qtbot, palette, done):
    row = palette.rows.visualItemRect(palette.rows.item(1, 0))
    assert row.height() >= 48
    QTest.mouseClick(palette.rows.viewport(), Qt.MouseButton.LeftButton, pos=row.center())
    qtbot.waitUntil(lambda: done == ["wipe"])


def test_a_command_may_end_the_list_that_it_was_chosen_from(qtbot, themed):
    """Qt goes on with the list after it has told of the touch: it has to be there until then."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    palette = Palette([Command("End", lambda: shiboken6.delete(palette))], window)
    palette.chosen.connect(lambda command: command.act())
    palette.open()
    qtbot.waitExposed(palette)
    row = palette.rows.visualItemRect(palette.rows.item(0, 0))
    QTest.mouseClick(palette.rows.viewport(), Qt.MouseButton.LeftButton, pos=row.center())
    qtbot.waitUntil(lambda: not shiboken6.isValid(palette))


def test_the_keys_stand_beside_the_words(palette):
    assert palette.rows.item(2, 1).text() == "Ctrl+7,  Ctrl+,"


def test_nothing_found_runs_nothing(palette, done):
    QTest.keyClicks(palette.filter, "no such thing")
    QTest.keyClick(palette.filter, Qt.Key.Key_Return)
    assert done == []
    assert palette.isVisible()


def test_keys_act_while_their_page_is_on_the_screen(qtbot, themed, commands, done):
    page = QWidget()
    qtbot.addWidget(page)
    bind_keys(commands, page, EVERYWHERE)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    QTest.keyClick(page, Qt.Key.Key_W)
    QTest.keyClick(page, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert done == ["wipe", "settings"]


@pytest.mark.parametrize("height", [0, 500, 571])
def test_the_list_ends_with_a_whole_row(qtbot, palette, height):
    if height:
        palette.resize(palette.width(), height)
    qtbot.waitUntil(lambda: palette.rows.viewport().height() % ROW_PX == 0)
    assert palette.rows.viewport().height() >= 6 * ROW_PX
