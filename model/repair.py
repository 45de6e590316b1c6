"""What a repair returns, and where each of its pixels comes from."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Provenance(IntEnum):
    """Where one pixel of a repaired depth image comes from."""

    MEASURED = 0
    """The sensor's value, kept."""
    REFINED = 1
    """The sensor answered, and the repair says something else."""
    INVENTED = 2
    """The sensor gave nothing; the repair filled it."""
    REJECTED = 3
    """The network calls the pixel invalid: there is no depth here to be had (sky, for one)."""


@dataclass(frozen=True, eq=False)
class Repair:
    """Repaired depth in the colour grid.

    Attributes:
        depth_m: (H, W) float32 metres; +inf where rejected.
        provenance: (H, W) uint8 of `Provenance`.
        valid_probability: (H, W) float32 in 0..1, what the mask head says; None from a repair that has none.
    """

    depth_m: NDArray[np.float32]
    provenance: NDArray[np.uint8]
    valid_probability: NDArray[np.float32] | None = None


def provenance(
    measured_m: NDArray[np.float32], repaired_m: NDArray[np.float32], *, tolerance: float = 0.01
) -> NDArray[np.uint8]:
    """(H, W) uint8 of `Provenance` from what was measured and what came out.

    Args:
        measured_m: (H, W) metres, 0 where the sensor gave nothing.
        repaired_m: (H, W) metres, +inf where rejected.
        tolerance: relative change up to which a value counts as the sensor's own.
    """
    out = np.full(measured_m.shape, Provenance.INVENTED, np.uint8)
    has = measured_m > 0
    kept = has & (np.abs(repaired_m - measured_m) <= tolerance * measured_m)
    out[has] = Provenance.REFINED
    out[kept] = Provenance.MEASURED
    out[~np.isfinite(repaired_m)] = Provenance.REJECTED
    return out
