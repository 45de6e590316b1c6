"""What can be adjusted in a camera, described by the camera itself."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from drivers.errors import ModeUnsupported

Value = bool | float | str
"""Of a switch, a number, and one of the words of a choice."""


class ControlKind(Enum):
    """What a control looks like."""

    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"


class Role(Enum):
    """What a control means, whatever its vendor calls it; in the order in which they are set.

    A preset moves the others, and a camera that exposes by itself refuses an exposure, so those come first.
    """

    SIZE = "size"
    RATE = "rate"
    PRESET = "preset"
    AUTO_EXPOSURE = "auto exposure"
    AUTO_WHITE_BALANCE = "auto white balance"
    EMITTER = "emitter"
    EXPOSURE = "exposure"
    GAIN = "gain"
    WHITE_BALANCE = "white balance"
    LASER_POWER = "laser power"
    KEEP_RATE = "keep the rate in the dark"
    POWER_LINE = "power line frequency"
    DEPTH_UNIT = "depth unit"


@dataclass(frozen=True)
class Control:
    """One thing that can be adjusted, or only read, and its present value.

    Attributes:
        name: unique within the camera and the same for every camera of its model, such as "depth.exposure".
        title: for people, such as "Exposure".
        group: of what it is, such as "Depth" or "Colour".
        kind: switch, number or choice.
        value: at present.
        default: that the camera starts with; None where it does not say.
        minimum: of a number, in `unit`.
        maximum: likewise.
        step: likewise; 0 for any number between.
        unit: of a number, such as "μs" or "mW"; empty for a bare number.
        choices: the words of a choice.
        read_only: whether it only tells.
        role: what it means; None for what only this vendor has.
        text: what the vendor says of it.
    """

    name: str
    title: str
    group: str
    kind: ControlKind
    value: Value
    default: Value | None = None
    minimum: float = 0.0
    maximum: float = 0.0
    step: float = 0.0
    unit: str = ""
    choices: tuple[str, ...] = ()
    read_only: bool = False
    role: Role | None = None
    text: str = ""

    @property
    def at_default(self) -> bool:
        """Whether it is as the camera would have it; true where that is not known."""
        return self.default is None or self.value == self.default

    def checked(self, value: Value) -> Value:
        """`value`, a number brought to the nearest step.

        Raises:
            ModeUnsupported: it is no value of this control.
        """
        if self.read_only:
            raise ModeUnsupported(f"{self.title} can only be read", hint="Leave it as it is.")
        if self.kind is ControlKind.SWITCH:
            if isinstance(value, bool):
                return value
            raise ModeUnsupported(f"{self.title} is on or off, not {value!r}", hint="Give true or false.")
        if self.kind is ControlKind.CHOICE:
            if value in self.choices:
                return value
            words = ", ".join(self.choices)
            raise ModeUnsupported(f"{self.title} cannot be {value!r}", hint=f"Choose one of: {words}.")
        return self._number(value)

    def _number(self, value: Value) -> float:
        between = f"Give a number from {self.minimum:g} to {self.maximum:g} {self.unit}".rstrip()
        if isinstance(value, bool | str) or not math.isfinite(value):
            raise ModeUnsupported(f"{self.title} cannot be {value!r}", hint=f"{between}.")
        # A float32 that came from the device may lie a hair outside of the range that it told.
        slack = 1e-6 * max(abs(self.minimum), abs(self.maximum))
        if not self.minimum - slack <= value <= self.maximum + slack:
            raise ModeUnsupported(
                f"{self.title} cannot be {value:g} {self.unit}".rstrip(), hint=f"{between}."
            )
        if self.step > 0:
            value = self.minimum + round((value - self.minimum) / self.step) * self.step
        if abs(value - self.maximum) <= slack:
            return self.maximum
        return min(max(float(value), self.minimum), self.maximum)


def find(controls: Iterable[Control], name: str) -> Control:
    """The control of this name.

    Raises:
        ModeUnsupported: there is none.
    """
    for control in controls:
        if control.name == name:
            return control
    raise ModeUnsupported(f"This camera has no control {name}", hint="Leave it out.")


_DECIDED_BY = {
    Role.EXPOSURE: Role.AUTO_EXPOSURE,
    Role.GAIN: Role.AUTO_EXPOSURE,
    Role.WHITE_BALANCE: Role.AUTO_WHITE_BALANCE,
}
AUTOMATICS = frozenset(_DECIDED_BY.values())
"""In every camera, setting what one of these decides ends it."""


def decided_now(controls: Iterable[Control]) -> set[str]:
    """Names of the controls whose values an automatic of the camera decides at present."""
    listed = list(controls)
    on = {(control.group, control.role) for control in listed if control.role in AUTOMATICS and control.value}
    return {
        control.name
        for control in listed
        if control.role in _DECIDED_BY and (control.group, _DECIDED_BY[control.role]) in on
    }


def in_order(values: Mapping[str, Value], controls: Iterable[Control]) -> list[tuple[str, Value]]:
    """`values` in the order in which they have to be set; unknown names come last.

    What an automatic decides is left out where the automatic itself shall be on, for it would end it.
    """
    known = {control.name: control for control in controls}
    on = {(known[name].group, known[name].role) for name, value in values.items() if name in known and value}
    order = list(Role)

    def place(item: tuple[str, Value]) -> int:
        role = known[item[0]].role if item[0] in known else None
        return order.index(role) if role is not None else len(order)

    def decided(name: str) -> bool:
        control = known.get(name)
        automatic = _DECIDED_BY.get(control.role) if control is not None and control.role else None
        return control is not None and automatic is not None and (control.group, automatic) in on

    return sorted(((name, value) for name, value in values.items() if not decided(name)), key=place)


def values_of(controls: Iterable[Control]) -> dict[str, Value]:
    """What a recording keeps: every control's value by its name."""
    return {control.name: control.value for control in controls}


