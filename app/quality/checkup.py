"""Runs every check over a camera's last seconds."""

from typing import Final

from app.language import tr
from app.quality import checks_depth, checks_lens, checks_picture
from app.quality.diagnosis import FEWEST_FRAMES, Check, Evidence, Finding

CHECKS: Final[tuple[Check, ...]] = (
    checks_depth.slow_link,
    checks_picture.too_dark,
    checks_picture.no_light,
    checks_depth.no_depth,
    checks_depth.wrong_unit,
    checks_lens.wrong_intrinsics,
    checks_lens.misaligned,
    checks_depth.frames_lost,
    checks_depth.too_slow,
    checks_picture.too_bright,
    checks_picture.slow_exposure,
    checks_lens.hazy,
    checks_lens.smudged,
    checks_picture.no_colour,
    checks_depth.too_near,
    checks_depth.too_far,
    checks_depth.wrong_preset,
    checks_depth.mismatched,
)
"""What spoils most comes first, within errors and within warnings."""
FOLLOWS: Final = {
    "unit": ("near", "far", "misaligned", "model range"),
    "intrinsics": ("misaligned",),
    "exposure": ("grey",),
    "emitter": ("no depth",),
    "emitter blocked": ("no depth",),
}
"""By finding: what it brings along, and what goes with it."""


def check_up(evidence: Evidence) -> list[Finding]:
    """Everything that is wrong, errors first, without what follows from it; nothing where all is well."""
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
    follows = {key for finding in found for key in FOLLOWS.get(finding.key, ())}
    found = [finding for finding in found if finding.key not in follows]
    return sorted(found, key=lambda finding: finding.severity != "error")
