"""Depth and provenance as 32-bit colours: one table look-up for each pixel."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.repair import Provenance

Rgb = tuple[int, int, int]

HOLE_CELL_PX: Final = 8
HOLE_COLOURS: Final[tuple[Rgb, Rgb]] = ((19, 22, 27), (43, 48, 56))
"""No hue and no place in Turbo: a dark checker cannot be taken for a distance."""

TURBO_ENDS: Final = (0.06, 0.94)
"""Turbo's own ends are nearly black and would look like holes."""

PROVENANCE_COLOURS: Final[dict[Provenance, Rgb]] = {
    Provenance.MEASURED: (196, 204, 214),
    Provenance.REFINED: (66, 146, 226),
    Provenance.INVENTED: (244, 172, 50),
    Provenance.REJECTED: (208, 50, 84),
}
"""Told apart by lightness as well as by hue; what the sensor said stays grey, so that the rest stands out."""

PROVENANCE_WORDS: Final[dict[Provenance, str]] = {
    Provenance.MEASURED: "Measured",
    Provenance.REFINED: "Refined",
    Provenance.INVENTED: "Invented",
    Provenance.REJECTED: "Rejected",
}

PROVENANCE_MEANINGS: Final[dict[Provenance, str]] = {
    Provenance.MEASURED: "sensor value kept",
    Provenance.REFINED: "sensor value changed",
    Provenance.INVENTED: "sensor saw nothing",
    Provenance.REJECTED: "no depth here",
}

DIMMEST: Final = 0.3
"""Share of its colour that provenance keeps where the picture is black."""


@lru_cache(maxsize=1)
def turbo() -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB, from the nearest colour (blue) to the farthest (red).

    As RealSense's Jet and the published example's Turbo: blue is near.
    """
    import cv2

    places = np.linspace(TURBO_ENDS[0] * 255, TURBO_ENDS[1] * 255, 256).round().astype(np.uint8)
    bgr = cv2.applyColorMap(places.reshape(-1, 1), cv2.COLORMAP_TURBO)
    return np.ascontiguousarray(bgr[:, 0, ::-1], np.uint8)


@lru_cache(maxsize=16)
def depth_table(near_m: float, far_m: float, unit_m: float) -> NDArray[np.uint32]:
    """(65536,) uint32 0xffRRGGBB: the colour of every count; what lies outside the range takes its end."""
    counts = np.arange(65_536, dtype=np.float64)
    share = (counts * unit_m - near_m) / (far_m - near_m)
    table = _packed(turbo())[np.clip(share * 255, 0, 255).astype(np.uint8)]
    table[0] = _packed(np.array(HOLE_COLOURS[0]))[()]
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def hole_pattern(height: int, width: int) -> NDArray[np.uint32]:
    """(H, W) uint32 checker that says "no data"."""
    cells = np.add.outer(np.arange(height) // HOLE_CELL_PX, np.arange(width) // HOLE_CELL_PX)
    pattern: NDArray[np.uint32] = _packed(np.array(HOLE_COLOURS))[cells % 2]
    pattern.flags.writeable = False
    return pattern


@lru_cache(maxsize=1)
def provenance_table() -> NDArray[np.uint32]:
    """(1024,) uint32: colour of `provenance * 256 + brightness`."""
    share = DIMMEST + (1 - DIMMEST) * np.arange(256) / 255
    colours = np.array([PROVENANCE_COLOURS[kind] for kind in Provenance])
    return _packed((colours[:, None, :] * share[None, :, None]).astype(np.uint8).reshape(-1, 3))


def colour_depth(
    counts: NDArray[np.uint16], table: NDArray[np.uint32], out: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with the colours of `counts` (H, W), holes with the checker; returns `out`."""
    np.take(table, counts, mode="clip", out=out)
    np.copyto(out, hole_pattern(*counts.shape), where=counts == 0)
    return out


def copy_color(color: NDArray[np.uint8], out: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with (H, W, 3) RGB; returns `out`.

    Qt draws and smooths 32 bit pixels three times as fast as 24 bit ones.
    """
    import cv2

    cv2.cvtColor(color, cv2.COLOR_RGB2BGRA, dst=out.view(np.uint8).reshape(*out.shape, 4))
    return out


def colour_provenance(
    provenance: NDArray[np.uint8], color: NDArray[np.uint8], out: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with provenance, in the picture's own light and shade; returns `out`."""
    import cv2

    grey = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)
    places = provenance.astype(np.uint16) << np.uint16(8)
    np.bitwise_or(places, grey, out=places)
    np.take(provenance_table(), places, mode="clip", out=out)
    return out


def _packed(rgb: NDArray[np.integer]) -> NDArray[np.uint32]:
    red, green, blue = np.moveaxis(rgb.astype(np.uint32), -1, 0)
    packed = red << 16 | green << 8 | blue | 0xFF000000
    return np.asarray(packed, np.uint32)
