"""The compared sensors as clouds in one space and one colour range."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.language import joined, tr
from app.ui import theme
from app.ui.cloud_panel import CloudPanel
from app.ui.cloud_saver import CloudSaver
from app.ui.context import WindowContext
from app.ui.flow_layout import FlowLayout
from app.ui.side_panel import NARROW_PX, SidePanel
from app.ui.widgets import Button, ChipGroup, Option, label, set_tone
from app.ui.worded import Worded
from app.viewmodels.cloud import rig_clouds
from app.viewmodels.live import CameraTitle, LiveOptions, TileView

FEWEST_SENSORS: Final = 1


class CompareSpace(Worded, QWidget):
    """Clouds of the chosen sensors, as one would see them in the room.

    Where the places of the sensors are not known, the first chosen one is shown alone, and it is said why.

    Signals:
        calibration_requested: find out where the cameras stand.
    """

    calibration_requested = Signal()

    def __init__(self, context: WindowContext) -> None:
        super().__init__()
        self.panel = CloudPanel("O", "Compare")
        self.panel.opener.set_roomy(True)  # its row has room for the word on every screen
        self._saver = CloudSaver(context, self.panel)
        self.side = SidePanel()
        self.side.add_page("cloud", tr("3D view"), self.panel.options)
        self.sensors = ChipGroup([], tr("Which sensors"), exclusive=False)
        self.note = label("", "body")
        set_tone(self.note, "warning")
        self.calibrate = Button(tr("To the calibration"), icon_name="axis-arrow")
        self._names: dict[str, str] = {}
        self._known: tuple[bool, set[str]] = (False, set())
        self._large = ""
        self._note_row = QWidget()
        row = QHBoxLayout(self._note_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACE_PX)
        row.addWidget(self.note, 1)
        row.addWidget(self.calibrate)
        choices = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        choices.addWidget(self.sensors)
        choices.addWidget(self.panel.bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        column.addLayout(choices)
        column.addWidget(self._note_row)
        self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._below.setSpacing(theme.GAP_PX)
        self._below.addWidget(self.panel.body, 1)
        self._below.addWidget(self.side)
        column.addLayout(self._below, 1)
        self.sensors.changed.connect(self._sensors_chosen)
        self.calibrate.clicked.connect(self.calibration_requested)
        self.panel.opener.toggled.connect(self._open)
        self.side.closed.connect(self._close)
        self._show_note()

    @property
    def chosen(self) -> list[str]:
        """Ids of the sensors that are shown, the one whose axes the space has first."""
        return self.sensors.selected

    def set_active(self, active: bool) -> None:
        """Draw from now on, or free what OpenGL holds."""
        if active != self.panel.active:
            self.panel.set_active(active)
            self._large = ""
            self._close()

    def hold_raw(self, held: bool) -> None:
        """Show raw depth for as long as it is held."""
        self.panel.hold_raw(held)

    def show_rig(self, sensors: Sequence[CameraTitle]) -> None:
        """Offer these sensors, all of them chosen."""
        self._names = {title.camera_id: title.name for title in sensors}
        self.sensors.set_options([Option(camera_id, name) for camera_id, name in self._names.items()])
        self.sensors.select(list(self._names))
        self._large = ""
        self._show_note()

    def show_options(self, options: LiveOptions) -> None:
        """Colour in the range of the pictures."""
        self.panel.show_options(options)

    def show_tiles(
        self, tiles: Sequence[TileView], rig_from_color: Mapping[str, NDArray[np.float64]], *, moving: bool
    ) -> None:
        """Draw what is new.

        Args:
            tiles: of the compared sensors.
            rig_from_color: (4, 4) metres by camera id, of those whose place is known.
            moving: whether they are simulated and move, each on its own path.
        """
        known = moving, set(rig_from_color)
        if known != self._known:
            self._known = known
            self._show_note()
        chosen = [tile for tile in tiles if tile.camera_id in self.chosen]
        if not self.panel.active or not chosen:
            return
        first = next((tile for tile in chosen if tile.camera_id in rig_from_color), chosen[0])
        self.panel.show_tile(first)
        if first.camera_id not in rig_from_color:
            rig_from_color = {first.camera_id: np.eye(4)}  # alone, but named and with its age like the others
        self.panel.body.show_rig(rig_clouds(first.camera_id, chosen, rig_from_color, self._names))
        if first.camera_id != self._large and first.frame is not None:
            self._large = first.camera_id
            self.panel.reset()  # another sensor's axes, another first view

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        upright = self.height() > self.width()
        self.side.turn(self._below, below=upright and self.width() < NARROW_PX)

    def say_again(self) -> None:
        self._show_note()

    def _open(self, opened: bool) -> None:
        self.side.open_page("cloud" if opened else "")
        if not opened:
            self.panel.set_measuring(False)

    def _close(self) -> None:
        self.panel.opener.setChecked(False)

    def _sensors_chosen(self, keys: list[str]) -> None:
        if len(keys) < FEWEST_SENSORS:
            self.sensors.select(self._large or next(iter(self._names), ""))
        self._show_note()

    def _show_note(self) -> None:
        moving, placed = self._known
        chosen = self.chosen
        lost = [self._names[key] for key in chosen if key not in placed]
        alone = len(chosen) > 1 and bool(lost)
        if moving:
            self.note.setText(tr("Simulated cameras share one space while they stand still."))
        else:
            words = tr("It is not known where these stand, so they are not in the same space: {names}.")
            self.note.setText(words.format(names=joined(", ", lost)))
        self.calibrate.setVisible(not moving)
        self._note_row.setVisible(alone)
