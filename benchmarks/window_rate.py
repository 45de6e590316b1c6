"""Frames per second and exposure-to-screen time of the real window with the three demo cameras.

    xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python benchmarks/window_rate.py

Ends with 1 if a camera is painted less often than 25 times a second or its median exposure-to-screen time is
above 60 ms. Simulated cameras, repair and window share the processor here; real cameras leave more of it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.compose import InferenceStatus, Studio
from app.flow.meter import Meter
from app.settings import Settings
from app.ui import theme
from app.ui.main_window import MainWindow
from app.viewmodels.live import LiveModel
from drivers.camera import Camera, CameraBase
from drivers.cameras.synthetic import SyntheticCamera, demo_rig
from drivers.frame import Frame
from drivers.registry import open_source
from model.spec import EngineChoice

LOWEST_FPS = 25.0
LONGEST_MS = 60.0


class KeepingMeter(Meter):
    """Keeps every value, for percentiles."""

    def __init__(self) -> None:
        super().__init__()
        self.values_ms: list[float] = []

    def note(self, now_ns: int, value_ms: float = 0.0) -> None:
        super().note(now_ns, value_ms)
        self.values_ms.append(value_ms)


class PlayedCamera(CameraBase):
    """Plays frames of a simulated camera that were made before, so that the window has the processor."""

    def __init__(self, camera: SyntheticCamera, count: int = 20) -> None:
        self._frames = [camera.expose(index) for index in range(count)]
        self.info, self.calibration = camera.info, camera.calibration
        self._index = 0

    def open(self) -> None:
        self._due_ns = time.monotonic_ns()

    def close(self) -> None:
        pass

    def read(self, *, timeout_s: float) -> Frame | None:  # noqa: ARG002 - never late
        self._due_ns += 33_333_333
        time.sleep(max(self._due_ns - time.monotonic_ns(), 0) / 1e9)
        self._index += 1
        frame = self._frames[self._index % len(self._frames)]
        return replace(frame, index=self._index, captured_ns=self._due_ns)


def cameras(source: str) -> list[Camera]:
    """The cameras of a source; "played" is the demo rig, rendered in advance."""
    if source == "played":
        return [PlayedCamera(camera) for camera in demo_rig()]
    return open_source(source)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--model", default="off", help="off, classical, demo, or a weights file")
    parser.add_argument("--layout", default="side", choices=["wipe", "side", "cloud"])
    parser.add_argument("--source", default="demo", help='or "played": the demo rig rendered in advance')
    parser.add_argument("--after-3d", action="store_true", help="show the 3D view for a moment first")
    parser.add_argument("--size", default="1280x800")
    args = parser.parse_args()
    os.environ["DEPTHMEND_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.toml")

    app = QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    studio = Studio(EngineChoice(model=args.model))
    window = MainWindow(studio, Settings(model=args.model), open_source=cameras)
    window.resize(*(int(part) for part in args.size.split("x")))
    window.show()
    window.open_source(args.source)
    live = window.page_widget("Live")
    model = live.model
    wait_until(lambda: bool(model.titles) and all_seen(model), timeout_s=90)
    if args.after_3d:
        model.set_layout("cloud")
        spin(3.0)
    model.set_layout(args.layout)
    spin(3.0)

    lines = studio.pipeline.lines
    meters = {camera_id: KeepingMeter() for camera_id in lines}
    model.screen_meters.update(meters)
    before = {name: (line.channel.newest.version, line.refined.version) for name, line in lines.items()}
    ages_ms: dict[str, list[float]] = {camera_id: [] for camera_id in lines}
    cpu_s, threads_s, started_s = time.process_time(), time.thread_time(), time.perf_counter()
    while time.perf_counter() - started_s < args.seconds:
        spin(0.25)
        for camera_id in lines:
            age_ms = model.tile(camera_id).age_ms
            if age_ms is not None:
                ages_ms[camera_id].append(age_ms)
    took_s = time.perf_counter() - started_s
    cpu_s, threads_s = time.process_time() - cpu_s, time.thread_time() - threads_s

    state = studio.pipeline.inference.latest()
    engine = "none" if state is None or state.status is not InferenceStatus.RUNNING else state.label
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{args.size}, {args.layout}, repair: {engine}, {load}")
    print(f"window thread {threads_s / took_s:.0%} of a core, whole process {cpu_s / took_s:.0%}")
    print(
        f"{'camera':<16}{'came':>7}{'painted':>9}{'arrived':>9}{'median':>9}{'p95':>9}{'refined':>10}{'age':>9}"
    )
    good = True
    for camera_id, meter in meters.items():
        line = lines[camera_id]
        came_hz = (line.channel.newest.version - before[camera_id][0]) / took_s
        refined_hz = (line.refined.version - before[camera_id][1]) / took_s
        painted_hz = len(meter.values_ms) / took_s
        values = sorted(meter.values_ms) or [float("inf")]
        median_ms, p95_ms = statistics.median(values), values[int(0.95 * (len(values) - 1))]
        arrived_ms = line.channel.meter.read(time.monotonic_ns()).median_ms
        ages = ages_ms[camera_id]
        age = f"{statistics.median(ages):.0f} ms" if ages else "-"
        rates = f"{camera_id:<16}{came_hz:>5.1f}/s{painted_hz:>7.1f}/s"
        delays = f"{arrived_ms:>6.1f} ms{median_ms:>6.1f} ms{p95_ms:>6.1f} ms"
        print(f"{rates}{delays}{refined_hz:>8.1f}/s{age:>9}")
        good = good and painted_hz >= LOWEST_FPS and median_ms <= LONGEST_MS
    window.leave()
    verdict = "kept" if good else "BROKEN"
    print(f"limits: {LOWEST_FPS:.0f} painted per second, median {LONGEST_MS:.0f} ms: {verdict}")
    return 0 if good else 1


def all_seen(model: LiveModel) -> bool:
    return all(model.tile(title.camera_id).frame is not None for title in model.titles)


def spin(seconds: float) -> None:
    """Run the window's events; `app.quit` would close the window."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def wait_until(condition: Callable[[], bool], *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"no frames within {timeout_s:.0f} s")
        spin(0.2)


if __name__ == "__main__":
    sys.exit(main())
