"""What a pane can show of one camera."""

from typing import Final, Literal

Layer = Literal["colour", "raw", "refined", "difference", "provenance", "confidence", "ir"]

LAYERS: Final[tuple[Layer, ...]] = (
    "colour", "raw", "refined", "difference", "provenance", "confidence", "ir",
)  # fmt: skip

LAYER_WORDS: Final[dict[str, str]] = {
    "colour": "Colour",
    "raw": "Raw",
    "refined": "Refined",
    "difference": "Difference",
    "provenance": "Provenance",
    "confidence": "Confidence",
    "ir": "IR",
}

LAYER_HINTS: Final[dict[str, str]] = {
    "colour": "What the colour camera sees",
    "raw": "Depth as the sensor measured it",
    "refined": "Depth after the repair",
    "difference": "Refined minus raw: blue came nearer, red went farther",
    "provenance": "Where each refined pixel comes from",
    "confidence": "How sure the repair is",
    "ir": "The left infrared picture",
}

FILTERED: Final = "Filtered"
"""What the raw layer is called while the vendor's filters run over it."""

REPAIRED: Final = frozenset({"refined", "difference", "provenance", "confidence"})
"""Layers that come with a repaired frame."""
