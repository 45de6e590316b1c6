"""Cameras of every kind with faults at the edge of their vendor's library, and what a rig makes of them."""

import sys
import threading
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import cv2
import numpy as np

from app.compose import Studio, wait_for_frames
from app.flow import capture
from app.flow.capture import CameraStatus
from app.viewmodels.cameras import CLOCKS
from app.viewmodels.live import camera_note, old_after_s
from drivers.cameras import orbbec, realsense, zed
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.cameras.uvc import UvcCamera
from drivers.errors import CameraBusy, CameraNotFound
from drivers.session.labels import SessionLabels
from drivers.session.reader import Session
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice

HERE = Path(__file__).resolve()
SHARED = HERE.parents[3] / "shared"
sys.path.insert(0, str(HERE.parents[1] / "drivers/cameras"))
sys.path.insert(0, str(HERE.parents[1] / "drivers"))

RATE_HZ = 30
HEALTHY = "healthy"
AT_START = ("absent at start", "busy", "bad profile")
WHILE_STREAMING = ("unplug", "unplug while recording", "stall", "wrong clock", "library raises")
FAULTS = (*WHILE_STREAMING, *AT_START)
HOUR_S = 3600.0


class Proxy:
    """Everything of another object, but for what is given here."""

    def __init__(self, real, **other):
        self.__dict__.update(other)
        self._real = real

    def __getattr__(self, name):
        return getattr(self._real, name)


class Bench:
    """One camera; `inflict` breaks it and `heal` mends it, from any thread.

    Attributes:
        fault: the present one, or empty.
        cannot: faults that this kind of camera cannot have here, and why.
    """

    cannot: Mapping[str, str] = MappingProxyType({})

    def __init__(self):
        self.fault = ""

    def inflict(self, fault):
        self.fault = "unplug" if fault in {"unplug while recording", "absent at start"} else fault

    def heal(self):
        self.fault = ""

    def close(self):
        pass


class Simulated(Bench):
    cannot = MappingProxyType({"bad profile": "it takes every size", "library raises": "it has none"})

    def __init__(self, _folder):
        super().__init__()
        self.camera = SyntheticCamera(
            "simulated", SensorKind.ACTIVE_STEREO, width=32, height=24, rate_hz=RATE_HZ, seed=5
        )

    def inflict(self, fault):
        super().inflict(fault)
        self.camera.faults = {
            "unplug": Faults(lose_from=0),
            "stall": Faults(stall_from=0),
            "busy": Faults(busy=True),
            "wrong clock": Faults(clock_ppm=-300.0),
        }[self.fault]

    def heal(self):
        super().heal()
        self.camera.faults = Faults()


class RealSense(Bench):
    """The real SDK with a software device that a thread feeds."""

    def __init__(self, _folder):
        super().__init__()
        from software_realsense import SoftwareRealSense

        self.software = SoftwareRealSense("FM0001")
        self.camera = realsense.RealSenseCamera(self._find)
        rs = self.camera._rs
        self.camera._rs = Proxy(rs, pipeline=lambda: Proxy(pipe := rs.pipeline(), start=self._starter(pipe)))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="software device", daemon=True)
        self._thread.start()

    def inflict(self, fault):
        super().inflict(fault)
        if fault == "library raises":
            self.camera._queue = SimpleNamespace(try_wait_for_frame=self._raise)

    def heal(self):
        if self.fault == "unplug":
            self.software.number = 0  # it counts anew
        super().heal()

    def close(self):
        self._stop.set()
        self._thread.join(5)

    def _find(self):
        if self.fault == "unplug":
            raise CameraNotFound("There is no RealSense camera FM0001")
        return self.software.device

    def _starter(self, pipe):
        def start(*args):
            if self.fault == "busy":
                raise RuntimeError("failed to set power state")
            if self.fault == "bad profile":
                raise RuntimeError("Couldn't resolve requests")
            if self.fault == "library raises":
                self._raise(0)
            return pipe.start(*args)

        return start

    def _raise(self, _timeout_ms):
        raise TypeError("an object of the library is half gone")

    def _feed(self):
        while not self._stop.wait(1 / RATE_HZ):
            if self.fault in {"unplug", "stall"} or self.camera._pipeline is None:
                continue
            off_s = HOUR_S if self.fault == "wrong clock" else -0.004
            self.software.push(domain="global_time", at_ms=(time.time_ns() / 1e9 + off_s) * 1e3)


