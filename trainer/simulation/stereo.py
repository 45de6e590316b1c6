"""Active and passive stereo by real matching of two rendered pictures (report, section 3.1).

The infrared pair is two views of the room with a projector's speckle on them; semi-global matching with a
left-right check finds the disparity, so that holes lie where a real sensor has them: in shadows, on blank
walls without a projector, on glass, mirrors and shiny metal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.photo import add_noise
from drivers.synth.render import View
from drivers.synth.sensor import FILL_STEPS, hidden_from_right, small_holes
from drivers.synth.shapes import Material
from trainer.simulation.processor import evened, seen_by_both, without_rims

Bytes = NDArray[np.uint8]
Float = NDArray[np.float32]

PATTERN_PX = 2048
NEAREST_M, FARTHEST_M = 0.2, 10.0
REFLECTANCE = {
    Material.MATTE: 1.0,
    Material.GLOSSY: 0.8,
    Material.METAL: 0.25,
    Material.DARK_GLOSSY: 0.065,
    Material.GLASS: 0.15,
    Material.MIRROR: 0.04,
    Material.WINDOW: 0.0,
    Material.EMITTER: 0.0,
}
"""Share of a projected dot that the first surface sends back."""
SEEN_THROUGH = {Material.GLASS: 0.7, Material.MIRROR: 0.8}
"""Share that comes back from what is seen through it, or in it."""
MIRRORED = {Material.METAL: 0.09, Material.DARK_GLOSSY: 0.023, Material.GLOSSY: 0.01}
"""Share that comes back by way of what the surface mirrors, which lies farther than the surface."""
MIRRORED_INVERSE = 0.55
SUB_PX = 16
"""OpenCV's disparities are in sixteenths of a pixel."""
SATURATED = 254
Light = Callable[[View, float, float, float], Float]
"""(H, W) infrared light of a view in grey levels before exposure: of the view, how far right of the projector
it is in metres, where in the pattern that begins, and its power beside the room's light (0 is off)."""


@dataclass(frozen=True)
class Matcher:
    """How a stereo sensor matches; SYNTH.md, sections 3 and 4, has what each gives.

    Attributes:
        block_px: side of the compared squares.
        p1: penalty of one step of disparity, per pixel of the block.
        p2: penalty of a jump.
        uniqueness: percent by which the best match has to win.
        texture: least contrast in grey levels, below which there is no answer.
        speckle_px: smaller patches of one disparity are dropped.
        projector: whether there is speckle.
        half: matched at half the resolution and evened out, with small holes filled from the farther side.
        rim_px: so near to a step in disparity there is no answer; 0 if rims are answered.
    """

    block_px: int = 5
    p1: int = 6
    p2: int = 36
    uniqueness: int = 5
    texture: float = 1.5
    speckle_px: int = 60
    projector: bool = True
    half: bool = False
    rim_px: int = 3


MATCHERS = {
    "active": Matcher(),
    "active strict": Matcher(uniqueness=15, texture=4.0, speckle_px=100),
    "active dense": Matcher(block_px=7, p1=8, p2=64, uniqueness=2, texture=0.6, half=True),
    "passive": Matcher(block_px=7, p1=8, p2=32, speckle_px=120, projector=False),
}
"""Rims of three pixels, half of a block of seven, make holes along steps as wide as a D435's."""


def baked_light(view: View, from_projector_m: float, shift: float, power: float) -> Float:
    """(H, W) infrared light on a view whose colours hold the room's light already, as `Light` says."""
    light = ambient(view.color)
    return light * np.float32(0.45) + _speckle(view, from_projector_m, shift, power) if power else light


def infrared_pair(
    left: View,
    right: View,
    *,
    baseline_m: float,
    projector: bool,
    power: float,
    rng: np.random.Generator,
    light: Light = baked_light,
) -> tuple[Bytes, Bytes]:
    """Left and right infrared pictures, (H, W) uint8 each, with the noise of a sensor.

    Args:
        left: view of the left camera.
        right: view of the right camera, of the same size.
        baseline_m: between them; the projector stands in the middle.
        projector: whether it is on.
        power: of the projector beside the room's light; 1 is usual.
        rng: noise, and the place of the pattern.
        light: of the room and of the projector.
    """
    shift = float(rng.uniform(0, PATTERN_PX))
    power = power if projector else 0.0
    pictures = [light(view, side * baseline_m, shift, power) for view, side in ((left, -0.5), (right, 0.5))]
    gain = 80 / max(float(np.mean(np.minimum(pictures[0], 255))), 1.0)  # one exposure for both
    exposed = (cv2.convertScaleAbs(picture, alpha=min(gain, 4.0)) for picture in pictures)
    first, second = (add_noise(np.asarray(picture, np.uint8), rng) for picture in exposed)
    return first, second


