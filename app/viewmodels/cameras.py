"""State of the Cameras page: what is plugged in, what runs, and which libraries are there."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app import paths
from app.compose import CameraLine, Studio
from app.flow.capture import CameraStatus
from app.flow.clocks import ClockState
from app.flow.order import role_of
from app.flow.phase import Phase
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import capitalised, from_below, joined, tr, tr_many, tr_noop
from app.viewmodels.live import camera_note, old_after_s
from app.viewmodels.rigs import RigRow, save_rig, saved_rigs
from drivers.camera import SyncRole
from drivers.clock import Clock
from drivers.devices import Device
from drivers.registry import AUTO, DEMO, RECORDINGS, SDKS, devices
from drivers.registry import loads as usb_loads
from drivers.rig import SUFFIX
from drivers.sdk import Sdk, SdkState
from drivers.usb import LinkLoad, UsbCamera, port_in, usb_cameras

ALL_CAMERAS = AUTO
SIMULATED_RIG = DEMO
RECORDING_PATTERNS = tuple(f"*{suffix}" for suffix in (*RECORDINGS, SUFFIX))

POLL_MS = 500
BUS_EVERY_S = 2.0

ON_CABLE = {
    SyncRole.PRIMARY: tr_noop("primary on the sync cable"),
    SyncRole.SECONDARY: tr_noop("secondary on the sync cable"),
}
CLOCKS = {
    Clock.HOST: "",
    Clock.DEVICE: tr_noop("time of the exposure"),
    Clock.STAMP: tr_noop("the device's stamp, its place in the exposure not known"),
    Clock.ARRIVAL: tr_noop("time of arrival only: late by some 10 to 50 ms"),
}

BEST_MS = 0.1
"""No residual is told to be smaller: the smallest delay is not known so well."""


@dataclass(frozen=True)
class RunningRow:
    """One camera of the rig that runs.

    Attributes:
        camera_id: of the camera.
        title: its name.
        facts: sensor, rate, losses, clock.
        note: what is wrong; empty while it delivers.
        hint: what to do about it.
    """

    camera_id: str
    title: str
    facts: str
    note: str = ""
    hint: str = ""


@dataclass(frozen=True)
class DeviceRow:
    """One camera that is plugged in.

    Attributes:
        source: what opens it; empty where nothing does.
        title: vendor and model.
        facts: serial number, firmware, link, port.
        running: whether it is part of the rig that runs.
        problem: why it cannot be opened or is slow; empty while all is well.
        hint: what to do about it.
    """

    source: str
    title: str
    facts: str
    running: bool
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True)
class SdkRow:
    """One vendor's library.

    Attributes:
        title: its cameras.
        text: version, or what is wrong.
        fix: the command that puts it right; empty where nothing is wrong.
    """

    title: str
    text: str
    fix: str = ""


@dataclass(frozen=True)
class LinkRow:
    """One USB bus, or a hub or cable that carries too little.

    Attributes:
        title: which.
        facts: what is asked of what it carries.
        problem: that it is too much; empty while it fits.
        hint: what to do about it.
    """

    title: str
    facts: str
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True)
class CamerasView:
    """Everything the page shows.

    Attributes:
        running: the rig.
        devices: what is plugged in.
        sdks: the libraries.
        links: what the cameras ask of USB.
        rigs: that were saved.
        searched: whether there has been a search already.
        searching: whether one is under way.
        problem: why the last search failed; empty if it did not.
        places: what is known of where the cameras stand; empty where one camera or none runs.
        places_tone: "warning" where the rig should be calibrated again, "" otherwise.
    """

    running: tuple[RunningRow, ...] = ()
    devices: tuple[DeviceRow, ...] = ()
    sdks: tuple[SdkRow, ...] = ()
    links: tuple[LinkRow, ...] = ()
    rigs: tuple[RigRow, ...] = ()
    searched: bool = False
    searching: bool = False
    problem: str = ""
    places: str = ""
    places_tone: str = ""


@dataclass(frozen=True)
class Found:
    """What one search found."""

    devices: tuple[Device, ...] = ()
    sdks: tuple[tuple[Sdk, SdkState], ...] = ()
    problem: str = ""


class CamerasModel(QObject):
    """Searches in a thread when the page comes to the front and when the bus changes.

    Args:
        studio: whose rig is shown.
        find: the cameras that are plugged in; may take seconds.
        sdks: the libraries.
        on_bus: the cameras that the system sees; cheap.
        rigs: the folder of saved rigs.

    Signals:
        changed: `CamerasView`.
    """

    changed = Signal(CamerasView)

    def __init__(
        self,
        studio: Studio,
        find: Callable[[], Sequence[Device]],
        sdks: Sequence[Sdk],
        on_bus: Callable[[], Sequence[UsbCamera]],
        *,
        rigs: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._find = find
        self._sdks = tuple(sdks)
        self._on_bus = on_bus
        self._rigs_folder = rigs
        self._rigs: tuple[RigRow, ...] = ()
        self._worker: Worker | None = None
        self._outcome: Slot[Found] = Slot()
        self._found: Found | None = None
        self._bus: tuple[UsbCamera, ...] = ()
        self._looked_s = 0.0
        self._view = CamerasView()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def view(self) -> CamerasView:
        """What is shown now."""
        return self._view

    def start(self) -> None:
        """The page came to the front."""
        self._timer.start()
        self._rigs = saved_rigs(self._rigs_folder)
        self.search()

    def stop(self) -> None:
        """The page left the front."""
        self._timer.stop()

    def close(self) -> None:
        """Wait for a search that is under way."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def save_rig(self) -> Path:
        """Keep the rig that runs as a file.

        Raises:
            OSError: the folder cannot be written to.
        """
        path = save_rig(self._studio, self._rigs_folder)
        self._rigs = saved_rigs(self._rigs_folder)
        self.tick()
        return path

    def search(self) -> None:
        """Look for cameras and libraries again."""
        if self._worker is not None:
            return
        self._bus = tuple(self._on_bus())
        self._looked_s = time.monotonic()
        self._outcome = outcome = Slot[Found]()

        def work(_stop: threading.Event) -> None:
            states = tuple((sdk, sdk.state()) for sdk in self._sdks)
            outcome.put(Found(tuple(self._find()), states))

        def failed(error: Exception) -> None:
            outcome.put(Found(problem=tr("The search failed: {error}").format(error=error)))

        self._worker = Worker("find cameras", work, failed=failed)
        self._worker.start()
        self.tick()

    def tick(self) -> None:
        """Look at the search and at the rig; called by the timer."""
        found = self._outcome.latest()
        if self._worker is not None and found is not None:
            self._worker.stop()
            self._worker = None
            self._found = found
        elif self._worker is None and time.monotonic() - self._looked_s >= BUS_EVERY_S:
            self._looked_s = time.monotonic()
            if tuple(self._on_bus()) != self._bus:
                self.search()
                return
        view = self._look()
        if view != self._view:
            self._view = view
            self.changed.emit(view)

    def _look(self) -> CamerasView:
        pipeline = self._studio.pipeline
        lines = [] if pipeline is None else list(pipeline.lines.values())
        found = self._found or Found()
        running = {line.info.serial for line in lines if line.info.live}
        phases = {} if pipeline is None else pipeline.moments.phases()
        loads = usb_loads(self._bus, [line.info for line in lines if line.info.live])
        return CamerasView(
            running=tuple(running_row(line, time.monotonic_ns(), phases.get(line.info.id)) for line in lines),
            devices=tuple(device_row(device, running) for device in found.devices),
            sdks=tuple(
                SdkRow(from_below(sdk.title), from_below(state.text), state.fix) for sdk, state in found.sdks
            ),
            links=tuple(link_row(load) for load in loads),
            rigs=self._rigs,
            searched=self._found is not None,
            searching=self._worker is not None,
            problem=found.problem,
            **self._places(len(lines)),
        )

    def _places(self, cameras: int) -> dict[str, str]:
        pipeline = self._studio.pipeline
        places = None if pipeline is None else pipeline.rig.latest()
        if places is None or cameras < 2:
            return {}
        warned = places.old or places.trouble
        return {"places": places.words, "places_tone": "warning" if warned else ""}


