"""What is measured, in figures: tools above, one card for each mark below."""

from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.language import joined, tr, tr_noop
from app.ui import theme
from app.ui.profile_chart import ProfileChart
from app.ui.rebinding import keyed
from app.ui.widgets import Button, Card, IconButton, Option, Segmented, label
from app.ui.worded import Worded
from app.viewmodels.measure import Measured, Tool, length_words
from app.viewmodels.measuring import Stats
from app.viewmodels.readout import depth_words

TOOLS: Final = (
    Option("point", tr_noop("Point"), hint=tr_noop("Tap to pin a point")),
    Option("distance", tr_noop("Distance"), hint=tr_noop("Tap two points, or drag from one to the other")),
    Option("area", tr_noop("Area"), hint=tr_noop("Drag a rectangle (Shift with any other tool)")),
    Option("line", tr_noop("Line"), hint=tr_noop("Drag a line and see its profile")),
)
HOW: Final[dict[str, str]] = {
    "point": tr_noop("Tap a picture to pin a point."),
    "distance": tr_noop("Tap two points, or drag from one to the other."),
    "area": tr_noop("Drag a rectangle over a picture."),
    "line": tr_noop("Drag a line over a picture."),
}
NAMES: Final = {
    "point": tr_noop("Point"),
    "distance": tr_noop("Distance"),
    "area": tr_noop("Area"),
    "line": tr_noop("Line"),
}
ROWS: Final = (
    (tr_noop("Mean"), "mean_m"),
    (tr_noop("Median"), "median_m"),
    (tr_noop("Std"), "std_m"),
    (tr_noop("Min"), "min_m"),
    (tr_noop("Max"), "max_m"),
)
FINE_M: Final = 0.1
"""A spread below this is said to the tenth of a millimetre."""
WIDEST_VALUE: Final = "00.000 m"
CHART_GAP_PX: Final = 12


class MeasurePanel(Worded, QWidget):
    """Tools, and the values of all marks.

    Signals:
        tool_chosen: what the next touch measures.
        remove_requested: number of a mark.
        undo_requested: forget the newest mark.
        clear_requested: forget all marks.
    """

    tool_chosen = Signal(str)
    remove_requested = Signal(int)
    undo_requested = Signal()
    clear_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tools = Segmented(TOOLS, tr("What to measure"))
        self.tools.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._how = label("", "muted")
        self.undo = Button(tr("Undo"), icon_name="undo")
        self.undo.setToolTip(keyed(tr("Forget the newest mark (Ctrl+Z)"), "Live"))
        self.clear = Button(tr("Clear all"), icon_name="delete-outline")
        self.clear.setToolTip(keyed(tr("Forget all marks (Delete)"), "Live"))
        self.cards: dict[int, MarkCard] = {}
        self._column = QVBoxLayout()
        self._column.setSpacing(theme.GAP_PX)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP_PX)
        buttons.addWidget(self.undo)
        buttons.addWidget(self.clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.tools)
        column.addWidget(self._how)
        column.addLayout(buttons)
        column.addLayout(self._column)
        self.tools.changed.connect(self._tool_changed)
        self.undo.clicked.connect(self.undo_requested)
        self.clear.clicked.connect(self.clear_requested)
        self.show_marks([])
        self.show_tool("point")

    def show_tool(self, tool: Tool) -> None:
        """Show which tool is in hand."""
        if tool in HOW:
            self.tools.select(tool)
            self._how.setText(HOW[tool])

    def show_marks(self, marks: list[Measured]) -> None:
        """Show the values of this moment, the newest mark on top."""
        numbers = {found.mark.number for found in marks}
        for number in [number for number in self.cards if number not in numbers]:
            card = self.cards.pop(number)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for found in marks:
            number = found.mark.number
            if number not in self.cards:
                self.cards[number] = MarkCard(found)
                self.cards[number].remove.clicked.connect(partial(self._remove, number))
                self._column.insertWidget(0, self.cards[number])
            self.cards[number].show_values(found)
        for button in (self.undo, self.clear):
            button.setEnabled(bool(marks))

    def _remove(self, number: int) -> None:
        self.remove_requested.emit(number)

    def _tool_changed(self, keys: list[str]) -> None:
        self.tool_chosen.emit(keys[0])


