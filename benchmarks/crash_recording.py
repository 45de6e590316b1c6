"""How much of a recording a killed program or a power cut costs.

    python benchmarks/crash_recording.py --trials 30
    python benchmarks/crash_recording.py --trials 0 --power-cuts 10      (as root)

A child records three cameras of 640 x 480 at 30 Hz, compressing live (PNG and JPEG XL in turn) and making it
durable in the background. It is killed (SIGKILL) at a random moment. For a power cut it records to an ext4 of
its own in a loop-mounted file, which is shut down without flushing its journal (EXT4_IOC_SHUTDOWN, as in
xfstests) and mounted again: what was in memory only is gone. Then the session is recovered, opened by the
official reader, and every remaining frame is decoded and compared with what was recorded. At last a file of a
gigabyte is left unfinished and recovered. Ends with 1 if more than 1 s was lost, or the gigabyte took more.
"""

import argparse
import fcntl
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
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
MOST_LOST_S = 1.0
MOST_RECOVERY_S_PER_GB = 1.0
SHUTDOWN, WITHOUT_LOG = 0x8004587D, (2).to_bytes(4, "little")  # ext4's shutdown ioctl, and its NOLOGFLUSH
DISK_BYTES = 1 << 30


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
            for encoded in encoders.map(partial(encode, compact=index % 2 == 1), frames):
                writer.write(encoded)
            # A tick that could not be kept is skipped, as a camera would: the index shows the gap.
            index = max(index + 1, int((time.perf_counter() - start_s) * RATE_HZ))
            time.sleep(max(0.0, start_s + index / RATE_HZ - time.perf_counter()))


def kill(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def trial(folder: Path, run_s: float, end: Callable[[subprocess.Popen[bytes]], None]) -> dict[str, float]:
    """Record for a while, end it in this way, recover, and look at every frame that is left."""
    child = subprocess.Popen([sys.executable, __file__, "--record", str(folder)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(run_s)
    killed_ns = time.monotonic_ns()
    end(child)
    child.stdout.close()
    size = sum(path.stat().st_size for path in folder.iterdir())
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
        "mb": size / 1e6,
        "lost_s": (killed_ns - last_ns) / 1e9,
        "said_s": report.lost_estimate_s,
        "salvaged": report.salvaged_messages,
        "recover_ms": recover_s * 1e3,
    }


@contextmanager
def disk(root: Path, number: int) -> Iterator[tuple[Path, Callable[[subprocess.Popen[bytes]], None]]]:
    """An ext4 of its own, and how its power is cut."""
    image, mounted = root / f"disk{number}", root / f"mount{number}"
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    mounted.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    mount = ["mount", "-o", "loop", str(image), str(mounted)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"no disk to cut the power of: {done.stderr.strip()}")

    def cut(child: subprocess.Popen[bytes]) -> None:
        descriptor = os.open(mounted, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, WITHOUT_LOG)
        os.close(descriptor)
        kill(child)
        subprocess.run(["umount", str(mounted)], check=True)
        subprocess.run(mount, check=True)

    try:
        yield mounted, cut
    finally:
        subprocess.run(["umount", str(mounted)], check=True)
        image.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10, help="kills")
    parser.add_argument("--power-cuts", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to record; a temporary folder by default")
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.record)
    moments = random.Random(arguments.seed)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    good = True
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        root = Path(name)
        kills = []
        for number in range(arguments.trials):
            kills.append(trial(root / str(number), moments.uniform(1.5, 5), kill))
            say(kills[-1])
        good = verdict("kills", kills) and good
        cuts = []
        for number in range(arguments.power_cuts):
            with disk(root, number) as (mounted, cut):
                cuts.append(trial(mounted / "session", moments.uniform(1.5, 5), cut))
            say(cuts[-1])
        good = verdict("power cuts", cuts) and good
        good = big_file(root / "big") and good
    return 0 if good else 1


def big_file(folder: Path) -> bool:
    """Recover an unfinished file of a gigabyte; whether it was fast enough."""
    stills = [still(number) for number in range(STILLS)]
    encoded = [encode(frame) for frame in stills]
    info = CameraInfo("left", "left", "noise", "left", "none", RATE_HZ, live=True)
    writer = SessionWriter(folder, [session_camera(info, stills[0])])
    index = 0
    while writer.bytes_written < 1_000_000_000:
        captured_ns = time.monotonic_ns()
        frame = replace(encoded[index % STILLS], camera_id="left", index=index, captured_ns=captured_ns)
        writer.write(frame)
        index += 1
    writer.sync()
    writer._lock.release()  # as the system does when a program dies; the file stays as it is
    size = sum(path.stat().st_size for path in folder.glob("*.active"))
    start_s = time.perf_counter()
    report = recover(folder)
    per_gb_s = (time.perf_counter() - start_s) / size * 1e9
    assert report.frames == {"left": index}
    good = per_gb_s <= MOST_RECOVERY_S_PER_GB
    limit = f"limit {MOST_RECOVERY_S_PER_GB:.0f}"
    print(
        f"{size / 1e9:.2f} GB left unfinished: recovered in {per_gb_s:.2f} s per GB ({limit}): {word(good)}"
    )
    return good


def word(good: bool) -> str:
    return "kept" if good else "BROKEN"


def say(result: dict[str, float]) -> None:
    print("  ".join(f"{name} {value:.4g}" for name, value in result.items()), flush=True)


def verdict(what: str, results: list[dict[str, float]]) -> bool:
    """Print the worst of all trials; whether the limits are kept."""
    if not results:
        return True
    lost = [result["lost_s"] for result in results]
    slowest = max(result["recover_ms"] for result in results)
    good = max(lost) <= MOST_LOST_S
    print(
        f"{len(results)} {what}: lost {np.median(lost):.2f} s median, {max(lost):.2f} s at most (limit "
        f"{MOST_LOST_S:.0f}); recovered in {slowest:.0f} ms at most; "
        f"every remaining frame decodes, depth exact; the official reader opens all: {word(good)}"
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