def match(left: Bytes, right: Bytes, matcher: Matcher, *, most_px: int) -> Float:
    """(H, W) float32 disparity of the left picture, 0 where there is no answer.

    Args:
        left: (H, W) uint8.
        right: likewise.
        matcher: says how.
        most_px: largest disparity that is looked for.
    """
    if matcher.half:
        small = _matched(_halved(left), _halved(right), matcher, most_px=most_px // 2 + 1)
        filled = _filled(evened(_kept(np.asarray(cv2.medianBlur(small, 3), np.float32), matcher)))
        size = (left.shape[1], left.shape[0])
        return np.float32(2) * np.asarray(
            cv2.resize(filled, size, interpolation=cv2.INTER_NEAREST), np.float32
        )
    return _kept(_matched(left, right, matcher, most_px=most_px), matcher)


def depth_of(disparity_px: Float, *, focal_px: float, baseline_m: float) -> Float:
    """(H, W) float32 metres, 0 where there is no disparity or the depth is out of the sensor's range."""
    depth = np.zeros_like(disparity_px)
    np.divide(np.float32(focal_px * baseline_m), disparity_px, out=depth, where=disparity_px > 0)
    return np.where((depth > NEAREST_M) & (depth < FARTHEST_M), depth, np.float32(0))


def _matched(left: Bytes, right: Bytes, matcher: Matcher, *, most_px: int) -> Float:
    count = -(-max(most_px, 16) // 16) * 16
    area = matcher.block_px**2
    found = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=count,
        blockSize=matcher.block_px,
        P1=matcher.p1 * area,
        P2=matcher.p2 * area,
        disp12MaxDiff=1,
        preFilterCap=31,
        uniquenessRatio=matcher.uniqueness,
        speckleWindowSize=matcher.speckle_px,
        speckleRange=1,
        mode=cv2.StereoSGBM_MODE_SGBM_3WAY,
    ).compute(
        # Without a margin the first columns, as many as there are disparities, would have no answer.
        *(cv2.copyMakeBorder(image, 0, 0, count, 0, cv2.BORDER_REPLICATE) for image in (left, right))
    )[:, count:]
    disparity = np.asarray(found, np.float32) / SUB_PX
    columns = np.arange(left.shape[1], dtype=np.float32)
    good = (disparity >= 0.5) & (columns - disparity >= 0)
    good &= _contrast(left) > matcher.texture
    good &= cv2.blur((left >= SATURATED).astype(np.float32), (5, 5)) < 0.7
    return np.where(good, disparity, np.float32(0))


def _kept(disparity: Float, matcher: Matcher) -> Float:
    both = seen_by_both(disparity)
    return without_rims(both, matcher.rim_px) if matcher.rim_px else both


def _halved(image: Bytes) -> Bytes:
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _filled(disparity: Float) -> Float:
    """Small holes take the farther side's disparity, as processors on cameras do."""
    holes = small_holes(disparity <= 0)
    if not holes.any():
        return disparity
    far = np.where(disparity > 0, disparity, np.float32(1e6))
    for _ in range(FILL_STEPS):
        far = np.where(far > 1e5, cv2.erode(far, np.ones((3, 3), np.uint8)), far).astype(np.float32)
    return np.where(holes & (far < 1e5), far, disparity).astype(np.float32)


def _contrast(image: Bytes) -> Float:
    grey = image.astype(np.float32)
    mean = cv2.blur(grey, (7, 7))
    return np.asarray(np.sqrt(np.maximum(cv2.blur(grey * grey, (7, 7)) - mean * mean, 0)), np.float32)


def _shadow(view: View, from_projector_m: float) -> NDArray[np.bool_]:
    """(H, W) bool where something else stands between a surface and the projector."""
    scale = view.camera.fx * abs(from_projector_m)
    if from_projector_m <= 0:
        return hidden_from_right(view.inverse_depth, scale, outside=False) > 0
    mirrored = np.ascontiguousarray(view.inverse_depth[:, ::-1])
    return (hidden_from_right(mirrored, scale, outside=False) > 0)[:, ::-1]


def ambient(color: Bytes) -> Float:
    """(H, W) float32 the room's own light in infrared."""
    return np.asarray(color @ np.array([0.5, 0.35, 0.15], np.float32), np.float32)


def _speckle(view: View, from_projector_m: float, shift: float, power: float) -> Float:
    """Light of the projector's dots: on the first surface, and on what is seen through it or in it."""
    direct = dots_at(view, view.inverse_depth, from_projector_m, shift) * table(REFLECTANCE)[view.material]
    direct[_shadow(view, from_projector_m)] = 0
    shiny = table(MIRRORED)[view.material]
    if shiny.any():
        mirrored = view.inverse_depth * np.float32(MIRRORED_INVERSE)
        direct = direct + dots_at(view, mirrored, from_projector_m, shift) * shiny
    if view.beyond is not view.inverse_depth:
        through = dots_at(view, view.beyond, from_projector_m, shift) * table(SEEN_THROUGH)[view.material]
        direct = direct + through
    return np.asarray(direct * np.float32(power), np.float32)


def dots_at(view: View, inverse: Float, from_projector_m: float, shift: float) -> Float:
    """(H, W) float32 light of the dots on a surface at `inverse`, seen from so far right of the projector."""
    height, width = inverse.shape
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    # A camera left of the projector sees a dot to the right of where the projector sent it.
    places = columns + np.float32(view.camera.fx * from_projector_m) * inverse + np.float32(shift)
    dots = cv2.remap(pattern(), places % PATTERN_PX, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    falling = np.minimum(inverse * inverse * np.float32(900), np.float32(900))
    return np.asarray(dots * falling, np.float32)


@lru_cache(1)
def pattern() -> Float:
    """About one dot in 40 pixels, at random; bright spots of about a pixel."""
    rng = np.random.default_rng(720)
    dots = np.zeros((PATTERN_PX, PATTERN_PX), np.float32)
    count = PATTERN_PX**2 // 40
    dots[rng.integers(0, PATTERN_PX, count), rng.integers(0, PATTERN_PX, count)] = rng.lognormal(
        0, 0.25, count
    )
    soft = cv2.GaussianBlur(dots, (0, 0), 0.9)
    return np.asarray(soft / soft.max(), np.float32)


def table(shares: dict[Material, float]) -> Float:
    """(256,) float32 by material, 0 for those that have no share."""
    by_material = np.zeros(256, np.float32)
    for material, share in shares.items():
        by_material[material] = share
    return by_material
