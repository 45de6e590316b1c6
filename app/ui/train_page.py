"""The training page: what to train on at the left, the run and its curves at the right."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from app import paths
from app.language import from_below, joined, tr
from app.training.data_sets import NoDataSetError
from app.training.history import PastRun
from app.training.job import TrainingPhase
from app.training.plan import TrainingPlan
from app.ui import theme
from app.ui.context import Level, Notice, WindowContext
from app.ui.folder_dialog import FolderDialog
from app.ui.train_plan import PlanCard
from app.ui.train_run import RunCard, RunRow
from app.ui.weights_wipe import WeightsWipeDialog
from app.ui.widgets import (
    Button,
    Card,
    caption,
    heading,
    touch_scroll,
)
from app.ui.worded import Worded
from app.viewmodels.handover import handover
from app.viewmodels.session_list import Listing, SessionList
from app.viewmodels.train import RunView, TrainViewModel, known_recipes
from app.viewmodels.train_data import TrainDataViewModel
from app.viewmodels.weights_wipe import WeightsWipeViewModel

PLAN_PX = 448
SCROLL_BAR_PX = 12
RUNS_SHOWN = 20
BESIDE_PX = 1000


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-models, connected to the window."""
    studio = context.studio
    model = TrainViewModel(
        paths.runs_folder(),
        studio.use_weights,
        known_recipes(),
        in_use=partial(_in_use, context),
        use_model=partial(_use_model, context),
    )
    data = TrainDataViewModel(paths.runs_folder())
    sessions = SessionList(partial(_folder, context))
    return TrainPage(model, data, sessions, context)


def _in_use(context: WindowContext) -> str:
    return context.studio.choice.model


def _use_model(context: WindowContext, name: str) -> None:
    context.studio.choose(replace(context.studio.choice, model=name))


def _folder(context: WindowContext) -> Path:
    return context.settings.sessions_folder


def _short(name: str) -> str:
    """A model's name as people know it: of a run's weights, the run."""
    path = Path(name)
    if not path.suffix:
        return name
    return path.parent.name if path.stem == "weights" else path.stem


