"""Measurements, painted over a picture."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from app.ui import theme
from app.viewmodels.measure import Measured, Stroke

DARK: Final = QColor(7, 9, 12)
LIGHT: Final = QColor("#ffffff")
BADGE_PX: Final = 24
LINE_PX: Final = 20
LABELLED_PX: Final = 240
"""A picture that is narrower has no room for words."""


def paint_stroke(painter: QPainter, rect: QRect, stroke: Stroke) -> None:
    """The shape of a measurement, to be seen on any ground."""
    a, b = _point(rect, stroke.start), _point(rect, stroke.end)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((DARK, 4), (LIGHT, 2)):
        painter.setPen(QPen(colour, width))
        if stroke.tool == "area":
            painter.drawRect(QRectF(a, b).normalized())
        elif stroke.tool != "point":
            painter.drawLine(a, b)
        if stroke.tool != "area":
            for end in (a, b):
                painter.drawEllipse(end, 6, 6)


def paint_labels(painter: QPainter, rect: QRect, marks: Sequence[Measured]) -> None:
    """The marks' numbers and, where there is room, their values; no label covers another."""
    metrics = QFontMetrics(_font())
    painter.setFont(_font())
    taken: list[QRect] = []
    for found in marks:
        words = found.words if rect.width() >= LABELLED_PX else ()
        width = max((metrics.horizontalAdvance(line) + 14 for line in words), default=0)
        size = QSize(BADGE_PX + width, max(BADGE_PX, LINE_PX * len(words) + 4))
        box = _free_of(taken, _label_box(rect, found.mark.stroke, size), rect)
        taken.append(box)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(13, 16, 20, 225))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(theme.DARK.accent))
        badge = QRect(box.x(), box.y(), BADGE_PX, BADGE_PX)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(found.mark.number))
        painter.setPen(QColor(theme.DARK.text))
        for i, line in enumerate(words):
            row = QRect(badge.right() + 1, box.y() + 2 + LINE_PX * i, width, LINE_PX)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, line)


def _free_of(taken: Sequence[QRect], box: QRect, rect: QRect) -> QRect:
    """The box, or the same box as little above or below as keeps it off all others, inside `rect`."""
    for step in range(0, rect.height(), 4):
        for moved in (box.translated(0, step), box.translated(0, -step)):
            if rect.contains(moved) and not any(moved.intersects(other) for other in taken):
                return moved
    return box


def _label_box(rect: QRect, stroke: Stroke, size: QSize) -> QRect:
    """Beside the end that was drawn last, on the side away from the shape, and inside the picture."""
    a, b = _point(rect, stroke.start), _point(rect, stroke.end)
    if stroke.tool == "area":
        x, y = min(a.x(), b.x()), max(a.y(), b.y()) + 6
    elif b.x() < a.x():
        x, y = b.x() - size.width() - 12, b.y() - size.height() / 2
    else:
        x, y = b.x() + 12, b.y() - size.height() / 2
    x = min(max(round(x), rect.x() + 2), rect.right() - size.width() - 2)
    y = min(max(round(y), rect.y() + 2), rect.bottom() - size.height() - 2)
    return QRect(QPoint(x, y), size)


def _font() -> QFont:
    return theme.font(theme.CAPTION_PX, weight=theme.BOLD, tabular=True)


def _point(rect: QRect, place: tuple[float, float]) -> QPointF:
    return QPointF(rect.x() + place[0] * rect.width(), rect.y() + place[1] * rect.height())
