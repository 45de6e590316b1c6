"""Samples become tensors, a few batches ahead of the training step."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.config import PATCH_PX
from trainer.config import TrainConfig
from trainer.data.augment import augment
from trainer.data.masks import keep_tokens, valid_share
from trainer.data.samples import Sample, SampleSource

TARGET_PX = 16
"""The decoder's finest grid has this many pixels for each token side."""
AHEAD = 3


@dataclass(frozen=True, eq=False)
class Batch:
    """One training step's input and what it should give.

    Attributes:
        grid: (R, C) rows and columns of image tokens.
        image: (B, 3, 14 R, 14 C) float32 RGB in 0..1.
        depth_m: (B, 14 R, 14 C) float32 metres, 0 for a hole.
        keep: (B, R C) bool, depth tokens that the network may see.
        target_m: (B, 16 R, 16 C) float32 metres, 0 where the right depth is not known.
        nothing: (B, 16 R, 16 C) float32, 1 where there is no surface.
        nothing_known: (B, 16 R, 16 C) float32, 1 where `nothing` says something.
    """

    grid: tuple[int, int]
    image: Tensor
    depth_m: Tensor
    keep: Tensor
    target_m: Tensor
    nothing: Tensor
    nothing_known: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        grid, *tensors = vars(self).values()
        return Batch(grid, *(tensor.to(device, non_blocking=True) for tensor in tensors))


def batch(source: SampleSource, config: TrainConfig, step: int) -> Batch:
    """The batch of `step`, a pure function of source, configuration and step."""
    draw = np.random.default_rng((config.seed, 6, step)).integers(len(config.grids))
    rows, cols = config.grids[int(draw)]
    parts = []
    for row in range(config.batch):
        number = step * config.batch + row
        rng = np.random.default_rng((config.seed, number))
        sample = augment(source.sample(number), rng)
        image, depth = resized(sample.color, sample.depth_m, rows, cols)
        keep = keep_tokens(valid_share(depth, rows, cols), sample.masking or config.masking, rng)
        parts.append((image, depth, keep, *_targets(sample, rows, cols)))
    return Batch((rows, cols), *(torch.from_numpy(np.stack(column)) for column in zip(*parts, strict=True)))


def resized(
    color: NDArray[np.uint8], depth_m: NDArray[np.float32], rows: int, cols: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(3, 14 R, 14 C) float32 in 0..1, and (14 R, 14 C) metres by nearest neighbour."""
    size = (cols * PATCH_PX, rows * PATCH_PX)
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    image = np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / np.float32(255)  # (3, 14 R, 14 C)
    return image, np.asarray(cv2.resize(depth_m, size, interpolation=cv2.INTER_NEAREST), np.float32)


def ahead(source: SampleSource, config: TrainConfig, first_step: int) -> Generator[Batch, None, None]:
    """Batches from `first_step` on, made in a thread while the network is busy."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        coming: list[Future[Batch]] = []
        for step in range(first_step, config.steps):
            while len(coming) < AHEAD:
                coming.append(pool.submit(batch, source, config, step + len(coming)))
            yield coming.pop(0).result()


def _targets(
    sample: Sample, rows: int, cols: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    size = (cols * TARGET_PX, rows * TARGET_PX)

    def near(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_NEAREST), np.float32)

    target = near(sample.target_m)
    if sample.nothing is None:
        return target, np.zeros_like(target), (target > 0).astype(np.float32)
    return target, near(sample.nothing.astype(np.float32)), np.ones_like(target)
