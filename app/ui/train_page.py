"""The training page: what to train on at the left, the run and its curves at the right."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import paths
from app.recording.library import SessionEntry
from app.training.history import PastRun
from app.training.job import TrainingPhase
from app.ui import theme
from app.ui.context import Level, Notice, WindowContext
from app.ui.curve import Curve
from app.ui.icons import icon
from app.ui.preview import paint_picture
from app.ui.widgets import (
    Button,
    Card,
    ChipGroup,
    Option,
    Picker,
    PrimaryButton,
    Stepper,
    Switch,
    body,
    caption,
    heading,
    set_tone,
    title,
    touch_scroll,
)
from app.viewmodels.handover import handover
from app.viewmodels.session_list import Listing, SessionList, Thumbnail
from app.viewmodels.train import RunView, TrainingPlan, TrainViewModel, known_recipes, words_of
from app.viewmodels.words import counted, duration
from model.spec import catalogue

PLAN_PX = 440
ROW_PX = 84
SCROLL_BAR_PX = 12
RUNS_SHOWN = 20
NOTHING = Option("", "Nothing (from scratch)")


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-models, connected to the window."""
    model = TrainViewModel(paths.runs_folder(), context.studio.use_weights, known_recipes())
    sessions = SessionList(partial(_folder, context))
    return TrainPage(model, sessions, context)


def _folder(context: WindowContext) -> Path:
    return context.settings.sessions_folder


