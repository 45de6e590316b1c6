"""A training run on screen: the one under way with its curves, and past ones as rows."""

from pathlib import Path

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.language import from_below, joined, tr
from app.training.comparison import error_words
from app.training.history import PastRun
from app.training.job import TrainingPhase
from app.ui import theme
from app.ui.curve import Curve
from app.ui.flow_layout import FlowLayout
from app.ui.widgets import (
    Bar,
    Button,
    Card,
    PrimaryButton,
    body,
    caption,
    set_tone,
    title,
)
from app.ui.worded import Worded
from app.viewmodels.train import RunView, words_of
from app.viewmodels.words import unbroken


class RunRow(Worded, QWidget):
    """A past run.

    Signals:
        look_requested: put it on screen.
        resume_requested: go on with it.
        use_requested: repair live with its weights.
    """

    look_requested = Signal(PastRun)
    resume_requested = Signal(PastRun)
    use_requested = Signal(Path)

    def __init__(self, run: PastRun, name: str, *, busy: bool) -> None:
        super().__init__()
        self._run = run
        words = [tr("{moment:%d %b, %H:%M}").format(moment=run.started)]
        if run.loss is not None:
            words.append(tr("Loss {loss:.3g}").format(loss=run.loss))
        if run.score_m is not None:
            words.append(tr("Error {error}").format(error=error_words(run.score_m)))
        self.look = Button(tr("Show"), icon_name="chart-line")
        self.resume = Button(tr("Resume"), icon_name="play-outline")
        self.use = Button(tr("Use"), icon_name="check")
        self.look.setVisible(not busy)
        self.resume.setVisible(run.resumable and not busy)
        self.use.setVisible(run.weights is not None)
        self.look.setAccessibleName(tr("Look at {name}").format(name=name))
        self.resume.setAccessibleName(tr("Resume {name}").format(name=name))
        self.use.setAccessibleName(tr("Use the weights of {name}").format(name=name))
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(body(name))
        ended = caption(words_of(run.state))
        set_tone(ended, "error" if run.state.phase is TrainingPhase.FAILED else "")
        text.addWidget(ended)
        text.addWidget(caption(joined(", ", words)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.GAP_PX, 0, theme.GAP_PX)
        row.setSpacing(theme.GAP_PX)
        row.addLayout(text, 1)
        row.addWidget(self.look)
        row.addWidget(self.resume)
        row.addWidget(self.use)
        self._even()
        self.look.clicked.connect(self._look)
        self.resume.clicked.connect(self._resume)
        self.use.clicked.connect(self._use)

    def say_again(self) -> None:
        self._even()

    def _even(self) -> None:
        """The last button of each row is as wide as that of the others, so that all stand in one line."""
        metrics = self.resume.fontMetrics()
        around = self.resume.sizeHint().width() - metrics.horizontalAdvance(self.resume.text())
        widest = max(metrics.horizontalAdvance(tr(words)) for words in ("Resume", "Use"))
        for button in (self.resume, self.use):
            button.setMinimumWidth(around + widest)

    def _look(self) -> None:
        self.look_requested.emit(self._run)

    def _resume(self) -> None:
        self.resume_requested.emit(self._run)

    def _use(self) -> None:
        self.use_requested.emit(self._run.weights)


WIDEST_PX = 960


class SampleStrip(Worded, QWidget):
    """A wide picture of one sample, as large as the card allows, with words above it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._jpeg: bytes | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.TIGHT_PX)
        column.addWidget(caption(words))
        self._picture = _Scaled()
        self._picture.setAccessibleName(words)
        column.addWidget(self._picture)

    def show_jpeg(self, jpeg: bytes | None) -> None:
        """Show the picture; nothing is shown where there is none."""
        self.setVisible(jpeg is not None)
        if jpeg is not None and jpeg is not self._jpeg:
            self._jpeg = jpeg
            self._picture.show_image(QImage.fromData(jpeg))


class _Scaled(Worded, QWidget):
    """An image at the width that there is, in its own proportions."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self._fit()
        self.update()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._fit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRect(0, 0, min(self.width(), WIDEST_PX), self.height()), self._image)

    def _fit(self) -> None:
        if not self._image.isNull():
            width = min(self.width(), WIDEST_PX)
            self.setFixedHeight(round(width * self._image.height() / self._image.width()))


