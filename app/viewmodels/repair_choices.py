"""What can be chosen about a repair, in the words of the screen."""

from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Final, get_args, get_type_hints

from app.viewmodels.words import spelled
from model.spec import CLASSICAL, OFF, EngineChoice, ModelSpec

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "cuda": ("cuda",),
    "tensorrt": ("cuda", "onnxruntime"),
    "openvino": ("openvino",),
    "openvino-gpu": ("openvino",),
    "openvino-npu": ("openvino",),
}
"""What has to be installed for a device to be offered; whether it is there and works, choosing it tells."""
UNKNOWN_TOKENS: Final = (300, 600, 1200, 2400)
"""Offered for weights that do not say what they were trained with."""


def devices(chosen: str = "auto") -> Mapping[str, str]:
    """Devices that what is installed here may be able to use, by key, and the present choice in any case."""
    return {
        key: spelled(key)
        for key in _choices("device")
        if key == chosen or all(_installed(package) for package in NEEDS.get(key, ()))
    }


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


def _installed(package: str) -> bool:
    if package == "cuda":  # importing torch to ask it would take seconds
        return not version("torch").endswith("+cpu")
    return find_spec(package) is not None
