"""Sliders, switches and choices that a camera's own description makes."""

from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import from_below, joined, tr
from app.ui import theme
from app.ui.preview import Preview
from app.ui.widgets import Button, IconButton, Option, Picker, Switch, caption, label, set_tone
from app.ui.worded import Slider, Worded
from app.viewmodels.controls import (
    POSITIONS,
    ControlGroup,
    ControlsModel,
    ControlsView,
    depth_picture,
    nudged,
    position_of,
    value_at,
    words,
)
from drivers.controls import PRESETS, Control, ControlKind, Value, decided_now
from drivers.frame import Frame

PICTURE_PX: Final = 200
CAPTION_GAP_PX: Final = 6
"""Between a control and its name above it, which must not touch, nor look like that of the one above."""


class ControlsPanel(Worded, QWidget):
    """The picture and presets above, then the controls of one camera by group, then the vendor's own file.

    Args:
        model: whose view is shown.
        near_m: of the colours of depth.
        far_m: likewise.

    Signals:
        load_requested: read a file of the vendor's tool.
        save_requested: write one.
    """

    load_requested = Signal()
    save_requested = Signal()

    def __init__(self, model: ControlsModel, *, near_m: float, far_m: float) -> None:
        super().__init__()
        self._range_m = near_m, far_m
        self.color_picture, self.depth_picture = Preview(), Preview()
        self._model = model
        self._name = label("", "title")
        self.note = label("", "body")
        set_tone(self.note, "warning")
        self.presets = {preset.name: Button(from_below(preset.title)) for preset in PRESETS}
        self.defaults = Button(tr("Back to the defaults"), icon_name="restore")
        self.all = Switch(tr("Show everything"))
        self.load = Button(tr("Load a file ..."), icon_name="folder-open-outline")
        self.save = Button(tr("Save to a file ..."), icon_name="content-save-outline")
        self.editors: dict[str, ControlEditor] = {}
        self._sections: list[QWidget] = []
        presets = QHBoxLayout()
        presets.setSpacing(theme.GAP_PX)
        for preset in PRESETS:
            button = self.presets[preset.name]
            button.setToolTip(from_below(preset.text))
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(partial(self._preset, preset.name))
            presets.addWidget(button)
        self._groups = QVBoxLayout()
        self._groups.setSpacing(theme.SPACE_PX)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)
        self._column.addWidget(self._name)
        pictures = QHBoxLayout()
        pictures.setSpacing(theme.GAP_PX)
        for picture in (self.color_picture, self.depth_picture):
            picture.setMaximumWidth(PICTURE_PX)  # the controls are what this is about
            pictures.addWidget(picture)
        pictures.addStretch(0)
        self._column.addLayout(pictures)
        self._column.addWidget(self.note)
        self._column.addLayout(presets)
        self._column.addWidget(self.defaults)
        self._column.addLayout(self._groups)
        for widget in (self.all, self.load, self.save):
            self._column.addWidget(widget)
        self.defaults.clicked.connect(model.set_defaults)
        self.all.toggled.connect(self._show_all)
        self.load.clicked.connect(self.load_requested)
        self.save.clicked.connect(self.save_requested)
        model.changed.connect(self.show_view)
        model.pictured.connect(self.show_frame)
        self._shown = ControlsView()
        self.show_view(model.view)

    def show_view(self, view: ControlsView) -> None:
        """Show everything anew; editors that are still right stay where they are."""
        if _shapes(view) != _shapes(self._shown) or not self._sections:
            self._build(view.groups)
        self._shown = view
        self._name.setText(from_below(view.title))
        self.note.setText(joined(" ", filter(None, (view.note, view.hint))))
        self.note.setVisible(bool(view.note))
        decided = decided_now(_controls(view))
        for control in _controls(view):
            self.editors[control.name].automatic = control.name in decided
            self.editors[control.name].show_control(control)
        for widget in (*self.editors.values(), *self.presets.values(), self.defaults, self.load):
            widget.setEnabled(not view.locked)
        adjustable = any(group.usual or group.special for group in view.groups)
        for button in (*self.presets.values(), self.defaults):
            button.setVisible(adjustable)
        self.all.setVisible(any(group.special or group.readings for group in view.groups))
        self.load.setVisible(view.saves)
        self.save.setVisible(view.saves)

    def show_frame(self, frame: Frame) -> None:
        """Show what the camera sees now."""
        near_m, far_m = self._range_m
        self.color_picture.show_color(frame.color)
        self.depth_picture.show_color(depth_picture(frame.depth, near_m=near_m, far_m=far_m))

    def _build(self, groups: tuple[ControlGroup, ...]) -> None:
        for section in self._sections:
            self._groups.removeWidget(section)
            section.hide()
            section.deleteLater()
        self._sections, self.editors = [], {}
        for group in groups:
            section = QWidget()
            column = QVBoxLayout(section)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(theme.SPACE_PX)
            column.addWidget(label(from_below(group.title), "title"))
            for control in (*group.usual, *group.special, *group.readings):
                editor = _editor(control)
                editor.wanted.connect(self._model.set)
                self.editors[control.name] = editor
                column.addWidget(editor)
            self._groups.addWidget(section)
            self._sections.append(section)
        self._show_special(groups)

    def _show_all(self, _on: bool) -> None:
        self._show_special(self._shown.groups)

    def _show_special(self, groups: tuple[ControlGroup, ...]) -> None:
        for group, section in zip(groups, self._sections, strict=True):
            for control in (*group.special, *group.readings):
                self.editors[control.name].setVisible(self.all.isChecked())
            section.setVisible(self.all.isChecked() or bool(group.usual))

    def _preset(self, name: str, _checked: bool = False) -> None:
        self._model.set_preset(name)


