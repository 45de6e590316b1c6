"""One session as a card of the library: thumbnail, date, labels, losses."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
)

from app.language import ended, from_below, joined, tr, tr_many
from app.recording.entry import SessionEntry
from app.ui import theme
from app.ui.preview import paint_picture
from app.ui.worded import Worded
from app.viewmodels.sessions import loss_words
from app.viewmodels.words import clock, labelled, session_name, size, unbroken
from drivers.session.library import State

CARD_PX = 264
MARKED_PX = 4
MARGIN_PX = 11
TEXT_PX = 132


def without_picture(entry: SessionEntry) -> str:
    """What stands where a session has no picture to show."""
    if entry.state is State.RECORDING:
        return tr("Being recorded")
    return tr("No picture") if entry.usable else tr("Cannot be read")


class SessionCard(Worded, QAbstractButton):
    """One session: painted, so that hundreds of them stay light."""

    def __init__(self, entry: SessionEntry) -> None:
        super().__init__()
        self._image = QImage()
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_entry(entry)

    def show_entry(self, entry: SessionEntry) -> None:
        """Show another state of the session."""
        self.entry = entry
        self._lines = _card_lines(entry)
        self.setAccessibleName(joined(", ", (text for text, _ in self._lines if text)))
        self.update()

    def show_jpeg(self, data: bytes | None) -> None:
        """Show the thumbnail."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width * 9 / 16) + TEXT_PX

    def sizeHint(self) -> QSize:
        return QSize(CARD_PX, self.heightForWidth(CARD_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marked = self.isChecked() or self.hasFocus()
        ground = colours.accent_soft if self.isChecked() else colours.surface
        if self.isDown() or self.underMouse():
            ground = colours.pressed if self.isDown() else colours.hover
        painter.setBrush(QColor(ground))
        width_px = MARKED_PX if marked else colours.border_px
        painter.setPen(QPen(QColor(colours.accent if marked else colours.line), width_px))
        half_px = width_px / 2  # the line lies within the card
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half_px, half_px, -half_px, -half_px), 14, 14)
        inner = QRectF(self.rect()).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        picture = QRectF(inner.left(), inner.top(), inner.width(), self.height() - TEXT_PX - 10)
        paint_picture(painter, picture, self._image, without_picture(self.entry))
        y = picture.bottom() + 8
        for number, (text, tone) in enumerate(self._lines):
            weight = QFont.Weight.DemiBold if number == 0 else QFont.Weight.Normal
            font = theme.font(theme.CONTROL_PX if number == 0 else 15, weight=weight)
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(getattr(colours, tone)))
            line = QRectF(inner.left(), y, inner.width(), metrics.height() + 6)
            if number and not self.entry.usable:
                line.setBottom(inner.bottom())
                painter.drawText(line, Qt.TextFlag.TextWordWrap, str(unbroken(text)))
                break
            painter.drawText(
                line,
                Qt.AlignmentFlag.AlignVCenter,
                metrics.elidedText(str(text), Qt.TextElideMode.ElideRight, round(line.width())),
            )
            y += metrics.height() + 6


def _card_lines(entry: SessionEntry) -> list[tuple[str, str]]:
    if not entry.usable:
        return [
            (session_name(entry), "text"),
            (ended(from_below(entry.problem)), "warning"),  # over several lines
        ]
    labels = joined(", ", map(labelled, filter(None, (entry.labels.scene, *entry.labels.tags))))
    cameras = tr_many("{count:,} camera", "{count:,} cameras", len(entry.cameras))
    tone = "error" if entry.faults else "ok" if entry.lossless else "warning"
    return [
        (session_name(entry), "text"),
        (labels or tr("No labels"), "text" if labels else "muted"),
        (
            joined(", ", (clock(entry.seconds), cameras, size(entry.bytes))),
            "muted",
        ),
        (loss_words(entry), tone),
    ]
