"""State of the training page: what to train on, the run under way, and the runs before it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import from_below, joined, tr, tr_many
from app.training import comparison, promotion
from app.training.estimate import estimated
from app.training.history import PastRun, past_run, past_runs
from app.training.job import TrainingJob, TrainingPhase, TrainingState
from app.training.plan import TrainingPlan
from app.viewmodels.words import duration
from trainer import files  # noqa: TID253 - names only, no torch

POLL_MS = 200
COMPARED_ON = 5
"""Most sessions that weights are compared on."""


class Recipe(Protocol):
    """What the page needs of an entry of `trainer.recipes.RECIPES`."""

    @property
    def name(self) -> str:
        """What the trainer is told."""

    @property
    def title(self) -> str:
        """What the screen says."""

    @property
    def note(self) -> str:
        """One line on what it is for."""

    @property
    def steps(self) -> int:
        """How many it takes by itself."""

    @property
    def needs_weights(self) -> bool:
        """Whether it starts from weights."""


def known_recipes() -> Mapping[str, Recipe]:
    """The trainer's own table."""
    from trainer.recipes import RECIPES  # the window is up before anyone trains

    return RECIPES


@dataclass(frozen=True)
class RunView:
    """The run on screen.

    Attributes:
        title: its name.
        folder: where it writes.
        training: what the trainer reports.
        words: its state in one sentence.
        progress: done so far, 0 to 1.
        before: JPEG of a held-out sample before training; None where there is none.
        after: the same sample after the last evaluation.
    """

    title: str
    folder: Path
    training: TrainingState
    words: str
    progress: float
    before: bytes | None = None
    after: bytes | None = None


