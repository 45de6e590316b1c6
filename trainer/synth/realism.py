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
STEP = 0.05
"""Neighbours along a row whose depth differs by more than this share are a step."""
GAP_PX = 40
"""A wider hole between both is none of the step's own."""
FEWEST = 1000
"""Pixels on smooth surfaces, below which nothing is said of their noise."""
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
        inner_lift: likewise of holes that do not touch the picture's border, as those of a narrower field, of
            columns that one camera alone sees, and of all that is too far do.
        torn: share of the steps in the sensor's own depth that lie in a hole and not between two neighbours.
        noise_m: standard deviation on smooth surfaces in each range of `RANGES_M`; None where fewer than a
            thousand pixels lie on such.
        by_material: share of holes by the surface's name; empty for real frames.
    """

    frames: int
    holes: tuple[float, ...]
    mean: float
    sizes: tuple[float, ...]
    near_edges: float
    lift: float
    inner_lift: float
    torn: float
    noise_m: tuple[float | None, ...]
    by_material: dict[str, float]


def statistics(frames: Sequence[Frame]) -> Statistics:
    """Statistics of the frames, each brought to 640 pixels across; there must be one at least."""
    shares, near, inner, near_all, steps = [], [], [], [], []
    sizes = np.zeros(len(SIZES_PX) + 1)
    noises: list[list[Float]] = [[] for _ in RANGES_M[1:]]
    surfaces, surface_holes = np.zeros(len(Material)), np.zeros(len(Material))
    for frame in map(_fitted, frames):
        hole = frame.depth_m <= 0
        shares.append(float(hole.mean()))
        sizes += hole_sizes(hole)
        edges = edge_zone(frame.color)
        near.append((int((hole & edges).sum()), int(hole.sum())))
        lone = inside(hole)
        inner.append((int((lone & edges).sum()), int(lone.sum())))
        near_all.append(float(edges.mean()))
        steps.append(torn_steps(frame.depth_m))
        for place, found in enumerate(noise(frame.depth_m)):
            noises[place].append(found)
        if frame.material is not None:
            for material in Material:
                here = frame.material == material
                surfaces[material] += here.sum()
                surface_holes[material] += (here & hole).sum()
    share_near, inner_near, torn = (_share(counts) for counts in (near, inner, steps))
    chance = max(float(np.mean(near_all)), 1e-6)
    return Statistics(
        len(shares),
        tuple(float(value) for value in np.percentile(shares, [5, 25, 50, 75, 95])),
        float(np.mean(shares)),
        tuple(float(value) for value in sizes / max(sizes.sum(), 1)),
        share_near,
        share_near / chance,
        inner_near / chance,
        torn,
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


def inside(hole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool, true in holes that do not touch the picture's border."""
    labels = cv2.connectedComponents(hole.astype(np.uint8), connectivity=8)[1]
    outer = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return hole & ~np.isin(labels, outer)


def torn_steps(depth_m: Float) -> tuple[int, int]:
    """Steps along rows that lie in a hole, and all steps.

    A sensor's own depth tells both of real and of simulated frames where its steps are; truth is not asked.
    """
    columns = np.arange(depth_m.shape[1])
    measured = np.where(depth_m > 0, columns, -1)
    before = np.full_like(measured, -1)
    before[:, 1:] = np.maximum.accumulate(measured, axis=1)[:, :-1]
    neighbour = np.take_along_axis(depth_m, np.maximum(before, 0), axis=1)
    both = (depth_m > 0) & (before >= 0) & (columns - before <= GAP_PX + 1)
    low, high = np.minimum(depth_m, neighbour), np.maximum(depth_m, neighbour)
    step = both & (high > (1 + STEP) * low)
    return int((step & (columns - before > 1)).sum()), int(step.sum())


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


def _share(counts: list[tuple[int, int]]) -> float:
    part, whole = (sum(each) for each in zip(*counts, strict=True))
    return float(part / max(whole, 1))


def _sigma(found: list[Float]) -> float | None:
    values = np.concatenate(found) if found else np.zeros(0, np.float32)
    return None if values.size < FEWEST else float(np.percentile(values, ONE_SIGMA))


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
