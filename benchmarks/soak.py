"""Runs the program for ten minutes and watches its memory; then asks it to quit.

    xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python benchmarks/soak.py [--minutes 10]

Ends with 1 if resident memory grows by 5 % or more after the first minute, if quitting takes longer than two
seconds, or if a process or thread is left.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
LARGEST_GROWTH = 0.05
LONGEST_QUIT_S = 2.0
SETTLED_S = 60.0
SAMPLE_S = 10.0


def main() -> int:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=words)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--model", default="demo")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        places = {"DATA": "data", "LOGS": "logs", "CONFIG": "settings.toml"}
        own = {f"DEPTHMEND_{name}": str(Path(folder) / place) for name, place in places.items()}
        command = [sys.executable, str(ROOT / "main.py"), "--model", args.model]
        child = subprocess.Popen(command, env=os.environ | own)
        samples = watch(psutil.Process(child.pid), args.minutes * 60)
        threads = psutil.Process(child.pid).num_threads()
        asked_s = time.perf_counter()
        child.send_signal(signal.SIGTERM)
        status = child.wait(30)
        quit_s = time.perf_counter() - asked_s
    return report(samples, threads, quit_s, status)


def watch(process: psutil.Process, seconds: float) -> list[tuple[float, float]]:
    """(seconds, MB) every ten seconds."""
    started_s = time.monotonic()
    samples = []
    while (now_s := time.monotonic() - started_s) < seconds:
        time.sleep(SAMPLE_S)
        samples.append((now_s, process.memory_info().rss / 1e6))
    return samples


def report(samples: list[tuple[float, float]], threads: int, quit_s: float, status: int) -> int:
    """Print the figures; 1 if a limit is broken."""
    settled = [size for seconds, size in samples if seconds >= min(SETTLED_S, samples[-1][0] / 2)]
    third = max(1, len(settled) // 3)
    first, last = sum(settled[:third]) / third, sum(settled[-third:]) / third
    growth = last / first - 1
    print(" ".join(f"{size:.0f}" for _, size in samples[:: max(1, len(samples) // 20)]), "MB resident")
    print(f"growth after the first minute: {growth:+.1%} ({first:.0f} to {last:.0f} MB; limit +5 %)")
    print(f"quit: {quit_s:.2f} s with {threads} threads running, exit status {status} (limit 2 s, status 0)")
    good = growth < LARGEST_GROWTH and quit_s <= LONGEST_QUIT_S and status == 0
    print("limits kept" if good else "limits BROKEN")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
