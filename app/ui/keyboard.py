"""Text fields for fingers, and the on-screen keyboard that comes to them and goes again."""

import time
from collections.abc import Callable, Iterator
from typing import Final

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QMouseEvent, QPointingDevice
from PySide6.QtWidgets import QApplication, QBoxLayout, QDialog, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.keys import TouchKeys
from app.ui.worded import LineEdit

PHYSICAL_S: Final = 300.0
"""So long after a key of a real keyboard was pressed, a touched field does not bring the keys by itself."""
MARGIN_PX: Final = 12
PASSING: Final = frozenset({Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason})
"""Reasons for which a field loses the focus only for a moment."""


class _Wishes(QObject):
    """What all text fields tell to the keyboards of all windows.

    Signals:
        tapped: the field, and whether it was by a finger.
        wanted: the field whose button was pressed.
        typed: the field, on a real keyboard.
        left: the field.
    """

    tapped = Signal(QLineEdit, bool)
    wanted = Signal(QLineEdit)
    typed = Signal(QLineEdit)
    left = Signal(QLineEdit)


WISHES: Final = _Wishes()


class TextField(LineEdit):
    """A line of text that says when it is touched.

    Args:
        accessible_name: what is typed.
        placeholder: shown while it is empty.
    """

    def __init__(self, accessible_name: str, *, placeholder: str = "") -> None:
        super().__init__()
        self.setAccessibleName(accessible_name)
        self.setPlaceholderText(placeholder)
        self.setMinimumHeight(theme.TARGET_PX)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        by_finger = event.device().type() == QPointingDevice.DeviceType.TouchScreen
        WISHES.tapped.emit(self, by_finger)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.spontaneous() and event.text():
            WISHES.typed.emit(self)
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in PASSING:
            WISHES.left.emit(self)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        WISHES.left.emit(self)


