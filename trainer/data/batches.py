"""Samples become a training step's tensors, on the device that trains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX
from trainer.config import TrainConfig
from trainer.data.augment import cropped, recoloured
from trainer.data.draws import Draws, draw
from trainer.data.masks import keep_tokens, valid_share
from trainer.data.samples import SampleSource, TensorSample, samples_of

TARGET_PX = 16
"""The decoder's finest grid has this many pixels for each token side."""


@dataclass(frozen=True, eq=False)
class Raw:
    """One sample as it was read or rendered, and what chance decided about it.

    Attributes:
        color: (3, H, W) uint8.
        depth_m: (H, W) float32 metres, 0 for a hole.
        target_m: (H, W) float32 metres, 0 where the right depth is not known.
        nothing: (H, W) uint8, 1 where there is no surface; None where that is not known.
        draws: of this sample.
    """

    color: NDArray[np.uint8] | Tensor
    depth_m: NDArray[np.float32] | Tensor
    target_m: NDArray[np.float32] | Tensor
    nothing: NDArray[np.uint8] | Tensor | None
    draws: Draws


@dataclass(frozen=True, eq=False)
class RawBatch:
    """Samples of one micro-batch, on the processor or where they were rendered.

    Attributes:
        step: that they are for, from 0.
        grid: (R, C) rows and columns of image tokens.
        samples: at least one.
        notes: what went wrong while they were read.
        failure: why none could be read, and what to do about it.
    """

    step: int
    grid: tuple[int, int]
    samples: tuple[Raw, ...]
    notes: tuple[str, ...] = ()
    failure: tuple[str, str] | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """One micro-batch's input and what it should give.

    Attributes:
        grid: (R, C) rows and columns of image tokens.
        image: (B, 3, 14 R, 14 C) float32 RGB in 0..1.
        depth_m: (B, 14 R, 14 C) float32 metres, 0 for a hole.
        keep: (B, R C) bool, depth tokens that the network may see.
        target_m: (B, 16 R, 16 C) float32 metres, 0 where the right depth is not known.
        nothing: (B, 16 R, 16 C) float32, 1 where there is no surface.
        nothing_known: (B, 16 R, 16 C) float32, 1 where there is a right depth, or surely no surface.
    """

    grid: tuple[int, int]
    image: Tensor
    depth_m: Tensor
    keep: Tensor
    target_m: Tensor
    nothing: Tensor
    nothing_known: Tensor


def grid_of(config: TrainConfig, step: int) -> tuple[int, int]:
    """Rows and columns of image tokens of a step."""
    return config.grids[int(np.random.default_rng((config.seed, 6, step)).integers(len(config.grids)))]


def numbers_of(config: TrainConfig, step: int, *, rank: int = 0, world: int = 1) -> range:
    """Numbers of the samples of a step that one of `world` processes takes."""
    share = config.batch // world
    return range(step * config.batch + rank * share, step * config.batch + (rank + 1) * share)


def read(source: SampleSource, config: TrainConfig, step: int, numbers: Sequence[int]) -> RawBatch:
    """Samples of these numbers, a pure function of source, configuration and number."""
    rows, cols = grid_of(config, step)
    samples = []
    for number, sample in zip(numbers, samples_of(source, numbers), strict=True):
        rng = np.random.default_rng((config.seed, number))
        draws = draw(rng, config.augment, sample.masking or config.masking, tokens=rows * cols)
        if isinstance(sample, TensorSample):
            samples.append(Raw(sample.color, sample.depth_m, sample.target_m, sample.nothing, draws))
            continue
        nothing = None if sample.nothing is None else sample.nothing.astype(np.uint8)
        color = np.ascontiguousarray(sample.color.transpose(2, 0, 1))
        samples.append(Raw(color, sample.depth_m, sample.target_m, nothing, draws))
    return RawBatch(step, (rows, cols), tuple(samples))


def on_device(raw: RawBatch, device: torch.device) -> Batch:
    """The micro-batch's tensors; crops, colours and masks are made where the network trains."""
    rows, cols = raw.grid
    size, target_size = (rows * PATCH_PX, cols * PATCH_PX), (rows * TARGET_PX, cols * TARGET_PX)
    images, depths, shares, targets, nothings, knowns = [], [], [], [], [], []

    def there(values: NDArray[Any] | Tensor) -> Tensor:
        if isinstance(values, Tensor):
            return values.to(device)
        # A copy: arrays that frames share are read-only, which torch does not know.
        return torch.from_numpy(values.copy()).to(device, non_blocking=True)

    for sample in raw.samples:
        draws = sample.draws
        color = cropped(there(sample.color), draws).float() / 255
        images.append(area(recoloured(color, draws), size))
        depth_m = near(cropped(there(sample.depth_m), draws), size)
        right_m = cropped(there(sample.target_m), draws)
        shares.append(valid_share(depth_m[None], rows, cols))
        if draws.masks == "random":
            depth_m = torch.where(depth_m > 0, depth_m, near(right_m, size))
        depths.append(depth_m)
        target = near(right_m, target_size)
        targets.append(target)
        if sample.nothing is None:
            nothings.append(torch.zeros_like(target))
        else:
            nothing = cropped(there(sample.nothing), draws).float()
            nothings.append(near(nothing, target_size))
        knowns.append(((target > 0) | (nothings[-1] > 0)).float())
    keep = keep_tokens(torch.cat(shares), [sample.draws for sample in raw.samples])
    return Batch(
        raw.grid,
        torch.stack(images),
        torch.stack(depths),
        keep,
        *(torch.stack(part) for part in (targets, nothings, knowns)),
    )


def area(image: Tensor, size: tuple[int, int]) -> Tensor:
    """(3, *size), averaged over areas where it shrinks."""
    return F.interpolate(image[None], size, mode="bilinear", antialias=True)[0].clamp(0, 1)


def near(values: Tensor, size: tuple[int, int]) -> Tensor:
    """(*size) by nearest neighbour: means across an edge lie in the empty air."""
    return F.interpolate(values[None, None], size, mode="nearest-exact")[0, 0]


def resized(
    color: NDArray[np.uint8], depth_m: NDArray[np.float32], rows: int, cols: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(3, 14 R, 14 C) float32 in 0..1, and (14 R, 14 C) metres by nearest neighbour."""
    size = (cols * PATCH_PX, rows * PATCH_PX)
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    image = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / np.float32(255)  # (3, 14 R, 14 C)
    return image, np.asarray(cv2.resize(depth_m, size, interpolation=cv2.INTER_NEAREST), np.float32)
