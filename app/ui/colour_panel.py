"""Which colours stand for which depth: range, colour map, and the ends of a difference."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.language import tr, tr_noop
from app.ui import theme
from app.ui.legends import ICON_SIZE, metres, millimetres, ramp_icon
from app.ui.rebinding import keyed
from app.ui.widgets import ChipGroup, Option, Stepper, label
from app.ui.worded import Worded
from app.viewmodels.colouring import COLOUR_MAP_WORDS
from app.viewmodels.live import DIFFERENCES_M, PRESETS_M, SMALLEST_RANGE_M, LiveOptions

RANGES: Final = (
    *(
        Option(name, tr_noop("{near} to {far}").format(near=metres(near)[:-2], far=metres(far)))
        for name, (near, far) in PRESETS_M.items()
    ),
    Option("auto", tr_noop("Auto"), hint=keyed(tr_noop("Follow the scene, slowly (A)"), "Live")),
)


class ColourPanel(Worded, QWidget):
    """Presets of the range, its two ends, colour maps, and the ends of a difference.

    Signals:
        preset_chosen: name of a preset, or "auto".
        range_chosen: (near, far) in metres.
        map_chosen: key of a colour map.
        difference_chosen: metres.
    """

    preset_chosen = Signal(str)
    range_chosen = Signal(tuple)
    map_chosen = Signal(str)
    difference_chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.presets = ChipGroup(RANGES, tr("Range of the depth colours"))
        self.near = Stepper(
            tr("Depth colours, near"), minimum=0, maximum=50, step=0.1, decimals=1, suffix=" m"
        )
        self.far = Stepper(
            tr("Depth colours, far"), minimum=0.1, maximum=100, step=0.1, decimals=1, suffix=" m"
        )
        self.maps = ChipGroup([Option(key, word) for key, word in COLOUR_MAP_WORDS.items()], tr("Colour map"))
        for key in COLOUR_MAP_WORDS:
            self.maps.button(key).setIcon(ramp_icon(key))
            self.maps.button(key).setIconSize(ICON_SIZE)
        self.differences = ChipGroup(
            [Option(str(limit), f"±{millimetres(limit)}") for limit in DIFFERENCES_M],
            tr("Ends of the colours of a difference"),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        column.addWidget(label(tr("Range"), "caption"))
        column.addWidget(self.presets)
        width = max(self.near.sizeHint().width(), self.far.sizeHint().width())
        for word, stepper in ((tr("Near"), self.near), (tr("Far"), self.far)):
            stepper.setFixedWidth(width)
            row = QHBoxLayout()
            row.addWidget(label(word, wrap=False), 1)
            row.addWidget(stepper)
            column.addLayout(row)
        column.addWidget(label(tr("Colour map"), "caption"))
        column.addWidget(self.maps)
        column.addWidget(label(tr("Difference, refined minus raw"), "caption"))
        column.addWidget(self.differences)
        self.presets.changed.connect(self._preset_changed)
        self.near.value_changed.connect(self._near_changed)
        self.far.value_changed.connect(self._far_changed)
        self.maps.changed.connect(self._map_changed)
        self.differences.changed.connect(self._difference_changed)

    def show_options(self, options: LiveOptions) -> None:
        """Show what is chosen."""
        self.presets.select(options.preset)
        self.near.set_value(options.near_m)
        self.far.set_value(options.far_m)
        self.maps.select(options.colour_map)
        self.differences.select(str(options.difference_m))

    def _preset_changed(self, keys: list[str]) -> None:
        self.preset_chosen.emit(keys[0])

    def _near_changed(self, near_m: float) -> None:
        self.range_chosen.emit((near_m, max(self.far.value, near_m + SMALLEST_RANGE_M)))

    def _far_changed(self, far_m: float) -> None:
        self.range_chosen.emit((min(self.near.value, far_m - SMALLEST_RANGE_M), far_m))

    def _map_changed(self, keys: list[str]) -> None:
        self.map_chosen.emit(keys[0])

    def _difference_changed(self, keys: list[str]) -> None:
        self.difference_chosen.emit(float(keys[0]))
