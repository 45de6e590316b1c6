"""Checks of pictures: dark, exposure, grey, infrared light, dirt on the lens, colour beside depth."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr
from app.quality.diagnosis import Evidence, Finding, Fix, setting, switched_off, switched_on
from drivers.controls import Role
from drivers.frame import Frame

Grey = NDArray[np.uint8]

DARK_LEVEL: Final = 32.0
"""Mean level of 255 below which colour shows the network too little."""
WHITE_LEVEL: Final = 250
MOST_WHITE: Final = 0.12
"""Share of the pixels that may be white; a window or a lamp in the picture is less."""
GREY_LEVELS: Final = 3.0
DOTS: Final = 0.25
"""Height of projected dots over the mean of the infrared picture, 95th percentile; else half of it."""
NO_LIGHT: Final = 4.0
"""Mean level of a time of flight camera's own light, of 255, below which it does not come out."""
HAZE_LEVELS: Final = 60.0
MOVED_PX: Final = 30.0
"""At 640 pixels width; a picture that moves less shows the same through a smudge."""
BLURRED: Final = 0.4
"""Of the sharpness that the same thing has elsewhere in the picture."""
STRUCTURE: Final = 0.7
"""Of the picture's median sharpness that a thing must have for its blur to be told."""
SMUDGED: Final = 0.004
"""Smallest share of the picture; what is smaller is noise or parallax."""
SURE: Final = 0.1
"""Response of the phase correlation from which on a shift is one."""
OFF_PX: Final = 5.0
"""At 640 pixels width."""
REACH_PX: Final = 40
RESEMBLANCE: Final = 0.3
"""Correlation of colour with infrared from which on their shift can be told."""


def too_dark(evidence: Evidence) -> Finding | None:
    """Colour shows hardly anything."""
    level = float(np.mean([_grey(frame).mean() for frame in evidence.frames]))
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
    white = float(np.mean([(_grey(frame) >= WHITE_LEVEL).mean() for frame in evidence.frames]))
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
        if float(np.percentile(apart, 99)) >= GREY_LEVELS or _grey(frame).mean() < DARK_LEVEL:
            return None
    return Finding(
        "grey",
        tr("The colour picture has no colour"),
        tr("All three channels are alike: it may be an infrared picture."),
        tr("Let the source deliver its colour stream; the network was trained with colour."),
    )


def hazy(evidence: Evidence) -> Finding | None:
    """Neither black nor white anywhere: fog, or fingers on the lens."""
    spans = [float(np.subtract(*np.percentile(_grey(frame), (99, 1)))) for frame in evidence.frames]
    if np.median(spans) >= HAZE_LEVELS or _grey(evidence.newest).mean() < DARK_LEVEL:
        return None
    return Finding(
        "haze",
        tr("The picture is flat"),
        tr("Brightest and darkest places differ by {levels:.0f} of 255 levels only.").format(
            levels=np.median(spans)
        ),
        tr("Wipe the lens with a soft cloth; look whether it has fogged up or a protective film is on it."),
    )


