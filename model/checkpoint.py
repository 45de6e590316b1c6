"""Weights on disk: reads published `model.pt` and our `.safetensors`, writes the latter."""

import hashlib
import json
import os
import pickle
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import JsonValue, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from model.config import ModelConfig
from model.errors import WeightsError as WeightsError  # callers of `load` find its error beside it
from model.mdm import MDM
from model.spec import how_to_get, known, verify

CONFIG_KEY = "model_config"
METADATA_KEY = "metadata"

# The VLA repositories store the depth embedding under the first name (lingbot-vla-v2 issue 33).
_ALIASES = {"encoder.backbone.depth_mask_patch_embed.": "encoder.backbone.depth_patch_embed."}

MOST_LISTED = 40
"""Faults that one error names; a file of another network has thousands."""

# What torch.load raises for damaged archives, and for damaged pickles inside them.
UNREADABLE = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    pickle.UnpicklingError,
)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint file's content, not yet put into a network.

    Attributes:
        config: how to build the network.
        tensors: flat names to tensors on the CPU.
        metadata: whatever was stored beside them, such as a name or the training record.
    """

    config: ModelConfig
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, JsonValue]


def load(path: Path, *, device: torch.device | str = "cpu") -> MDM:
    """The network of a checkpoint in evaluation mode; all of its weights, or an error.

    Args:
        path: a published `model.pt`, or a `.safetensors` written by `save`.
        device: where its weights go.

    Raises:
        WeightsError: the file is missing, damaged, no checkpoint, not the one published under its name, or
            does not fit its own configuration.
    """
    return build(path, read(path), device=device)


def build(path: Path, checkpoint: Checkpoint, *, device: torch.device | str = "cpu") -> MDM:
    """The network of a checkpoint that was read from `path`; see `load`.

    Raises:
        WeightsError: it does not fit its own configuration.
    """
    with torch.device("meta"):
        model = MDM(checkpoint.config)
    check_fit(path, "its own configuration", want=model.state_dict(), got=checkpoint.tensors)
    tensors = {name: t.to(device, torch.float32) for name, t in checkpoint.tensors.items()}
    model.load_state_dict(tensors, strict=True, assign=True)
    return model.eval()


def read(path: Path) -> Checkpoint:
    """The content of a checkpoint, aliases resolved; nothing is built.

    Raises:
        WeightsError: the file is missing, damaged, no checkpoint, or not the one published under its name.
    """
    check_published(path)
    raw_config, tensors, metadata = (
        _read_safetensors(path) if path.suffix == ".safetensors" else _read_pt(path)
    )
    try:
        config = ModelConfig.parse(raw_config)
    except ValidationError as e:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in e.errors())
        raise WeightsError(
            f"The network that {path} describes cannot be built: {faults}.",
            hint="Use a checkpoint of Masked Depth Modeling.",
        ) from e
    kept = {
        name if _resolved(name) in tensors else _resolved(name): tensor  # a second embedding is one too many
        for name, tensor in tensors.items()
        if not any(name.startswith(f"{stack}.") for stack in config.unbuilt)
    }
    return Checkpoint(config, kept, metadata)


def save(path: Path, model: MDM, metadata: Mapping[str, JsonValue]) -> None:
    """Write the network and its configuration to a `.safetensors`; the file is there whole or not at all.

    Raises:
        OSError: the folder cannot be written to.
    """
    header = {
        CONFIG_KEY: json.dumps(model.config.model_dump(mode="json")),
        METADATA_KEY: json.dumps(dict(metadata)),
    }
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        part = Path(folder) / "part"
        save_file(tensors, part, header)
        with part.open("rb") as f:
            os.fsync(f.fileno())
        part.chmod(0o644)  # safetensors makes it readable for its owner only
        part.replace(path)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _read_pt(path: Path) -> tuple[Mapping[str, object], Mapping[str, Tensor], Mapping[str, JsonValue]]:
    try:
        if not is_zip(path):
            raise _foreign(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as e:
        raise unreadable(path, e) from e
    if not isinstance(content, Mapping) or not isinstance(content.get(CONFIG_KEY), Mapping):
        raise _foreign(path)
    tensors = content.get("model")
    if not isinstance(tensors, Mapping) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise _foreign(path)
    return content[CONFIG_KEY], tensors, {}


def _read_safetensors(
    path: Path,
) -> tuple[Mapping[str, object], Mapping[str, Tensor], Mapping[str, JsonValue]]:
    try:
        with safe_open(path, framework="pt") as f:
            header = f.metadata() or {}
            tensors = {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 - it is no mapping
    except (OSError, SafetensorError) as e:
        raise unreadable(path, e) from e
    try:
        config, metadata = json.loads(header[CONFIG_KEY]), json.loads(header.get(METADATA_KEY, "{}"))
    except (KeyError, ValueError) as e:
        raise _foreign(path) from e
    if not isinstance(config, Mapping) or not isinstance(metadata, Mapping):
        raise _foreign(path)
    return config, tensors, metadata


def is_zip(path: Path) -> bool:
    """Whether a file is in the format that torch.save has written since version 1.6."""
    with path.open("rb") as f:
        return f.read(2) == b"PK"


def _resolved(name: str) -> str:
    for alias, ours in _ALIASES.items():
        if name.startswith(alias):
            return ours + name.removeprefix(alias)
    return name


def check_published(path: Path) -> None:
    """Do nothing if there is a file that may be read: any file, but a published one only as it was published.

    Raises:
        WeightsError: there is no file, or its size or SHA-256 is not the published one.
    """
    published = known(path)
    if not path.is_file():
        if published is None:
            raise WeightsError(f"There are no weights at {path}.", hint="Choose another file.")
        raise WeightsError(
            f"{published.name} is not on this machine: there is no {path}.", hint=how_to_get(published)
        )
    if published is not None:
        verify(published, path)


def check_fit(path: Path, of: str, *, want: Mapping[str, Tensor], got: Mapping[str, Tensor]) -> None:
    """Do nothing if `got` has exactly the names and shapes of `want`.

    Args:
        path: where `got` comes from.
        of: what `want` belongs to, for the error's sentence.
        want: tensors that may be empty of values.
        got: what the file has.

    Raises:
        WeightsError: with every name that is missing, unexpected or of another shape, up to `MOST_LISTED`.
    """
    faults = [f"missing {name} {tuple(want[name].shape)}" for name in want if name not in got]
    faults += [f"unexpected {name} {tuple(got[name].shape)}" for name in got if name not in want]
    faults += [
        f"{name} is {tuple(got[name].shape)} instead of {tuple(want[name].shape)}"
        for name in want
        if name in got and got[name].shape != want[name].shape
    ]
    if not faults:
        return
    listed = "; ".join(faults[:MOST_LISTED])
    more = f"; and {len(faults) - MOST_LISTED} more" if len(faults) > MOST_LISTED else ""
    raise WeightsError(
        f"{len(faults)} weights in {path} do not fit {of}: {listed}{more}.",
        hint="The file belongs to another network or program version; choose another one.",
    )


def unreadable(path: Path, cause: Exception) -> WeightsError:
    """The error for a file that torch or safetensors cannot read."""
    first = (str(cause) or type(cause).__name__).split(". ")[0].splitlines()[0].rstrip(".")
    return WeightsError(
        f"{path} ({path.stat().st_size} bytes) is damaged or no checkpoint: {first}.",
        hint="Download it again and compare its size and SHA-256 with the publisher's.",
    )


def _foreign(path: Path) -> WeightsError:
    return WeightsError(
        f"{path} is no checkpoint of Masked Depth Modeling: it has no `model_config` with weights.",
        hint="Choose a published model.pt or a .safetensors saved by this program.",
    )
