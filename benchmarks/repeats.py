"""One thing done in the window again and again, and the memory after each tenth time.

    xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python benchmarks/repeats.py [--only 3d]

Each in a process of its own, on the demo rig. Memory is what the C library (glibc) has lent, and what the
process has of its own. Ends with 1 if what is lent grows by more than LIMIT_MB with each time over the second
half. Fifteen minutes.
"""

import argparse
import ctypes
import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from PySide6.QtWidgets import QAbstractButton

from app.settings import Settings
from app.ui.live_page import LivePage
from app.ui.main_window import PAGES
from app.ui.widgets import RecordButton
from benchmarks.touch.hand import spin
from benchmarks.touch.tour import Tour, end, parser, profile, run

LIMIT_MB = 0.5
TENTH = 10
MALLINFO_FIELDS, BY_MAPPING, IN_USE = 10, 4, 7
"""Of glibc's `struct mallinfo2` (man mallinfo): how many, and the bytes in mappings and in use."""


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--only", default=",".join(REPEATED), help=f"of {', '.join(REPEATED)}")
    made.add_argument("--times", type=int, default=60)
    asked = made.parse_args()
    worst = 0
    for name in asked.only.split(","):
        command = [sys.executable, __file__, "--one", name, str(asked.times)]
        worst |= subprocess.run(command, check=False).returncode
    return worst


def one(name: str, times: int) -> int:
    """Do this so many times; 1 if memory grows with each."""
    model, act, pause_s = REPEATED[name]
    profile()
    lent: list[float] = []

    def script(tour: Tour) -> None:
        tour.hand.tap("Skip the guide", QAbstractButton)
        spin(3)
        for number in range(times + 1):
            if number % TENTH == 0:
                gc.collect()
                lent.append(_lent_mb())
                own_mb = psutil.Process().memory_full_info().uss / 1e6
                print(
                    f"{name:10} {number:4} times: lent {lent[-1]:5.0f} MB, own {own_mb:5.0f} MB", flush=True
                )
            act(tour, number)
            spin(pause_s)

    status = run(name, script, parser("").parse_args([]), settings=Settings(model=model, source="demo"))
    half = lent[len(lent) // 2 :]
    each_mb = (half[-1] - half[0]) / (TENTH * max(len(half) - 1, 1))
    broken = each_mb > LIMIT_MB
    print(f"{name:10} {each_mb:+.2f} MB each (limit {LIMIT_MB}){'  BROKEN' if broken else ''}")
    return status or int(broken)


def _clouds(tour: Tour, _number: int) -> None:
    live = _live(tour)
    live.model.set_layout("cloud")
    spin(0.5)
    live.model.set_layout("wipe")


def _pages(tour: Tour, _number: int) -> None:
    for name, _, _ in PAGES:
        tour.window.go_to(name)
        spin(0.12)
    tour.window.go_to("Live")


def _compare(tour: Tour, _number: int) -> None:
    tour.window.go_to("Compare")
    spin(1.0)
    tour.window.go_to("Live")


def _source(tour: Tour, _number: int) -> None:
    tour.window.open_source("demo")


def _model(tour: Tour, number: int) -> None:
    _live(tour).model.choose_model(("demo", "classical")[number % 2])


def _tokens(tour: Tour, number: int) -> None:
    _live(tour).model.change_repair({"tokens": (0, 96, 192, 300)[number % 4]})


def _precision(tour: Tour, number: int) -> None:
    _live(tour).model.change_repair({"precision": ("fp32", "bf16", "fp16")[number % 3]})


def _record(tour: Tour, _number: int) -> None:
    tour.window.go_to("Record")
    spin(0.3)
    tour.hand.tap("Record", RecordButton)
    spin(0.6)
    tour.hand.tap("Stop", RecordButton)


def _live(tour: Tour) -> LivePage:
    page = tour.window.page_widget("Live")
    assert isinstance(page, LivePage)
    return page


Act = Callable[[Tour, int], None]
REPEATED: dict[str, tuple[str, Act, float]] = {
    "3d": ("off", _clouds, 0.2),
    "pages": ("off", _pages, 0.1),
    "compare": ("demo", _compare, 0.2),
    "source": ("demo", _source, 1.5),
    "model": ("demo", _model, 1.5),
    "tokens": ("demo", _tokens, 2.0),
    "precision": ("demo", _precision, 2.5),
    "record": ("off", _record, 0.6),
}
"""Model to run with, what is done, and how long it is left alone then."""


class _Lent(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [(f"field_{number}", ctypes.c_size_t) for number in range(MALLINFO_FIELDS)]


def _lent_mb() -> float:
    libc = ctypes.CDLL("libc.so.6")
    libc.mallinfo2.restype = _Lent
    found = libc.mallinfo2()
    return float(getattr(found, f"field_{BY_MAPPING}") + getattr(found, f"field_{IN_USE}")) / 1e6


if __name__ == "__main__":
    end(one(sys.argv[2], int(sys.argv[3])) if sys.argv[1:2] == ["--one"] else main())
