"""A training run on screen: the one under way with its curves, and past ones as rows."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from app.training.history import PastRun
from app.training.job import TrainingPhase
from app.ui import theme
from app.ui.curve import Curve
from app.ui.widgets import (
    Button,
    Card,
    PrimaryButton,
    body,
    caption,
    set_tone,
    title,
)
from app.viewmodels.train import RunView, words_of


class RunRow(QWidget):
    """A past run.

    Signals:
        resume_requested: go on with it.
        use_requested: repair live with its weights.
    """

    resume_requested = Signal(PastRun)
    use_requested = Signal(Path)

    def __init__(self, run: PastRun, name: str, *, busy: bool) -> None:
        super().__init__()
        self._run = run
        words = [f"{run.started:%d %b, %H:%M}", words_of(run.state)]
        if run.loss is not None:
            words.append(f"Loss {run.loss:.4g}")
        if run.score_m is not None:
            words.append(f"Error {run.score_m * 1000:.0f} mm")
        self.resume = Button("Resume", icon_name="play-outline")
        self.use = Button("Use", icon_name="check")
        self.resume.setVisible(run.resumable and not busy)
        self.use.setVisible(run.weights is not None)
        self.resume.setAccessibleName(f"Resume {name}")
        self.use.setAccessibleName(f"Use the weights of {name}")
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(body(name))
        note = caption(". ".join(part.rstrip(".") for part in words) + ".")
        set_tone(note, "error" if run.state.phase is TrainingPhase.FAILED else "")
        text.addWidget(note)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.TIGHT_PX, 0, theme.TIGHT_PX)
        row.addLayout(text, 1)
        row.addWidget(self.resume)
        row.addWidget(self.use)
        self.resume.clicked.connect(self._resume)
        self.use.clicked.connect(self._use)

    def _resume(self) -> None:
        self.resume_requested.emit(self._run)

    def _use(self) -> None:
        self.use_requested.emit(self._run.weights)


class RunCard(Card):
    """The run under way or the one that ended last.

    Signals:
        stop_requested: write a checkpoint and end.
        use_requested: repair live with these weights.
    """

    stop_requested = Signal()
    use_requested = Signal(Path)

    def __init__(self) -> None:
        super().__init__()
        self._weights: Path | None = None
        self._title = title("No run yet")
        self.words = body(
            "Choose what to learn from, then press Start. A run goes on while you use other pages."
        )
        self._hint = body()
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("Training progress")
        self.loss = Curve("Loss")
        self.score = Curve("Error in hidden depth", unit=" m")
        self.stop = Button("Stop", icon_name="stop-circle-outline")
        self.use = PrimaryButton("Use these weights", icon_name="check")
        curves = QHBoxLayout()
        curves.setSpacing(theme.SPACE_PX)
        curves.addWidget(self.loss, 1)
        curves.addWidget(self.score, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP_PX)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.use)
        buttons.addStretch(1)
        for widget in (self._title, self.words, self._hint):
            self.column.addWidget(widget)
        self.column.addWidget(self._progress)
        self.column.addLayout(curves, 1)
        self.column.addLayout(buttons)
        for part in (self._hint, self._progress, self.loss, self.score, self.stop, self.use):
            part.hide()
        self.stop.clicked.connect(self.stop_requested)
        self.use.clicked.connect(self._use)

    def show_run(self, run: RunView) -> None:
        """Show this moment of a run."""
        state = run.training
        failed = state.phase is TrainingPhase.FAILED
        self._title.setText(run.title)
        self.words.setText(run.words)
        set_tone(self.words, "error" if failed else "ok" if state.phase is TrainingPhase.DONE else "")
        self._hint.setText(state.hint)
        self._hint.setVisible(failed and bool(state.hint))
        for part in (self._progress, self.loss, self.score):
            part.show()
        self._progress.setValue(round(run.progress * 1000))
        self.loss.show_points(state.losses)
        self.score.show_points(state.scores)
        self.stop.setVisible(state.active)
        self.stop.setEnabled(state.phase is not TrainingPhase.STOPPING)
        self._weights = state.weights
        self.use.setVisible(state.weights is not None)

    def _use(self) -> None:
        self.use_requested.emit(self._weights)
