"""Everything that is measured or repaired as 32-bit colours: one table look-up for each pixel."""

from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from app.language import tr_noop
from model.repair import Provenance

Rgb = tuple[int, int, int]

HOLE_CELL_PX: Final = 8
HOLE_COLOURS: Final[tuple[Rgb, Rgb]] = ((19, 22, 27), (43, 48, 56))
"""No hue and no place in Turbo: a dark checker cannot be taken for a distance."""

HIDDEN_STRIPE_PX: Final = 4
HIDDEN_COLOURS: Final[tuple[Rgb, Rgb]] = ((94, 72, 22), (30, 24, 10))
"""Of the warnings' hue, and darker than any depth."""

ColourMap = Literal["turbo", "viridis", "inferno", "spectral", "grey", "jet"]

COLOUR_MAP_WORDS: Final[dict[ColourMap, str]] = {
    "turbo": tr_noop("Turbo"),
    "viridis": tr_noop("Viridis"),
    "inferno": tr_noop("Inferno"),
    "spectral": tr_noop("Spectral"),
    "grey": tr_noop("Grey"),
    "jet": tr_noop("Jet"),
}

MAP_ENDS: Final[dict[ColourMap, tuple[float, float]]] = {
    "turbo": (0.06, 0.94),
    "viridis": (0.0, 1.0),
    "inferno": (0.16, 1.0),
    "spectral": (0.0, 1.0),
    "grey": (0.3, 1.0),
    "jet": (0.0, 1.0),
}
"""Share of each map that is used: ends that are nearly black would look like holes."""

SPECTRAL: Final[tuple[Rgb, ...]] = (
    (94, 79, 162), (50, 136, 189), (102, 194, 165), (171, 221, 164), (230, 245, 152), (255, 255, 191),
    (254, 224, 139), (253, 174, 97), (244, 109, 67), (213, 62, 79), (158, 1, 66),
)  # fmt: skip
"""Spectral of ColorBrewer 2, with its 11 classes, blue first."""

DIVERGING: Final[tuple[Rgb, ...]] = (
    (33, 102, 172), (146, 197, 222), (244, 244, 244), (244, 165, 130), (178, 24, 43),
)  # fmt: skip
"""RdBu of ColorBrewer 2, blue first, with a neutral middle: no difference has no hue."""

PROVENANCE_COLOURS: Final[dict[Provenance, Rgb]] = {
    Provenance.MEASURED: (196, 204, 214),
    Provenance.REFINED: (66, 146, 226),
    Provenance.INVENTED: (244, 172, 50),
    Provenance.REJECTED: (208, 50, 84),
}
"""Told apart by lightness as well as by hue; what the sensor said stays grey, so that the rest stands out."""

PROVENANCE_WORDS: Final[dict[Provenance, str]] = {
    Provenance.MEASURED: tr_noop("Measured"),
    Provenance.REFINED: tr_noop("Corrected"),
    Provenance.INVENTED: tr_noop("Invented"),
    Provenance.REJECTED: tr_noop("Rejected"),
}

PROVENANCE_MEANINGS: Final[dict[Provenance, str]] = {
    Provenance.MEASURED: tr_noop("sensor value kept"),
    Provenance.REFINED: tr_noop("sensor value changed"),
    Provenance.INVENTED: tr_noop("sensor saw nothing"),
    Provenance.REJECTED: tr_noop("no depth here"),
}

ATTENTION_ALPHA: Final = 178
"""Of 255: the picture below is still seen."""

DIMMEST: Final = 0.3
"""Share of its colour that provenance keeps where the picture is black."""


@lru_cache
def ramp(colour_map: ColourMap) -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB of a colour map, from the nearest colour to the farthest.

    Blue is near where there is blue, as in RealSense's Jet and the published example's Turbo.
    """
    near, far = MAP_ENDS[colour_map]
    if colour_map == "spectral":
        return _between(SPECTRAL)
    if colour_map == "grey":
        return np.repeat(np.linspace(near * 255, far * 255, 256).round().astype(np.uint8)[:, None], 3, axis=1)
    maps = {
        "turbo": cv2.COLORMAP_TURBO,
        "viridis": cv2.COLORMAP_VIRIDIS,
        "inferno": cv2.COLORMAP_INFERNO,
        "jet": cv2.COLORMAP_JET,
    }
    places = np.linspace(near * 255, far * 255, 256).round().astype(np.uint8)
    bgr = cv2.applyColorMap(places.reshape(-1, 1), maps[colour_map])
    return np.ascontiguousarray(bgr[:, 0, ::-1], np.uint8)


def colour_attention(weights: NDArray[np.float32]) -> NDArray[np.uint32]:
    """(R, C) uint32 0xAARRGGBB of (R, C) attention in Inferno, to lie over the picture that it belongs to."""
    levels = np.rint(weights / max(float(weights.max()), 1e-12) * 255).astype(np.uint8)
    opaque = _packed(ramp("inferno"))[levels]
    return np.ascontiguousarray((opaque & np.uint32(0xFFFFFF)) | np.uint32(ATTENTION_ALPHA << 24))


@lru_cache(maxsize=1)
def diverging() -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB of a signed difference: blue below zero, red above."""
    return _between(DIVERGING)


