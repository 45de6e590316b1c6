"""How long a session of half an hour and a library of ten thousand sessions take to open, and their memory.

python benchmarks/library.py

The session has three cameras at 30 Hz and a chunk for each frame, as 720p has, but tiny images: what
opening costs depends on the number of chunks and frames only. Everything is written to a temporary folder
first, which takes about a minute. Exit status 1 if a limit is broken. Files are cached: nothing is read from
a cold disk.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil

from app.recording import library
from app.recording.collecting import uncollected
from app.recording.index import INDEX_NAME
from drivers.camera import CameraInfo
from drivers.session.encode import encode
from drivers.session.reader import Session
from drivers.session.timeline import TIMELINE_NAME
from drivers.session.writer import SessionWriter, session_camera
from tests.app.recording import small_sessions as small

CAMERAS = 3
RATE_HZ = 30
LIMIT_S = 1.0
LIMIT_MB = 40
RUNS = 3
RANDOM_READS = 3000
FILE_FRAMES = 60 * RATE_HZ


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--sessions", type=int, default=10_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        broken = measure_session(long_session(root / "long", args.minutes))
        broken += measure_library(many_sessions(root / "many", args.sessions))
    for each in broken:
        print(f"BROKEN: {each}")
    return 1 if broken else 0


def measure_session(folder: Path) -> list[str]:
    """Opening, a first frame, and the memory of reading on."""
    times = {}
    for name, prepare in (("first", forget), ("again", lambda _folder: None)):
        runs = [timed(partial(opened, folder), prepare, folder) for _ in range(RUNS)]
        times[name] = statistics.median(runs)
    session = opened(folder)
    frames = sum(session.count(camera) for camera in session.camera_ids)
    print(
        f"session of {session.duration_s / 60:.0f} min, {frames:,} frames, {size_mb(folder):.0f} MB of files"
    )
    print(
        f"  opened the first time {times['first']:.2f} s, again {times['again']:.3f} s  (limit {LIMIT_S} s)"
    )
    began_s = time.perf_counter()
    session.frame(session.camera_ids[0], session.count(session.camera_ids[0]) // 2)
    print(f"  a frame in the middle {time.perf_counter() - began_s:.3f} s")
    grew_mb = memory_of_reading(session)
    print(f"  memory grew by {grew_mb:.1f} MB over {RANDOM_READS:,} random frames  (limit {LIMIT_MB} MB)")
    broken = [f"opening {name} took {took:.2f} s" for name, took in times.items() if took > LIMIT_S]
    return broken + ([f"memory grew by {grew_mb:.0f} MB"] if grew_mb > LIMIT_MB else [])


def measure_library(folder: Path) -> list[str]:
    """Listing with and without the index, and the Sessions page."""
    count = sum(1 for _ in library.entries(folder))
    first_s = timed(lambda: list(library.entries(folder)), lambda path: (path / INDEX_NAME).unlink(), folder)
    before_mb = resident_mb()
    with uncollected():  # as the window's thread that lists them does
        again = [
            timed(lambda: list(library.entries(folder)), lambda _path: None, folder) for _ in range(RUNS)
        ]
    again_s = statistics.median(again)
    page_s, page_mb = page(folder)
    print(f"library of {count:,} sessions")
    print(f"  listed without an index {first_s:.2f} s, with {again_s:.2f} s  (limit {LIMIT_S} s)")
    print(f"  the Sessions page shows all of them after {page_s:.2f} s  (limit {LIMIT_S} s)")
    print(f"  reading again adds {page_mb:.1f} MB  (limit {LIMIT_MB} MB)")
    print(f"  memory {resident_mb():.0f} MB, {resident_mb() - before_mb:.0f} MB more than before the page")
    broken = [f"listing took {again_s:.2f} s"] if again_s > LIMIT_S else []
    broken += [f"the page took {page_s:.2f} s"] if page_s > LIMIT_S else []
    return broken + ([f"the page grew by {page_mb:.0f} MB"] if page_mb > LIMIT_MB else [])


def page(folder: Path) -> tuple[float, float]:
    """Seconds until the page shows the library, and megabytes that five readings more add."""
    from PySide6.QtWidgets import QApplication

    from app.ui import theme
    from app.ui.sessions_page import make_page
    from tests.app.ui import pages

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    theme.apply(app, "dark")
    context, _ = pages.context_for(folder)
    shown = make_page(context)
    shown.resize(1176, 758)
    shown.show()

    def read() -> None:
        shown.shown()
        while not shown._model.view.loaded or shown._model.list.loading:
            app.processEvents()
            time.sleep(0.002)
        shown._model.list.poll()
        app.processEvents()

    began_s = time.perf_counter()
    read()
    took_s = time.perf_counter() - began_s
    assert len(shown._model.view.entries) == sum(1 for _ in folder.iterdir()) - 1
    read()
    before_mb = resident_mb()
    for _ in range(5):
        read()
    grew_mb = resident_mb() - before_mb
    pages.discard(shown)
    return took_s, grew_mb


def memory_of_reading(session: Session) -> float:
    """Megabytes that the second half of many random reads adds to the first."""
    places = random.Random(5)
    camera_ids = session.camera_ids

    def read(count: int) -> None:
        for _ in range(count):
            camera_id = places.choice(camera_ids)
            session.frame(camera_id, places.randrange(session.count(camera_id)))

    read(RANDOM_READS // 2)
    before_mb = resident_mb()
    read(RANDOM_READS // 2)
    return resident_mb() - before_mb


def opened(folder: Path) -> Session:
    session = Session(folder)
    for camera_id in session.camera_ids:
        session.times(camera_id)
    return session


def forget(folder: Path) -> None:
    (folder / TIMELINE_NAME).unlink(missing_ok=True)


def timed(work: Callable[[], object], prepare: Callable[[Path], object], folder: Path) -> float:
    prepare(folder)
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def long_session(folder: Path, minutes: float) -> Path:
    """Half an hour in files of a minute, a chunk for each frame."""
    frames = {f"cam{number}": small.small_frame(f"cam{number}", 0) for number in range(CAMERAS)}
    encoded = {name: encode(frame) for name, frame in frames.items()}
    infos = [session_camera(small_info(name), frame) for name, frame in frames.items()]
    writer = SessionWriter(folder, infos)
    began_s = time.perf_counter()
    start_ns = time.monotonic_ns()
    for index in range(round(minutes * 60 * RATE_HZ)):
        for image in encoded.values():
            at_ns = start_ns + index * 1_000_000_000 // RATE_HZ
            writer.write(replace(image, index=index, captured_ns=at_ns, arrived_ns=at_ns, device_ns=at_ns))
            writer._segment.end_chunk()
        if index % FILE_FRAMES == FILE_FRAMES - 1:
            writer._segment.opened_s -= 1000  # files end by the clock on the wall
    writer.close()
    print(f"written in {time.perf_counter() - began_s:.0f} s")
    return folder


def many_sessions(root: Path, count: int) -> Path:
    """Folders of their own; their large files are one file with many names."""
    one = small.make_session(root.with_name("one"), scene="office", tags=["glass", "sun"], site="Hall 3")
    library.thumbnail(library.read_entry(one))
    root.mkdir()
    for number in range(count):
        target = root / f"20260101T{number:06d}Z_Hall-3_{number:08x}"
        target.mkdir()
        for file in one.iterdir():
            if file.suffix in {".mcap", ".jpg"}:
                os.link(file, target / file.name)
            else:
                shutil.copy(file, target / file.name)
    return root


def small_info(name: str) -> CameraInfo:

    return CameraInfo(name, f"{name} camera", "T1", "1", "simulated", float(RATE_HZ), live=True)


def resident_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


def size_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.iterdir()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
