"""Errors of depth in metres."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


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


FACTORS = (1.05, 1.10, 1.25, 1.25**2, 1.25**3)


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
        float(off.mean()),
        float(np.sqrt((off**2).mean())),
        float((off / want).mean()),
        *(float((factor < limit).mean()) for limit in FACTORS),
        pixels=off.size,
    )


def mean(parts: list[Errors]) -> Errors:
    """Every image weighs the same; `parts` must not be empty."""
    names = [field.name for field in fields(Errors) if field.name != "pixels"]
    means = (float(np.mean([getattr(part, name) for part in parts])) for name in names)
    return Errors(*means, pixels=sum(part.pixels for part in parts))
