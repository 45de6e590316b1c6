"""Where the time of one camera's pictures goes."""

from typing import Final

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.language import joined, tr
from app.ui import theme
from app.ui.worded import Worded
from app.viewmodels.live import Stages
from app.viewmodels.words import how_old, milliseconds

STAGES_PX: Final = 56
BAR_PX: Final = 6
COLUMN_GAP_PX: Final = 14
WIDEST_VALUE: Final = "000 ms"
"""Each column has room for it, so that the same columns fit for all cameras."""


class StageBar(Worded, QWidget):
    """Rates and stages in figures, and the stages of a repaired frame as parts of a bar.

    The whole bar is the frame's age; what its stages leave of it is how long it has been on the screen.

    Args:
        camera_name: whose.
    """

    def __init__(self, camera_name: str) -> None:
        super().__init__()
        self._name = camera_name
        self._columns: list[tuple[str, str, str]] = []
        self._parts: list[tuple[float, str]] = []
        self._whole_ms = 0.0
        self.setFixedHeight(STAGES_PX)

    def show_stages(self, stages: Stages, age_ms: float | None) -> None:
        """Show new figures."""
        self._columns = columns(stages, age_ms)
        self._parts = [(stages.camera_ms, "info")]
        if stages.wait_ms is not None and stages.repair_ms is not None:
            self._parts += [(stages.wait_ms, "muted"), (stages.repair_ms, "accent")]
        self._parts.append((stages.screen_ms, "warning"))
        self._whole_ms = max(sum(part for part, _ in self._parts), age_ms or 0.0)
        said = joined(", ", (joined(" ", (word, value)) for word, value, _ in self._columns))
        self.setAccessibleName(tr("Times of {name}: {said}").format(name=self._name, said=said))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.surface))
        room = self.rect().adjusted(14, 0, -14, 0)
        whole = self._whole_ms
        bar = QRect(room.x(), 0, room.width(), BAR_PX)
        painter.fillRect(bar, QColor(colours.raised))
        if not colours.tinted:
            painter.setPen(QColor(colours.line))
            painter.drawRect(bar.adjusted(0, 0, -1, -1))
        x = float(room.x())
        for part, tone in self._parts:
            width = part / whole * room.width() if whole else 0.0
            painter.fillRect(
                QRect(round(x), 0, round(x + width) - round(x), BAR_PX), QColor(getattr(colours, tone))
            )
            x += width
        self._paint_columns(painter, room)

    def _paint_columns(self, painter: QPainter, room: QRect) -> None:
        colours = theme.current()
        small, bold = (
            theme.font(theme.CAPTION_PX),
            theme.font(theme.CAPTION_PX, weight=theme.BOLD, tabular=True),
        )
        x = room.x()
        for word, value, tone in self._columns:
            values = (QFontMetrics(bold).horizontalAdvance(one) for one in (value, WIDEST_VALUE))
            width = max(QFontMetrics(small).horizontalAdvance(word), *values)
            if x + width > room.right():
                break
            painter.setFont(small)
            painter.setPen(QColor(getattr(colours, tone)))
            painter.drawText(QRect(x, 10, width + 2, 20), Qt.AlignmentFlag.AlignVCenter, word)
            painter.setFont(bold)
            painter.setPen(QColor(colours.text))
            painter.drawText(QRect(x, 30, width + 2, 20), Qt.AlignmentFlag.AlignVCenter, value)
            x += width + COLUMN_GAP_PX


def columns(stages: Stages, age_ms: float | None) -> list[tuple[str, str, str]]:
    """Word, value and colour of each figure: the bar's parts in its order, then what the end is worth."""
    found = [(tr("Camera"), milliseconds(stages.camera_ms), "info")]
    if stages.repair_ms is not None and stages.wait_ms is not None:
        found.append((tr("Wait"), milliseconds(stages.wait_ms), "muted"))
        found.append((tr("Repair"), milliseconds(stages.repair_ms), "accent"))
    found.append((tr("Screen"), milliseconds(stages.screen_ms), "warning"))
    if age_ms is not None:
        found.append((tr("Age"), how_old(age_ms), "text"))
    if stages.repair_ms is not None:
        found.append((tr("Refined per s"), f"{stages.refined_hz:.1f}", "muted"))
    found.append((tr("Raw shown per s"), f"{stages.shown_hz:.0f}", "muted"))
    return found
