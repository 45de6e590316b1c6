"""Backbones in the format of the official files: random numbers, full names, sizes of ViT-S."""

import copy
import functools
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model import backbone, checkpoint
from model.config import ModelConfig
from model.errors import WeightsError
from model.mdm import MDM

WIDTH, BLOCKS = 384, 12
STACK = {
    "dim_res_blocks": [16, 8],
    "num_res_blocks": [0, 1],
    "res_block_in_norm": "none",
    "res_block_hidden_norm": "none",
    "resamplers": ["bilinear"],
}


def official(*, registers: bool = False) -> dict[str, Tensor]:
    """A ViT-S; a dictionary of its own for each caller, of the same tensors."""
    return dict(_official(registers=registers))


@functools.cache
def _official(*, registers: bool, width: int = WIDTH, blocks: int = BLOCKS) -> dict[str, Tensor]:
    """What `torch.load` gives of dinov2_vit?14_pretrain.pth, or of the file with four registers."""
    made = torch.Generator().manual_seed(7)

    def some(*shape: int) -> Tensor:
        return torch.randn(shape, generator=made) * 0.05

    tensors = {"cls_token": some(1, 1, width), "pos_embed": some(1, 1370, width)}
    if registers:
        tensors["register_tokens"] = some(1, 4, width)
    tensors |= {
        "mask_token": some(1, width),
        "patch_embed.proj.weight": some(width, 3, 14, 14),
        "patch_embed.proj.bias": some(width),
    }
    for n in range(blocks):
        tensors |= {
            f"blocks.{n}.norm1.weight": some(width) + 1,
            f"blocks.{n}.norm1.bias": some(width),
            f"blocks.{n}.attn.qkv.weight": some(3 * width, width),
            f"blocks.{n}.attn.qkv.bias": some(3 * width),
            f"blocks.{n}.attn.proj.weight": some(width, width),
            f"blocks.{n}.attn.proj.bias": some(width),
            f"blocks.{n}.ls1.gamma": some(width),
            f"blocks.{n}.norm2.weight": some(width) + 1,
            f"blocks.{n}.norm2.bias": some(width),
            f"blocks.{n}.mlp.fc1.weight": some(4 * width, width),
            f"blocks.{n}.mlp.fc1.bias": some(4 * width),
            f"blocks.{n}.mlp.fc2.weight": some(width, 4 * width),
            f"blocks.{n}.mlp.fc2.bias": some(width),
            f"blocks.{n}.ls2.gamma": some(width),
        }
    return tensors | {"norm.weight": some(width) + 1, "norm.bias": some(width)}


def features(t: dict[str, Tensor], image: Tensor) -> Tensor:
    """(1, 1 + N, D) of a ViT-S as the DINOv2 paper has it, for an image of 518 x 518 px times a fraction."""
    rows, cols = image.shape[2] // 14, image.shape[3] // 14
    x = F.conv2d(image, t["patch_embed.proj.weight"], t["patch_embed.proj.bias"], stride=14)
    grid = t["pos_embed"][:, 1:].view(1, 37, 37, WIDTH).permute(0, 3, 1, 2)
    registers = t.get("register_tokens")
    if registers is None:
        grid = F.interpolate(grid, scale_factor=((rows + 0.1) / 37, (cols + 0.1) / 37), mode="bicubic")
    else:
        grid = F.interpolate(grid, size=(rows, cols), mode="bicubic", antialias=True)
    x = (x + grid).flatten(2).transpose(1, 2)
    front = [t["cls_token"] + t["pos_embed"][:, :1]] + ([] if registers is None else [registers])
    x = torch.cat((*front, x), 1)

    def norm(x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (WIDTH,), t[f"{name}.weight"], t[f"{name}.bias"], 1e-6)

    def linear(x: Tensor, name: str) -> Tensor:
        return F.linear(x, t[f"{name}.weight"], t[f"{name}.bias"])

    for n in range(BLOCKS):
        b = f"blocks.{n}"
        q, k, v = linear(norm(x, f"{b}.norm1"), f"{b}.attn.qkv").unflatten(2, (3, 6, 64)).unbind(2)
        scores = torch.einsum("bqhc,bkhc->bhqk", q, k) / 8
        seen = torch.einsum("bhqk,bkhc->bqhc", scores.softmax(-1), v).flatten(2)
        x = x + linear(seen, f"{b}.attn.proj") * t[f"{b}.ls1.gamma"]
        hidden = F.gelu(linear(norm(x, f"{b}.norm2"), f"{b}.mlp.fc1"))
        x = x + linear(hidden, f"{b}.mlp.fc2") * t[f"{b}.ls2.gamma"]
    x = norm(x, "norm")
    return x if registers is None else torch.cat((x[:, :1], x[:, 5:]), 1)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "registers"])
