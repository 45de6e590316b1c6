"""devices: what can deliver frames on this machine."""

from argparse import ArgumentParser, Namespace

from app.console import Console
from app.verbs.verb import Verb
from drivers.registry import DEMO, SDKS, open_source


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
    console.say("note", "Real cameras: this version drives none yet. Their libraries on this machine:")
    for sdk in SDKS:
        console.say(
            "sdk",
            f"  {sdk.title}: {'installed' if sdk.installed else f'not installed ({sdk.install})'}",
            title=sdk.title,
            installed=sdk.installed,
            install=sdk.install,
        )
    return 0


DEVICES = Verb("devices", "list cameras and camera libraries", _add_arguments, _run)
