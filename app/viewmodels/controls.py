"""State of the panel in which a camera is adjusted."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import CameraLine, Studio
from app.flow.desk import Desk
from app.language import from_below, tr, tr_noop, with_minus
from app.viewmodels.colouring import colour_depth, depth_table
from drivers.controls import PRESETS, Control, ControlKind, Value
from drivers.depth import DepthMap
from drivers.errors import CameraError
from drivers.frame import Frame

POLL_MS: Final = 100
LOOK_EVERY: Final = 10
"""Polls after which the camera is asked for its values: automatics move them."""
PICTURE_EVERY: Final = 2
POSITIONS: Final = 1000
"""Of a slider, from end to end."""
WIDE_RANGE: Final = 500.0
"""A number whose range spans more than this factor is set by ratio, not by difference: an exposure."""
THUMB_PX: Final = 160
NUDGE_SHARE: Final = 0.02
NUDGE_RATIO: Final = 1.1
GROUPS: Final = (tr_noop("Stream"), tr_noop("Depth"), tr_noop("Colour"))
"""In this order; others follow."""


@dataclass(frozen=True)
class ControlGroup:
    """Controls that belong together.

    Attributes:
        title: of what they are.
        usual: those that every camera has in some form, in a fixed order.
        special: what else this vendor has.
        readings: what can only be read.
    """

    title: str
    usual: tuple[Control, ...]
    special: tuple[Control, ...]
    readings: tuple[Control, ...]


@dataclass(frozen=True)
class ControlsView:
    """Everything that the panel shows.

    Attributes:
        camera_id: whose controls they are; empty for none.
        title: its name.
        groups: in the order of the screen.
        saves: whether the vendor's own settings can be saved and loaded.
        locked: whether a recording keeps everything as it is.
        note: what is wrong, or what there is to know.
        hint: what to do about it.
    """

    camera_id: str = ""
    title: str = ""
    groups: tuple[ControlGroup, ...] = ()
    saves: bool = False
    locked: bool = False
    note: str = ""
    hint: str = ""


class ControlsModel(QObject):
    """Shows one camera's controls at a time and hands wishes to its desk.

    Args:
        studio: whose rig is adjusted.

    Signals:
        changed: `ControlsView`.
        pictured: the camera's newest `Frame`, a few times a second, so that one sees what one does.
    """

    changed = Signal(ControlsView)
    pictured = Signal(Frame)

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._camera_id = ""
        self._view = ControlsView()
        self._wished: dict[str, Value] = {}
        self._wished_at = 0
        self._polls = 0
        self._failure: tuple[str, str] = ("", "")
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def view(self) -> ControlsView:
        """What is shown now."""
        return self._view

    def show(self, camera_id: str) -> None:
        """Show this camera's controls from now on; none with an empty name."""
        self._camera_id = camera_id
        self._wished = {}
        self._failure = ("", "")
        self._polls = 0
        self.start() if camera_id else self.stop()
        self.tick()

    def start(self) -> None:
        """The panel came to the front."""
        if self._camera_id:
            self._timer.start()

    def stop(self) -> None:
        """The panel left the front; what was adjusted is written down."""
        self._timer.stop()
        self._studio.remember_controls()

    def set(self, name: str, value: Value) -> None:
        """The operator moved a control."""
        self._set({name: value})

    def set_preset(self, name: str) -> None:
        """The operator wants one of our presets."""
        preset = next(preset for preset in PRESETS if preset.name == name)
        controls = [c for group in self._view.groups for c in (*group.usual, *group.special)]
        self._set(preset.values(controls))

    def set_defaults(self) -> None:
        """The operator wants everything as the camera came."""
        self._wished = {}
        self._ask(Desk.ask_for_defaults)

    def save_to(self, path: Path) -> None:
        """Write what the vendor's tool would save."""
        line = self._line
        state = line.desk.state.latest() if line is not None else None
        if state is None or state.vendor_settings is None:
            return
        try:
            path.write_text(state.vendor_settings, encoding="utf-8")
        except OSError as error:
            self._fail(
                tr("{name} cannot be written: {strerror}").format(
                    name=path.name, strerror=from_below(str(error.strerror))
                ),
                tr("Choose another folder."),
            )

    def load_from(self, path: Path) -> None:
        """Set the camera as such a file says."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._fail(
                tr("{name} cannot be read: {error}").format(name=path.name, error=error),
                tr("Choose a file that the vendor's tool wrote."),
            )
            return
        self._wished = {}

        def load(desk: Desk) -> None:
            desk.ask_to_load(text)

        self._ask(load)

    def tick(self) -> None:
        """Look at the camera's answers; called by the timer."""
        line = self._line
        if line is not None:
            if line.desk.state.version > self._wished_at:
                self._wished = {}
            if self._polls % LOOK_EVERY == 0 and line.desk.state.version:
                line.desk.look()
                self._studio.remember_controls()
            frame = line.channel.newest.latest()
            if self._polls % PICTURE_EVERY == 0 and frame is not None:
                self.pictured.emit(frame)
            self._polls += 1
        view = self._look(line)
        if view != self._view:
            self._view = view
            self.changed.emit(view)

    @property
    def _line(self) -> CameraLine | None:
        pipeline = self._studio.pipeline
        return None if pipeline is None else pipeline.lines.get(self._camera_id)

    def _set(self, values: dict[str, Value]) -> None:
        self._wished |= values

        def ask(desk: Desk) -> None:
            desk.ask(values)

        self._ask(ask)

    def _ask(self, request: Callable[[Desk], None]) -> None:
        line = self._line
        if line is None:
            return
        self._failure = ("", "")
        self._wished_at = line.desk.state.version
        try:
            request(line.desk)
        except CameraError as error:
            self._wished = {}
            self._failure = (from_below(str(error)), from_below(error.hint))
        self.tick()

    def _fail(self, text: str, hint: str) -> None:
        self._failure = (text, hint)
        self.tick()

    def _look(self, line: CameraLine | None) -> ControlsView:
        if line is None:
            return ControlsView()
        state = line.desk.state.latest()
        if state is None:
            return ControlsView(self._camera_id, line.info.name, note=tr("Waiting for the camera ..."))
        note, hint = self._failure
        if not note and state.problem is not None:
            note, hint = from_below(str(state.problem)), from_below(state.problem.hint)
        if not note and line.desk.locked:
            note, hint = (
                tr("A recording keeps the settings that it began with."),
                tr("Stop it to change them."),
            )
        if not note and not state.controls:
            note = (
                tr("Nothing can be adjusted in this camera.") if line.info.live else tr("It is a recording.")
            )
        shown = tuple(_wished(control, self._wished) for control in state.controls)
        return ControlsView(
            camera_id=self._camera_id,
            title=line.info.name,
            groups=grouped(shown),
            saves=state.vendor_settings is not None,
            locked=line.desk.locked,
            note=note,
            hint=hint,
        )


