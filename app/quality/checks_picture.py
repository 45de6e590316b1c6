"""Checks of the light in pictures: dark, exposure, grey, infrared light."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr
from app.quality.diagnosis import Evidence, Finding, Fix, setting, switched_off, switched_on
from app.quality.overlay import grey_of
from drivers.controls import Role

Grey = NDArray[np.uint8]

DARK_LEVEL: Final = 32.0
"""Mean level of 255 below which colour shows the network too little."""
WHITE_LEVEL: Final = 250
MOST_WHITE: Final = 0.12
"""Share of the pixels that may be white; a window or a lamp in the picture is less."""
GREY_LEVELS: Final = 3.0
DOTS: Final = 0.09
"""Height of projected dots over the mean of the infrared picture: above 0.2, without light below 0.05."""
TILE_PX: Final = 40
NO_LIGHT: Final = 4.0
"""Mean level of a time of flight camera's own light, of 255, below which it does not come out."""


def too_dark(evidence: Evidence) -> Finding | None:
    """Colour shows hardly anything."""
    level = float(np.mean([grey_of(frame).mean() for frame in evidence.frames]))
    if level >= DARK_LEVEL:
        return None
    return Finding(
        "dark",
        tr("It is too dark"),
        tr("The colour picture has a mean of {level:.0f} of 255.").format(level=level),
        tr("Switch a light on, or open the shutter of the lens."),
        "error",
        _brighter(evidence),
    )


def too_bright(evidence: Evidence) -> Finding | None:
    """A large part of the colour picture is white."""
    white = float(np.mean([(grey_of(frame) >= WHITE_LEVEL).mean() for frame in evidence.frames]))
    if white <= MOST_WHITE:
        return None
    automatic = evidence.color_control(Role.AUTO_EXPOSURE)
    return Finding(
        "exposure",
        tr("The picture is overexposed"),
        tr("{white:.0%} of the colour picture is white.").format(white=white),
        tr("Turn away from the sun, or expose for a shorter time."),
        "warning",
        setting(automatic, True, tr("Expose automatically")),
    )


def slow_exposure(evidence: Evidence) -> Finding | None:
    """One exposure takes longer than one frame may."""
    exposure, period_us = evidence.color_control(Role.EXPOSURE), 1e6 / max(evidence.info.rate_hz, 1e-3)
    if exposure is None or exposure.unit != "μs" or isinstance(exposure.value, str):
        return None
    if exposure.value <= period_us:
        return None
    automatic, keep = evidence.color_control(Role.AUTO_EXPOSURE), evidence.color_control(Role.KEEP_RATE)
    return Finding(
        "slow exposure",
        tr("Exposures take too long for the rate"),
        tr("{exposure_ms:.0f} ms each, but {rate_hz:.0f} frames a second leave {period_ms:.0f} ms.").format(
            exposure_ms=exposure.value / 1e3, rate_hz=evidence.info.rate_hz, period_ms=period_us / 1e3
        ),
        tr("Add light, or expose for a shorter time."),
        "warning",
        setting(keep, True, tr("Keep the rate in the dark"))
        or setting(automatic, True, tr("Expose automatically")),
    )


def no_colour(evidence: Evidence) -> Finding | None:
    """The colour picture is grey, such as infrared."""
    for frame in evidence.frames:
        apart = frame.color.max(axis=2).astype(np.int16) - frame.color.min(axis=2)
        if float(np.percentile(apart, 99)) >= GREY_LEVELS or grey_of(frame).mean() < DARK_LEVEL:
            return None
    return Finding(
        "grey",
        tr("The colour picture has no colour"),
        tr("All three channels are alike: it may be an infrared picture."),
        tr("Let the source deliver its colour stream; the network was trained with colour."),
    )


def no_light(evidence: Evidence) -> Finding | None:
    """The camera's own infrared light is off, or does not come out."""
    emitter, power = evidence.control(Role.EMITTER), evidence.control(Role.LASER_POWER)
    active = "active" in evidence.info.sensor or "time of flight" in evidence.info.sensor
    if not active:
        return None
    if switched_off(emitter):
        assert emitter is not None
        fix = setting(emitter, switched_on(emitter), tr("Switch the emitter on"))
        return Finding(
            "emitter",
            tr("The infrared emitter is off"),
            tr("Without its own light the camera sees no depth on what is plain."),
            tr("Switch it on, unless another camera's light is in the way."),
            "error",
            fix,
        )
    if power is not None and power.value == 0:
        fix = setting(power, power.default, tr("Set the usual laser power"))
        return Finding(
            "emitter",
            tr("The laser has no power"),
            tr("Its power is 0."),
            tr("Give it its usual power."),
            "error",
            fix,
        )
    pictures = [frame.ir_left for frame in evidence.frames[::2] if frame.ir_left is not None]
    if not pictures:
        return None
    if "time of flight" in evidence.info.sensor:
        blocked, seen = (
            max(float(ir.mean()) for ir in pictures) < NO_LIGHT,
            tr("its light comes back nowhere"),
        )
    else:
        blocked = max(dot_height(ir) for ir in pictures) < DOTS
        seen = tr("no projected dots are to be seen in the infrared picture")
    if not blocked:
        return None
    return Finding(
        "emitter blocked",
        tr("The infrared light does not come out"),
        tr("The emitter is on, but {seen}.").format(seen=seen),
        tr("Look whether something covers the projector, or whether sunlight drowns it."),
        "error",
    )


def dot_height(ir: Grey) -> float:
    """How far projected dots stand out of an infrared picture, as a share of its mean, where they do most.

    Small bright spots less small dark ones, 95th percentile of each tile, in the best tenth of the tiles:
    dots are bright only, while print, edges and noise are as dark as they are bright.
    """
    import cv2

    levels = ir.astype(np.float32)
    size = 2 * max(round(ir.shape[1] / 320), 2) + 1
    spot = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    bright = levels - cv2.morphologyEx(levels, cv2.MORPH_OPEN, spot)
    dark = cv2.morphologyEx(levels, cv2.MORPH_CLOSE, spot) - levels
    mean = np.maximum(_tiles(levels).mean(axis=1), 1)
    high = np.percentile(_tiles(bright), 95, axis=1) - np.percentile(_tiles(dark), 95, axis=1)
    return float(np.percentile(high / mean, 90))


def _tiles(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, TILE_PX ** 2) the picture in squares; what is left over at its right and lower edge is left out."""
    rows, columns = (max(size // TILE_PX, 1) for size in levels.shape)
    height, width = min(TILE_PX, levels.shape[0]), min(TILE_PX, levels.shape[1])
    cropped = levels[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return cropped.transpose(0, 2, 1, 3).reshape(rows * columns, height * width)


def _brighter(evidence: Evidence) -> Fix | None:
    automatic = evidence.color_control(Role.AUTO_EXPOSURE)
    on = setting(automatic, True, tr("Expose automatically"))
    gain = evidence.color_control(Role.GAIN)
    if on is not None or gain is None or isinstance(gain.value, str) or gain.value >= gain.maximum:
        return on
    return setting(gain, gain.maximum, tr("Raise the gain"))
