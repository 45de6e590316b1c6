"""A panel at the right edge of a page: one of several, or none."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.widgets import IconButton, label, touch_scroll
from app.ui.worded import Worded

WIDTH_PX = 360
NARROW_PX = 960
"""Where a page has less room across, the panel lies under the pictures, not beside them."""
BELOW_PX = 440
"""Its height where it lies below the page instead of beside it."""


class SidePanel(Worded, QFrame):
    """Titled panels that share one place; hidden until one of them is opened.

    Signals:
        closed: the panel was closed by its own button.
    """

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._width_px, self._below = WIDTH_PX, False
        self.setFixedWidth(WIDTH_PX)
        self._pages: dict[str, tuple[str, QWidget]] = {}
        self._title = label("", "title", wrap=False)
        close = IconButton("close", tr("Close the panel"), kind="quiet")
        self._stack = QStackedWidget()
        head = QHBoxLayout()
        head.setContentsMargins(12, 0, 0, 0)
        head.addWidget(self._title, 1)
        head.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.GAP_PX)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.hide()
        close.clicked.connect(self.closed)

    def add_page(self, key: str, title_text: str, content: QWidget) -> None:
        """Offer a panel."""
        room = QWidget()
        column = QVBoxLayout(room)
        column.setContentsMargins(12, 0, 12, 0)
        column.addWidget(content)
        column.addStretch(1)
        page = touch_scroll(room)
        self._pages[key] = (title_text, page)
        self._stack.addWidget(page)

    def turn(self, room: QBoxLayout, *, below: bool) -> bool:
        """Lie below what shares `room` with the panel, or stand beside it.

        Returns:
            Whether that is new.
        """
        direction = QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight
        if direction == room.direction():
            return False
        room.setDirection(direction)
        self._set_below(below)
        return True

    def set_width(self, width_px: int) -> None:
        """Be so wide where it stands beside the page."""
        if width_px != self._width_px:
            self._width_px = width_px
            self._set_below(self._below)

    def _set_below(self, below: bool) -> None:
        """Take the width of what is above, or stand beside it."""
        self._below = below
        self.setMinimumWidth(0 if below else self._width_px)
        self.setMaximumWidth(theme.NO_LIMIT_PX if below else self._width_px)
        self.setMinimumHeight(BELOW_PX if below else 0)
        self.setMaximumHeight(BELOW_PX if below else theme.NO_LIMIT_PX)

    def open_page(self, key: str) -> None:
        """Show one panel; an empty key shows none."""
        if key:
            title_text, page = self._pages[key]
            self._title.setText(title_text)
            self._stack.setCurrentWidget(page)
        self.setVisible(bool(key))
