"""Depth along a line, raw and refined, as a small chart."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.language import tr
from app.ui import theme
from app.ui.worded import Worded
from app.viewmodels.readout import depth_words

HEIGHT_PX: Final = 214
ABOVE_PX: Final = 28
"""Room for the name of the axis."""
BELOW_PX: Final = 58
"""Room for the length and the legend."""
AXIS_PX: Final = 66
TICKS: Final = 3
RAW_PX: Final = 5
RAW_ALPHA: Final = 150
"""Of 255: raw is wide and dim below refined, which is narrow and bright."""
REFINED_PX: Final = 1.5


class ProfileChart(Worded, QWidget):
    """Two curves over the length of a line; gaps are holes, and far is up."""

    def __init__(self) -> None:
        super().__init__()
        self._raw: NDArray[np.float32] = np.empty(0, np.float32)
        self._refined: NDArray[np.float32] = np.empty(0, np.float32)
        self._length_m: float | None = None
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_profiles(
        self,
        raw: NDArray[np.float32],
        refined: NDArray[np.float32] | None,
        length_m: float | None = None,
    ) -> None:
        """Show (N,) metres, NaN in holes, from the beginning of the line to its end, `length_m` away.

        Where an end is a hole and there is no length, the line is as long as its pixels.
        """
        self._raw, self._length_m = raw, length_m
        self._refined = np.empty(0, np.float32) if refined is None else refined
        holes = float(np.isnan(raw).mean())
        self.setAccessibleName(
            tr("Profile over {raw} pixels, raw {holes:.0%} holes").format(raw=len(raw), holes=holes)
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, HEIGHT_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plot = QRect(AXIS_PX, ABOVE_PX, self.width() - AXIS_PX - 4, HEIGHT_PX - ABOVE_PX - BELOW_PX)
        both = np.concatenate([self._raw, self._refined])
        both = both[np.isfinite(both)]
        painter.setFont(theme.font(theme.CAPTION_PX, tabular=True))
        painter.setPen(QColor(colours.muted))
        if not both.size:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("No depth along this line"))
            return
        low, high = limits(float(both.min()), float(both.max()))
        for i in range(TICKS):
            value = low + (high - low) * i / (TICKS - 1)
            y = plot.bottom() - round(i / (TICKS - 1) * plot.height())
            painter.setPen(QColor(colours.line))
            painter.drawLine(plot.left(), y, plot.right(), y)
            painter.setPen(QColor(colours.muted))
            words = QRect(0, y - 11, AXIS_PX - 8, 22)
            painter.drawText(
                words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, depth_words(value)
            )
        self._paint_axes(painter, plot)
        raw_colour = QColor(colours.warning)
        raw_colour.setAlpha(RAW_ALPHA)
        curves = (
            (self._raw, raw_colour, tr("Raw"), RAW_PX),
            (self._refined, QColor(colours.text), tr("Refined"), REFINED_PX),
        )
        x = plot.left()
        for values, colour, word, width_px in curves:
            painter.setPen(QPen(colour, width_px))
            for run in runs(values, QRectF(plot), low, high):
                painter.drawPolyline(run)
            if values.size:
                painter.drawLine(x, HEIGHT_PX - 14, x + 22, HEIGHT_PX - 14)
                painter.setPen(QColor(colours.text))
                painter.drawText(QRect(x + 28, HEIGHT_PX - 25, 80, 22), Qt.AlignmentFlag.AlignVCenter, word)
                x += 100

    def _paint_axes(self, painter: QPainter, plot: QRect) -> None:
        """Name the axis of depth, and say how long the line is."""
        centre = Qt.AlignmentFlag.AlignVCenter
        name = QRect(0, 0, AXIS_PX - 8, 16)
        painter.drawText(name, Qt.AlignmentFlag.AlignRight | centre, tr("Depth"))
        below = QRect(plot.left(), plot.bottom() + 6, plot.width(), 18)
        end = f"{len(self._raw)} px" if self._length_m is None else depth_words(self._length_m)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | centre, f"0 {end.split()[-1]}")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight | centre, end)


def limits(low_m: float, high_m: float) -> tuple[float, float]:
    """Ends of an axis that holds both values and is at least 20 mm long, so that noise looks like noise."""
    spare = max(0.02 - (high_m - low_m), 0.0) / 2
    step = 0.01 if high_m - low_m < 0.5 else 0.1
    bottom = math.floor(round((low_m - spare) / step, 6)) * step
    return max(bottom, 0.0), math.ceil(round((high_m + spare) / step, 6)) * step


def runs(values: NDArray[np.float32], plot: QRectF, low: float, high: float) -> list[QPolygonF]:
    """One polygon for each stretch without a hole."""
    if not values.size:
        return []
    x = plot.x() + np.arange(values.size) / max(values.size - 1, 1) * plot.width()
    y = plot.bottom() - (values - low) / (high - low) * plot.height()
    known = np.isfinite(values)
    edges = np.flatnonzero(np.diff(known)) + 1
    stretches = np.split(np.arange(values.size), edges)
    return [
        QPolygonF([QPointF(float(x[i]), float(y[i])) for i in stretch])
        for stretch in stretches
        if known[stretch[0]]
    ]
