"""Ties a network's surface to the measurement: the network gives the shape, the sensor the metres."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model.classical import guided_membrane, nearest_measured

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]

CONTRADICTION = 0.2
"""In log depth; a measurement less than this behind everything the network sees around it is never moved."""
SURE = 8.0
"""The same, in units of how far network and measurement usually differ in this image."""
AGREES = 0.05
"""In log depth; a measurement within this of what the network sees around it speaks for the network."""
SUPPORT = 0.15
"""Share of the measurements around a pixel that must speak for the network before it may overrule one."""
HOLES = 0.03
"""Share of holes around a pixel below which the sensor is sure of itself."""
AROUND_PX = 64
BLUR_PX = 28
"""Within that, a surface counts as one where network and measurement are compared."""
EDGE_TOKENS = 2
"""A network cannot place an edge any better than within so many of its tokens."""
OUTLIER = 0.15
"""Disagreement in log depth at which a measurement loses two thirds of its say in the local offset."""
COARSE = 4
"""The offset is smooth, so a grid this much coarser than the image holds it."""
SMOOTH_LEVELS = 4
"""The offset is smooth over 2 ** levels cells of that grid, 64 px."""
MEMBRANE_STEP = 2
CLOSE_PX = 17
CLOSE_HOLES = 0.05
"""Share of holes within that many pixels from which on a small network may doubt a measurement."""
SEEN_THROUGH = 0.05
"""In log depth; a measurement farther than this behind a small network's surface does not tie it."""
BEHIND = 0.1
"""In log depth; what lies farther than this behind the surface says nothing about the hole beside it."""
RIM_PX = 8.0
"""The say of a hole's rim falls to a third over that many pixels."""
RIM_SAY = 0.5
"""Right at the rim, in log depth; the other half is what was carried in."""


@dataclass(frozen=True)
class Trust:
    """How far a network's word goes where nothing was measured.

    Attributes:
        share: of the step, in log depth, from the colour-guided filling to the network's surface.
        reach: about the longest step that counts; a longer one counts as much.
    """

    share: float = 1.0
    reach: float = math.inf


