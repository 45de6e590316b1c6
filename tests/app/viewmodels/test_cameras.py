"""What the Cameras page knows: what is plugged in, what runs, which libraries are there."""

import threading
import time
from dataclasses import replace

import pytest

from app.compose import CameraLine, Studio
from app.flow.capture import CameraState, CameraStatus
from app.flow.clocks import ClockState
from app.flow.phase import Phase
from app.viewmodels.cameras import CamerasModel, clock_words, running_row, sync_words
from app.viewmodels.rigs import save_rig
from drivers.camera import SyncRole
from drivers.cameras.synthetic import SyntheticCamera
from drivers.clock import Clock, ClockQuality
from drivers.devices import Device
from drivers.errors import CameraLost
from drivers.registry import open_source
from drivers.rig import read_rig
from drivers.sdk import Sdk
from drivers.synth.sensor import SensorKind
from drivers.usb import UsbCamera
from model.spec import EngineChoice

MISSING = Sdk("acme", "Acme", "no_such_module_acme", ("no-such-acme",), (1,), "pip install acme")
GOOD = Device("acme:SIM00007", "Acme", "A1", "SIM00007", "1.2", "USB 3.2", "2-1")
BAD = Device("", "Acme", "A2", problem="This user may not open it.", hint="Install the udev rules.")


class Bench:
    """A computer with cameras that a test plugs in."""

    def __init__(self):
        self.devices = [GOOD, BAD]
        self.bus = []
        self.searches = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def find(self):
        self.searches += 1
        assert self.go_on.wait(10)
        if isinstance(self.devices, Exception):
            raise self.devices
        return list(self.devices)


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def model(qtbot, bench, tmp_path):
    studio = Studio(EngineChoice(model="off"))
    made = CamerasModel(studio, bench.find, (MISSING,), lambda: list(bench.bus), rigs=tmp_path / "rigs")
    yield made
    made.close()
    studio.close()


def searched(qtbot, model):
    qtbot.waitUntil(lambda: model.view.searched and not model.view.searching)
    return model.view


def camera(seed=7):
    return SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=16, height=12, seed=seed)


def test_found_cameras_are_described(qtbot, model):
    model.start()

    good, bad = searched(qtbot, model).devices

    assert good.title == "Acme A1"
    assert good.facts == "Serial SIM00007, firmware 1.2, USB 3.2, port 2-1"
    assert (bad.source, bad.problem, bad.hint) == ("", BAD.problem, BAD.hint)


def test_a_port_is_said_as_the_system_numbers_it_however_a_library_writes_it(qtbot, model, bench):
    bench.devices = [
        replace(GOOD, port="/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/video4linux/video0")
    ]
    model.start()

    [row] = searched(qtbot, model).devices

    assert row.facts.endswith(", USB 3.2, port 2-1")


def test_a_missing_library_comes_with_its_command(qtbot, model):
    model.start()

    (row,) = searched(qtbot, model).sdks

    assert (row.title, row.text, row.fix) == ("Acme", "Not installed.", "pip install acme")


def test_the_window_does_not_wait_for_the_search(qtbot, model, bench):
    bench.go_on.clear()
    model.start()

    assert model.view.searching
    assert not model.view.searched
    bench.go_on.set()
    searched(qtbot, model)


def test_a_camera_that_is_plugged_in_is_found_by_itself(qtbot, model, bench, monkeypatch):
    monkeypatch.setattr("app.viewmodels.cameras.BUS_EVERY_S", 0.0)
    model.start()
    searched(qtbot, model)
    count = bench.searches
    model.tick()
    assert bench.searches == count

    bench.devices = [GOOD]
    bench.bus = [UsbCamera("acme", "A1", "7", 5000, "2-1", openable=True)]

    qtbot.waitUntil(lambda: len(model.view.devices) == 1)


def test_a_search_that_fails_is_said(qtbot, model, bench):
    bench.devices = OSError("no bus")
    model.start()

    assert "no bus" in searched(qtbot, model).problem


