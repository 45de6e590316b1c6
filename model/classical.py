"""Fills depth holes without weights: along colour with a membrane, or from the nearest measured pixel."""

from dataclasses import dataclass
from typing import Self, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Map = NDArray[np.float32]
Pixel = TypeVar("Pixel", np.uint8, np.float32)

# A step of that many 8-bit Lab units lets e^-0.5 of the tension through.
COLOR_SIGMA = 8.0
# Across the hardest colour edge some tension stays, or a hole inside one colour would have no depth.
MIN_TENSION = 1e-3
# Coarse levels carry far and cost little.
FINEST_SWEEPS, COARSE_SWEEPS = 14, 30
COARSEST_PX = 4
# Of Jacobi sweeps on a level whose low frequencies the coarser ones have settled; Chebyshev's bound.
SPECTRAL_RADIUS = 0.97


def guided_membrane(color: Image, depth_m: Map) -> Map:
    """(H, W) float32 metres without holes: a membrane in inverse depth, hung on the measured pixels.

    The tension between neighbours falls with their colour step, as in colorization (Levin, Lischinski and
    Weiss 2004); it is relaxed coarse to fine. Inverse depth makes a tilted plane a linear function.

    Args:
        color: (H, W, 3) uint8 RGB.
        depth_m: (H, W) float32 metres, 0 for holes; measured pixels come back as they are. A map that holds
            nothing comes back empty.
    """
    measured = depth_m > 0
    if measured.all() or not measured.any():
        return depth_m.copy()
    inverse = np.zeros_like(depth_m)
    np.divide(1, depth_m, out=inverse, where=measured)
    lab = np.asarray(cv2.cvtColor(color, cv2.COLOR_RGB2LAB), np.uint8)
    filled = _fill(inverse, measured, lab, fallback=float(np.median(inverse[measured])), sweeps=FINEST_SWEEPS)
    lowest, highest = inverse[measured].min(), inverse[measured].max()
    return np.where(measured, depth_m, 1 / np.clip(filled, lowest, highest)).astype(np.float32)


def nearest(depth_m: Map) -> Map:
    """(H, W) float32 metres: each hole (0) gets the value of the nearest measured pixel.

    The yardstick that any repair has to beat. A map that holds nothing comes back empty.
    """
    return nearest_measured(depth_m)[0]


def nearest_measured(depth_m: Map) -> tuple[Map, Map]:
    """(H, W) float32 metres of the nearest measured pixel, and (H, W) float32, how many pixels away it is.

    Args:
        depth_m: (H, W) float32 metres, 0 for holes. An empty map comes back empty, at no distance.
    """
    hole = depth_m <= 0
    if hole.all():
        return depth_m.copy(), np.zeros_like(depth_m)
    distance_px, labels = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value_of = np.zeros(labels.max() + 1, np.float32)
    value_of[labels[~hole]] = depth_m[~hole]
    filled: Map = value_of[labels]
    return filled, np.asarray(distance_px, np.float32)


def _fill(inverse: Map, known: NDArray[np.bool_], lab: Image, *, fallback: float, sweeps: int) -> Map:
    if known.all():
        return inverse
    if min(inverse.shape) <= COARSEST_PX:
        start = np.full_like(inverse, fallback)
    else:
        half_inverse, half_known = _halve_known(inverse, known)
        coarse = _fill(half_inverse, half_known, _halve(lab), fallback=fallback, sweeps=COARSE_SWEEPS)
        start = _double(coarse, inverse.shape)
    return _Membrane.over(lab, known).relaxed(np.where(known, inverse, start), sweeps=sweeps)


@dataclass(frozen=True, eq=False)
class _Membrane:
    """Tensions of a grid with a border of one pixel, flat, so that a neighbour is a constant offset away.

    `tension` holds the shares of the right, left, lower and upper neighbour in a pixel's mean; all are 0
    where a pixel is held.
    """

    shape: tuple[int, int]
    held: Map
    tension: tuple[Map, Map, Map, Map]

    @classmethod
    def over(cls, lab: Image, known: NDArray[np.bool_]) -> Self:
        h, w = known.shape
        right, down = np.zeros((h + 2, w + 2), np.float32), np.zeros((h + 2, w + 2), np.float32)
        right[1:-1, 1:-2] = _tension(lab[:, 1:], lab[:, :-1])
        down[1:-2, 1:-1] = _tension(lab[1:], lab[:-1])
        left, up = np.roll(right, 1, 1), np.roll(down, 1, 0)
        free = np.zeros((h + 2, w + 2), np.float32)
        free[1:-1, 1:-1] = ~known
        share = free / np.maximum(right + left + down + up, MIN_TENSION)
        held = np.pad(known.astype(np.float32), 1)
        return cls((h, w), held.ravel(), tuple((t * share).ravel() for t in (right, left, down, up)))

    def relaxed(self, start: Map, *, sweeps: int) -> Map:
        """(H, W): `start` after Chebyshev-accelerated Jacobi sweeps, held pixels unmoved."""
        pitch = self.shape[1] + 2
        inner = slice(pitch, -pitch)
        q = np.pad(start, 1).ravel()
        held = (q * self.held)[inner]
        before, mean, part, omega = q.copy(), np.zeros_like(q), np.empty_like(held), 1.0
        for sweep in range(sweeps):
            total = mean[inner]
            np.copyto(total, held)
            for tension, offset in zip(self.tension, (1, -1, pitch, -pitch), strict=True):
                neighbour = q[pitch + offset : q.size - pitch + offset]
                total += np.multiply(tension[inner], neighbour, out=part)
            if sweep:
                omega = 1 / (1 - SPECTRAL_RADIUS**2 * (omega if sweep > 1 else 2) / 4)
            mean -= before
            mean *= omega
            mean += before
            before, q, mean = q, mean, before
        return q.reshape(-1, pitch)[1:-1, 1:-1]


def _tension(a: Image, b: Image) -> Map:
    if a.size == 0:
        return np.zeros(a.shape[:2], np.float32)
    step = cv2.absdiff(a, b).astype(np.float32)
    squared = np.einsum("ijk,ijk->ij", step, step)
    return np.asarray(cv2.exp(squared * (-0.5 / COLOR_SIGMA**2)), np.float32) + np.float32(MIN_TENSION)


def _halve_known(inverse: Map, known: NDArray[np.bool_]) -> tuple[Map, NDArray[np.bool_]]:
    share = _halve(known.astype(np.float32))
    mean = _halve(np.where(known, inverse, np.float32(0)))
    return np.divide(mean, np.maximum(share, 1e-6), dtype=np.float32), share > 0


def _halve(image: NDArray[Pixel]) -> NDArray[Pixel]:
    h, w = image.shape[:2]
    even = cv2.copyMakeBorder(image, 0, h % 2, 0, w % 2, cv2.BORDER_REPLICATE)
    small = cv2.resize(even, ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(small, image.dtype)


def _double(image: Map, shape: tuple[int, ...]) -> Map:
    h, w = image.shape
    big = np.asarray(cv2.resize(image, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR), np.float32)
    return big[: shape[0], : shape[1]]