def smudged(evidence: Evidence) -> Finding | None:
    """A place where things are blurred that are sharp elsewhere; needs a camera that moves."""
    import cv2

    greys = [_grey(frame) for frame in evidence.frames]
    sharp = [_sharpness(grey) for grey in greys]
    height, width = greys[0].shape
    votes = np.zeros((height, width), np.uint8)
    pairs = 0
    for k, later in enumerate(greys[1:], 1):
        dx, dy = _shift_px(greys[0], later)
        if np.hypot(dx, dy) * 640 / width < MOVED_PX:
            continue
        pairs += 1
        back = np.array([[1, 0, -dx], [0, 1, -dy]])
        elsewhere = cv2.warpAffine(sharp[k], back, (width, height))  # the same things, where they went to
        told = elsewhere > STRUCTURE * np.median(sharp[k])
        votes += (told & (sharp[0] < BLURRED * elsewhere)).astype(np.uint8)
    if pairs < 2:
        return None
    dirty = cv2.morphologyEx((votes >= 2).astype(np.uint8), cv2.MORPH_OPEN, np.ones((15, 15), np.uint8)) > 0
    if not SMUDGED <= dirty.mean() <= 0.3:
        return None
    row, column = np.argwhere(dirty).mean(axis=0)
    down, across = (tr("upper"), tr("middle"), tr("lower")), (tr("left"), tr("middle"), tr("right"))
    where = tr("{vertical} {horizontal}").format(
        vertical=down[int(row * 3 / height)], horizontal=across[int(column * 3 / width)]
    )
    return Finding(
        "smudge",
        tr("The lens seems dirty"),
        tr("{share:.0%} of the picture stays blurred while it moves, at the {where}.").format(
            share=dirty.mean(), where=where
        ),
        tr("Wipe the lens with a soft cloth."),
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
    pictures = [frame.ir_left for frame in evidence.frames if frame.ir_left is not None]
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


def misaligned(evidence: Evidence) -> Finding | None:
    """Colour lies beside the infrared picture that depth is made of."""
    shifts = [shift for frame in evidence.frames if (shift := color_shift_px(frame)) is not None]
    if len(shifts) < 2:
        return None
    dx, dy = np.median(shifts, axis=0)
    off = float(np.hypot(dx, dy)) * 640 / evidence.newest.color.shape[1]
    if off < OFF_PX:
        return None
    return Finding(
        "misaligned",
        tr("Colour and depth do not lie on each other"),
        tr("Colour is {pixels:.0f} pixels beside depth ({dx:+.0f} across, {dy:+.0f} down).").format(
            pixels=np.hypot(dx, dy), dx=dx, dy=dy
        ),
        tr(
            "The camera's calibration is off: calibrate it with the vendor's tool, or let it cool down "
            "and try again."
        ),
        "error",
    )


def color_shift_px(frame: Frame) -> tuple[float, float] | None:
    """How far colour lies beside infrared, in pixels of colour; None where that cannot be told.

    Infrared is carried into the colour view over a plane at the middle of the depth. Gradients are compared:
    what reflects infrared light is not what reflects visible light, but edges are where edges are.
    """
    import cv2

    seen_by = frame.calibration
    measured = frame.depth.values[frame.depth.values > 0]
    if frame.ir_left is None or seen_by.ir is None or seen_by.color_from_ir_left is None or not measured.size:
        return None
    height, width = frame.color.shape[:2]
    if min(height, width) <= 4 * REACH_PX:
        return None
    plane_m = float(np.median(measured)) * frame.depth.unit_m
    place = seen_by.color_from_ir_left
    through_plane = place[:3, :3] + np.outer(place[:3, 3], (0, 0, 1 / plane_m))
    color_from_ir = seen_by.color.matrix @ through_plane @ np.linalg.inv(seen_by.ir.matrix)
    warped = cv2.warpPerspective(frame.ir_left, color_from_ir, (width, height))
    carried = _gradient(np.asarray(warped, np.uint8))
    inner = carried[REACH_PX:-REACH_PX, REACH_PX:-REACH_PX]
    alike = cv2.matchTemplate(_gradient(_grey(frame)), inner, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    return (float(x - REACH_PX), float(y - REACH_PX)) if best >= RESEMBLANCE else None


def dot_height(ir: Grey) -> float:
    """How far projected dots stand out of an infrared picture, as a share of its mean."""
    import cv2

    levels = ir.astype(np.float32)
    fine = np.abs(levels - cv2.GaussianBlur(levels, (0, 0), 2.5))
    return float(np.percentile(fine, 95) / max(float(levels.mean()), 1.0))


def _brighter(evidence: Evidence) -> Fix | None:
    automatic = evidence.color_control(Role.AUTO_EXPOSURE)
    on = setting(automatic, True, tr("Expose automatically"))
    gain = evidence.color_control(Role.GAIN)
    if on is not None or gain is None or isinstance(gain.value, str) or gain.value >= gain.maximum:
        return on
    return setting(gain, gain.maximum, tr("Raise the gain"))


def _shift_px(before: Grey, after: Grey) -> tuple[float, float]:
    """How far the picture as a whole has moved, across and down."""
    import cv2

    step = max(before.shape[1] // 320, 1)
    small = [np.asarray(cv2.blur(grey, (step, step))[::step, ::step], np.float32) for grey in (before, after)]
    window = cv2.createHanningWindow(small[0].shape[::-1], cv2.CV_32F)
    (dx, dy), sure = cv2.phaseCorrelate(small[0], small[1], window)
    return (dx * step, dy * step) if sure > SURE else (0.0, 0.0)


def _sharpness(grey: Grey) -> NDArray[np.float32]:
    """(H, W) float32 energy of fine structure around each pixel, above a camera's noise."""
    import cv2

    fine = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.5), cv2.CV_32F))
    return np.asarray(cv2.blur(fine, (31, 31)), np.float32)


def _gradient(grey: Grey) -> NDArray[np.float32]:
    import cv2

    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 2.5)
    steep = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    return np.asarray(np.minimum(steep, np.percentile(steep, 98)), np.float32)


def _grey(frame: Frame) -> Grey:
    import cv2

    return np.asarray(cv2.cvtColor(frame.color, cv2.COLOR_RGB2GRAY), np.uint8)
