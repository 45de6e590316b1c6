"""Which cameras there are, what runs, and what a camera that does not run needs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.language import ended, joined, tr
from app.ui import theme
from app.ui.calibrate_dialog import CalibrateDialog
from app.ui.context import Notice, WindowContext
from app.ui.controls_panel import ControlsPanel
from app.ui.flow_layout import FlowLayout
from app.ui.folder_dialog import FolderDialog
from app.ui.side_panel import NARROW_PX, WIDTH_PX, SidePanel
from app.ui.widgets import (
    Button,
    Card,
    PrimaryButton,
    body,
    caption,
    heading,
    label,
    set_tone,
    touch_scroll,
)
from app.ui.worded import Worded
from app.viewmodels.calibrate import CalibrateModel
from app.viewmodels.cameras import (
    ALL_CAMERAS,
    RECORDING_PATTERNS,
    SIMULATED_RIG,
    CamerasModel,
    CamerasView,
    DeviceRow,
    LinkRow,
    RunningRow,
    SdkRow,
    cameras_of_this_computer,
)
from app.viewmodels.controls import ControlsModel, ControlsView
from app.viewmodels.rigs import RIG_SUFFIX, RigRow

COPIED_S: Final = 4.0
ROOMY_PX: Final = 1600
ROOMY_PANEL_PX: Final = 560
"""Of the panel where the page is wide: sliders are finer, and the rows beside it need no more."""
SETTINGS_SUFFIXES: Final = (".json", ".bin", ".txt")
"""Of files that vendors' tools keep a camera's settings in."""


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-model, connected to the window."""
    studio = context.studio
    return CamerasPage(cameras_of_this_computer(studio), ControlsModel(studio), context)


