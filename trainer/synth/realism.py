"""How holes and noise of a sensor look in numbers, so that simulated ones can be held against real ones."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.shapes import Material

Float = NDArray[np.float32]
SIZES_PX = (10, 100, 1_000, 5_000)
"""Bounds between the classes of hole sizes, at 640 pixels across."""
WIDTH_PX = 640
EDGE_PX = 4
CANNY = (60, 160)
RANGES_M = (0.3, 0.7, 1.2, 2.0, 3.0, 4.5, 7.0)
SMOOTH = 0.02
"""Share of the depth by which a 5 x 5 patch may vary and still count as smooth."""
ONE_SIGMA = 68.27
"""Percentile; unlike the median it is not zero where most neighbours share one coarse step of disparity."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture and what a sensor made of it.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        depth_m: (H, W) float32 metres, 0 for a hole.
        material: (H, W) uint8 of `Material`; None for real frames.
    """

    color: NDArray[np.uint8]
    depth_m: Float
    material: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Statistics:
    """Of many frames; shares are 0 to 1.

    Attributes:
        frames: how many.
        holes: share of holes in each frame: 5th, 25th, 50th, 75th and 95th percentile.
        mean: share of holes over all frames.
        sizes: share of hole pixels in holes of each class of size, smallest first.
        near_edges: share of hole pixels within 4 pixels of a colour edge.
        lift: `near_edges` over the share of all pixels that near; 1 is chance.
        noise_m: standard deviation on smooth surfaces in each range of `RANGES_M`; None where there are few.
        by_material: share of holes by the surface's name; empty for real frames.
    """

    frames: int
    holes: tuple[float, ...]
    mean: float
    sizes: tuple[float, ...]
    near_edges: float
    lift: float
    noise_m: tuple[float | None, ...]
    by_material: dict[str, float]


def statistics(frames: Sequence[Frame]) -> Statistics:
    """Statistics of the frames, each brought to 640 pixels across; there must be one at least."""
    shares, near, near_all = [], [], []
    sizes = np.zeros(len(SIZES_PX) + 1)
    noises: list[list[Float]] = [[] for _ in RANGES_M[1:]]
    surfaces, surface_holes = np.zeros(len(Material)), np.zeros(len(Material))
    for frame in map(_fitted, frames):
        hole = frame.depth_m <= 0
        shares.append(float(hole.mean()))
        sizes += hole_sizes(hole)
        edges = edge_zone(frame.color)
        near.append((int((hole & edges).sum()), int(hole.sum())))
        near_all.append(float(edges.mean()))
        for place, found in enumerate(noise(frame.depth_m)):
            noises[place].append(found)
        if frame.material is not None:
            for material in Material:
                here = frame.material == material
                surfaces[material] += here.sum()
                surface_holes[material] += (here & hole).sum()
    close, all_holes = (sum(part) for part in zip(*near, strict=True))
    share_near = close / max(all_holes, 1)
    return Statistics(
        len(shares),
        tuple(float(value) for value in np.percentile(shares, [5, 25, 50, 75, 95])),
        float(np.mean(shares)),
        tuple(float(value) for value in sizes / max(sizes.sum(), 1)),
        share_near,
        share_near / max(float(np.mean(near_all)), 1e-6),
        tuple(_sigma(found) for found in noises),
        {
            material.name.lower().replace("_", " "): float(surface_holes[material] / surfaces[material])
            for material in Material
            if surfaces[material] > 0
        },
    )


def hole_sizes(hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(5,) pixels in holes of each class of size."""
    stats = cv2.connectedComponentsWithStats(hole.astype(np.uint8), connectivity=8)[2]
    areas = stats[1:, cv2.CC_STAT_AREA]
    classes = np.searchsorted(SIZES_PX, areas, side="right")
    counts = np.bincount(classes, weights=areas, minlength=len(SIZES_PX) + 1)
    return counts.astype(np.float64)


def edge_zone(color: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W) bool, true within 4 pixels of a colour edge."""
    grey = cv2.GaussianBlur(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), (5, 5), 1.2)
    edges = (cv2.Canny(grey, *CANNY) == 0).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(edges, cv2.DIST_L2, 3) <= EDGE_PX, np.bool_)


def noise(depth_m: Float) -> list[Float]:
    """In each range, what is left of depth on smooth surfaces without the plane through its neighbours.

    A pixel is compared with the mean of the four that are two pixels away, which a plane passes through.
    """
    padded = cv2.copyMakeBorder(depth_m, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
    around = (padded[:-4, 2:-2] + padded[4:, 2:-2] + padded[2:-2, :-4] + padded[2:-2, 4:]) / 4
    square = np.ones((5, 5), np.uint8)
    far, near = cv2.dilate(depth_m, square), cv2.erode(depth_m, square)
    smooth = (near > 0) & (far - near < SMOOTH * depth_m)
    left = (depth_m - around) / np.sqrt(1.25)  # variance of a pixel plus that of a mean of four
    return [
        np.abs(left[smooth & (depth_m >= low) & (depth_m < high)])
        for low, high in itertools.pairwise(RANGES_M)
    ]


def _sigma(found: list[Float]) -> float | None:
    values = np.concatenate(found) if found else np.zeros(0, np.float32)
    return None if values.size < 1000 else float(np.percentile(values, ONE_SIGMA))


def _fitted(frame: Frame) -> Frame:
    height, width = frame.depth_m.shape
    if width == WIDTH_PX and frame.color.shape[1] == WIDTH_PX:
        return frame
    size = (WIDTH_PX, round(height * WIDTH_PX / width))
    color = np.asarray(cv2.resize(frame.color, size, interpolation=cv2.INTER_AREA), np.uint8)
    depth = np.asarray(cv2.resize(frame.depth_m, size, interpolation=cv2.INTER_NEAREST), np.float32)
    if frame.material is None:
        return Frame(color, depth)
    return Frame(
        color, depth, np.asarray(cv2.resize(frame.material, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    )