class Orbbec(Bench):
    """The real SDK with a recording that is taken for a live camera."""

    FRAMES = 900

    def __init__(self, folder):
        super().__init__()
        from orbbec_bag import write

        path = folder / "live.bag"
        if not path.exists():
            write(path, frames=self.FRAMES)
        self._path = path
        self._real_context = orbbec._context
        orbbec._context = lambda: SimpleNamespace(query_devices=lambda: _Listed(self))
        self.camera = orbbec.OrbbecCamera(self._find, live=True)
        ob = self.camera._ob
        self.camera._ob = Proxy(ob, Pipeline=lambda device: self._pipeline(ob.Pipeline(device)))
        self.camera._pipeline = self._pipeline(self.camera._pipeline)

    def close(self):
        orbbec._context = self._real_context

    def _find(self):
        if self.fault == "unplug":
            raise CameraNotFound("There is no Orbbec camera CP0001")
        return orbbec._loaded(self._path)

    def _pipeline(self, real):
        return Proxy(real, start=partial(self._start, real), wait_for_frames=partial(self._wait, real))

    def _start(self, real, config):
        if self.fault == "busy":
            raise self.camera._ob.OBError("Device or resource busy")
        if self.fault == "bad profile":
            raise self.camera._ob.OBError("No matched profile")
        real.start(config)

    def _wait(self, real, timeout_ms):
        frames = real.wait_for_frames(timeout_ms)
        if self.fault == "library raises":
            raise TypeError("an object of the library is half gone")
        if self.fault in {"unplug", "stall"}:
            return None
        if frames is None:
            return None
        off_s = HOUR_S if self.fault == "wrong clock" else -0.008  # the file's own time is years ago
        get = frames.get_frame
        return Proxy(frames, get_frame=lambda kind: _stamped(get(kind), off_s))


class _Listed:
    """A list of devices as the SDK gives it."""

    def __init__(self, bench):
        self._serials = [] if bench.fault == "unplug" else ["CP0001"]

    def __len__(self):
        return len(self._serials)

    def get_device_serial_number_by_index(self, number):
        return self._serials[number]


def _stamped(frame, off_s):
    if frame is None:
        return None
    at_us = time.time_ns() // 1000 + round(off_s * 1e6)
    return Proxy(frame, get_global_timestamp_us=lambda: at_us)


