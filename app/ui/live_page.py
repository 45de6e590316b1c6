"""The Live page: what the cameras see, measured and repaired."""

import errno
from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.compose import InferenceState, InferenceStatus
from app.flow.attention import Attention
from app.language import from_below, joined, lowered, tr, tr_noop
from app.ui import theme
from app.ui.checkup_panel import CheckupPanel
from app.ui.cloud_options import VIEWS
from app.ui.cloud_panel import CloudPanel
from app.ui.cloud_saver import CloudSaver
from app.ui.colour_panel import ColourPanel
from app.ui.commands import Command, as_changed, bind_keys, numbered
from app.ui.context import WindowContext
from app.ui.flow_layout import FlowLayout
from app.ui.hiding_notice import HidingNotice
from app.ui.layer_bar import BASES, TIGHTER, LayerBar
from app.ui.legends import Legend, RangeButton, metres
from app.ui.measure_panel import TOOLS, MeasurePanel
from app.ui.rebinding import EVERYWHERE, keyed
from app.ui.repair_panel import RepairPanel
from app.ui.saving import save_as
from app.ui.side_panel import NARROW_PX, SidePanel
from app.ui.tiles import Drawn, TilesArea
from app.ui.widgets import EmptyState, IconButton, Option, Picker, RoomyButton, Segmented
from app.ui.worded import Worded
from app.viewmodels.checkup import CheckupModel
from app.viewmodels.colouring import COLOUR_MAP_WORDS
from app.viewmodels.layers import LAYER_HINTS, LAYER_WORDS, LAYERS
from app.viewmodels.live import PRESETS_M, CameraTitle, LiveModel, LiveOptions, TileView
from app.viewmodels.measure import Measured, MeasureModel, Tool
from model.spec import OFF, ModelSpec

LAYOUTS = (
    Option("one", tr_noop("One"), hint=keyed(tr_noop("One picture for each camera (O)"), "Live")),
    Option("wipe", tr_noop("Wipe"), hint=keyed(tr_noop("Two pictures on either side of a line (W)"), "Live")),
    Option("blend", tr_noop("Blend"), hint=keyed(tr_noop("Two pictures over each other (B)"), "Live")),
    Option("side", tr_noop("Side"), hint=keyed(tr_noop("Pictures side by side (S)"), "Live")),
    Option(
        "inset", tr_noop("Corner"), hint=keyed(tr_noop("One picture in the corner of another (I)"), "Live")
    ),
    Option("cloud", "3D", hint=keyed(tr_noop("Raw and refined as point clouds (D)"), "Live")),
)

MOST_NUMBERED = 9
ROOMY_PX = 1560
"""From there on buttons have words."""


def make_page(context: WindowContext) -> QWidget:
    """The page for the window."""
    model = LiveModel(context.studio, context.settings, context.save_settings)
    page = LivePage(context, model)
    model.setParent(page)
    return page


