"""Pulls a network's depth onto the measurement: the network gives the shape, the sensor the metres."""

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

TRUSTED = 0.25
"""A measurement farther than this from the network in log depth, after the local offset, is not believed."""


def anchored(network_m: Map, measured_m: Map, *, trusted: float = TRUSTED) -> Map:
    """The network's depth, multiplied by a smooth factor that makes it agree with the measurement around.

    Inside holes the factor is interpolated from the rim, so a hole joins its surroundings without a step.
    Measured pixels keep their value, unless the network contradicts them: a mirror image or what lies behind
    a glass is measured, steady, and wrong.

    Args:
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
    weight = valid.astype(np.float32)
    usual = smooth_fill(offset, weight, levels_kept=4)
    believed = valid & (np.abs(offset - usual) < trusted)
    if not believed.any():
        return network_m
    factor = np.exp(smooth_fill(offset, believed.astype(np.float32)))
    return np.where(believed, measured_m, network_m * factor).astype(np.float32)


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
