"""devices: what can deliver frames on this machine."""

import dataclasses
import math
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from app.compose import CameraLine, Pipeline, wait_for_frames
from app.console import Console
from app.flow.order import role_of
from app.flow.phase import Phase
from app.verbs.verb import Verb, chosen_settings, positive
from drivers.devices import Device
from drivers.registry import DEMO, SDKS, devices, loads, open_source
from drivers.usb import LinkLoad, usb_cameras
from model.spec import EngineChoice

PROGRESS_S = 0.5
FIRST_FRAMES_S = 10.0


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--measure",
        type=positive,
        metavar="SECONDS",
        help="open --source for so long, and tell rates, losses, clocks and how far apart exposures are",
    )


def _run(args: Namespace, console: Console) -> int:
    if args.measure:
        return _measure(chosen_settings(args).source, args.measure, console)
    console.say("source", "Simulated rig (--source demo):", source=DEMO)
    for camera in open_source(DEMO):
        info = camera.info
        console.say(
            "camera",
            f"  {info.id}: {info.name}, {info.sensor}, {info.rate_hz:g} frames per second",
            source=DEMO,
            id=info.id,
            name=info.name,
            sensor=info.sensor,
            rate_hz=info.rate_hz,
        )
    found = devices()
    console.say("note", "Cameras that are plugged in:" if found else "No depth camera is plugged in.")
    for device in found:
        console.say("device", "\n".join(_lines(device)), **dataclasses.asdict(device))
    _say_links(console)
    console.say("note", "Camera libraries (for files of theirs as well):")
    for sdk in SDKS:
        state = sdk.state()
        fix = "" if state.ready else f"\n    Run: {state.fix}"
        console.say(
            "sdk",
            f"  {sdk.title}: {state.text}{fix}",
            name=sdk.name,
            title=sdk.title,
            status=state.status.value,
            version=state.version,
            text=state.text,
            fix=state.fix,
        )
    return 0


def _measure(source: str, seconds: float, console: Console) -> int:
    """Run a source and tell what its cameras do; 1 if one of them delivered nothing."""
    with Pipeline(open_source(source), EngineChoice(model="off")) as pipeline:
        wait_for_frames(pipeline, timeout_s=FIRST_FRAMES_S)
        waiting = threading.Event()
        deadline_s = time.monotonic() + seconds
        while (left_s := deadline_s - time.monotonic()) > 0:
            console.progress("measuring", done=int(seconds - left_s), total=int(seconds))
            waiting.wait(min(left_s, PROGRESS_S))
        now_ns, phases = time.monotonic_ns(), pipeline.moments.phases()
        found = [
            Measured.of(line, now_ns, phases.get(camera_id)) for camera_id, line in pipeline.lines.items()
        ]
        spread, together = pipeline.moments.spread(), pipeline.moments.together()
    for each in found:
        console.say("measured", each.words, **dataclasses.asdict(each))
    console.say(
        "moments",
        f"{together} of {len(found)} cameras in a set, {spread.median_ms:.1f} ms apart (median)",
        together=together,
        cameras=len(found),
        sets_hz=spread.rate_hz,
        spread_ms=spread.median_ms,
    )
    return 0 if all(each.rate_hz for each in found) else 1


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a camera did while it was measured.

    Attributes:
        id: of the camera.
        name: for people.
        rate_hz: frames per second at the end.
        asked_hz: that it should have.
        lost: frames that its counter skipped.
        clock: where its times come from: "host", "device", "stamp" or "arrival".
        drift_ppm: of a device's clock; None where that is not known.
        residual_ms: what the fit of the clock leaves; None likewise.
        wrong_by_s: how far its clock is from any time that could be true; 0 while all is well.
        sync: role on a sync cable.
        offset_ms: its exposures after those of the camera that gives the beat; None for that one.
        offset_drift_ppm: by which the offset changes; None before ten seconds.
        trouble: why it delivers nothing; empty while it does.
    """

    id: str
    name: str
    rate_hz: float
    asked_hz: float
    lost: int
    clock: str
    drift_ppm: float | None
    residual_ms: float | None
    wrong_by_s: float
    sync: str
    offset_ms: float | None
    offset_drift_ppm: float | None
    trouble: str

    @classmethod
    def of(cls, line: CameraLine, now_ns: int, phase: Phase | None) -> "Measured":
        """Of a camera of the rig that runs."""
        clock, state = line.channel.clock.state, line.state.latest()
        error = None if state is None else state.error
        rate_hz = line.channel.meter.read(now_ns).rate_hz
        silent = "" if rate_hz else "It sent nothing."
        return cls(
            id=line.info.id,
            name=line.info.name,
            rate_hz=rate_hz,
            asked_hz=line.info.rate_hz,
            lost=line.channel.device_gaps,
            clock=clock.clock.value,
            drift_ppm=None if clock.quality is None else clock.quality.drift_ppm,
            residual_ms=None if clock.quality is None else clock.quality.residual_ms,
            wrong_by_s=clock.wrong_by_s,
            sync=role_of(line.camera).value,
            offset_ms=None if phase is None else phase.offset_ms,
            offset_drift_ppm=None if phase is None else phase.drift_ppm,
            trouble=silent if error is None else f"{error} {error.hint}",
        )

    @property
    def words(self) -> str:
        """One line."""
        parts = [f"{self.rate_hz:.1f} of {self.asked_hz:g} frames per second", f"{self.lost} lost"]
        parts.append(f"clock: {self.clock}")
        if self.residual_ms is not None:
            parts.append(f"good to {self.residual_ms:.2f} ms")
        if self.drift_ppm is not None:
            parts.append(f"{self.drift_ppm:+.1f} ppm")
        if self.wrong_by_s:
            parts.append(f"wrong by {self.wrong_by_s:.0f} s, so arrival counts")
        if self.offset_ms is not None:
            parts.append(f"{self.sync}, {self.offset_ms:+.2f} ms from the first")
        trouble = f". {self.trouble}" if self.trouble else ""
        return f"{self.id}: {', '.join(parts)}{trouble}"


def _say_links(console: Console) -> None:
    """What the USB controllers carry, and what the cameras on them ask for."""
    found = loads(usb_cameras())
    if found:
        console.say(
            "note", "What the cameras ask of USB (colour, depth and both infrared images, 640 x 480, 30 Hz):"
        )
    for load in found:
        told = dataclasses.asdict(load) | {"fits": load.fits}
        told["carries"] = None if math.isinf(load.carries) else load.carries
        console.say("link", f"  {link_words(load)}", **told)


def link_words(load: LinkLoad) -> str:
    """One line for a bus, a hub or a cable, and what to do where it is too much."""
    what = f"{load.controller} {load.name}".strip() if load.is_bus else f"port {load.name}"
    words = f"{what} ({load.mbps:.0f} Mbit/s): {load.words}"
    return words if load.fits else f"{words}. Too much: {load.remedy}"


def _lines(device: Device) -> Iterator[str]:
    facts = [
        f"serial {device.serial}" if device.serial else "",
        f"firmware {device.firmware}" if device.firmware else "",
        device.link,
        device.port,
    ]
    yield f"  {device.vendor} {device.model}: {', '.join(filter(None, facts))}"
    if device.usable:
        yield f"    Open it with --source {device.source}"
    if device.problem:
        yield f"    {device.problem} {device.hint}"


DEVICES = Verb("devices", "list cameras and camera libraries", _add_arguments, _run)
