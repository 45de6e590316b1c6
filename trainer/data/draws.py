"""All that chance decides about one sample, drawn before any picture is touched."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.config import AugmentConfig, MaskingConfig, Masks

GAMMA, GAIN, LIFT, TINT = 0.3, 0.25, 15 / 255, 0.08
GREY_CHANCE, GREY_SHARE = 0.2, 0.6
BLUR_PX = (3, 9)
SHOT_SIGMA = (2 / 255, 8 / 255)
JPEG_QUALITY = (30, 90)


@dataclass(frozen=True, eq=False)
class Draws:
    """What happens to one sample.

    Attributes:
        crop: top, left, height and width, as shares of the image.
        flip: whether it is mirrored.
        gamma: exponent of the colours.
        gain: factor of the colours, (3,).
        lift: added to them.
        grey: share of grey that is mixed in.
        blur_px: length of the motion, 0 for none.
        blur_rad: its direction.
        noise: standard deviation of the noise in full light, 0 for none.
        jpeg: quality, 0 for none.
        seed: of the noise in the picture.
        natural: hide only what has no depth.
        ratio: share of tokens to hide.
        mixed_probability: chance of a patch with some holes to be hidden.
        mixed: (N,) in 0..1; a mixed patch below `mixed_probability` is hidden.
        order: (N,) in 0..1; whole patches are hidden in this order.
        masks: where hidden tokens lie, as `MaskingConfig` says.
    """

    crop: tuple[float, float, float, float]
    flip: bool
    gamma: float
    gain: tuple[float, float, float]
    lift: float
    grey: float
    blur_px: int
    blur_rad: float
    noise: float
    jpeg: int
    seed: int
    natural: bool
    ratio: float
    mixed_probability: float
    mixed: NDArray[np.float32]
    order: NDArray[np.float32]
    masks: Masks = "natural"


def draw(rng: np.random.Generator, augment: AugmentConfig, masking: MaskingConfig, *, tokens: int) -> Draws:
    """Draws of one sample.

    Args:
        rng: of that sample.
        augment: says how strong.
        masking: says what is hidden.
        tokens: depth tokens of the grid.
    """
    scale = rng.uniform(*augment.crop)
    top, left = rng.uniform(0, 1 - scale, 2)
    flip = rng.random() < augment.flip
    jitter = augment.jitter
    gamma = float(np.exp(rng.uniform(-GAMMA, GAMMA) * jitter))
    gain = (1 + rng.uniform(-GAIN, GAIN) * jitter) * (1 + rng.uniform(-TINT, TINT, 3) * jitter)
    lift = rng.uniform(-LIFT, LIFT) * jitter
    grey = GREY_SHARE * min(jitter, 1.0) if rng.random() < GREY_CHANCE else 0.0
    blur_px, blur_rad = int(rng.integers(*BLUR_PX)), float(rng.uniform(0, np.pi))
    blurred = rng.random() < augment.blur
    noise = rng.uniform(*SHOT_SIGMA) if rng.random() < augment.shot_noise else 0.0
    quality = int(rng.integers(*JPEG_QUALITY)) if rng.random() < augment.jpeg else 0
    return Draws(
        crop=(float(top), float(left), float(scale), float(scale)),
        flip=bool(flip),
        gamma=gamma,
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        lift=float(lift),
        grey=grey,
        blur_px=blur_px if blurred else 0,
        blur_rad=blur_rad,
        noise=float(noise),
        jpeg=quality,
        seed=int(rng.integers(1 << 31)),
        natural=bool(rng.random() < masking.natural),
        ratio=float(rng.uniform(*masking.ratio)),
        mixed_probability=masking.mixed_probability,
        mixed=rng.random(tokens, np.float32),
        order=rng.random(tokens, np.float32),
        masks=masking.masks,
    )
