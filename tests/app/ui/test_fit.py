"""Every page in the window at every size that a tablet, a laptop and a stage screen have, at 100 to 200 %."""

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QSlider,
)

from app.settings import Settings
from app.ui import speaking, theme
from app.ui.main_window import PAGES, MainWindow

SIZES = {
    "1280x720": (1280, 720),
    "1280x800": (1280, 800),
    "upright tablet": (800, 1280),
    "upright full HD": (1080, 1920),
    "1920x1080 at 150 %": (1280, 720),
    "2560x1600": (2560, 1600),
    "2560x1600 at 200 %": (1280, 800),
    "2560x1600 at 125 %": (2048, 1280),
}
"""Name, and what remains of it in the pixels that a widget counts."""
PRESSED = (QAbstractButton, QComboBox, QLineEdit, QSlider)


@pytest.fixture
def window(qtbot, themed, studio, make_camera):
    made = MainWindow(
        studio, Settings(), open_source=lambda _source: [make_camera("left"), make_camera("right")]
    )
    made.show()
    made.open_source("demo")
    live = made.page_widget("Live")
    qtbot.waitUntil(lambda: bool(live.model.titles), timeout=5000)
    yield made
    made.leave()
    made.deleteLater()


def pressed_of(window):
    return [w for kind in PRESSED for w in window.findChildren(kind) if w.isVisible()]


def scrolled(widget):
    """Whether it may lie outside of what is seen now."""
    while widget is not None:
        if isinstance(widget, QAbstractScrollArea) and not isinstance(widget, QLineEdit):
            return True
        widget = widget.parentWidget()
    return False


def name_of(widget):
    return f"{type(widget).__name__} {widget.accessibleName() or getattr(widget, 'text', str)()}"


@pytest.fixture
def english_again(qapp):
    yield
    speaking.speak(qapp, "en")


def test_every_page_fits_every_screen_and_every_finger_and_the_smallest_in_chinese(
    english_again, qapp, window
):
    assert_all_fits(window, SIZES.values())
    speaking.speak(qapp, "zh_CN")
    assert_all_fits(window, ((1280, 720), (800, 1280)))


def assert_all_fits(window, sizes):
    faults = []
    for size in dict.fromkeys(sizes):
        window.resize(*size)
        for page, _, _ in PAGES:
            window.go_to(page)
            for patience_ms in (30, 300):  # a busy machine lays out later
                QTest.qWait(patience_ms)
                found = misfits(window, size)
                if not found:
                    break
            faults += [f"{page} at {size}: {fault}" for fault in found]
    assert not faults, "\n".join(dict.fromkeys(faults))


def misfits(window, size):
    least = window.minimumSizeHint()
    found = [f"needs {least.toTuple()}"] if least.width() > size[0] or least.height() > size[1] else []
    for w in pressed_of(window):
        if min(w.height(), w.width()) < theme.SMALLEST_TARGET_PX:
            found.append(f"{name_of(w)} has {w.size().toTuple()}")
        if w.width() < w.minimumSizeHint().width() - 1:
            found.append(f"{name_of(w)} is squeezed")
        if not scrolled(w) and not window.rect().contains(w.mapTo(window, w.rect().bottomRight())):
            found.append(f"{name_of(w)} reaches beyond the window")
    return found


def test_no_two_things_that_can_be_pressed_overlap(window):
    faults = []
    for size in ((1280, 720), (800, 1280), (1920, 1080)):
        window.resize(*size)
        for page, _, _ in PAGES:
            window.go_to(page)
            QTest.qWait(30)
            shown = [
                w for w in pressed_of(window) if not scrolled(w) and not isinstance(w.parent(), QComboBox)
            ]
            rects = [(name_of(w), w.rect().translated(w.mapTo(window, w.rect().topLeft()))) for w in shown]
            faults += [
                f"{page} at {size}: {a} and {b}"
                for i, (a, first) in enumerate(rects)
                for b, second in rects[i + 1 :]
                if first.intersects(second)
            ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", theme.THEMES)
def test_no_word_of_the_window_is_painted_over_another(qapp, window, name):
    theme.apply(qapp, name)
    for page, _, _ in PAGES:
        window.go_to(page)
        QTest.qWait(20)
        labels = [w for w in window.findChildren(QLabel) if w.isVisible() and w.text() and not scrolled(w)]
        rects = [(w.text(), w.rect().translated(w.mapTo(window, w.rect().topLeft()))) for w in labels]
        crossing = [
            (a, b)
            for i, (a, first) in enumerate(rects)
            for b, second in rects[i + 1 :]
            if first.adjusted(2, 2, -2, -2).intersects(second.adjusted(2, 2, -2, -2))
        ]
        assert not crossing, (page, crossing)
    assert QApplication.instance() is qapp
