"""The repairs that can be chosen, without torch, so that menus are instant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
DEMO_WEIGHTS = "mdm-small-demo.safetensors"
WEIGHT_ENDINGS = (".safetensors", ".pt")


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the model menu.

    Attributes:
        name: what settings and flags say: "demo", "classical", "off", or a path.
        title: what the screen says.
        note: one line on where it comes from.
        weights: the file, or None where there are no weights.
    """

    name: str
    title: str
    note: str
    weights: Path | None = None


@dataclass(frozen=True)
class EngineChoice:
    """Which repair runs, and how.

    Attributes:
        model: name of a `ModelSpec`.
        device: "auto", "cpu" or "cuda".
        precision: "fp32" or "bf16".
        tokens: RGB tokens for each frame; 0 takes the model's own.
        anchor: pull the network's depth onto the measured pixels.
        monocular: show the network no depth at all.
    """

    model: str = "demo"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["fp32", "bf16"] = "fp32"
    tokens: int = 0
    anchor: bool = True
    monocular: bool = False


OFF = ModelSpec("off", "Off", "Raw depth only")
CLASSICAL = ModelSpec("classical", "Classical filling", "Colour-guided membrane; no network, no weights")
DEMO = ModelSpec(
    "demo",
    "MDM small (demo weights)",
    "Bundled; trained on simulated rooms only, so real scenes are outside what it has seen",
    RESOURCES / "weights" / DEMO_WEIGHTS,
)


def catalogue(*folders: Path) -> list[ModelSpec]:
    """What can be chosen: the bundled entries, then every weights file below `folders`, newest first."""
    found = [path for folder in folders if folder.is_dir() for path in _weights_below(folder)]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [DEMO, CLASSICAL, *(from_file(path) for path in found), OFF]


def from_file(path: Path) -> ModelSpec:
    """The entry of a weights file, which need not exist."""
    title = path.parent.name if path.stem in {"weights", "model"} else path.stem
    return ModelSpec(str(path), title, str(path), path)


def find(name: str) -> ModelSpec:
    """The entry called `name`; anything that is no bundled entry is the path of a weights file."""
    for spec in (DEMO, CLASSICAL, OFF):
        if spec.name == name:
            return spec
    return from_file(Path(name).expanduser())


def _weights_below(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in WEIGHT_ENDINGS and "checkpoint" not in path.name and path.is_file()
    ]
