"""Checks of depth and what carries and repairs it: units, range, preset, cable, frames, model."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr
from app.quality.diagnosis import Evidence, Finding, Fix, setting
from app.quality.pair import agreement
from app.quality.sensor import stereo
from drivers.controls import Role
from model.repair import sensor_noise

NEAREST_MEDIAN_M: Final = 0.08
FARTHEST_MEDIAN_M: Final = 30.0
"""Half of a picture lies neither nearer nor farther in any place where people work."""
NOISY: Final = 0.03
"""Standard deviation over depth from which on a scene is too far for a camera."""
UNIT_FACTORS: Final = (1.0, 1e-3, 0.1, 0.125, 0.25, 4.0, 8.0, 10.0, 1e3)
"""Between the units that cameras count depth in."""
MATCH: Final = 0.25
"""Correlation of both infrared pictures from which on they match."""
IMPOSSIBLE: Final = 0.1
"""Share of the depths that may be nearer than a camera can measure."""
OWN_LIGHT_NEAREST_M: Final = 0.12
OWN_LIGHT_FARTHEST_M: Final = 10.0
"""Between them is what a camera sees by its own light."""
MOST_DISPARITIES: Final = 320
"""That any matcher looks for, in pixels."""
DISPARITIES: Final = 126
"""That a D400's matcher looks for: what is nearer than f b / 126 has no match."""
NEAR_SHARE: Final = 0.15
NEAR_FACTOR: Final = 1.25
LOW_FILL: Final = 0.6
NO_FILL: Final = 0.02
USB3_MBPS: Final = 5000.0
LOSSES: Final = 0.02
FEWEST_LOST: Final = 2
"""One may still have been on its way when they were counted."""
SLOW: Final = 0.85
BEYOND: Final = 0.1


def wrong_unit(evidence: Evidence) -> Finding | None:
    """Depths that nothing has, or at which both infrared pictures do not match."""
    depths_m, unit_m = _depths_m(evidence), evidence.newest.depth.unit_m
    if not depths_m.size:
        return None
    match = agreement(evidence.newest, UNIT_FACTORS)
    if match is not None and match.max() > MATCH:
        times = UNIT_FACTORS[int(np.argmax(match))]
        seen = tr("Both infrared pictures match at {right_mm:g} mm a count, not at {unit_mm:g} mm.").format(
            right_mm=times * unit_m * 1e3, unit_mm=unit_m * 1e3
        )
        return None if times == 1 else _of_unit(evidence, seen)
    middle_m = float(np.median(depths_m))
    nearest_m, farthest_m = _bounds_m(evidence)
    nearer = float((depths_m < nearest_m).mean())
    if middle_m < NEAREST_MEDIAN_M:
        seen = tr("Half of the picture would be nearer than {metres} at {unit_mm:g} mm a count.")
    elif middle_m > farthest_m:
        seen = tr("Half of the picture would be farther than {metres} at {unit_mm:g} mm a count.")
    elif nearer > IMPOSSIBLE:
        seen = tr("{share:.0%} would be nearer than this camera can measure at {unit_mm:g} mm a count.")
    else:
        return None
    return _of_unit(evidence, seen.format(metres=_metres(middle_m), unit_mm=unit_m * 1e3, share=nearer))


def _bounds_m(evidence: Evidence) -> tuple[float, float]:
    """Metres that nothing is nearer than, and that half of a picture is never farther than."""
    focal_px, baseline_m = stereo(evidence.newest.calibration)
    if "stereo" in evidence.info.sensor:
        return (0.0 if baseline_m is None else focal_px * baseline_m / MOST_DISPARITIES), FARTHEST_MEDIAN_M
    return OWN_LIGHT_NEAREST_M, OWN_LIGHT_FARTHEST_M


def _of_unit(evidence: Evidence, seen: str) -> Finding:
    control = evidence.control(Role.DEPTH_UNIT)
    return Finding(
        "unit",
        tr("The depth's unit looks wrong"),
        seen,
        tr(
            "Look up the camera's unit: 1 mm on most, 0.1 mm on a D405; a folder of frames says it in its "
            "metadata."
        ),
        "error",
        None if control is None else setting(control, control.default, tr("Set the camera's usual unit")),
    )


