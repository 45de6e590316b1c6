"""Frames that the bundled network repairs in a second: one camera, 640 x 480, from counts to a repair.

    python benchmarks/repair_rate.py [--model demo] [--device auto] [--seconds 10]

The engine is built as the program builds it. Filling by colour, without a network, is the peer. The exit
status is 1 if fewer than 8 are made in a second.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from model.engine import build
from model.repair import Repair
from model.shot import Shot
from model.spec import EngineChoice
from trainer.data.synthetic import SyntheticSource

UNIT_M = 0.001
SHOTS = 12
LEAST_HZ = 8.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="demo")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    source = SyntheticSource(0, width=640, height=480)
    samples = [source.held_out(number) for number in range(SHOTS)]
    shots = [Shot(s.color, np.rint(s.depth_m / UNIT_M).astype(np.uint16), UNIT_M) for s in samples]
    engine = build(EngineChoice(model=options.model, device=options.device))
    filling = build(EngineChoice(model="classical"))
    ours_hz = rate(engine.repair_batch, shots, options.seconds)
    peer_hz = rate(filling.repair_batch, shots, options.seconds)
    print(f"{engine.label}, {engine.note}: {ours_hz:.1f} repaired per second, limit {LEAST_HZ:g}")
    print(f"filling without a network: {peer_hz:.1f} per second, {peer_hz / ours_hz:.1f} times as many")
    return int(ours_hz < LEAST_HZ)


def rate(repair: Callable[[list[Shot]], list[Repair]], shots: Sequence[Shot], seconds: float) -> float:
    """Repairs per second, one frame after the other, the first round left out."""
    for shot in shots:
        repair([shot])
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        repair([shots[done % len(shots)]])
        done += 1
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