class Zed(Bench):
    """The driver on a stand-in that knows the public names of the SDK, whose `grab` may hang."""

    def __init__(self, _folder):
        super().__init__()
        sys.path.insert(0, str(SHARED / "sdk/scripts"))
        import apispec
        import test_zed

        sl = apispec.fake_module(apispec.load(SHARED / "sdk/api_zed.json"), "pyzed.sl")
        self._require = zed.SDK.__class__.require
        zed.SDK.__class__.require = lambda sdk: sl if sdk is zed.SDK else self._require(sdk)
        self._bench = test_zed.Bench(sl)
        sl.behave("Camera.open", lambda *_: self._opened())
        sl.behave("Camera.grab", lambda *_: self._grab())
        sl.behave("Camera.reboot", lambda *_: sl.ERROR_CODE.SUCCESS)
        sl.behave("Camera.get_timestamp", lambda *_: SimpleNamespace(get_nanoseconds=self._time_ns))
        self._code = sl.ERROR_CODE
        self._bench.number = 0
        self.camera = zed.ZedCamera(serial="123")

    def close(self):
        zed.SDK.__class__.require = self._require

    def _opened(self):
        return {
            "unplug": self._code.CAMERA_NOT_DETECTED,
            "busy": self._code.CANNOT_START_CAMERA_STREAM,
            "bad profile": self._code.INVALID_RESOLUTION,
        }.get(self.fault, self._code.SUCCESS)

    def _grab(self):
        time.sleep(1 / RATE_HZ)
        deadline_s = time.monotonic() + 30
        while self.fault == "stall" and time.monotonic() < deadline_s:
            time.sleep(0.01)
        if self.fault == "library raises":
            raise TypeError("an object of the library is half gone")
        self._bench.number = (self._bench.number + 1) % 200
        return self._code.CAMERA_NOT_DETECTED if self.fault == "unplug" else self._code.SUCCESS

    def _time_ns(self):
        self._bench.told_ns = time.time_ns() + int(HOUR_S * 1e9 if self.fault == "wrong clock" else 0)
        return self._bench.told_ns  # its inertial readings are stamped by it


class Uvc(Bench):
    """The colour camera on a capture of ours."""

    def __init__(self, _folder):
        super().__init__()
        from fake_v4l2 import FakeControls

        self.camera = UvcCamera(
            "/dev/video7", open_node=self._open, wait=self._wait, kernel=FakeControls().kernel
        )

    def _open(self, node):
        if self.fault == "unplug":
            raise CameraNotFound(f"There is no {node}")
        if self.fault == "busy":
            raise CameraBusy(f"{node} does not open")
        return SimpleNamespace(read=self._read, get=self._get, release=lambda: None)

    def _wait(self, _capture, timeout_s):
        time.sleep(1 / RATE_HZ if self.fault != "stall" else timeout_s)
        return self.fault != "stall"

    def _read(self):
        if self.fault == "unplug":
            return False, None
        if self.fault == "library raises":
            raise TypeError("an object of the library is half gone")
        shape = (24, 32) if self.fault == "bad profile" else (24, 32, 3)
        return True, np.zeros(shape, np.uint8)

    def _get(self, what):
        assert what == cv2.CAP_PROP_POS_MSEC
        off_s = HOUR_S if self.fault == "wrong clock" else 0.0
        return (time.monotonic() + off_s) * 1e3


def benches():
    """Those that can run here, by name; and why the others cannot."""
    found = {"simulated": Simulated, "UVC": Uvc}
    missing = {}
    for name, kind, sdk in (("RealSense", RealSense, realsense.SDK), ("Orbbec", Orbbec, orbbec.SDK)):
        if (state := sdk.state()).ready:
            found[name] = kind
        else:
            missing[name] = state.text
    if (SHARED / "sdk/api_zed.json").is_file():
        found["ZED"] = Zed
    else:
        missing["ZED"] = "the names of its SDK are not here"
    return found, missing


@dataclass(frozen=True)
class Cell:
    """What one fault of one camera came to.

    Attributes:
        seen: what the operator read while it lasted.
        noticed_s: from the fault until he could read it.
        recovered_s: from its end until live pictures; 0 where they never stopped.
        lost: frames that the device's counter or clock says are missing.
        healthy_hz: of the camera beside it, meanwhile.
    """

    seen: str
    noticed_s: float
    recovered_s: float
    lost: int
    healthy_hz: float


@contextmanager
def hurry():
    """What takes seconds on a rig takes tenths, so that hundreds of faults fit into a minute."""
    before = [(where, name, getattr(where, name)) for where, name, _ in HASTE]
    for where, name, value in HASTE:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in before:
            setattr(where, name, value)


HASTE = (
    (capture, "RETRY_S", 0.05),
    (capture, "RETRY_MOST_S", 0.2),
    (capture, "SILENCE_S", 0.4),
    (capture, "REOPEN_S", 1.0),
    (realsense, "_SILENT_S", 0.3),
    (orbbec, "_SILENT_S", 0.3),
)


