"""devices: what can deliver frames on this machine."""

import dataclasses
import math
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from app.console import Console
from app.verbs.verb import Verb
from drivers.devices import Device
from drivers.registry import DEMO, SDKS, devices, loads, open_source
from drivers.usb import LinkLoad, usb_cameras


def _add_arguments(parser: ArgumentParser) -> None:
    del parser  # it has none


def _run(args: Namespace, console: Console) -> int:
    del args
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
    console.say("note", "Libraries of the vendors (for files of theirs as well):")
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
