"""Asks for the PIN that lets a kiosk go."""

import hmac
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.number_pad import pad_key
from app.ui.widgets import Button, Sheet, body, heading, set_tone
from app.ui.worded import Worded

KEYS: Final = "7894561230"
"""As they lie on the other pads of figures."""
FEWEST_FIGURES: Final = 4
MOST_FIGURES: Final = 8
TRIES: Final = 3
PAUSE_S: Final = 30.0
"""After so many wrong PINs nobody is asked for so long, which makes guessing take days."""
LOOK_MS: Final = 250
WIDTH_PX: Final = 420
KEY_PX: Final = 64
PLACE_PX: Final = 22
PLACE_GAP_PX: Final = 14
RING_PX: Final = 2


class Guard:
    """Compares PINs, and refuses for a while after some wrong ones.

    Args:
        pin: the right one.
        clock: seconds that never go back.
    """

    def __init__(self, pin: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._pin, self._clock = pin, clock
        self._wrong = 0
        self._closed_until_s = 0.0

    @property
    def waits_s(self) -> float:
        """Seconds until the next PIN is looked at."""
        return max(self._closed_until_s - self._clock(), 0.0)

    def opens_with(self, pin: str) -> bool:
        """Whether this is the right one; False while nobody is asked."""
        if self.waits_s:
            return False
        if hmac.compare_digest(pin, self._pin):
            self._wrong = 0
            return True
        self._wrong += 1
        if self._wrong >= TRIES:
            self._wrong = 0
            self._closed_until_s = self._clock() + PAUSE_S
        return False


class Places(Worded, QWidget):
    """A ring for each figure of the shortest PIN, filled as far as figures are typed."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self.setFixedHeight(PLACE_PX + 2 * theme.GAP_PX)

    @property
    def count(self) -> int:
        """Figures typed."""
        return self._count

    def show_count(self, count: int) -> None:
        """Fill so many; a longer PIN gets more places as it is typed."""
        self._count = count
        self.setAccessibleName(tr("{count} figures typed").format(count=count))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place in range(max(self._count, FEWEST_FIGURES)):
            filled = place < self._count
            painter.setPen(QPen(QColor(colours.text if filled else colours.edge), RING_PX))
            painter.setBrush(QColor(colours.text) if filled else Qt.BrushStyle.NoBrush)
            x = RING_PX + place * (PLACE_PX + PLACE_GAP_PX)
            painter.drawEllipse(x, theme.GAP_PX, PLACE_PX, PLACE_PX)


class PinPad(Sheet):
    """Figures for fingers; what is typed is shown as filled rings.

    Args:
        guard: that knows the PIN; kept by the window, so that opening the pad anew gives no new tries.
        parent: the window.

    Signals:
        opened: the PIN was right.
    """

    opened = Signal()

    def __init__(self, guard: Guard, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Leave the kiosk"))
        self.setFixedWidth(WIDTH_PX)
        self._guard = guard
        self._typed = ""
        self._refused = False
        self._places = Places()
        self._note = body("")
        self.keys = {figure: pad_key(Button(figure)) for figure in KEYS}
        self.erase = pad_key(Button("", icon_name="backspace-outline"))
        self.erase.setAccessibleName(tr("Erase the last figure"))
        self.go = pad_key(Button(tr("Leave"), kind="primary"))
        cancel = Button(tr("Stay"))
        grid = QGridLayout()
        grid.setSpacing(theme.GAP_PX)
        for number, figure in enumerate(KEYS[:9]):
            grid.addWidget(self.keys[figure], *divmod(number, 3))
        for number, key in enumerate((self.erase, self.keys["0"], self.go)):
            grid.addWidget(key, 3, number)
        foot = QHBoxLayout()
        foot.addWidget(cancel, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.WIDE_PX] * 4)
        column.setSpacing(theme.SPACE_PX)
        for widget in (heading(tr("PIN to leave")), self._places, self._note):
            column.addWidget(widget)
        column.addLayout(grid)
        column.addLayout(foot)
        for figure, key in self.keys.items():
            key.clicked.connect(partial(self._type, figure))
        for key in (*self.keys.values(), self.erase, self.go):
            key.setMinimumHeight(KEY_PX)
        self.erase.clicked.connect(self._take_back)
        self.go.clicked.connect(self._try)
        cancel.clicked.connect(self.reject)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._show)
        self._timer.start()
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() in self.keys:
            self._type(event.text())
        elif event.text() in {"\r", "\n"}:
            self._try()
        elif event.text() == "\b":
            self._take_back()
        else:
            super().keyPressEvent(event)

    def _type(self, figure: str, _checked: bool = False) -> None:
        self._refused = False
        self._typed = (self._typed + figure)[:MOST_FIGURES]
        self._show()

    def _take_back(self) -> None:
        self._typed = self._typed[:-1]
        self._show()

    def _try(self) -> None:
        if len(self._typed) < FEWEST_FIGURES:
            return
        typed, self._typed = self._typed, ""
        if self._guard.opens_with(typed):
            self.opened.emit()
            self.accept()
            return
        self._refused = True
        self._show()

    def _show(self) -> None:
        self._places.show_count(len(self._typed))
        self.erase.setEnabled(bool(self._typed))
        waits_s = self._guard.waits_s
        for key in self.keys.values():
            key.setEnabled(not waits_s)
        self.go.setEnabled(not waits_s and len(self._typed) >= FEWEST_FIGURES)
        if waits_s:
            self._note.setText(
                tr("That was wrong {tries} times. Wait {waits_s:.0f} s.").format(tries=TRIES, waits_s=waits_s)
            )
        else:
            usual = tr("It is set in the settings, before the kiosk starts.")
            self._note.setText(tr("That is not the PIN.") if self._refused else usual)
        set_tone(self._note, "warning" if waits_s or self._refused else "")
