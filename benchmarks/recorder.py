"""How much the recorder takes, and what it keeps up with while the window is open.

    xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python benchmarks/recorder.py

First, frame sets that one core encodes in a second, by profile, against `cv2.imencode` in the same run. Then
each case in a process of its own: the window with its Record page, cameras that play sensor images rendered
in advance at 30 Hz (each one copied, as a driver does), a recording, and where every frame went. Ends with 1
if a limit is broken: PNG 2.5 times and JPEG XL 4 times the sets of OpenCV, no frame lost in the cases that
must keep up, and every counter value accounted for.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from drivers.camera import Camera, CameraBase
from drivers.cameras.synthetic import SyntheticCamera
from drivers.frame import Frame
from drivers.session.encode import JPEG_QUALITY, encode
from drivers.synth.sensor import SensorKind

PNG_FACTOR, JXL_FACTOR = 2.5, 4.0
RING = 6
RATE_HZ = 30.0
WAITING = 4
REPEATS = 9


@dataclass(frozen=True)
class Case:
    """What is recorded.

    Attributes:
        cameras: how many.
        width: of all images, as `height`.
        height: see `width`.
        infrared: whether both infrared images are recorded as well.
        compact: depth as JPEG XL.
        required: whether two quiet cores must keep up with it.
    """

    cameras: int
    width: int
    height: int
    infrared: bool
    compact: bool = False
    required: bool = False

    @property
    def name(self) -> str:
        images = " + IR" if self.infrared else ""
        return f"{self.cameras} x {self.width}x{self.height}{images}{' JXL' if self.compact else ''}"


CASES = (
    Case(1, 1280, 720, infrared=False, required=True),
    Case(1, 1280, 720, infrared=True),
    Case(2, 1280, 720, infrared=False, required=True),
    Case(2, 1280, 720, infrared=False, compact=True, required=True),
    Case(2, 1280, 720, infrared=True),
    Case(3, 640, 480, infrared=True, required=True),
    Case(3, 1280, 720, infrared=False),
    Case(3, 1280, 720, infrared=False, compact=True),
    Case(3, 1280, 720, infrared=True, compact=True),
)


class PlayedCamera(CameraBase):
    """Plays a few rendered frames for ever, at its own rate; a frame that nobody fetched in time is lost.

    As in the vendors' libraries, a few frames wait for whoever is late.
    """

    def __init__(self, number: int, case: Case) -> None:
        source = SyntheticCamera(
            f"cam{number}",
            SensorKind.ACTIVE_STEREO,
            width=case.width,
            height=case.height,
            seed=number,
            viewpoint=number,
        )
        with source:
            rendered = [source.expose(index * 5) for index in range(RING)]
        infrared = {} if case.infrared else {"ir_left": None, "ir_right": None}
        self._frames = [replace(frame, truth=None, **infrared) for frame in rendered]  # type: ignore[arg-type]
        self.info, self.calibration = source.info, rendered[0].calibration
        self._next = 0

    def open(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._next = 0

    def close(self) -> None:
        pass

    def read(self, *, timeout_s: float) -> Frame | None:  # noqa: ARG002 - never late
        period_ns = round(1e9 / RATE_HZ)
        newest = (time.monotonic_ns() - self._start_ns) // period_ns
        if newest - self._next > WAITING:
            self._next = newest
        due_ns = self._start_ns + self._next * period_ns
        time.sleep(max(due_ns - time.monotonic_ns(), 0) / 1e9)
        frame = self._frames[self._next % RING]
        copied = replace(
            frame,
            index=self._next,
            captured_ns=due_ns,
            device_ns=due_ns,
            color=frame.color.copy(),
            depth=replace(frame.depth, values=frame.depth.values.copy()),
            ir_left=None if frame.ir_left is None else frame.ir_left.copy(),
            ir_right=None if frame.ir_right is None else frame.ir_right.copy(),
        )
        self._next += 1
        return copied


def count_for_ever() -> None:
    """Python that never rests, as a window that has much to do at once."""
    number = 0
    while True:
        number += 1


def run_case(case: Case, seconds: float, page: str, model: str, *, busy: bool) -> dict[str, object]:
    """Record one case with the window open, in this process."""
    import psutil
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from app.compose import Studio, wait_for_frames
    from app.recording import recorder as recorder_module
    from app.recording.room import Limits
    from app.settings import Settings
    from app.ui import theme
    from app.ui.main_window import MainWindow
    from drivers.session.labels import SessionLabels
    from drivers.session.reader import Session
    from model.spec import EngineChoice

    def spin(span_s: float) -> None:
        loop = QEventLoop()
        QTimer.singleShot(round(span_s * 1000), loop.quit)
        loop.exec()

    folder = Path(tempfile.mkdtemp(prefix="recorder-"))
    os.environ["DEPTHMEND_CONFIG"] = str(folder / "settings.toml")
    cameras: list[Camera] = [PlayedCamera(number, case) for number in range(case.cameras)]
    app = QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    studio = Studio(EngineChoice(model=model))
    window = MainWindow(studio, Settings(model=model), open_source=lambda _: cameras)
    window.resize(1280, 800)
    window.show()
    window.open_source("played")
    spin(1.0)
    assert studio.pipeline is not None
    assert wait_for_frames(studio.pipeline, timeout_s=60)
    window.go_to(page)  # type: ignore[arg-type]
    spin(2.0)
    recorder_module.Limits = partial(Limits, start_s=0.0)  # type: ignore[assignment,misc]
    recorder = studio.record(folder, SessionLabels(), compact=case.compact)
    if busy:
        threading.Thread(target=count_for_ever, daemon=True).start()
    process = psutil.Process()
    cpu_s, window_s, started_s = sum(process.cpu_times()[:2]), time.thread_time(), time.perf_counter()
    fill = sync_ms = 0.0
    while time.perf_counter() - started_s < seconds:
        spin(0.2)
        status = recorder.status()
        fill, sync_ms = max(fill, status.queue_fill), max(sync_ms, status.sync_ms)
        if status.error:
            break
    took_s = time.perf_counter() - started_s
    cpu_s, window_s = sum(process.cpu_times()[:2]) - cpu_s, time.thread_time() - window_s
    size = recorder.status().bytes_written
    session = Session(studio.stop_recording() or Path())
    window.leave()
    totals = session.manifest.totals.values()
    return {
        "seconds": took_s,
        "written": sum(total.written for total in totals),
        "queue": sum(total.host_drop for total in totals),
        "device": sum(total.device_gap for total in totals),
        "failed": sum(total.error for total in totals),
        "compact": sum(total.compact for total in totals),
        "honest": session.manifest.honest,
        "fill": fill,
        "sync_ms": sync_ms,
        "mb_s": size / took_s / 1e6,
        "cores": cpu_s / took_s,
        "window": window_s / took_s,
        "folder": str(folder),
    }


def cpu_ms(work: Callable[[], object]) -> float:
    """Median CPU time of this thread."""
    times = []
    for _ in range(REPEATS):
        start_s = time.thread_time()
        work()
        times.append(time.thread_time() - start_s)
    return float(np.median(times)) * 1e3


def opencv_set(frame: Frame, parameters: Sequence[int]) -> None:
    """The usual way: depth as PNG, colour and infrared as JPEG of the same quality."""
    cv2.imencode(".png", frame.depth.values, parameters)
    quality = (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
    cv2.imencode(".jpg", cv2.cvtColor(frame.color, cv2.COLOR_RGB2BGR), quality)
    for image in (frame.ir_left, frame.ir_right):
        if image is not None:
            cv2.imencode(".jpg", image, quality)


def encode_speed() -> bool:
    """Print frame sets per CPU-second; whether the limits are kept."""
    cv2.setNumThreads(1)
    level1 = (cv2.IMWRITE_PNG_COMPRESSION, 1)
    good = True
    print(f"{'1280x720':14}{'ms':>7}{'sets/s':>8}{'x level 1':>11}{'x default':>11}")
    for infrared in (False, True):
        camera = PlayedCamera(0, Case(1, 1280, 720, infrared=infrared))
        frames = [camera._frames[n] for n in range(3)]
        ways: dict[str, Callable[[Frame], object]] = {
            "cv2 level 1": lambda frame: opencv_set(frame, level1),
            "cv2 default": lambda frame: opencv_set(frame, ()),
            "PNG": encode,
            "JPEG XL": partial(encode, compact=True),
        }
        took = {
            name: float(np.mean([cpu_ms(partial(way, frame)) for frame in frames]))
            for name, way in ways.items()
        }
        for name, ms in took.items():
            factors = took["cv2 level 1"] / ms, took["cv2 default"] / ms
            suffix = " + IR" if infrared else ""
            print(f"{name + suffix:14}{ms:7.1f}{1000 / ms:8.0f}{factors[0]:10.1f}x{factors[1]:10.1f}x")
        if not infrared:
            png, jxl = took["cv2 level 1"] / took["PNG"], took["cv2 level 1"] / took["JPEG XL"]
            good = png >= PNG_FACTOR and jxl >= JXL_FACTOR
    print(f"limits, without IR, against level 1: PNG {PNG_FACTOR}x, JPEG XL {JXL_FACTOR}x: {verdict(good)}")
    return good


def verdict(good: bool) -> str:
    return "kept" if good else "BROKEN"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each case")
    parser.add_argument("--required", action="store_true", help="only the cases that must keep up")
    parser.add_argument("--only", default="", help='cases with this name, such as "2 x 1280x720"')
    parser.add_argument("--page", default="Record", help="of the window while recording, such as Live")
    parser.add_argument("--model", default="off", help="repair while recording with this model")
    parser.add_argument("--busy", action="store_true", help="with a thread of Python that never rests")
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case is not None:
        print(json.dumps(run_case(CASES[args.case], args.seconds, args.page, args.model, busy=args.busy)))
        return 0
    good = encode_speed()
    print(f"\n{args.page} page, repair {args.model}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{'case':28}{'s':>5}{'Hz':>7}{'written':>9}{'dropped':>8}{'device':>7}{'failed':>7}{'JXL':>7}"
        f"{'queue':>7}{'sync':>9}{'MB/s':>7}{'cores':>7}{'window':>8}"
    )
    for number, case in enumerate(CASES):
        if (args.required and not case.required) or (args.only and case.name != args.only):
            continue
        command = [sys.executable, __file__, "--case", str(number), "--seconds", str(args.seconds)]
        command += ["--page", args.page, "--model", args.model, *(["--busy"] if args.busy else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{case.name:28} failed:\n{done.stderr}")
            good = False
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        lost = found["queue"] + found["device"] + found["failed"]
        kept = found["honest"] and (lost == 0 or not case.required)
        good = good and kept
        print(
            f"{case.name:28}{found['seconds']:5.0f}{found['written'] / found['seconds'] / case.cameras:7.2f}"
            f"{found['written']:9}{found['queue']:8}{found['device']:7}{found['failed']:7}{found['compact']:7}"
            f"{found['fill']:7.0%}{found['sync_ms']:6.0f} ms{found['mb_s']:7.0f}{found['cores']:7.2f}"
            f"{found['window']:8.0%}  {'' if kept else 'BROKEN'}{' (no limit)' if not case.required else ''}",
            flush=True,
        )
        subprocess.run(["rm", "-rf", found["folder"]], check=False)
    print(f"limits: all accounted for; nothing lost where there is a limit: {verdict(good)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
