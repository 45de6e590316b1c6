"""Chooses in which format a session is exported: a row for each format, and what goes into it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from app.exporting.source import ExportOptions
from app.exporting.table import BY_NAME, EXPORTERS
from app.language import from_below, tr, tr_noop
from app.recording.entry import SessionEntry
from app.ui import theme
from app.ui.flow_layout import FlowLayout
from app.ui.titled_row import TitledRow
from app.ui.widgets import (
    Button,
    Option,
    Picker,
    PrimaryButton,
    Segmented,
    Sheet,
    Switch,
    caption,
    label,
    title,
    touch_scroll,
)
from app.viewmodels.session_work import ExportWish
from app.viewmodels.words import session_name
from model.spec import EngineChoice, find

DEPTHS = (Option("raw", tr_noop("Raw depth")), Option("refined", tr_noop("Refined depth")))
EVERY = (
    Option("1", tr_noop("Every frame")),
    Option("2", tr_noop("Every 2nd frame")),
    Option("5", tr_noop("Every 5th frame")),
    Option("10", tr_noop("Every 10th frame")),
    Option("30", tr_noop("Every 30th frame")),
)


class ExportDialog(Sheet):
    """One session, one format.

    Args:
        entry: the session.
        repair: the repair of the settings, which can be applied now.
        parent: the window.

    Signals:
        chosen: `ExportWish`.
    """

    chosen = Signal(ExportWish)

    def __init__(self, entry: SessionEntry, repair: EngineChoice, *, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._entry = entry
        self._repair = repair
        self._group = QButtonGroup(self)
        self.rows = {
            exporter.name: TitledRow(exporter.title, exporter.writes, checkable=True)
            for exporter in EXPORTERS
        }
        self._rows = rows = QWidget()
        column = QVBoxLayout(rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        for row in self.rows.values():
            self._group.addButton(row)
            column.addWidget(row)
        column.addStretch(1)
        self.which = Segmented(DEPTHS, tr("Depth"))
        self.which.select("raw")
        self.every = Picker(tr("How many frames"), EVERY)
        self.every.select("1")
        self.repair = Switch(tr("Repair now with {title}").format(title=from_below(find(repair.model).title)))
        self.repair.setVisible(repair.model != "off")
        self._note = caption()
        self.go = PrimaryButton(tr("Choose a folder ..."), icon_name="folder-outline")
        cancel = Button(tr("Cancel"))
        choices = FlowLayout(gap_px=theme.SPACE_PX)  # beside each other they are wider than a tablet
        self._of_depth = _named(tr("Depth"), self.which)
        for choice in (_named(tr("How many frames"), self.every), self._of_depth, self.repair):
            choices.addWidget(choice)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP_PX)
        foot.addWidget(self._note, 1)
        foot.addWidget(cancel)
        foot.addWidget(self.go)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.WIDE_PX, theme.WIDE_PX, theme.WIDE_PX)
        outer.setSpacing(12)
        outer.addWidget(title(tr("Export {name}").format(name=session_name(entry))))
        area = touch_scroll(rows)
        area.verticalScrollBar().rangeChanged.connect(self._keep_off_bar)
        outer.addWidget(area, 1)
        outer.addLayout(choices)
        outer.addLayout(foot)
        window = parent.window().size()
        width_px = min(860, window.width() - 80)
        around_px = outer.totalHeightForWidth(width_px) - area.sizeHint().height()
        self.resize(width_px, min(around_px + rows.sizeHint().height(), window.height() - 60))
        self._group.buttonToggled.connect(self._show)
        self.which.changed.connect(self._show)
        self.repair.toggled.connect(self._show)
        cancel.clicked.connect(self.reject)
        self.go.clicked.connect(self._choose)
        self.rows["frames"].setChecked(True)

    @property
    def wish(self) -> ExportWish:
        """What stands on the dialog."""
        exporter = BY_NAME[self._format]
        refined = exporter.chooses_depth and self.which.choice == "refined"
        options = ExportOptions("refined" if refined else "raw", int(self.every.choice))
        return ExportWish(exporter.name, options, self._repair if self.repair.isChecked() else None)

    @property
    def _format(self) -> str:
        return next(name for name, row in self.rows.items() if row.isChecked())

    def _keep_off_bar(self, _least: int, most: int) -> None:
        """The rows end where the buttons below them do, or just before a scroll bar."""
        layout = self._rows.layout()
        assert layout is not None
        layout.setContentsMargins(0, 0, theme.GAP_PX if most else 0, 0)

    def _show(self, *_state: object) -> None:
        exporter = BY_NAME[self._format]
        self._of_depth.setVisible(exporter.chooses_depth)
        nothing = self.wish.options.depth == "refined" and not self._entry.refined and not self.wish.repair
        self.go.setEnabled(not nothing)
        self._note.setText(
            tr("This session holds no refined depth: export raw depth, or repair it now.")
            if nothing
            else tr("An export that was stopped goes on where it ended.")
        )

    def _choose(self) -> None:
        self.chosen.emit(self.wish)
        self.accept()


def _named(words: str, field: QWidget) -> QWidget:
    """A field behind its name; both go to the next row together."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.SPACE_PX)
    row.addWidget(label(words, "muted", wrap=False))
    row.addWidget(field)
    return holder