def no_depth(evidence: Evidence) -> Finding | None:
    """Nothing is measured."""
    fill = _fill(evidence)
    if fill >= NO_FILL:
        return None
    return Finding(
        "no depth",
        tr("Hardly anything is measured"),
        tr("{fill:.1%} of the pixels have a depth.").format(fill=fill),
        tr("Look whether something covers the lenses, and whether the depth stream is on."),
        "error",
    )


def too_far(evidence: Evidence) -> Finding | None:
    """So far that the sensor's own noise is large."""
    depths_m = _depths_m(evidence)
    if not depths_m.size:
        return None
    focal_px, baseline_m = stereo(evidence.newest.calibration)
    middle_m = np.float32(np.median(depths_m))
    noise = sensor_noise(evidence.info.sensor, focal_px=focal_px, baseline_m=baseline_m)
    sigma_m = float(noise.sigma_m(np.array([middle_m], np.float32))[0])
    if middle_m > FARTHEST_MEDIAN_M or sigma_m / middle_m < NOISY:
        return None
    return Finding(
        "far",
        tr("The scene is far for this camera"),
        tr(
            "At {middle_m:.1f} m, the middle of the scene, its depth scatters by about {sigma_mm:.0f} mm."
        ).format(middle_m=middle_m, sigma_mm=sigma_m * 1e3),
        tr("Go nearer, or take a camera with a longer baseline."),
    )


def too_near(evidence: Evidence) -> Finding | None:
    """A stereo camera whose matcher has come to its end."""
    focal_px, baseline_m = stereo(evidence.newest.calibration)
    depths_m = _depths_m(evidence)
    if "stereo" not in evidence.info.sensor or baseline_m is None or not depths_m.size:
        return None
    nearest_m = focal_px * baseline_m / DISPARITIES
    at_end = float((depths_m < NEAR_FACTOR * nearest_m).mean())
    if at_end < NEAR_SHARE:
        return None
    return Finding(
        "near",
        tr("Things are too near for this camera"),
        tr("{at_end:.0%} of the depths lie near the least that it can measure, {metres}.").format(
            at_end=at_end, metres=_metres(nearest_m)
        ),
        tr("Move back, or take a smaller picture size: the limit falls with it."),
    )


def wrong_preset(evidence: Evidence) -> Finding | None:
    """Another preset than the usual one, and few depths."""
    preset, fill = evidence.control(Role.PRESET), _fill(evidence)
    if preset is None or preset.default is None or preset.at_default or fill >= LOW_FILL or fill < NO_FILL:
        return None
    return Finding(
        "preset",
        tr("The preset {preset} leaves out much").format(preset=preset.value),
        tr("{fill:.0%} of the pixels have a depth.").format(fill=fill),
        tr("Take {default}, unless only the surest pixels are wanted.").format(default=preset.default),
        "warning",
        setting(preset, preset.default, tr("Take {default}").format(default=preset.default)),
    )


def slow_link(evidence: Evidence) -> Finding | None:
    """A USB 2 port or cable."""
    if evidence.link_mbps is None or evidence.link_mbps >= USB3_MBPS:
        return None
    return Finding(
        "usb",
        tr("The camera hangs on USB 2"),
        tr("Its link makes {link_mbps:.0f} Mbit/s, a tenth of what it needs.").format(
            link_mbps=evidence.link_mbps
        ),
        tr("Use a blue or SS-marked port and the cable that came with the camera; plug it in quickly."),
        "error",
    )


def frames_lost(evidence: Evidence) -> Finding | None:
    """Frames that the device counted and nobody got."""
    counted = evidence.lost + evidence.arrived
    if evidence.lost < FEWEST_LOST or evidence.lost / counted <= LOSSES:
        return None
    return Finding(
        "drops",
        tr("Frames are lost"),
        tr("{lost} of {sent} frames did not arrive.").format(lost=evidence.lost, sent=counted),
        tr("Give each camera a USB controller of its own, close other programs, or take a lower rate."),
        "warning",
        _lower_rate(evidence),
    )


