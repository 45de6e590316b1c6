"""What is shown of the network's inside is what the network computes."""

import pytest
import torch
from torch import Tensor

from model.config import ModelConfig
from model.inside import depth_attention, features
from model.mdm import MDM

STACK = {"dim_res_blocks": [8] * 5, "num_res_blocks": 0, "resamplers": ["bilinear"] * 4}
CONFIG = {
    "encoder": {"backbone": "mdm_vitt14_8", "dim_out": 192, "pos_grid": 4, "intermediate_layers": [2, 7]},
    "neck": {**STACK, "dim_in": [194, 2, 2, 2, 2]},
    "depth_head": {**STACK, "dim_in": [8] * 5, "dim_out": [None] * 4 + [1]},
    "num_tokens_range": [12, 12],
}
GRID = (3, 4)
AT = (47, 20)
TOKEN = 1 * 4 + 3  # 56 x 42 px: column 47 // 14, row 20 // 14


@pytest.fixture
def model() -> MDM:
    torch.manual_seed(0)
    model = MDM(ModelConfig.parse(CONFIG)).eval()
    for block in model.encoder.backbone.blocks:
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.1)  # far from even attention
    return model


@pytest.fixture
def frame() -> tuple[Tensor, Tensor]:
    """42 x 56 px; tokens 0, 5 and 6 hold no depth."""
    torch.manual_seed(1)
    depth = torch.rand(42, 56) + 1.5
    depth[:14, :14] = 0
    depth[14:28, 14:42] = 0
    return torch.rand(3, 42, 56), depth


def by_hand(model: MDM, image: Tensor, depth_m: Tensor, layer: int) -> Tensor:
    """(heads, L, L): attention among class token, colour tokens and visible depth tokens, in plain terms."""
    encoder, vit = model.encoder, model.encoder.backbone
    position = vit.positions(*GRID)[0]
    colour = vit.patch_embed((image[None] - encoder.image_mean) / encoder.image_std)[0] + position + 1
    log_depth = torch.where(depth_m > 0, depth_m, 1).log()[None, None]
    measured = vit.depth_patch_embed(log_depth)[0] + position + 2
    seen = [token for token in range(12) if token not in {0, 5, 6}]
    x = torch.cat(((vit.cls_token + vit.pos_embed[:, :1])[0], colour, measured[seen]))
    for index, block in enumerate(vit.blocks):
        q, k, v = block.attn.qkv(block.norm1(x)).view(len(x), 3, -1, 64).permute(1, 2, 0, 3)
        attention = (q @ k.transpose(1, 2) / 8).softmax(-1)
        if index == layer:
            return attention
        mixed = (attention @ v).transpose(0, 1).flatten(1)
        x = x + block.ls1(block.attn.proj(mixed))
        x = x + block.ls2(block.mlp(block.norm2(x)))
    raise AssertionError


@pytest.mark.parametrize("layer", [0, 4, 7])
@torch.no_grad()
def test_attention_is_that_of_a_transformer_computed_by_hand(model: MDM, frame, layer: int) -> None:
    whole = by_hand(model, *frame, layer)
    asked = 1 + 12 + TOKEN - 3  # three tokens before it are not there
    expected = whole[:, asked, 1:13].unflatten(1, GRID)

    mean = depth_attention(model, *frame, at=AT, layer=layer, num_tokens=GRID)
    heads = [depth_attention(model, *frame, at=AT, layer=layer, head=h, num_tokens=GRID) for h in range(3)]

    torch.testing.assert_close(torch.stack(heads), expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(mean, expected.mean(0), rtol=1e-4, atol=1e-6)


def test_layers_count_from_the_end_too(model: MDM, frame) -> None:
    last = depth_attention(model, *frame, at=AT, layer=7, num_tokens=GRID)
    assert torch.equal(depth_attention(model, *frame, at=AT, num_tokens=GRID), last)


def test_a_place_without_measurement_has_no_depth_token(model: MDM, frame) -> None:
    assert depth_attention(model, *frame, at=(20, 20), num_tokens=GRID) is None


@pytest.mark.parametrize(("at", "layer"), [((56, 0), 0), ((0, -1), 0), (AT, 8)])
def test_what_is_not_there_cannot_be_asked(model: MDM, frame, at: tuple[int, int], layer: int) -> None:
    with pytest.raises(IndexError):
        depth_attention(model, *frame, at=at, layer=layer, num_tokens=GRID)


@torch.no_grad()
def test_features_are_the_projected_map_and_the_class_token_before_they_meet(model: MDM, frame) -> None:
    image, depth_m = frame
    seen: list[list[Tensor]] = []
    hook = model.encoder.backbone.register_forward_hook(lambda _m, _i, taken: seen.append(taken))

    found = features(model, image, depth_m)
    hook.remove()

    colour = [taken[0, 1:13].T.unflatten(1, GRID)[None] for taken in seen[0]]
    projected = sum(project(x) for project, x in zip(model.encoder.output_projections, colour, strict=True))
    assert found.features.shape == (192, *GRID)
    torch.testing.assert_close(found.features, projected[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.class_token, seen[0][-1][0, 0])
