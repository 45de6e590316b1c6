"""Runs every check over a camera's last seconds."""

from typing import Final

from app.language import tr
from app.quality import checks_depth, checks_picture
from app.quality.diagnosis import FEWEST_FRAMES, Check, Evidence, Finding

CHECKS: Final[tuple[Check, ...]] = (
    checks_depth.slow_link,
    checks_picture.too_dark,
    checks_picture.no_light,
    checks_depth.no_depth,
    checks_depth.wrong_unit,
    checks_depth.wrong_intrinsics,
    checks_picture.misaligned,
    checks_depth.frames_lost,
    checks_depth.too_slow,
    checks_picture.too_bright,
    checks_picture.slow_exposure,
    checks_picture.hazy,
    checks_picture.smudged,
    checks_picture.no_colour,
    checks_depth.too_near,
    checks_depth.too_far,
    checks_depth.wrong_preset,
    checks_depth.mismatched,
)
"""What spoils most comes first, within errors and within warnings."""


def check_up(evidence: Evidence) -> list[Finding]:
    """Everything that is wrong, errors first; nothing where all is well."""
    if len(evidence.frames) < FEWEST_FRAMES:
        return [
            Finding(
                "no frames",
                tr("No pictures arrive"),
                tr("{frames} in the last seconds.").format(frames=len(evidence.frames)),
                tr("Look at its cable; the Cameras page says what it needs."),
                "error",
            )
        ]
    found = [finding for check in CHECKS if (finding := check(evidence)) is not None]
    return sorted(found, key=lambda finding: finding.severity != "error")