class TrainPage(Worded, QWidget):
    """Plan at the left; run, curves and past runs at the right."""

    def __init__(
        self,
        model: TrainViewModel,
        data: TrainDataViewModel,
        sessions: SessionList,
        context: WindowContext,
    ) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._data = data
        self._sessions = sessions
        self._context = context
        self._runs: tuple[PastRun, ...] = ()
        self._busy = False
        self.plan = PlanCard(model, data)
        self.run = RunCard()
        self.runs = Card(tr("Runs"))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._no_runs = caption(tr("Nothing was trained here yet."))
        self.roll_back = Button(tr("Back to the weights before"), icon_name="undo-variant")
        self.roll_back.hide()
        self._lay_out()
        self.plan.start_requested.connect(model.start)
        self.plan.data_set_requested.connect(self._ask_for_data_set)
        data.refused.connect(self._show_no_data_set)
        data.not_kept.connect(self.show_refusal)
        self.run.stop_requested.connect(model.stop)
        self.run.resume_requested.connect(self._resume)
        self.run.use_requested.connect(model.use)
        model.run_changed.connect(self.show_run)
        model.runs_changed.connect(self.show_runs)
        model.weights_used.connect(self.show_used)
        model.refused.connect(self.show_refusal)
        self.plan.estimate_requested.connect(self._estimate)
        model.estimated.connect(self.plan.show_estimate)
        self.roll_back.clicked.connect(model.roll_back)
        self.run.compare_requested.connect(self._compare)
        self.run.wipe_requested.connect(self._open_wipe)
        self.run.report_requested.connect(self._open_report)
        model.compared.connect(self._show_comparison)
        model.rolled_back.connect(self.show_rolled_back)
        sessions.listed.connect(self.show_sessions)
        sessions.thumbnail_came.connect(self.plan.show_thumbnail)

    def shown(self) -> None:
        """The page came to the front."""
        wanted = handover.take_train_on()
        if wanted:
            self.plan.tick_only(wanted)
        self.plan.show_weights()
        if (problem := self._data.take_problem()) is not None:
            self._context.show_banner(Notice("error", problem.sentence, problem.hint))
        self._sessions.load()
        self._model.load_runs()

    def hidden(self) -> None:
        """The page left the front; a run goes on."""

    def closing(self) -> None:
        """The window closes; a run under way goes on, and the next window finds it."""
        self._sessions.close()
        self._data.close()
        self._model.close()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()

    def _share_room(self) -> None:
        """Plan and run beside each other; where that is too narrow, the run below the plan."""
        narrow = self.width() < BESIDE_PX
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._halves.setDirection(down if narrow else across)
        plan_px = PLAN_PX + theme.SPACE_PX
        self._holder.setMinimumWidth(0 if narrow else plan_px)
        self._holder.setMaximumWidth(theme.NO_LIMIT_PX if narrow else plan_px)

    def show_sessions(self, listing: Listing) -> None:
        """Offer the sessions."""
        self.plan.show_sessions(listing, self._sessions)

    def show_run(self, run: RunView) -> None:
        """Show this moment of the run."""
        self.run.show_run(run)
        self._right.setStretch(0, 1)  # the curves take the room that is left
        self.plan.check()
        self._offer_resume()
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
            row.look_requested.connect(self._model.look_at)
            row.resume_requested.connect(self._model.resume)
            row.use_requested.connect(self._model.use)
            self._rows.addWidget(row)
        self._no_runs.setVisible(not past)
        self._offer_resume()
        self._offer_roll_back()

    def _resumable(self) -> PastRun | None:
        """The run on screen, where it can go on."""
        current = self._model.run
        if current is None or self._model.active:
            return None
        return next((run for run in self._runs if run.folder == current.folder and run.resumable), None)

    def _offer_resume(self) -> None:
        self.run.offer_resume(self._resumable() is not None)

    def _resume(self) -> None:
        if (run := self._resumable()) is not None:
            self._model.resume(run)

    def show_used(self, weights: Path) -> None:
        """Say that the live repair changed, and show it."""
        name = weights.parent.name if weights.stem == "weights" else weights.stem
        self._context.settings.model = str(weights)
        self._context.save_settings()
        self._context.go_to("Live")
        self._context.show_banner(
            Notice("info", tr("Live repair now uses {name}.").format(name=name), lasts_s=8, about="weights")
        )

    def show_rolled_back(self, name: str) -> None:
        """Say that the live repair is what it was before."""
        self._context.settings.model = name
        self._context.save_settings()
        self._offer_roll_back()
        self._context.show_banner(
            Notice(
                "info",
                tr("Live repair uses {short} again.").format(short=_short(name)),
                lasts_s=8,
                about="weights",
            )
        )

    def _offer_roll_back(self) -> None:
        before = self._model.before_promotion
        self.roll_back.setVisible(before is not None)
        if before is not None:
            self.roll_back.setText(tr("Back to {short}").format(short=_short(before)))

    def _compare(self) -> None:
        self._model.compare(self.plan.sessions)
        if self._model.comparing:
            self.run.show_comparison(
                tr("Comparing on sessions that the run has not seen ..."), running=True, report=False
            )

    def _show_comparison(self, words: str) -> None:
        self.run.show_comparison(words, running=False, report=self._model.report is not None)

    def _open_wipe(self) -> None:
        folder = self._model.compared_in
        if folder is None:
            return
        wipe = WeightsWipeViewModel(folder)
        if not wipe.count:
            self.show_refusal(tr("This comparison kept no frames. Compare again."))
            return
        dialog = WeightsWipeDialog(wipe, parent=self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        wipe.show()
        self._context.open_dialog(dialog)

    def _open_report(self) -> None:
        report = self._model.report
        if report is None:
            return
        if self._context.kiosk:
            self._context.show_banner(
                Notice(
                    "info",
                    tr("The report is in {place}").format(place=report),
                    lasts_s=12,
                    about="training report",
                )
            )
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(report)))

    def _estimate(self, plan: TrainingPlan) -> None:
        self.plan.show_estimate(tr("Measuring with two steps ..."))
        self._model.estimate(plan)

    def show_refusal(self, message: str) -> None:
        """Say what could not be done."""
        self._context.show_banner(Notice("error", message, about="training"))

    def _ask_for_data_set(self) -> None:
        known = self._data.sources.data_sets
        start = known[-1].folder.parent if known else Path.home()
        sessions = self._context.settings.sessions_folder
        dialog = FolderDialog(tr("Choose a data set"), start, sessions, sessions_only=False, parent=self)
        dialog.chosen.connect(self._data.add)
        self._context.open_dialog(dialog)

    def _show_no_data_set(self, error: NoDataSetError) -> None:
        self._context.show_banner(
            Notice("error", from_below(error.args[0]), from_below(error.hint), about="data set")
        )

    def _say_ended(self, run: RunView) -> None:
        failed = run.training.phase is TrainingPhase.FAILED
        level: Level = "error" if failed else "info"
        text = joined(": ", (run.title, run.words))
        show = partial(self._context.go_to, "Train")
        self._context.show_banner(
            Notice(level, text, from_below(run.training.hint), tr("Show"), show, about="training")
        )

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
        foot.addWidget(self.plan.estimate_words)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP_PX)
        buttons.addWidget(self.plan.estimate)
        buttons.addWidget(self.plan.start, 1)
        foot.addLayout(buttons)
        side.addLayout(foot)
        holder = QWidget()
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        self._holder = holder
        self.runs.column.addWidget(self._no_runs)
        self.runs.column.addLayout(self._rows)
        self.runs.column.addWidget(self.roll_back, 0, Qt.AlignmentFlag.AlignLeft)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        column.setSpacing(theme.SPACE_PX)
        column.addWidget(self.run)
        column.addWidget(self.runs)
        column.addStretch(0)
        self._right = column
        row = self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(theme.GAP_PX)
        row.addWidget(holder, 3)
        row.addWidget(touch_scroll(right), 2)
        self._share_room()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.GAP_PX, theme.SPACE_PX)
        outer.setSpacing(theme.SPACE_PX)
        outer.addWidget(heading(tr("Train")))
        outer.addLayout(row, 1)
