"""Pulls a network's depth onto the measurement: the network gives the shape, the sensor the metres."""

import cv2
import numpy as np
from numpy.typing import NDArray

from model.classical import guided_membrane

Map = NDArray[np.float32]

TRUSTED = 1.2
"""A measurement farther than this from the network in log depth, after the local offset, is not believed."""
STEP = 2
"""The factor is smooth: a grid this much coarser than the image holds it, at a quarter of the cost."""


def anchored(color: NDArray[np.uint8], network_m: Map, measured_m: Map, *, trusted: float = TRUSTED) -> Map:
    """The network's depth, multiplied by a factor that makes it agree with the measurement around.

    Inside holes the factor is carried in from the rim, along what has the same colour, so a hole joins its
    surroundings without a step. Measured pixels keep their value, unless the network contradicts them: a
    mirror image or what lies behind a glass is measured, steady, and wrong.

    Args:
        color: (H, W, 3) uint8 RGB.
        network_m: (H, W) float32 metres, positive.
        measured_m: (H, W) float32 metres, 0 for a hole.
        trusted: see `TRUSTED`.

    Returns:
        (H, W) float32 metres; `network_m` itself where nothing is measured at all.
    """
    valid = (measured_m > 0) & (network_m > 0)
    if not valid.any():
        return network_m
    offset = np.zeros_like(network_m)
    np.log(np.divide(measured_m, network_m, out=offset, where=valid), out=offset, where=valid)
    usual = smooth_fill(offset, valid.astype(np.float32), levels_kept=4)
    believed = valid & (np.abs(offset - usual) < trusted)
    if not believed.any():
        return network_m
    factor = _carried_in(color, offset, believed)
    return np.where(believed, measured_m, network_m * factor).astype(np.float32)


def _carried_in(color: NDArray[np.uint8], offset: Map, believed: NDArray[np.bool_]) -> Map:
    """(H, W) float32 factor: exp(offset) where believed, membranes of it elsewhere."""
    height, width = offset.shape
    size = (max(1, width // STEP), max(1, height // STEP))
    weight = believed.astype(np.float32)
    mass = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(offset * weight, size, interpolation=cv2.INTER_AREA)
    known = np.zeros_like(total)
    np.divide(total, mass, out=known, where=mass > 0)
    known = np.where(mass > 0, np.exp(known), 0)
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    filled = guided_membrane(np.asarray(small, np.uint8), np.asarray(known, np.float32))
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def smooth_fill(values: Map, weight: Map, *, levels_kept: int = 0) -> Map:
    """(H, W) float32: weighted means of ever wider surroundings, as wide as it takes to find a value.

    A pyramid is built downwards by weighted averages and filled upwards ("push-pull").

    Args:
        values: (H, W) float32; read only where `weight` is above 0.
        weight: (H, W) float32 in 0..1.
        levels_kept: finest levels whose values are replaced by the coarser mean, which makes the result
            smooth over 2 ** levels_kept pixels even where values are.
    """
    pyramid = [(values * weight, weight)]
    while min(pyramid[-1][0].shape) > 1:
        total, mass = pyramid[-1]
        pyramid.append((_half(total), _half(mass)))
    total, mass = pyramid[-1]
    filled = np.full_like(total, total.sum() / max(float(mass.sum()), 1e-12))
    for level in range(len(pyramid) - 2, -1, -1):
        total, mass = pyramid[level]
        height, width = total.shape
        coarse = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
        if level < levels_kept:
            filled = coarse
            continue
        # A cell that is half known takes half of its own mean and half of its surroundings'.
        filled = total + (1 - mass) * coarse
    return np.asarray(filled, np.float32)


def _half(image: Map) -> Map:
    height, width = image.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)