def depth_picture(depth: DepthMap, *, near_m: float, far_m: float) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 RGB, small, of depth in colours."""
    step = max(depth.values.shape[1] // THUMB_PX, 1)
    counts = np.ascontiguousarray(depth.values[::step, ::step])
    table = depth_table(near_m, far_m, depth.unit_m)
    packed = colour_depth(counts, table, np.empty(counts.shape, np.uint32))
    return np.stack([(packed >> shift).astype(np.uint8) for shift in (16, 8, 0)], axis=-1)


def grouped(controls: Iterable[Control]) -> tuple[ControlGroup, ...]:
    """The controls in the order of the screen."""
    by_title: dict[str, list[Control]] = {title: [] for title in GROUPS}
    for control in controls:
        by_title.setdefault(control.group, []).append(control)
    return tuple(
        ControlGroup(
            title,
            tuple(c for c in of_title if c.role is not None and not c.read_only),
            tuple(c for c in of_title if c.role is None and not c.read_only),
            tuple(c for c in of_title if c.read_only),
        )
        for title, of_title in by_title.items()
        if of_title
    )


def by_ratio(control: Control) -> bool:
    """Whether equal ways of the slider are equal ratios."""
    return control.minimum > 0 and control.maximum > WIDE_RANGE * control.minimum


def position_of(control: Control, value: float) -> int:
    """Where a slider of `POSITIONS` stands for a value."""
    low, high = control.minimum, control.maximum
    if high <= low:
        return 0
    value = min(max(value, low), high)
    share = (
        math.log(value / low) / math.log(high / low) if by_ratio(control) else (value - low) / (high - low)
    )
    return round(share * POSITIONS)


def value_at(control: Control, position: int) -> float:
    """The value that a slider stands for, at one of the control's steps."""
    low, high = control.minimum, control.maximum
    share = position / POSITIONS
    value = low * (high / low) ** share if by_ratio(control) else low + (high - low) * share
    return _number(control, value)


def nudged(control: Control, value: float, *, up: bool) -> float:
    """One press further: a fiftieth of the range, or a tenth of the value, but a step at least."""
    if by_ratio(control):
        target = value * NUDGE_RATIO if up else value / NUDGE_RATIO
    else:
        by = NUDGE_SHARE * (control.maximum - control.minimum)
        target = value + by if up else value - by
    least = control.step or abs(target - value)
    if abs(target - value) < least:
        target = value + least if up else value - least
    return _number(control, target)


def words(control: Control, value: Value) -> str:
    """A value as the screen says it."""
    if isinstance(value, bool):
        return tr("On") if value else tr("Off")
    if isinstance(value, str):
        return value
    step = control.step or (control.maximum - control.minimum) / 100 or 0.1
    decimals = max(0, min(6, -math.floor(math.log10(step) + 1e-9)))
    return with_minus(f"{value:,.{decimals}f}") + (f" {control.unit}" if control.unit else "")


def _number(control: Control, value: float) -> float:
    checked = control.checked(min(max(value, control.minimum), control.maximum))
    assert isinstance(checked, float)
    return checked


def _wished(control: Control, wished: dict[str, Value]) -> Control:
    if control.kind is ControlKind.NUMBER and control.read_only:
        return control
    return replace(control, value=wished.get(control.name, control.value))
