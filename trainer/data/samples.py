"""What the network learns from: colour, the sensor's depth, and the depth that would be right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trainer.config import MaskingConfig

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sample:
    """One training example in the colour grid.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        depth_m: (H, W) float32 metres as measured, 0 for a hole.
        target_m: (H, W) float32 metres, 0 where the right depth is not known.
        nothing: (H, W) bool, true where there is no surface at all, so that the network should reject; None
            where that is not known.
        masking: how its tokens are hidden; None leaves it to the run.
    """

    color: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    target_m: NDArray[np.float32]
    nothing: NDArray[np.bool_] | None = None
    masking: MaskingConfig | None = None


@dataclass(frozen=True, eq=False)
class TensorSample:
    """As `Sample`, on the device that trains.

    Attributes:
        color: (3, H, W) uint8 RGB.
        depth_m: (H, W) float32 metres as measured, 0 for a hole.
        target_m: (H, W) float32 metres, 0 where the right depth is not known.
        nothing: (H, W) uint8, 1 where there is no surface at all.
        masking: how its tokens are hidden; None leaves it to the run.
    """

    color: "Tensor"
    depth_m: "Tensor"
    target_m: "Tensor"
    nothing: "Tensor"
    masking: MaskingConfig | None = None


AnySample = Sample | TensorSample


class SampleSource(Protocol):
    """Samples by number: the same number is the same sample, on every machine and after every restart."""

    def sample(self, number: int) -> Sample:
        """Training sample; every number from 0 on has one."""

    def held_out(self, number: int) -> Sample:
        """Evaluation sample, never among the training samples."""


@runtime_checkable
class BatchSource(SampleSource, Protocol):
    """A source to which many samples at once cost less than one after the other."""

    def samples(self, numbers: Sequence[int]) -> list[AnySample]:
        """Training samples of these numbers."""


def samples_of(source: SampleSource, numbers: Sequence[int]) -> list[AnySample]:
    """Training samples of these numbers, in the way that costs the source least."""
    if isinstance(source, BatchSource):
        return source.samples(numbers)
    return [source.sample(number) for number in numbers]
