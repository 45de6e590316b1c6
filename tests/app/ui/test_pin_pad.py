import pytest
from PySide6.QtWidgets import QWidget

from app.ui.pin_pad import PAUSE_S, TRIES, Guard, PinPad


@pytest.fixture
def pad(qtbot, themed):
    window = QWidget()
    qtbot.addWidget(window)
    clock = [0.0]
    made = PinPad(Guard("0420", clock=lambda: clock[0]), window)
    made.show()
    yield made, clock
    window.close()


def enter(pad, figures):
    for figure in figures:
        pad.keys[figure].click()
    pad.go.click()


def test_the_right_pin_opens_and_a_wrong_one_says_so(qtbot, pad):
    made, _ = pad
    enter(made, "0421")
    assert "not the PIN" in made._note.text()
    assert made.isVisible()
    with qtbot.waitSignal(made.opened, timeout=500):
        enter(made, "0420")


def test_a_pin_that_is_too_short_is_no_try(pad):
    made, _ = pad
    for _ in range(TRIES):
        enter(made, "042")
        assert not made.go.isEnabled()
        made.erase.click()
        made.erase.click()
        made.erase.click()
    assert made._guard.waits_s == 0


def test_what_is_typed_is_not_shown(pad):
    made, _ = pad
    for figure in "042":
        made.keys[figure].click()
    made.erase.click()
    assert made._places.count == 2
    assert "0" not in made._places.accessibleName()


def test_there_is_nothing_to_erase_before_something_is_typed(pad):
    made, _ = pad
    assert not made.erase.isEnabled()
    made.keys["7"].click()
    assert made.erase.isEnabled()
    made.erase.click()
    assert not made.erase.isEnabled()


def test_three_wrong_pins_close_the_pad_for_a_while_even_if_it_is_opened_anew(pad):
    made, clock = pad
    for _ in range(TRIES):
        enter(made, "1111")
    assert not made.go.isEnabled()
    again = PinPad(made._guard, made)
    assert not again.go.isEnabled()
    assert not made._guard.opens_with("0420")
    clock[0] += PAUSE_S + 0.1
    assert made._guard.opens_with("0420")
