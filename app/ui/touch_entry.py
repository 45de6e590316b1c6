"""A line of text that can be typed without a keyboard: keys for fingers open below it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.widgets import Button, IconButton
from app.ui.worded import LineEdit, Worded

ROWS = ("1234567890", "qwertyuiop", "asdfghjkl-", "zxcvbnm_./")
KEY_GAP_PX = 6


class TouchKeys(Worded, QFrame):
    """Letters, figures and a few signs.

    Signals:
        typed: one character.
        erased: the key that takes back the last one.
        finished: the key that is done.
    """

    typed = Signal(str)
    erased = Signal()
    finished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "group")
        self.setAccessibleName(tr("On-screen keyboard"))
        self.setStyleSheet("QPushButton { padding: 0; }")
        self._letters: list[Button] = []
        self._shift = Button("", icon_name="apple-keyboard-shift", checkable=True)
        self._shift.setAccessibleName(tr("Capital letters"))
        space = Button(tr("Space"))
        erase = Button("", icon_name="backspace-outline")
        erase.setAccessibleName(tr("Erase the last character"))
        erase.setAutoRepeat(True)
        done = Button(tr("Done"), kind="primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(KEY_GAP_PX, KEY_GAP_PX, KEY_GAP_PX, KEY_GAP_PX)
        column.setSpacing(KEY_GAP_PX)
        for letters in ROWS:
            row = QHBoxLayout()
            row.setSpacing(KEY_GAP_PX)
            for letter in letters:
                key = Button(letter)
                self._letters.append(key)
                row.addWidget(key, 1)
                key.clicked.connect(self._pressed)
            column.addLayout(row)
        last = QHBoxLayout()
        last.setSpacing(KEY_GAP_PX)
        for key, share in ((self._shift, 2), (space, 5), (erase, 2), (done, 2)):
            last.addWidget(key, share)
        column.addLayout(last)
        for key in (*self._letters, self._shift, space, erase, done):
            key.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            key.setMinimumHeight(theme.SMALLEST_TARGET_PX)
            key.setMinimumWidth(theme.SMALLEST_TARGET_PX)
            key.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._shift.toggled.connect(self._show_case)
        space.clicked.connect(self._space)
        erase.clicked.connect(self.erased)
        done.clicked.connect(self.finished)

    def _pressed(self) -> None:
        key = self.sender()
        assert isinstance(key, Button)
        self.typed.emit(key.text())
        self._shift.setChecked(False)

    def _space(self) -> None:
        self.typed.emit(" ")

    def _show_case(self, capital: bool) -> None:
        for key in self._letters:
            key.setText(key.text().upper() if capital else key.text().lower())


class TouchEntry(Worded, QWidget):
    """A line edit, a button that opens the keys, and perhaps one that hands the text over.

    Args:
        accessible_name: what is typed.
        placeholder: shown while it is empty.
        submit_text: of the button, or empty for none.
        submit_icon: of the button.

    Signals:
        edited: the text, with every change by hand.
        submitted: the text, after the button, the key "Done" or Return.
    """

    edited = Signal(str)
    submitted = Signal(str)

    def __init__(
        self, accessible_name: str, *, placeholder: str = "", submit_text: str = "", submit_icon: str = ""
    ) -> None:
        super().__init__()
        self.edit = LineEdit()
        self.edit.setAccessibleName(accessible_name)
        self.edit.setPlaceholderText(placeholder)
        self.edit.setMinimumHeight(theme.TARGET_PX)
        self._keyboard = IconButton(
            "keyboard-outline",
            tr("Keyboard for: {accessible_name}").format(accessible_name=accessible_name),
            checkable=True,
        )
        self._submit = Button(submit_text, icon_name=submit_icon)
        self._submit.setVisible(bool(submit_text))
        self._keys: TouchKeys | None = None
        row = QHBoxLayout()
        row.setSpacing(theme.GAP_PX)
        row.addWidget(self.edit, 1)
        row.addWidget(self._keyboard)
        row.addWidget(self._submit)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.GAP_PX)
        self._column.addLayout(row)
        self.edit.textEdited.connect(self.edited)
        self.edit.returnPressed.connect(self._hand_over)
        self._submit.clicked.connect(self._hand_over)
        self._keyboard.toggled.connect(self._open_keys)

    @property
    def text(self) -> str:
        """As it stands."""
        return self.edit.text()

    def set_text(self, text: str) -> None:
        """Show this text, without a signal; what is being typed is left alone."""
        if text != self.edit.text() and not self.edit.hasFocus():
            self.edit.setText(text)

    def clear(self) -> None:
        """Show nothing, without a signal."""
        self.edit.clear()

    def _open_keys(self, shown: bool) -> None:
        if self._keys is None:
            self._keys = self._make_keys()
        self._keys.setVisible(shown)
        if shown:
            self.edit.setFocus()

    def _make_keys(self) -> TouchKeys:
        # Forty buttons take a quarter of a second on a slow panel: only where somebody asks for them.
        keys = TouchKeys()
        keys.typed.connect(self._type)
        keys.erased.connect(self._erase)
        keys.finished.connect(self._done)
        self._column.addWidget(keys)
        return keys

    def _type(self, text: str) -> None:
        self.edit.insert(text)
        self.edited.emit(self.edit.text())

    def _erase(self) -> None:
        self.edit.backspace()
        self.edited.emit(self.edit.text())

    def _done(self) -> None:
        self._keyboard.setChecked(False)
        self._hand_over()

    def _hand_over(self) -> None:
        self.submitted.emit(self.edit.text())
