"""The convolutional pyramid that the neck and both heads are made of."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import hypot

import torch
from torch import Tensor, nn

from model.config import GROUP_CHANNELS, Activation, Norm, Resampler, StackConfig

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "silu": nn.SiLU,
    "elu": nn.ELU,
}
NORMS: dict[Norm, Callable[[int], nn.Module]] = {
    "none": lambda _: nn.Identity(),
    "layer_norm": lambda channels: nn.GroupNorm(1, channels),
    "group_norm": lambda channels: nn.GroupNorm(channels // GROUP_CHANNELS, channels),
    "instance_norm": nn.InstanceNorm2d,
}


def conv3x3(dim_in: int, dim_out: int) -> nn.Conv2d:
    """A 3 x 3 convolution that repeats the border."""
    return nn.Conv2d(dim_in, dim_out, 3, padding=1, padding_mode="replicate")


def resampler(kind: Resampler, dim_in: int, dim_out: int) -> nn.Sequential:
    """A step of the pyramid: twice the rows and columns, `dim_out` channels."""
    if kind == "conv_transpose":
        return nn.Sequential(nn.ConvTranspose2d(dim_in, dim_out, 2, stride=2), conv3x3(dim_out, dim_out))
    if kind == "pixel_shuffle":
        return nn.Sequential(conv3x3(dim_in, 4 * dim_out), nn.PixelShuffle(2), conv3x3(dim_out, dim_out))
    return nn.Sequential(nn.Upsample(scale_factor=2, mode=kind), conv3x3(dim_in, dim_out))


class ResBlock(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, channels: int, config: StackConfig) -> None:
        super().__init__()
        hidden = channels * config.dim_times_res_block_hidden
        activation = ACTIVATIONS[config.activation]
        self.layers = nn.Sequential(
            NORMS[config.res_block_in_norm](channels),
            activation(),
            conv3x3(channels, hidden),
            NORMS[config.res_block_hidden_norm](hidden),
            activation(),
            conv3x3(hidden, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.layers(x)
        return out


class ConvStack(nn.Module):
    """A pyramid: each level adds its own input to the level below, doubled."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        dims = config.dim_res_blocks
        self.input_blocks = nn.ModuleList(
            nn.Conv2d(i, d, 1) if i else nn.Identity() for i, d in zip(config.dim_in, dims, strict=True)
        )
        self.resamplers = nn.ModuleList(
            resampler(kind, a, b) for kind, a, b in zip(config.resamplers, dims, dims[1:], strict=False)
        )
        self.res_blocks = nn.ModuleList(
            nn.Sequential(*(ResBlock(d, config) for _ in range(n)))
            for d, n in zip(dims, config.num_res_blocks, strict=True)
        )
        self.output_blocks = nn.ModuleList(
            nn.Conv2d(d, o, 1) if o else nn.Identity() for d, o in zip(dims, config.dim_out, strict=True)
        )

    def forward(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Outputs of every level, coarse to fine.

        Args:
            inputs: (B, dim_in, R * 2^l, C * 2^l) for each level l.
        """
        x: Tensor | None = None
        outputs = []
        for level, (block, given) in enumerate(zip(self.input_blocks, inputs, strict=True)):
            y = block(given)
            x = y if x is None else self.resamplers[level - 1](x) + y  # (B, dim, R * 2^l, C * 2^l)
            x = self.res_blocks[level](x)
            outputs.append(_result(self.output_blocks[level], x))
        return outputs


def _result(block: nn.Module, x: Tensor) -> Tensor:
    if not isinstance(block, nn.Conv2d):
        return x
    # Upstream leaves this convolution to autocast: 8 bits of depth are steps of 31 mm at 4 m.
    with torch.autocast(x.device.type, enabled=False):
        out: Tensor = block(x.to(block.weight.dtype))
    return out


@lru_cache(maxsize=64)
def uv_map(rows: int, cols: int, aspect: float, device: torch.device, dtype: torch.dtype) -> Tensor:
    """(1, 2, rows, cols): where each cell lies in the image, u to the right, v down; diagonal half length 1.

    Args:
        rows: rows of the map.
        cols: columns of the map.
        aspect: width over height of the image, which the grid follows only roughly.
        device: where the map lies.
        dtype: its type.
    """
    span_u, span_v = aspect / hypot(1, aspect), 1 / hypot(1, aspect)
    # Kept from one call to the next: a map born in inference mode could not take part in training.
    with torch.inference_mode(mode=False):
        u = torch.linspace(-span_u * (cols - 1) / cols, span_u * (cols - 1) / cols, cols)
        v = torch.linspace(-span_v * (rows - 1) / rows, span_v * (rows - 1) / rows, rows)
        uv = torch.stack(torch.meshgrid(u, v, indexing="xy")).unsqueeze(0)  # (1, 2, rows, cols)
        return uv.to(device, dtype)