class CamerasPage(Worded, QWidget):
    """Buttons above; below them the rig that runs, what is plugged in, and the libraries.

    At the right, one camera's controls, when they are asked for.
    """

    def __init__(self, model: CamerasModel, controls: ControlsModel, context: WindowContext) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._controls = controls
        self._context = context
        self.panel = SidePanel()
        self.adjusting = ControlsPanel(controls, near_m=context.settings.near_m, far_m=context.settings.far_m)
        self.adjusting.load_requested.connect(self._choose_settings)
        self.adjusting.save_requested.connect(self._choose_place)
        self.panel.add_page("controls", tr("Camera settings"), self.adjusting)
        self._rows: dict[str, _Row] = {}
        self._adjusts: dict[str, Button] = {}
        self._adjusted = ""
        self.open_all = PrimaryButton(tr("Open all cameras"), icon_name="camera-outline")
        self.open_demo = Button(tr("Simulated rig"), icon_name="cube-scan")
        self.open_recording = Button(tr("Open a file"), icon_name="file-video-outline")
        self.save_rig = Button(tr("Save this rig"), icon_name="content-save-outline")
        self.search = Button(tr("Look again"), icon_name="refresh")
        self.calibrate = Button(tr("Calibrate the rig"), icon_name="axis-arrow")
        self.places = caption()
        self.running = _Section(tr("In use"), tr("No camera is open."))
        self.rigs = _Section(tr("Saved rigs"), "")
        self.found = _Section(tr("Plugged in"), tr("Looking for cameras ..."))
        self.links = _Section("USB", tr("No depth camera is on the USB bus."))
        self.libraries = _Section(tr("Camera libraries"), tr("Looking for libraries ..."))
        buttons = FlowLayout(gap_px=theme.GAP_PX)
        for button in (self.open_all, self.open_demo, self.open_recording, self.save_rig, self.search):
            buttons.addWidget(button)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.SPACE_PX, theme.SPACE_PX)
        column.setSpacing(theme.SPACE_PX)
        rig = QHBoxLayout()
        rig.setSpacing(theme.SPACE_PX)
        rig.addWidget(self.places, 1)
        rig.addWidget(self.calibrate)
        self.running.column.addLayout(rig)
        for section in (self.running, self.rigs, self.found, self.links, self.libraries):
            column.addWidget(section)
        column.addStretch(1)
        outer = self._outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.GAP_PX, theme.SPACE_PX)
        outer.setSpacing(theme.SPACE_PX)
        outer.addWidget(heading(tr("Cameras")))
        outer.addLayout(buttons)
        below = self._below = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        below.setSpacing(theme.SPACE_PX)
        below.addWidget(touch_scroll(content), 1)
        below.addWidget(self.panel)
        outer.addLayout(below, 1)
        self.open_all.clicked.connect(partial(self._open, ALL_CAMERAS))
        self.open_demo.clicked.connect(partial(self._open, SIMULATED_RIG))
        self.open_recording.clicked.connect(self._choose_recording)
        self.save_rig.clicked.connect(self._save_rig)
        self.search.clicked.connect(model.search)
        self.calibrate.clicked.connect(self.open_wizard)
        self.panel.closed.connect(self._close_panel)
        model.changed.connect(self.show_view)
        controls.changed.connect(self._controls_changed)
        self._shown = CamerasView()
        self.show_view(model.view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.panel.set_width(ROOMY_PANEL_PX if self.width() >= ROOMY_PX else WIDTH_PX)
        below = self.width() < NARROW_PX
        if self.panel.turn(self._below, below=below):
            # Below, the panel ends as far from the edge as it begins.
            right = theme.WIDE_PX if below else theme.GAP_PX
            self._outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, right, theme.SPACE_PX)

    def shown(self) -> None:
        """The page came to the front: look for cameras."""
        self._model.start()
        self._controls.start()

    def hidden(self) -> None:
        """The page left the front."""
        self._model.stop()
        self._controls.stop()

    def closing(self) -> None:
        """The window closes."""
        self._controls.stop()
        self._model.close()

    def adjust(self, camera_id: str, _checked: bool = False) -> None:
        """Show this camera's controls, or put them away where they are shown."""
        if camera_id == self._adjusted:
            self._close_panel()
            return
        self._controls.show(camera_id)
        self.panel.open_page("controls")
        self._mark_adjusted(camera_id)

    def open_wizard(self, _checked: bool = False) -> None:
        """Calibrate the rig that runs."""
        dialog = CalibrateDialog(CalibrateModel(self._context.studio), self)
        dialog.calibrated.connect(self._calibrated)
        self._context.open_dialog(dialog)

    def _calibrated(self, path: Path) -> None:
        text = tr("The rig is calibrated; the 3D view shows all cameras in one space.")
        self._context.show_banner(Notice("info", text, str(path), lasts_s=8, about="calibration"))

    def _close_panel(self) -> None:
        self.panel.open_page("")
        self._controls.show("")
        self._mark_adjusted("")

    def _controls_changed(self, view: ControlsView) -> None:
        if not view.camera_id:  # another source was opened
            self.panel.open_page("")
            self._mark_adjusted("")

    def _mark_adjusted(self, camera_id: str) -> None:
        """The button of the camera whose controls are open stays down."""
        self._adjusted = camera_id
        for name, button in self._adjusts.items():
            button.setChecked(name == camera_id)

    def show_view(self, view: CamerasView) -> None:
        """Show cameras and libraries; what has not changed stays as it is."""
        before, self._shown = self._shown, view
        self.search.setEnabled(not view.searching)
        self.open_all.setEnabled(any(device.source for device in view.devices))
        if view.searched:
            nothing = tr(
                "No depth camera is plugged in. Connect one to a USB 3 port; it shows up here by itself."
            )
            self.found.empty.setText(view.problem or nothing)
        self.save_rig.setEnabled(bool(view.running))
        self.rigs.empty.setText(
            tr('Press "Save this rig" to keep the cameras in use, and how they are set.')
            if view.running
            else tr("Open cameras first; then a rig can be saved.")
        )
        if view.rigs != before.rigs:
            self.rigs.show_rows([self._rig(row) for row in view.rigs])
        if view.links != before.links:
            self.links.show_rows(
                [_Row(r.title, r.facts, r.problem, r.hint, tone="warning") for r in view.links]
            )
        if view.running != before.running:
            self._show_running(view.running)
        self.places.setText(view.places)
        set_tone(self.places, view.places_tone)
        for widget in (self.places, self.calibrate):
            widget.setVisible(bool(view.places))
        if view.devices != before.devices:
            self.found.show_rows([self._device(row) for row in view.devices])
        if view.sdks != before.sdks:
            self.libraries.show_rows([self._library(row) for row in view.sdks])

    def _show_running(self, rows: tuple[RunningRow, ...]) -> None:
        if self._rows.keys() != {row.camera_id for row in rows}:
            self._adjusts = {}
            self._rows = {row.camera_id: self._running_row(row) for row in rows}
            self.running.show_rows(list(self._rows.values()))
        for row in rows:  # figures change all the time; a button must not be built anew while it is pressed
            self._rows[row.camera_id].show_words(row.facts, row.note, row.hint)

    def _running_row(self, row: RunningRow) -> "_Row":
        made = _Row(row.title, row.facts, row.note, row.hint, tone="warning")
        button = Button(tr("Adjust"), icon_name="tune-variant", checkable=True)
        button.setChecked(row.camera_id == self._adjusted)
        self._adjusts[row.camera_id] = button
        button.setAccessibleName(tr("Adjust {title}").format(title=row.title))
        button.clicked.connect(partial(self.adjust, row.camera_id))
        made.add(button)
        return made

    def _device(self, row: DeviceRow) -> QWidget:
        made = _Row(row.title, row.facts, row.problem, row.hint, tone="warning" if row.source else "error")
        if row.running:
            made.add(label(tr("In use"), "muted", wrap=False))
        elif row.source:
            button = Button(tr("Open"))
            button.setAccessibleName(tr("Open {title}").format(title=row.title))
            button.clicked.connect(partial(self._open, row.source))
            made.add(button)
        return made

    def _rig(self, row: RigRow) -> QWidget:
        made = _Row(row.title, row.facts, row.problem, row.hint, tone="error")
        if not row.problem:
            button = Button(tr("Open"))
            button.setAccessibleName(tr("Open {title}").format(title=row.title))
            button.clicked.connect(partial(self._open, str(row.path)))
            made.add(button)
        return made

    def _library(self, row: SdkRow) -> QWidget:
        made = _Row(
            row.title, row.text, tr("Run: {fix}").format(fix=row.fix) if row.fix else "", "", tone="warning"
        )
        if row.fix:
            button = Button(tr("Copy the command"), icon_name="content-copy")
            button.setAccessibleName(tr("Copy the command for {title}").format(title=row.title))
            button.clicked.connect(partial(self._copy, row.fix))
            made.add(button)
        return made

    def _open(self, source: str, _checked: bool = False) -> None:
        self._context.settings.source = source
        self._context.save_settings()
        self._context.open_source(source)
        self._context.go_to("Live")

    def _save_rig(self, _checked: bool = False) -> None:
        try:
            path = self._model.save_rig()
        except OSError as error:
            hint = tr("Check the data folder in Settings and the room on its disk.")
            self._context.show_banner(
                Notice("error", tr("The rig was not saved: {error}.").format(error=error), hint, about="rig")
            )
            return
        self._context.show_banner(
            Notice(
                "info", tr("The rig is saved; it is listed below."), str(path), lasts_s=COPIED_S, about="rig"
            )
        )

    def _choose_recording(self) -> None:
        dialog = FolderDialog(
            tr("Open a recording of a camera, or a rig file"),
            Path.home(),
            self._context.settings.sessions_folder,
            sessions_only=False,
            parent=self,
            suffixes=tuple(pattern.removeprefix("*") for pattern in RECORDING_PATTERNS),
            files_only=True,
        )
        dialog.chosen.connect(self._recording_chosen)
        self._context.open_dialog(dialog)

    def _choose_settings(self) -> None:
        dialog = FolderDialog(
            tr("Load settings of the vendor's tool"),
            Path.home(),
            self._context.settings.sessions_folder,
            sessions_only=False,
            parent=self,
            suffixes=SETTINGS_SUFFIXES,
            files_only=True,
        )
        dialog.chosen.connect(self._controls.load_from)
        self._context.open_dialog(dialog)

    def _choose_place(self) -> None:
        dialog = FolderDialog(
            tr("Save settings for the vendor's tool"),
            Path.home(),
            self._context.settings.sessions_folder,
            sessions_only=False,
            parent=self,
            suffixes=SETTINGS_SUFFIXES,
            save_as="camera.json",
        )
        dialog.chosen.connect(self._controls.save_to)
        self._context.open_dialog(dialog)

    def _recording_chosen(self, path: Path) -> None:
        if path.name.endswith(RIG_SUFFIX):
            self._open(str(path))
            return
        self._context.open_source(str(path))
        self._context.go_to("Live")

    def _copy(self, command: str, _checked: bool = False) -> None:
        QGuiApplication.clipboard().setText(command)
        text = tr("The command is copied.")
        self._context.show_banner(
            Notice(
                "info",
                text,
                tr("Paste it into a terminal, then start DepthMend again."),
                lasts_s=COPIED_S,
                about="command",
            )
        )


