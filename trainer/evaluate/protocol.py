"""How depth is taken away for a test: blocks, bands at edges, colour regions, and a Kinect's noise.

Protocol 1 of the report (section 4.1) removes random blocks from the ground truth and puts Kinect-like noise
on the rest, in four levels whose parameters are not published; ours are those of docs/evaluation.md.
Everything is seeded by the frame's name and the level, so that it is the same on every machine.
"""

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Level:
    """How much is taken away; lengths are pixels at 640 across and scale with the image.

    Attributes:
        area: share of the image that blocks cover.
        side_px: shortest and longest side of a block.
        band_px: width of the bands at depth steps.
        regions: how many colour regions go missing.
        noise: of the axial noise of a Kinect, in its own standard deviations.
        shot: share of pixels with a value that means nothing.
    """

    area: float
    side_px: tuple[int, int]
    band_px: int
    regions: int
    noise: float
    shot: float


LEVELS = {
    "easy": Level(0.15, (24, 64), 3, 1, 0.5, 0.002),
    "medium": Level(0.35, (32, 96), 5, 3, 1.0, 0.005),
    "hard": Level(0.60, (48, 160), 8, 6, 2.0, 0.01),
    "extreme": Level(0.85, (64, 240), 12, 10, 4.0, 0.02),
}
WIDTH_PX = 640
MOST_BLOCKS = 10_000
SHORTEST_PX = 4
STEP = 0.06
"""Share of the depth by which neighbours differ at an edge."""
REGION_SHARE = (0.002, 0.06)
"""Of the image, the smallest and the largest colour region that may go missing."""
KINECT_FB_PX_M = 35.13
"""Focal length times baseline of a Kinect v1."""
DISPARITY_STEPS = 8
TRUST_SHARE, TRUST_NEIGHBOURS = 0.02, 15


def draws(key: str, purpose: str) -> np.random.Generator:
    """Random numbers of one frame and one purpose."""
    return np.random.default_rng(zlib.crc32(f"{key}|{purpose}".encode()))


