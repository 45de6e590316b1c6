"""Checks of lenses: their data, where they look, and what is on them."""

from typing import Final

import numpy as np

from app.language import tr, with_minus
from app.quality.checks_picture import DARK_LEVEL, WHITE_LEVEL
from app.quality.diagnosis import Evidence, Finding
from app.quality.overlay import color_shift_px, color_zoom, grey_of
from app.quality.pair import agreement
from app.quality.smudge import smudge
from drivers.geometry import Intrinsics

CENTRE_OFF: Final = 0.15
"""Share of width or height by which a principal point may lie beside the middle."""
FOCAL_RATIO: Final = 0.06
NARROWEST_DEG: Final = 20.0
WIDEST_DEG: Final = 150.0
ALIKE: Final = 0.06
"""Difference of the sizes at which colour fits infrared in two frames: a step of them."""
MOST_WHITE: Final = 0.4
"""Share of a colour picture from which on too little is left to compare with infrared."""
DEPTH_FACTORS: Final = (1.0, 0.75, 0.8, 0.85, 0.9, 1.1, 1.15, 1.2, 1.3)
MATCH: Final = 0.3
"""Correlation of both infrared pictures from which on they match."""
CLEARLY: Final = 0.8
"""Of the best match: at the depth that is told there is less if focal length or baseline is wrong."""
OFF_PX: Final = 5.0
"""At 640 pixels width."""
HAZE_LEVELS: Final = 60.0
VEIL_LEVEL: Final = 40.0
"""Level of the darkest places; without a veil there is something darker in every picture."""
SMUDGED: Final = 0.004
MOST_SMUDGED: Final = 0.3
"""Smallest and largest share of the picture; what is smaller is noise or hidden things that appear."""


def wrong_intrinsics(evidence: Evidence) -> Finding | None:
    """Numbers that no lens of these pictures has, such as those of another resolution."""
    seen_by = evidence.newest.calibration
    streams = (
        (tr("colour"), seen_by.color, evidence.newest.color.shape[:2]),
        (tr("depth"), seen_by.depth, evidence.newest.depth.values.shape),
    )
    for name, camera, shape in streams:
        problem = _problem_of(camera, shape)
        if problem:
            return _misfit(name, problem)
    both = (evidence.frames[0], evidence.newest)
    zooms = [color_zoom(frame) for frame in both if (grey_of(frame) >= WHITE_LEVEL).mean() < MOST_WHITE]
    told = [zoom for zoom in zooms if zoom is not None and zoom != 1]
    if len(told) == len(both) and max(told) - min(told) < ALIKE:
        problem = tr("infrared fits it at {times:.2f} times its focal length").format(times=np.mean(told))
        return _misfit(tr("colour"), problem)
    matches = [agreement(frame, DEPTH_FACTORS) for frame in both]
    known = [match for match in matches if match is not None]
    if known:
        match = np.mean(known, axis=0)
        best = int(np.argmax(match))
        if match[best] > MATCH and match[0] < CLEARLY * match[best]:
            problem = tr(
                "both infrared pictures match at {times:.2f} times the depth: focal length or baseline is off"
            ).format(times=DEPTH_FACTORS[best])
            return _misfit(tr("depth"), problem)
    return None


def _misfit(name: str, problem: str) -> Finding:
    return Finding(
        "intrinsics",
        tr("The lens data do not fit the pictures"),
        tr("Of {name}: {problem}.").format(name=name, problem=problem),
        tr(
            "Give the intrinsics of this very resolution; those of another one have to be scaled, "
            "and normalised ones multiplied by width and height."
        ),
        "error",
    )


def misaligned(evidence: Evidence) -> Finding | None:
    """Colour lies beside the infrared picture that depth is made of."""
    shifts = [shift for frame in evidence.frames[::2] if (shift := color_shift_px(frame)) is not None]
    if len(shifts) < 2:
        return None
    dx, dy = np.median(shifts, axis=0)
    off = float(np.hypot(dx, dy)) * 640 / evidence.newest.color.shape[1]
    if off < OFF_PX:
        return None
    return Finding(
        "misaligned",
        tr("Colour and depth do not lie on each other"),
        tr("Colour is {pixels:.0f} pixels beside depth ({dx} across, {dy} down).").format(
            pixels=np.hypot(dx, dy), dx=with_minus(f"{dx:+.0f}"), dy=with_minus(f"{dy:+.0f}")
        ),
        tr(
            "The camera's calibration is off: calibrate it with the vendor's tool, or let it cool down "
            "and try again."
        ),
        "error",
    )


def hazy(evidence: Evidence) -> Finding | None:
    """Neither black nor white anywhere: fog, or fingers on the lens."""
    levels = [np.percentile(grey_of(frame), (1, 99)) for frame in evidence.frames]
    low, high = np.median(levels, axis=0)
    dark = grey_of(evidence.newest).mean() < DARK_LEVEL
    if high - low >= HAZE_LEVELS or low < VEIL_LEVEL or high >= WHITE_LEVEL or dark:
        return None
    return Finding(
        "haze",
        tr("The picture is flat"),
        tr("Brightest and darkest places differ by {levels:.0f} of 255 levels only.").format(
            levels=high - low
        ),
        tr("Wipe the lens with a soft cloth; look whether it has fogged up or a protective film is on it."),
    )


def smudged(evidence: Evidence) -> Finding | None:
    """A place where things are blurred that are sharp elsewhere; needs a camera that moves."""
    dirty = smudge([grey_of(frame) for frame in evidence.frames])
    if dirty is None or not SMUDGED <= dirty.mean() <= MOST_SMUDGED:
        return None
    height, width = dirty.shape
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


def _problem_of(camera: Intrinsics, shape: tuple[int, ...]) -> str:
    if (camera.height, camera.width) != tuple(shape):
        return tr("they are for {width} x {height}, the picture has {columns} x {rows}").format(
            width=camera.width, height=camera.height, columns=shape[1], rows=shape[0]
        )
    across, down = (camera.cx + 0.5) / camera.width - 0.5, (camera.cy + 0.5) / camera.height - 0.5
    if max(abs(across), abs(down)) > CENTRE_OFF:
        return tr("its centre ({cx:.0f}, {cy:.0f}) lies far beside the middle of the picture").format(
            cx=camera.cx, cy=camera.cy
        )
    if abs(camera.fx / camera.fy - 1) > FOCAL_RATIO:
        return tr("its focal lengths {fx:.0f} and {fy:.0f} differ, so pixels would not be square").format(
            fx=camera.fx, fy=camera.fy
        )
    view_deg = float(np.degrees(2 * np.arctan(camera.width / 2 / camera.fx)))
    if not NARROWEST_DEG <= view_deg <= WIDEST_DEG:
        return tr("it would see {view_deg:.0f} degrees").format(view_deg=view_deg)
    return ""
