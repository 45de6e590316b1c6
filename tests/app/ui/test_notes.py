# ruff: noqa: RUF001  (Chinese has its own punctuation)

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetrics, QTextLayout

from app.ui import theme
from app.ui.notes import NOTE_FLAGS, _joints, _narrowed, place_note
from app.viewmodels.live import Note
from app.viewmodels.words import NO_BREAK_SPACE, WORD_JOINER


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


def lines_of(text, width):
    """As they are painted."""
    font = theme.font(16, weight=theme.BOLD)
    rect = _narrowed(text, font, QRect(0, 0, width, 999))
    layout = QTextLayout(_joints(text, font, width), font)
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(rect.width())
        lines.append(layout.text()[line.textStart() : line.textStart() + line.textLength()])
    layout.endLayout()
    return [line.replace(WORD_JOINER, "").replace(NO_BREAK_SPACE, " ").strip() for line in lines]


def test_a_chinese_line_ends_behind_a_clause_and_not_within_a_word(qtbot, themed):
    assert lines_of("这是旧画面，不是当前场景。", 160) == ["这是旧画面，", "不是当前场景。"]
    whole = ("选择", "模型", "查看", "修复", "深度")
    for width in range(90, 180, 6):
        lines = lines_of("选择模型以查看修复深度。", width)
        assert all(any(word in line for line in lines) for word in whole), (width, lines)
    assert lines_of("正在加载 MDM 小型（演示权重）", 170)[-1] in {"小型（演示权重）", "（演示权重）"}
    for width in range(80, 320, 10):
        lines = lines_of("请重新插入；其他相机继续运行。", width)
        assert min(len(line.rstrip("。；")) for line in lines) > 1, (width, lines)


def test_a_path_ends_a_line_behind_a_slash_and_not_behind_a_hyphen(qtbot, themed):
    said = lines_of("models/mdm-small.safetensors 处没有权重。", 220)
    assert said[:2] == ["models/", "mdm-small.safetensors"] or "mdm-small.safetensors" in said[0]


def test_a_narrow_picture_says_the_first_line_only(qtbot, themed):
    note = Note("No frames for 2 s", "Waiting for the camera.")
    assert place_note(note, QRect(0, 0, 120, 300), hints=True, button=False).hint.isEmpty()
    assert not place_note(note, QRect(0, 0, 200, 300), hints=True, button=False).hint.isEmpty()
