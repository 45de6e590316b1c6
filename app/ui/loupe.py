"""The box that says the depth of one place."""

from typing import Final

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from app.language import tr
from app.ui import theme
from app.viewmodels.colouring import PROVENANCE_COLOURS, PROVENANCE_WORDS
from app.viewmodels.readout import Readout

SWATCH_PX: Final = 12
"""Of the colour that provenance has."""
LINE_PX: Final = 25
"""From one line of the box to the next."""


def loupe_size(said: Readout, widest_px: int) -> QSize:
    """What the box needs; with the short words where the long ones are wider than `widest_px`."""
    big, small = _fonts()
    width = max(QFontMetrics(big).horizontalAdvance(str(value)) for value in (said.raw, said.refined))
    width += _names_px(said) + 36
    words = [_below(said, widest_px), _before(said, widest_px)]
    below = max(map(QFontMetrics(small).horizontalAdvance, words)) + _indent_px(said) + 28
    return QSize(max(width, below), 86 + (LINE_PX if said.before[0] else 0))


def paint_loupe(painter: QPainter, box: QRect, said: Readout) -> None:
    """Refined, raw, where the refined value comes from, and how long before the picture both were."""
    big, small = _fonts()
    painter.setPen(QPen(QColor(255, 255, 255, 90), 1))
    painter.setBrush(QColor(13, 16, 20, 235))
    painter.drawRoundedRect(box, 10, 10)
    y = box.y() + 8
    for word, value in zip(said.names, (said.refined, said.raw), strict=True):
        painter.setFont(small)
        painter.setPen(QColor(theme.DARK.muted))
        painter.drawText(
            QRect(box.x() + 14, y, _names_px(said) + 14, 24), Qt.AlignmentFlag.AlignVCenter, tr(word)
        )
        painter.setFont(big)
        painter.setPen(QColor(theme.DARK.text))
        painter.drawText(
            QRect(box.x() + 14, y, box.width() - 28, 24),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            str(value),
        )
        y += LINE_PX
    below = QRect(box.x() + 14 + _indent_px(said), y, box.width() - 28 - _indent_px(said), 22)
    if said.kind is not None:
        painter.fillRect(
            QRect(box.x() + 14, y + (22 - SWATCH_PX) // 2, SWATCH_PX, SWATCH_PX),
            QColor(*PROVENANCE_COLOURS[said.kind]),
        )
    painter.setFont(small)
    painter.setPen(QColor(theme.DARK.text))
    painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, _below(said, box.width()))
    painter.setPen(QColor(theme.DARK.warning))
    painter.drawText(below.translated(0, LINE_PX), Qt.AlignmentFlag.AlignVCenter, _before(said, box.width()))


def paint_cross(painter: QPainter, point: QPointF) -> None:
    """A ring around a place, to be seen on any ground."""
    for colour, width in ((QColor(7, 9, 12), 5), (QColor("#ffffff"), 2)):
        painter.setPen(QPen(colour, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(point, 9, 9)


def _below(said: Readout, widest_px: int) -> str:
    if said.kind is None:
        return str(said.provenance)
    return _fitting(said, (said.provenance, tr(PROVENANCE_WORDS[said.kind])), widest_px)


def _before(said: Readout, widest_px: int) -> str:
    return _fitting(said, said.before, widest_px)


def _fitting(said: Readout, forms: tuple[str, str], widest_px: int) -> str:
    """The first of a long and a short form, if the box has the room for it."""
    room_px = widest_px - _indent_px(said) - 28
    full, short = map(str, forms)
    return full if QFontMetrics(_fonts()[1]).horizontalAdvance(full) <= room_px else short


def _names_px(said: Readout) -> int:
    metrics = QFontMetrics(_fonts()[1])
    return max(metrics.horizontalAdvance(tr(name)) for name in said.names)


def _indent_px(said: Readout) -> int:
    return 0 if said.kind is None else SWATCH_PX + theme.GAP_PX


def _fonts() -> tuple[QFont, QFont]:
    big = theme.font(theme.TITLE_PX, weight=theme.BOLD, tabular=True)
    return big, theme.font(theme.CAPTION_PX)
