import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.number_pad import NumberPad


@pytest.fixture
def pad(qtbot, themed):
    made = NumberPad("Distance", unit="m", least=0.1, most=20.0)
    qtbot.addWidget(made)
    made.resize(320, made.sizeHint().height())
    made.show()
    return made


def press(pad, text):
    for letter in text:
        QTest.mouseClick(pad.keys[letter], Qt.MouseButton.LeftButton)


def test_a_number_is_typed_with_the_keys_on_the_pad(qtbot, pad):
    press(pad, "1.25")
    with qtbot.waitSignal(pad.entered) as heard, qtbot.waitSignal(pad.finished):
        QTest.mouseClick(pad.done, Qt.MouseButton.LeftButton)
    assert heard.args == [1.25]


def test_a_number_is_typed_with_a_keyboard_as_well(qtbot, pad):
    QTest.keyClicks(pad, "2,57")
    QTest.keyClick(pad, Qt.Key.Key_Backspace)
    with qtbot.waitSignal(pad.entered) as heard:
        QTest.keyClick(pad, Qt.Key.Key_Return)
    assert heard.args == [2.5]


def test_what_is_out_of_range_cannot_be_done(qtbot, pad):
    press(pad, "99")
    assert pad.value is None
    assert not pad.done.isEnabled()
    assert pad._hint.property("tone") == "warning"
    press(pad, "9" * 20)
    assert len(pad._text) == 6


def test_a_second_point_and_an_empty_number_do_no_harm(qtbot, pad):
    press(pad, "1..5")
    assert pad.value == 1.5
    pad.show_value(None)
    with qtbot.assertNotEmitted(pad.entered), qtbot.waitSignal(pad.finished):
        QTest.mouseClick(pad.done, Qt.MouseButton.LeftButton)


def test_clear_forgets(qtbot, pad):
    pad.show_value(1.5)
    assert pad._shown.text() == "1.5 m"
    with qtbot.waitSignal(pad.entered) as heard:
        QTest.mouseClick(pad.clear, Qt.MouseButton.LeftButton)
    assert heard.args == [None]
    assert pad.value is None
