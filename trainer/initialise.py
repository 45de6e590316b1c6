"""A start from nothing that a small transformer learns from quickly."""

from math import log

import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.mdm import MDM
from model.vit import Attention, Block

TYPICAL_DEPTH_M = 2.0
SEEK = 0.8
"""With this, a token weighs its own place about e^9 times as much as one with nothing in common."""
PASS_ON = 0.6


def new_model(architecture: dict[str, object], *, seed: int) -> MDM:
    """A network without training, the same for the same seed.

    In the manner of "mimetic initialisation" (Trockman and Kolter, arXiv 2305.09828), the start looks like
    what training would arrive at: a third of the channels holds the position as sines and cosines, a third
    colour, a third depth. All heads but one look for their own place, so that a colour token finds the depth
    measured there in the first step; what a head finds is passed on unchanged. The depth head starts at a
    typical depth everywhere.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = MDM(ModelConfig.parse(architecture))
        backbone = model.encoder.backbone
        width = backbone.pos_embed.shape[-1]
        third = width // 3
        backbone.pos_embed.zero_()
        backbone.pos_embed[:, 1:, :third] = sine_positions(backbone.pos_grid, third)
        _write_only(backbone.patch_embed.proj, slice(third, 2 * third))
        _write_only(backbone.depth_patch_embed.proj, slice(2 * third, width))
        for block in backbone.blocks:
            assert isinstance(block, Block)
            _seek_own_place(block.attn, third)
            nn.init.ones_(block.ls1.gamma)
            nn.init.ones_(block.ls2.gamma)
        last = model.depth_head.output_blocks[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        last.bias.fill_(log(TYPICAL_DEPTH_M) if model.config.remap_depth_out == "exp" else TYPICAL_DEPTH_M)
    return model


def sine_positions(side: int, width: int) -> Tensor:
    """(1, side * side, width) float32: rows and columns as sines and cosines of many wavelengths."""
    quarter = width // 4
    place = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    waves = torch.exp(torch.linspace(0, log(side), quarter))  # half a wave to `side` half waves over the grid
    angles = torch.pi * place[:, None] * waves  # (side, quarter)
    line = torch.cat((angles.sin(), angles.cos()), 1)  # (side, width / 2)
    rows = line[:, None].expand(-1, side, -1)  # (side, side, width / 2)
    cols = line[None].expand(side, -1, -1)  # (side, side, width / 2)
    return torch.cat((rows, cols), -1).reshape(1, side * side, width)


def _write_only(embed: nn.Conv2d, channels: slice) -> None:
    kept = embed.weight[channels].clone()
    embed.weight.zero_()
    embed.weight[channels] = kept
    assert embed.bias is not None
    embed.bias.zero_()


def _seek_own_place(attention: Attention, position_channels: int) -> None:
    width = attention.qkv.in_features
    head = width // attention.heads
    query, key, value = attention.qkv.weight.chunk(3)  # (D, D) each
    for start in range(0, width - head, head):
        seek = nn.init.orthogonal_(torch.empty(head, position_channels))
        query[start : start + head, :position_channels] += SEEK * seek
        key[start : start + head, :position_channels] += SEEK * seek
    pass_on = nn.init.orthogonal_(torch.empty(width, width))
    value.copy_(PASS_ON * pass_on)
    attention.proj.weight.copy_(PASS_ON * pass_on.T)
