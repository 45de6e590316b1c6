"""A button that acts only after it was held: the guarded way out of a kiosk."""

import time

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton

from app.ui import theme
from app.ui.icons import icon
from app.ui.worded import Worded

HOLD_S = 2.0
FRAME_MS = 30


class HoldButton(Worded, QAbstractButton):
    """Fills a ring while it is held.

    Args:
        icon_name: of the Material Design set.
        accessible_name: what it does, and that it has to be held.

    Signals:
        held: it was held for two seconds.
    """

    held = Signal()

    def __init__(self, icon_name: str, accessible_name: str) -> None:
        super().__init__()
        self._icon_name = icon_name
        self._since_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self.setAccessibleName(accessible_name)
        self.setToolTip(accessible_name)
        self.setFixedSize(theme.TARGET_PX, theme.TARGET_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.pressed.connect(self._begin)
        self.released.connect(self._end)
        self._timer.timeout.connect(self._look)

    def _begin(self) -> None:
        self._since_s = time.perf_counter()
        self._timer.start()

    def _end(self) -> None:
        self._timer.stop()
        self.update()

    def _look(self) -> None:
        if time.perf_counter() - self._since_s >= HOLD_S:
            self._end()
            self.held.emit()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ring = QRectF(self.rect()).adjusted(5, 5, -5, -5)
        painter.setPen(QPen(QColor(colours.edge), 3))
        painter.setBrush(QColor(colours.pressed if self.isDown() else colours.raised))
        painter.drawEllipse(ring)
        if self._timer.isActive():
            share = min((time.perf_counter() - self._since_s) / HOLD_S, 1.0)
            painter.setPen(QPen(QColor(colours.accent), 5))
            painter.drawArc(ring, 90 * 16, -round(share * 360 * 16))
        icon(self._icon_name).paint(painter, self.rect().adjusted(16, 16, -16, -16))