def blocks(shape: tuple[int, int], level: Level, rng: np.random.Generator) -> Mask:
    """(H, W) bool, true in upright rectangles that cover `level.area` of the image; they may overlap."""
    height, width = shape
    scale = width / WIDTH_PX
    out = np.zeros(shape, bool)
    for _ in range(MOST_BLOCKS):
        if out.mean() >= level.area:
            break
        across, down = np.maximum((rng.uniform(*level.side_px, 2) * scale).astype(int), SHORTEST_PX)
        left = int(rng.integers(-across // 2, width - across // 2))
        top = int(rng.integers(-down // 2, height - down // 2))
        out[max(top, 0) : max(top + down, 0), max(left, 0) : max(left + across, 0)] = True
    return out


def edge_bands(depth_m: NDArray[np.float32], level: Level) -> Mask:
    """(H, W) bool, true in bands along depth steps, wider to one side, as the shadows of stereo are."""
    measured = depth_m > 0
    square = np.ones((3, 3), np.uint8)
    farthest = cv2.dilate(depth_m, square)
    nearest = cv2.erode(np.where(measured, depth_m, np.float32(1e6)), square)
    step = measured & (farthest - nearest > STEP * np.maximum(depth_m, 1e-3)) & (nearest < 1e5)
    width = max(1, round(level.band_px * depth_m.shape[1] / WIDTH_PX))
    band = np.zeros((2 * width + 1, 4 * width + 1), np.uint8)
    band[width // 2 : 2 * width + 1 - width // 2, width:] = 1
    return (np.asarray(cv2.dilate(step.astype(np.uint8), band)) > 0) & measured


def color_regions(color: NDArray[np.uint8], level: Level, rng: np.random.Generator) -> Mask:
    """(H, W) bool, true in `level.regions` patches of one colour, as glass and black plastic drop out."""
    height, width = color.shape[:2]
    half = cv2.resize(color, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    smooth = np.asarray(cv2.pyrMeanShiftFiltering(half, 8, 16), np.int32)
    shades = (smooth // 24) @ np.array([1, 16, 256])
    low, high = (share * shades.size for share in REGION_SHARE)
    labels = np.zeros(shades.shape, np.int32)
    found = 0
    for shade in np.unique(shades):
        count, parts, stats, _ = cv2.connectedComponentsWithStats(
            (shades == shade).astype(np.uint8), connectivity=4
        )
        for part in range(1, count):
            if low < stats[part, cv2.CC_STAT_AREA] < high:
                found += 1
                labels[parts == part] = found
    chosen = rng.permutation(found)[: level.regions] + 1 if found else np.zeros(0, np.int64)
    out = cv2.dilate(np.isin(labels, chosen).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(cv2.resize(out, (width, height), interpolation=cv2.INTER_NEAREST)) > 0


def hidden(
    key: str, color: NDArray[np.uint8], depth_m: NDArray[np.float32], level_name: str
) -> dict[str, Mask]:
    """Which measured pixels are taken away, by the way in which they are: "block", "edge" and "segment"."""
    level, rng = LEVELS[level_name], draws(key, level_name)
    measured = depth_m > 0
    block = blocks((depth_m.shape[0], depth_m.shape[1]), level, rng) & measured
    return {
        "block": block,
        "edge": edge_bands(depth_m, level),
        "segment": color_regions(color, level, rng) & measured,
    }


def corrupted(key: str, truth_m: NDArray[np.float32], level_name: str) -> tuple[NDArray[np.float32], Mask]:
    """Protocol 1: the truth with blocks removed and a Kinect's noise on the rest.

    Returns:
        (H, W) float32 metres, 0 where removed or unknown; (H, W) bool, true in the blocks.
    """
    level = LEVELS[level_name]
    removed = blocks((truth_m.shape[0], truth_m.shape[1]), level, draws(key, f"{level_name}/gt"))
    left = np.where(removed, np.float32(0), truth_m)
    return kinect(left, level, draws(key, f"{level_name}/noise")), removed


def kinect(depth_m: NDArray[np.float32], level: Level, rng: np.random.Generator) -> NDArray[np.float32]:
    """Depth as a Kinect measures it: axial noise, steps of 1/8 px of disparity, and shots.

    After Nguyen, Izadi and Lovell, "Modeling Kinect sensor noise" (3DIMPVT 2012); their lateral term is left
    out.

    Args:
        depth_m: (H, W) metres, 0 for a hole.
        level: says how strong.
        rng: draws.
    """
    measured = depth_m > 0
    sigma_m = level.noise * (0.0012 + 0.0019 * (depth_m - 0.4) ** 2)
    noisy_m = (depth_m + sigma_m * rng.standard_normal(depth_m.shape)).astype(np.float32)
    steps = np.round(KINECT_FB_PX_M / np.maximum(noisy_m, 1e-3) * DISPARITY_STEPS)
    out = KINECT_FB_PX_M * DISPARITY_STEPS / np.maximum(steps, 1)
    shot = rng.random(depth_m.shape) < level.shot
    if measured.any():
        near, far = np.percentile(depth_m[measured], [2, 98])
        out[shot] = rng.uniform(near, far, int(shot.sum()))
    return np.where(measured, out, 0).astype(np.float32)


def trusted(depth_m: NDArray[np.float32]) -> Mask:
    """(H, W) bool, true where a measured pixel agrees with those around it: flying pixels are no truth."""
    neighbours = cv2.boxFilter((depth_m > 0).astype(np.float32), -1, (5, 5), normalize=False)
    middle = cv2.medianBlur(depth_m.astype(np.float32), 5)
    near = np.abs(depth_m - middle) < TRUST_SHARE * np.maximum(depth_m, 1e-3)
    return np.asarray((depth_m > 0) & (neighbours >= TRUST_NEIGHBOURS) & near, np.bool_)
