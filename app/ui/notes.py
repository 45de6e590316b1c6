"""Words in a pane: notes that stand instead of a picture, and the tag with its name."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from app.ui import theme
from app.viewmodels.live import Note
from app.viewmodels.words import NO_BREAK_SPACE, WORD_JOINER, unbroken

NOTE_FLAGS: Final = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
NOTE_MARGINS: Final = (12, 36, -12, -8)
"""Left, top (below the pane's name), right, bottom."""
HINT_GAP_PX: Final = 6
BUTTON_GAP_PX: Final = 12
TEXT_SIZES_PX: Final = (18, theme.BODY_PX, theme.CAPTION_PX)
WIDE_PX: Final = 300
HINT_PX: Final = 15
HINT_ROOM_PX: Final = 150
"""A narrower picture has room for the first line only."""
TAG_ROUND_PX: Final = 6


BETWEEN_SIGNS: Final = re.compile(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])")
LONE_SIGN: Final = re.compile(
    r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff](?:[\u3001\u3002\uff01-\uff1f\s]|$))"
    r"|(?<=[\u3001\u3002\uff0c\uff1b\uff1a][\u4e00-\u9fff])(?=[\u4e00-\u9fff])"
)
"""Before the last Chinese sign of a clause, and behind the first of one that follows."""
PATH_PART: Final = re.compile(r"(?<=[/\\])[^\s/\\]*-[^\s/\\]*|[^\s/\\]*-[^\s/\\]*(?=[/\\])")
BRACKETED: Final = re.compile(r"\([^()]*\)|\uff08[^\uff08\uff09]*\uff09")


@dataclass(frozen=True)
class PlacedNote:
    """Rectangles of text and hint, their fonts, and where a button goes."""

    text: QRect
    hint: QRect
    text_font: QFont
    hint_font: QFont
    button_y: int


def place_note(note: Note, room: QRect, *, hints: bool, button: bool) -> PlacedNote:
    """Centre a note in `room`, in the largest type that fits; the hint goes first when nothing fits.

    Args:
        note: what is said.
        room: what may be used.
        hints: whether there may be a hint.
        button: whether a button follows.
    """
    hint_font = theme.font(HINT_PX)
    hints = hints and room.width() >= HINT_ROOM_PX
    extra = theme.TARGET_PX + BUTTON_GAP_PX if button and note.choose_model else 0
    sizes = TEXT_SIZES_PX if room.width() >= WIDE_PX else TEXT_SIZES_PX[1:]
    hint_px = HINT_GAP_PX + _height(note.hint, hint_font, room.width()) if hints and note.hint else 0
    tries = [(theme.font(size, weight=theme.BOLD), px) for px in (hint_px, 0) for size in sizes]
    for text_font, below_px in tries:
        text_px = _height(note.text, text_font, room.width())
        if text_px + below_px + extra <= room.height():
            break
    else:
        text_font, below_px = tries[-1]
        text_px = _height(note.text, text_font, room.width())
    top = room.y() + max((room.height() - text_px - below_px - extra) // 2, 0)
    text = _narrowed(note.text, text_font, QRect(room.x(), top, room.width(), text_px))
    hint = QRect(room.x(), top + text_px + HINT_GAP_PX, room.width(), max(below_px - HINT_GAP_PX, 0))
    hint = _narrowed(note.hint, hint_font, hint)
    return PlacedNote(text, hint, text_font, hint_font, top + text_px + below_px + BUTTON_GAP_PX)


def paint_note(painter: QPainter, note: Note, placed: PlacedNote) -> None:
    """Write a note where `place_note` put it."""
    painter.setPen(QColor(theme.current().on_picture))
    painter.setFont(placed.text_font)
    painter.drawText(placed.text, NOTE_FLAGS, _joints(note.text, placed.text_font, placed.text.width()))
    if not placed.hint.isEmpty():
        painter.setFont(placed.hint_font)  # no paler than the text: an old picture shows through its veil
        painter.drawText(placed.hint, NOTE_FLAGS, _joints(note.hint, placed.hint_font, placed.hint.width()))


@lru_cache(maxsize=256)
def tag_width(words: str, size_px: int) -> int:
    """What `words` in bold type take."""
    return QFontMetrics(theme.font(size_px, weight=theme.BOLD)).horizontalAdvance(words)


def tag_plate(words: str, size: QSize, size_px: int, *, opacity: int, ratio: float) -> QImage:
    """A picture's name in bold type on a dark plate.

    Args:
        words: the name.
        size: of the plate.
        size_px: of the type.
        opacity: of the plate, 0 to 255.
        ratio: pixels of the screen to a pixel of the widget.
    """
    ink = theme.current().on_picture
    return _plate(words, size.width(), size.height(), size_px, opacity=opacity, ink=ink, ratio=ratio)


@lru_cache(maxsize=128)
def _plate(
    words: str, width: int, height: int, size_px: int, *, opacity: int, ink: str, ratio: float
) -> QImage:
    """Under every new picture the same words are painted again; text takes longer than the picture does."""
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    rect = QRect(0, 0, width, height)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(7, 9, 12, opacity))
    painter.drawRoundedRect(rect, TAG_ROUND_PX, TAG_ROUND_PX)
    painter.setPen(QColor(ink))
    painter.setFont(theme.font(size_px, weight=theme.BOLD))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    return image