def test_cameras_of_the_rig_are_marked(qtbot, model):
    model._studio.open([camera()])
    model.start()
    qtbot.waitUntil(lambda: model.view.searched and bool(model.view.running))

    assert [device.running for device in model.view.devices] == [True, False]
    assert model.view.running[0].title == "Simulated active stereo"


def line_with(status, *, error=None, clock=Clock.DEVICE):
    source = camera()
    line = CameraLine(source)
    line.state.put(CameraState(status, error))
    for index in (3, 9):
        line.channel.deliver(replace(source.expose(index), captured_ns=time.monotonic_ns(), clock=clock))
    return line


def test_losses_and_clock_of_a_running_camera_are_told():
    row = running_row(line_with(CameraStatus.STREAMING), 0)

    assert "active stereo" in row.facts
    assert "5 frames lost" in row.facts
    assert "time of the exposure" in row.facts
    assert row.note == ""


def test_a_clock_that_is_late_is_told():
    assert "arrival" in running_row(line_with(CameraStatus.STREAMING, clock=Clock.ARRIVAL), 0).facts


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ClockState(Clock.DEVICE), "time of the exposure"),
        (ClockState(Clock.STAMP), "the device's stamp, its place in the exposure not known"),
        (
            ClockState(Clock.DEVICE, ClockQuality(-41.2, 0.34, 20.0)),
            "time of the exposure, good to 0.3 ms, clock 41 ppm slow",
        ),
        (
            ClockState(Clock.DEVICE, ClockQuality(3.0, 0.02, 20.0)),
            "time of the exposure, good to 0.1 ms, clock 3 ppm fast",
        ),
        (
            ClockState(Clock.ARRIVAL, wrong_by_s=-3600.0, corrected=9),
            "its clock is wrong by 3600 s, so the time of arrival counts",
        ),
    ],
)
def test_the_quality_of_a_clock_is_told_in_words(state, words):
    assert clock_words(state) == words


def test_the_reason_of_a_lost_camera_is_told():
    error = CameraLost("It was unplugged", hint="Plug it in.")
    row = running_row(line_with(CameraStatus.LOST, error=error), 0)

    assert "unplugged" in row.note
    assert row.hint == "Plug it in."


@pytest.mark.parametrize(
    ("role", "phase", "told"),
    [
        (SyncRole.FREE, Phase(0.1, 0.1, 0.0), ""),
        (SyncRole.PRIMARY, None, "primary on the sync cable"),
        (SyncRole.SECONDARY, Phase(0.1, 0.1, None), "secondary on the sync cable, being measured"),
        (SyncRole.SECONDARY, Phase(-0.24, 0.1, 0.5), "secondary on the sync cable, in step: 0.2 ms apart"),
        (
            SyncRole.SECONDARY,
            Phase(11.0, 0.1, -22.0),
            "secondary on the sync cable, NOT in step: 11.0 ms apart, drifting 22 ppm",
        ),
    ],
)
def test_what_a_sync_cable_achieves_is_told(role, phase, told):
    assert sync_words(role, phase) == told


def test_a_saved_rig_opens_as_what_ran(tmp_path, qtbot):
    studio = Studio(EngineChoice(model="off"))
    try:
        pipeline = studio.open(open_source("demo"))
        pipeline.lines["time_of_flight"].desk.ask({"color.gain": 2.5})
        qtbot.waitUntil(lambda: bool(pipeline.lines["time_of_flight"].desk.wanted.values), timeout=20_000)
        rig = read_rig(save_rig(studio, tmp_path))
    finally:
        studio.close()

    assert [camera.source for camera in rig.camera] == [
        "demo:stereo_active",
        "demo:time_of_flight",
        "demo:stereo_passive",
    ]
    assert (rig.camera[0].width, rig.camera[0].height, rig.camera[0].rate_hz) == (640, 480, 30)
    assert rig.camera[1].controls == {"color.gain": 2.5}
    assert rig.name.startswith("3 cameras")