class TrainViewModel(QObject):
    """One run at a time; it outlives the page and the window, and is found again by the next one.

    Args:
        runs: folder of all runs.
        use_weights: makes the live repair use a weights file.
        recipes: by name.
        in_use: name of the model that repairs live now.
        use_model: makes the live repair use a model of that name.
    """

    run_changed = Signal(RunView)
    runs_changed = Signal(tuple)
    weights_used = Signal(Path)
    refused = Signal(str)
    estimated = Signal(str)
    rolled_back = Signal(str)
    compared = Signal(str)

    def __init__(
        self,
        runs: Path,
        use_weights: Callable[[Path], None],
        recipes: Mapping[str, Recipe],
        parent: QObject | None = None,
        *,
        in_use: Callable[[], str] = lambda: "",
        use_model: Callable[[str], None] = lambda _name: None,
    ) -> None:
        super().__init__(parent)
        self.recipes = recipes
        self._runs_folder = runs
        self._use_weights = use_weights
        self._job: TrainingJob | None = None
        self._title = ""
        self._seen = 0
        self._followed = False
        self._listing: Worker | None = None
        self._listed: Slot[tuple[PastRun, ...]] = Slot()
        self._listed_seen = 0
        self._list_again = False
        self._in_use = in_use
        self._use_model = use_model
        self._estimator: Worker | None = None
        self._estimate: Slot[str] = Slot()
        self._estimate_seen = 0
        self._comparer: Worker | None = None
        self._comparison: Slot[str] = Slot()
        self._comparison_seen = 0
        self._samples: tuple[bytes | None, bytes | None] = (None, None)
        self._samples_of: tuple[object, ...] = ()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def active(self) -> bool:
        """Whether a run is under way."""
        state = None if self._job is None else self._job.state.latest()
        return state is not None and state.active

    @property
    def run(self) -> RunView | None:
        """The run under way or the one that ended last; None before the first."""
        state = None if self._job is None else self._job.state.latest()
        if self._job is None or state is None:
            return None
        before, after = self._sample_pictures(self._job.run)
        return RunView(
            self._title, self._job.run, state, words_of(state), _progress(state), before=before, after=after
        )

    def _sample_pictures(self, run: Path) -> tuple[bytes | None, bytes | None]:
        """Of the run; each is read again when it is written anew, which is after its evaluation was told."""
        paths = run / files.SAMPLE_BEFORE, run / files.SAMPLE_AFTER
        stamps = tuple(_stamp(path) for path in paths)
        if self._samples_of != (run, *stamps):
            self._samples_of = (run, *stamps)
            self._samples = (_content(paths[0]), _content(paths[1]))
        return self._samples

    def start(self, plan: TrainingPlan) -> None:
        """Train; refuses in words when the plan cannot start or a run is under way."""
        if self.active:
            self.refused.emit(tr("A run is under way. Stop it first."))
            return
        if plan.obstacle:
            self.refused.emit(plan.obstacle)
            return
        now = datetime.now(UTC)
        title = self.title_of(plan.recipe, len(plan.sessions), len(plan.data_sets), synthetic=plan.synthetic)
        state = TrainingState(steps=plan.steps)
        self._launch(self._new_folder(now, plan.recipe), title, state, plan.arguments)

    def resume(self, run: PastRun) -> None:
        """Go on with a run that was stopped; its curves so far stay."""
        if self.active:
            self.refused.emit(tr("A run is under way. Stop it first."))
            return
        state = replace(run.state, phase=TrainingPhase.STARTING, message="", hint="")
        self._launch(run.folder, self.run_title(run), state, ["--resume"])

    def title_of(self, recipe: str, sessions: int, data_sets: int, *, synthetic: bool) -> str:
        """What a run is called: its recipe and what it learns from."""
        known = self.recipes.get(recipe)
        sources = [tr_many("{count:,} session", "{count:,} sessions", sessions)] if sessions else []
        sources += [tr_many("{count:,} data set", "{count:,} data sets", data_sets)] if data_sets else []
        sources += [tr("simulated rooms")] if synthetic else []
        title = recipe if known is None else from_below(known.title)
        return joined(": ", (title, joined(", ", sources)))

    def run_title(self, run: PastRun) -> str:
        """What a past run is called."""
        return self.title_of(run.recipe, len(run.sessions), len(run.data_places), synthetic=run.synthetic)

    def look_at(self, run: PastRun) -> None:
        """Put a past run on screen, with its curves and samples."""
        if self.active:
            self.refused.emit(tr("A run is under way. Stop it first."))
            return
        if self._job is not None:
            self._job.close()
        job = TrainingJob(run.folder)
        job.state.put(replace(run.state, weights=run.weights))
        self._title, self._job, self._seen = self.run_title(run), job, 0
        self.poll()
        self.compared.emit(comparison.told(run.folder / comparison.FOLDER))

    def stop(self) -> None:
        """Have the trainer write a checkpoint and end."""
        if self._job is not None and self.active:
            self._job.ask_to_stop()
            self.poll()

    def use(self, weights: Path) -> None:
        """Repair live with these weights."""
        if not weights.is_file():
            self.refused.emit(
                tr("The weights {weights} are gone. Choose another run.").format(weights=weights)
            )
            return
        before = self._in_use()
        try:
            if before and before != str(weights):
                promotion.remember(self._runs_folder, before)
        except OSError as error:
            self.refused.emit(
                tr("The weights are not used, because what they replace cannot be noted: {error}.").format(
                    error=error
                )
            )
            return
        self._use_weights(weights)
        self.weights_used.emit(weights)

    @property
    def before_promotion(self) -> str | None:
        """The model that was in use before the last weights that were promoted."""
        return promotion.previous(self._runs_folder)

    def roll_back(self) -> None:
        """Repair live with the model that was in use before."""
        name = self.before_promotion
        if name is None:
            self.refused.emit(tr("There are no weights to go back to."))
            return
        path = Path(name)
        if path.suffix and path.is_absolute() and not path.is_file():
            self.refused.emit(
                tr("The weights {name} are gone. Choose others on the Settings page.").format(name=name)
            )
            return
        try:
            promotion.forget(self._runs_folder)
        except OSError as error:
            self.refused.emit(tr("The runs folder cannot be written: {error}.").format(error=error))
            return
        self._use_model(name)
        self.rolled_back.emit(name)

    @property
    def comparing(self) -> bool:
        """Whether a comparison is being measured."""
        return self._comparer is not None and self._comparer.running

    @property
    def report(self) -> Path | None:
        """The page with pictures of the last comparison of the run on screen; None where there is none."""
        path = None if self._job is None else self._job.run / comparison.FOLDER / comparison.REPORT
        return path if path is not None and path.is_file() else None

    @property
    def compared_in(self) -> Path | None:
        """Folder of the last comparison of the run on screen; None where there is none."""
        report = self.report
        return None if report is None else report.parent

    def compare(self, sessions: Sequence[Path]) -> None:
        """Compare the run's weights with those in use; `compared` follows.

        Args:
            sessions: all that there are; those that the run did not learn from are taken, and of its data
                sets the scenes that it did not learn from.
        """
        run = self.run
        if run is None or run.training.weights is None or self.comparing:
            return
        weights, in_use, out = run.training.weights, self._in_use(), run.folder / comparison.FOLDER
        if in_use == str(weights):
            self.refused.emit(
                tr("These weights are in use. Choose others on the Settings page to compare with.")
            )
            return
        past = past_run(run.folder)
        seen = () if past is None else past.sessions
        places = [str(folder) for folder in sessions if folder not in seen][:COMPARED_ON]
        places += () if past is None else past.data_places
        if not places:
            self.refused.emit(
                tr("There is no session that this run did not learn from. Record one to compare on.")
            )
            return
        self._comparer = Worker(
            "training comparison",
            lambda stop: self._comparison.put(comparison.compared(weights, in_use, places, out, stop)),
        )
        self._comparer.start()
        self._timer.start()

    @property
    def estimating(self) -> bool:
        """Whether an estimate is being measured."""
        return self._estimator is not None and self._estimator.running

    def estimate(self, plan: TrainingPlan) -> None:
        """Measure in another process how long the plan will take and how much memory; `estimated` follows."""
        if plan.obstacle:
            self.refused.emit(plan.obstacle)
            return
        if self.estimating:
            return
        self._estimator = Worker(
            "training estimate", lambda stop: self._estimate.put(estimated(plan.arguments, stop))
        )
        self._estimator.start()
        self._timer.start()

    def load_runs(self) -> None:
        """Read the list of runs in a thread; `runs_changed` follows."""
        if self._is_listing:
            self._list_again = True
            return
        self._listing = Worker("training runs", self._list_runs)
        self._listing.start()
        self._timer.start()

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        newer = self._listed.newer_than(self._listed_seen, timeout_s=0)
        if newer is not None:
            self._listed_seen, runs = newer
            self._find_again(runs)
            self.runs_changed.emit(runs)
        if self._list_again and not self._is_listing:
            self._list_again = False
            self.load_runs()
        found = self._estimate.newer_than(self._estimate_seen, timeout_s=0)
        if found is not None:
            self._estimate_seen, words = found
            self.estimated.emit(words)
        result = self._comparison.newer_than(self._comparison_seen, timeout_s=0)
        if result is not None:
            self._comparison_seen, words = result
            self.compared.emit(words)
        self._poll_job()
        if self._nothing_can_follow:
            self._timer.stop()

    def close(self) -> None:
        """Follow no longer; a run under way goes on without the window."""
        self._timer.stop()
        if self._job is not None:
            self._job.close()
        for worker in (self._estimator, self._comparer):
            if worker is not None:
                worker.stop()
        if self._listing is not None:
            self._listing.stop()

    def _find_again(self, runs: tuple[PastRun, ...]) -> None:
        """Follow a run that goes on although the window that started it was closed."""
        found = next((run for run in runs if run.owner is not None), None)
        if found is None or found.owner is None or self.active:
            return
        if self._job is not None:
            if self._job.run == found.folder:
                return  # it has just ended, and the list is older than that
            self._job.close()
        job = TrainingJob(found.folder)
        job.state.put(found.state)
        self._title, self._job, self._seen = self.run_title(found), job, 0
        job.attach(found.owner)
        self._timer.start()

    def _launch(self, folder: Path, title: str, state: TrainingState, arguments: Sequence[str]) -> None:
        if self._job is not None:
            self._job.close()
        try:
            job = TrainingJob(folder, arguments)
            job.state.put(state)
            job.start()
        except OSError as error:
            self.refused.emit(
                tr("The run could not start: {error}. Check the disk and the folder {folder}.").format(
                    error=error, folder=folder
                )
            )
            return
        self._title, self._job, self._seen = title, job, 0
        self._timer.start()
        self.poll()
        self.load_runs()

    @property
    def _is_listing(self) -> bool:
        return self._listing is not None and self._listing.running

    @property
    def _nothing_can_follow(self) -> bool:
        # Who still works is asked before what was seen: news that comes in between is then not taken for old.
        if self.active or self._is_listing or self.estimating or self.comparing:
            return False
        if self._followed or (self._job is not None and self._job.followed):
            return False
        if (self._estimate.version, self._comparison.version) != (self._estimate_seen, self._comparison_seen):
            return False
        job_shown = self._job is None or self._job.state.version == self._seen
        return job_shown and self._listed.version == self._listed_seen

    def _poll_job(self) -> None:
        if self._job is None:
            return
        followed = self._job.followed
        if self._followed and not followed:
            self.load_runs()  # only a run without a process can be resumed
        self._followed = followed
        version = self._job.state.version  # before the state, so that one that comes between is seen again
        view = self.run
        if view is not None and version != self._seen:
            self._seen = version
            self.run_changed.emit(view)
            if not view.training.active:
                self.load_runs()

    def _list_runs(self, _stop: threading.Event) -> None:
        self._listed.put(tuple(past_runs(self._runs_folder)))

    def _new_folder(self, now: datetime, recipe: str) -> Path:
        stem = f"{now.astimezone():%Y-%m-%d_%H-%M-%S}_{recipe}"
        folder, number = self._runs_folder / stem, 2
        while folder.exists():
            folder, number = self._runs_folder / f"{stem}_{number}", number + 1
        return folder


