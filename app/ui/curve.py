"""One curve over training steps, in the colours of the theme."""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.language import joined, tr
from app.ui import theme
from app.ui.widgets import label
from app.ui.worded import Worded

HEIGHT_PX = 270
WIDTH_PX = 2
"""Thinner ones are not seen in the sun; a curve is drawn a few times a second at most."""
END_PX = 24
"""Room for the last step's label."""


class _Steps(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """An axis of training steps, written as everywhere on the page: "1,000"."""

    def boundingRect(self) -> QRectF:
        """With room for the label of the last step, which is the one that is asked for."""
        rect: QRectF = super().boundingRect()
        return rect.adjusted(0, 0, END_PX, 0)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [f"{value * scale:,.0f}" if spacing >= 1 else f"{value * scale:,g}" for value in values]


class Curve(Worded, QWidget):
    """A titled curve with its last value in figures.

    Args:
        title_text: what is drawn.
        unit: beside the axis, such as "mm".
        per_unit: how many of that unit a value of 1 is.
        words: how the last value is written.
    """

    def __init__(
        self,
        title_text: str,
        *,
        unit: str = "",
        per_unit: float = 1.0,
        words: Callable[[float], str] = "{:.3g}".format,
    ) -> None:
        super().__init__()
        self._name, self._unit, self._per_unit, self._words = title_text, unit, per_unit, words
        self._title = label(title_text, "body")
        self.plot = pg.PlotWidget(axisItems={"bottom": _Steps("bottom")})
        self.setMinimumHeight(HEIGHT_PX)
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.hideButtons()
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.plotItem.setContentsMargins(0, 0, END_PX, 0)
        if unit:
            self.plot.setLabel("left", unit)
        self._line = self.plot.plot([], [], pen=pg.mkPen(width=WIDTH_PX), symbol=None, antialias=True)
        self._line.setDownsampling(auto=True, method="peak")
        self._line.setClipToView(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TIGHT_PX)
        column.addWidget(self._title)
        column.addWidget(self.plot, 1)
        self.say_again()
        self._dress()
        self.show_points(())

    def show_points(self, points: Sequence[tuple[int, float]]) -> None:
        """Show (step, value) pairs; where a step occurs twice, the later value counts."""
        unique = dict(points)
        steps = np.fromiter(sorted(unique), np.float64, len(unique))
        values = np.array([unique[int(step)] for step in steps], np.float64)
        few = len(steps) < 30
        colour = theme.current().accent
        self._line.setData(
            steps, values * self._per_unit, symbol="o" if few else None, symbolSize=6, symbolBrush=colour
        )
        last = self._words(values[-1]) if len(values) else tr("no value yet")
        self._title.setText(joined(": ", (self._name, last)))
        self.setAccessibleName(self._title.text())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress()

    def say_again(self) -> None:
        self.plot.setLabel("bottom", str(tr("Step")))

    def _dress(self) -> None:
        colours = theme.current()
        self.plot.setBackground(QColor(colours.surface))
        self._line.setPen(pg.mkPen(colours.accent, width=WIDTH_PX))
        self._line.setSymbolBrush(colours.accent)
        self._line.setSymbolPen(None)
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(pg.mkPen(colours.edge, width=1))
            axis.setTextPen(pg.mkPen(colours.muted))
            axis.setTickFont(theme.font(theme.CAPTION_PX))
            axis.label.setFont(theme.font(theme.CAPTION_PX))
