"""Why a camera's depth is bad: what the last seconds of its frames, its controls and its cable say."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from drivers.camera import CameraInfo
from drivers.controls import Control, Role, Value
from drivers.frame import Frame
from model.spec import EngineChoice, InputRules

Severity = Literal["error", "warning"]

FEWEST_FRAMES: Final = 3


@dataclass(frozen=True)
class RepairFacts:
    """How the repair of a camera is set.

    Attributes:
        choice: model and settings; None where it is off.
        rules: what the model expects; None where only its file knows.
        hidden_share: of the depth that is hidden from it on purpose.
        failed: why it does not run; empty while it does.
    """

    choice: EngineChoice | None = None
    rules: InputRules | None = None
    hidden_share: float = 0.0
    failed: str = ""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of one camera's last seconds.

    Attributes:
        info: of the camera.
        frames: oldest first; a few a second are enough.
        rate_hz: frames that arrived per second.
        lost: frames that the device counted and nobody got, in these seconds.
        arrived: frames that arrived in these seconds.
        controls: with their present values; empty where there are none.
        link_mbps: of its USB port; None where that is not known.
        repair: how its depth is repaired.
    """

    info: CameraInfo
    frames: Sequence[Frame]
    rate_hz: float
    lost: int = 0
    arrived: int = 0
    controls: Sequence[Control] = ()
    link_mbps: float | None = None
    repair: RepairFacts = field(default_factory=RepairFacts)

    @property
    def newest(self) -> Frame:
        """The last frame."""
        return self.frames[-1]

    def control(self, role: Role) -> Control | None:
        """The control with this meaning that can be set, the depth sensor's first."""
        found = [control for control in self.controls if control.role is role and not control.read_only]
        return min(found, key=lambda control: control.group != "Depth", default=None)

    def color_control(self, role: Role) -> Control | None:
        """The same, the colour camera's first."""
        found = [control for control in self.controls if control.role is role and not control.read_only]
        return min(found, key=lambda control: control.group == "Depth", default=None)


@dataclass(frozen=True)
class Fix:
    """What a button does about it.

    Attributes:
        words: on the button.
        controls: values to set in the camera, by name.
        repair: fields of `EngineChoice` to change.
        show_all_depth: hide no depth from the repair any more.
    """

    words: str
    controls: Mapping[str, Value] = field(default_factory=dict)
    repair: Mapping[str, object] = field(default_factory=dict)
    show_all_depth: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        key: of the check that found it.
        title: what is wrong, in a few words.
        text: what was seen, with figures.
        advice: what to do by hand.
        severity: an error spoils the depth, a warning costs some of it.
        fix: what a button can do; None where only hands help.
    """

    key: str
    title: str
    text: str
    advice: str
    severity: Severity = "warning"
    fix: Fix | None = None


Check = Callable[[Evidence], Finding | None]


def setting(control: Control | None, value: Value | None, words: str) -> Fix | None:
    """The fix that sets a control, or None where there is no such control, or it has that value already."""
    if control is None or value is None or control.value == value:
        return None
    return Fix(words, {control.name: value})


def switched_off(control: Control | None) -> bool:
    """Whether a switch is off, or a choice says so."""
    return control is not None and (control.value is False or str(control.value).lower() == "off")


def switched_on(control: Control) -> Value | None:
    """The value that switches it on."""
    if not control.choices:
        return True
    words = {choice.lower(): choice for choice in control.choices}
    return next((words[word] for word in ("on", "laser", "auto") if word in words), None)