def tensors(request: pytest.FixtureRequest) -> dict[str, Tensor]:
    return official(registers=request.param)


def small(name: str) -> MDM:
    """A network around a real backbone with a tiny decoder."""
    return copy.deepcopy(_small(name))


@functools.cache
def _small(name: str) -> MDM:
    torch.manual_seed(3)
    config = {
        "encoder": {"backbone": name, "dim_out": WIDTH},
        "neck": {**STACK, "dim_in": [WIDTH + 2, 2]},
        "depth_head": {**STACK, "dim_in": [16, 8], "dim_out": [None, 1]},
    }
    return MDM(ModelConfig.parse(config)).eval()


def colour_half(model: MDM) -> dict[str, Tensor]:
    state = model.encoder.backbone.state_dict()
    return {name: t for name, t in state.items() if "depth" not in name}


def assert_equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert set(a) == set(b)
    torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_network_starts_from_a_backbone_in_either_format(
    tensors: dict[str, Tensor], tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"dinov2{ending}"
    if ending == ".pth":
        torch.save(tensors, path)
    else:
        save_file(tensors, path)

    model = backbone.new_model(path, seed=0)

    assert backbone.is_backbone(path)
    assert_equal(colour_half(model), tensors)
    name = "dinov2_vits14_reg" if "register_tokens" in tensors else "dinov2_vits14"
    assert model.config.encoder.backbone == name
    assert model.mask_head is not None


def test_what_is_not_of_the_backbone_is_drawn_from_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "dinov2.pth"
    torch.save(official(), path)
    embedding = "encoder.backbone.depth_patch_embed.proj.weight"

    first, again, other = (backbone.new_model(path, seed=n).state_dict()[embedding] for n in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_colour_half_sees_what_dinov2_sees(tensors: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "dinov2.pth"
    torch.save(tensors, path)
    model = small("dinov2_vits14_reg" if "register_tokens" in tensors else "dinov2_vits14")
    backbone.initialise(model, path)
    image = torch.randn(1, 3, 42, 56, generator=torch.Generator().manual_seed(1))
    nothing = torch.zeros(1, 1, 42, 56)

    with torch.inference_mode():
        (ours,) = model.encoder.backbone(image, nothing, torch.zeros(1, 12, dtype=torch.bool))

    ours = torch.cat((ours[:, :1], ours[:, -12:]), 1)
    torch.testing.assert_close(ours, features(tensors, image), rtol=1e-4, atol=1e-4)


def test_what_is_depths_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "dinov2.pth"
    torch.save(official(), path)
    model = small("dinov2_vits14")
    before = {name: t.clone() for name, t in model.state_dict().items()}

    backbone.initialise(model, path)

    changed = {name for name, t in model.state_dict().items() if not torch.equal(t, before[name])}
    assert changed == {f"encoder.backbone.{name}" for name in official()}


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_an_encoder_goes_out_and_comes_back_without_loss(tmp_path: Path, ending: str) -> None:
    path, model, other = tmp_path / f"out{ending}", small("dinov2_vits14"), small("dinov2_vits14")
    torch.nn.init.normal_(other.encoder.backbone.pos_embed)

    backbone.save(path, model)
    backbone.initialise(other, path)

    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert_equal(colour_half(other), colour_half(model))


@pytest.mark.parametrize("registers", [False, True])
def test_an_exported_backbone_has_exactly_the_official_names(tmp_path: Path, registers: bool) -> None:
    pth, safe = tmp_path / "out.pth", tmp_path / "out.safetensors"
    model = small("dinov2_vits14_reg" if registers else "dinov2_vits14")

    backbone.save(pth, model)
    backbone.save(safe, model)

    want = {name: tuple(t.shape) for name, t in official(registers=registers).items()}
    for content in (torch.load(pth, weights_only=True), load_file(safe)):
        assert {name: tuple(t.shape) for name, t in content.items()} == want


def test_the_encoder_of_a_moge_checkpoint_comes_back(tmp_path: Path) -> None:
    path, tensors = tmp_path / "model.pt", official()
    encoder = {f"encoder.backbone.{name}": t for name, t in tensors.items()}
    rest = {"encoder.image_mean": torch.zeros(1, 3, 1, 1), "points_head.weight": torch.zeros(2)}
    torch.save({"model_config": {}, "model": {**encoder, **rest}}, path)

    model = backbone.new_model(path, seed=0)

    assert backbone.is_backbone(path)
    assert_equal(colour_half(model), tensors)


def test_a_checkpoint_of_ours_is_no_backbone(tmp_path: Path) -> None:
    path = tmp_path / "ours.safetensors"
    checkpoint.save(path, small("dinov2_vits14"), {})

    assert not backbone.is_backbone(path)


@pytest.mark.parametrize(
    ("width", "blocks", "registers", "name"),
    [
        (768, 12, False, "dinov2_vitb14"),
        (768, 12, True, "dinov2_vitb14_reg"),
        (1024, 24, False, "dinov2_vitl14"),
        (1024, 24, True, "dinov2_vitl14_reg"),
    ],
)
def test_larger_backbones_have_the_official_names_and_shapes(
    width: int, blocks: int, registers: bool, name: str
) -> None:
    with torch.device("meta"):
        model = MDM(backbone.architecture(name))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn", lambda shape, generator: torch.empty(shape, device="meta"))
        want = _official(registers=registers, width=width, blocks=blocks)
    assert {n: t.shape for n, t in colour_half(model).items()} == {n: t.shape for n, t in want.items()}


def test_the_new_network_has_the_published_shape(shared: Path) -> None:
    published = json.loads((shared / "parity" / "vitl_config.json").read_text(encoding="utf-8"))
    made = backbone.architecture("dinov2_vitl14")

    # The reference files were made with either output remap; it is no part of the shape.
    assert made == ModelConfig.parse(published).model_copy(update={"remap_depth_out": made.remap_depth_out})


def test_one_error_lists_everything_that_does_not_fit_and_nothing_is_changed(tmp_path: Path) -> None:
    path, tensors = tmp_path / "dinov2.pth", official()
    del tensors["norm.bias"], tensors["blocks.11.ls2.gamma"]
    tensors["head.weight"] = torch.zeros(10, WIDTH)
    tensors["pos_embed"] = torch.zeros(1, 257, WIDTH)
    torch.save(tensors, path)
    model = small("dinov2_vits14")
    before = {name: t.clone() for name, t in model.state_dict().items()}

    with pytest.raises(WeightsError) as error:
        backbone.initialise(model, path)

    assert error.value.args[0].startswith("4 weights")
    for fault in (
        "missing norm.bias",
        "missing blocks.11.ls2.gamma",
        "unexpected head.weight",
        "pos_embed is (1, 257, 384) instead of (1, 1370, 384)",
    ):
        assert fault in error.value.args[0]
    assert_equal(dict(model.state_dict()), before)


def test_a_backbone_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dinov2.pth"
    torch.save(official(registers=True), path)

    with pytest.raises(WeightsError, match=r"unexpected register_tokens \(1, 4, 384\)"):
        backbone.initialise(small("dinov2_vits14"), path)


@pytest.mark.parametrize(
    "content",
    [{"embeddings.cls_token": torch.zeros(1, 1, WIDTH)}, {"state_dict": {"x": torch.zeros(1)}}, [1]],
)
def test_a_file_without_a_backbone_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)

    with pytest.raises(WeightsError) as error:
        backbone.new_model(path, seed=0)
    assert error.value.hint


def test_a_cut_file_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "dinov2.pth"
    torch.save(official(), path)
    path.write_bytes(path.read_bytes()[:100_000])

    with pytest.raises(WeightsError, match="damaged"):
        backbone.new_model(path, seed=0)


def test_a_missing_backbone_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.pth"):
        backbone.new_model(tmp_path / "absent.pth", seed=0)


def test_an_encoder_that_dinov2_does_not_have_is_not_exported(tmp_path: Path) -> None:
    config = {
        "encoder": {"backbone": "mdm_vitt14_8", "dim_out": 192, "pos_grid": 4},
        "neck": {**STACK, "dim_in": [194, 2]},
        "depth_head": {**STACK, "dim_in": [16, 8], "dim_out": [None, 1]},
    }

    with pytest.raises(WeightsError, match="mdm_vitt14_8"):
        backbone.save(tmp_path / "out.pth", MDM(ModelConfig.parse(config)))
    assert not list(tmp_path.iterdir())
