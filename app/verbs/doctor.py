"""doctor: looks at everything that DepthMend needs and says what is broken."""

import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app import app_version, installed_version, paths, settings
from app.console import Console
from app.messages import expected, message
from app.recording.room import is_low
from app.settings import SettingsError
from app.verbs.verb import Verb
from drivers.registry import SDKS, devices, loads
from drivers.sdk import SdkStatus
from drivers.usb import usb_cameras
from model.spec import AUTO, DEMO, find, resolved

GIGA = 1_000_000_000
PROBE_TIMEOUT_S = 60.0
LIBRARIES = ("numpy", "opencv-python-headless", "PySide6-Essentials", "vispy", "mcap", "torch")

# Qt ends the process where its platform plugin does not load, so it is asked in a child.
_QT_PROBE = """
import json
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
app = QGuiApplication([])
found = {"platform": app.platformName(), "opengl": ""}
context = QOpenGLContext()
surface = QOffscreenSurface()
surface.create()
if context.create() and context.makeCurrent(surface):
    functions = context.functions()
    found["opengl"] = f"{functions.glGetString(0x1F02)}, {functions.glGetString(0x1F01)}"
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Finding:
    """What doctor says of one thing.

    Attributes:
        subject: what was looked at.
        text: what was found.
        hint: what to do; empty where nothing is broken.
    """

    subject: str
    text: str
    hint: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing is broken."""
        return not self.hint


def _add_arguments(parser: ArgumentParser) -> None:
    del parser  # it has none


def _run(args: Namespace, console: Console) -> int:
    del args
    broken = 0
    for examine in EXAMINATIONS:
        for finding in examine():
            broken += not finding.well
            mark = "ok    " if finding.well else "BROKEN"
            text = f"{mark}  {finding.subject}: {finding.text}"
            console.say(
                "finding",
                text if finding.well else f"{text} {finding.hint}",
                subject=finding.subject,
                well=finding.well,
                text=finding.text,
                hint=finding.hint,
            )
    if broken:
        what = "One thing is" if broken == 1 else f"{broken} things are"
        sys.stderr.write(f"{what} broken; the lines marked BROKEN say what to do.\n")
    return 1 if broken else 0


def _program() -> Iterator[Finding]:
    yield Finding("DepthMend", app_version())
    yield Finding("Python", f"{platform.python_version()} on {platform.platform()}")


def _libraries() -> Iterator[Finding]:
    for name in LIBRARIES:
        version = installed_version(name)
        if version is None:
            yield Finding(name, "missing.", "Run `make run` once, which installs it.")
        elif name == "PySide6-Essentials" and version == "6.12.0" and sys.version_info < (3, 12):
            yield Finding(
                name,
                "6.12.0 ends the program after seconds on this Python.",
                "Install PySide6-Essentials 6.11.3.",
            )
        else:
            yield Finding(name, version)
    if installed_version("opencv-python") is not None:
        yield Finding(
            "opencv-python",
            "installed beside opencv-python-headless; it brings another Qt.",
            "Uninstall both, then install opencv-python-headless.",
        )


def _window() -> Iterator[Finding]:
    if not has_display():
        yield Finding("Window", "no display here; verbs work, the window needs a desktop or xvfb-run")
        return
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _QT_PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Finding("Window", "Qt does not answer.", "Log in again, or restart the desktop.")
        return
    if probe.returncode != 0:
        last = (probe.stderr.strip().splitlines() or ["it says nothing"])[0]
        yield Finding(
            "Window", f"Qt does not start: {last}.", "Run `make run`, which installs the libraries it lacks."
        )
        return
    found = json.loads(probe.stdout.strip().splitlines()[-1])
    yield Finding("Qt platform", found["platform"])
    yield Finding("OpenGL", found["opengl"] or "none; the window works, its 3D view does not")


def _compute() -> Iterator[Finding]:
    if importlib.util.find_spec("torch") is None:
        return  # already named among the libraries
    import torch

    yield Finding("Processor", f"{os.cpu_count()} cores, torch uses {torch.get_num_threads()} threads")
    if not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        yield Finding("CUDA", f"no device; this torch is {built}")
        return
    for n in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(n)
        yield Finding("CUDA", f"{properties.name}, {properties.total_memory / GIGA:.0f} GB")


def _cameras() -> Iterator[Finding]:
    """A library that is not there is no fault; one that is there and cannot be used is."""
    for sdk in SDKS:
        state = sdk.state()
        wrong = state.status not in {SdkStatus.READY, SdkStatus.MISSING}
        missing = f" To use such cameras, run: {state.fix}" if state.status is SdkStatus.MISSING else ""
        yield Finding(sdk.title, f"{state.text}{missing}", f"Run: {state.fix}" if wrong else "")
    for device in devices():
        subject = f"{device.vendor} {device.model}".strip()
        facts = ", ".join(filter(None, (device.serial, device.link)))
        if device.usable:
            yield Finding(subject, f"{facts} {device.problem}".strip())
        else:
            yield Finding(subject, f"{facts}: {device.problem}", device.hint)
    for load in loads(usb_cameras()):
        subject = f"USB {load.controller} {load.name}" if load.is_bus else f"USB port {load.name}"
        yield Finding(subject, f"{load.words}.", "" if load.fits else load.remedy)


def _settings() -> Iterator[Finding]:
    path = paths.settings_file()
    try:
        settings.load()
    except SettingsError as error:
        yield Finding("Settings", message(error).sentence, error.hint)
        return
    yield Finding("Settings", str(path) if path.exists() else f"the defaults; there is no {path}")


def _folders() -> Iterator[Finding]:
    for subject, folder in (
        ("Data folder", paths.data_folder()),
        ("Log folder", paths.log_folder()),
        ("Settings folder", paths.settings_file().parent),
    ):
        there = paths.existing(folder)
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            yield Finding(
                subject, f"{folder} cannot be written: {error.strerror}.", "Change its permissions."
            )
            continue
        yield Finding(subject, str(folder))
    try:
        sessions = settings.load().sessions_folder
    except SettingsError:
        sessions = paths.sessions_folder()
    free = paths.free_bytes(sessions)
    if free is None:
        yield Finding(
            "Disk", f"{sessions} is on no disk", "Choose another folder (Settings, Sessions folder)."
        )
        return
    yield Finding(
        "Disk",
        f"{free / GIGA:.1f} GB free for recordings",
        "Make room, or record to another disk (Settings, Sessions folder)." if is_low(free, None) else "",
    )


def _weights() -> Iterator[Finding]:
    try:
        name = settings.load().model
    except SettingsError:
        name = AUTO.name
    for spec in {find(DEMO.name), find(resolved(name))}:
        if spec.weights is None:
            yield Finding("Model", f"{spec.title}; needs no weights")
            continue
        try:
            from model import checkpoint

            checkpoint.load(spec.weights)
        except expected() as error:
            words = message(error)
            yield Finding(f"Weights of {spec.title}", words.sentence, words.hint)
            continue
        yield Finding(
            f"Weights of {spec.title}", f"{spec.weights}, SHA-256 {checkpoint.sha256(spec.weights)}"
        )


EXAMINATIONS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _program,
    _libraries,
    _window,
    _compute,
    _cameras,
    _settings,
    _folders,
    _weights,
)


def has_display() -> bool:
    """Whether a window can be shown: always, but on a Linux without X server, Wayland or chosen platform."""
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform != "linux" or any(os.environ.get(name) for name in variables)


DOCTOR = Verb("doctor", "look for what is broken", _add_arguments, _run)