def _joints(text: str, font: QFont, width: int) -> str:
    """The present words; no line ends within brackets, part of a path or a Chinese clause that fits."""
    return _joined(str(unbroken(text)), font.pixelSize(), font.weight(), width)


@lru_cache(maxsize=256)
def _joined(words: str, size_px: int, weight: QFont.Weight, width: int) -> str:
    font = theme.font(size_px, weight=weight)
    for kind in (BRACKETED, PATH_PART):
        for found in kind.findall(words):
            if QFontMetrics(font).horizontalAdvance(found) <= width:
                words = words.replace(found, WORD_JOINER.join(found.replace(" ", NO_BREAK_SPACE)))
    by_clause, by_sign = BETWEEN_SIGNS.sub(WORD_JOINER, words), LONE_SIGN.sub(WORD_JOINER, words)
    held = _widest_line(by_clause, font, width) <= width
    return (
        by_clause if held and _words_px(by_clause, font, width) <= _words_px(words, font, width) else by_sign
    )


def _narrowed(text: str, font: QFont, rect: QRect) -> QRect:
    """The middle of `rect` that holds the same words in as many lines, which are then about equally long."""
    if rect.isEmpty() or not text:
        return rect
    words = _joints(text, font, rect.width())
    width = _balanced_px(words, font.pixelSize(), font.weight(), rect.width())
    spare = (rect.width() - width) // 2
    return rect.adjusted(spare, 0, -spare, 0)


@lru_cache(maxsize=256)
def _balanced_px(words: str, size_px: int, weight: QFont.Weight, width: int) -> int:
    """The narrowest room in which the words take no more lines than in `width`."""
    font = theme.font(size_px, weight=weight)
    height = _words_px(words, font, width)
    least, most = width // 2, width
    while most - least > 2:
        middle = (least + most) // 2
        if _words_px(words, font, middle) <= height and _widest_line(words, font, middle) <= middle:
            most = middle
        else:
            least = middle
    return most


def _height(text: str, font: QFont, width: int) -> int:
    return _words_px(_joints(text, font, width), font, width)


def _words_px(words: str, font: QFont, width: int) -> int:
    return QFontMetrics(font).boundingRect(QRect(0, 0, width, 9999), NOTE_FLAGS, words).height()


def _widest_line(words: str, font: QFont, width: int) -> int:
    return QFontMetrics(font).boundingRect(QRect(0, 0, width, 9999), NOTE_FLAGS, words).width()
