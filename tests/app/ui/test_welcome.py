import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.ui import speaking
from app.ui.welcome import QUESTIONS, Answers, Welcome
from tests.app.ui import pages


@pytest.fixture
def guide(qtbot, themed):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    made = Welcome(window)
    made.open()
    QTest.qWait(20)
    yield made
    window.close()


def test_three_touches_answer_everything(qtbot, guide):
    touches = 0
    with qtbot.waitSignal(guide.answered) as caught:
        for key in ("demo", "outdoor", "Record"):
            pages.assert_fit_for_fingers(guide)
            QTest.mouseClick(guide.buttons[key], Qt.MouseButton.LeftButton)
            QTest.qWait(20)
            touches += 1
    assert caught.args == [Answers("demo", "outdoor", "Record")]
    assert touches == len(QUESTIONS) == 3


def test_the_guide_can_be_left_at_any_time_and_keeps_what_was_answered(qtbot, guide):
    guide.buttons["auto"].click()
    with qtbot.waitSignal(guide.answered) as caught:
        guide.skip.click()
    assert caught.args == [Answers(source="auto")]


def test_an_answer_can_be_taken_back_and_given_anew(qtbot, guide):
    assert not guide.back.isVisible()
    guide.buttons["auto"].click()
    guide.back.click()
    assert not guide.back.isVisible()
    with qtbot.waitSignal(guide.answered) as caught:
        for key in ("demo", "light", "Live"):
            guide.buttons[key].click()
    assert caught.args == [Answers("demo", "light", "Live")]


def test_the_choice_of_language_shows_the_one_in_force(guide, qapp):
    assert guide.languages.choice == "en"
    speaking.speak(qapp, "zh_CN")
    try:
        assert guide.languages.choice == "zh_CN"
    finally:
        speaking.speak(qapp, "en")
