"""Networks small enough for tests, with weights that let everything matter."""

from typing import Any

import torch

from model.config import ModelConfig
from model.mdm import MDM


def small_config(**overrides: Any) -> ModelConfig:
    """The published options at a width of 192, with eight blocks."""
    dims = [64, 32, 16, 8, 8]
    stack = {
        "dim_res_blocks": dims,
        "res_block_in_norm": "none",
        "res_block_hidden_norm": "none",
        "resamplers": ["conv_transpose"] * 3 + ["bilinear"],
    }
    head = {**stack, "dim_in": dims, "dim_out": [None] * 4 + [1], "num_res_blocks": [0, 1, 1, 1, 0]}
    raw = {
        "encoder": {"backbone": "mdm_vitt14_8", "dim_out": 192, "pos_grid": 16},
        "neck": {**stack, "dim_in": [194, 2, 2, 2, 2], "num_res_blocks": [0, 1, 1, 1, 0]},
        "depth_head": head,
        "mask_head": head,
        "num_tokens_range": [12, 60],
    }
    return ModelConfig.parse({**raw, **overrides})


def small_network(**overrides: Any) -> MDM:
    """Random weights, drawn so that tokens differ and attention is far from uniform."""
    torch.manual_seed(0)
    model = MDM(small_config(**overrides)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("qkv.weight", "proj.weight", "fc1.weight", "fc2.weight")):
                torch.nn.init.normal_(weight, std=1.2 / weight[0].numel() ** 0.5)
            elif name.endswith("pos_embed"):
                torch.nn.init.normal_(weight, std=0.5)
    return model
