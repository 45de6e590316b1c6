"""The bundled weights against filling without a network, in the holes of simulated rooms nobody trained on.

    python benchmarks/demo_weights.py [--weights FILE] [--samples 60]

Prints errors in holes (nothing measured), in wrong pixels (measured off by more than 5 %) and over all
pixels, and the ratio to nearest-neighbour filling in the same run.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from numpy.typing import NDArray

from model import checkpoint
from model.classical import guided_membrane, nearest
from model.engine import MdmEngine
from model.spec import DEMO
from trainer.data.samples import Sample
from trainer.data.synthetic import SyntheticSource
from trainer.evaluate.holes import Method, holes
from trainer.metrics import WRONG, errors, mean

UNIT_M = 0.001
SEED = 20_261_123


def as_method(engine: MdmEngine) -> Method:
    """The engine with rejected pixels counted as no answer."""
    return lambda color, depth_m: (
        engine.repair(color, np.rint(depth_m / UNIT_M).astype(np.uint16), UNIT_M).depth_m
    )


def wrong(sample: Sample) -> NDArray[np.bool_]:
    """Measured, and off by more than 5 %."""
    off = np.abs(sample.depth_m - sample.target_m) > WRONG * sample.target_m
    return (sample.depth_m > 0) & (sample.target_m > 0) & off


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, default=DEMO.weights)
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    network = checkpoint.load(options.weights)
    methods: dict[str, Method] = {
        "nearest neighbour": lambda _color, depth_m: nearest(depth_m),
        "classical filling": guided_membrane,
        "network alone": as_method(MdmEngine(network, "", anchor=False, tokens=options.tokens)),
        "network, anchored": as_method(MdmEngine(network, "", tokens=options.tokens)),
    }
    source = SyntheticSource(SEED, width=640, height=480)
    samples = [source.held_out(number) for number in range(options.samples)]
    regions = {
        "holes": holes,
        "wrong": wrong,
        "all": lambda sample: sample.target_m > 0,
    }
    print(f"{options.weights}: {options.samples} held-out views of {options.samples} rooms, 640x480")
    answers = {name: [method(s.color, s.depth_m) for s in samples] for name, method in methods.items()}
    for region, where in regions.items():
        print(f"\n{region:8} {'MAE m':>8} {'RMSE m':>8} {'REL':>8} {'delta1':>8}   MAE against nearest")
        base = 0.0
        for name, depths in answers.items():
            parts = [errors(d, s.target_m, where(s)) for d, s in zip(depths, samples, strict=True)]
            result = mean([part for part in parts if part is not None])
            base = base or result.mae_m
            print(
                f"{name:18} {result.mae_m:6.4f} {result.rmse_m:8.4f} {result.rel:8.4f} {result.delta1:8.4f}"
                f"   {result.mae_m / base:.2f} x"
            )


if __name__ == "__main__":
    main()