class ControlEditor(Worded, QWidget):
    """One control: its name, its value, and what moves it.

    Signals:
        wanted: name and value, when the operator moved it.
    """

    wanted = Signal(str, object)
    automatic = False
    """Whether the camera decides the value at present; a value by hand ends that."""

    def __init__(self, control: Control) -> None:
        super().__init__()
        self.control = control
        self.setToolTip(from_below(control.text))
        self._title = label(from_below(control.title), "body", wrap=False)
        self._head = QHBoxLayout()
        self._head.setSpacing(theme.GAP_PX)
        self._head.addWidget(self._title, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(CAPTION_GAP_PX)
        self._column.addLayout(self._head)

    def show_control(self, control: Control) -> None:
        """Show the present value, without a signal."""
        self.control = control


class ReadingEditor(ControlEditor):
    """A value that can only be read."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._value = caption("")
        self._head.addWidget(self._value)

    def show_control(self, control: Control) -> None:
        super().show_control(control)
        self._value.setText(words(control, control.value))


class NumberEditor(ControlEditor):
    """A slider between less and more."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._value = label("", "body", wrap=False)
        self._value.setFont(theme.font(theme.BODY_PX, tabular=True))
        self._head.addWidget(self._value)
        self.less = IconButton(
            "minus",
            tr("{group} {title}: less").format(
                group=from_below(control.group), title=from_below(control.title)
            ),
        )
        self.more = IconButton(
            "plus",
            tr("{group} {title}: more").format(
                group=from_below(control.group), title=from_below(control.title)
            ),
        )
        for button in (self.less, self.more):
            button.setAutoRepeat(True)
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, POSITIONS)
        self.slider.setAccessibleName(_name_of(control))
        self.slider.setMinimumHeight(theme.SMALLEST_TARGET_PX)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP_PX)
        row.addWidget(self.less)
        row.addWidget(self.slider, 1)
        row.addWidget(self.more)
        self._column.addLayout(row)
        self.less.clicked.connect(partial(self._nudge, False))
        self.more.clicked.connect(partial(self._nudge, True))
        self.slider.valueChanged.connect(self._moved)

    def show_control(self, control: Control) -> None:
        super().show_control(control)
        assert isinstance(control.value, int | float)
        said = words(control, control.value)
        self._value.setText(tr("{value}, automatic").format(value=said) if self.automatic else said)
        if not self.slider.isSliderDown():
            self.slider.blockSignals(True)
            self.slider.setValue(position_of(control, control.value))
            self.slider.blockSignals(False)
        self.less.setEnabled(self.isEnabled() and control.value > control.minimum)
        self.more.setEnabled(self.isEnabled() and control.value < control.maximum)

    def _moved(self, position: int) -> None:
        self._want(value_at(self.control, position))

    def _nudge(self, up: bool, _checked: bool = False) -> None:
        assert isinstance(self.control.value, int | float)
        self._want(nudged(self.control, self.control.value, up=up))

    def _want(self, value: Value) -> None:
        if value != self.control.value:
            self.wanted.emit(self.control.name, value)


class SwitchEditor(ControlEditor):
    """On or off."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self.switch = Switch("")
        self.switch.setAccessibleName(_name_of(control))
        self.switch.setFixedWidth(Switch.TRACK.width())
        self._head.addWidget(self.switch)
        self.switch.clicked.connect(self._clicked)

    def show_control(self, control: Control) -> None:
        super().show_control(control)
        self.switch.setChecked(bool(control.value))

    def _clicked(self, on: bool) -> None:
        self.wanted.emit(self.control.name, on)


class ChoiceEditor(ControlEditor):
    """One of the camera's own words."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self.picker = Picker(_name_of(control), [Option(w, from_below(w)) for w in control.choices])
        self.picker.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._column.addWidget(self.picker)
        self.picker.picked.connect(self._picked)

    def show_control(self, control: Control) -> None:
        super().show_control(control)
        self.picker.select(str(control.value))

    def _picked(self, word: str) -> None:
        self.wanted.emit(self.control.name, word)


_EDITORS: Final[dict[ControlKind, type[ControlEditor]]] = {
    ControlKind.NUMBER: NumberEditor,
    ControlKind.SWITCH: SwitchEditor,
    ControlKind.CHOICE: ChoiceEditor,
}


def _editor(control: Control) -> ControlEditor:
    return ReadingEditor(control) if control.read_only else _EDITORS[control.kind](control)


def _controls(view: ControlsView) -> list[Control]:
    return [c for group in view.groups for c in (*group.usual, *group.special, *group.readings)]


def _shapes(view: ControlsView) -> list[tuple[object, ...]]:
    """What decides how the editors look: all but the values."""
    return [
        (view.camera_id, c.name, c.kind, c.minimum, c.maximum, c.step, c.choices, c.read_only)
        for c in _controls(view)
    ]


def _name_of(control: Control) -> str:
    return joined(" ", (from_below(control.group), from_below(control.title)))