def cameras_of_this_computer(studio: Studio) -> CamerasModel:
    """The state of the Cameras page, as the window shows it."""
    return CamerasModel(studio, devices, SDKS, usb_cameras, rigs=paths.rigs_folder())


def running_row(line: CameraLine, now_ns: int, phase: Phase | None = None) -> RunningRow:
    """What a camera of the rig does, in words.

    Args:
        line: the camera.
        now_ns: this moment.
        phase: its exposures against those of the camera that gives the beat; None where that is not known.
    """
    info, frame, state = line.info, line.channel.newest.latest(), line.state.latest()
    silent_s = None if frame is None else (now_ns - frame.captured_ns) / 1e9
    note = camera_note(state, silent_s, old_s=old_after_s(info))
    streaming = state is not None and state.status is CameraStatus.STREAMING
    facts = [
        from_below(info.sensor),
        tr("{measured:.0f} of {asked:.0f} fps").format(
            measured=line.channel.meter.read(now_ns).rate_hz, asked=info.rate_hz
        )
        if streaming
        else "",
        tr("{frames} lost on the way").format(
            frames=tr_many("{count:,} frame", "{count:,} frames", line.channel.device_gaps)
        )
        if line.channel.device_gaps
        else "",
        clock_words(line.channel.clock.state) if frame is not None else "",
        sync_words(role_of(line.camera), phase),
    ]
    return RunningRow(
        info.id,
        from_below(info.name),
        joined(", ", filter(None, facts)),
        note.text if note else "",
        note.hint if note else "",
    )


