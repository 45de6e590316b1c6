"""The repairs that can be chosen, without torch, so that menus are instant."""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from huggingface_hub import constants

from model.errors import WeightsError

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
DEMO_WEIGHTS = "mdm-small-demo.safetensors"
WEIGHT_ENDINGS = (".safetensors", ".pt")

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class InputRules:
    """What a repair expects of colour and depth, which cover one field of view.

    Attributes:
        nearest_m: depth up to here counts as a hole.
        farthest_m: depth from here on does; None has no such limit.
        tokens: fewest and most RGB tokens for each frame; None where nothing is cut into tokens.
        color_order: order of the colour channels.
        depth_unit: what a depth of 1.0 is.
    """

    nearest_m: float = 0.0
    farthest_m: float | None = None
    tokens: tuple[int, int] | None = None
    color_order: Literal["RGB"] = "RGB"
    depth_unit: Literal["metre"] = "metre"


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the model menu.

    Attributes:
        name: what settings and flags say: "auto", "demo", "classical", "off", a published name, a hub id, or
            a path.
        title: what the screen says.
        note: one line on where it comes from.
        weights: the file, or where it will be; None where there are no weights.
        repo: its repository on the hub.
        file: its name in the repository.
        revision: the commit that is meant; None takes the newest.
        size_bytes: of the file; None where nobody has published it.
        sha256: of the file; None where nobody has published it.
        licence: of the weights, as SPDX has it; None where it is not known.
        rules: what goes in; None where nothing does, or where only the file knows.
    """

    name: str
    title: str
    note: str
    weights: Path | None = None
    repo: str | None = None
    file: str = "model.pt"
    revision: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    licence: str | None = None
    rules: InputRules | None = None

    @property
    def here(self) -> bool:
        """Whether it can be used on this machine as it is."""
        return self.weights is None or self.weights.is_file()


Device = Literal["auto", "cpu", "cuda", "tensorrt", "openvino", "openvino-gpu", "openvino-npu"]


@dataclass(frozen=True)
class EngineChoice:
    """Which repair runs, and how.

    Attributes:
        model: name of a `ModelSpec`.
        device: "auto" takes an NVIDIA card where there is one, else the processor, the faster way of the two
            that it has; "openvino" is the processor too, "openvino-gpu" and "openvino-npu" are Intel's.
        precision: of the products; "auto" is exact, unless a rate is asked for that something else keeps.
        tokens: RGB tokens for each frame; 0 takes the model's own.
        anchor: pull the network's depth onto the measured pixels.
        monocular: show the network no depth at all.
    """

    model: str = "demo"
    device: Device = "auto"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    tokens: int = 0
    anchor: bool = True
    monocular: bool = False


AUTO = ModelSpec(
    "auto", "Automatic", "LingBot-Depth v0.5 where it and an NVIDIA card are here; else the bundled network"
)
"""What settings and flags may say; `resolved` tells what it means on this machine."""
OFF = ModelSpec("off", "Off", "Raw depth only")
CLASSICAL = ModelSpec(
    "classical",
    "Classical filling",
    "Colour-guided membrane; no network, no weights",
    licence="Apache-2.0",
    rules=InputRules(),
)
DEMO = ModelSpec(
    "demo",
    "MDM small (demo weights)",
    "Bundled; trained on simulated rooms only, so real scenes are outside what it has seen",
    RESOURCES / "weights" / DEMO_WEIGHTS,
    file=DEMO_WEIGHTS,
    licence="Apache-2.0",
    rules=InputRules(nearest_m=0.01, tokens=(192, 432)),
)

_VIT_L = InputRules(nearest_m=0.01, tokens=(1200, 3600))
RECOMMENDED = ModelSpec(
    "lingbot-depth-pretrain-vitl-14-v0.5",
    "LingBot-Depth v0.5 (ViT-L)",
    "Published in February 2026; for refinement and completion in general",
    repo="robbyant/lingbot-depth-pretrain-vitl-14-v0.5",
    # Two independent public programs pin this commit with this hash: a capture tool that stores the file as
    # lingbot-depth-v0.5.pt, and a demo around apple/ml-sharp. Size and hash: MODEL_SPEC.md, section 8.
    revision="79204ed6b837f4fdd192cf563e59481fecfa0295",
    size_bytes=1_284_837_952,
    sha256="b60cf27ddbd0e51e9b59b03475c0d39d02d2e48ecf8dbb5866f04d46802b3c23",
    licence="Apache-2.0",
    rules=_VIT_L,
)
PUBLISHED = (
    RECOMMENDED,
    ModelSpec(
        "lingbot-depth-pretrain-vitl-14",
        "LingBot-Depth v0.1 (ViT-L)",
        "The first release; its authors say that v0.5 fixes a bug of it",
        repo="robbyant/lingbot-depth-pretrain-vitl-14",
        licence="Apache-2.0",
        rules=_VIT_L,
    ),
    ModelSpec(
        "lingbot-depth-postrain-dc-vitl14",
        "LingBot-Depth DC (ViT-L)",
        "Trained further for sparse depth",
        repo="robbyant/lingbot-depth-postrain-dc-vitl14",
        licence="Apache-2.0",
        rules=_VIT_L,
    ),
)
"""What its authors offer on the hub. They publish no hash; the hub names that of what it sends."""


def catalogue(*folders: Path) -> list[ModelSpec]:
    """What can be used on this machine; weights files below `folders` are listed newest first."""
    found = [path for folder in folders if folder.is_dir() for path in _weights_below(folder)]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    got = [spec for spec in published() if spec.here]
    return [DEMO, *got, CLASSICAL, *(from_file(path) for path in found), OFF]


def published() -> list[ModelSpec]:
    """What the hub offers, whether it is here or not; `weights` says where it is or will be."""
    return [located(spec) for spec in PUBLISHED]


def default() -> ModelSpec:
    """The recommended network where it is here and CUDA can run it, else the bundled one.

    Imports torch, which takes seconds, only where the recommended network is here.
    """
    recommended = located(RECOMMENDED)
    if recommended.here:
        import torch

        if torch.cuda.is_available():
            return recommended
    return DEMO


def resolved(name: str) -> str:
    """The name itself, or for "auto" that of `default`."""
    return default().name if name == AUTO.name else name


def find(name: str) -> ModelSpec:
    """The entry called `name`, which may be a path or a hub id; its file need not be here."""
    for spec in (AUTO, DEMO, CLASSICAL, OFF):
        if spec.name == name:
            return spec
    path = Path(name).expanduser()
    on_hub = _on_hub(name)
    return located(on_hub) if on_hub is not None and not path.exists() else from_file(path)


def from_file(path: Path) -> ModelSpec:
    """The entry of a weights file, or of a folder that holds one; it need not exist."""
    file = _weights_in(path) if path.is_dir() else path
    copied = known(file)
    if copied is not None:
        return replace(copied, name=str(path), note=str(path))
    title = file.parent.name if file.stem in {"weights", "model"} else file.stem
    return ModelSpec(str(path), title, str(path), file, file=file.name)


def known(path: Path) -> ModelSpec | None:
    """The published entry that a file is a copy of, judged by where it lies; None for any other file.

    It lies in the hub's cache, or in a folder of the entry's name.
    """
    for spec in PUBLISHED:
        if (path.parent.name, path.name) == (spec.name, spec.file):
            return replace(spec, weights=path)
    folder, _, revision, _ = path.parts[-4:] if path.match("models--*/snapshots/*/*") else [""] * 4
    on_hub = _on_hub(folder.removeprefix("models--").replace("--", "/", 1))
    if on_hub is None or on_hub.file != path.name:
        return None
    if on_hub.revision not in {None, revision}:
        on_hub = replace(on_hub, revision=revision, size_bytes=None, sha256=None)
    return replace(on_hub, weights=path)


def located(spec: ModelSpec, cache: Path | None = None) -> ModelSpec:
    """An entry of the hub with the place of its file in a cache of the hub, by default that of `HF_HOME`."""
    assert spec.repo is not None
    cache = Path(constants.HF_HUB_CACHE) if cache is None else cache
    folder = cache / f"models--{spec.repo.replace('/', '--')}"
    revision = spec.revision or "main"
    branch = folder / "refs" / revision
    commit = branch.read_text(encoding="utf-8").strip() if branch.is_file() else revision
    return replace(spec, weights=folder / "snapshots" / commit / spec.file)


def how_to_get(spec: ModelSpec) -> str:
    """What to do where an entry of the hub is not here."""
    return f"{_command(spec)} gets it; --from FOLDER takes it from a disk."


def verify(spec: ModelSpec, file: Path) -> None:
    """Do nothing if `file` is what was published, as far as that is known.

    Raises:
        WeightsError: its size or its SHA-256 is another.
    """
    size = file.stat().st_size
    if spec.size_bytes not in {None, size}:
        raise WeightsError(
            f"{file} has {size} bytes; {spec.name} has {spec.size_bytes}.",
            hint=f"Delete it; {_command(spec)} gets it again.",
        )
    if spec.sha256 is None:
        return
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != spec.sha256:
        raise WeightsError(
            f"{file} is not {spec.name} as it was published: its SHA-256 is {found}, not {spec.sha256}.",
            hint=f"Delete it; {_command(spec)} gets it again.",
        )


def _command(spec: ModelSpec) -> str:
    return f"`python main.py models get {spec.name}`"


def _on_hub(name: str) -> ModelSpec | None:
    for spec in PUBLISHED:
        if name.casefold() in {spec.name, spec.repo}:
            return spec
    if not _HUB_ID.fullmatch(name) or name.endswith(WEIGHT_ENDINGS):
        return None
    return ModelSpec(name, name.partition("/")[2], f"From the hub: {name}", repo=name)


def _weights_in(folder: Path) -> Path:
    files = sorted(path for path in folder.iterdir() if path.suffix in WEIGHT_ENDINGS)
    usual = [path for path in files if path.stem in {"model", "weights"}]
    return (usual or files or [folder / "model.pt"])[0]


def _weights_below(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix in WEIGHT_ENDINGS and "checkpoint" not in path.name and path.is_file()
    ]
