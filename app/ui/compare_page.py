"""The Compare page, the presenter's: sensors side by side, raw and refined, with figures and a report."""

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.language import tr, tr_noop
from app.messages import Message
from app.quality.sensor import SensorQuality
from app.ui import theme
from app.ui.commands import Command, as_changed, bind_keys, numbered
from app.ui.compare_column import CompareColumn, Shown
from app.ui.compare_space import CompareSpace
from app.ui.context import Notice, WindowContext
from app.ui.flow_layout import FlowLayout
from app.ui.legends import RangeButton, metres
from app.ui.number_pad import NumberPad
from app.ui.rebinding import keyed
from app.ui.report_pdf import write_pdf
from app.ui.tiles import level
from app.ui.widgets import Button, ChipGroup, EmptyState, Option, PrimaryButton, Segmented, Switch, label
from app.ui.worded import Slider, Worded
from app.viewmodels.compare import MOST_SENSORS, CompareModel, Saved, Simulation
from app.viewmodels.live import PRESETS_M, CameraTitle, LiveOptions, TileView

VIEWS: Final = (
    Option("refined", tr_noop("Refined"), hint=keyed(tr_noop("Refined depth (E)"), "Compare")),
    Option("both", tr_noop("Raw and refined"), hint=keyed(tr_noop("Both at once (B)"), "Compare")),
    Option("colour", tr_noop("Colour"), hint=keyed(tr_noop("The colour pictures (V)"), "Compare")),
    Option("space", tr_noop("3D"), hint=keyed(tr_noop("All sensors as clouds in one space (D)"), "Compare")),
)
LAYERS: Final[dict[str, tuple[Shown, ...]]] = {
    "refined": ("refined",),
    "both": ("raw", "refined"),
    "colour": ("colour",),
}
HOLD_WORDS: Final = tr_noop("Hold to see raw")
HELD_WORDS: Final = tr_noop("Raw")
TAP_WORDS: Final = tr_noop("Tap a plane to measure it")
TURN_WORDS: Final = tr_noop("Drag to turn, pinch to zoom")
MARGIN_PX: Final = 12
COLUMN_GAP_PX: Final = 10
NARROWEST_PX: Final = 270
"""Of a column; with less room the columns stand in two rows."""
PAD_PX: Final = 330
PAD_STEPS: Final = 16
"""Between the left and the right edge, where the pad may stand."""
IN_THE_WAY: Final = 100
"""How much worse it is to cover the plane and its Z Accuracy than another part of that sensor's column."""
NEAREST_M: Final = 0.1
FARTHEST_M: Final = 20.0


def make_page(context: WindowContext) -> QWidget:
    """The page for the window."""
    model = CompareModel(context.studio, context.settings, context.save_settings, write_pdf)
    page = ComparePage(context, model)
    model.setParent(page)
    return page


