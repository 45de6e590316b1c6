import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.commands import Command
from app.ui.keyboard import OnScreenKeyboard
from app.ui.keys import Key
from app.ui.palette import Palette
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import touch_scroll

DEVICE = QTest.createTouchDevice()


class Page(QWidget):
    """Two fields below a lot of other things, and the keyboard that the window has."""

    def __init__(self):
        super().__init__()
        self.mode = "auto"
        self.first, self.second = TouchEntry("First"), TouchEntry("Second")
        content = QWidget()
        column = QVBoxLayout(content)
        above = QWidget()
        above.setFixedHeight(900)
        for part in (above, self.first, self.second):
            column.addWidget(part)
        self.area = touch_scroll(content)
        whole = QVBoxLayout(self)
        whole.addWidget(self.area)
        self.keyboard = OnScreenKeyboard(self, whole, lambda: self.mode)


@pytest.fixture
def page(qtbot, themed):
    made = Page()
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    bring_into_view(made.second.edit)
    return made


def bring_into_view(widget):
    QTest.qWait(20)
    above = widget.parentWidget()
    while not isinstance(above, QScrollArea):
        above = above.parentWidget()
    above.ensureWidgetVisible(widget)
    QTest.qWait(20)


def touch(widget):
    """As the system sends it: to the window, where Qt finds the widget."""
    top = widget.window()
    place = widget.mapTo(top, widget.rect().center())
    QTest.touchEvent(top.windowHandle(), DEVICE).press(0, place).commit()
    QTest.touchEvent(top.windowHandle(), DEVICE).release(0, place).commit()
    QTest.qWait(10)


def place_of(widget):
    return widget.rect().translated(widget.mapTo(widget.window(), QPoint()))


def test_a_touched_field_is_filled_by_touch_alone_and_stays_in_view(page):
    said = []
    page.second.submitted.connect(said.append)
    touch(page.second.edit)
    keys = page.keyboard.keys
    QTest.qWait(30)
    assert not place_of(page.second.edit).intersects(place_of(keys))
    assert page.second.edit.visibleRegion().boundingRect().height() == page.second.edit.height()
    touch(keys.shift)
    for letter in ("H", "a", "Space", "3", "-"):
        touch(keys.key(letter))
    touch(keys.key("Erase the last character"))
    touch(keys.signs)
    touch(keys.key("ö"))
    touch(keys.key("One character to the left"))
    touch(keys.key("&"))
    assert page.second.text == "Ha 3&ö"
    touch(keys.done)
    assert page.keyboard.keys is None
    assert said == ["Ha 3&ö"]


def test_a_field_stays_in_view_while_the_screen_is_turned(page):
    page.area.widget().layout().itemAt(0).widget().setFixedHeight(500)
    touch(page.second.edit)
    for size in ((720, 1280), (1280, 720)):
        page.resize(*size)
        QTest.qWait(30)
        assert page.second.edit.visibleRegion().boundingRect().height() == page.second.edit.height()


@pytest.mark.parametrize("size", [(1176, 720), (800, 1280), (696, 640)])
def test_every_key_is_large_enough_whatever_the_window(page, size):
    page.resize(*size)
    page.first._keyboard.click()
    QTest.qWait(30)
    keys = page.keyboard.keys
    shown = [key for key in keys.findChildren(Key) if key.isVisible()]
    small = [k.text() for k in shown if min(k.width(), k.height()) < theme.SMALLEST_TARGET_PX]
    assert not small
    assert len(shown) >= 47
    assert all(key.accessibleName() or key.text() for key in shown)
    assert page.size() == QSize(*size)
    assert page.rect().contains(place_of(keys))


def test_two_thumbs_type_while_the_first_key_is_still_down(page):
    page.first._keyboard.click()
    QTest.qWait(30)
    keys, handle = page.keyboard.keys, page.windowHandle()
    a, b = (place_of(keys.key(letter)).center() for letter in "ab")
    QTest.touchEvent(handle, DEVICE).press(0, a).commit()
    QTest.touchEvent(handle, DEVICE).stationary(0).press(1, b).commit()
    QTest.touchEvent(handle, DEVICE).release(0, a).stationary(1).commit()
    QTest.touchEvent(handle, DEVICE).release(1, b).commit()
    assert page.first.text == "ab"


@pytest.mark.parametrize(
    ("mode", "by", "comes"),
    [
        ("auto", "finger", True),
        ("auto", "mouse", False),
        ("always", "mouse", True),
        ("never", "finger", False),
        ("never", "button", True),
    ],
)
def test_the_setting_decides_who_brings_the_keys(page, mode, by, comes):
    page.mode = mode
    if by == "finger":
        touch(page.first.edit)
    else:
        QTest.mouseClick(
            page.first.edit if by == "mouse" else page.first._keyboard, Qt.MouseButton.LeftButton
        )
    assert (page.keyboard.keys is not None) == comes


def test_a_real_keyboard_sends_the_keys_away_until_the_button_asks(page):
    touch(page.first.edit)
    assert page.keyboard.keys is not None
    QTest.keyClick(page.first.edit, Qt.Key.Key_A)
    assert page.keyboard.keys is None
    touch(page.first.edit)
    assert page.keyboard.keys is None
    touch(page.first._keyboard)
    assert page.keyboard.keys is not None
    QTest.qWait(30)
    touch(page.first._keyboard)
    assert page.keyboard.keys is None


def test_the_keys_follow_to_another_field_and_go_with_the_page(qtbot, page):
    touch(page.first.edit)
    keys = page.keyboard.keys
    bring_into_view(page.second.edit)
    touch(page.second.edit)
    assert page.keyboard.keys is keys
    touch(keys.key("x"))
    assert (page.first.text, page.second.text) == ("", "x")
    page.area.hide()
    qtbot.waitUntil(lambda: page.keyboard.keys is None)


def test_a_dialog_has_the_keys_in_itself(qtbot, page):
    chosen = []
    palette = Palette([Command("Go to Train", lambda: None), Command("Freeze", lambda: None)], page)
    palette.chosen.connect(lambda command: chosen.append(command.words))
    palette.open()
    qtbot.waitUntil(palette.isVisible)
    touch(palette.filter)
    keys = page.keyboard.keys
    assert keys.window() is palette
    for letter in "train":
        touch(keys.key(letter))
    touch(keys.done)
    assert chosen == ["Go to Train"]
    assert page.keyboard.keys is None
