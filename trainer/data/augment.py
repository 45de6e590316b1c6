"""Random crops, mirror images and colour faults (report, section 2.3)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.data.samples import Sample


def augment(sample: Sample, rng: np.random.Generator) -> Sample:
    """The sample as another camera might have seen it; depth keeps its metres."""
    sample = _crop(sample, rng)
    if rng.random() < 0.5:
        sample = _each(sample, lambda image: np.ascontiguousarray(image[:, ::-1]))
    return replace(sample, color=_colors(sample.color, rng))


def _crop(sample: Sample, rng: np.random.Generator) -> Sample:
    height, width = sample.depth_m.shape
    scale = rng.uniform(0.7, 1.0)
    h, w = round(height * scale), round(width * scale)
    top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    return _each(sample, lambda image: image[top : top + h, left : left + w])


def _each(sample: Sample, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Sample:
    nothing = None if sample.nothing is None else change(sample.nothing)
    return replace(
        sample,
        color=change(sample.color),
        depth_m=change(sample.depth_m),
        target_m=change(sample.target_m),
        nothing=nothing,
    )


def _colors(color: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    values = np.arange(256, dtype=np.float32)
    gamma, gain, lift = rng.uniform(0.75, 1.35), rng.uniform(0.75, 1.25), rng.uniform(-15, 15)
    tint = rng.uniform(0.92, 1.08, 3)
    curve = 255 * (values[:, None] / 255) ** gamma * gain * tint + lift  # (256, 3)
    table = np.clip(curve, 0, 255).astype(np.uint8)[None]  # (1, 256, 3)
    out = np.asarray(cv2.LUT(np.ascontiguousarray(color), table), np.uint8)
    if rng.random() < 0.2:
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None]
        out = cv2.addWeighted(out, 0.4, np.repeat(grey, 3, 2), 0.6, 0).astype(np.uint8)
    if rng.random() < 0.2:
        length = int(rng.integers(3, 9))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1)
        out = cv2.filter2D(out, -1, cv2.warpAffine(kernel, turn, (length, length))).astype(np.uint8)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(2, 8), out.shape).astype(np.float32)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, jpeg = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))])
        out = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return out
