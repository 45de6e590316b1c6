"""How much of a recording a killed program costs: python benchmarks/crash_recording.py [--trials 10].

A child records three cameras of 640 x 480 at 30 Hz, compressing live and synchronising in the background.
It is killed (SIGKILL) at a random moment; then the session is recovered, opened by the official reader, and
every remaining frame is decoded and compared with what was recorded.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from mcap.reader import make_reader

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.session.encode import encode
from drivers.session.reader import Session
from drivers.session.recover import recover
from drivers.session.writer import SessionWriter, session_camera

CAMERAS = ("left", "middle", "right")
RATE_HZ = 30.0
WIDTH, HEIGHT = 640, 480
STILLS = 4


def still(number: int) -> Frame:
    """A slope with the noise and the holes of a sensor."""
    random_numbers = np.random.default_rng(number)
    slope = np.linspace(600, 4000, HEIGHT)[:, None]
    depth = slope + random_numbers.normal(0, 3, (HEIGHT, WIDTH))
    depth[random_numbers.random((HEIGHT // 16, WIDTH // 16)).repeat(16, 0).repeat(16, 1) < 0.15] = 0
    shade = np.linspace(20, 220, WIDTH)[None, :, None] + random_numbers.normal(0, 6, (HEIGHT, WIDTH, 3))
    lens = Intrinsics(WIDTH, HEIGHT, 600, 600, WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5)
    return Frame(
        "",
        number,
        0,
        0,
        shade.astype(np.uint8),
        DepthMap(depth.astype(np.uint16), 0.001),
        Calibration(lens, lens),
    )


def record(folder: Path) -> None:
    """Record until killed."""
    stills = [still(number) for number in range(STILLS)]
    infos = [CameraInfo(name, name, "noise", name, "none", RATE_HZ, live=True) for name in CAMERAS]
    writer = SessionWriter(folder, [session_camera(info, stills[0]) for info in infos])

    def sync() -> None:
        while True:
            time.sleep(0.25)
            writer.sync()

    threading.Thread(target=sync, name="sync", daemon=True).start()
    print("recording", flush=True)
    start_s = time.perf_counter()
    index = 0
    with ThreadPoolExecutor(2) as encoders:
        while True:
            captured_ns = time.monotonic_ns()
            frames = [
                replace(stills[index % STILLS], camera_id=name, index=index, captured_ns=captured_ns)
                for name in CAMERAS
            ]
            for encoded in encoders.map(encode, frames):
                writer.write(encoded)
            # A tick that could not be kept is skipped, as a camera would: the index shows the gap.
            index = max(index + 1, int((time.perf_counter() - start_s) * RATE_HZ))
            time.sleep(max(0.0, start_s + index / RATE_HZ - time.perf_counter()))


def trial(folder: Path, run_s: float) -> dict[str, float]:
    child = subprocess.Popen([sys.executable, __file__, "--record", str(folder)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(run_s)
    killed_ns = time.monotonic_ns()
    child.kill()
    child.wait()
    child.stdout.close()
    start_s = time.perf_counter()
    report = recover(folder)
    recover_s = time.perf_counter() - start_s
    for path in folder.glob("*.mcap"):
        with path.open("rb") as file:
            reader = make_reader(file, validate_crcs=True)
            assert reader.get_summary() is not None
            for _ in reader.iter_messages():
                pass
    session = Session(folder)
    exact = [still(number).depth.values for number in range(STILLS)]
    count, last_ns = 0, 0
    for frame in session.frames():
        assert np.array_equal(frame.depth.values, exact[frame.index % STILLS])
        count, last_ns = count + 1, max(last_ns, frame.captured_ns)
    return {
        "ran_s": run_s,
        "frames": count,
        "rate_hz": count / len(CAMERAS) / run_s,
        "mb": sum(path.stat().st_size for path in folder.iterdir()) / 1e6,
        "lost_s": (killed_ns - last_ns) / 1e9,
        "salvaged": report.salvaged_messages,
        "recover_ms": recover_s * 1e3,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to record; a temporary folder by default")
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.record)
    moments = random.Random(arguments.seed)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    results = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as root:
        for number in range(arguments.trials):
            result = trial(Path(root) / str(number), moments.uniform(1.5, 5))
            results.append(result)
            print("  ".join(f"{name} {value:.4g}" for name, value in result.items()), flush=True)
    lost = [result["lost_s"] for result in results]
    print(
        f"{len(results)} kills: lost {np.median(lost):.2f} s median, {max(lost):.2f} s at most; "
        "every remaining frame decodes, depth exact; the official reader opens all"
    )


if __name__ == "__main__":
    main()
