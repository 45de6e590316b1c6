"""A start from nothing that a small network learns from quickly.

A transformer and a decoder with random weights need thousands of steps before anything that was measured
reaches the output. Ours starts as the plainest filler that its architecture can express: a depth token holds
the lowest frequencies of its patch, every image token takes those of the depth tokens around it, nearer ones
counting more, and the decoder turns them back into pixels. Training then improves on it. The idea is that of
mimetic initialisation (Trockman and Kolter, arXiv 2305.09828), carried through to the output.
"""

from math import log

import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.decoder import ConvStack, ResBlock
from model.mdm import MDM
from model.vit import Attention, Block

SEEK = 1.0
"""Sharpness of the first block's attention: a token's own place counts some forty times the next one."""
PREFER_DEPTH = 6.0
"""Logit by which image tokens prefer depth tokens to image tokens in the first block."""
NORMED_ONE = 2.0
"""What the 1 of "here is depth" is after the first block's LayerNorm."""
PASS_ON = 0.3
"""Share of what the other blocks' attention finds that is passed on unchanged."""
QUIET = 0.05
"""LayerScale of everything but the first block's attention."""
POSITION = 0.5
"""Amplitude of the positional embedding: what differs between tokens disturbs what LayerNorm passes on."""
COLOUR = 0.25
"""Share of torch's own amplitude that the colour embedding starts with, for the same reason."""
BRANCH = 0.3
"""Amplitude of what joins the main path of the decoder: residual branches and UV maps."""
READ_OUT = 0.264
"""Log metres for each unit that arrives at the depth head's last layer; fitted on simulated rooms."""
USUAL_LOG_M = 0.022
UV_CHANNELS = 2


def new_model(architecture: dict[str, object], *, seed: int) -> MDM:
    """A network without training, the same for the same seed.

    A third of the channels holds the position as sines and cosines, a third colour, a third depth: cosine
    coefficients of the patch's log depth, and "here is depth" as the last of them.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = MDM(ModelConfig.parse(architecture))
        backbone = model.encoder.backbone
        width = backbone.pos_embed.shape[-1]
        third = third_of(width)
        backbone.pos_embed.zero_()
        backbone.pos_embed[:, 1:, :third] = sine_positions(backbone.pos_grid, third)
        _write_only(backbone.patch_embed.proj, slice(third + 1, 2 * third))
        backbone.cls_token[..., third] = 1.0
        _summarise(backbone.depth_patch_embed.proj, width - 2 * third)
        for number, block in enumerate(backbone.blocks):
            assert isinstance(block, Block)
            _seek_depth_around(block.attn, third, first=number == 0)
            nn.init.constant_(block.ls1.gamma, 1.0 if number == 0 else QUIET)
            nn.init.constant_(block.ls2.gamma, QUIET)
        for projection in model.encoder.output_projections:
            assert isinstance(projection, nn.Conv2d)
            nn.init.dirac_(projection.weight)
            _no_bias(projection)
        _hand_on(model.neck, first=2 * third)
        for head in (model.depth_head, model.mask_head):
            if head is not None:
                _take_over(head)
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


def third_of(width: int) -> int:
    """About a third of the channels, in eights, as `sine_positions` fills them."""
    return width // 24 * 8


def sine_positions(side: int, width: int) -> Tensor:
    """(1, side * side, width) float32: rows and columns as sines and cosines of many wavelengths."""
    eighth = width // 8
    place = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    # From half a wave over the whole grid to one over four tokens; bicubic resizing blurs shorter ones.
    half_waves = torch.exp(torch.linspace(0, log(side / 2), eighth))
    angles = torch.pi * place[:, None] * half_waves  # (side, width / 8)
    half = torch.cat((angles.sin(), angles.cos()), 1)  # (side, width / 4)
    line = torch.cat((half, -half), 1)  # (side, width / 2); its sum is 0, as LayerNorm would have it
    rows = line[:, None].expand(-1, side, -1)  # (side, side, width / 2)
    cols = line[None].expand(side, -1, -1)  # (side, side, width / 2)
    return POSITION * torch.cat((rows, cols), -1).reshape(1, side * side, width)


def _write_only(embed: nn.Conv2d, channels: slice) -> None:
    kept = COLOUR * embed.weight[channels]
    embed.weight.zero_()
    embed.weight[channels] = kept - kept.mean(0)
    _no_bias(embed)


def waves(count: int, samples: int | None = None) -> list[tuple[int, int]]:
    """The `count` lowest frequencies (down, across) of a two-dimensional cosine transform, the mean first.

    Args:
        count: how many; fewer where there are no more.
        samples: on each side, which cannot hold higher frequencies; None for any number.
    """
    side = range(count if samples is None else min(count, samples))
    return sorted(((v, u) for v in side for u in side), key=lambda wave: (max(wave), sum(wave), wave))[:count]


def cosines(places: Tensor, frequencies: int) -> Tensor:
    """(frequencies, len(places)): cosine waves over 0..1 at `places`."""
    return torch.cos(torch.pi * torch.arange(frequencies)[:, None] * places)


def _summarise(embed: nn.Conv2d, channels: int) -> None:
    """The last `channels` become "here is depth" and, before it, the cosine coefficients of the patch."""
    assert embed.bias is not None
    embed.weight.zero_()
    _no_bias(embed)
    embed.bias[-1] = 1.0
    side = embed.kernel_size[0]
    lowest = waves(channels - 1, side)
    basis = cosines((torch.arange(side) + 0.5) / side, channels)  # (frequencies, 14)
    for number, (v, u) in enumerate(lowest):
        wave = torch.outer(basis[v], basis[u])  # (14, 14)
        embed.weight[-channels + number, 0] = wave / wave.square().sum()


def _seek_depth_around(attention: Attention, position_channels: int, *, first: bool) -> None:
    width = attention.qkv.in_features
    size = width // attention.heads
    query, key, value = attention.qkv.weight.chunk(3)  # (D, D) each
    for start in range(0, width if first else width - size, size):
        seek = nn.init.orthogonal_(torch.empty(size - 2, position_channels))
        query[start : start + size - 2, :position_channels] += SEEK * seek
        key[start : start + size - 2, :position_channels] += SEEK * seek
        # The class token, which is added to all others behind the encoder, keeps to itself.
        for side in (query, key):
            side[start + size - 2] = 0
            side[start + size - 2, position_channels] = 1.0
        if first:
            query[start + size - 1] = 0
            key[start + size - 1] = 0
            key[start + size - 1, -1] = 1.0  # "here is depth"
            attention.qkv.bias[start + size - 1] = PREFER_DEPTH * size**0.5 / NORMED_ONE
    share = 1.0 if first else PASS_ON
    pass_on = nn.init.orthogonal_(torch.empty(width, width))
    value.copy_(share * pass_on)
    attention.proj.weight.copy_(share * pass_on.T)


def _hand_on(neck: ConvStack, *, first: int) -> None:
    """The neck's first channels hold the cosine coefficients of ever smaller squares of the patch.

    A transposed convolution splits a square in four, and the coefficients of a quarter are a linear function
    of those of the whole. The other channels start at random and keep their variance from level to level,
    where torch's own initialisation would leave a hundred-thousandth.

    Args:
        neck: of a network whose features hold the coefficients of the whole patch from channel `first` on.
        first: see there; all further channels but the last are coefficients.
    """
    _keep_variance(neck)
    lowest, *joins = _convolutions(neck.input_blocks)
    steps = _steps(neck)
    splits = [isinstance(step, nn.ConvTranspose2d) for step, _ in steps]
    carried = [
        4 ** sum(splits[level:]) for level in range(len(splits) + 1)
    ]  # one for each pixel of the finest
    carried[0] = min(carried[0], lowest.in_channels - UV_CHANNELS - first - 1, lowest.out_channels)
    _rewire(lowest, carried[0], takes=first)
    for (step, smooth), given, wanted in zip(steps, carried, carried[1:], strict=False):
        if isinstance(step, nn.ConvTranspose2d):
            step.weight[:, :wanted] = 0
            step.weight[:given, :wanted] = _quarters(given, wanted)
        _rewire(smooth, wanted)
    for join, count in zip(joins, carried[1:], strict=True):
        join.weight[:count] = 0
    for blocks, count in zip(neck.res_blocks, carried, strict=True):
        _leave_alone(blocks, count)


def _take_over(head: ConvStack) -> None:
    """Channel 0 of the head's finest level is the neck's; all others start at random."""
    _keep_variance(head)
    *coarser, finest = _convolutions(head.input_blocks)
    for conv in (*coarser, *(smooth for _, smooth in _steps(head))):
        conv.weight[0] = 0
    for blocks in head.res_blocks:
        _leave_alone(blocks, 1)
    _rewire(finest, 1)


def _convolutions(blocks: nn.ModuleList) -> list[nn.Conv2d]:
    return [block for block in blocks if isinstance(block, nn.Conv2d)]


def _steps(stack: ConvStack) -> list[tuple[nn.Module, nn.Conv2d]]:
    """Each resampler's enlarging module and the convolution behind it."""
    found = []
    for step in stack.resamplers:
        assert isinstance(step, nn.Sequential)
        enlarge, smooth = step
        assert isinstance(smooth, nn.Conv2d)
        found.append((enlarge, smooth))
    return found


