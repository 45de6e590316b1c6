"""Runs frame by frame what is no recorded graph: torch on the processor, and OpenVINO.

On the processor torch and OpenVINO take exactly the visible depth tokens. Measured against padded lengths
(docs/performance.md): it gains nothing from fixed shapes, and every token of padding costs.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.config import ModelConfig
from model.masking import exact
from model.mdm import MDM, Prepared
from model.runtime.core import Core, Precision, set_precision, use_onednn
from model.runtime.runner import Grid, answer, unpack
from model.shot import Shot

KEPT_GRIDS = 4
"""Token grids whose constants are kept."""


class Heads(Protocol):
    """Whatever computes the middle of the network."""

    @property
    def where(self) -> str:
        """What computes, and how."""

    @property
    def precision(self) -> Precision:
        """Of the products."""

    def __call__(self, prepared: Prepared, grid: Grid, aspect: float) -> Tensor:
        """(1, 1 or 2, 16 R, 16 C) float32, as `MDM.decode`, of one frame."""


class FrameRunner:
    """A network, one frame after the other.

    Args:
        model: in evaluation mode, on the CPU; prepares the frames and resizes the answers.
        heads: what lies between.
    """

    batches = False  # measured on a processor: three frames in one call take as long as three calls

    def __init__(self, model: MDM, heads: Heads) -> None:
        self._model = model
        self._heads = heads

    @property
    def where(self) -> str:
        """What computes, and how."""
        return self._heads.where

    @property
    def precision(self) -> Precision:
        """Of the products."""
        return self._heads.precision

    @property
    def config(self) -> ModelConfig:
        """Of the network."""
        return self._model.config

    @torch.inference_mode()
    def run(self, shots: Sequence[Shot], grid: Grid) -> list[NDArray[np.float32]]:
        """As in `Runner`."""
        return [self._one(shot, grid) for shot in shots]

    def _one(self, shot: Shot, grid: Grid) -> NDArray[np.float32]:
        height, width = shot.color.shape[:2]
        color = torch.tensor(shot.color).unsqueeze(0)  # a copy: frames are read-only, which torch dislikes
        counts = torch.tensor(shot.counts.view(np.int16)).unsqueeze(0)  # (1, h, w)
        image, depth_m = unpack(color, counts, torch.tensor(shot.unit_m, dtype=torch.float32).view(1, 1, 1))
        prepared = self._model.prepare(image, depth_m, num_tokens=grid)
        heads = self._heads(prepared, grid, width / height)
        out: NDArray[np.float32] = answer(self._model, heads, (height, width))[0].numpy()
        return out


class TorchHeads:
    """The network by torch on the processor.

    Args:
        model: in evaluation mode, on the CPU; its layers are replaced by faster ones.
        precision: of the products; fp16 has no fast ones on processors.
    """

    def __init__(self, model: MDM, precision: Precision) -> None:
        set_precision(model, precision)
        if precision == "fp32":
            use_onednn(model)
        self._model = model
        self.precision: Precision = precision
        self._cores: dict[tuple[Grid, float], Core] = {}
        self.where = f"CPU {precision}"

    def __call__(self, prepared: Prepared, grid: Grid, aspect: float) -> Tensor:
        if (grid, aspect) not in self._cores:
            if len(self._cores) >= KEPT_GRIDS:
                self._cores.clear()
            self._cores[grid, aspect] = Core(self._model, *grid, aspect).eval()
        heads: Tensor = self._cores[grid, aspect](
            prepared.image, prepared.depth, exact(prepared.visible).places
        )
        return heads
