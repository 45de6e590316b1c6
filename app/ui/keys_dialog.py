"""Every command with its key: touch a row, press another key."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QVBoxLayout, QWidget

from app.language import english, joined, tr
from app.ui import theme
from app.ui.keyboard import TextField
from app.ui.rebinding import (
    FIXED_ENTRIES,
    NO_KEYS,
    PLACES,
    Changed,
    Entry,
    given,
    holders,
    keys_of,
    pressed,
    shown,
    without,
)
from app.ui.titled_row import ground_of
from app.ui.widgets import Button, IconButton, PrimaryButton, Sheet, body, caption, set_tone, touch_scroll
from app.ui.worded import Worded

ROW_PX: Final = 56
LARGEST_PX: Final = (820, 900)
NOTE_PX: Final = 52


class KeyRow(Worded, QAbstractButton):
    """A command at the left, its keys at the right."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry
        self._keys = ""
        self.setCheckable(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedHeight(ROW_PX)

    @property
    def keys(self) -> str:
        """What stands at the right."""
        return self._keys

    def show_keys(self, changed: Changed) -> None:
        """Show the keys of the command."""
        self._keys = shown(keys_of(changed, self.entry))
        self.setAccessibleName(joined(": ", (self.entry.words, self._keys or tr("no key"))))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(2 * LARGEST_PX[0] // 3, ROW_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, chosen = theme.current(), self.isChecked()
        painter = ground_of(self)
        inner = self.rect().adjusted(theme.SPACE_PX, 0, -theme.SPACE_PX, 0)
        painter.setPen(QColor(colours.on_chosen if chosen else colours.text))
        painter.setFont(theme.font(theme.CONTROL_PX, weight=theme.BOLD))
        keys = self._keys or str(tr("none"))
        if not self._keys:
            painter.setPen(QColor(colours.on_chosen if chosen else colours.muted))
            painter.setFont(theme.font(theme.CONTROL_PX))
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, keys)
        room = inner.width() - painter.fontMetrics().horizontalAdvance(keys) - theme.SPACE_PX
        painter.setPen(QColor(colours.on_chosen if chosen else colours.text))
        painter.setFont(theme.font(theme.CONTROL_PX))
        words = painter.fontMetrics().elidedText(str(self.entry.words), Qt.TextElideMode.ElideRight, room)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)


