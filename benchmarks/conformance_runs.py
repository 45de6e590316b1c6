"""Runs the cameras' conformance suite again and again while every core is busy; not one run may fail.

python benchmarks/conformance_runs.py [--runs 50] [--load 2]

The real SDKs with software devices and recordings, simulated cameras, files, and pictures that stand in for
USB video. About twenty-five seconds a run on two busy cores. Exit status 1 if any run failed.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUITE = "tests/drivers/cameras/test_conformance.py"
RUN_LIMIT_S = 600
BUSY = "import itertools\nfor _ in itertools.count(): pass"


def one_run() -> tuple[bool, float, str]:
    """Whether a run passed, its seconds, and its last words."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xvfb", "-p", "no:cacheprovider", SUITE],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    return done.returncode == 0, time.perf_counter() - started, done.stdout[-2000:]


def main() -> int:
    """Run, count and say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--load", type=int, default=os.cpu_count() or 2, help="busy processes beside it")
    options = parser.parse_args()
    load = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(options.load)]
    failures, took_s = 0, []
    try:
        for number in range(options.runs):
            passed, seconds, words = one_run()
            took_s.append(seconds)
            failures += not passed
            print(f"run {number + 1}: {'passed' if passed else 'FAILED'} in {seconds:.0f} s", flush=True)
            if not passed:
                print(words, flush=True)
    finally:
        for process in load:
            process.kill()
            process.wait()
    print(
        f"{options.runs} runs beside {options.load} busy processes: {failures} failed (limit 0); "
        f"{min(took_s):.0f} to {max(took_s):.0f} s a run"
    )
    return int(failures > 0)


if __name__ == "__main__":
    raise SystemExit(main())
