"""DINOv2 backbones: the colour half of our encoder, taken from files with the official names and given back.

The names below `encoder.backbone.` are DINOv2's own, and a network made from its weights starts with exactly
them (report, section 2). What is depth's, `depth_patch_embed`, exists in no DINOv2 and stays as initialised:
neither the report nor the published code copies anything into it. That image tokens get 1 added to their
position changes nothing: every LayerNorm takes a constant over the channels out again.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.checkpoint import UNREADABLE, check_fit, is_zip, unreadable
from model.config import BACKBONES, Backbone, ModelConfig
from model.errors import WeightsError
from model.mdm import MDM

OFFICIAL: Mapping[str, Backbone] = {n: sizes for n, sizes in BACKBONES.items() if n.startswith("dinov2_")}
POS_GRID = 37
"""Side of the grid of positions in every official file: 518 px."""

_OF_DEPTH = ("depth_patch_embed.", "depth_mask_patch_embed.")
_IN_A_CHECKPOINT = "encoder.backbone."
_DECODER_WIDTHS = (256, 128, 64, 32)


def read(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a backbone under their official names.

    Args:
        path: a `.pth`, `.pt` or `.safetensors` with nothing but a backbone, as DINOv2 publishes them, or a
            `model.pt` whose encoder has one below `encoder.backbone`, as MoGe writes them.

    Raises:
        WeightsError: the file is missing, damaged, or holds no tensors.
    """
    if not path.is_file():
        raise WeightsError(f"There is no backbone at {path}.", hint="Choose another file.")
    try:
        if path.suffix == ".safetensors":
            content: object = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip(path))
    except (*UNREADABLE, SafetensorError) as error:
        raise unreadable(path, error) from error
    if isinstance(content, Mapping) and isinstance(content.get("model"), Mapping):
        content = content["model"]
    if not isinstance(content, Mapping) or not all(isinstance(t, Tensor) for t in content.values()):
        raise WeightsError(
            f"{path} holds no tensors by name.", hint="Choose a backbone as DINOv2 publishes them."
        )
    inner = {
        name.removeprefix(_IN_A_CHECKPOINT): tensor
        for name, tensor in content.items()
        if name.startswith(_IN_A_CHECKPOINT)
    }
    return inner or content


def is_backbone(path: Path) -> bool:
    """Whether a file is for `new_model`, not for `checkpoint.load`: it holds a backbone without a depth half.

    Raises:
        WeightsError: the file is missing, damaged, or holds no tensors.
    """
    names = read(path)
    return "cls_token" in names and not any(name.startswith(_OF_DEPTH) for name in names)


def new_model(path: Path, *, seed: int) -> MDM:
    """A network of the published shape that starts from a backbone; `seed` draws all else as torch does.

    Raises:
        WeightsError: the file is missing, damaged, or no DINOv2 backbone.
    """
    tensors = read(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MDM(architecture(_name_of(path, tensors)))
    _put(path, model, tensors)
    return model


def initialise(model: MDM, path: Path) -> None:
    """Put a backbone's weights into the colour half of a network's encoder, all of them or none.

    Raises:
        WeightsError: the file is missing, damaged, or of another backbone than the network's.
    """
    _put(path, model, read(path))


def architecture(name: str) -> ModelConfig:
    """The published network (MODEL_SPEC.md, section 2.1) around an official backbone."""
    width = OFFICIAL[name].width
    levels = [width, *_DECODER_WIDTHS]
    stack = {
        "dim_res_blocks": levels,
        "res_block_in_norm": "none",
        "res_block_hidden_norm": "none",
        "resamplers": ["conv_transpose", "conv_transpose", "conv_transpose", "bilinear"],
    }
    head = {
        **stack,
        "dim_in": levels,
        "dim_out": [None, None, None, None, 1],
        "num_res_blocks": [0, 1, 1, 1, 0],
    }
    return ModelConfig.parse(
        {
            "encoder": {"backbone": name, "intermediate_layers": 1, "dim_out": width},
            "neck": {**stack, "dim_in": [width + 2, 2, 2, 2, 2], "num_res_blocks": [0, 2, 2, 2, 0]},
            "depth_head": head,
            "mask_head": head,
        }
    )


def save(path: Path, model: MDM) -> None:
    """Write the colour half of a network's encoder as DINOv2 publishes its backbones.

    MoGe-2's training code (and every other that takes DINOv2) loads it strictly. Where it asks torch.hub, the
    file belongs into `$TORCH_HOME/hub/checkpoints` under the name that `official_file` gives.

    Args:
        path: ends in `.pth`, `.pt` or `.safetensors`; it is there whole or not at all.
        model: with an official backbone.

    Raises:
        WeightsError: DINOv2 has no backbone like the network's.
        OSError: the folder cannot be written to.
    """
    config = model.config.encoder
    if config.backbone not in OFFICIAL or config.pos_grid != POS_GRID:
        raise WeightsError(
            f"The encoder is a {config.backbone} on {config.pos_grid} x {config.pos_grid} positions, which "
            "DINOv2 does not have, so no other program could load it.",
            hint=f"Choose a model with one of {', '.join(OFFICIAL)}.",
        )
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in _colour_half(model).items()}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        part = Path(folder) / "part"
        if path.suffix == ".safetensors":
            save_file(tensors, part)
            part.chmod(0o644)  # safetensors makes it readable for its owner only
        else:
            torch.save(tensors, part)
        with part.open("rb") as f:
            os.fsync(f.fileno())
        part.replace(path)


def official_file(name: str) -> str:
    """What DINOv2 calls the file of a backbone: `dinov2_vits14_reg4_pretrain.pth` for `dinov2_vits14_reg`."""
    return f"{name}4_pretrain.pth" if name.endswith("_reg") else f"{name}_pretrain.pth"


def _colour_half(model: MDM) -> dict[str, Tensor]:
    state = model.encoder.backbone.state_dict()
    return {name: tensor for name, tensor in state.items() if not name.startswith(_OF_DEPTH)}


def _put(path: Path, model: MDM, tensors: Mapping[str, Tensor]) -> None:
    check_fit(path, f"a {model.config.encoder.backbone}", want=_colour_half(model), got=tensors)
    model.encoder.backbone.load_state_dict(dict(tensors), strict=False)  # of ours, only depth's are missing


def _name_of(path: Path, tensors: Mapping[str, Tensor]) -> str:
    width = tensors["cls_token"].shape[-1] if "cls_token" in tensors else 0
    for name, sizes in OFFICIAL.items():
        if sizes.width == width and bool(sizes.registers) == ("register_tokens" in tensors):
            return name
    some = ", ".join(list(tensors)[:5]) or "nothing"
    raise WeightsError(
        f"{path} is no backbone of DINOv2: it holds {some} and so on, and a class token {width} wide.",
        hint=f"Choose a file of {', '.join(OFFICIAL)} with the official names.",
    )
