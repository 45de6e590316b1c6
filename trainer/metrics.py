"""Errors of depth in metres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WRONG = 0.05
"""A measured pixel that is off by more than this share of the true depth is wrong."""


@dataclass(frozen=True)
class Errors:
    """Errors over a set of pixels.

    Attributes:
        mae_m: mean absolute error.
        rmse_m: root of the mean squared error.
        rel: mean of error over true depth.
        delta105: share of pixels off by less than a factor of 1.05; `delta110` likewise.
        delta1: share of pixels off by less than a factor of 1.25; `delta2` and `delta3` by its square and
            cube.
        pixels: how many were compared.
    """

    mae_m: float
    rmse_m: float
    rel: float
    delta105: float
    delta110: float
    delta1: float
    delta2: float
    delta3: float
    pixels: int


def errors(
    depth_m: NDArray[np.float32], truth_m: NDArray[np.float32], where: NDArray[np.bool_]
) -> Errors | None:
    """Errors of `depth_m` against `truth_m` in the pixels `where`; None if there are none.

    A pixel without an answer (0 or not finite) counts as 0 m, so that nothing is gained by leaving it out.
    """
    where = where & (truth_m > 0)
    if not where.any():
        return None
    got, want = depth_m[where].astype(np.float64), truth_m[where].astype(np.float64)
    got = np.where(np.isfinite(got) & (got > 0), got, 0.0)
    off = np.abs(got - want)
    ratio = np.maximum(got, 1e-9) / want
    factor = np.maximum(ratio, 1 / ratio)
    return Errors(
        mae_m=float(off.mean()),
        rmse_m=float(np.sqrt((off**2).mean())),
        rel=float((off / want).mean()),
        delta105=float((factor < 1.05).mean()),
        delta110=float((factor < 1.10).mean()),
        delta1=float((factor < 1.25).mean()),
        delta2=float((factor < 1.25**2).mean()),
        delta3=float((factor < 1.25**3).mean()),
        pixels=off.size,
    )


def mean(parts: list[Errors]) -> Errors:
    """Every image weighs the same; `parts` must not be empty."""
    return Errors(
        mae_m=float(np.mean([part.mae_m for part in parts])),
        rmse_m=float(np.mean([part.rmse_m for part in parts])),
        rel=float(np.mean([part.rel for part in parts])),
        delta105=float(np.mean([part.delta105 for part in parts])),
        delta110=float(np.mean([part.delta110 for part in parts])),
        delta1=float(np.mean([part.delta1 for part in parts])),
        delta2=float(np.mean([part.delta2 for part in parts])),
        delta3=float(np.mean([part.delta3 for part in parts])),
        pixels=sum(part.pixels for part in parts),
    )
