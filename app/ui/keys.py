"""Keys for fingers: letters with figures beside or above them, and a second set with signs and accents."""

from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.widgets import Button
from app.ui.worded import Worded

LETTERS: Final = ("qwertyuiop", "asdfghjkl-", "zxcvbnm._/")
SIGNS: Final = ("!@#$%&*()+", "=:;,'\"?<>|", "äöüßéèñçåø")
FIGURES: Final = "1234567890"
PAD: Final = ("789", "456", "123", ",0.")
"""The figures as they lie beside the letters where there is room."""
KEY_PX: Final = 52
KEY_GAP_PX: Final = 8
ROOMY_PX: Final = 960
"""Width from which on the figures lie beside the letters."""
SIGNS_WORDS: Final = "!@ä"
LETTERS_WORDS: Final = "abc"


class Key(Button):
    """A key that several fingers can press at once."""

    def __init__(
        self, text: str, *, icon_name: str = "", kind: str = "plain", checkable: bool = False
    ) -> None:
        super().__init__(text, icon_name=icon_name, kind=kind, checkable=checkable)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(KEY_PX)
        self.setMinimumWidth(theme.SMALLEST_TARGET_PX)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)

    def event(self, event: QEvent) -> bool:
        # As a mouse, only the first finger would count, and quick typists have the next one down before.
        if event.type() == QEvent.Type.TouchBegin:
            event.accept()
            self.setDown(True)
            return True
        if event.type() == QEvent.Type.TouchEnd:
            if self.isDown():
                self.click()
            self.setDown(False)
            self.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, False)  # no finger hovers
            return True
        if event.type() == QEvent.Type.TouchCancel:
            self.setDown(False)
            return True
        return super().event(event)