def too_slow(evidence: Evidence) -> Finding | None:
    """Fewer frames than were asked for, although none is lost."""
    counted = evidence.lost + evidence.arrived
    lost = counted and evidence.lost / counted > LOSSES
    if lost or not evidence.info.live or evidence.rate_hz >= SLOW * evidence.info.rate_hz:
        return None
    keep = evidence.color_control(Role.KEEP_RATE)
    return Finding(
        "slow",
        tr("Fewer frames come than were asked for"),
        tr("{rate_hz:.0f} instead of {asked_hz:.0f} a second, none lost on the way.").format(
            rate_hz=evidence.rate_hz, asked_hz=evidence.info.rate_hz
        ),
        tr("In the dark, cameras expose for longer; let this one keep its rate, or add light."),
        "warning",
        setting(keep, True, tr("Keep the rate in the dark")),
    )


def mismatched(evidence: Evidence) -> Finding | None:
    """The repair does not get what it was made for."""
    repair = evidence.repair
    if repair.failed:
        return Finding(
            "model",
            tr("The repair does not run"),
            repair.failed,
            tr("Choose another model or device."),
            "error",
        )
    if repair.choice is None:
        return None
    if repair.hidden_share > 0:
        return Finding(
            "hidden",
            tr("Depth is hidden from the repair"),
            tr("{hidden_share:.0%} of the measured patches are not shown to it, on purpose.").format(
                hidden_share=repair.hidden_share
            ),
            tr("Show it everything."),
            "warning",
            Fix(tr("Show all depth"), show_all_depth=True),
        )
    if repair.choice.monocular:
        return Finding(
            "monocular",
            tr("The network sees no depth"),
            tr("Mode monocular repairs from colour alone: its metres are a guess."),
            tr("Take completion, unless that is what you want to see."),
            "warning",
            Fix(tr("Take completion"), repair={"monocular": False}),
        )
    rules = repair.rules
    if rules is None:
        return None
    tokens = repair.choice.tokens
    if rules.tokens is not None and tokens and not rules.tokens[0] <= tokens <= rules.tokens[1]:
        return Finding(
            "tokens",
            tr("The model was trained with other numbers of tokens"),
            tr("{tokens} are asked for; it knows {fewest} to {most}.").format(
                tokens=tokens, fewest=rules.tokens[0], most=rules.tokens[1]
            ),
            tr("Let the model choose."),
            "warning",
            Fix(tr("Let the model choose"), repair={"tokens": 0}),
        )
    depths_m = _depths_m(evidence)
    farthest_m = np.inf if rules.farthest_m is None else rules.farthest_m
    beyond = (
        float(((depths_m <= rules.nearest_m) | (depths_m >= farthest_m)).mean()) if depths_m.size else 0.0
    )
    if beyond < BEYOND:
        return None
    return Finding(
        "model range",
        tr("The model takes much of this depth for holes"),
        tr("{beyond:.0%} lies outside of {nearest_m:g} to {farthest_m:g} m, which it was made for.").format(
            beyond=beyond, nearest_m=rules.nearest_m, farthest_m=farthest_m
        ),
        tr("Choose another model for this range."),
    )


def _lower_rate(evidence: Evidence) -> Fix | None:
    control = evidence.control(Role.RATE)
    if control is None:
        return None
    rates = {float(choice.split()[0]): choice for choice in control.choices}
    lower = [rate for rate in rates if rate < evidence.info.rate_hz]
    return (
        setting(
            control, rates[max(lower)], tr("Take {rate_hz:.0f} frames a second").format(rate_hz=max(lower))
        )
        if lower
        else None
    )


def _depths_m(evidence: Evidence) -> NDArray[np.float32]:
    """Measured depths of a thin sample of all frames."""
    found = [frame.depth.metres[::4, ::4] for frame in evidence.frames]
    every = np.concatenate([depth_m.reshape(-1) for depth_m in found])
    return np.asarray(every[every > 0], np.float32)


def _fill(evidence: Evidence) -> float:
    return float(np.mean([frame.depth.fill_rate for frame in evidence.frames]))


def _metres(value_m: float) -> str:
    return (
        f"{value_m * 1e3:.1f} mm"
        if value_m < 0.1
        else f"{value_m:.2f} m"
        if value_m < 10
        else f"{value_m:.0f} m"
    )
