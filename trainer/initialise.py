"""A start from nothing that a small network learns from quickly.

A transformer and a decoder with random weights need thousands of steps before anything that was measured
reaches the output. Ours starts as the plainest filler that its architecture can express: every image token
takes the mean log depth of the depth tokens around it, nearer ones counting more, and the decoder hands that
on. Training then improves on it. The idea is that of mimetic initialisation (Trockman and Kolter, arXiv
2305.09828), carried through to the output.
"""

from math import log

import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.decoder import ConvStack
from model.mdm import MDM
from model.vit import Attention, Block

SEEK = 0.8
"""Sharpness of the first block's attention: a token's own place counts about ten times the next one."""
PREFER_DEPTH = 6.0
"""Logit by which image tokens prefer depth tokens to image tokens in the first block."""
PASS_ON = 0.3
"""Share of what the other blocks' attention finds that is passed on unchanged."""
QUIET = 0.1
"""LayerScale of everything but the first block's attention."""
BRANCH = 0.3
"""Amplitude of what joins the main path of the decoder: residual branches and UV maps."""
READ_OUT = 0.053
"""Log metres for each unit that arrives at the depth head's last layer; fitted on simulated rooms."""
USUAL_LOG_M = 0.06


def new_model(architecture: dict[str, object], *, seed: int) -> MDM:
    """A network without training, the same for the same seed.

    A third of the channels holds the position as sines and cosines, a third colour, a third depth; the last
    two of these hold "here is depth" and its mean logarithm.
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
        _summarise(backbone.depth_patch_embed.proj)
        for number, block in enumerate(backbone.blocks):
            assert isinstance(block, Block)
            _seek_depth_around(block.attn, third, first=number == 0)
            nn.init.constant_(block.ls1.gamma, 1.0 if number == 0 else QUIET)
            nn.init.constant_(block.ls2.gamma, QUIET)
        for projection in model.encoder.output_projections:
            assert isinstance(projection, nn.Conv2d)
            nn.init.dirac_(projection.weight)
            _no_bias(projection)
        _hand_on(model.neck, takes=width - 1)
        for head in (model.depth_head, model.mask_head):
            if head is not None:
                _hand_on(head, takes=0)
        last = model.depth_head.output_blocks[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        last.weight.zero_()
        last.weight[:, 0] = READ_OUT
        last.bias.fill_(USUAL_LOG_M)
        if model.mask_head is not None:
            mask_last = model.mask_head.output_blocks[-1]
            assert isinstance(mask_last, nn.Conv2d)
            nn.init.zeros_(mask_last.weight)
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
    _no_bias(embed)


def _summarise(embed: nn.Conv2d) -> None:
    """The last channel becomes the patch's mean log depth, the one before it 1."""
    assert embed.bias is not None
    embed.weight[-2:] = 0
    embed.bias[-2] = 1.0
    embed.weight[-1] = 1 / embed.weight[-1].numel()


def _seek_depth_around(attention: Attention, position_channels: int, *, first: bool) -> None:
    width = attention.qkv.in_features
    size = width // attention.heads
    query, key, value = attention.qkv.weight.chunk(3)  # (D, D) each
    for start in range(0, width if first else width - size, size):
        seek = nn.init.orthogonal_(torch.empty(size - 1, position_channels))
        query[start : start + size - 1, :position_channels] += SEEK * seek
        key[start : start + size - 1, :position_channels] += SEEK * seek
        if first:
            query[start + size - 1] = 0
            key[start + size - 1] = 0
            key[start + size - 1, -2] = 1.0  # "here is depth"
            attention.qkv.bias[start + size - 1] = PREFER_DEPTH * size**0.5 / NORMED_ONE
    share = 1.0 if first else PASS_ON
    pass_on = nn.init.orthogonal_(torch.empty(width, width))
    value.copy_(share * pass_on)
    attention.proj.weight.copy_(share * pass_on.T)


NORMED_ONE = 2.0
"""What the 1 of "here is depth" is after the first block's LayerNorm."""


def _hand_on(stack: ConvStack, *, takes: int) -> None:
    """Channel 0 carries channel `takes` of the coarsest input to the finest level unchanged.

    The other channels start at random and keep their variance from level to level; torch's own initialisation
    would leave a hundred-thousandth of it.
    """
    for name, module in stack.named_modules():
        if isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=module.in_channels**-0.5)
            module.weight[:, 0] = 0
            module.weight[0, 0] = 1
            _no_bias(module)
        elif isinstance(module, nn.Conv2d):
            of_branch = "res_blocks" in name
            of_uv = "input_blocks" in name and module.in_channels == 2
            share = BRANCH if of_branch or of_uv else 1.0
            nn.init.normal_(module.weight, std=share * module.weight[0].numel() ** -0.5)
            module.weight[0] = 0
            if not of_branch and not of_uv:
                middle = module.kernel_size[0] // 2
                module.weight[0, takes if name == "input_blocks.0" else 0, middle, middle] = 1
            _no_bias(module)


def _no_bias(module: nn.Conv2d | nn.ConvTranspose2d) -> None:
    assert module.bias is not None
    nn.init.zeros_(module.bias)