def _quarters(count: int, wanted: int) -> Tensor:
    """(count, wanted, 2, 2): what a square's cosine coefficients mean for those of its quarters."""
    places = (torch.arange(64) + 0.5) / 64
    fine = cosines(places, wanted)  # (frequencies, 64)
    read = (fine / fine.square().sum(1, keepdim=True)).T  # (64, frequencies)
    halves = torch.stack([cosines((half + places) / 2, count) @ read for half in (0, 1)])  # (2, whole, part)
    (v, u), (down, across) = (torch.tensor(waves(n)).T for n in (count, wanted))
    rows = halves[:, v][:, :, down]  # (2, count, wanted)
    cols = halves[:, u][:, :, across]  # (2, count, wanted)
    return torch.einsum("iab,jab->abij", rows, cols)


def _rewire(conv: nn.Conv2d, count: int, *, takes: int = 0) -> None:
    """The first `count` channels become those of the input from `takes` on, and nothing else."""
    middle = conv.kernel_size[0] // 2
    conv.weight[:count] = 0
    conv.weight[:count, takes : takes + count, middle, middle] = torch.eye(count)


def _leave_alone(blocks: nn.Module, count: int) -> None:
    """Residual blocks add nothing to the first `count` channels."""
    for block in blocks.modules():
        if isinstance(block, ResBlock):
            last = block.layers[-1]
            assert isinstance(last, nn.Conv2d)
            last.weight[:count] = 0


def _keep_variance(stack: ConvStack) -> None:
    for name, module in stack.named_modules():
        if isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=module.in_channels**-0.5)
            _no_bias(module)
        elif isinstance(module, nn.Conv2d):
            joins = "res_blocks" in name or ("input_blocks" in name and module.in_channels == UV_CHANNELS)
            std = (BRANCH if joins else 1.0) * module.weight[0].numel() ** -0.5
            nn.init.normal_(module.weight, std=std)
            _no_bias(module)


def _no_bias(module: nn.Conv2d | nn.ConvTranspose2d) -> None:
    assert module.bias is not None
    nn.init.zeros_(module.bias)