class KeysDialog(Sheet):
    """Lists commands; the row that was touched takes the next key that is pressed.

    Args:
        entries: the commands, those of one place together.
        changed: what differs from the usual keys.
        parent: the window.

    Signals:
        rebound: the `Changed` that shall hold from now on.
    """

    rebound = Signal(object)

    _waiting: KeyRow | None = None

    def __init__(self, entries: Sequence[Entry], changed: Changed, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._entries = [*entries, *FIXED_ENTRIES]
        self._changed, self._before = changed, changed
        self._wanted = ""
        self.filter = TextField(tr("Find a command"), placeholder=tr("Type to find a command"))
        self.rows: list[KeyRow] = []
        self._headings: dict[str, QWidget] = {}
        self.note = body()
        self.note.setMinimumHeight(NOTE_PX)
        self.move_here = PrimaryButton(tr("Move it here"))
        self.keep = Button(tr("Keep the old key"))
        self.remove = Button(tr("Remove the key"))
        self.undo = Button(tr("Undo"), icon_name="undo")
        self.reset = Button(tr("Back to the default keys"), icon_name="restore")
        close = IconButton("close", tr("Close the list"))
        head = QHBoxLayout()
        head.setSpacing(theme.GAP_PX)
        head.addWidget(self.filter, 1)
        head.addWidget(close)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP_PX)
        foot.addStretch(1)
        for button in (self.undo, self.reset, self.remove, self.keep, self.move_here):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.SPACE_PX] * 4)
        column.setSpacing(theme.GAP_PX)
        column.addLayout(head)
        column.addWidget(touch_scroll(self._list(entries)), 1)
        column.addWidget(self.note)
        column.addLayout(foot)
        window = parent.window().size()
        self.resize(min(LARGEST_PX[0], window.width() - 40), min(LARGEST_PX[1], window.height() - 40))
        self.filter.textChanged.connect(self._find)
        self.move_here.clicked.connect(self._move)
        self.keep.clicked.connect(self._rest)
        self.remove.clicked.connect(self._remove)
        self.undo.clicked.connect(self._undo)
        self.reset.clicked.connect(self._reset)
        close.clicked.connect(self.reject)
        self._show_keys()
        self._rest()

    def event(self, event: QEvent) -> bool:
        # Before Tab moves the focus and Esc closes: the key that is awaited may be any.
        if self._waiting is not None and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress:
                self._key_pressed(event)
            event.accept()
            return True
        return super().event(event)

    def say_again(self) -> None:
        for row in self.rows:
            row.update()

    def _list(self, entries: Sequence[Entry]) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.GAP_PX, 0)
        column.setSpacing(theme.GAP_PX)
        for entry in entries:
            if entry.place not in self._headings:
                self._headings[entry.place] = caption(tr(PLACES[entry.place]))
                column.addWidget(self._headings[entry.place])
            row = KeyRow(entry)
            row.clicked.connect(partial(self._touched, row))
            self.rows.append(row)
            column.addWidget(row)
        column.addStretch(1)
        return content

    def _find(self, text: str) -> None:
        self._wait_no_more()
        wanted = text.casefold().split()
        for row in self.rows:
            said = f"{row.entry.words} {english(row.entry.words)} {row.keys}".casefold()
            row.setVisible(all(word in said for word in wanted))
        for place, words in self._headings.items():
            words.setVisible(any(not row.isHidden() for row in self.rows if row.entry.place == place))

    def _touched(self, row: KeyRow, _checked: bool = False) -> None:
        self._waiting, self._wanted = row, ""
        for other in self.rows:
            other.setChecked(other is row)
        self._tell(
            tr("Press the new key for: {command}. Esc keeps the old one, Delete removes it.").format(
                command=row.entry.words
            )
        )
        self._offer(self.keep, self.remove)
        self.setFocus()

    def _key_pressed(self, event: QKeyEvent) -> None:
        key = pressed(event.key(), event.modifiers())
        if key == "Esc":
            self._rest()
        elif key == "Del":
            self._remove()
        elif key and not event.isAutoRepeat():
            self._want(key)

    def _want(self, key: str) -> None:
        assert self._waiting is not None
        entry = self._waiting.entry
        others = holders(self._entries, self._changed, entry, key)
        self._wanted = key
        if key in NO_KEYS:
            words = tr("{key} goes through the controls of the window. Press another key.")
            self._refuse(words.format(key=shown((key,))))
        elif fixed := [other for other in others if other.fixed]:
            words = tr("{key} stays the key for: {command}. Press another key.")
            self._refuse(words.format(key=shown((key,)), command=fixed[0].words))
        elif others:
            names = joined(
                ", ",
                (
                    tr("{command} ({place})").format(command=other.words, place=PLACES[other.place])
                    for other in others
                ),
            )
            self._tell(
                tr("{key} is the key for: {commands}. Move it, or press another key.").format(
                    key=shown((key,)), commands=names
                ),
                "warning",
            )
            self._offer(self.keep, self.move_here)
        else:
            self._move()

    def _refuse(self, words: str) -> None:
        self._tell(words, "warning")
        self._offer(self.keep, self.remove)

    def _move(self) -> None:
        assert self._waiting is not None
        self._rebind(given(self._entries, self._changed, self._waiting.entry, self._wanted))

    def _remove(self) -> None:
        assert self._waiting is not None
        self._rebind(without(self._changed, self._waiting.entry))

    def _undo(self) -> None:
        self._rebind(self._before)

    def _reset(self) -> None:
        self._rebind({})

    def _rebind(self, changed: Changed) -> None:
        self._before, self._changed = self._changed, changed
        self._show_keys()
        self._rest()
        self._offer(self.undo, self.reset)
        self.rebound.emit(changed)

    def _show_keys(self) -> None:
        for row in self.rows:
            row.show_keys(self._changed)

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.setFocus()
        self._wait_no_more()

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.setChecked(False)
        self._waiting = None
        self._tell(tr("Touch a command, then press its new key on a keyboard."))
        self._offer(self.reset)

    def _tell(self, words: str, tone: str = "") -> None:
        self.note.setText(words)
        set_tone(self.note, tone)

    def _offer(self, *buttons: Button) -> None:
        for button in (self.undo, self.reset, self.remove, self.keep, self.move_here):
            button.setVisible(button in buttons)
        self.reset.setEnabled(bool(self._changed))