class OnScreenKeyboard(QObject):
    """Shows keys for the text field that was touched.

    The keys lie in the field's own window, so that a dialog has them as well, and make the page smaller
    instead of covering it.

    Args:
        window: the window whose fields and dialogs are served.
        room: layout of that window in which the keys appear.
        mode: "auto", "always" or "never", as the settings say now.
    """

    def __init__(self, window: QWidget, room: QVBoxLayout, mode: Callable[[], str]) -> None:
        super().__init__(window)
        self._window, self._room, self._mode = window, room, mode
        self._field: QLineEdit | None = None
        self._keys: TouchKeys | None = None
        self._typed_s = float("-inf")
        WISHES.tapped.connect(self._tapped)
        WISHES.wanted.connect(self._wanted)
        WISHES.typed.connect(self._typed)
        WISHES.left.connect(self._left)

    @property
    def keys(self) -> TouchKeys | None:
        """What is on the screen now."""
        return self._keys

    def show_for(self, field: QLineEdit) -> None:
        """Bring the keys to a field of this window or of one of its dialogs."""
        if self._keys is not None and self._keys.window() is not field.window():
            self.hide()
        self._field = field
        if self._keys is None:
            self._keys = self._placed(field.window())
            self._keys.show()
        for area in _areas_above(field):
            area.installEventFilter(self)  # one that is there already does not count twice
        self._uncover_soon()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self._keys is not None:
            self._uncover_soon()  # the page that is typed into has another size
        return super().eventFilter(watched, event)

    def hide(self) -> None:
        """Take the keys away; the field keeps the focus."""
        keys, self._keys, self._field = self._keys, None, None
        if keys is not None and shiboken6.isValid(keys):
            keys.hide()
            keys.deleteLater()

    def _tapped(self, field: QLineEdit, by_finger: bool) -> None:
        typing = time.monotonic() - self._typed_s < PHYSICAL_S
        mode = self._mode()
        comes = mode == "always" or (mode == "auto" and by_finger and not typing)
        if self._owns(field) and not field.isReadOnly() and (comes or self._keys is not None):
            self.show_for(field)

    def _wanted(self, field: QLineEdit) -> None:
        if not self._owns(field):
            return
        if self._field is field:
            self.hide()
        else:
            self.show_for(field)

    def _typed(self, field: QLineEdit) -> None:
        if self._owns(field):
            self._typed_s = time.monotonic()
            if self._mode() == "auto":
                self.hide()

    def _left(self, field: QLineEdit) -> None:
        if field is self._field:  # perhaps for another field, whose tap is told in a moment
            QTimer.singleShot(0, self, self._hide_if_left)

    def _hide_if_left(self) -> None:
        keys = self._keys
        now = None if keys is None or not shiboken6.isValid(keys) else keys.window().focusWidget()
        if isinstance(now, TextField) and now.isVisible():
            self._field = now  # another field was touched: nothing moves below the finger
        else:
            self.hide()

    def _owns(self, field: QLineEdit) -> bool:
        window: QWidget | None = field.window()
        while window is not None:
            if window is self._window:
                return True
            window = window.parentWidget()
        return self._window.isAncestorOf(field)

    def _placed(self, window: QWidget) -> TouchKeys:
        keys = TouchKeys()
        keys.hide()
        keys.typed.connect(self._type)
        keys.erased.connect(self._erase)
        keys.moved.connect(self._move)
        keys.finished.connect(self._finish)
        keys.hidden.connect(self.hide)
        keys.resized.connect(self._uncover_soon)
        layout = window.layout()
        if isinstance(window, QDialog) and isinstance(layout, QBoxLayout):
            layout.addWidget(keys)
            self._make_room(window, keys)
        else:
            self._room.addWidget(keys)
        return keys

    def _make_room(self, dialog: QWidget, keys: TouchKeys) -> None:
        """A dialog grows by its keys, as far as the window below it allows."""
        whole = self._window.frameGeometry()
        width = max(dialog.width(), keys.minimumSizeHint().width() + 4 * MARGIN_PX)
        height = min(dialog.height() + keys.minimumSizeHint().height(), whole.height() - 2 * MARGIN_PX)
        dialog.resize(min(width, whole.width()), height)
        dialog.setProperty("wanted", dialog.size())  # also when the window is turned
        dialog.move(whole.center() - dialog.rect().center())

    def _uncover_soon(self) -> None:
        QTimer.singleShot(0, self, self._uncover)

    def _uncover(self) -> None:
        """Scroll the field to where it can be seen."""
        field = self._field
        if field is None or not shiboken6.isValid(field):
            return
        layout = field.window().layout()
        if layout is not None:
            layout.activate()  # the keys have their room now, and the page has less
        for area in _areas_above(field):
            # Not `ensureWidgetVisible`, for which a field is in view as soon as its cursor is.
            content = area.widget()
            assert content is not None
            middle = field.mapTo(content, field.rect().center())
            area.ensureVisible(middle.x(), middle.y(), MARGIN_PX, field.height() // 2 + 2 * MARGIN_PX)

    def _type(self, text: str) -> None:
        self._press(Qt.Key(ord(text.upper())) if text.isascii() else Qt.Key.Key_unknown, text)

    def _erase(self) -> None:
        self._press(Qt.Key.Key_Backspace)

    def _move(self, by: int) -> None:
        self._press(Qt.Key.Key_Left if by < 0 else Qt.Key.Key_Right)

    def _finish(self) -> None:
        field = self._field
        self._press(Qt.Key.Key_Return, "\r")
        self.hide()
        if field is not None and shiboken6.isValid(field):
            field.clearFocus()  # what is typed counts, as when a field is left

    def _press(self, key: Qt.Key, text: str = "") -> None:
        """A key for the field alone: the page's shortcuts do not hear it."""
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            field = self._field
            if field is not None and shiboken6.isValid(field):
                QApplication.sendEvent(field, QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier, text))


def _areas_above(field: QWidget) -> Iterator[QScrollArea]:
    """What the field can be scrolled in, the innermost first."""
    above = field.parentWidget()
    while above is not None:
        if isinstance(above, QScrollArea):
            yield above
        above = above.parentWidget()
