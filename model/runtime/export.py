"""The network as ONNX, with fixed shapes, for onnxruntime and TensorRT."""

import logging
import warnings
from pathlib import Path

import torch

from model.config import PATCH_PX
from model.errors import WeightsError
from model.masking import bucket, padded
from model.mdm import MDM
from model.runtime.core import Core

OPSET = 20
"""The first in which GELU is one operator."""


def export(model: MDM, path: Path, *, rows: int, cols: int, aspect: float, count: int) -> None:
    """Write the whole network with every shape fixed; a mask hides what only fills up the depth tokens.

    Inputs are image, depth, places and bias, as `model.runtime.core.Core` and `model.masking.padded` have
    them; the output is heads, (1, 1 or 2, 16 rows, 16 cols).

    Args:
        model: in evaluation mode, on the CPU; float32, or as `model.runtime.core.set_precision` left it.
        path: the .onnx file; weights above 2 GB would go beside it.
        rows: of the token grid.
        cols: of the token grid.
        aspect: width over height of the frames.
        count: visible depth tokens to make room for; `rows * cols` is enough for every frame.

    Raises:
        WeightsError: the package onnxscript is missing.
    """
    try:
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise WeightsError(
            "Exporting a network needs the package onnxscript.", hint="Run: pip install 'depthmend[onnx]'"
        ) from error
    core = Core(model, rows, cols, aspect).eval()
    tokens, front = rows * cols, core.encode.front
    size = rows * PATCH_PX, cols * PATCH_PX
    image, depth = torch.zeros(1, 3, *size), torch.ones(1, 1, *size)
    kept = padded(torch.arange(tokens)[None] < count, bucket(count, tokens=tokens, front=front), front=front)
    inputs = {"image": image, "depth": depth, "places": kept.places, "bias": kept.bias}
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)  # they tell of every package that might have been there
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch 2.13's exporter uses what torch deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            program = torch.onnx.export(
                core, kwargs=inputs, output_names=["heads"], opset_version=OPSET, dynamo=True, verbose=False
            )
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
    assert program is not None
    program.save(path)
