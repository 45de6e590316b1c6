"""Structured light by real matching: one infrared camera against the pattern that its projector sends.

The pattern is what a second camera in the projector's place would see of any room, so that matching it with
the picture gives depth. What fails is what fails in Kinect's first generation: the projector's shadow, and
all that does not send its dots back to the camera.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.photo import add_noise
from drivers.synth.render import View
from drivers.synth.sensor import hidden_from_right
from drivers.synth.shapes import Material
from trainer.simulation.stereo import Light, Matcher, ambient, dots_at, match, pattern, table

Bytes = NDArray[np.uint8]
Float = NDArray[np.float32]

MATCHER = Matcher(block_px=9, p1=2, p2=8, uniqueness=10, texture=0.0, speckle_px=80, rim_px=0)
STEPS_PER_PX = 8
"""Disparity is told in eighths of a pixel."""
LEAST_CONTRAST = 5.0
"""Of the picture, in grey levels: below, there are no dots to match."""
WINDOW_PX = 9
AMBIENT = 0.25
"""Of the room's own light: the filter before the lens lets little else than the projector's pass."""
EXPOSED = 80
"""Mean grey level that the exposure aims at."""
REFLECTANCE = {
    Material.MATTE: 1.0,
    Material.GLOSSY: 0.75,
    Material.METAL: 0.035,
    Material.DARK_GLOSSY: 0.05,
    Material.GLASS: 0.07,
}
"""Share of a dot that comes back to the camera. A shiny surface sends most of it elsewhere."""
SEEN_THROUGH = {Material.GLASS: 0.2, Material.MIRROR: 0.02}


def baked_light(view: View, from_projector_m: float, shift: float, power: float) -> Float:
    """(H, W) infrared light on a view whose colours hold the room's light already, as `Light` says."""
    dots = dots_at(view, view.inverse_depth, from_projector_m, shift) * table(REFLECTANCE)[view.material]
    if view.beyond is not view.inverse_depth:
        through = dots_at(view, view.beyond, from_projector_m, shift)
        dots = dots + through * table(SEEN_THROUGH)[view.material]
    dots[hidden_from_right(view.inverse_depth, -view.camera.fx * from_projector_m) > 0] = 0
    return np.asarray(ambient(view.color) * np.float32(AMBIENT) + dots * np.float32(power), np.float32)


def infrared(
    view: View, *, baseline_m: float, power: float, rng: np.random.Generator, light: Light = baked_light
) -> tuple[Bytes, float]:
    """(H, W) uint8 what the camera sees, and where in the pattern its projector begins.

    Args:
        view: of the camera.
        baseline_m: to the projector on its right.
        power: of the projector beside the room's light; 1 is usual.
        rng: noise, and the place of the pattern.
        light: of the room and of the projector.
    """
    shift = float(rng.integers(pattern().shape[1]))
    picture = light(view, -baseline_m, shift, power)
    gain = EXPOSED / max(float(np.mean(np.minimum(picture, 255))), 1.0)
    return add_noise(np.asarray(cv2.convertScaleAbs(picture, alpha=min(gain, 4.0)), np.uint8), rng), shift


def disparity(picture: Bytes, shift: float, *, most_px: int) -> Float:
    """(H, W) float32 pixels between picture and pattern, 0 where there is no answer.

    Args:
        picture: (H, W) uint8 of the camera.
        shift: where in the pattern its projector begins.
        most_px: largest disparity that is looked for.
    """
    height, width = picture.shape
    columns = (np.arange(width) + int(shift)) % pattern().shape[1]
    known = pattern()[np.arange(height)[:, None] % pattern().shape[0], columns]
    sent = np.asarray(cv2.convertScaleAbs(known, alpha=255.0), np.uint8)
    seen, contrast = _evened(picture)
    found = match(seen, _evened(sent)[0], MATCHER, most_px=most_px)
    found[contrast < LEAST_CONTRAST] = 0
    return np.asarray(np.rint(found * STEPS_PER_PX) / STEPS_PER_PX, np.float32)


def _evened(picture: Bytes) -> tuple[Bytes, Float]:
    """The picture with the same brightness and contrast everywhere, and its contrast in grey levels."""
    grey = picture.astype(np.float32)
    size = (WINDOW_PX, WINDOW_PX)
    mean = cv2.blur(grey, size)
    contrast = np.sqrt(np.maximum(cv2.blur(grey * grey, size) - mean * mean, 0))
    even = 128 + 45 * (grey - mean) / (contrast + 2)
    return np.asarray(np.clip(even, 0, 253), np.uint8), np.asarray(contrast, np.float32)
