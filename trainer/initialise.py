"""A start from nothing that a small transformer learns from quickly."""

from math import log

import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.mdm import MDM
from model.vit import Block

TYPICAL_DEPTH_M = 2.0


def new_model(architecture: dict[str, object], *, seed: int) -> MDM:
    """A network without training, the same for the same seed.

    Positions start as sines and cosines, and each query looks for its like ("mimetic initialisation",
    Trockman and Kolter, arXiv 2305.09828): a token then attends to its own place and to the depth measured
    there from the first step on. The head starts at a typical depth everywhere.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MDM(ModelConfig.parse(architecture))
        backbone = model.encoder.backbone
        with torch.no_grad():
            backbone.pos_embed[:, 1:] = sine_positions(backbone.pos_grid, backbone.pos_embed.shape[-1])
            for block in backbone.blocks:
                assert isinstance(block, Block)
                _seek_own_place(block.attn.qkv)
                nn.init.ones_(block.ls1.gamma)
                nn.init.ones_(block.ls2.gamma)
            last = model.depth_head.output_blocks[-1]
            assert isinstance(last, nn.Conv2d)
            assert last.bias is not None
            nn.init.zeros_(last.weight)
            last.bias.fill_(
                log(TYPICAL_DEPTH_M) if model.config.remap_depth_out == "exp" else TYPICAL_DEPTH_M
            )
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


def _seek_own_place(qkv: nn.Linear) -> None:
    width = qkv.in_features
    frame = nn.init.orthogonal_(torch.empty(width, width))
    qkv.weight[:width] = 0.7 * frame + 0.02 * torch.randn(width, width)
    qkv.weight[width : 2 * width] = 0.7 * frame + 0.02 * torch.randn(width, width)
