"""Repairs that are compared: networks, alone and anchored, and what can be had without weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from model.classical import guided_membrane, nearest
from model.repair import Repair

Method = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.float32]]
"""(H, W, 3) uint8 colour and (H, W) metres with holes to (H, W) metres."""

FINEST_UNIT_M = 0.0002
TELEA_RADIUS_PX = 5
TELEA_COUNTS = 60_000


def telea(_color: NDArray[np.uint8], depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """OpenCV's inpainting (Telea 2004) of inverse depth; measured pixels stay."""
    measured = depth_m > 0
    if not measured.any():
        return depth_m.copy()
    inverse = np.zeros_like(depth_m)
    np.divide(1, depth_m, out=inverse, where=measured)
    # In 16 bits, because inpainting of floats loses small values.
    scale = TELEA_COUNTS / float(inverse.max())
    counts = (inverse * scale).astype(np.uint16)
    hole = (~measured).astype(np.uint8)
    filled = np.asarray(cv2.inpaint(counts, hole, TELEA_RADIUS_PX, cv2.INPAINT_TELEA), np.float32)
    return np.where(measured, depth_m, 1 / np.clip(filled / scale, 1e-2, 20)).astype(np.float32)


CLASSICAL: dict[str, Method] = {
    "nearest": lambda _color, depth_m: nearest(depth_m),
    "telea": telea,
    "membrane": guided_membrane,
}
"""By the name that flags use."""


def networks(weights: Path, *, device: Literal["auto", "cpu", "cuda"], tokens: int) -> dict[str, Method]:
    """The network of these weights, alone and anchored.

    Raises:
        WeightsError: they cannot be used.
    """
    import torch

    from model import checkpoint
    from model.engine import MdmEngine

    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    model = checkpoint.load(weights, device=chosen)
    alone = MdmEngine(model, "", tokens=tokens, anchor=False)
    anchored = MdmEngine(model, "", tokens=tokens)
    return {"network": _method(alone.repair), "anchored": _method(anchored.repair)}


def _method(repair: Callable[[NDArray[np.uint8], NDArray[np.uint16], float], Repair]) -> Method:
    def method(color: NDArray[np.uint8], depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
        unit_m = max(FINEST_UNIT_M, float(depth_m.max()) / np.iinfo(np.uint16).max)
        counts = np.rint(depth_m / unit_m).astype(np.uint16)
        return repair(color, counts, unit_m).depth_m

    return method
