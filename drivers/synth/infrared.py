"""The infrared pictures that go with a measured view."""

from functools import lru_cache

import cv2
import numpy as np

from drivers.synth.arrays import Bytes, Float, floats, octets
from drivers.synth.photo import add_noise
from drivers.synth.render import View
from drivers.synth.sensor import DEFAULTS, SensorKind, SensorParams
from drivers.synth.shapes import Material

PATTERN_EDGE_PX = 2048


def infrared(
    view: View, kind: SensorKind, rng: np.random.Generator, params: SensorParams | None = None
) -> tuple[Bytes, Bytes | None]:
    """Left and right infrared images, (H, W) uint8 each; the right one is None for what has one camera.

    The right image is the left one moved by the disparity, so a matcher finds the depth of `view` in it; what
    only the right camera sees is stretched background.
    """
    p = params or DEFAULTS[kind]
    grey = cv2.cvtColor(view.color, cv2.COLOR_RGB2GRAY)
    if kind is SensorKind.TIME_OF_FLIGHT:  # its own flash: amplitude falls with the square of the distance
        flash = cv2.multiply(view.inverse_depth, view.inverse_depth, scale=330.0 * p.power, dtype=cv2.CV_8U)
        left = cv2.multiply(_nearly_white(octets(grey)), flash, scale=1 / 200)
        return add_noise(np.asarray(left, np.uint8), rng), None
    columns, rows = _grid(*grey.shape)
    scale = float(view.camera.fx * p.baseline_m)
    if kind is not SensorKind.PASSIVE_STEREO:
        # The projector sits in the middle between two cameras, and in the place of the second beside one.
        share = 1.0 if kind is SensorKind.STRUCTURED_LIGHT else 0.5
        dots = cv2.remap(
            _dots(),
            cv2.scaleAdd(view.inverse_depth, -share * scale, columns),
            rows,
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_WRAP,
        )
        cv2.multiply(dots, cv2.LUT(view.material, _answers()), dst=dots, scale=1 / 255)
        strength = cv2.multiply(
            view.inverse_depth, view.inverse_depth, scale=420.0 * p.power, dtype=cv2.CV_8U
        )
        cv2.multiply(dots, strength, dst=dots, scale=1 / 255)
        lit = cv2.multiply(_nearly_white(octets(grey)), dots, scale=1 / 170)
        clean = cv2.addWeighted(grey, 0.45, lit, 1.0, 0)
    else:
        clean = grey
    if kind is SensorKind.STRUCTURED_LIGHT:
        return add_noise(np.asarray(clean, np.uint8), rng), None
    right = cv2.remap(
        clean,
        cv2.add(columns, _disparity_from_right(view.inverse_depth, scale)),
        rows,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return add_noise(np.asarray(clean, np.uint8), rng), add_noise(np.asarray(right, np.uint8), rng)


def _disparity_from_right(inverse: Float, scale: float) -> Float:
    """(H, W) float32 disparity in the right camera's pixels."""
    h, w = inverse.shape
    small_w, small_h = max(w // 2, 1), max(h // 2, 1)
    small = cv2.resize(inverse, (small_w, small_h), interpolation=cv2.INTER_NEAREST)
    columns, rows = _grid(small_h, small_w)
    # d(x) of the right image solves d = left(x + d). Starting above the answer finds the nearer surface.
    step = scale * small_w / w
    found = cv2.dilate(small, np.ones((1, 9), np.uint8))
    for _ in range(3):
        found = cv2.remap(
            small,
            cv2.scaleAdd(found, step, columns),
            rows,
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        )
    full = cv2.resize(found, (w, h), interpolation=cv2.INTER_LINEAR)
    return floats(full) * np.float32(scale)


@lru_cache(maxsize=16)
def _grid(h: int, w: int) -> tuple[Float, Float]:
    rows, columns = np.mgrid[0:h, 0:w].astype(np.float32)
    return np.ascontiguousarray(columns), np.ascontiguousarray(rows)


@lru_cache(maxsize=1)
def _dots() -> Bytes:
    """The projected pattern: about one dot in 60 pixels, at random."""
    rng = np.random.default_rng(2028)
    dots = np.zeros((PATTERN_EDGE_PX, PATTERN_EDGE_PX), np.float32)
    count = PATTERN_EDGE_PX**2 // 60
    dots[rng.integers(0, PATTERN_EDGE_PX, count), rng.integers(0, PATTERN_EDGE_PX, count)] = rng.uniform(
        0.5, 1.0, count
    )
    soft = floats(cv2.GaussianBlur(dots, (5, 5), 0.8))
    return octets(np.clip(soft * (255 / 0.22), 0, 255).astype(np.uint8))


def _nearly_white(grey: Bytes) -> Bytes:
    """Most dyes reflect infrared better than red, green and blue."""
    return octets(cv2.convertScaleAbs(grey, alpha=0.8, beta=40))


@lru_cache(maxsize=1)
def _answers() -> Bytes:
    """How much of a projected dot each material sends back to the camera."""
    table = np.full(256, 255, np.uint8)
    table[list(Material)] = (255, 200, 90, 60, 30, 10, 25, 0)
    return table
