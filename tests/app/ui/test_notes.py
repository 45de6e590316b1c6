import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetrics

from app.ui import theme
from app.ui.notes import NOTE_FLAGS, _joints, place_note
from app.viewmodels.live import Note


@pytest.mark.parametrize("width", range(180, 420, 12))
def test_the_lines_of_a_note_are_about_equally_long(qtbot, themed, width):
    note = Note("Camera lost", "Plug the camera in again; the other cameras go on.")
    placed = place_note(note, QRect(0, 0, width, 300), hints=True, button=False)
    lines = placed.hint.height() / QFontMetrics(placed.hint_font).lineSpacing()
    whole = QFontMetrics(placed.hint_font).horizontalAdvance(note.hint)
    longest_word = QFontMetrics(placed.hint_font).horizontalAdvance("cameras go")
    assert placed.hint.width() <= whole / lines + longest_word
    assert placed.hint.center().x() == pytest.approx(width / 2, abs=2)


def test_a_name_in_brackets_stays_in_one_line(qtbot, themed):
    font = theme.font(16, weight=theme.BOLD)
    words = _joints("Loading MDM small (demo weights)", font, 170)
    for width in range(130, 260, 10):
        rect = QFontMetrics(font).boundingRect(QRect(0, 0, width, 999), NOTE_FLAGS, words)
        assert rect.width() <= width
    assert " weights" not in words
    assert " weights" in _joints("Loading MDM small (demo weights)", font, 60)


def test_a_narrow_picture_says_the_first_line_only(qtbot, themed):
    note = Note("No frames for 2 s", "Waiting for the camera.")
    assert place_note(note, QRect(0, 0, 120, 300), hints=True, button=False).hint.isEmpty()
    assert not place_note(note, QRect(0, 0, 200, 300), hints=True, button=False).hint.isEmpty()
