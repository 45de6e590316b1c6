"""What a pane can show of one camera."""

from typing import Final, Literal

from app.language import tr_noop

Layer = Literal["colour", "raw", "refined", "difference", "provenance", "confidence", "ir"]

LAYERS: Final[tuple[Layer, ...]] = (
    "colour", "raw", "refined", "difference", "provenance", "confidence", "ir",
)  # fmt: skip

LAYER_WORDS: Final[dict[str, str]] = {
    "colour": tr_noop("Colour"),
    "raw": tr_noop("Raw"),
    "refined": tr_noop("Refined"),
    "difference": tr_noop("Difference"),
    "provenance": tr_noop("Provenance"),
    "confidence": tr_noop("Confidence"),
    "ir": "IR",
}

LAYER_HINTS: Final[dict[str, str]] = {
    "colour": tr_noop("What the colour camera sees"),
    "raw": tr_noop("Depth as the sensor measured it"),
    "refined": tr_noop("Depth after the repair"),
    "difference": tr_noop("Refined minus raw: blue came nearer, red went farther"),
    "provenance": tr_noop("Where each refined pixel comes from"),
    "confidence": tr_noop("How sure the repair is"),
    "ir": tr_noop("The left infrared picture"),
}

FILTERED: Final = tr_noop("Filtered")
"""What the raw layer is called while the vendor's filters run over it."""

REPAIRED: Final = frozenset({"refined", "difference", "provenance", "confidence"})
"""Layers that come with a repaired frame."""
