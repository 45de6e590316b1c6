"""What runs a network: arrays of several cameras in, metres and probabilities out."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.config import ModelConfig
from model.mdm import MDM
from model.runtime.core import Precision
from model.shot import Shot

NEAREST_M = 0.01

Grid = tuple[int, int]
"""Rows and columns of image tokens."""


class Runner(Protocol):
    """Something that runs one network at one precision."""

    @property
    def where(self) -> str:
        """What computes, and how, in the screen's words: "CPU bf16"."""

    @property
    def precision(self) -> Precision:
        """Of the products."""

    @property
    def config(self) -> ModelConfig:
        """Of the network."""

    @property
    def batches(self) -> bool:
        """Whether several shots at once take less time than one after the other."""

    def run(self, shots: Sequence[Shot], grid: Grid) -> list[NDArray[np.float32]]:
        """(2, H, W) float32 for each shot: depth in metres, and how probable it is that there is one.

        Raises:
            torch.OutOfMemoryError: the device has no room for this grid.
            torch.AcceleratorError: the device failed.
        """


def unpack(color: Tensor, counts: Tensor, unit_m: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) float32 image in 0..1 and (B, h, w) float32 metres.

    Args:
        color: (B, H, W, 3) uint8.
        counts: (B, h, w) int16 that holds the bits of uint16, which torch can do little with.
        unit_m: (B, 1, 1) float32.
    """
    image = color.permute(0, 3, 1, 2).float() / 255
    return image, (counts.to(torch.int32) & 0xFFFF).float() * unit_m


def answer(model: MDM, heads: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, 2, H, W) float32 as `Runner.run` gives it; a network without a mask head vouches for everything."""
    out = model.output(heads, size)
    probability = torch.ones_like(out.depth) if out.mask_prob is None else out.mask_prob
    return torch.stack((out.depth.clamp(min=NEAREST_M), probability), 1)
