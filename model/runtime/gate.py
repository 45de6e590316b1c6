"""No engine is used before it has given what the plain network gives, in the holes as well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.errors import WeightsError
from model.mdm import MDM
from model.runtime.core import Precision
from model.runtime.runner import Grid, Runner, answer, unpack
from model.shot import Shot

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Limits:
    """What an engine may be off by.

    Attributes:
        mean: of depth, as a share of the spread of the reference depth.
        p99: the same of the 99th percentile.
        worst: the same of the worst pixel; None where a few pixels may be anything.
        probability: mean error of the mask's probability.
    """

    mean: float
    p99: float
    worst: float | None
    probability: float


LIMITS: dict[Precision, Limits] = {
    # As README.md of the parity fixtures: other kernels differ by 3e-5, the smallest mistake by 2e-4.
    "fp32": Limits(1e-5, 5e-5, 1e-4, 1e-5),
    "fp16": Limits(0.005, 0.02, None, 0.002),
    # What the published autocast is off by (MODEL_SPEC.md, section 10): 1 % on average, 3 % at the 99th
    # percentile.
    "bf16": Limits(0.01, 0.03, None, 0.01),
}


@dataclass(frozen=True)
class Deviation:
    """How far an engine is from the plain network in one region, in the units of `Limits`."""

    region: str
    mean: float
    p99: float
    worst: float
    probability: float

    def faults(self, limits: Limits) -> list[str]:
        """What is above its limit, in words."""
        pairs = (
            ("mean", self.mean, limits.mean),
            ("99th percentile", self.p99, limits.p99),
            ("worst pixel", self.worst, np.inf if limits.worst is None else limits.worst),
            ("mask", self.probability, limits.probability),
        )
        # Written so that NaN is a fault.
        return [
            f"{name} {got:.2g} in {self.region} (limit {limit:g})"
            for name, got, limit in pairs
            if not got <= limit
        ]


# Otherwise cuDNN rounds the factors of float32 convolutions to 10 bits.
@torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
@torch.inference_mode()
def plain(model: MDM, shots: Sequence[Shot], grid: Grid) -> list[NDArray[np.float32]]:
    """What the network itself says, dropping tokens, in float32; as `Runner.run`.

    Args:
        model: in evaluation mode, float32.
        shots: frames.
        grid: of tokens.
    """
    device = model.encoder.image_mean.device
    answers = []
    for shot in shots:
        size = shot.color.shape[:2]
        color = torch.tensor(shot.color, device=device).unsqueeze(0)
        counts = torch.tensor(shot.counts.view(np.int16), device=device).unsqueeze(0)
        unit_m = torch.tensor(shot.unit_m, dtype=torch.float32, device=device).view(1, 1, 1)
        image, depth_m = unpack(color, counts, unit_m)
        encoding = model.encode(image, depth_m, num_tokens=grid)
        heads = model.decode(encoding, model.uv_maps(*grid, size[1] / size[0], device))
        answers.append(answer(model, heads, (size[0], size[1]))[0].cpu().numpy())
    return answers


def deviations(
    want: Sequence[NDArray[np.float32]], got: Sequence[NDArray[np.float32]], holes: Sequence[Mask]
) -> list[Deviation]:
    """How far `got` is from `want`, where something was measured and in the holes.

    Args:
        want: (2, H, W) of each frame, as `plain` gives them.
        got: the same of an engine.
        holes: (H, W) of each frame.
    """
    spread = max(float(np.std(np.concatenate([w[0].ravel() for w in want]))), 1e-6)
    found = []
    for region, wanted in (("holes", True), ("measured pixels", False)):
        places = [hole == wanted for hole in holes]
        off = np.concatenate([np.abs(g - w)[:, p] for w, g, p in zip(want, got, places, strict=True)], axis=1)
        if off.size:
            depth, probability = off[0] / spread, off[1]
            numbers = (depth.mean(), np.percentile(depth, 99), depth.max(), probability.mean())
            found.append(Deviation(region, *(float(n) for n in numbers)))
    return found


def check(
    runner: Runner,
    shots: Sequence[Shot],
    grid: Grid,
    want: Sequence[NDArray[np.float32]],
    precision: Precision,
) -> list[Deviation]:
    """How far a runner is from `want`, which is of `plain` for the same shots.

    Raises:
        WeightsError: further than its precision explains.
    """
    holes = [hole_mask(shot) for shot in shots]
    found = deviations(want, runner.run(shots, grid), holes)
    faults = [fault for deviation in found for fault in deviation.faults(LIMITS[precision])]
    if faults:
        raise WeightsError(
            f"{runner.where} does not give what the network gives: {'; '.join(faults)}.",
            hint="Choose another device or precision.",
        )
    return found


def hole_mask(shot: Shot) -> Mask:
    """(H, W): where nothing was measured, in the colour grid."""
    height, width = shot.color.shape[:2]
    h, w = shot.counts.shape
    rows, cols = np.arange(height) * h // height, np.arange(width) * w // width
    holes: Mask = shot.counts[np.ix_(rows, cols)] == 0
    return holes


def made_up_shots(height: int, width: int, hole_shares: Sequence[float]) -> list[Shot]:
    """A made-up room for each share of holes: a slanted wall, boxes, texture; holes lie in blocks."""
    shots = []
    for number, share in enumerate(hole_shares):
        random = np.random.default_rng(number)
        across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        depth_m = 2.5 + across - 1.2 * down
        color = np.stack((80 + 120 * across, 60 + 90 * down, 200 - 100 * across), 2)
        for _ in range(6):
            top, left = random.integers(0, height * 3 // 4), random.integers(0, width * 3 // 4)
            box = np.s_[top : top + height // 5, left : left + width // 5]
            depth_m[box] = random.uniform(0.5, 2.0)
            color[box] = random.uniform(0, 255, 3)
        color += random.normal(0, 6, color.shape)
        depth_m *= random.normal(1, 0.004, depth_m.shape)
        blocks = random.permutation(16 * 16).reshape(16, 16) < round(share * 16 * 16)
        rows, cols = np.arange(height) * 16 // height, np.arange(width) * 16 // width
        depth_m[blocks[np.ix_(rows, cols)]] = 0
        counts = np.rint(depth_m * 1000).astype(np.uint16)
        shots.append(Shot(color.clip(0, 255).astype(np.uint8), counts, 0.001))
    return shots
