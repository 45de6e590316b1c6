"""How the repair runs: mode, tokens, precision, device, and how much depth is hidden from it."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.compose import InferenceState, InferenceStatus
from app.flow.attention import Attention
from app.language import capitalised, from_below, tr, tr_noop
from app.ui import theme
from app.ui.widgets import ChipGroup, Option, Segmented, Switch, label, set_tone
from app.ui.worded import Slider, Worded
from app.viewmodels.repair_choices import devices, has_network, precisions, token_choices
from app.viewmodels.status import engine_item
from app.viewmodels.words import labelled, with_precision
from drivers.vendor import orbbec_filters, realsense_filters
from model.spec import EngineChoice, ModelSpec

MODES: Final = (
    Option("completion", tr_noop("Completion"), hint=tr_noop("The network sees colour and depth")),
    Option("monocular", tr_noop("Monocular"), hint=tr_noop("The network sees colour only")),
)
FILTERS: Final = tuple(Option(step, capitalised(labelled(step))) for step in realsense_filters.STEPS)
FILTERS_TEXT: Final = tr_noop("RealSense's own, on the depth of any camera.")
ORBBEC_FILTERS: Final = tuple(
    Option(step, capitalised(labelled(step.removeprefix("orbbec ")))) for step in orbbec_filters.STEPS
)
ORBBEC_TEXT: Final = tr_noop(
    "Orbbec's own, for Orbbec's cameras and recordings only: its library takes no other frames."
)
BESIDE_TEXT: Final = tr_noop(
    "To look at beside the repair, of one vendor at a time. The repair and recordings take depth as measured."
)
ATTENTION_TEXT: Final = tr_noop("Tap a picture to see what the network looks at from there.")
ATTENTION_WAITING: Final = tr_noop("Looking into the network ...")
ATTENTION_NOTHING: Final = tr_noop(
    "Nothing is measured there, so the network has no depth token. Tap a place with depth."
)
ATTENTION_SHOWN: Final = tr_noop(
    "Bright is where the depth token at the ring looks in colour: mean over the heads of the last block."
)
APART_PX: Final = 24
"""From one control with its caption to the next."""
MOST_HIDDEN: Final = 90
HIDDEN_STEP: Final = 5


class RepairPanel(Worded, QWidget):
    """Everything about the present model that can be changed while it runs.

    Signals:
        change_requested: dict of fields of `EngineChoice` with their new values.
        hidden_chosen: share of the depth patches, 0 to 1.
        stabilise_chosen: whether refined depth shall be steadied over time.
        attention_chosen: whether the next touch asks what a place attends to.
        filters_chosen: the vendor's filters that raw depth shall be shown after, as a list of their names.
    """

    change_requested = Signal(dict)
    hidden_chosen = Signal(float)
    stabilise_chosen = Signal(bool)
    filters_chosen = Signal(list)
    attention_chosen = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._model, self._state = label("", "title"), label("", "muted")
        self.modes = Segmented(MODES, tr("What the network sees"))
        self.tokens = ChipGroup([], tr("Tokens for each frame"))
        self.precisions = ChipGroup([Option(k, v) for k, v in precisions().items()], tr("Precision"))
        self.devices = ChipGroup([], tr("Device"))
        self.anchor = Switch(tr("Keep to the measurement"))
        self.stabilise = Switch(tr("Steady over time"))
        self.attention = Switch(tr("Attention of a tapped patch"))
        self._attention_words = label(ATTENTION_TEXT, "caption")
        self._hidden_words = label("")
        self.hidden = Slider(Qt.Orientation.Horizontal)
        self.hidden.setRange(0, MOST_HIDDEN // HIDDEN_STEP)
        self.hidden.setAccessibleName(tr("Share of the depth that is hidden from the repair"))
        self.hidden.setMinimumHeight(theme.SMALLEST_TARGET_PX)
        self.hidden.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.filters = ChipGroup(FILTERS, tr("RealSense's filters on raw depth"), exclusive=False)
        self.orbbec_filters = ChipGroup(ORBBEC_FILTERS, tr("Orbbec's filters on raw depth"), exclusive=False)
        self._filters_problem = label("", "caption")
        set_tone(self._filters_problem, "warning")
        self._network = QWidget()
        for switch in (self.stabilise, self.attention):
            switch.setFixedHeight(theme.SMALLEST_TARGET_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(APART_PX)
        hiding = label(
            tr("Hides patches of the measurement from the repair, to see how it holds up."), "caption"
        )
        for group in (
            (self._model, self._state),
            (self.stabilise, label(tr("Averages refined depth where nothing moves."), "caption")),
            (self._hidden_words, self.hidden, hiding),
            (self.attention, self._attention_words),
            (self._network,),
            # The problem above the choices, or a small screen would hide it.
            (
                label(tr("Vendor filters on raw depth")),
                self._filters_problem,
                label(FILTERS_TEXT, "caption"),
                self.filters,
            ),
            (label(ORBBEC_TEXT, "caption"), self.orbbec_filters, label(BESIDE_TEXT, "caption")),
        ):
            rows = QVBoxLayout()
            spacious = isinstance(group[0], Switch)  # brings the space around its words
            rows.setSpacing(0 if spacious else theme.TIGHT_PX)
            for row in group:
                rows.addWidget(row)
            column.addLayout(rows)
        below = QVBoxLayout(self._network)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(theme.GAP_PX)
        for word, widget in (
            (tr("Mode"), self.modes),
            (tr("Tokens"), self.tokens),
            (tr("Precision"), self.precisions),
            (tr("Device"), self.devices),
        ):
            below.addSpacing(theme.TIGHT_PX)
            below.addWidget(label(word, "caption"))
            below.addWidget(widget)
        below.addWidget(self.anchor)
        self.modes.changed.connect(self._mode_changed)
        self.tokens.changed.connect(self._tokens_changed)
        self.precisions.changed.connect(self._precision_changed)
        self.devices.changed.connect(self._device_changed)
        self.anchor.clicked.connect(self._anchor_changed)
        self.hidden.valueChanged.connect(self._hidden_changed)
        self.stabilise.clicked.connect(self.stabilise_chosen)
        self.attention.clicked.connect(self.attention_chosen)
        self.filters.changed.connect(self.filters_chosen)  # without those of the other vendor
        self.orbbec_filters.changed.connect(self.filters_chosen)
        self.show_hidden(0.0)
        self.show_filters((), "")

    def show_choice(self, choice: EngineChoice, spec: ModelSpec) -> None:
        """Show what is chosen."""
        self._model.setText(from_below(spec.title))
        self.modes.select("monocular" if choice.monocular else "completion")
        levels = token_choices(spec, choice.tokens)
        self.tokens.set_options([Option(str(n), str(n) if n else tr("Auto")) for n in levels])
        self.tokens.select(str(choice.tokens))
        self.precisions.select(choice.precision)
        self.devices.set_options([Option(k, v) for k, v in devices(choice.device).items()])
        self.devices.select(choice.device)
        self.anchor.setChecked(choice.anchor and not choice.monocular)
        self._network.setVisible(has_network(spec))
        self.anchor.setEnabled(not choice.monocular)

    def show_stabilise(self, stabilise: bool) -> None:
        """Show whether depth is steadied."""
        self.stabilise.setChecked(stabilise)

    def show_attention(self, attention: Attention | None, *, asking: bool) -> None:
        """Show whether touches ask, and what became of the last one."""
        self.attention.setChecked(asking)
        words, tone = ATTENTION_TEXT, ""
        if asking and attention is not None:
            if attention.problem:
                words, tone = attention.problem, "warning"
            elif attention.waiting:
                words = ATTENTION_WAITING
            elif attention.weights is None:
                words, tone = ATTENTION_NOTHING, "warning"
            else:
                words = ATTENTION_SHOWN
        self._attention_words.setText(words)
        set_tone(self._attention_words, tone)

    def show_filters(self, steps: Sequence[str], problem: str) -> None:
        """Show which filters run, and why they do not."""
        self.filters.select(steps)
        self.orbbec_filters.select(steps)
        self._filters_problem.setText(problem)
        self._filters_problem.setVisible(bool(problem))

    def show_state(self, state: InferenceState | None) -> None:
        """Show what the repair is doing."""
        item = engine_item(state)
        words = item.text
        if state is not None and state.status is InferenceStatus.RUNNING:
            words = (
                tr("Runs on {message}").format(message=with_precision(from_below(state.message)))
                if state.message
                else tr("Running")
            )
        elif state is not None and state.message:
            words = from_below(state.message)
        self._state.setText(words)
        set_tone(self._state, item.tone)

    def show_hidden(self, share: float) -> None:
        """Show how much is hidden."""
        self.hidden.blockSignals(True)
        self.hidden.setValue(round(share * 100 / HIDDEN_STEP))
        self.hidden.blockSignals(False)
        self._hidden_words.setText(
            tr("Hidden depth: {share:.0%}").format(share=share) if share else tr("Hidden depth: none")
        )
        set_tone(self._hidden_words, "warning" if share else "")

    def _mode_changed(self, keys: list[str]) -> None:
        self.change_requested.emit({"monocular": keys[0] == "monocular"})

    def _tokens_changed(self, keys: list[str]) -> None:
        self.change_requested.emit({"tokens": int(keys[0])})

    def _precision_changed(self, keys: list[str]) -> None:
        self.change_requested.emit({"precision": keys[0]})

    def _device_changed(self, keys: list[str]) -> None:
        self.change_requested.emit({"device": keys[0]})

    def _anchor_changed(self, checked: bool) -> None:
        self.change_requested.emit({"anchor": checked})

    def _hidden_changed(self, value: int) -> None:
        self.hidden_chosen.emit(value * HIDDEN_STEP / 100)
