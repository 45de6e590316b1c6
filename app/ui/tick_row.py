"""A row of lines with a tick, as large as a finger, with room for a picture."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.language import joined
from app.ui import theme
from app.ui.icons import icon
from app.ui.preview import paint_picture
from app.ui.worded import Worded

ROW_PX = 84
TEXT_PX = 50
PICTURE_PX = 108


class TickRow(Worded, QAbstractButton):
    """Something that can be chosen beside others.

    Args:
        lines: the first is its name.
        pictured: leave room for a picture.
    """

    def __init__(self, lines: Sequence[str], *, pictured: bool = False) -> None:
        super().__init__()
        self._lines = tuple(lines)
        self._pictured = pictured
        self._image = QImage()
        self.setCheckable(True)
        self.setFixedHeight(ROW_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(joined(", ", self._lines))

    def show_jpeg(self, data: bytes | None) -> None:
        """Show a picture."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, ROW_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        painter.setBrush(QColor(colours.chosen if on else colours.raised))
        painter.setPen(QColor(colours.accent if on or self.hasFocus() else colours.line))
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(frame, theme.RADIUS_PX, theme.RADIUS_PX)
        tick = icon(
            "checkbox-marked" if on else "checkbox-blank-outline",
            colour=colours.on_chosen if on else colours.muted,
        )
        tick.paint(painter, 10, (self.height() - 30) // 2, 30, 30)
        x = TEXT_PX
        if self._pictured:
            paint_picture(painter, QRectF(x, 9, PICTURE_PX, self.height() - 18), self._image, "")
            x += PICTURE_PX + 12
        fonts = [theme.font(theme.BODY_PX, weight=QFont.Weight.DemiBold), theme.font(theme.CAPTION_PX)]
        name_px, more_px = (QFontMetrics(font).height() + 1 for font in fonts)
        y = (self.height() - name_px - more_px * (len(self._lines) - 1)) / 2
        for number, text in enumerate(self._lines):
            font = fonts[min(number, 1)]
            metrics = QFontMetrics(font)
            painter.setFont(font)
            calm = colours.text if number == 0 else colours.muted
            painter.setPen(QColor(colours.on_chosen if on else calm))
            line = QRectF(x, y, self.width() - x - 10, metrics.height())
            elided = metrics.elidedText(str(text), Qt.TextElideMode.ElideRight, round(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, elided)
            y += metrics.height() + 1