@lru_cache(maxsize=16)
def depth_table(
    near_m: float, far_m: float, unit_m: float, colour_map: ColourMap = "turbo"
) -> NDArray[np.uint32]:
    """(65536,) uint32 0xffRRGGBB: the colour of every count; what lies outside the range takes its end.

    The first two are those of holes. No sensor measures as near as one count.
    """
    counts = np.arange(65_536, dtype=np.float64)
    share = (counts * unit_m - near_m) / (far_m - near_m)
    table = _packed(ramp(colour_map))[np.clip(share * 255, 0, 255).astype(np.uint8)]
    table[:2] = _packed(np.array(HOLE_COLOURS))
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def difference_table(limit_m: float, unit_m: float) -> NDArray[np.uint32]:
    """(65536,) uint32: colour of `refined - raw + 32768` counts, from -`limit_m` to +`limit_m`."""
    counts = np.arange(65_536, dtype=np.float64) - 32_768
    share = (counts * unit_m / limit_m + 1) / 2
    table = _packed(diverging())[np.clip(np.rint(share * 255), 0, 255).astype(np.uint8)]
    table.flags.writeable = False
    return table


@lru_cache(maxsize=1)
def grey_table() -> NDArray[np.uint32]:
    """(256,) uint32: the greys, for infrared pictures."""
    return _packed(np.repeat(np.arange(256)[:, None], 3, axis=1))


@lru_cache(maxsize=1)
def confidence_table() -> NDArray[np.uint32]:
    """(256,) uint32: from dark (not sure at all) to yellow (sure)."""
    return _packed(ramp("viridis"))


@lru_cache(maxsize=16)
def hole_cells(height: int, width: int) -> NDArray[np.uint16]:
    """(H, W) uint16 checker of 0 and 1: which of `HOLE_COLOURS` a hole has there."""
    cells = np.add.outer(np.arange(height) // HOLE_CELL_PX, np.arange(width) // HOLE_CELL_PX)
    checker: NDArray[np.uint16] = (cells % 2).astype(np.uint16)
    checker.flags.writeable = False
    return checker


@lru_cache(maxsize=16)
def hole_pattern(height: int, width: int) -> NDArray[np.uint32]:
    """(H, W) uint32 checker that says "no data"."""
    pattern: NDArray[np.uint32] = _packed(np.array(HOLE_COLOURS))[hole_cells(height, width)]
    pattern.flags.writeable = False
    return pattern


@lru_cache(maxsize=16)
def stripe_pattern(height: int, width: int) -> NDArray[np.uint32]:
    """(H, W) uint32 slanted stripes that say "hidden on purpose"."""
    stripes = np.add.outer(np.arange(height), np.arange(width)) // HIDDEN_STRIPE_PX
    pattern: NDArray[np.uint32] = _packed(np.array(HIDDEN_COLOURS))[stripes % 2]
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
    # LUT takes half the time of numpy's take, which makes eight bytes of each count first.
    cv2.LUT(np.maximum(counts, hole_cells(*counts.shape)), table.view(np.int32), dst=out.view(np.int32))
    return out


def colour_hidden(hidden: NDArray[np.bool_], out: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Strike out in `out` (H, W) what is hidden on purpose: another pattern than that of holes."""
    np.copyto(out, stripe_pattern(*hidden.shape), where=hidden)
    return out


def colour_difference(
    raw: NDArray[np.uint16],
    refined: NDArray[np.uint16],
    table: NDArray[np.uint32],
    out: NDArray[np.uint32],
) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with the colours of refined minus raw counts; returns `out`.

    Where either has no depth there is no difference: the checker.
    """
    places = refined.astype(np.int32)
    places -= raw
    places += 32_768
    np.take(table, places, mode="clip", out=out)
    np.copyto(out, hole_pattern(*raw.shape), where=(raw == 0) | (refined == 0))
    return out


def colour_confidence(confidence: NDArray[np.float32], out: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with the colours of confidence in 0..1; returns `out`."""
    places = np.asarray(cv2.convertScaleAbs(confidence, alpha=255), np.uint8)
    np.take(confidence_table(), places, mode="clip", out=out)
    return out


def colour_infrared(infrared: NDArray[np.uint8], out: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with an infrared picture's greys; returns `out`."""
    np.take(grey_table(), infrared, mode="clip", out=out)
    return out


def copy_color(color: NDArray[np.uint8], out: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with (H, W, 3) RGB; returns `out`.

    Qt and OpenCV draw and smooth 32 bit pixels in half the time of 24 bit ones or less.
    """
    cv2.cvtColor(color, cv2.COLOR_RGB2BGRA, dst=out.view(np.uint8).reshape(*out.shape, 4))
    return out


def fit_color(color: NDArray[np.uint8], whole: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Fill `out` (h, w, 4) with (H, W, 3) RGB as Qt has it, smoothly in another size.

    Args:
        color: the picture.
        whole: (H, W, 4), room for it on the way.
        out: what is filled.
    """
    cv2.cvtColor(color, cv2.COLOR_RGB2BGRA, dst=whole)
    cv2.resize(whole, out.shape[1::-1], dst=out, interpolation=cv2.INTER_LINEAR)


def colour_provenance(
    provenance: NDArray[np.uint8], color: NDArray[np.uint8], out: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Fill `out` (H, W) with provenance, in the picture's own light and shade; returns `out`."""
    grey = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)
    places = provenance.astype(np.uint16) << np.uint16(8)
    np.bitwise_or(places, grey, out=places)
    np.take(provenance_table(), places, mode="clip", out=out)
    return out


def _between(anchors: tuple[Rgb, ...]) -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB that goes through all anchors at equal steps."""
    at = np.linspace(0, 1, len(anchors))
    channels = [np.interp(np.linspace(0, 1, 256), at, values) for values in zip(*anchors, strict=True)]
    return np.ascontiguousarray(np.stack(channels, axis=-1).round().astype(np.uint8))


def _packed(rgb: NDArray[np.integer]) -> NDArray[np.uint32]:
    red, green, blue = np.moveaxis(rgb.astype(np.uint32), -1, 0)
    packed = red << 16 | green << 8 | blue | 0xFF000000
    return np.asarray(packed, np.uint32)