FULL = Trust()
SMALL = Trust(share=2 / 3, reach=0.2)
"""Of a network of a few million parameters that has seen simulated rooms only (docs/decisions/0006, 0022)."""
DOUBT = Trust(share=1.0, reach=0.2)
"""Of the same network where it doubts a measurement (docs/decisions/0017)."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """How a network and a sensor agree on one image, in log depth, on a grid `COARSE` times coarser.

    Attributes:
        surface: (h, w) float32, the network plus its smooth local offset to the measurement.
        farthest: (h, w) float32, the greatest `surface` within `BLUR_PX`; likewise `nearest`.
        residual: (h, w) float32 of at least 0, how far measurement and `surface` usually differ around.
        usual: the same for the whole image: one robust standard deviation.
    """

    surface: Map
    farthest: Map
    nearest: Map
    residual: Map
    usual: float


@dataclass(frozen=True, eq=False)
class Anchored:
    """A network's depth tied to the measurement.

    Attributes:
        depth_m: (H, W) float32 metres.
        believed: (H, W) bool, where `depth_m` is the measurement.
        agreement: what was found out about the two; None where nothing is measured at all.
    """

    depth_m: Map
    believed: Mask
    agreement: Agreement | None


def anchor(
    color: NDArray[np.uint8],
    network_m: Map,
    measured_m: Map,
    *,
    accepted: Mask | None = None,
    trust: Trust = FULL,
    token_px: float = BLUR_PX / EDGE_TOKENS,
) -> Anchored:
    """The network's depth times a factor that makes it agree with the measurement around.

    Measured pixels keep their value, with one exception: those far behind everything that the network sees
    around them. Mirrors, glass and light that came by way of another wall all make a sensor see too far; what
    it sees too near is rare, and might be an obstacle, so it stays whatever the network says. How far is far
    depends on how well the two agree elsewhere in the image. And the network needs witnesses: measurements
    nearby that lie on its surface, and holes, which are what glass and mirrors mostly return. A dense view
    through a door has neither.

    Everywhere else the factor is carried in from the believed pixels, along what has the same colour, and is
    theirs at the rim, so that there is no step. Where the network is not fully trusted, the measured depth is
    carried in the same way, and the answer lies between the two, drawn to the rim where that is close. What
    the sensor sees through glass does not tie such a network, and a measurement beside holes that lies behind
    its surface, but not so far, is drawn nearer.

    Args:
        color: (H, W, 3) uint8 RGB.
        network_m: (H, W) float32 metres, positive.
        measured_m: (H, W) float32 metres, 0 for a hole.
        accepted: (H, W) bool, where the network vouches for a depth; what is measured elsewhere, such as the
            street behind a window, says nothing about the pixels around. None for everywhere.
        trust: how far the network's word goes.
        token_px: how wide a token of the network is in the image.

    Returns:
        The network's own depth where nothing is measured at all.
    """
    valid = (measured_m > 0) & (network_m > 0)
    if accepted is not None:
        valid &= accepted
    if not valid.any():
        return Anchored(network_m, np.zeros_like(valid), None)
    log_measured = _log(measured_m)
    log_network = _log(network_m)
    offset = np.where(valid, log_measured - log_network, np.float32(0))
    agreement = _agreement(offset, valid, log_network)
    behind = log_measured - _enlarged(agreement.farthest, valid.shape)
    believed = valid & ~_contradicted(agreement, log_measured, behind, valid, token_px)
    if not believed.any():
        return Anchored(network_m, believed, agreement)
    if trust == FULL:
        tied = network_m * _carried_in(color, offset, believed)
        return Anchored(np.where(believed, measured_m, tied), believed, agreement)
    ties = believed & ~_seen_through(agreement, log_measured, behind, valid, token_px)
    tied = network_m * _carried_in(color, offset, ties if ties.any() else believed)
    filled = _log(_carried_in(color, np.where(valid, log_measured, np.float32(0)), believed))
    log_tied = filled + _step(_log(tied) - filled, trust)
    log_tied = _drawn_to_rim(log_tied, np.where(believed & (behind <= BEHIND), measured_m, np.float32(0)))
    doubt = np.where(believed, _doubt(behind - np.float32(agreement.usual), measured_m > 0), np.float32(0))
    kept = measured_m * np.asarray(cv2.exp(-doubt), np.float32)
    tied = np.asarray(cv2.exp(log_tied), np.float32)
    return Anchored(np.where(believed, kept, tied), believed & (doubt == 0), agreement)


def _step(step: Map, trust: Trust) -> Map:
    if math.isinf(trust.reach):
        return step * np.float32(trust.share)
    bounded = np.tanh(step / np.float32(trust.reach)) * np.float32(trust.share * trust.reach)
    return np.asarray(bounded, np.float32)


def _drawn_to_rim(log_depth: Map, rim_m: Map) -> Map:
    """(H, W) float32: `log_depth`, drawn to the nearest pixel of `rim_m` (metres, 0: none) where it is close.

    What is carried in along colours is smooth, and hangs in the air where one side of a hole is near and the
    other far; the surface that a hole cuts mostly goes on behind its rim.
    """
    if not rim_m.any():
        return log_depth
    nearest_m, distance_px = nearest_measured(rim_m)
    say = np.float32(RIM_SAY) * np.asarray(cv2.exp(distance_px / np.float32(-RIM_PX)), np.float32)
    return log_depth + say * (_log(nearest_m) - log_depth)


def _doubt(behind: Map, measured: Mask) -> Map:
    """(H, W) float32 of at least 0: by how much measurements that far behind come nearer, in log depth."""
    doubted = measured & _beside_holes(measured) & (behind > 0)
    return np.where(doubted, _step(behind, DOUBT), np.float32(0))


def _beside_holes(measured: Mask) -> Mask:
    around = cv2.blur(measured.astype(np.float32), (CLOSE_PX, CLOSE_PX))
    return np.asarray(around <= 1 - CLOSE_HOLES, np.bool_)


def _seen_through(agreement: Agreement, log_measured: Map, behind: Map, valid: Mask, token_px: float) -> Mask:
    """(H, W) bool, where the sensor probably saw through what the network sees.

    The network's surface is nearer there, beside holes, and nothing measured close by explains that: next to
    the edge of a near thing a network sees a part of the thing, because it cannot place the edge any better.
    """
    mean, share = _cell_means(np.where(valid, log_measured, np.float32(0)), valid, coarse_size(valid.shape))
    around = np.ones((_edge_cells(token_px),) * 2, np.uint8)
    nearest = cv2.erode(np.where(share > 0, mean, np.float32(99)), around)
    explained = _enlarged(np.asarray(nearest, np.float32), valid.shape) < log_measured - behind / 2
    far = behind > agreement.usual + SEEN_THROUGH
    return np.asarray(valid & far & ~explained & _beside_holes(valid), np.bool_)


def agreement_of(network_m: Map, measured_m: Map) -> Agreement | None:
    """How the two agree; None where nothing is measured at all. Shapes as for `anchor`."""
    valid = (measured_m > 0) & (network_m > 0)
    if not valid.any():
        return None
    log_network = _log(network_m)
    return _agreement(np.where(valid, _log(measured_m) - log_network, np.float32(0)), valid, log_network)


def _contradicted(agreement: Agreement, log_measured: Map, behind: Map, valid: Mask, token_px: float) -> Mask:
    before = _enlarged(agreement.nearest, valid.shape) - log_measured
    size = coarse_size(valid.shape)
    around = (AROUND_PX // COARSE,) * 2
    measured = cv2.blur(_shrunk(valid.astype(np.float32), size), around)
    agreeing = (valid & (behind < AGREES) & (before < AGREES)).astype(np.float32)
    supported = cv2.blur(_shrunk(agreeing, size), around) >= SUPPORT * measured
    unsure = (supported & (measured <= 1 - HOLES)).astype(np.uint8)
    there = cv2.resize(unsure, valid.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    reach = np.ones((_edge_cells(token_px),) * 2, np.uint8)
    farthest = np.asarray(cv2.dilate(agreement.surface, reach), np.float32)
    limit = max(CONTRADICTION, SURE * agreement.usual)
    return np.asarray(there & valid & (log_measured - _enlarged(farthest, valid.shape) > limit), np.bool_)


def _edge_cells(token_px: float) -> int:
    """Within how many cells of an `Agreement` a network with tokens that wide can place an edge."""
    return max(BLUR_PX, round(EDGE_TOKENS * token_px)) // COARSE


def coarse_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height of the grid of an `Agreement` over an image of that (H, W, ...) shape."""
    return max(1, shape[1] // COARSE), max(1, shape[0] // COARSE)


def _agreement(offset: Map, valid: Mask, log_network: Map) -> Agreement:
    size = coarse_size(valid.shape)
    mean, share = _cell_means(offset, valid, size)
    smooth = smooth_fill(mean, share, levels_kept=SMOOTH_LEVELS)
    for _ in range(2):
        say = np.asarray(cv2.exp(-(((mean - smooth) / OUTLIER) ** 2)), np.float32)
        smooth = smooth_fill(mean, share * say, levels_kept=SMOOTH_LEVELS)
    differing = np.abs(mean - smooth)
    surface = _shrunk(log_network, size) + smooth
    reach = np.ones((BLUR_PX // COARSE,) * 2, np.uint8)
    return Agreement(
        surface,
        np.asarray(cv2.dilate(surface, reach), np.float32),
        np.asarray(cv2.erode(surface, reach), np.float32),
        smooth_fill(differing, share, levels_kept=1),
        1.4826 * float(np.median(differing[share > 0])),  # of a normal distribution, sigma over median
    )


def _carried_in(color: NDArray[np.uint8], offset: Map, believed: Mask) -> Map:
    """(H, W) float32 factor: a membrane of exp(offset) hung on the believed pixels, and theirs at the rim."""
    height, width = offset.shape
    size = (max(1, width // MEMBRANE_STEP), max(1, height // MEMBRANE_STEP))
    mean, share = _cell_means(offset, believed, size)
    known = np.where(share > 0, np.asarray(cv2.exp(mean), np.float32), np.float32(0))
    small = np.asarray(cv2.resize(color, size, interpolation=cv2.INTER_AREA), np.uint8)
    factor = _enlarged(guided_membrane(small, known), offset.shape)
    # A cell mixes the offsets of its pixels; right beside measured pixels only theirs count.
    weight = believed.astype(np.float32)
    near = np.asarray(cv2.blur(weight, (3, 3)), np.float32)
    total = np.asarray(cv2.blur(offset * weight, (3, 3)), np.float32)
    rim = np.asarray(cv2.exp(total / np.maximum(near, np.float32(1e-6))), np.float32)
    # A straight rim fills a third of the window.
    return np.asarray(factor + np.minimum(3 * near, np.float32(1)) * (rim - factor), np.float32)


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
        coarse = _enlarged(filled, total.shape)
        if level < levels_kept:
            filled = coarse
            continue
        # A cell that is half known takes half of its own mean and half of its surroundings'.
        filled = total + (1 - mass) * coarse
    return np.asarray(filled, np.float32)


def _cell_means(values: Map, known: Mask, size: tuple[int, int]) -> tuple[Map, Map]:
    """Mean of the known pixels of each cell, 0 where there are none, and their share."""
    weight = known.astype(np.float32)
    share = _shrunk(weight, size)
    total = _shrunk(values * weight, size)
    return np.divide(total, share, out=np.zeros_like(total), where=share > 0), share


def _log(depth_m: Map) -> Map:
    return np.asarray(cv2.log(np.maximum(depth_m, np.float32(1e-6))), np.float32)


def _half(image: Map) -> Map:
    height, width = image.shape
    return _shrunk(image, ((width + 1) // 2, (height + 1) // 2))


def _shrunk(image: Map, size: tuple[int, int]) -> Map:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float32)


def _enlarged(image: Map, shape: tuple[int, ...]) -> Map:
    return np.asarray(cv2.resize(image, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