class LivePage(Worded, QWidget):
    """Tool bar, tiles, and the 3D view.

    Signals:
        palette_requested: list everything that can be done.
        end_requested: a replay, if there is one, shall go to its end.
    """

    palette_requested = Signal()
    end_requested = Signal()

    def __init__(self, context: WindowContext, model: LiveModel) -> None:
        super().__init__()
        self.model = model
        self.measure = MeasureModel(model.find_tile, self)
        self.checkup = CheckupModel(context.studio, model.change_repair, partial(model.set_hidden, 0.0), self)
        self._context = context
        self._layouts = Segmented(LAYOUTS, tr("Arrangement"))
        self._layouts.setStyleSheet(TIGHTER)
        self._layers = LayerBar()
        self._freeze = RoomyButton(
            "snowflake",
            keyed(tr("Freeze the pictures (Space)"), "Live"),
            tr("Freeze"),
            other=tr("Go on"),
            checkable=True,
        )
        self._measure = RoomyButton("ruler", keyed(tr("Measure (M)"), "Live"), tr("Measure"), checkable=True)
        self._stages = RoomyButton(
            "speedometer", keyed(tr("Rates and latencies (G)"), "Live"), tr("Timing"), checkable=True
        )
        self._snapshot = RoomyButton(
            "camera-outline", keyed(tr("Save a picture of what is shown (P)"), "Live"), tr("Picture")
        )
        self._more = IconButton(
            "dots-horizontal", keyed(tr("Everything that can be done (Ctrl+K)"), EVERYWHERE)
        )
        self._range = RangeButton()
        self._models = Picker(tr("Repair with"))
        self._models.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._models.setSizeAdjustPolicy(Picker.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._models.setMinimumContentsLength(12)
        self._models.setStyleSheet(
            "QComboBox { padding: 4px 6px 4px 16px; }"
        )  # the arrow has room of its own
        self._colours = ColourPanel()
        self._marks = MeasurePanel()
        self._repair = RepairPanel()
        self._tune = RoomyButton(
            "tune-variant", keyed(tr("How the repair runs (T)"), "Live"), tr("Repair"), checkable=True
        )
        self._cloud = CloudPanel("V", "Live")
        self._saver = CloudSaver(context, self._cloud)
        self._panel = SidePanel()
        self._panel.add_page("colours", tr("Colours"), self._colours)
        self._panel.add_page("measure", tr("Measure"), self._marks)
        self._panel.add_page("repair", tr("Repair"), self._repair)
        self._panel.add_page("cloud", tr("3D view"), self._cloud.options)
        self._why = RoomyButton(
            "stethoscope", keyed(tr("Why is it bad? (Q)"), "Live"), tr("Why is it bad?"), checkable=True
        )
        self._checkup = CheckupPanel()
        self._panel.add_page("checkup", tr("Why is it bad?"), self._checkup)
        self._openers = {
            "colours": self._range,
            "measure": self._measure,
            "repair": self._tune,
            "cloud": self._cloud.opener,
            "checkup": self._why,
        }
        self._acting = (self._freeze, self._measure, self._stages, self._snapshot, self._why)
        """What acts on the pictures of a camera."""
        self._hiding = HidingNotice()
        self._legend = Legend()
        self._tiles = TilesArea()
        self._cloud.body.setParent(self._tiles)  # also while it is not shown: it ends with the page
        self._nothing = EmptyState(
            "camera-off-outline",
            tr("No camera is open"),
            tr("Cameras and recordings are opened on the Cameras page."),
            action_text=tr("Open the simulated rig"),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(self._tiles)
        self._lay_out()
        self._connect()
        self._commands = self._make_commands()
        bind_keys([*self._commands, *numbered(model.focus_number, MOST_NUMBERED)], self, "Live")
        self._show_rig(model.titles)

    def shown(self) -> None:
        """Poll and show from now on."""
        self._offer_models()
        self.model.start()
        self.measure.start()

    def hidden(self) -> None:
        """Poll no more."""
        self.model.stop()
        self.measure.stop()
        self.checkup.stop()
        self._attention_chosen(False)

    def closing(self) -> None:
        """Give back what OpenGL holds."""
        self.hidden()
        self._cloud.free()

    def show_source_state(self, title_text: str, text: str) -> None:
        """Words for the time without a rig."""
        self._nothing.show_words(title_text, text)

    def _lay_out(self) -> None:
        bar = self._bar = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        for widget in (self._layouts, self._freeze, self._measure, self._stages, self._range):
            bar.addWidget(widget)
        bar.addWidget(self._models)
        bar.addWidget(self._tune)
        tools = self._tools = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        for part in self._layers.parts:
            tools.addWidget(part)
        tools.addWidget(self._cloud.bar)
        last = self._last = QWidget()
        last.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(last)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP_PX)
        row.addStretch(1)
        for button in (self._why, self._snapshot, self._more):
            row.addWidget(button)
        tools.addWidget(last)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, theme.GAP_PX, 12, theme.GAP_PX)
        column.setSpacing(theme.GAP_PX)
        column.addLayout(bar)
        column.addLayout(tools)
        column.addWidget(self._hiding)
        column.addWidget(self._legend)
        self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._below.setSpacing(theme.GAP_PX)
        self._below.addWidget(self._stack, 1)
        self._below.addWidget(self._panel)
        column.addLayout(self._below, 1)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        narrow = self.width() < NARROW_PX
        if self._panel.turn(self._below, below=narrow):
            self._place_last(narrow=narrow)
        roomy = (self._freeze, self._measure, self._stages, self._tune, self._why, self._snapshot)
        for button in (*roomy, self._cloud.opener):
            button.set_roomy(self.width() >= ROOMY_PX)

    def _place_last(self, *, narrow: bool) -> None:
        """The last buttons stand at the right of the layers, or beside the model where rows are short."""
        before, after = (self._tools, self._bar) if narrow else (self._bar, self._tools)
        before.removeWidget(self._last)
        taking = QSizePolicy.Policy.Fixed if narrow else QSizePolicy.Policy.Expanding
        self._last.setSizePolicy(taking, QSizePolicy.Policy.Fixed)
        after.addWidget(self._last)

    def _connect(self) -> None:
        model = self.model
        self._layouts.changed.connect(self._layout_chosen)
        self._layers.base_chosen.connect(model.set_base)
        self._layers.shown_chosen.connect(model.set_shown)
        self._freeze.toggled.connect(model.set_frozen)
        self._stages.toggled.connect(model.set_stages)
        self._snapshot.clicked.connect(self.save_picture)
        self._more.clicked.connect(self.palette_requested)
        for key, opener in self._openers.items():
            opener.clicked.connect(partial(self._opener_pressed, key))
        self._panel.closed.connect(partial(self._open_panel, ""))
        self._models.picked.connect(model.choose_model)
        self._colours.preset_chosen.connect(model.set_preset)
        self._colours.range_chosen.connect(self._range_chosen)
        self._colours.map_chosen.connect(model.set_colour_map)
        self._colours.difference_chosen.connect(model.set_difference)
        self._marks.tool_chosen.connect(self.measure.set_tool)
        self._marks.remove_requested.connect(self.measure.remove)
        self._marks.undo_requested.connect(self.measure.undo)
        self._marks.clear_requested.connect(self.measure.clear)
        self._repair.change_requested.connect(model.change_repair)
        self._repair.hidden_chosen.connect(model.set_hidden)
        self._repair.stabilise_chosen.connect(model.set_stabilise)
        self._repair.filters_chosen.connect(model.set_filters)
        self._repair.attention_chosen.connect(self._attention_chosen)
        model.attention_changed.connect(self._show_attention)
        self._hiding.end_requested.connect(partial(model.set_hidden, 0.0))
        self._checkup.check_requested.connect(self.checkup.start)
        self._checkup.fix_requested.connect(self.checkup.fix)
        self.checkup.changed.connect(self._checkup.show_view)
        model.choice_changed.connect(self._show_choice)
        self._tiles.drawn.connect(self._drawn)
        self.measure.tool_changed.connect(self._tiles.set_tool)
        self.measure.tool_changed.connect(self._marks.show_tool)
        self.measure.measured.connect(self._show_marks)
        self._nothing.button.clicked.connect(partial(self._context.open_source, "demo"))
        self._tiles.focus_toggled.connect(model.toggle_focus)
        self._tiles.swap_requested.connect(model.swap_layers)
        self._tiles.model_requested.connect(partial(self._context.go_to, "Settings"))
        self._tiles.frame_painted.connect(model.note_painted)
        self._cloud.colouring_changed.connect(self._show_legend)
        self._cloud.measuring_changed.connect(self._cloud_measuring)
        model.rig_changed.connect(self._show_rig)
        model.tile_changed.connect(self._show_tile)
        model.options_changed.connect(self._show_options)
        model.inference_changed.connect(self._show_inference)

    def commands(self) -> list[Command]:
        """Everything that can be done here now, for the palette."""
        model = self.model
        idle = [button.click for button in self._acting if not button.isEnabled()]
        found = as_changed([command for command in self._commands if command.act not in idle], "Live")
        found += [
            Command(
                tr("Show {name} large, or all alike").format(name=title.name),
                partial(model.focus_number, title.number),
            )
            for title in model.titles
        ]
        found += [
            Command(
                tr("Show {layer}: {meaning}").format(layer=LAYER_WORDS[la], meaning=LAYER_HINTS[la]),
                partial(model.set_shown, la),
            )
            for la in LAYERS
        ]
        found += [
            Command(
                tr("Compare with {layer}").format(layer=LAYER_WORDS[layer]),
                partial(model.set_base, layer),
            )
            for layer in BASES
        ]
        found += [
            Command(
                tr("Colour depth from {near} to {far}").format(near=metres(near), far=metres(far)),
                partial(model.set_preset, name),
            )
            for name, (near, far) in PRESETS_M.items()
        ]
        found += [
            Command(tr("Colour depth with {word}").format(word=word), partial(model.set_colour_map, key))
            for key, word in COLOUR_MAP_WORDS.items()
        ]
        found += [
            Command(_repair_command(spec), partial(self._choose_model, spec.name)) for spec in model.models()
        ]
        return found

    def _make_commands(self) -> list[Command]:
        layouts = zip(LAYOUTS, "OWBSID", strict=True)
        tools = [
            Command(
                tr("Measure: {text}").format(text=lowered(option.text)),
                partial(self._measure_with, cast("Tool", option.key)),
            )
            for option in TOOLS
        ]
        return [
            Command(tr("Freeze the pictures, or go on"), self._freeze.click, ("Space",)),
            *(
                Command(
                    tr("Arrange: {text}").format(text=option.text),
                    self._layouts.button(option.key).click,
                    (key,),
                )
                for option, key in layouts
            ),
            Command(tr("Go on with the newest pictures"), self._to_newest, ("End",)),
            Command(tr("Show the next layer"), partial(self.model.step_layer, 1), ("L",)),
            Command(tr("Show the layer before"), partial(self.model.step_layer, -1), ("Shift+L",)),
            Command(tr("Swap the two layers"), self.model.swap_layers, ("X",)),
            Command(tr("Show all cameras alike"), partial(self.model.set_focus, None), ("0", "Escape")),
            Command(tr("Measure"), self._measure.click, ("M",)),
            *tools,
            Command(tr("Forget the newest mark"), self.measure.undo, ("Ctrl+Z",)),
            Command(tr("Forget all marks"), self.measure.clear, ("Delete",)),
            Command(tr("Show rates and latencies, or hide them"), self._stages.click, ("G",)),
            Command(tr("Change the colours"), self._range.click, ("C",)),
            Command(tr("Let the colours follow the scene"), partial(self.model.set_preset, "auto"), ("A",)),
            Command(tr("Change how the repair runs"), self._tune.click, ("T",)),
            Command(tr("Steady refined depth over time, or not"), self._repair.stabilise.click),
            Command(tr("See what the network looks at from a place"), self._look_into_network),
            Command(tr("Show the repair all depth"), partial(self.model.set_hidden, 0.0)),
            Command(tr("Save a picture of what is shown"), self._snapshot.click, ("P", "Ctrl+S")),
            Command(tr("Why is it bad? Check a camera"), self._why.click, ("Q",)),
            Command(tr("Reset the 3D view"), self._cloud.reset, ("R",)),
            Command(tr("Change the 3D view"), self._cloud.opener.click, ("V",)),
            Command(tr("3D: larger points"), partial(self._cloud.options.resize_points, 1), ("+",)),
            Command(tr("3D: smaller points"), partial(self._cloud.options.resize_points, -1), ("-",)),
            Command(tr("3D: mesh or points"), self._cloud.options.mesh.click),
            Command(tr("3D: grid on the floor"), self._cloud.options.grid.click),
            Command(tr("3D: clip box"), self._cloud.options.box.click),
            *(
                Command(
                    tr("3D: see from {text}").format(text=lowered(view.text)),
                    partial(self._cloud.body.see_from, view.key),
                )
                for view in VIEWS
            ),
            Command(tr("3D: save the clouds as PLY"), self._saver.save_clouds),
        ]

    def _to_newest(self) -> None:
        self.model.set_frozen(False)
        self.end_requested.emit()

    def _look_into_network(self) -> None:
        self._open_panel("repair")
        self._attention_chosen(True)

    def _measure_with(self, tool: Tool) -> None:
        self._open_panel("measure")
        self.measure.set_tool(tool)

    def _choose_model(self, name: str) -> None:
        self.model.choose_model(name)
        self._offer_models()

    def save_picture(self) -> None:
        """Save what the tiles show, measurements included, as a PNG."""
        picture = self._stack.grab()

        def write(file: Path) -> None:
            if not picture.save(str(file)):
                raise OSError(errno.EIO, "the disk is full or write-protected")

        save_as(self._context, "live", "png", write)

    def _offer_models(self) -> None:
        self._models.set_options(
            [
                Option(
                    spec.name,
                    tr("Repair off") if spec == OFF else from_below(spec.title),
                    hint=from_below(spec.note),
                )
                for spec in self.model.models()
            ]
        )
        self._models.select(self.model.model)
        self._show_choice()

    def _layout_chosen(self, keys: list[str]) -> None:
        self.model.set_layout(keys[0])  # type: ignore[arg-type]  # keys of LAYOUTS

    def _range_chosen(self, range_m: tuple[float, float]) -> None:
        self.model.set_range(*range_m)

    def _show_choice(self) -> None:
        self._repair.show_choice(self.model.choice, self.model.spec)
        self._repair.show_stabilise(self.model.stabilise)
        self._repair.show_filters(self.model.options.filters, self.model.filters_problem)

    def _opener_pressed(self, key: str) -> None:
        self._open_panel(key if self._openers[key].isChecked() else "")

    def _open_panel(self, key: str) -> None:
        """Show one panel, or none; its button stays down meanwhile, and measuring ends with its panel.

        In 3D measuring is part of the panel of the 3D view.
        """
        in_cloud = self._cloud.active
        if in_cloud:
            self._cloud.set_measuring(key == "measure" or (key == "cloud" and self._cloud.measuring))
            key = "cloud" if key == "measure" else key
        for name, opener in self._openers.items():
            opener.setChecked(name == key)
        self._panel.open_page(key)
        if key == "checkup" and self._checkup.chosen and not self.checkup.view.busy:
            self.checkup.start(self.model.options.focus or self._checkup.chosen)
        self._measure.setChecked(self._cloud.measuring if in_cloud else key == "measure")
        if key != "repair":
            self._attention_chosen(False)
            self.measure.set_tool(cast("Tool", self._marks.tools.choice) if key == "measure" else "read")
        elif self.measure.tool != "attention":
            self.measure.set_tool("read")

    def _cloud_measuring(self, measuring: bool) -> None:
        self._measure.setChecked(measuring)

    def _attention_chosen(self, asking: bool) -> None:
        """Let the next touch ask what a place attends to, or read depth again."""
        if asking:
            self.measure.set_tool("attention")
        elif self.measure.tool == "attention":
            self.measure.set_tool("read")
        if not asking:
            self.model.end_attention()
        self._repair.show_attention(None, asking=asking)

    def _show_attention(self, attention: Attention | None) -> None:
        self._repair.show_attention(attention, asking=self.measure.tool == "attention")
        self._tiles.show_attention(attention)

    def _drawn(self, drawn: Drawn) -> None:
        if drawn.stroke.tool == "attention":
            self.model.ask_attention(drawn.camera_id, *drawn.stroke.end)
            return
        self.measure.add(drawn.camera_id, drawn.stroke)

    def _show_marks(self, marks: list[Measured]) -> None:
        self._marks.show_marks(marks)
        self._tiles.show_marks(marks)

    def _show_rig(self, cameras: list[CameraTitle]) -> None:
        self.measure.clear()
        self.checkup.stop()
        self._checkup.show_rig(cameras)
        self._tiles.show_rig(cameras)
        self._stack.setCurrentWidget(self._tiles if cameras else self._nothing)
        if not cameras and (self._measure.isChecked() or self._why.isChecked()):
            self._open_panel("")
        for button in self._acting:
            button.setEnabled(bool(cameras))
        self._show_options(self.model.options)

    def _show_tile(self, tile: TileView) -> None:
        self._tiles.show_tile(tile)
        large = self._tiles.large
        if self._cloud.active and large is not None and large.camera.camera_id == tile.camera_id:
            self._cloud.show_tile(tile)
        if self._cloud.active:
            names = {title.camera_id: title.name for title in self.model.titles}
            self._cloud.show_rig(self.model.tiles, self.model.rig.rig_from_color, names)

    def _show_options(self, options: LiveOptions) -> None:
        self._layouts.select(options.layout)
        self._layers.show_options(options)
        self._freeze.setChecked(options.frozen)
        self._freeze.set_icon("snowflake-off" if options.frozen else "snowflake")
        self._freeze.set_word(tr("Go on") if options.frozen else tr("Freeze"))
        self._stages.setChecked(options.stages)
        self._colours.show_options(options)
        self._repair.show_hidden(options.hidden_share)
        self._repair.show_filters(options.filters, self.model.filters_problem)
        self._hiding.show_share(options.hidden_share)
        self._range.show_options(options)
        in_cloud = options.layout == "cloud" and bool(self._tiles.tiles)
        self._tiles.show_options(options)
        self._cloud.show_options(options)
        if in_cloud != self._cloud.active:
            self._open_panel("")  # what it offers belongs to the other arrangement
            self._tiles.show_cloud(self._cloud.body if in_cloud else None)
            self._cloud.set_active(in_cloud)
        large = self._tiles.large
        if in_cloud and large is not None:
            self._cloud.show_tile(self.model.tile(large.camera.camera_id))
        self._show_legend()

    def _show_legend(self) -> None:
        if not self._cloud.active:
            self._legend.show_options(self.model.options)
        elif self._cloud.shows_provenance:
            self._legend.show_provenance()
        else:
            self._legend.hide()

    def _show_inference(self, state: InferenceState) -> None:
        if self._models.choice != self.model.model:
            self._offer_models()
        if state.status is InferenceStatus.FAILED:
            self._models.setToolTip(
                joined(" ", filter(None, (from_below(state.message), from_below(state.hint))))
            )
        else:
            self._models.setToolTip(state.label)
        self._repair.show_state(state)


def _repair_command(spec: ModelSpec) -> str:
    if spec == OFF:
        return tr("Turn the repair off")
    return tr("Repair with {title}").format(title=from_below(spec.title))
