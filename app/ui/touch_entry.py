"""A line of text that can be typed without a keyboard: a touch brings the keys, and so does a button."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.keyboard import WISHES, TextField
from app.ui.widgets import Button, IconButton
from app.ui.worded import Worded

NARROW_PX = 320
"""With less, the typed words have the room of the button for the keys; a touch brings them too."""


SUBMIT_PX = 116
"""Of entries below each other the buttons for the keys stand below each other."""


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
        self.edit = TextField(accessible_name, placeholder=placeholder)
        self._keyboard = IconButton(
            "keyboard-outline", tr("Keyboard for: {accessible_name}").format(accessible_name=accessible_name)
        )
        self._submit = Button(submit_text, icon_name=submit_icon)
        self._submit.setMinimumWidth(SUBMIT_PX)
        self._submit.setVisible(bool(submit_text))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP_PX)
        row.addWidget(self.edit, 1)
        row.addWidget(self._keyboard)
        row.addWidget(self._submit)
        self.edit.textEdited.connect(self.edited)
        self.edit.returnPressed.connect(self._hand_over)
        self._submit.clicked.connect(self._hand_over)
        self._keyboard.clicked.connect(self._want_keys)

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keyboard.setVisible(self._submit.isHidden() or self.width() >= NARROW_PX)

    def _want_keys(self) -> None:
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        WISHES.wanted.emit(self.edit)

    def _hand_over(self) -> None:
        self.submitted.emit(self.edit.text())
