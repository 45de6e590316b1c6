"""Looks inside the network: what a depth token attends to, and what the encoder makes of a frame."""

from typing import cast

import torch
from torch import Tensor, nn

from model.mdm import MDM, Tokens, token_grid
from model.vit import Block, Encoding


@torch.inference_mode()
def depth_attention(
    model: MDM,
    image: Tensor,
    depth_m: Tensor,
    *,
    at: tuple[int, int],
    layer: int = -1,
    head: int | None = None,
    num_tokens: Tokens,
) -> Tensor | None:
    """(R, C) float32: how much of its attention a depth token gives to each RGB token (paper, figure 3).

    What is missing to a sum of 1 goes to class token, registers and other depth tokens.

    Args:
        model: in evaluation mode.
        image: (3, H, W) RGB in 0..1.
        depth_m: (h, w) metres over the same view, 0 for a hole.
        at: x, y in pixels of `image`; the token that covers it is asked.
        layer: block of the transformer, from 0, or from -1 backwards.
        head: attention head; None for the mean of all.
        num_tokens: image tokens, or their (rows, cols).

    Returns:
        None where nothing is measured below that token: the network does not see it.

    Raises:
        IndexError: there is no such place, layer or head.
    """
    height, width = image.shape[1:]
    x, y = at
    if not (0 <= x < width and 0 <= y < height):
        raise IndexError(f"{x}, {y} is outside of an image of {width} x {height}")
    rows, cols = token_grid(num_tokens, height=height, width=width)
    attention = cast("Block", model.encoder.backbone.blocks[layer]).attn
    prepared = model.prepare(*_batch_of_one(model, image, depth_m), num_tokens=(rows, cols))
    visible = prepared.visible[0]  # (N,)
    token = (y * rows // height) * cols + x * cols // width
    if not visible[token]:
        return None
    # (L, 3, heads, 64); the sequence is class token, registers, RGB tokens, visible depth tokens.
    qkv = _output_of(attention.qkv, model, prepared).float()
    qkv = qkv.view(len(qkv), 3, attention.heads, -1)
    first_depth = len(qkv) - int(visible.sum())
    asked = first_depth + int(visible[:token].sum())
    q, k = qkv[asked, 0], qkv[:, 1]  # (heads, 64), (L, heads, 64)
    weights = torch.einsum("hc,lhc->hl", q, k).mul(q.shape[1] ** -0.5).softmax(-1)  # (heads, L)
    maps = weights[:, first_depth - rows * cols : first_depth]  # (heads, N)
    maps = maps.reshape(-1, rows, cols)  # (heads, R, C)
    return maps.mean(0) if head is None else maps[head]


@torch.inference_mode()
def features(model: MDM, image: Tensor, depth_m: Tensor, *, num_tokens: Tokens | None = None) -> Encoding:
    """What upstream's `infer_feat` gives: the projected map, class token not added, and the class token.

    Args:
        model: in evaluation mode.
        image: (3, H, W) RGB in 0..1.
        depth_m: (h, w) metres over the same view, 0 for a hole.
        num_tokens: image tokens, or their (rows, cols); None for the most of the model's range.

    Returns:
        (dim_out, R, C) and (D,) float32.
    """
    tokens = model.config.num_tokens(9) if num_tokens is None else num_tokens
    encoding = model.encode(*_batch_of_one(model, image, depth_m), num_tokens=tokens)
    return Encoding(encoding.features[0], encoding.class_token[0])


def _batch_of_one(model: MDM, image: Tensor, depth_m: Tensor) -> tuple[Tensor, Tensor]:
    weight = model.encoder.image_mean
    return image.to(weight).unsqueeze(0), depth_m.to(weight).unsqueeze(0)


def _output_of(module: nn.Module, model: MDM, prepared: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """What `module` returns, without the batch dimension, while the encoder looks at one frame."""
    seen: list[Tensor] = []
    hook = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        model.encoder(*prepared)
    finally:
        hook.remove()
    return seen[0][0]
