"""Carries wishes for a camera's controls to the camera's own thread, and tells what became of them."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from app.flow.slot import Slot
from drivers.camera import Camera
from drivers.controls import AUTOMATICS, Control, Value, in_order
from drivers.errors import CameraError, CameraLost, ModeUnsupported

log = logging.getLogger(__name__)

SETTLE_S = 1.0


@dataclass(frozen=True)
class Wanted:
    """What a camera shall have whenever it is opened.

    Attributes:
        values: of controls, by name.
        vendor_settings: text of the vendor's own tool that is loaded before; empty for none.
    """

    values: Mapping[str, Value]
    vendor_settings: str = ""


NOTHING = Wanted({})


@dataclass(frozen=True)
class DeskState:
    """What a camera last said of its controls.

    Attributes:
        controls: with their values; empty where there are none, or the camera was never open.
        vendor_settings: what the vendor's tool would save; None where there is no such thing.
        problem: what the last request came to, where the camera refused it.
    """

    controls: tuple[Control, ...] = ()
    vendor_settings: str | None = None
    problem: CameraError | None = None


class Desk:
    """The controls of one camera of the rig.

    Any thread asks; the camera's own thread serves between two frames. Of several values for one control
    only the newest is set, so that a slider cannot run ahead of the camera. What was set is set again
    whenever the camera is opened: after a reconnect nothing has to be adjusted anew.

    Args:
        wanted: to begin with.
        remember: gets what is wanted, in the camera's thread, whenever that has changed.

    Attributes:
        state: the newest answer.
    """

    def __init__(self, wanted: Wanted = NOTHING, remember: Callable[[Wanted], None] | None = None) -> None:
        self.state: Slot[DeskState] = Slot()
        self._wanted = wanted
        self._remember = remember
        self._lock = threading.Condition()
        self._asked = _Asked()
        self._serving = False
        self._locked = False

    @property
    def wanted(self) -> Wanted:
        """What is set at every opening."""
        return self._wanted

    def begin_with(self, values: Mapping[str, Value]) -> None:
        """Want these as well, before the first opening; they win over what was wanted."""
        self._wanted = Wanted({**self._wanted.values, **values}, self._wanted.vendor_settings)

    @property
    def locked(self) -> bool:
        """Whether a recording is under way."""
        return self._locked

    def lock(self) -> None:
        """Refuse changes: a recording says once what its camera was set to. Waits for those under way."""
        with self._lock:
            self._locked = True
            known = self.state.latest()
            if known is not None and known.vendor_settings is not None:
                self._asked = replace(self._asked, save=True)  # it follows the controls
            self._lock.wait_for(self._idle, SETTLE_S)

    def unlock(self) -> None:
        """Allow changes again."""
        with self._lock:
            self._locked = False

    def ask(self, values: Mapping[str, Value]) -> None:
        """Set these controls soon.

        Raises:
            ModeUnsupported: a recording is under way.
        """
        with self._unlocked():
            self._asked = replace(self._asked, values={**self._asked.values, **values})

    def ask_for_defaults(self) -> None:
        """Set everything to what the camera starts with, and forget what was wanted.

        Raises:
            ModeUnsupported: a recording is under way.
        """
        with self._unlocked():
            self._asked = _Asked(defaults=True, save=True)

    def ask_to_load(self, vendor_settings: str) -> None:
        """Load a text of the vendor's own tool soon; values that were wanted before give way to it.

        Raises:
            ModeUnsupported: a recording is under way.
        """
        with self._unlocked():
            self._asked = _Asked(text=vendor_settings, save=True)

    def ask_to_save(self) -> None:
        """Read soon what the vendor's tool would save; that takes some cameras the time of a frame or two."""
        with self._lock:
            self._asked = replace(self._asked, save=True)

    def look(self) -> None:
        """Ask the camera for its values soon."""
        with self._lock:
            self._asked = replace(self._asked, look=True)

    def opened(self, camera: Camera) -> None:
        """The camera was just opened: set what is wanted. Called in the camera's thread.

        Raises:
            CameraLost: the camera is gone.
        """
        wanted = self._wanted
        self._apply(camera, _Asked(wanted.values, wanted.vendor_settings or None, save=True))

    def serve(self, camera: Camera) -> None:
        """Do what was asked since the last time. Called in the camera's thread, between two frames.

        Raises:
            CameraLost: the camera is gone.
        """
        with self._lock:
            asked, self._asked = self._asked, _Asked()
            if asked == _Asked():
                return
            self._serving = True
        try:
            done = self._apply(camera, asked)
            if asked.changes:
                starts_anew = asked.defaults or asked.text is not None
                before = {} if starts_anew else self._wanted.values
                text = (asked.text or "") if starts_anew else self._wanted.vendor_settings
                self._wanted = Wanted(self._as_it_is({**before, **done}), text)
                if self._remember is not None:
                    self._remember(self._wanted)
        finally:
            with self._lock:
                self._serving = False
                self._lock.notify_all()

    def _as_it_is(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """An automatic that was wanted once may have been ended by a value that was wanted later."""
        state = self.state.latest() or DeskState()
        automatics = {c.name: c.value for c in state.controls if c.role in AUTOMATICS and c.name in values}
        return {**values, **automatics}

    def _idle(self) -> bool:
        return self._asked == _Asked() and not self._serving

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        with self._lock:
            if self._locked:
                raise ModeUnsupported(
                    "A recording keeps the settings that it began with", hint="Stop the recording first."
                )
            yield

    def _apply(self, camera: Camera, asked: "_Asked") -> dict[str, Value]:
        """Set what can be set and tell the rest; returns what was set."""
        state = self.state.latest() or DeskState()
        problem = None if asked.changes else state.problem
        done: dict[str, Value] = {}
        try:
            if asked.text is not None:
                camera.load_vendor_settings(asked.text)
            controls = camera.controls()
            wanted = asked.values if not asked.defaults else {**_defaults(controls), **asked.values}
            for name, value in in_order(wanted, controls):
                try:
                    camera.set_control(name, value)
                    done[name] = value
                except CameraLost:
                    raise
                except CameraError as error:  # the others are set all the same
                    problem = self._refused(camera, error)
            text = camera.vendor_settings() if asked.save else state.vendor_settings
            state = DeskState(camera.controls() if wanted else controls, text)
        except CameraLost:
            raise
        except CameraError as error:
            problem = self._refused(camera, error)
        self.state.put(replace(state, problem=problem))
        return {name: value for name, value in done.items() if name in asked.values}

    def _refused(self, camera: Camera, error: CameraError) -> CameraError:
        log.warning("controls of %s: %s %s", camera.info.id, error, error.hint)
        return error


@dataclass(frozen=True)
class _Asked:
    """What a camera shall do between two frames."""

    values: Mapping[str, Value] = field(default_factory=dict)
    text: str | None = None
    defaults: bool = False
    save: bool = False
    look: bool = False

    @property
    def changes(self) -> bool:
        return bool(self.values) or self.defaults or self.text is not None


def _defaults(controls: Iterable[Control]) -> dict[str, Value]:
    return {
        control.name: control.default
        for control in controls
        if control.default is not None and not control.read_only and not control.at_default
    }
