"""Measurements, painted over a picture."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from app.ui import theme
from app.ui.panes import nearest_free
from app.viewmodels.measure import Measured, Stroke

DARK: Final = QColor(7, 9, 12)
LIGHT: Final = QColor("#ffffff")
BADGE_PX: Final = 24
LINE_PX: Final = 20
FARTHEST_PX: Final = 72
"""A label that is farther from its mark is not read with it."""
ALONG_PX: Final = 18
"""A line is covered by squares of this size, its rings included."""
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


def paint_labels(
    painter: QPainter, rect: QRect, marks: Sequence[Measured], taken: Sequence[QRect] = ()
) -> None:
    """The marks' numbers and, where there is room, their values; no label covers a mark or another label.

    Args:
        painter: of the widget.
        rect: of the picture.
        marks: on the picture.
        taken: what else must not be covered.
    """
    painter.setFont(_font())
    for found, (box, words) in zip(marks, placed_labels(rect, marks, taken), strict=True):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(13, 16, 20, 225))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(theme.DARK.accent))
        badge = QRect(box.x(), box.y(), BADGE_PX, BADGE_PX)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(found.mark.number))
        painter.setPen(QColor(theme.DARK.text))
        for i, line in enumerate(words):
            row = QRect(badge.right() + 1, box.y() + 2 + LINE_PX * i, box.width() - BADGE_PX, LINE_PX)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, str(line))


def placed_labels(
    rect: QRect, marks: Sequence[Measured], taken: Sequence[QRect] = ()
) -> list[tuple[QRect, tuple[str, ...]]]:
    """Where each mark's label goes, and its lines; the number alone where there is no room for them."""
    metrics = QFontMetrics(_font())
    covered = [*taken, *(part for found in marks for part in covered_by(rect, found.mark.stroke))]
    placed = []
    for found in marks:
        stroke = found.mark.stroke
        words = found.words if rect.width() >= LABELLED_PX else ()
        width = max((metrics.horizontalAdvance(str(line)) + 14 for line in words), default=0)
        size = QSize(BADGE_PX + width, max(BADGE_PX, LINE_PX * len(words) + 4))
        box = _free_box(rect, stroke, size, covered)
        if box is None:
            words = ()
            badge = QSize(BADGE_PX, BADGE_PX)
            box = _free_box(rect, stroke, badge, covered) or _label_box(rect, stroke, badge)
        covered.append(box)
        placed.append((box, words))
    return placed


def _free_box(rect: QRect, stroke: Stroke, size: QSize, covered: Sequence[QRect]) -> QRect | None:
    """Where nothing is covered: at an edge of an area itself, near the end of what else is measured."""
    if stroke.tool != "area":
        return nearest_free(rect, _label_box(rect, stroke, size), covered, farthest_px=FARTHEST_PX)
    area = covered_by(rect, stroke)[0]
    left, right = area.left(), area.right() + 1 - size.width()
    above, below = area.top() - size.height(), area.bottom() + 1
    beside = (area.right() + 1, area.top()), (area.left() - size.width(), area.top())
    corners = ((left, below), (right, below), (left, above), (right, above), *beside)
    boxes = (QRect(QPoint(*corner), size) for corner in corners)
    room = rect.adjusted(2, 2, -2, -2)
    return next(
        (box for box in boxes if room.contains(box) and not any(box.intersects(other) for other in covered)),
        None,
    )


def covered_by(rect: QRect, stroke: Stroke) -> list[QRect]:
    """Rectangles over the shape of a measurement and, of an area, over what it measures."""
    a, b = _point(rect, stroke.start), _point(rect, stroke.end)
    if stroke.tool == "area":
        return [QRectF(a, b).normalized().toAlignedRect().adjusted(-4, -4, 4, 4)]
    steps = max(round(QLineF(a, b).length() / ALONG_PX), 1)
    line = QLineF(a, b)
    middles = [line.pointAt(i / steps).toPoint() for i in range(steps + 1)]
    half = QPoint(ALONG_PX // 2, ALONG_PX // 2)
    return [QRect(middle - half, middle + half) for middle in middles]


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
