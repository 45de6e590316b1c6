"""What the colours of depth and of provenance mean."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.ui import theme
from app.ui.widgets import Button, label
from app.viewmodels.colouring import PROVENANCE_COLOURS, PROVENANCE_MEANINGS, PROVENANCE_WORDS, turbo
from app.viewmodels.live import LiveOptions
from model.repair import Provenance

BAR_WIDTH_PX = 168


def metres(value_m: float) -> str:
    """A limit of the range, without needless zeros: "0.3 m", "4 m"."""
    return f"{value_m:.2f}".rstrip("0").rstrip(".") + " m"


class RangeButton(Button):
    """The colour bar with its metres; a tap opens the range."""

    def __init__(self) -> None:
        super().__init__("", checkable=True)
        self._near, self._far, self._auto = "", "", False
        ramp = turbo()
        self._ramp = QImage(ramp.data, ramp.shape[0], 1, 3 * ramp.shape[0], QImage.Format.Format_RGB888)
        self.setFixedSize(BAR_WIDTH_PX + 28, theme.TARGET_PX)

    def show_options(self, options: LiveOptions) -> None:
        """Show the present range."""
        self._near, self._far, self._auto = metres(options.near_m), metres(options.far_m), options.auto
        words = f"Depth colours from {self._near} to {self._far}"
        self.setAccessibleName(words)
        self.setToolTip(f"{words}; press to change")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(BAR_WIDTH_PX + 28, theme.TARGET_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPushButton.paintEvent(self, event)
        painter = QPainter(self)
        bar = QRect(14, 10, self.width() - 28, 14)
        painter.drawImage(bar, self._ramp)
        painter.setPen(QColor(theme.current().text))
        painter.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD, tabular=True))
        words = QRect(14, 26, self.width() - 28, 24)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._near)
        painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._far)
        if self._auto:
            painter.setFont(theme.font(theme.CAPTION_PX))
            painter.setPen(QColor(theme.current().muted))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, "auto")


class _Swatch(QWidget):
    def __init__(self, colour: tuple[int, int, int]) -> None:
        super().__init__()
        self._colour = QColor(*colour)
        self.setFixedSize(26, 26)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.current().edge))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 6, 6)


class ProvenanceLegend(QWidget):
    """The four colours of provenance, in words."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("What the provenance colours mean")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(theme.GAP_PX)
        for kind in Provenance:
            row.addWidget(_Swatch(PROVENANCE_COLOURS[kind]))
            word = label(PROVENANCE_WORDS[kind], wrap=False)
            word.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD))
            row.addWidget(word)
            row.addWidget(label(PROVENANCE_MEANINGS[kind], "muted", wrap=False))
            row.addSpacing(theme.GAP_PX)
        row.addStretch(1)