class TouchKeys(Worded, QFrame):
    """An on-screen keyboard.

    Signals:
        typed: one character.
        erased: the key that takes back the last one.
        moved: -1 or 1, the caret shall go by one character.
        finished: the key that is done.
        hidden: the keys are not needed any more.
        resized: the window was turned or made larger or smaller.
    """

    typed = Signal(str)
    erased = Signal()
    moved = Signal(int)
    finished = Signal()
    hidden = Signal()
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "group")
        self.setAccessibleName(tr("On-screen keyboard"))
        self.setStyleSheet(f"QPushButton {{ padding: 0; font-size: {theme.TITLE_PX}px; }}")
        self.letters = [[self._key(letter) for letter in row] for row in LETTERS]
        self._figures = [self._key(figure) for figure in FIGURES]
        self._pad = [[self._key(figure) for figure in row] for row in PAD]
        self.shift = Key("", icon_name="apple-keyboard-shift", checkable=True)
        self.shift.setAccessibleName(tr("Capital letters"))
        self.signs = Key(SIGNS_WORDS, checkable=True)
        self.signs.setAccessibleName(tr("Signs and accents"))
        self.space = Key(tr("Space"))
        self.erase = Key("", icon_name="backspace-outline")
        self.erase.setAccessibleName(tr("Erase the last character"))
        # Held, it repeats; that is the business of a pressed mouse button in Qt.
        self.erase.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents, False)
        self.erase.setAutoRepeat(True)
        left, right = Key("", icon_name="chevron-left"), Key("", icon_name="chevron-right")
        left.setAccessibleName(tr("One character to the left"))
        right.setAccessibleName(tr("One character to the right"))
        hide = Key("", icon_name="keyboard-close-outline")
        hide.setAccessibleName(tr("Put the keyboard away"))
        self.done = Key(tr("Done"), kind="primary")
        self._low = {
            self.shift: 3, self.signs: 3, left: 2, self.space: 6, right: 2, self.erase: 3, hide: 2,
            self.done: 4,
        }  # fmt: skip
        """The keys of the lowest row, and their shares of it."""
        self._figures_row, self._pad_room = QWidget(), QWidget()
        self._lay_out()
        self._show_figures(roomy=False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.shift.toggled.connect(self._show_words)
        self.signs.toggled.connect(self._show_words)
        self.space.clicked.connect(self._space)
        self.erase.clicked.connect(self.erased)
        left.clicked.connect(self._to_the_left)
        right.clicked.connect(self._to_the_right)
        hide.clicked.connect(self.hidden)
        self.done.clicked.connect(self.finished)

    def sizeHint(self) -> QSize:
        rows = 4 if self._roomy else 5
        frame = 2 * theme.current().border_px
        return QSize(ROOMY_PX, rows * KEY_PX + (rows + 1) * KEY_GAP_PX + frame)

    def minimumSizeHint(self) -> QSize:
        across = 10 * theme.SMALLEST_TARGET_PX + 11 * KEY_GAP_PX
        return QSize(across, self.sizeHint().height())

    def key(self, text: str) -> Key:
        """The key that types this character now, or that has this name.

        Raises:
            KeyError: there is none.
        """
        for key in (*(k for row in (*self.letters, *self._pad) for k in row), *self._figures, *self._low):
            if key.isVisible() and text in {typed_by(key), key.accessibleName()}:
                return key
        raise KeyError(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = self.width() >= ROOMY_PX
        if roomy != self._roomy:
            self._show_figures(roomy=roomy)
            self.updateGeometry()
        self.resized.emit()

    def _key(self, text: str) -> Key:
        key = Key(text)
        key.clicked.connect(self._pressed)
        return key

    def _lay_out(self) -> None:
        rows = QVBoxLayout()
        rows.setSpacing(KEY_GAP_PX)
        self._figures_row.setLayout(_row(dict.fromkeys(self._figures, 1)))
        rows.addWidget(self._figures_row)
        for keys in self.letters:
            rows.addLayout(_row(dict.fromkeys(keys, 1)))
        rows.addLayout(_row(self._low))
        pad = QVBoxLayout(self._pad_room)
        pad.setContentsMargins(0, 0, 0, 0)
        pad.setSpacing(KEY_GAP_PX)
        for keys in self._pad:
            pad.addLayout(_row(dict.fromkeys(keys, 1)))
        whole = QHBoxLayout(self)
        whole.setContentsMargins(KEY_GAP_PX, KEY_GAP_PX, KEY_GAP_PX, KEY_GAP_PX)
        whole.setSpacing(theme.SPACE_PX)
        whole.addLayout(rows, 10)
        whole.addWidget(self._pad_room, 3)

    def _show_figures(self, *, roomy: bool) -> None:
        """In the uppermost row, or beside the letters."""
        self._roomy = roomy
        self._figures_row.setVisible(not roomy)
        self._pad_room.setVisible(roomy)

    def _pressed(self) -> None:
        key = self.sender()
        assert isinstance(key, Button)
        self.typed.emit(typed_by(key))
        self.shift.setChecked(False)

    def _space(self) -> None:
        self.typed.emit(" ")

    def _to_the_left(self) -> None:
        self.moved.emit(-1)

    def _to_the_right(self) -> None:
        self.moved.emit(1)

    def _show_words(self, _checked: bool) -> None:
        rows = SIGNS if self.signs.isChecked() else LETTERS
        capital = self.shift.isChecked()
        for keys, row in zip(self.letters, rows, strict=True):
            for key, sign in zip(keys, row, strict=True):
                shown = sign.upper() if capital and sign != "ß" else sign
                key.setText(shown.replace("&", "&&"))  # one alone would underline what follows
        self.signs.setText(LETTERS_WORDS if self.signs.isChecked() else SIGNS_WORDS)


def typed_by(key: Button) -> str:
    """What a key types, as its words say."""
    return key.text().replace("&&", "&")


def _row(keys: dict[Key, int]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(KEY_GAP_PX)
    for key, share in keys.items():
        row.addWidget(key, share)
    return row
