"""A row to press that says what it is in one line and what that means in another."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton

from app.language import joined
from app.ui import theme
from app.ui.icons import icon
from app.ui.worded import Worded

ROW_PX = 76
WIDTH_PX = 480
ICON_PX = 30
HINT_PX = 15
MEANING_PX = 27
"""From the top of the title to that of the meaning."""
_LEFT = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
_WRAPPED = int(_LEFT | Qt.TextFlag.TextWordWrap)


class TitledRow(Worded, QAbstractButton):
    """A title in bold above its meaning, perhaps an icon at the left.

    Args:
        title: what it is.
        text: what that means.
        icon_name: of the Material Design set, or empty.
        checkable: whether it stays pressed, as one of several formats does.
    """

    def __init__(self, title: str, text: str, *, icon_name: str = "", checkable: bool = False) -> None:
        super().__init__()
        self._title, self._text, self._icon_name = title, text, icon_name
        self.setCheckable(checkable)
        self.setAccessibleName(title if checkable else joined(": ", (title, text)))
        self.setAccessibleDescription(str(text))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(ROW_PX)

    def say_again(self) -> None:
        self.setAccessibleDescription(str(self._text))
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH_PX, ROW_PX)

    def _make_room(self) -> None:
        """As high as the meaning needs where it takes more than one line."""
        room = self._inner().adjusted(0, MEANING_PX, 0, 0)
        metrics = QFontMetrics(theme.font(HINT_PX))
        said = metrics.boundingRect(0, 0, room.width(), 1000, _WRAPPED, str(self._text))
        self.setMinimumHeight(max(ROW_PX, self.height() - room.height() + said.height()))

    def _inner(self) -> QRect:
        """Where the words stand."""
        inner = self.rect().adjusted(theme.SPACE_PX, 12, -theme.SPACE_PX, -8)
        if self._icon_name:
            inner.setLeft(inner.left() + ICON_PX + theme.SPACE_PX)
        return inner

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, chosen = theme.current(), self.isChecked()
        painter = ground_of(self)
        inner = self._inner()
        if self._icon_name:
            colour = colours.on_chosen if chosen else colours.text
            drawn = icon(self._icon_name, colour=colour)
            drawn.paint(painter, theme.SPACE_PX, (self.height() - ICON_PX) // 2, ICON_PX, ICON_PX)
        painter.setPen(QColor(colours.on_chosen if chosen else colours.text))
        painter.setFont(theme.font(theme.CONTROL_PX, weight=theme.BOLD))
        painter.drawText(inner, _LEFT, str(self._title))
        painter.setPen(QColor(colours.on_chosen if chosen else colours.muted))
        painter.setFont(theme.font(HINT_PX))
        painter.drawText(inner.adjusted(0, MEANING_PX, 0, 0), _WRAPPED, str(self._text))


def ground_of(row: QAbstractButton) -> QPainter:
    """Draw the ground and the line around a row that is pressed, and go on with the painter."""
    colours = theme.current()
    painter = QPainter(row)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    chosen = row.isChecked()
    ground = colours.chosen if chosen else colours.raised
    if not chosen and (row.isDown() or row.underMouse()):
        ground = colours.pressed if row.isDown() else colours.hover
    painter.setBrush(QColor(ground))
    edge = colours.accent if chosen or row.hasFocus() else colours.edge
    painter.setPen(QPen(QColor(edge), colours.border_px))
    painter.drawRoundedRect(row.rect().adjusted(1, 1, -2, -2), theme.RADIUS_PX, theme.RADIUS_PX)
    return painter
