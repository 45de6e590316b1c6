"""What to train on, and how: the card that a new run is planned on."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
)

from app import paths
from app.language import from_below, joined, tr, tr_many, tr_noop
from app.recording.entry import SessionEntry
from app.training.data_sets import Sources
from app.training.plan import TrainingPlan
from app.ui import theme
from app.ui.tick_row import TickRow
from app.ui.train_data import DataSetRows, MixRows
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
)
from app.viewmodels.session_list import Listing, SessionList, Thumbnail
from app.viewmodels.train import TrainViewModel
from app.viewmodels.train_data import TrainDataViewModel
from app.viewmodels.words import clock, labelled, session_name
from model.spec import catalogue

MOST_ROWS = 100
"""More come when they are asked for, as on the Sessions page."""
NOTHING = Option("", tr_noop("Nothing (from scratch)"))


class SessionRow(TickRow):
    """A session with a tick."""

    def __init__(self, entry: SessionEntry) -> None:
        self.entry = entry
        labels = joined(", ", map(labelled, filter(None, (entry.labels.scene, *entry.labels.tags)))) or tr(
            "No labels"
        )
        length = joined(
            ", ", (clock(entry.seconds), tr_many("{count:,} frame", "{count:,} frames", entry.frames))
        )
        super().__init__((session_name(entry), labels, length), pictured=True)


class PlanCard(Card):
    """What to train on, how, and the button that starts it.

    Signals:
        start_requested: the plan.
        estimate_requested: measure how long the plan takes.
        data_set_requested: name a folder to learn from.
    """

    start_requested = Signal(TrainingPlan)
    estimate_requested = Signal(TrainingPlan)
    data_set_requested = Signal()

    def __init__(self, model: TrainViewModel, data: TrainDataViewModel) -> None:
        super().__init__(tr("New run"))
        self._model = model
        self._data = data
        self._offered: dict[Path, SessionEntry] = {}
        self._ticked: set[Path] = set()
        self._most = MOST_ROWS
        self._pictures: SessionList | None = None
        self._rows: dict[Path, SessionRow] = {}
        self._wanted: tuple[Path, ...] = ()
        self._estimated_for: TrainingPlan | None = None
        self.recipes = ChipGroup(
            [Option(recipe.name, from_below(recipe.title)) for recipe in model.recipes.values()], tr("Recipe")
        )
        self._note = caption()
        self._sessions = QVBoxLayout()
        self._sessions.setSpacing(theme.GAP_PX)
        self._no_sessions = caption(tr("Reading the sessions ..."))
        self.more = Button(tr("Show more"), icon_name="chevron-down")
        self.more.hide()
        self.synthetic = Switch(tr("Simulated rooms"))
        self.data_sets = DataSetRows()
        self.mix = MixRows()
        self.init = Picker(tr("Start from"))
        self.init.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.steps = Stepper(tr("Steps"), minimum=10, maximum=1_000_000, step=50)
        self.start = PrimaryButton(tr("Start training"), icon_name="play")
        self.start.setMinimumHeight(theme.BIG_TARGET_PX)
        self.estimate = Button(tr("Estimate"), icon_name="timer-outline")
        self.estimate.setMinimumHeight(theme.BIG_TARGET_PX)
        self.estimate_words = caption()
        self.estimate_words.setWordWrap(True)
        self.estimate_words.hide()
        self.obstacle = caption()
        steps = QHBoxLayout()
        steps.addWidget(body(tr("Steps")), 1)
        steps.addWidget(self.steps)
        for widget in (caption(tr("Recipe")), self.recipes, self._note):
            self.column.addWidget(widget)
        self.column.addSpacing(theme.SPACE_PX)
        learn_from = QVBoxLayout()
        learn_from.setSpacing(0)  # the switch has room of its own
        learn_from.addWidget(caption(tr("Learn from")))
        learn_from.addWidget(self.synthetic)
        self.column.addLayout(learn_from)
        self.column.addWidget(self.data_sets)
        self.column.addWidget(self.mix)
        self.column.addSpacing(theme.GAP_PX)
        self.column.addWidget(caption(tr("Sessions")))
        self.column.addWidget(self._no_sessions)
        self.column.addLayout(self._sessions)
        self.column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)
        self.column.addSpacing(theme.GAP_PX)
        self.column.addWidget(caption(tr("Start from")))
        self.column.addWidget(self.init)
        self.column.addLayout(steps)
        self.more.clicked.connect(self._show_more)
        self.recipes.changed.connect(self._recipe_chosen)
        self.init.picked.connect(self.check)
        self.steps.value_changed.connect(self.check)
        self.synthetic.toggled.connect(self.check)
        self.data_sets.add_requested.connect(self.data_set_requested)
        self.data_sets.chosen.connect(self._choose_data_set)
        self.data_sets.remove_requested.connect(data.remove)
        self.mix.weighed.connect(data.weigh)
        data.changed.connect(self.show_sources)
        self.start.clicked.connect(self._start)
        self.estimate.clicked.connect(self._ask_for_estimate)
        first = next(iter(model.recipes), "")
        self.recipes.select(first)
        self._recipe_chosen([first] if first else [])
        self.show_sources(data.sources)

    @property
    def plan(self) -> TrainingPlan:
        """What stands on the card."""
        ticked = tuple(folder for folder in self._offered if folder in self._ticked)
        sources = self._data.sources
        return TrainingPlan(
            self.recipes.choice,
            ticked,
            self.synthetic.isChecked(),
            round(self.steps.value),
            Path(self.init.choice) if self.init.choice else None,
            tuple(data for data in sources.data_sets if data.chosen),
            sources.sessions_weight,
            sources.rooms_weight,
        )

    @property
    def sessions(self) -> tuple[Path, ...]:
        """All sessions that can be used, ticked or not, shown or not."""
        return tuple(self._offered)

    def show_sources(self, sources: Sources) -> None:
        """Show the data sets and the mix."""
        self.data_sets.show_data_sets(sources.data_sets, looking=self._data.looking)
        self.check()

    def _choose_data_set(self, folder: Path, on: bool) -> None:
        self._data.choose(folder, chosen=on)

    def show_sessions(self, listing: Listing, pictures: SessionList) -> None:
        """Offer the sessions that can be used; ticks stay."""
        if self._offered and not listing.complete:
            return  # the reading before shows more
        self._pictures = pictures
        self._offered = {entry.folder: entry for entry in listing.entries if entry.usable and entry.frames}
        self._ticked.update(self._wanted)
        if listing.complete:
            self._wanted = ()
            self._ticked.intersection_update(self._offered)
        self._show_rows()
        self._no_sessions.setVisible(not self._offered)
        self._no_sessions.setText(
            listing.problem or tr("There is no session yet. Record one, or learn from simulated rooms.")
        )
        self.check()

    def _show_rows(self) -> None:
        """One portion of the sessions, and all that are ticked, those first that would not be in it."""
        assert self._pictures is not None
        portion = dict(list(self._offered.items())[: self._most])
        ahead = {f: e for f, e in self._offered.items() if f in self._ticked and f not in portion}
        shown = {**ahead, **portion}
        while (item := self._sessions.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                if isinstance(old, SessionRow) and shown.get(old.entry.folder) != old.entry:
                    old.deleteLater()
        kept = {f: row for f, row in self._rows.items() if shown.get(f) == row.entry}
        self._rows = {}
        for folder, entry in shown.items():
            row = kept.get(folder) or self._new_row(entry)
            row.setChecked(folder in self._ticked)
            self._rows[folder] = row
            self._sessions.addWidget(row)
            row.show()
        self._pictures.want_pictures(shown.values())
        hidden = len(self._offered) - len(shown)
        self.more.setVisible(hidden > 0)
        self.more.setText(
            tr("Show {count} more of {hidden:,}").format(count=min(hidden, MOST_ROWS), hidden=hidden)
        )

    def _new_row(self, entry: SessionEntry) -> SessionRow:
        row = SessionRow(entry)
        if self._pictures is not None:
            row.show_jpeg(self._pictures.picture(entry.folder))
        row.toggled.connect(partial(self._tick, entry.folder))
        return row

    def _tick(self, folder: Path, on: bool) -> None:
        (self._ticked.add if on else self._ticked.discard)(folder)
        self.check()

    def _show_more(self) -> None:
        self._most += MOST_ROWS
        self._show_rows()

    def show_thumbnail(self, picture: Thumbnail) -> None:
        """Show a picture that came."""
        if picture.folder in self._rows:
            self._rows[picture.folder].show_jpeg(picture.jpeg)

    def tick_only(self, folders: tuple[Path, ...]) -> None:
        """Choose these sessions, now or when the list has come."""
        self._wanted = folders
        self._ticked = {folder for folder in folders if folder in self._offered}
        if self._pictures is not None:
            self._show_rows()
        self.synthetic.setChecked(False)
        for data in self._data.sources.data_sets:
            self._data.choose(data.folder, chosen=False)
        self.check()

    def show_weights(self) -> None:
        """Offer the weights that are there now."""
        recipe = self._model.recipes.get(self.recipes.choice)
        before = self.init.choice
        options = [
            Option(str(model.weights), from_below(model.title), hint=from_below(model.note))
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
        plan = self.plan
        obstacle = plan.obstacle
        self.mix.show_plan(plan)
        busy = self._model.active
        self.start.setEnabled(not obstacle and not busy)
        self.estimate.setEnabled(not obstacle and not busy and not self._model.estimating)
        if plan != self._estimated_for:
            self._estimated_for = None
            self.estimate_words.hide()  # it was measured for another plan
        self.obstacle.setText(tr("A run is under way; stop it to start another one.") if busy else obstacle)
        self.obstacle.setVisible(bool(self.obstacle.text()))

    def _recipe_chosen(self, keys: list[str]) -> None:
        recipe = self._model.recipes.get(keys[0]) if keys else None
        if recipe is not None:
            self._note.setText(from_below(recipe.note))
            self.steps.set_step(max(recipe.steps // 20, 10))
            self.steps.set_value(recipe.steps)
            if not recipe.needs_weights:
                self.init.select("")
        self.show_weights()
        self.check()

    def show_estimate(self, words: str) -> None:
        """Say what the plan will take, or that it is being measured."""
        self.estimate_words.setText(words)
        self.estimate_words.show()
        self.estimate.setEnabled(not self._model.estimating)

    def _ask_for_estimate(self) -> None:
        self._estimated_for = self.plan
        self.estimate_requested.emit(self.plan)

    def _start(self) -> None:
        self.start_requested.emit(self.plan)
