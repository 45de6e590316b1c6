"""Breaks cameras of every kind in every way, in a rig that runs, and prints what the operator sees.

    python benchmarks/fault_matrix.py [--sequences 200] [--only NAME ...]

The cameras: the simulated one; RealSense and Orbbec through their real libraries (a software device, and a
recording taken for a live camera), the ZED driver on a stand-in with the public names of its SDK, and a USB
colour camera on a capture of ours. Each has a healthy camera beside it. After the table, random sequences of
faults hit a rig of all of them at once, with the waits of the program cut to a tenth. Takes four minutes.
Limits: a fault is on the screen within 3 s; live pictures within 8 s of its end; the healthy camera keeps two
thirds of its rate; every recording accounts for every frame; no thread is left.
"""

import argparse
import logging
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/app"))

from fault_rigs import FAULTS, RATE_HZ, Bench, benches, healthy_camera, hurry, live, run_cell, wait_until

from app.compose import Studio, wait_for_frames
from model.spec import EngineChoice

NOTICED_LIMIT_S = 3.0
RECOVERED_LIMIT_S = 8.0
HEALTHY_LIMIT_HZ = RATE_HZ * 2 / 3
SETTLE_EVERY = 10
WORDS = 78


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sequences", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    before = set(threading.enumerate())
    found, missing = benches()
    for name, why in missing.items():
        print(f"{name}: left out, {why}")
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in found.items():
            if not options.only or name in options.only:
                broken += print_row(name, kind(Path(folder)), Path(folder))
        if options.sequences and not options.only:
            broken += random_sequences([kind(Path(folder)) for kind in found.values()], options.sequences)
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    print(f"threads left: {len(left)} {left} (limit 0)")
    return 1 if broken or left else 0


def print_row(name: str, bench: Bench, folder: Path) -> int:
    """All faults of one camera; returns how many limits were broken."""
    broken = 0
    try:
        for fault in FAULTS:
            if fault in bench.cannot:
                print(f"{name:10} {fault:22} cannot happen: {bench.cannot[fault]}")
                continue
            try:
                cell = run_cell(bench, fault, folder)
            except AssertionError as error:
                print(f"{name:10} {fault:22} FAILED: {error}")
                broken += 1
                continue
            well = (
                cell.noticed_s < NOTICED_LIMIT_S
                and cell.recovered_s < RECOVERED_LIMIT_S
                and cell.healthy_hz > HEALTHY_LIMIT_HZ
            )
            broken += not well
            times = f"seen after {cell.noticed_s:4.1f} s, live again {cell.recovered_s:4.1f} s"
            counts = f"{cell.lost:4} lost, beside it {cell.healthy_hz:4.1f} Hz"
            verdict = "" if well else " LIMIT BROKEN"
            print(f"{name:10} {fault:22} {times}, {counts}{verdict} | {cell.seen[:WORDS]}", flush=True)
    finally:
        bench.close()
    return broken


def random_sequences(cameras: list[Bench], count: int) -> int:
    """Faults at random, several at a time; returns 1 if the rig is not whole in the end."""
    chance = random.Random(7)
    studio = Studio(EngineChoice(model="off"))
    began_s, faults = time.monotonic(), 0
    try:
        with hurry():
            pipeline = studio.open([*(bench.camera for bench in cameras), healthy_camera()])
            assert wait_for_frames(pipeline, timeout_s=30), "the rig did not start"
            for number in range(1, count + 1):
                for _ in range(chance.randint(1, 4)):
                    bench = chance.choice(cameras)
                    fault = chance.choice([fault for fault in FAULTS if fault not in bench.cannot])
                    bench.inflict(fault)
                    faults += 1
                    time.sleep(chance.uniform(0.0, 0.1))
                    if chance.random() < 0.5:
                        bench.heal()
                for bench in cameras:
                    bench.heal()
                if number % SETTLE_EVERY == 0:
                    wait_until(
                        lambda: all(live(line) for line in pipeline.lines.values()), 30, "the whole rig"
                    )
    except AssertionError as error:
        states = {name: str(line.state.latest()) for name, line in pipeline.lines.items()}
        print(f"random sequences FAILED: {error}; {states}")
        return 1
    finally:
        studio.close()
        for bench in cameras:
            bench.close()
    print(
        f"{count} random sequences, {faults} faults, {time.monotonic() - began_s:.0f} s: every camera is back"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
