"""A strip that shows work on a session, with its progress and a way to stop."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.language import tr
from app.ui import theme
from app.ui.widgets import Bar, Button, Card, body
from app.viewmodels.session_work import WorkView

STEPS = 1000


class WorkStrip(Card):
    """Visible while something is being done.

    Signals:
        stop_requested: the operator wants no more of it.
    """

    stop_requested = Signal()

    def __init__(self) -> None:
        super().__init__(margin_px=12)
        self._words = body()
        self.bar = Bar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self.stop = Button(tr("Stop"), icon_name="close")
        left = QVBoxLayout()
        left.setSpacing(theme.TIGHT_PX)
        left.addWidget(self._words)
        left.addWidget(self.bar)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE_PX)
        row.addLayout(left, 1)
        row.addWidget(self.stop)
        self.column.addLayout(row)
        self.stop.clicked.connect(self.stop_requested)
        self.hide()

    def show_work(self, work: WorkView) -> None:
        """Show how far it is; hide when there is nothing."""
        self._words.setText(work.words)
        self.bar.setValue(round(work.share * STEPS))
        self.setVisible(bool(work.words))