class SessionRow(QAbstractButton):
    """A session with a tick."""

    def __init__(self, entry: SessionEntry) -> None:
        super().__init__()
        self.entry = entry
        self._image = QImage()
        self.setCheckable(True)
        self.setFixedHeight(ROW_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        when = entry.name if entry.started is None else f"{entry.started:%d %b %Y, %H:%M}"
        labels = ", ".join(filter(None, (entry.labels.scene, *entry.labels.tags)))
        self._lines = (
            when,
            labels or "No labels",
            f"{duration(entry.seconds)}, {counted(entry.frames, 'frame')}",
        )
        self.setAccessibleName(", ".join(self._lines))

    def show_jpeg(self, data: bytes | None) -> None:
        """Show the thumbnail."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, ROW_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        painter.setBrush(QColor(colours.accent_soft if on else colours.raised))
        painter.setPen(QColor(colours.accent if on or self.hasFocus() else colours.line))
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(frame, theme.RADIUS_PX, theme.RADIUS_PX)
        tick = icon(
            "checkbox-marked" if on else "checkbox-blank-outline",
            colour=colours.accent_text if on else colours.muted,
        )
        tick.paint(painter, 10, (self.height() - 30) // 2, 30, 30)
        paint_picture(painter, QRectF(50, 9, 108, self.height() - 18), self._image, "")
        y = 9.0
        for number, text in enumerate(self._lines):
            weight = QFont.Weight.DemiBold if number == 0 else QFont.Weight.Normal
            font = theme.font(theme.BODY_PX if number == 0 else theme.CAPTION_PX, weight=weight)
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(colours.text if number == 0 else colours.muted))
            line = QRectF(170, y, self.width() - 180, metrics.height())
            elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, round(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, elided)
            y += metrics.height() + 1


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


class PlanCard(Card):
    """What to train on, how, and the button that starts it.

    Signals:
        start_requested: the plan.
    """

    start_requested = Signal(TrainingPlan)

    def __init__(self, model: TrainViewModel) -> None:
        super().__init__("New run")
        self._model = model
        self._rows: dict[Path, SessionRow] = {}
        self._wanted: tuple[Path, ...] = ()
        self.recipes = ChipGroup(
            [Option(recipe.name, recipe.title) for recipe in model.recipes.values()], "Recipe"
        )
        self._note = caption()
        self._sessions = QVBoxLayout()
        self._sessions.setSpacing(theme.GAP_PX)
        self._no_sessions = caption("Reading the sessions ...")
        self.synthetic = Switch("Simulated rooms")
        self.init = Picker("Start from")
        self.init.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.steps = Stepper("Steps", minimum=10, maximum=1_000_000, step=50)
        self.start = PrimaryButton("Start training", icon_name="play")
        self.start.setMinimumHeight(theme.BIG_TARGET_PX)
        self.obstacle = caption()
        steps = QHBoxLayout()
        steps.addWidget(body("Steps"), 1)
        steps.addWidget(self.steps)
        for widget in (caption("Recipe"), self.recipes, self._note, caption("Learn from"), self.synthetic):
            self.column.addWidget(widget)
        self.column.addWidget(self._no_sessions)
        self.column.addLayout(self._sessions)
        self.column.addWidget(caption("Start from"))
        self.column.addWidget(self.init)
        self.column.addLayout(steps)
        self.recipes.changed.connect(self._recipe_chosen)
        self.synthetic.toggled.connect(self.check)
        self.start.clicked.connect(self._start)
        first = next(iter(model.recipes), "")
        self.recipes.select(first)
        self._recipe_chosen([first] if first else [])

    @property
    def plan(self) -> TrainingPlan:
        """What stands on the card."""
        ticked = tuple(folder for folder, row in self._rows.items() if row.isChecked())
        init = Path(self.init.choice) if self.init.choice else None
        return TrainingPlan(
            self.recipes.choice, ticked, self.synthetic.isChecked(), round(self.steps.value), init
        )

    def show_sessions(self, listing: Listing, pictures: SessionList) -> None:
        """Offer the sessions that can be used; ticks stay."""
        ticked = {folder for folder, row in self._rows.items() if row.isChecked()}
        ticked.update(self._wanted)
        self._wanted = ()
        while (item := self._sessions.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._rows = {}
        for entry in listing.entries:
            if entry.usable and entry.frames:
                row = SessionRow(entry)
                row.setChecked(entry.folder in ticked)
                row.show_jpeg(pictures.picture(entry.folder))
                row.toggled.connect(self.check)
                self._rows[entry.folder] = row
                self._sessions.addWidget(row)
        self._no_sessions.setVisible(not self._rows)
        self._no_sessions.setText(
            listing.problem or "There is no session yet. Record one, or learn from simulated rooms."
        )
        self.check()

    def show_thumbnail(self, picture: Thumbnail) -> None:
        """Show a picture that came."""
        if picture.folder in self._rows:
            self._rows[picture.folder].show_jpeg(picture.jpeg)

    def tick_only(self, folders: tuple[Path, ...]) -> None:
        """Choose these sessions, now or when the list has come."""
        self._wanted = folders
        for folder, row in self._rows.items():
            row.setChecked(folder in folders)
        self.synthetic.setChecked(False)
        self.check()

    def show_weights(self) -> None:
        """Offer the weights that are there now."""
        recipe = self._model.recipes.get(self.recipes.choice)
        before = self.init.choice
        options = [
            Option(str(model.weights), model.title, hint=model.note)
            for model in catalogue(paths.weights_folder(), paths.runs_folder())
            if model.weights is not None
        ]
        scratch = recipe is not None and not recipe.needs_weights
        self.init.set_options([NOTHING, *options] if scratch else options)
        if not self.init.choice:
            self.init.select("" if scratch else options[0].key)
        elif scratch and not before:
            self.init.select("")

    def check(self) -> None:
        """Let the button work only when the plan can start, and say why not."""
        obstacle = self.plan.obstacle
        busy = self._model.active
        self.start.setEnabled(not obstacle and not busy)
        self.obstacle.setText("A run is under way; stop it to start another one." if busy else obstacle)
        self.obstacle.setVisible(bool(self.obstacle.text()))

    def _recipe_chosen(self, keys: list[str]) -> None:
        recipe = self._model.recipes.get(keys[0]) if keys else None
        if recipe is not None:
            self._note.setText(recipe.note)
            self.steps.set_step(max(recipe.steps // 20, 10))
            self.steps.set_value(recipe.steps)
            if not recipe.needs_weights:
                self.init.select("")
        self.show_weights()
        self.check()

    def _start(self) -> None:
        self.start_requested.emit(self.plan)


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


class TrainPage(QWidget):
    """Plan at the left; run, curves and past runs at the right."""

    def __init__(self, model: TrainViewModel, sessions: SessionList, context: WindowContext) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._sessions = sessions
        self._context = context
        self._runs: tuple[PastRun, ...] = ()
        self._busy = False
        self.plan = PlanCard(model)
        self.run = RunCard()
        self.runs = Card("Runs")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._no_runs = caption("Nothing was trained here yet.")
        self._lay_out()
        self.plan.start_requested.connect(model.start)
        self.run.stop_requested.connect(model.stop)
        self.run.use_requested.connect(model.use)
        model.run_changed.connect(self.show_run)
        model.runs_changed.connect(self.show_runs)
        model.weights_used.connect(self.show_used)
        model.refused.connect(self.show_refusal)
        sessions.listed.connect(self.show_sessions)
        sessions.thumbnail_came.connect(self.plan.show_thumbnail)

    def shown(self) -> None:
        """The page came to the front."""
        wanted = handover.take_train_on()
        if wanted:
            self.plan.tick_only(wanted)
        self.plan.show_weights()
        self._sessions.load()
        self._model.load_runs()

    def hidden(self) -> None:
        """The page left the front; a run goes on."""

    def closing(self) -> None:
        """The window closes: the trainer writes a checkpoint and ends."""
        self._sessions.close()
        self._model.close()

    def show_sessions(self, listing: Listing) -> None:
        """Offer the sessions."""
        self.plan.show_sessions(listing, self._sessions)

    def show_run(self, run: RunView) -> None:
        """Show this moment of the run."""
        self.run.show_run(run)
        self.plan.check()
        if run.training.active != self._busy:
            self._busy = run.training.active
            self.show_runs(self._runs)
            if not self._busy and not self.isVisible():
                self._say_ended(run)

    def show_runs(self, runs: tuple[PastRun, ...]) -> None:
        """Show the list of runs; the one under way is above."""
        self._runs = runs
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        current = self._model.run
        under_way = current.folder if current is not None and self._model.active else None
        past = [run for run in runs if run.folder != under_way][:RUNS_SHOWN]
        for run in past:
            row = RunRow(run, self._model.run_title(run), busy=self._model.active)
            row.resume_requested.connect(self._model.resume)
            row.use_requested.connect(self._model.use)
            self._rows.addWidget(row)
        self._no_runs.setVisible(not past)

    def show_used(self, weights: Path) -> None:
        """Say that the live repair changed, and show it."""
        name = weights.parent.name if weights.stem == "weights" else weights.stem
        self._context.settings.model = str(weights)
        self._context.save_settings()
        self._context.go_to("Live")
        self._context.show_banner(Notice("info", f"Live repair now uses {name}.", lasts_s=8))

    def show_refusal(self, message: str) -> None:
        """Say what could not be done."""
        self._context.show_banner(Notice("error", message))

    def _say_ended(self, run: RunView) -> None:
        failed = run.training.phase is TrainingPhase.FAILED
        level: Level = "error" if failed else "info"
        text = f"{run.title}: {run.words}"
        show = partial(self._context.go_to, "Train")
        self._context.show_banner(Notice(level, text, run.training.hint, "Show", show))

    def _lay_out(self) -> None:
        left = QWidget()
        held = QVBoxLayout(left)
        held.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        held.addWidget(self.plan)
        held.addStretch(1)
        area = touch_scroll(left)
        # The button stays in sight however long the list of sessions is.
        side = QVBoxLayout()
        side.setSpacing(theme.GAP_PX)
        side.addWidget(area, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(0, 0, theme.SPACE_PX + SCROLL_BAR_PX, 0)
        foot.addWidget(self.plan.obstacle)
        foot.addWidget(self.plan.start)
        side.addLayout(foot)
        holder = QWidget()
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        holder.setFixedWidth(PLAN_PX + theme.SPACE_PX)
        self.runs.column.addWidget(self._no_runs)
        self.runs.column.addLayout(self._rows)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        column.setSpacing(theme.SPACE_PX)
        column.addWidget(self.run, 1)
        column.addWidget(self.runs)
        column.addStretch(0)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP_PX)
        row.addWidget(holder)
        row.addWidget(touch_scroll(right), 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.GAP_PX, theme.SPACE_PX)
        outer.setSpacing(theme.SPACE_PX)
        outer.addWidget(heading("Train"))
        outer.addLayout(row, 1)