class ColumnsArea(Worded, QWidget):
    """The sensors beside each other, or one alone."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[CompareColumn] = []
        self._alone: str | None = None

    def set_columns(self, columns: list[CompareColumn]) -> None:
        """Show other sensors."""
        for column in self.columns:
            column.hide()
            column.setParent(None)
            column.deleteLater()
        self.columns = columns
        self._alone = None
        for column in columns:
            column.setParent(self)
        self._place()

    def show_alone(self, camera_id: str | None) -> None:
        """Show one sensor, or all of them."""
        if camera_id != self._alone:
            self._alone = camera_id
            self._place()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        alone = [column for column in self.columns if column.camera.camera_id == self._alone]
        shown = alone or self.columns
        for column in self.columns:
            column.setVisible(column in shown)
            column.header.show_large(column in alone)
        if not shown:
            return
        fitting = max((self.width() + COLUMN_GAP_PX) // (NARROWEST_PX + COLUMN_GAP_PX), 1)
        rows = -(-len(shown) // fitting)
        across = -(-len(shown) // rows)
        height = (self.height() - (rows - 1) * COLUMN_GAP_PX) // rows
        for number, column in enumerate(shown):
            row, place = divmod(number, across)
            beside = min(across, len(shown) - row * across)  # the last row leaves nothing empty
            width = (self.width() - (beside - 1) * COLUMN_GAP_PX) // beside
            left = round(place * (self.width() - width) / max(beside - 1, 1))  # the last one ends at the edge
            corner = QPoint(left, row * (height + COLUMN_GAP_PX))
            column.setGeometry(QRect(corner, QSize(width, height)))
        self.level()

    def level(self) -> None:
        """Let the heads of the sensors say equally much."""
        level([column.header for column in self.columns if column.isVisible()])


class ComparePage(Worded, QWidget):
    """Tool bar, the sensors, and a bar with what a presenter presses."""

    def __init__(self, context: WindowContext, model: CompareModel) -> None:
        super().__init__()
        self.model = model
        self._context = context
        self.views = Segmented(VIEWS, tr("What is shown"))
        self._range = RangeButton()
        self._presets = ChipGroup(
            [
                Option(name, tr("{near} to {far}").format(near=metres(near)[:-2], far=metres(far)))
                for name, (near, far) in PRESETS_M.items()
            ],
            tr("Range of the depth colours"),
        )
        self._presets.hide()
        self._tap = label("", "muted", wrap=False)
        self._tap.setMinimumHeight(theme.TARGET_PX)  # as high as the buttons beside it
        self._tap.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._tap.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._find = Button(tr("Find planes"), icon_name="image-filter-center-focus")
        self._find.setToolTip(
            keyed(tr("Let go of the chosen planes and look for one in each picture (F)"), "Compare")
        )
        self.distance = Button(tr("Distance"), icon_name="ruler", checkable=True)
        self.distance.setToolTip(
            keyed(tr("Type how far away a plane really is; Z Accuracy is measured against it (T)"), "Compare")
        )
        self.area = ColumnsArea()
        self._nothing = EmptyState(
            "compare-horizontal",
            tr("Nothing to compare yet"),
            tr("Cameras and recordings are opened on the Cameras page."),
            action_text=tr("Open the simulated rig"),
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self._nothing)
        self._stack.addWidget(self.area)
        self.space = CompareSpace(context)
        self._stack.addWidget(self.space)
        self.hold = Button(HOLD_WORDS, icon_name="gesture-tap-hold")
        self.hold.setMinimumHeight(theme.BIG_TARGET_PX)
        self.hold.setStyleSheet(f"font-size: {theme.TITLE_PX}px; font-weight: 600;")
        self.hold.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hold.setToolTip(keyed(tr("Raw depth for as long as it is pressed (Space)"), "Compare"))
        self.report = PrimaryButton(tr("Report"), icon_name="file-document-outline")
        self.report.setMinimumHeight(theme.BIG_TARGET_PX)
        self.report.setToolTip(keyed(tr("Write this comparison as HTML and PDF (Ctrl+S)"), "Compare"))
        self.difficulty = Slider(Qt.Orientation.Horizontal)
        self.difficulty.setRange(0, 100)
        self.difficulty.setAccessibleName(tr("Scene difficulty"))
        self._difficulty_words = label("", wrap=False)
        self.choose_model = Button(tr("Choose model"))
        self.choose_model.setMinimumHeight(theme.BIG_TARGET_PX)
        self.choose_model.hide()
        self.still = Switch(tr("Stand still"))
        self.still.setToolTip(tr("Noise and flicker need cameras that stand still"))
        self._simulation = self._make_simulation()
        self.pad = NumberPad(tr("Distance to the plane"), unit="m", least=NEAREST_M, most=FARTHEST_M)
        self.pad_sensors = ChipGroup([], tr("Whose plane"))
        self.pad.top.addWidget(self.pad_sensors)
        self.pad.setParent(self)
        self.pad.hide()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._lay_out()
        self._connect()
        self._make_keys()
        self._show_rig(model.live.titles)
        self._show_options(model.live.options)

    def shown(self) -> None:
        """Show and measure from now on."""
        self.model.start()
        self._show_view()
        self.setFocus()

    def hidden(self) -> None:
        """Measure no more."""
        self._release()
        self.distance.setChecked(False)
        self.space.set_active(False)
        self.model.stop()

    def closing(self) -> None:
        """Wait for the threads."""
        self.model.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat() and self.hold.isEnabled():
            self.hold.setDown(True)
            self._press()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self.hold.setDown(False)
            self._release()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        # The key's release goes elsewhere now.
        self.hold.setDown(False)
        self._release()
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._say_tap()
        self._place_pad()

    def _say_tap(self) -> None:
        buttons = (self.views, self._range, self._find, self.distance)
        taken = sum(button.sizeHint().width() + theme.GAP_PX for button in buttons)
        said = TURN_WORDS if self.space.panel.active else TAP_WORDS
        needed = self._tap.fontMetrics().horizontalAdvance(tr(said))
        roomy = self.contentsRect().width() - 2 * MARGIN_PX - taken >= needed
        self._tap.setText(said if roomy else "")

    def _make_simulation(self) -> QWidget:
        box = QWidget()
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._difficulty_words)
        words.addWidget(self.difficulty)
        words.addStretch(1)
        box.setFixedHeight(theme.BIG_TARGET_PX)
        self.difficulty.setFixedWidth(200)
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE_PX)
        row.addLayout(words)
        row.addWidget(self.still)
        box.hide()
        return box

    def _lay_out(self) -> None:
        top = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        planes = QWidget()
        row = QHBoxLayout(planes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP_PX)
        row.addWidget(self._find)
        row.addWidget(self.distance)
        for widget in (self.views, self._range, self._tap, planes):
            top.addWidget(widget)
        bottom = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        bottom.addWidget(self._simulation)
        for button in (self.choose_model, self.hold, self.report):
            bottom.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, 10, MARGIN_PX, 10)
        column.setSpacing(theme.GAP_PX)
        column.addLayout(top)
        column.addWidget(self._presets)
        column.addWidget(self._stack, 1)
        column.addLayout(bottom)

    def _connect(self) -> None:
        model = self.model
        self.views.changed.connect(self._view_chosen)
        self._range.toggled.connect(self._presets.setVisible)
        self._presets.changed.connect(self._preset_chosen)
        self._find.clicked.connect(model.find_planes)
        self.distance.toggled.connect(self._open_pad)
        self.hold.pressed.connect(self._press)
        self.hold.released.connect(self._release)
        self.report.clicked.connect(self._make_report)
        self.space.panel.colouring_changed.connect(self._show_enabled)
        self.space.calibration_requested.connect(partial(self._context.go_to, "Cameras"))
        self.difficulty.valueChanged.connect(self._difficulty_chosen)
        self.still.clicked.connect(model.set_still)
        self.pad.entered.connect(self._distance_typed)
        self.pad.finished.connect(partial(self.distance.setChecked, False))
        self.pad_sensors.changed.connect(self._pad_sensor_chosen)
        self.choose_model.clicked.connect(partial(self._context.go_to, "Settings"))
        self._nothing.button.clicked.connect(partial(self._context.open_source, "demo"))
        model.live.rig_changed.connect(self._show_rig)
        model.live.tile_changed.connect(self._show_tile)
        model.live.options_changed.connect(self._show_options)
        model.quality_changed.connect(self._show_quality)
        model.wishes_changed.connect(self._show_wishes)
        model.simulation_changed.connect(self._show_simulation)
        model.report_saved.connect(self._say_saved)
        model.report_failed.connect(self._say_failed)

    def _make_keys(self) -> None:
        views, live, panel = self.views, self.model.live, self.space.panel
        self._commands = [
            Command(tr("Show refined depth"), views.button("refined").click, ("E",)),
            Command(tr("Show raw and refined depth"), views.button("both").click, ("B",)),
            Command(tr("Show the colour pictures"), views.button("colour").click, ("V",)),
            Command(tr("Show all sensors in one space"), views.button("space").click, ("D",)),
            Command(tr("Change the colours"), self._range.click, ("C",)),
            Command(tr("Find planes"), self._find.click, ("F",)),
            Command(tr("Type the distance to a plane"), self.distance.click, ("T",)),
            Command(tr("Write this comparison as a report"), self.report.click, ("Ctrl+S",)),
            Command(tr("Change the 3D view"), panel.opener.click, ("O",)),
            Command(tr("Reset the 3D view"), panel.reset, ("R",)),
            Command(tr("3D: larger points"), partial(panel.options.resize_points, 1), ("+",)),
            Command(tr("3D: smaller points"), partial(panel.options.resize_points, -1), ("-",)),
            Command(tr("Show all cameras alike"), partial(live.set_focus, None), ("0", "Escape")),
        ]
        bind_keys([*self._commands, *numbered(live.focus_number, MOST_SENSORS)], self, "Compare")

    def commands(self) -> list[Command]:
        """Everything that can be done here now, for the palette."""
        model = self.model
        found = as_changed(self._commands, "Compare")
        found += [
            Command(
                tr("Show {name} large, or all alike").format(name=title.name),
                partial(model.live.focus_number, title.number),
            )
            for title in model.sensors
        ]
        simulation = model.simulation
        if simulation is not None:
            stand = tr("Let the simulated cameras move") if simulation.still else tr("Stand still")
            found.append(Command(stand, partial(model.set_still, not simulation.still)))
        return found

    def _view_chosen(self, _keys: list[str]) -> None:
        self._show_view()
        self._show_layers()
        if self.views.choice == "space":
            self.distance.setChecked(False)  # no plane is seen whose distance could be typed
        self._show_enabled()

    def _preset_chosen(self, keys: list[str]) -> None:
        self.model.live.set_preset(keys[0])

    def _difficulty_chosen(self, percent: int) -> None:
        self.model.set_difficulty(percent / 100)

    def _press(self) -> None:
        self.hold.setText(HELD_WORDS)
        self.hold.set_kind("primary")
        self.space.hold_raw(True)
        for column in self.area.columns:
            column.show_layers(("raw",))

    def _release(self) -> None:
        self.hold.setText(HOLD_WORDS)
        self.hold.set_kind("plain")
        self._show_layers()

    def _show_layers(self) -> None:
        self.space.hold_raw(False)
        for column in self.area.columns:
            column.show_layers(LAYERS.get(self.views.choice, column.picture.shown))

    def _show_view(self) -> None:
        """The sensors beside each other, in one space, or nothing."""
        in_space = self.views.choice == "space" and bool(self.model.sensors)
        self._stack.setCurrentWidget(
            self.space if in_space else self.area if self.model.sensors else self._nothing
        )
        self.space.set_active(in_space)
        self._say_tap()
        if in_space:
            self._show_space()

    def _show_space(self) -> None:
        tiles = [self.model.live.tile(title.camera_id) for title in self.model.sensors]
        simulation = self.model.simulation
        moving = simulation is not None and not simulation.still
        self.space.show_tiles(tiles, self.model.places, moving=moving)

    def _show_rig(self, _titles: list[CameraTitle]) -> None:
        sensors = self.model.sensors
        columns = [CompareColumn(camera) for camera in sensors]
        for column in columns:
            column.focus_toggled.connect(self.model.live.toggle_focus)
            column.region_tapped.connect(self.model.choose_region)
            column.picture.show_options(self.model.live.options)
        self.area.set_columns(columns)
        self.space.show_rig(sensors)
        self._show_layers()
        self._show_view()
        self.pad_sensors.set_options([Option(title.camera_id, str(title.number)) for title in sensors])
        for title in sensors:
            self.pad_sensors.button(title.camera_id).setAccessibleName(title.name)
            self.pad_sensors.button(title.camera_id).setToolTip(title.name)
        self.distance.setChecked(False)
        self._show_options(self.model.live.options)
        self._show_simulation(self.model.simulation)
        self._show_wishes()
        self._offer_models()

    def _column(self, camera_id: str) -> CompareColumn | None:
        return next((c for c in self.area.columns if c.camera.camera_id == camera_id), None)

    def _show_tile(self, tile: TileView) -> None:
        self._offer_models()
        if self.space.panel.active:
            self._show_space()
        elif column := self._column(tile.camera_id):
            said = column.header.figures
            column.show_tile(tile)
            if column.header.figures is not said:
                self.area.level()

    def _offer_models(self) -> None:
        """The way to the models, where a camera asks for one; one that is lost asks for nothing."""
        notes = [tile.refined_note for tile in self.model.live.tiles]
        self.choose_model.setVisible(any(note is not None and note.choose_model for note in notes))

    def _show_quality(self, quality: SensorQuality) -> None:
        if column := self._column(quality.camera_id):
            column.show_quality(quality)
        self._show_enabled()

    def _show_options(self, options: LiveOptions) -> None:
        self._range.show_options(options)
        self._presets.select(options.preset)
        self.space.show_options(options)
        for column in self.area.columns:
            column.picture.show_options(options)
        self.area.show_alone(options.focus)

    def _show_wishes(self) -> None:
        self._show_enabled()
        if self.pad.isVisible():
            self.pad.show_value(self.model.wish(self.pad_sensors.choice).distance_m)

    def _show_enabled(self) -> None:
        sensors = self.model.sensors
        in_space = self.views.choice == "space"
        wishes = [self.model.wish(title.camera_id) for title in sensors]
        self._find.setEnabled(any(wish.region is not None for wish in wishes) and not in_space)
        self.distance.setEnabled(bool(sensors) and not in_space)
        measured = bool(sensors) and all(self.model.quality(title.camera_id) for title in sensors)
        self.report.setEnabled(measured and not self.model.reporting)
        self.report.setText(tr("Writing ...") if self.model.reporting else tr("Report"))
        raw_shown = self.space.panel.layout != "refined" if in_space else self.views.choice == "both"
        self.hold.setEnabled(bool(sensors) and not raw_shown)

    def _show_simulation(self, simulation: Simulation | None) -> None:
        self._simulation.setVisible(simulation is not None)
        if simulation is not None:
            self._difficulty_words.setText(
                tr("Scene difficulty {difficulty:.0%}").format(difficulty=simulation.difficulty)
            )
            self.difficulty.setValue(round(simulation.difficulty * 100))
            self.still.setChecked(simulation.still)

    def _open_pad(self, opened: bool) -> None:
        self.pad.setVisible(opened)
        if not opened:
            self.setFocus()
            return
        focus = self.model.live.options.focus
        first = next((title.camera_id for title in self.model.sensors), "")
        self.pad_sensors.select(focus or first)
        self._show_wishes()
        self._place_pad()
        self.pad.raise_()
        self.pad.setFocus()

    def _place_pad(self) -> None:
        room = QRect(self._stack.pos(), self._stack.size())
        size = QSize(PAD_PX, self.pad.sizeHint().height())
        farthest = room.right() + 1 - size.width()
        between = [round(room.x() + (farthest - room.x()) * k / PAD_STEPS) for k in range(1, PAD_STEPS)]
        lefts = (farthest, room.x(), *between)  # of places as good as each other the first is taken
        tops = (room.y(), max(room.bottom() + 1 - size.height(), room.y()))
        places = [QRect(QPoint(left, top), size) for top in tops for left in lefts]
        self.pad.setGeometry(min(places, key=self._covered))

    def _covered(self, place: QRect) -> int:
        """How much of the sensor that the pad is about would be hidden, by area; the plane weighs most."""
        column = self._column(self.pad_sensors.choice)
        if column is None or not column.isVisible():
            return 0
        corner = column.mapTo(self, QPoint(0, 0))
        parts = [(rect, IN_THE_WAY) for rect in column.judged]
        parts.append((column.rect(), 1))
        hidden = [(rect.translated(corner).intersected(place), weight) for rect, weight in parts]
        return sum(rect.width() * rect.height() * weight for rect, weight in hidden if not rect.isEmpty())

    def _pad_sensor_chosen(self, keys: list[str]) -> None:
        self.pad.show_value(self.model.wish(keys[0]).distance_m)
        self._place_pad()  # it steps aside from what is judged now; between two figures it stays

    def _distance_typed(self, distance_m: float | None) -> None:
        self.model.set_distance(self.pad_sensors.choice, distance_m)

    def _make_report(self) -> None:
        self.model.make_report()
        self._show_enabled()

    def _say_saved(self, saved: Saved) -> None:
        self._show_enabled()
        text = tr("Report saved: {html} and {pdf}").format(html=saved.html.name, pdf=saved.pdf.name)
        self._context.show_banner(
            Notice(
                "info",
                text,
                tr("In {parent}").format(parent=saved.html.parent),
                "" if self._context.kiosk else tr("Open"),
                None if self._context.kiosk else partial(_show_report, saved.html),
                lasts_s=20,
                about="report",
            )
        )

    def _say_failed(self, problem: Message) -> None:
        self._show_enabled()
        self._context.show_banner(Notice("error", problem.sentence, problem.hint, about="report"))


def _show_report(file: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(file)))