class _Section(Card):
    """A card of rows, or a sentence where there is none."""

    def __init__(self, title_text: str, empty: str) -> None:
        super().__init__(title_text)
        self.empty = body(empty)
        self.column.addWidget(self.empty)
        self.rows: list[QWidget] = []

    def show_rows(self, rows: Sequence[QWidget]) -> None:
        """Show these instead of the ones before."""
        for row in self.rows:
            self.column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = list(rows)
        for row in rows:
            self.column.addWidget(row)
            row.show()
        self.empty.setVisible(not rows)


class _Row(Worded, QWidget):
    """A name, facts below it, perhaps what is wrong, and room for a button at the right."""

    def __init__(self, name: str, facts: str, problem: str, hint: str, *, tone: str) -> None:
        super().__init__()
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addStretch(1)
        words.addWidget(label(name, "body"))
        self._facts = caption("")
        words.addWidget(self._facts)
        self.problem = label("", "body", selectable=True)
        set_tone(self.problem, tone)
        words.addWidget(self.problem)
        words.addStretch(1)
        self.show_words(facts, problem, hint)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.SPACE_PX)
        self._row.addLayout(words, 1)

    def show_words(self, facts: str, problem: str, hint: str) -> None:
        """Say something else below the name."""
        self._facts.setText(facts)
        self._facts.setVisible(bool(facts))
        self.problem.setText(joined(" ", (ended(problem), hint)) if hint else problem)
        self.problem.setVisible(bool(problem))

    def add(self, widget: QWidget) -> None:
        """Put something at the right."""
        self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)


def _link(row: LinkRow) -> QWidget:
    return _Row(row.title, row.facts, row.problem, row.hint, tone="warning")
