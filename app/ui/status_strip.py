"""The strip below every page: what runs, and what is recorded; what matters least gives way first."""

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from app.ui import theme
from app.ui.widgets import label, set_tone
from app.ui.worded import Label, Worded
from app.viewmodels.status import StatusItem, StatusLine

STRIP_PX: Final = 42
SHORTEST_PX: Final = 120


class ElidedLabel(Label):
    """Words that end in dots where there is no room for all of them; the tool tip says them in full."""

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), SHORTEST_PX), hint.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)


class StatusStrip(Worded, QFrame):
    """One line of words; those that have nothing to say take no room."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        self.setFixedHeight(STRIP_PX)
        self.engine = ElidedLabel()
        self.rate, self.moments = label("", "muted", wrap=False), label("", "muted", wrap=False)
        self.places = label("", "muted", wrap=False)
        self.recording, self.disk = label("", wrap=False), label("", "muted", wrap=False)
        self._yielding = (self.rate, self.moments, self.places)
        """The first gives way first."""
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE_PX, 0, theme.SPACE_PX, 0)
        row.setSpacing(theme.WIDE_PX)
        for widget in (self.engine, self.rate, self.moments, self.places):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.recording)
        row.addWidget(self.disk)

    def show_line(self, line: StatusLine) -> None:
        """Show this moment."""
        for widget, item in (
            (self.engine, line.engine),
            (self.rate, line.rate),
            (self.moments, line.moments),
            (self.places, line.places),
            (self.recording, line.recording),
            (self.disk, line.disk),
        ):
            _show_item(widget, item)
        self.engine.setToolTip(line.engine.text)
        self._fit()
        row = self.layout()
        assert row is not None
        row.activate()  # a busy machine would paint the new words in the room of the ones before

    def say_again(self) -> None:
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leave away what has no room, so that nothing is cut."""
        shown = [w for w in (self.engine, *self._yielding, self.recording, self.disk) if w.text()]
        for widget in self._yielding:
            if self._needed_px(shown) > self.width() and widget in shown:
                shown.remove(widget)
        for widget in self._yielding:
            widget.setVisible(widget in shown)

    def _needed_px(self, shown: list[QLabel]) -> int:
        words = sum(widget.sizeHint().width() for widget in shown)
        return words + theme.WIDE_PX * len(shown) + 2 * theme.SPACE_PX


def _show_item(widget: QLabel, item: StatusItem) -> None:
    widget.setText(item.text)
    set_tone(widget, item.tone)