class RunCard(Card):
    """The run under way or the one that ended last.

    Signals:
        stop_requested: write a checkpoint and end.
        resume_requested: go on from the last checkpoint.
        use_requested: repair live with these weights.
        compare_requested: against the weights in use.
        wipe_requested: look at the frames of the comparison.
        report_requested: open the page of the comparison.
    """

    stop_requested = Signal()
    resume_requested = Signal()
    use_requested = Signal(Path)
    compare_requested = Signal()
    wipe_requested = Signal()
    report_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)  # until a run is shown
        self._weights: Path | None = None
        self._folder: Path | None = None
        self._title = title(tr("No run yet"))
        self.words = body(
            tr(
                "Choose what to learn from, then press Start training. "
                "A run goes on while you use other pages."
            )
        )
        self._hint = body()
        self._progress = Bar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName(tr("Training progress"))
        self.loss = Curve(tr("Loss"))
        self.score = Curve(tr("Error in hidden depth"), unit="mm", per_unit=1000.0, words=error_words)
        self.before = SampleStrip(tr("Held-out sample before training: colour, input, output, exact depth"))
        self.after = SampleStrip(tr("The same sample now"))
        self.stop = PrimaryButton(tr("Stop"), icon_name="stop-circle-outline")
        self.resume = Button(tr("Resume"), icon_name="play-outline")
        self.use = PrimaryButton(tr("Use these weights"), icon_name="check")
        curves = QHBoxLayout()
        curves.setSpacing(theme.SPACE_PX)
        curves.addWidget(self.loss, 1)
        curves.addWidget(self.score, 1)
        buttons = FlowLayout(gap_px=theme.GAP_PX)
        buttons.addWidget(self.stop)
        buttons.addWidget(self.resume)
        buttons.addWidget(self.use)
        self.compare = Button(tr("Compare with those in use"), icon_name="compare")
        self.wipe = Button(tr("Side by side"), icon_name="arrow-split-vertical")
        self.report = Button(tr("Report"), icon_name="file-chart-outline")
        self.compared = caption()
        self.compared.setWordWrap(True)
        buttons.addWidget(self.compare)
        buttons.addWidget(self.wipe)
        buttons.addWidget(self.report)
        for widget in (self._title, self.words, self._hint):
            self.column.addWidget(widget)
        self.column.addWidget(self._progress)
        self.column.addLayout(curves, 1)
        self.column.addLayout(buttons)
        self.column.addWidget(self.compared)
        self.column.addWidget(self.before)
        self.column.addWidget(self.after)
        self._warning = caption()
        set_tone(self._warning, "warning")
        self.column.addWidget(self._warning)
        parts = (self._hint, self._progress, self.loss, self.score, self.stop, self.use, self._warning)
        more = (self.before, self.after, self.compare, self.wipe, self.report, self.compared)
        for part in (*parts, *more, self.resume):
            part.hide()
        self.stop.clicked.connect(self.stop_requested)
        self.resume.clicked.connect(self.resume_requested)
        self.compare.clicked.connect(self.compare_requested)
        self.wipe.clicked.connect(self.wipe_requested)
        self.report.clicked.connect(self.report_requested)
        self.use.clicked.connect(self._use)

    def show_run(self, run: RunView) -> None:
        """Show this moment of a run."""
        state = run.training
        failed = state.phase is TrainingPhase.FAILED
        self._title.setText(run.title)
        self.words.setText(run.words)
        set_tone(self.words, "error" if failed else "ok" if state.phase is TrainingPhase.DONE else "")
        self._hint.setText(from_below(state.hint))
        self._hint.setVisible(failed and bool(state.hint))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        for part in (self._progress, self.loss, self.score):
            part.show()
        self._progress.setValue(round(run.progress * 1000))
        set_tone(self._progress, "error" if failed else "")
        self.loss.show_points(state.losses)
        self.score.show_points(state.scores)
        self.before.show_jpeg(run.before)
        self.after.show_jpeg(run.after)
        self._warning.setText(from_below(state.warning))
        self._warning.setVisible(bool(state.warning) and not failed)  # it tells how the run goes on
        self.stop.setVisible(state.active)
        self.stop.setEnabled(state.phase is not TrainingPhase.STOPPING)
        self._weights = state.weights
        self.use.set_kind("plain" if state.active else "primary")
        self.use.setVisible(state.weights is not None)
        self.compare.setVisible(state.weights is not None and not state.active)
        if state.active or run.folder != self._folder:
            self.show_comparison("", running=False, report=False)
        self._folder = run.folder

    def offer_resume(self, offered: bool) -> None:
        """Let the run on screen go on, where it left a checkpoint."""
        self.resume.setVisible(offered)

    def show_comparison(self, words: str, *, running: bool, report: bool) -> None:
        """Say how the run's weights compare with those in use, or that it is being measured."""
        self.compared.setText(unbroken(words))
        self.compared.setVisible(bool(words))
        self.compare.setEnabled(not running)
        self.wipe.setVisible(report)
        self.report.setVisible(report)

    def _use(self) -> None:
        self.use_requested.emit(self._weights)
