"""Figures for fingers: a distance is typed without a keyboard."""

from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import joined, tr
from app.ui import theme
from app.ui.widgets import Button, label, set_tone
from app.ui.worded import Worded

KEYS: Final = ("7", "8", "9", "4", "5", "6", "1", "2", "3", ".", "0")
MOST_CHARACTERS: Final = 6
NOTHING: Final = "\u2013"
"""Shown while nothing is typed: 0 might be no number that is taken."""


class NumberPad(Worded, QFrame):
    """Keys for one positive number.

    Args:
        accessible_name: what is typed.
        unit: behind the number, such as "m".
        least: smallest number that is taken.
        most: largest number that is taken.
        cancellable: with a key that closes it; where nothing beside it does.

    Signals:
        entered: the number, or None after the key "Clear".
        finished: the pad is not needed any more.
    """

    entered = Signal(object)
    finished = Signal()

    def __init__(
        self, accessible_name: str, *, unit: str, least: float, most: float, cancellable: bool = False
    ) -> None:
        super().__init__()
        self._unit, self._least, self._most = unit, least, most
        self._text = ""
        self.setProperty("role", "card")
        self.setAccessibleName(accessible_name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._title = label(accessible_name, "title")
        self._shown = label("", "figure", wrap=False)
        self._shown.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._hint = label("", "caption")
        self.top = QVBoxLayout()
        """Room for what the number belongs to."""
        keys = QGridLayout()
        keys.setSpacing(theme.GAP_PX)
        self.keys: dict[str, Button] = {}
        for number, text in enumerate(KEYS):
            self.keys[text] = pad_key(Button(text))
            keys.addWidget(self.keys[text], *divmod(number, 3))
            self.keys[text].clicked.connect(partial(self._type, text))
        self._erase = pad_key(Button("", icon_name="backspace-outline"))
        self._erase.setAccessibleName(tr("Erase the last figure"))
        self._erase.setAutoRepeat(True)
        keys.addWidget(self._erase, *divmod(len(KEYS), 3))
        self.clear = pad_key(Button(tr("Clear")))
        self.done = pad_key(Button(tr("Done"), kind="primary"))
        last = QHBoxLayout()
        last.setSpacing(theme.GAP_PX)
        self.cancel = pad_key(Button(tr("Cancel")))
        last.addWidget(self.cancel)
        if not cancellable:
            self.cancel.hide()
        last.addWidget(self.clear)
        last.addWidget(self.done)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(theme.GAP_PX)
        for part in (self._title, self.top, self._shown, self._hint, keys, last):
            if isinstance(part, QWidget):
                column.addWidget(part)
            else:
                column.addLayout(part)
        self._erase.clicked.connect(self._take_back)
        self.clear.clicked.connect(self._forget)
        self.done.clicked.connect(self._finish)
        self.cancel.clicked.connect(self.finished)
        self._show()

    @property
    def value(self) -> float | None:
        """What is typed, or None where it is no number within the limits."""
        try:
            value = float(self._text)
        except ValueError:
            return None
        return value if self._least <= value <= self._most else None

    def show_value(self, value: float | None) -> None:
        """Begin with this number."""
        self._text = "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")
        self._show()

    def event(self, event: QEvent) -> bool:
        # While figures are typed, the page's own keys have to wait.
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() in self.keys:
            self._type(event.text())
        elif event.text() == ",":
            self._type(".")
        elif event.key() == Qt.Key.Key_Backspace:
            self._take_back()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._finish()
        elif event.key() == Qt.Key.Key_Escape:
            self.finished.emit()
        else:
            super().keyPressEvent(event)

    def _type(self, text: str, _checked: bool = False) -> None:
        if len(self._text) < MOST_CHARACTERS and not (text == "." and "." in self._text):
            self._text += text
            self._show()

    def _take_back(self) -> None:
        self._text = self._text[:-1]
        self._show()

    def _forget(self) -> None:
        self._text = ""
        self._show()
        self.entered.emit(None)

    def _finish(self) -> None:
        if self.value is not None:
            self.entered.emit(self.value)
            self.finished.emit()
        elif not self._text:
            self.finished.emit()

    def _show(self) -> None:
        self._shown.setText(f"{self._text or NOTHING} {self._unit}")
        self._shown.setAccessibleName(joined(" ", (self._text or tr("nothing"), self._unit)))
        refused = bool(self._text) and self.value is None
        self._hint.setText(
            tr("{least:g} to {most:g} {unit}").format(least=self._least, most=self._most, unit=self._unit)
        )
        set_tone(self._hint, "warning" if refused else "")
        self.done.setEnabled(not refused)


def pad_key(button: Button) -> Button:
    """A button made a key of a pad: it takes no focus and all the width there is."""
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setMinimumHeight(theme.SMALLEST_TARGET_PX)
    button.setStyleSheet("padding: 0;")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return button
