"""Measurements, painted over a picture."""

from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from app.ui import theme
from app.viewmodels.measure import Measured, Stroke

DARK: Final = QColor(7, 9, 12)
LIGHT: Final = QColor("#ffffff")
BADGE_PX: Final = 24
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


def paint_measured(painter: QPainter, rect: QRect, found: Measured) -> None:
    """Shape, number and, where there is room, the values."""
    paint_stroke(painter, rect, found.mark.stroke)
    metrics = QFontMetrics(_font())
    words = found.words if rect.width() >= LABELLED_PX else ()
    width = max((metrics.horizontalAdvance(line) + 14 for line in words), default=0)
    size = QSize(BADGE_PX + width, max(BADGE_PX, 20 * len(words) + 4))
    box = _label_box(rect, found.mark.stroke, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(13, 16, 20, 225))
    painter.drawRoundedRect(box, 6, 6)
    painter.setFont(_font())
    painter.setPen(QColor(theme.DARK.accent))
    badge = QRect(box.x(), box.y(), BADGE_PX, BADGE_PX)
    painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(found.mark.number))
    painter.setPen(QColor(theme.DARK.text))
    for i, line in enumerate(words):
        row = QRect(badge.right() + 1, box.y() + 2 + 20 * i, width, 20)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, line)


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
