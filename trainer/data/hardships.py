"""What real depth cameras do to a measurement, beyond what the models of a single sensor show.

Depth comes from another place than colour and is moved over (shadows at edges, an edge that is a pixel or two
off), sees a smaller field, and loses whole regions: of one colour, as glass and black plastic do, bands along
edges, and patches for no visible reason. Where it sees through glass the answer lies anywhere between the
glass and what is behind it.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.arrays import Bytes, Float, floats, octets
from drivers.synth.render import View
from drivers.synth.sensor import SensorKind, SensorParams, measure, random_params, shadow
from trainer.simulation.sensors import UNIT_M

Rng = np.random.Generator

EASY = 0.25
"""Share of sensors that hardly miss anything but what they see through."""
SHADOWED, COLOR_BASELINE_M = 0.6, (0.01, 0.06)
MISPLACED, MISPLACED_PX = 0.4, (3, 1)
"""Share of cameras whose depth lies beside its colour, and how far, across and down, at 448 pixels width."""
NARROWER = 0.12
PATCHES, REGIONS, BANDS = 0.3, 0.3, 0.3
"""Shares of frames that lose patches, regions of one colour, and bands along edges."""
STEP = 0.04
"""Neighbours that differ by more than this share of the depth are an edge."""
MOST_LOST = 0.9
SHOTS, SHOT_SHARE = 0.2, 0.01


def measured(view: View, rng: Rng) -> Float:
    """(H, W) float32 metres that a sensor of any kind gives for `view`, with all that it suffers."""
    kind = list(SensorKind)[int(rng.integers(len(SensorKind)))]
    counts = measure(between(view, rng), kind, rng, params(rng, kind))
    return suffered(view, counts * np.float32(UNIT_M), rng)


def params(rng: Rng, kind: SensorKind) -> SensorParams:
    """A unit of this kind that sees through glass and mirrors more often than not (SYNTH.md, section 3)."""
    drawn = random_params(rng, kind)
    easy = rng.random() < EASY
    return replace(
        drawn,
        difficulty=float(rng.uniform(0.03, 0.2)) if easy else drawn.difficulty,
        see_through=float(rng.uniform(0.5, 1.0)),
        fatten_px=int(rng.choice([1, 3, 3, 5, 7])),
    )


def between(view: View, rng: Rng) -> View:
    """The view with what is seen through glass moved towards the glass, by one share for the whole frame."""
    if view.beyond is view.inverse_depth:
        return view
    share = np.float32(1.0 if rng.random() < 0.5 else rng.uniform(0.3, 1.2))
    moved = view.inverse_depth + share * (view.beyond - view.inverse_depth)
    return replace(view, beyond=floats(np.maximum(moved, np.float32(1e-3))))


def suffered(view: View, depth_m: Float, rng: Rng) -> Float:
    """(H, W) float32 metres: `depth_m` with more holes, its edges a little off, and single wild pixels.

    Args:
        view: what was measured.
        depth_m: (H, W) float32 metres that a sensor in the colour camera's place gives, 0 for a hole.
        rng: draws.
    """
    lost = np.zeros(depth_m.shape, np.uint8)
    if rng.random() < SHADOWED:
        shift_px = view.camera.fx * float(rng.uniform(*COLOR_BASELINE_M))
        lost |= shadow(view.inverse_depth, shift_px, to_left=bool(rng.random() < 0.5))
    if rng.random() < BANDS:
        lost |= bands(depth_m, rng)
    if rng.random() < REGIONS:
        lost |= regions(view.color, rng)
    if rng.random() < PATCHES:
        lost |= patches(depth_m.shape, rng)
    if rng.random() < NARROWER:
        lost |= frame(depth_m.shape, rng)
    if float((lost > 0).mean()) > MOST_LOST:
        lost[:] = 0
    out = np.where(lost > 0, np.float32(0), depth_m)
    if rng.random() < MISPLACED:
        across, down = (int(rng.integers(-most, most + 1)) for most in MISPLACED_PX)
        shift = np.array([[1, 0, across], [0, 1, down]], np.float32)
        out = floats(cv2.warpAffine(out, shift, out.shape[1::-1], flags=cv2.INTER_NEAREST))
    if rng.random() < SHOTS and (out > 0).any():
        wild = (rng.random(out.shape, np.float32) < rng.uniform(0, SHOT_SHARE)) & (out > 0)
        low, high = np.percentile(out[out > 0], [2, 98])
        out[wild] = rng.uniform(low, high, int(wild.sum()))
    return floats(out)


def bands(depth_m: Float, rng: Rng) -> Bytes:
    """(H, W) uint8, above 0 in bands along depth edges, wider to one side."""
    square = np.ones((3, 3), np.uint8)
    near = cv2.erode(np.where(depth_m > 0, depth_m, np.float32(1e3)), square)
    edge = (depth_m > 0) & (depth_m - near > np.float32(STEP) * depth_m)
    reach = int(rng.integers(1, 13))
    kernel = np.zeros((2 * (reach // 2) + 1, 2 * reach + 1), np.uint8)
    kernel[:, reach // 2 :] = 1
    if rng.random() < 0.5:
        kernel = np.ascontiguousarray(kernel[:, ::-1])
    return octets(cv2.dilate(edge.astype(np.uint8), kernel))


def regions(color: NDArray[np.uint8], rng: Rng) -> Bytes:
    """(H, W) uint8, above 0 in one to six connected regions of about one colour."""
    height, width = color.shape[:2]
    small = cv2.resize(color, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    smooth = np.ascontiguousarray(cv2.medianBlur(np.asarray(small, np.uint8), 5))
    found = np.zeros((height // 2 + 2, width // 2 + 2), np.uint8)
    for _ in range(int(rng.integers(1, 7))):
        seed = (int(rng.integers(width // 2)), int(rng.integers(height // 2)))
        tolerance = (float(rng.uniform(6, 20)),) * 3
        flags = 8 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8)
        cv2.floodFill(smooth, found, seed, 0, tolerance, tolerance, flags)
    grown = cv2.dilate(found[1:-1, 1:-1], np.ones((3, 3), np.uint8))
    return octets(cv2.resize(grown, (width, height), interpolation=cv2.INTER_NEAREST))


def patches(shape: tuple[int, ...], rng: Rng) -> Bytes:
    """(H, W) uint8, above 0 in rectangles and ellipses that cover up to most of the image."""
    height, width = shape[:2]
    out = np.zeros((height, width), np.uint8)
    wanted = 0.85 * float(rng.uniform(0.1, 1)) ** 2
    longest = float(rng.uniform(0.08, 0.4)) * width
    for _ in range(60):
        if float((out > 0).mean()) >= wanted:
            break
        half = [max(int(side), 2) for side in rng.uniform(0.15, 0.5, 2) * longest]
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        if rng.random() < 0.5:
            cv2.ellipse(out, middle, (half[0], half[1]), float(rng.uniform(0, 180)), 0, 360, 255, -1)
        else:
            low = (middle[0] - half[0], middle[1] - half[1])
            cv2.rectangle(out, low, (middle[0] + half[0], middle[1] + half[1]), 255, -1)
    return out


def frame(shape: tuple[int, ...], rng: Rng) -> Bytes:
    """(H, W) uint8, above 0 outside of the field that a narrower depth camera sees, which may be round."""
    height, width = shape[:2]
    inside = np.zeros((height, width), np.uint8)
    middle = (int(width * rng.uniform(0.45, 0.55)), int(height * rng.uniform(0.45, 0.55)))
    if rng.random() < 0.25:
        cv2.circle(inside, middle, int(rng.uniform(0.45, 0.6) * width), 255, -1)
    else:
        across, down = int(width * rng.uniform(0.36, 0.5)), int(height * rng.uniform(0.36, 0.5))
        low = (middle[0] - across, middle[1] - down)
        cv2.rectangle(inside, low, (middle[0] + across, middle[1] + down), 255, -1)
    return octets(cv2.bitwise_not(inside))
