"""How honest `Repair.confidence` is: in simulated rooms, what share of the pixels called p % sure is right.

    python benchmarks/confidence.py [--weights FILE] [--samples 60] [--fit]

`--fit` fits anew, to four times as many rooms, and prints what belongs into model/confidence.py.

The rooms of the fit and those of the table have nothing in common. In every other room of the fit the
network's metres are off as a whole, as they are in scenes unlike those of its training.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model import checkpoint
from model.anchor import SMALL, Agreement, agreement_of, anchor
from model.confidence import FEATURES, OF_ANCHORED, OF_NETWORK, TOLERANCE, Judge, confidence, features
from model.mdm import MDM
from model.spec import DEMO
from trainer.data.samples import Sample
from trainer.data.synthetic import SyntheticSource

FIT_SEED, TABLE_SEED = 7, 20_261_123
NEAREST_M = 0.01
STRAY = 0.15
"""Standard deviation, in log depth, by which the network strays in every other room of the fit."""
EVERY = 23  # of the pixels; neighbours say the same
BINS = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1])

Repaired = tuple[NDArray[np.float32], NDArray[np.bool_], Agreement]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, default=DEMO.weights)
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = checkpoint.load(options.weights)
    judges = {"anchored": OF_ANCHORED, "network": OF_NETWORK}
    if options.fit:
        judges = fitted(model, 4 * options.samples)
        for name, judge in judges.items():
            print(f"OF_{name.upper()} = Judge(")
            print(f"    kept={tuple(round(w, 3) for w in judge.kept)},")
            print(f"    other={tuple(round(w, 3) for w in judge.other)},\n)")
    table(model, judges, options.samples)


def repairs(
    model: MDM, seed: int, count: int, *, stray: float = 0.0
) -> Iterator[tuple[Sample, dict[str, Repaired]]]:
    source = SyntheticSource(seed, width=640, height=480)
    factors = np.exp(np.random.default_rng(seed).normal(0, stray, count)).astype(np.float32)
    factors[::2] = 1
    for number, factor in enumerate(factors):
        sample = source.held_out(number)
        network_m = network(model, sample) * factor
        agreement = agreement_of(network_m, sample.depth_m)
        if agreement is None:
            continue
        token_px = math.sqrt(network_m.size / model.config.num_tokens_range[0])
        tied = anchor(sample.color, network_m, sample.depth_m, trust=SMALL, token_px=token_px)
        assert tied.agreement is not None
        yield (
            sample,
            {
                "anchored": (tied.depth_m, tied.believed, tied.agreement),
                "network": (network_m, sample.depth_m > 0, agreement),
            },
        )


def network(model: MDM, sample: Sample) -> NDArray[np.float32]:
    """The network's own depth, nothing rejected."""
    image = torch.from_numpy(sample.color).permute(2, 0, 1) / 255
    depth_m = torch.from_numpy(sample.depth_m)
    out = model.infer(image, depth_m, num_tokens=model.config.num_tokens_range[0], apply_mask=False)
    return out.depth_m.clamp(min=NEAREST_M).numpy()


def right(depth_m: NDArray[np.float32], sample: Sample) -> NDArray[np.bool_]:
    return np.abs(depth_m - sample.target_m) < TOLERANCE * sample.target_m


def fitted(model: MDM, count: int) -> dict[str, Judge]:
    xs: dict[tuple[str, bool], list[NDArray[np.float32]]] = {}
    ys: dict[tuple[str, bool], list[NDArray[np.bool_]]] = {}
    for sample, found in repairs(model, FIT_SEED, count, stray=STRAY):
        for name, (depth_m, kept, agreement) in found.items():
            x = cv2.resize(features(depth_m, kept, agreement), depth_m.shape[::-1])
            for is_kept in (True, False):
                where = np.flatnonzero((kept == is_kept) & (sample.target_m > 0))[::EVERY]
                xs.setdefault((name, is_kept), []).append(x.reshape(-1, len(FEATURES))[where])
                ys.setdefault((name, is_kept), []).append(right(depth_m, sample).flat[where])
    weights = {key: logistic(np.concatenate(xs[key]), np.concatenate(ys[key])) for key in xs}
    return {name: Judge(weights[name, True], weights[name, False]) for name in ("anchored", "network")}


def logistic(x: NDArray[np.float32], y: NDArray[np.bool_]) -> tuple[float, ...]:
    """Weights of a logistic regression with a little ridge."""
    scale = x.std(0) + (x.std(0) == 0)
    inputs, labels = torch.from_numpy(x / scale), torch.from_numpy(y.astype(np.float32))
    weights = torch.zeros(x.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ weights, labels)
        value = value + 1e-4 * (weights**2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    return tuple(float(w) for w in weights.detach().numpy() / scale)


def table(model: MDM, judges: dict[str, Judge], count: int) -> None:
    said: dict[str, list[NDArray[np.float32]]] = {}
    true: dict[str, list[NDArray[np.bool_]]] = {}
    for sample, found in repairs(model, TABLE_SEED, count):
        for name, (depth_m, kept, agreement) in found.items():
            chance = confidence(judges[name], depth_m, kept, agreement)
            for kind, where in {"measured": sample.depth_m > 0, "holes": sample.depth_m == 0}.items():
                known = where & (sample.target_m > 0)
                said.setdefault(f"{name}, {kind}", []).append(chance[known])
                true.setdefault(f"{name}, {kind}", []).append(right(depth_m, sample)[known])
    for name in said:
        p, y = np.concatenate(said[name]), np.concatenate(true[name])
        place = np.digitize(p, BINS[1:-1])
        print(f"\n{name}: {y.mean():.1%} of {y.size} pixels are less than {TOLERANCE:.0%} off")
        print(f"{'confidence':>12}{'pixels':>9}{'said':>8}{'right':>8}")
        error = 0.0
        for i in range(len(BINS) - 1):
            if not (there := place == i).any():
                continue
            error += there.mean() * abs(p[there].mean() - y[there].mean())
            means = f"{p[there].mean():8.3f}{y[there].mean():8.3f}"
            print(f"{BINS[i]:6.2f}-{BINS[i + 1]:.2f}{there.mean():9.1%}{means}")
        brier, base = np.mean((p - y) ** 2), y.mean() * (1 - y.mean())
        print(f"expected calibration error {error:.3f}; Brier {brier:.4f}, of the base rate alone {base:.4f}")


if __name__ == "__main__":
    main()
