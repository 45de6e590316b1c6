"""What can be chosen about a repair, in the words of the screen."""

from collections.abc import Mapping
from typing import Final, get_args, get_type_hints

from app.viewmodels.words import spelled
from model.spec import CLASSICAL, OFF, EngineChoice, ModelSpec

UNKNOWN_TOKENS: Final = (300, 600, 1200, 2400)
"""Offered for weights that do not say what they were trained with."""


def devices() -> Mapping[str, str]:
    """Every device that the engine knows, by its key."""
    return {key: spelled(key) for key in _choices("device")}


def precisions() -> Mapping[str, str]:
    """Every precision that the engine knows, by its key."""
    return {key: spelled(key) for key in _choices("precision")}


def token_choices(spec: ModelSpec, chosen: int = 0) -> list[int]:
    """Numbers of tokens worth choosing, with the present choice in any case; 0 leaves it to the model."""
    if spec.rules is None or spec.rules.tokens is None:
        levels = set(UNKNOWN_TOKENS)
    else:
        fewest, most = spec.rules.tokens
        levels = {round(fewest + (most - fewest) * i / 3) for i in range(4)}
    return sorted(levels | {0, chosen})


def has_network(spec: ModelSpec) -> bool:
    """Whether tokens, precision, device and mode mean anything to it."""
    return spec.name not in {CLASSICAL.name, OFF.name}


def _choices(field: str) -> tuple[str, ...]:
    return get_args(get_type_hints(EngineChoice)[field])