def sync_words(role: SyncRole, phase: Phase | None) -> str:
    """What a camera does on a sync cable, and what that achieves by the times of its frames."""
    if role is SyncRole.FREE:
        return ""
    words = tr(ON_CABLE[role])
    if role is SyncRole.PRIMARY or phase is None:
        return words
    if phase.in_step is None:
        return tr("{words}, being measured").format(words=words)
    apart = tr("{offset_ms:.1f} ms apart").format(offset_ms=abs(phase.offset_ms))
    if phase.in_step:
        return tr("{words}, in step: {apart}").format(words=words, apart=apart)
    return tr("{words}, NOT in step: {apart}, drifting {drift_ppm:.0f} ppm").format(
        words=words, apart=apart, drift_ppm=abs(phase.drift_ppm or 0.0)
    )


def link_row(load: LinkLoad) -> LinkRow:
    """A USB link in words."""
    speed = f"{load.mbps / 1000:g} Gbit/s" if load.mbps >= 1000 else f"{load.mbps:g} Mbit/s"
    place = joined(", ", filter(None, (load.name, load.controller)))
    title = (
        tr("Bus {name}").format(name=place) if load.is_bus else tr("USB port {name}").format(name=load.name)
    )
    facts = joined(", ", (speed, from_below(load.words)))
    problem = "" if load.fits else tr("The cameras ask for more than it carries.")
    return LinkRow(title, facts, problem, "" if load.fits else from_below(load.remedy))


def clock_words(state: ClockState) -> str:
    """Where a camera's times come from, and how good they are."""
    if state.wrong_by_s:
        return tr("its clock is wrong by {wrong_by_s:.0f} s, so the time of arrival counts").format(
            wrong_by_s=abs(state.wrong_by_s)
        )
    words = [CLOCKS[state.clock]]
    if state.quality is not None:
        words.append(
            tr("good to {residual_ms:.1f} ms").format(residual_ms=max(state.quality.residual_ms, BEST_MS))
        )
        if (drift_ppm := state.quality.drift_ppm) is not None:
            slow = tr("clock {drift_ppm:.0f} ppm slow")
            words.append(
                (slow if drift_ppm < 0 else tr("clock {drift_ppm:.0f} ppm fast")).format(
                    drift_ppm=abs(drift_ppm)
                )
            )
    return joined(", ", words)


def device_row(device: Device, running: set[str]) -> DeviceRow:
    """A camera that is plugged in, in words."""
    facts = (
        tr("serial {serial}").format(serial=device.serial) if device.serial else "",
        tr("firmware {firmware}").format(firmware=device.firmware) if device.firmware else "",
        device.link,
        tr("port {name}").format(name=port_in(device.port) or device.port) if device.port else "",
    )
    return DeviceRow(
        source=device.source,
        title=from_below(f"{device.vendor} {device.model}".strip()),
        facts=capitalised(joined(", ", filter(None, facts))),
        running=bool(device.serial) and device.serial in running,
        problem=from_below(device.problem),
        hint=from_below(device.hint),
    )