def _stamp(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def words_of(state: TrainingState) -> str:
    """A run's state in one sentence."""
    match state.phase:
        case TrainingPhase.STARTING:
            return from_below(state.message) or tr("Starting the trainer ...")
        case TrainingPhase.STOPPING:
            return tr("Stopping after this step; a checkpoint is written.")
        case TrainingPhase.STOPPED:
            return tr("Stopped at step {step:,} of {steps:,}. It can be resumed.").format(
                step=state.step, steps=state.steps
            )
        case TrainingPhase.DONE:
            return tr("Finished: {steps}.").format(
                steps=tr_many("{count:,} step", "{count:,} steps", state.step or state.steps)
            )
        case TrainingPhase.FAILED:
            why = from_below(state.message) or tr("The run failed.")
            if not state.step:
                return why
            return tr("Failed at step {step:,} of {steps:,}. {why}").format(
                step=state.step, steps=state.steps, why=why
            )
    if state.message:
        return from_below(state.message)
    return tr("Step {step:,} of {steps:,}{pace}").format(
        step=state.step, steps=state.steps, pace=_pace(state)
    )


def _pace(state: TrainingState) -> str:
    if state.rate_hz <= 0:
        return ""
    left = duration((state.steps - state.step) / state.rate_hz)
    pace = (
        tr("{rate_hz:.1f} steps/s").format(rate_hz=state.rate_hz)
        if state.rate_hz >= 1
        else tr("{rate_hz:.1f} s per step").format(rate_hz=1 / state.rate_hz)
    )
    return tr(", {pace}, {left} left").format(pace=pace, left=left)


def _progress(state: TrainingState) -> float:
    if state.phase is TrainingPhase.DONE:
        return 1.0
    return min(state.step / state.steps, 1.0) if state.steps else 0.0
