"""The window goes from one language to another while it runs."""

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QWidget

from app.language import NAMES
from app.settings import Settings
from app.ui import speaking
from app.ui.main_window import PAGES, MainWindow
from app.ui.widgets import Button
from app.viewmodels.measure import Stroke


@pytest.fixture
def window(qtbot, qapp, themed, studio, make_camera):
    made = MainWindow(
        studio, Settings(), open_source=lambda _source: [make_camera("left"), make_camera("right")]
    )
    made.resize(1280, 800)
    made.show()
    made.open_source("demo")
    live = made.page_widget("Live")
    qtbot.waitUntil(lambda: bool(live.model.titles), timeout=5000)
    yield made
    speaking.speak(qapp, "en")
    made.leave()
    made.deleteLater()


def words_of(window):
    """Everything that can be read or is spoken on the page in front, without the names of languages."""
    found = set()
    for widget in window.findChildren(QWidget):
        if not widget.isVisible():
            continue
        found |= {widget.accessibleName(), widget.toolTip()}
        if isinstance(widget, QLabel | QAbstractButton):
            found.add(widget.text())
        if isinstance(widget, QLineEdit):
            found.add(widget.placeholderText())
        if isinstance(widget, QComboBox):
            found |= {widget.itemText(i) for i in range(widget.count())}
    return found - set(NAMES.values())


def is_chinese(words):
    return any("\u4e00" <= letter <= "\u9fff" for letter in words)


def test_every_page_changes_its_language_at_once_and_back_again(window):
    for page, _, _ in PAGES:
        window.go_to(page)
    window.change_language("zh_CN")
    for page, _, _ in PAGES:
        window.go_to(page)
        QTest.qWait(150)
        assert sum(map(is_chinese, words_of(window))) > 10, page
    window.change_language("en")
    left = {}
    for page, _, _ in PAGES:
        window.go_to(page)
        QTest.qWait(150)
        left[page] = [words for words in words_of(window) if is_chinese(words)]
    assert not any(left.values()), left


def test_what_was_typed_and_chosen_stays(window):
    window.go_to("Record")
    page = window.page_widget("Record")
    page.notes.edit.setText("a glass door")
    page.scenes.select("office")
    window.change_language("zh_CN")
    assert (page.notes.edit.text(), page.scenes.choice, window.page) == ("a glass door", "office", "Record")


def test_what_was_measured_and_made_large_stays(qtbot, window):
    live = window.page_widget("Live")
    live.model.set_focus("left")
    live.measure.add("left", Stroke("point", (0.5, 0.5), (0.5, 0.5)))
    told = []
    live.model.rig_changed.connect(told.append)

    window.change_language("zh_CN")
    live.model.tick()

    assert not told
    assert live.measure.marks
    assert live.model.options.focus == "left"


def test_words_have_their_room_at_once(window):
    live = window.page_widget("Live")
    for language in ("zh_CN", "en"):
        window.change_language(language)
        buttons = live._layers.layers.findChildren(Button)
        assert all(button.width() >= button.minimumSizeHint().width() for button in buttons)
