"""Everything that can be done now, to be found by typing or by scrolling."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.ui import theme
from app.ui.commands import Command, matching
from app.ui.keyboard import TextField
from app.ui.rebinding import shown
from app.ui.widgets import IconButton, Sheet, fling, label

SIZE_PX: Final = (680, 620)
ROW_PX: Final = 56


class Palette(Sheet):
    """A list of commands with their keys.

    Args:
        commands: what can be done.
        parent: the window.

    Signals:
        chosen: the `Command`; the palette has closed.
    """

    chosen = Signal(Command)

    def __init__(self, commands: Sequence[Command], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("What can be done"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._commands = list(commands)
        self._found: list[Command] = []
        self.filter = TextField(tr("Find a command"), placeholder=tr("Type to find a command"))
        self.rows = QTableWidget(0, 2)
        self.rows.setAccessibleName(tr("Commands"))
        self.rows.horizontalHeader().hide()
        self.rows.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.rows.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.rows.verticalHeader().hide()
        self.rows.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.rows.setShowGrid(False)
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.rows.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.rows.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        fling(self.rows.viewport())
        self._nothing = label(tr("No command has that name. Try another word."), "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        close = IconButton("close", tr("Close the list"))
        head = self._head = QHBoxLayout()
        head.setSpacing(theme.GAP_PX)
        head.addWidget(self.filter, 1)
        head.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.SPACE_PX, theme.SPACE_PX, theme.SPACE_PX, theme.SPACE_PX)
        column.setSpacing(theme.GAP_PX)
        column.addLayout(head)
        column.addWidget(self.rows, 1)
        column.addWidget(self._nothing, 1)
        column.addStretch(0)
        self.resize(*SIZE_PX)
        self.resize(self.width(), self.height() - self._left_over_px())
        self.filter.textChanged.connect(self._find)
        self.rows.itemClicked.connect(self._pressed)
        close.clicked.connect(self.reject)
        self._find("")

    @property
    def words(self) -> list[str]:
        """What is listed."""
        return [command.words for command in self._found]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
        if step is not None and self._found:
            self.rows.selectRow((self.rows.currentRow() + step) % len(self._found))
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._choose(self.rows.currentRow())
        else:
            super().keyPressEvent(event)

    def say_again(self) -> None:
        self._find(self.filter.text())

    def _find(self, text: str) -> None:
        self._found = matching(self._commands, text)
        self.rows.setRowCount(len(self._found))
        for row, command in enumerate(self._found):
            for column, said in enumerate((command.words, shown(command.keys))):
                item = QTableWidgetItem(str(said))
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.rows.setItem(row, column, item)
        self.rows.setVisible(bool(self._found))
        self._nothing.setVisible(not self._found)
        if self._found:
            self.rows.selectRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self._room_px()
        self.rows.setMaximumHeight(room - self._left_over_px() if room > ROW_PX else theme.NO_LIMIT_PX)

    def _room_px(self) -> int:
        """For the list, its edges among it."""
        return self.height() - 2 * theme.SPACE_PX - theme.GAP_PX - self._head.sizeHint().height()

    def _left_over_px(self) -> int:
        """Of that room, what is no whole row: half a row looks like a fault."""
        return (self._room_px() - 2 * self.rows.frameWidth()) % ROW_PX

    def _pressed(self, item: QTableWidgetItem) -> None:
        # After the release, in which Qt goes on with this list: what a command does may end it.
        QTimer.singleShot(0, self, partial(self._choose, item.row()))

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._found):
            command = self._found[row]
            self.accept()
            self.chosen.emit(command)
