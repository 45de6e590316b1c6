"""Data sets to learn from, and the mix: how much of the samples comes from each source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.language import from_below, joined, tr, tr_many, tr_noop
from app.training.data_sets import HEAVIEST, DataSet
from app.training.plan import ROOMS, SESSIONS, TrainingPlan
from app.ui import theme
from app.ui.tick_row import TickRow
from app.ui.widgets import Button, IconButton, Stepper, caption
from app.ui.worded import Label, Worded

NAMES = {ROOMS: tr_noop("Simulated rooms"), SESSIONS: tr_noop("Sessions")}


class DataSetRows(Worded, QWidget):
    """The data sets that were named, each with a tick, and the button that names another one.

    Signals:
        add_requested: name another one.
        chosen: folder and whether the next run learns from it.
        remove_requested: folder.
    """

    add_requested = Signal()
    chosen = Signal(Path, bool)
    remove_requested = Signal(Path)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[DataSet, ...] = ()
        self.rows: dict[Path, TickRow] = {}
        self.removes: dict[Path, IconButton] = {}
        self.add = Button(tr("Add a data set"), icon_name="folder-plus-outline")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(theme.GAP_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        column.addLayout(self._rows)
        column.addWidget(self.add)
        self.add.clicked.connect(self.add_requested)

    def show_data_sets(self, data_sets: Sequence[DataSet], *, looking: bool) -> None:
        """Show these, and whether a folder is being looked at."""
        self.add.setEnabled(not looking)
        self.add.setText(tr("Looking at the folder ...") if looking else tr("Add a data set"))
        # Not built anew for a tick or a weight: the row under the finger stays, and so does the focus.
        shown = tuple(replace(data, chosen=True, weight=1) for data in data_sets)
        if shown == self._shown:
            for data in data_sets:
                self.rows[data.folder].setChecked(data.chosen)
            return
        self._shown = shown
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.rows, self.removes = {}, {}
        for data in data_sets:
            self._rows.addWidget(self._row(data))

    def _row(self, data: DataSet) -> QWidget:
        samples = tr_many("{count:,} sample", "{count:,} samples", data.samples)
        held = joined(", ", (samples, tr_many("{count:,} scene", "{count:,} scenes", data.scenes)))
        tick = TickRow(
            (
                from_below(data.title),
                held,
                tr("{folder}, licence {licence}").format(
                    folder=data.folder.name, licence=from_below(data.licence)
                ),
            )
        )
        tick.setToolTip(str(data.folder))
        tick.setChecked(data.chosen)
        remove = IconButton(
            "close",
            tr("Take {name} off the list; its files stay").format(name=data.folder.name),
            kind="quiet",
        )
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(tick, 1)
        row.addWidget(remove)
        tick.toggled.connect(partial(self._choose, data.folder))
        remove.clicked.connect(partial(self._remove, data.folder))
        self.rows[data.folder], self.removes[data.folder] = tick, remove
        return holder

    def _choose(self, folder: Path, on: bool) -> None:
        self.chosen.emit(folder, on)

    def _remove(self, folder: Path) -> None:
        self.remove_requested.emit(folder)


class MixRows(Worded, QWidget):
    """The share of each source, with a stepper for its weight; nothing where there is only one.

    Signals:
        weighed: key of the source, as in `TrainingPlan.weights`, and its weight.
    """

    weighed = Signal(str, int)

    def __init__(self) -> None:
        super().__init__()
        self.shares: dict[str, QLabel] = {}
        self.steppers: dict[str, Stepper] = {}
        self._rows = QVBoxLayout()
        self._rows.setSpacing(theme.GAP_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        column.addWidget(caption(tr("Mix: share of the samples, and weight")))
        column.addLayout(self._rows)
        self.hide()

    def show_plan(self, plan: TrainingPlan) -> None:
        """Show the mix of this plan."""
        weights, shares = plan.weights, plan.shares
        if list(weights) != list(self.steppers):
            titles = [data.title for data in plan.data_sets]
            alone = {
                str(data.folder): from_below(data.title)
                for data in plan.data_sets
                if titles.count(data.title) == 1
            }
            names = NAMES | alone  # two of one kind are told apart by their folders
            self._build({key: names.get(key) or Path(key).name for key in weights})
        for key, stepper in self.steppers.items():
            stepper.set_value(weights[key])
            self.shares[key].setText(f"{shares[key]:.0%}")
        self.setVisible(len(weights) > 1)

    def _build(self, names: Mapping[str, str]) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self.shares, self.steppers = {}, {}
        for key, name in names.items():
            self._rows.addWidget(self._row(key, name))

    def _row(self, key: str, name: str) -> QWidget:
        share = Label()
        share.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD, tabular=True))
        share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        share.setMinimumWidth(share.fontMetrics().horizontalAdvance("100%") + theme.GAP_PX)
        stepper = Stepper(tr("Weight of {name}").format(name=name), minimum=1, maximum=HEAVIEST, step=1)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP_PX)
        row.addWidget(_Elided(name), 1)
        row.addWidget(share)
        row.addWidget(stepper)
        stepper.value_changed.connect(partial(self._weighed, key))
        self.shares[key], self.steppers[key] = share, stepper
        return holder

    def _weighed(self, key: str, weight: float) -> None:
        self.weighed.emit(key, round(weight))


class _Elided(Worded, QWidget):
    """A line of text that is cut with dots where it does not fit."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.setFont(theme.font(theme.BODY_PX))
        self.setToolTip(text)
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        return QSize(80, self.fontMetrics().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(theme.current().text)
        text = self.fontMetrics().elidedText(str(self._text), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