def words_of(line):
    """What the screen says of a camera; empty while its pictures are live."""
    state, frame = line.state.latest(), line.channel.newest.latest()
    silent_s = None if frame is None else (time.monotonic_ns() - frame.captured_ns) / 1e9
    note = camera_note(state, silent_s, old_s=old_after_s(line.info))
    if note is not None:
        return f"{note.text}. {note.hint}".strip()
    clock = line.channel.clock.state
    return f"clock wrong by {abs(clock.wrong_by_s):.0f} s, arrival counts" if clock.wrong_by_s else ""


def has_trouble(line):
    """Whether there is more to read than that it is starting."""
    state = line.state.latest()
    calm = state is None or state.status in {CameraStatus.STARTING, CameraStatus.OPEN}
    return bool(words_of(line)) and not calm


def wait_until(condition, timeout_s, what):
    """Seconds until the condition was met."""
    began_s = time.monotonic()
    while not condition():
        assert time.monotonic() - began_s < timeout_s, f"{what}: not within {timeout_s:g} s"
        time.sleep(0.01)
    return time.monotonic() - began_s


def healthy_camera():
    return SyntheticCamera(HEALTHY, SensorKind.TIME_OF_FLIGHT, width=32, height=24, rate_hz=RATE_HZ, seed=9)


def live(line):
    state = line.state.latest()
    return state is not None and state.status is CameraStatus.STREAMING and not words_of(line)


def run_cell(bench, fault, folder, *, hold_s=1.0, patience_s=20.0):
    """Break one camera of a rig of two in one way, mend it, and tell what happened."""
    studio = Studio(EngineChoice(model="off"))
    cameras = [bench.camera, healthy_camera()]
    silent_fault = fault == "wrong clock" and isinstance(bench, (Simulated, Uvc))
    try:
        if fault in AT_START:
            bench.inflict(fault)
        pipeline = studio.open(cameras)
        line, other = pipeline.lines[bench.camera.info.id], pipeline.lines[HEALTHY]
        if fault in WHILE_STREAMING:
            assert wait_for_frames(pipeline, timeout_s=patience_s), "no frames"
            wait_until(lambda: live(line), patience_s, "live pictures")
        else:
            wait_until(lambda: live(other), patience_s, "pictures of the healthy camera")
        recorder = studio.record(folder, SessionLabels()) if "recording" in fault else None
        if recorder is not None:
            wait_until(lambda: recorder.status().cameras[line.info.id].written > 5, patience_s, "recording")
        gaps, count, began_s = line.channel.device_gaps, other.channel.meter.total, time.monotonic()
        if fault in WHILE_STREAMING:
            bench.inflict(fault)
        noticed_s = 0.0 if silent_fault else wait_until(lambda: has_trouble(line), patience_s, "a word of it")
        time.sleep(hold_s)
        seen = words_of(line) or f"live, {CLOCKS[line.channel.clock.state.clock]}"
        bench.heal()
        recovered_s = wait_until(lambda: live(line), patience_s, "live pictures again")
        healthy_hz = (other.channel.meter.total - count) / (time.monotonic() - began_s)
        time.sleep(0.2)
        lost = line.channel.device_gaps - gaps
        if recorder is not None:
            _check_session(studio.stop_recording(), recorder, line.info.id)
        return Cell(seen, noticed_s, recovered_s, lost, healthy_hz)
    finally:
        bench.heal()
        studio.close()


def _check_session(path, recorder, camera_id):
    """The recording accounts for every frame."""
    session, counts = Session(path), recorder.status().cameras[camera_id]
    assert session.count(camera_id) == counts.written
    numbers = [session.meta(camera_id, n).frame_number for n in range(session.count(camera_id))]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] + 1 == len(numbers) + counts.device_gap + counts.dropped + counts.failed