class MarkCard(Card):
    """The values of one mark."""

    def __init__(self, found: Measured) -> None:
        super().__init__(margin_px=10)
        self.column.setSpacing(4)
        name = joined(" ", (NAMES[found.mark.stroke.tool], str(found.mark.number)))
        self.remove = IconButton(
            "close", tr("Forget mark {number}").format(number=found.mark.number), kind="quiet"
        )
        self.remove.setFixedSize(theme.SMALLEST_TARGET_PX, theme.SMALLEST_TARGET_PX)
        head = QHBoxLayout()
        head.addWidget(label(name, "title", wrap=False), 1)
        head.addWidget(self.remove)
        self.column.addLayout(head)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        widest = QFontMetrics(_value_font()).horizontalAdvance(WIDEST_VALUE)
        for column in (1, 2):
            self._grid.setColumnMinimumWidth(column, widest)
        self.column.addLayout(self._grid)
        self._cells: dict[tuple[int, int], QLabel] = {}
        self._note = label("", "caption")
        self.column.addWidget(self._note)
        self._chart = ProfileChart() if found.mark.stroke.tool == "line" else None
        if self._chart is not None:
            self.column.addSpacing(CHART_GAP_PX)
            self.column.addWidget(self._chart)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The words on the card, row by row."""
        places = sorted(self._cells)
        last = places[-1][0] if places else -1
        return [tuple(self._cells[p].text() for p in places if p[0] == row) for row in range(last + 1)]

    def show_values(self, found: Measured) -> None:
        """Show the values of this moment."""
        tool, note = found.mark.stroke.tool, found.note
        if tool == "point" and found.point is not None:
            self._fill([("", tr("Raw"), tr("Refined")), (tr("Depth"), found.point.raw, found.point.refined)])
            note = found.point.provenance
        elif tool == "area" and found.raw_stats is not None:
            self._show_area(found.raw_stats, found.refined_stats, found.withheld)
            note = joined("\n", filter(None, (note, _size(found.raw_stats, found.refined_stats))))
        elif tool in {"distance", "line"} and found.words:
            name = tr("Length") if tool == "line" else tr("Distance")
            refined = found.withheld or length_words(found.refined_m)
            self._fill([("", tr("Raw"), tr("Refined")), (name, length_words(found.raw_m), refined)])
            if self._chart is not None and found.raw_profile is not None:
                length_m = found.raw_m if found.refined_m is None else found.refined_m
                self._chart.show_profiles(found.raw_profile, found.refined_profile, length_m)
        else:
            note = tr("No picture here")
        self._note.setText(note)
        self._note.setVisible(bool(self._note.text()))

    def _show_area(self, raw: Stats, refined: Stats | None, withheld: str) -> None:
        both = (raw, refined)
        rows: list[tuple[str, ...]] = [("", tr("Raw"), tr("Refined"))]
        rows += [
            (word, *(withheld if one is None else _value(one, name) for one in both)) for word, name in ROWS
        ]
        rows.append((tr("Fill Rate"), *(withheld if one is None else f"{one.fill:.1%}" for one in both)))
        self._fill(rows)

    def _fill(self, rows: list[tuple[str, ...]]) -> None:
        for i, row in enumerate(rows):
            for j, words in enumerate(row):
                if (i, j) not in self._cells:
                    cell = label("", "caption" if i == 0 or j == 0 else "body", wrap=False)
                    if j:
                        cell.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    if i and j:
                        cell.setFont(_value_font())
                    self._cells[i, j] = cell
                    self._grid.addWidget(cell, i, j)
                self._cells[i, j].setText(words)


def _size(raw: Stats, refined: Stats | None) -> str:
    best = raw if refined is None or not refined.fill else refined
    if not best.fill:
        return ""
    size = f"{best.width_m * 1000:.0f} × {best.height_m * 1000:.0f} mm"  # noqa: RUF001 - a multiplication sign
    return tr("{size} at the median depth").format(size=size)


def _value(found: Stats, name: str) -> str:
    if not found.fill:
        return tr("none")
    value_m: float = getattr(found, name)
    fine = name == "std_m" and value_m < FINE_M
    return f"{value_m * 1000:.1f} mm" if fine else depth_words(value_m)


def _value_font() -> QFont:
    return theme.font(theme.BODY_PX, weight=theme.BOLD, tabular=True)
