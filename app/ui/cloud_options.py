"""What can be chosen in the 3D view: side, points, mesh, grid, clip box, and what is saved."""

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.language import tr, tr_noop
from app.ui import theme
from app.ui.widgets import Button, ChipGroup, Option, Stepper, Switch, label
from app.ui.worded import Worded
from app.viewmodels.cloud_look import POINT_SIZES, ClipBox, CloudLook

VIEWS: Final = (
    Option("front", tr_noop("Front"), hint=tr_noop("From where the camera stands")),
    Option("left", tr_noop("Left")),
    Option("right", tr_noop("Right")),
    Option("top", tr_noop("Top")),
    Option("back", tr_noop("Rear")),
)
SIDES: Final = (
    (tr_noop("Left"), 0, "low"),
    (tr_noop("Right"), 0, "high"),
    (tr_noop("Top"), 1, "low"),
    (tr_noop("Bottom"), 1, "high"),
    (tr_noop("Near"), 2, "low"),
    (tr_noop("Far"), 2, "high"),
)
"""Word, axis and side of the clip box."""
SIZES: Final = {"1920": (1920, 1080), "3840": (3840, 2160), "7680": (7680, 4320)}
SMALLEST_PX: Final = 64
LARGEST_PX: Final = 8192


class CloudOptions(Worded, QWidget):
    """The choices, as one column.

    Signals:
        view_chosen: key of `app.viewmodels.orbit.VIEWS`.
        look_changed: `CloudLook`.
        box_requested: the clip box was switched on, and shall hold what is seen.
        measure_chosen: whether taps measure.
        ply_requested: save the clouds.
        picture_requested: (width, height) of the picture to save.
    """

    view_chosen = Signal(str)
    look_changed = Signal(CloudLook)
    box_requested = Signal()
    measure_chosen = Signal(bool)
    ply_requested = Signal()
    picture_requested = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self._look = CloudLook()
        self.views = ChipGroup(VIEWS, tr("Side from which the scene is seen"))
        self.smaller = Button(tr("Smaller"), icon_name="minus")
        self.larger = Button(tr("Larger"), icon_name="plus")
        self._size = label("")
        self.mesh, self.grid = Switch(tr("Mesh")), Switch(tr("Grid on the floor"))
        self.measure = Switch(tr("Measure by two taps"))
        self.measured = label("", "caption")
        self.box = Switch(tr("Clip box"))
        self.sides = {
            (axis, side): Stepper(
                tr("Clip box: {word}").format(word=word),
                minimum=-20,
                maximum=50,
                step=0.1,
                decimals=1,
                suffix=" m",
            )
            for word, axis, side in SIDES
        }
        self._box_rows = QWidget()
        self.width_px, self.height_px = (
            Stepper(said, minimum=SMALLEST_PX, maximum=LARGEST_PX, step=64, suffix=" px")
            for said in (tr("Width of the picture"), tr("Height of the picture"))
        )
        self.sizes = ChipGroup(
            [Option(key, f"{width} \u00d7 {height} px") for key, (width, height) in SIZES.items()],
            tr("Size of the picture"),
        )
        self.picture = Button(tr("Save picture"), icon_name="camera-outline")
        self.ply = Button(tr("Save as PLY"), icon_name="content-save-outline")
        self._lay_out()
        self._connect()
        self._show_size_px(*SIZES["1920"])
        self.show_look(self._look)
        self.measured.hide()

    def show_look(self, look: CloudLook) -> None:
        """Show what is chosen."""
        self._look = look
        self._size.setText(tr("Size of the points: {point_size:g}\u00d7").format(point_size=look.point_size))
        self.smaller.setEnabled(look.point_size > POINT_SIZES[0] and not look.mesh)
        self.larger.setEnabled(look.point_size < POINT_SIZES[-1] and not look.mesh)
        self.mesh.setChecked(look.mesh)
        self.grid.setChecked(look.grid)
        self.box.setChecked(look.box is not None)
        self._box_rows.setVisible(look.box is not None)
        if look.box is not None:
            for (axis, side), stepper in self.sides.items():
                stepper.set_value((look.box.low_m if side == "low" else look.box.high_m)[axis])

    def show_measuring(self, measuring: bool) -> None:
        """Show whether taps measure."""
        self.measure.setChecked(measuring)
        self.measured.setText(tr("Tap the first point.") if measuring else "")
        self.measured.setVisible(measuring)

    def show_measured(self, words: str) -> None:
        """Show what was measured."""
        self.measured.setText(words)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        column.addWidget(label(tr("Seen from"), "caption"))
        column.addWidget(self.views)
        column.addSpacing(theme.GAP_PX)
        column.addWidget(self._size)
        column.addLayout(_row(self.smaller, self.larger))
        for widget in (self.mesh, self.grid, self.measure, self.measured, self.box):
            column.addWidget(widget)
        rows = QVBoxLayout(self._box_rows)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.GAP_PX)
        for word, axis, side in SIDES:
            rows.addLayout(_row(label(word, wrap=False), self.sides[axis, side]))
        column.addWidget(self._box_rows)
        column.addSpacing(theme.GAP_PX)
        column.addWidget(label(tr("Picture of the 3D view"), "caption"))
        column.addWidget(self.sizes)
        column.addLayout(_row(label(tr("Width"), wrap=False), self.width_px))
        column.addLayout(_row(label(tr("Height"), wrap=False), self.height_px))
        column.addWidget(self.picture)
        column.addSpacing(theme.GAP_PX)
        column.addWidget(label(tr("Clouds for other programs"), "caption"))
        column.addWidget(self.ply)

    def _connect(self) -> None:
        self.views.changed.connect(self._view_chosen)
        self.smaller.clicked.connect(partial(self.resize_points, -1))
        self.larger.clicked.connect(partial(self.resize_points, 1))
        self.mesh.clicked.connect(self._mesh_clicked)
        self.grid.clicked.connect(self._grid_clicked)
        self.measure.clicked.connect(self.measure_chosen)
        self.box.clicked.connect(self._box_clicked)
        for (axis, side), stepper in self.sides.items():
            stepper.value_changed.connect(partial(self._side_moved, axis, side))
        self.sizes.changed.connect(self._size_chosen)
        for side_px in (self.width_px, self.height_px):
            side_px.value_changed.connect(self._mark_size)
        self.picture.clicked.connect(self._picture_clicked)
        self.ply.clicked.connect(self.ply_requested)

    def resize_points(self, steps: int, _checked: bool = False) -> None:
        """Points so many sizes larger."""
        self.look_changed.emit(self._look.resized(steps))

    def _view_chosen(self, keys: list[str]) -> None:
        self.view_chosen.emit(keys[0])
        self.views.select([])  # it can be turned away from at once, and asked for again

    def _mesh_clicked(self, checked: bool) -> None:
        self._change(mesh=checked)

    def _grid_clicked(self, checked: bool) -> None:
        self._change(grid=checked)

    def _box_clicked(self, checked: bool) -> None:
        if checked:
            self.box_requested.emit()
        else:
            self._change(box=None)

    def _side_moved(self, axis: int, side: str, value_m: float) -> None:
        assert self._look.box is not None
        self._change(box=self._look.box.moved(axis, side, value_m))

    def _change(self, **changes: bool | ClipBox | None) -> None:
        self.look_changed.emit(replace(self._look, **changes))  # type: ignore[arg-type]  # its own fields

    def _size_chosen(self, keys: list[str]) -> None:
        self._show_size_px(*SIZES[keys[0]])

    def _show_size_px(self, width: int, height: int) -> None:
        self.width_px.set_value(width)
        self.height_px.set_value(height)
        self._mark_size()

    def _mark_size(self, _value: float = 0.0) -> None:
        """Of the usual sizes, the one that is chosen."""
        here = round(self.width_px.value), round(self.height_px.value)
        self.sizes.select([key for key, size in SIZES.items() if size == here])

    def _picture_clicked(self) -> None:
        self.picture_requested.emit((round(self.width_px.value), round(self.height_px.value)))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.GAP_PX)
    for widget in widgets:
        row.addWidget(widget, 1 if not isinstance(widget, Stepper) else 0)
    return row
