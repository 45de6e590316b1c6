"""The network as ONNX, whole and with fixed shapes, for onnxruntime and TensorRT."""

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX
from model.errors import WeightsError
from model.masking import every_token, fill_patches, remap_depth, visible_tokens
from model.mdm import MDM
from model.runtime.core import Core
from model.runtime.runner import Grid, answer

OPSET = 20
"""The first in which GELU is one operator."""


@dataclass(frozen=True)
class Sizes:
    """Everything that is fixed in an exported network.

    Attributes:
        grid: rows and columns of tokens.
        color: height and width of the colour image in pixels.
        depth: height and width of the depth image in pixels.
    """

    grid: Grid
    color: tuple[int, int]
    depth: tuple[int, int]


class Whole(nn.Module):
    """From images to metres in operators that every runtime has; empty depth tokens stay and are masked.

    Args:
        model: in evaluation mode.
        sizes: of the frames.
    """

    down: Tensor
    across: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, model: MDM, sizes: Sizes) -> None:
        super().__init__()
        height, width = sizes.color
        self.model = model
        self.size = sizes.color
        self.core = Core(model, *sizes.grid, width / height).eval()
        pixels = sizes.grid[0] * PATCH_PX, sizes.grid[1] * PATCH_PX
        # Runtimes differ in how they resize; products and look-ups they all do alike.
        self.register_buffer("down", _bilinear(height, pixels[0]))
        self.register_buffer("across", _bilinear(width, pixels[1]))
        self.register_buffer("rows", _nearest(sizes.depth[0], pixels[0]))
        self.register_buffer("columns", _nearest(sizes.depth[1], pixels[1]))

    def forward(self, image: Tensor, depth_m: Tensor) -> Tensor:
        """(1, 2, H, W) float32: metres, and how probable it is that there is a depth.

        Args:
            image: (1, 3, H, W) float32 RGB in 0..1.
            depth_m: (1, h, w) float32 metres, 0 for a hole.
        """
        image = self.down @ image @ self.across.T  # (1, 3, 14 R, 14 C)
        depth_m = depth_m.index_select(1, self.rows).index_select(2, self.columns).unsqueeze(1)
        depth = remap_depth(depth_m, remap=self.model.config.remap_depth_in)  # (1, 1, 14 R, 14 C)
        kept = every_token(visible_tokens(depth), front=self.core.encode.front - self.core.encode.tokens)
        if self.model.config.fill_patches:
            depth = fill_patches(depth)
        return answer(self.model, self.core(image, depth, *kept), self.size)


def export(model: MDM, path: Path, sizes: Sizes) -> None:
    """Write the whole network with every shape fixed.

    Inputs are `image` and `depth_m`, the output is `answer`, all as `Whole.forward` has them.

    Args:
        model: in evaluation mode, on the CPU; float32, or as `model.runtime.core.set_precision` left it.
        path: the .onnx file; weights above 2 GB would go beside it.
        sizes: of the frames.

    Raises:
        WeightsError: the package onnxscript is missing.
    """
    try:
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise WeightsError(
            "Exporting a network needs the package onnxscript.", hint="Run: pip install 'depthmend[onnx]'"
        ) from error
    whole = Whole(model, sizes).eval()
    inputs = {"image": torch.zeros(1, 3, *sizes.color), "depth_m": torch.ones(1, *sizes.depth)}
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)  # they tell of every package that might have been there
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch 2.13's exporter uses what torch deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            program = torch.onnx.export(
                whole, kwargs=inputs, output_names=["answer"], opset_version=OPSET, dynamo=True, verbose=False
            )
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
    assert program is not None
    program.save(path)


def _bilinear(source: int, target: int) -> Tensor:
    """(target, source) float32 weights of the resize that prepares images."""
    return F.interpolate(torch.eye(source)[None, None], (target, source), mode="bilinear", antialias=True)[
        0, 0
    ]


def _nearest(source: int, target: int) -> Tensor:
    """(target,) int64 pixels that the resize of depth takes."""
    numbers = torch.arange(source, dtype=torch.float32)[None, None]
    return F.interpolate(numbers, target, mode="nearest")[0, 0].long()
