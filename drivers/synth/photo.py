"""What an ordinary colour sensor makes of a view: a little darker in the corners, a little noise."""

from functools import lru_cache

import cv2
import numpy as np

from drivers.synth.arrays import Bytes, octets
from drivers.synth.render import View

BANK_EDGE_PX = 1024


def photograph(view: View, rng: np.random.Generator) -> Bytes:
    """(H, W, 3) uint8 RGB with lens shading and noise."""
    h, w = view.material.shape
    shaded = cv2.multiply(view.color, _vignette(h, w), scale=1 / 255)
    return add_noise(octets(shaded), rng)


def add_noise(image: Bytes, rng: np.random.Generator) -> Bytes:
    """`image` with sensor noise of about two grey levels, in place."""
    h, w = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    above, below = _noise_banks(channels)
    top, left = int(rng.integers(BANK_EDGE_PX)), int(rng.integers(BANK_EDGE_PX))
    part = (slice(top % max(above.shape[0] - h, 1), None), slice(left % max(above.shape[1] - w, 1), None))
    above, below = above[part][:h, :w], below[part][:h, :w]
    if above.shape[:2] != (h, w):  # larger than the bank
        above, below = octets(cv2.resize(above, (w, h))), octets(cv2.resize(below, (w, h)))
    cv2.add(image, above, dst=image)
    cv2.subtract(image, below, dst=image)
    return image


@lru_cache(maxsize=2)
def _noise_banks(channels: int) -> tuple[Bytes, Bytes]:
    """What is added and what is taken away; two images because uint8 has no sign."""
    rng = np.random.default_rng(2027 + channels)
    shape = (BANK_EDGE_PX, BANK_EDGE_PX, channels) if channels > 1 else (BANK_EDGE_PX, BANK_EDGE_PX)
    noise = np.rint(rng.standard_normal(shape, np.float32) * np.float32(1.9))
    return np.clip(noise, 0, 255).astype(np.uint8), np.clip(-noise, 0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def _vignette(h: int, w: int) -> Bytes:
    ys, xs = np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)[None]
    gain = 255 * (1 - 0.11 * (xs**2 + ys**2))
    return np.repeat(gain[..., None], 3, axis=2).astype(np.uint8)