@dataclass(frozen=True)
class Preset:
    """A few controls that belong together, for every camera alike.

    Attributes:
        name: for files.
        title: for people.
        text: what it is good for.
    """

    name: str
    title: str
    text: str

    def values(self, controls: Iterable[Control]) -> dict[str, Value]:
        """What this preset sets of these controls, by name."""
        wanted: dict[str, Value] = {}
        for control in controls:
            if control.role is None or control.read_only:
                continue
            value = _preset_value(self.name, control)
            if value is not None:
                wanted[control.name] = value
        return wanted


QUALITY = Preset(
    "quality",
    "Best quality",
    "For recordings: the largest picture at 30 frames a second, strong projector, no pixel that the camera "
    "is not sure of.",
)
RATE = Preset(
    "rate",
    "Highest rate",
    "For what moves: as many frames a second as camera and cable carry, whatever their size.",
)
PRESETS = (QUALITY, RATE)

_ACCURATE = ("high accuracy", "accuracy")
_PLAIN = ("default",)
_RECORDED_HZ = 30.0


def _preset_value(preset: str, control: Control) -> Value | None:
    best = preset == QUALITY.name
    match control.role:
        case role if role in AUTOMATICS and control.kind is ControlKind.SWITCH:
            return True
        case Role.EMITTER:
            # "On" where there are also "off" and "auto", which may switch it off while recording.
            return True if control.kind is ControlKind.SWITCH else _word(control, ("laser", "on"))
        case Role.LASER_POWER if control.kind is ControlKind.NUMBER:
            return control.maximum if best else control.default
        case Role.KEEP_RATE if control.kind is ControlKind.SWITCH:
            return True
        case Role.PRESET:
            return _word(control, _ACCURATE if best else _PLAIN)
        case Role.RATE:
            rates = {float(word.split()[0]): word for word in control.choices}
            chosen = min(rates, key=lambda hz: (abs(hz - _RECORDED_HZ), -hz)) if best else max(rates)
            return rates[chosen]
        case Role.SIZE if best:
            return max(control.choices, key=_pixels)
        case _:
            return None


def _word(control: Control, wanted: tuple[str, ...]) -> str | None:
    return next((word for name in wanted for word in control.choices if word.lower() == name), None)


def _pixels(size: str) -> int:
    width, height = size.split(" x ")
    return int(width) * int(height)
