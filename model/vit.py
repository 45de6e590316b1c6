"""The encoder: a DINOv2 vision transformer that reads colour and depth patches as one sequence."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX, Backbone, EncoderConfig

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


class Encoding(NamedTuple):
    """What the encoder saw in a batch.

    Attributes:
        features: (B, dim_out, R, C), projections of the taken layers summed, class token not added.
        class_token: (B, D) of the last taken layer.
    """

    features: Tensor
    class_token: Tensor


class PatchEmbed(nn.Module):
    """14 x 14 px patches as tokens, row by row."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(channels, width, PATCH_PX, stride=PATCH_PX)

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x)  # (B, D, R, C)
        return x.flatten(2).transpose(1, 2)  # (B, N, D)


class Attention(nn.Module):
    """Self-attention over each whole sequence."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, lengths: list[int] | None) -> Tensor:
        b, n, d = x.shape
        qkv = self.qkv(x).view(b, n, 3, self.heads, d // self.heads)  # (B, L, 3, heads, 64)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # 3 x (B, heads, L, 64)
        if lengths is None:
            x = F.scaled_dot_product_attention(q, k, v)  # (B, heads, L, 64)
        else:
            samples = zip(q.split(lengths, 2), k.split(lengths, 2), v.split(lengths, 2), strict=True)
            x = torch.cat([F.scaled_dot_product_attention(*qkv) for qkv in samples], 2)  # (1, heads, T, 64)
        out: Tensor = self.proj(x.transpose(1, 2).reshape(b, n, d))  # (B, L, D)
        return out


class Mlp(nn.Module):
    """The feed-forward part of a block."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class SwiGlu(nn.Module):
    """The gated feed-forward part of the giant backbone."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w12 = nn.Linear(width, 2 * hidden)
        self.w3 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        gate, value = self.w12(x).chunk(2, dim=-1)  # 2 x (B, L, hidden)
        out: Tensor = self.w3(F.silu(gate) * value)
        return out


class LayerScale(nn.Module):
    """A learned gain per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Block(nn.Module):
    """One transformer block, norms first.

    Samples of one length come as (B, L, D) and `lengths` None. Others come end to end as (1, T, D) with their
    lengths: on a CPU that takes three quarters of the time of padding them (measured, 8 samples).
    """

    def __init__(self, sizes: Backbone) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(sizes.width, eps=1e-6)
        self.attn = Attention(sizes.width, sizes.heads)
        self.ls1 = LayerScale(sizes.width)
        self.norm2 = nn.LayerNorm(sizes.width, eps=1e-6)
        self.mlp = (SwiGlu if sizes.swiglu else Mlp)(sizes.width, sizes.mlp_width)
        self.ls2 = LayerScale(sizes.width)

    def forward(self, x: Tensor, lengths: list[int] | None) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x), lengths))
        out: Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return out


class VisionTransformer(nn.Module):
    """Colour and depth patches in, sequences of the taken blocks out."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        sizes = config.sizes
        self.pos_grid = config.pos_grid
        self.taken_layers = config.taken_layers
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.pos_grid**2, sizes.width))
        self.registers = sizes.registers
        if sizes.registers:
            self.register_tokens = nn.Parameter(torch.zeros(1, sizes.registers, sizes.width))
        self.mask_token = nn.Parameter(torch.zeros(1, sizes.width), requires_grad=False)  # stored, never used
        self.patch_embed = PatchEmbed(3, sizes.width)
        self.depth_patch_embed = PatchEmbed(1, sizes.width)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.width, eps=1e-6)
        self._grids: dict[tuple[object, ...], Tensor] = {}
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)
        if self.registers:
            nn.init.normal_(self.register_tokens, std=1e-6)

    def positions(self, rows: int, cols: int) -> Tensor:
        """(1, rows * cols, D) positional embedding of a token grid, kept while the weights stay the same."""
        stored = self.pos_embed
        if torch.is_grad_enabled():
            return self._positions(rows, cols)
        # The version counts in-place writes: an optimiser's step must not leave an old grid behind.
        version = 0 if stored.is_inference() else stored._version  # noqa: SLF001
        key = (rows, cols, stored.data_ptr(), version, stored.device, stored.dtype)
        if key not in self._grids:
            if len(self._grids) >= 8:
                self._grids.clear()
            self._grids[key] = self._positions(rows, cols)
        return self._grids[key]

    def _positions(self, rows: int, cols: int) -> Tensor:
        side = self.pos_grid
        if (rows, cols) == (side, side):
            return self.pos_embed[:, 1:]
        grid = self.pos_embed[:, 1:].float().view(1, side, side, -1)  # (1, side, side, D)
        grid = grid.permute(0, 3, 1, 2)  # (1, D, side, side)
        with torch.autocast(grid.device.type, enabled=False):
            if self.registers:
                grid = F.interpolate(grid, (rows, cols), mode="bicubic", antialias=True)  # (1, D, R, C)
            else:
                # As DINOv2 without registers: the factor carries + 0.1, and the sampling positions follow it.
                factor = ((rows + 0.1) / side, (cols + 0.1) / side)
                grid = F.interpolate(grid, scale_factor=factor, mode="bicubic")  # (1, D, R, C)
        assert grid.shape[2:] == (rows, cols)
        return grid.flatten(2).transpose(1, 2).to(self.pos_embed.dtype)  # (1, N, D)

    def forward(self, image: Tensor, depth: Tensor, visible: Tensor | None) -> list[Tensor]:
        """Normalised sequences after each taken block, without depth tokens.

        Args:
            image: (B, 3, 14 R, 14 C), normalised.
            depth: (B, 1, 14 R, 14 C), remapped.
            visible: (B, N) bool, the depth tokens to keep; None keeps all.

        Returns:
            One (B, 1 + registers + N, D) for each taken block.
        """
        b = image.shape[0]
        positions = self.positions(image.shape[2] // PATCH_PX, image.shape[3] // PATCH_PX)  # (1, N, D)
        colour: Tensor = self.patch_embed(image) + (positions + 1)  # (B, N, D)
        measured: Tensor = self.depth_patch_embed(depth) + (positions + 2)  # (B, N, D)
        head = self.cls_token + self.pos_embed[:, :1]  # (1, 1, D)
        if self.registers:
            head = torch.cat((head, self.register_tokens), 1)  # (1, 1 + registers, D)
        front = torch.cat((head.expand(b, -1, -1).to(colour.dtype), colour), 1)  # (B, 1 + registers + N, D)
        if visible is None:
            samples = list(torch.cat((front, measured), 1))  # B x (L, D)
        else:
            per_sample = zip(front, measured, visible, strict=True)
            samples = [torch.cat((f, m[seen])) for f, m, seen in per_sample]  # B x (L, D)
        return self._taken(samples, front=front.shape[1])

    def _taken(self, samples: list[Tensor], *, front: int) -> list[Tensor]:
        lengths = [len(s) for s in samples]
        ragged = len(set(lengths)) > 1
        x = torch.cat(samples).unsqueeze(0) if ragged else torch.stack(samples)  # (1, T, D) or (B, L, D)
        taken = []
        for index, block in enumerate(self.blocks):
            x = block(x, lengths if ragged else None)
            if index in self.taken_layers:
                sequences = x[0].split(lengths) if ragged else x
                taken.append(self.norm(torch.stack([s[:front] for s in sequences])))  # (B, front, D)
        return taken


class Encoder(nn.Module):
    """The transformer with the input normalisation before it and the projections behind it."""

    image_mean: Tensor
    image_std: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.register_buffer("image_mean", torch.tensor(IMAGE_MEAN).view(1, 3, 1, 1))
        self.register_buffer("image_std", torch.tensor(IMAGE_STD).view(1, 3, 1, 1))
        self.backbone = VisionTransformer(config)
        self.output_projections = nn.ModuleList(
            nn.Conv2d(config.sizes.width, config.dim_out, 1) for _ in config.taken_layers
        )

    def forward(self, image: Tensor, depth: Tensor, visible: Tensor | None) -> Encoding:
        """Features of a batch at its token grid.

        Args:
            image: (B, 3, 14 R, 14 C) in 0..1.
            depth: (B, 1, 14 R, 14 C), remapped.
            visible: (B, N) bool, the depth tokens to keep; None keeps all.
        """
        rows, cols = image.shape[2] // PATCH_PX, image.shape[3] // PATCH_PX
        taken = self.backbone((image - self.image_mean) / self.image_std, depth, visible)
        maps = [
            t[:, -rows * cols :].transpose(1, 2).unflatten(2, (rows, cols)) for t in taken
        ]  # (B, D, R, C)
        projected = [project(m) for project, m in zip(self.output_projections, maps, strict=True)]
        features = torch.stack(projected).sum(0) if len(projected) > 1 else projected[0]
        return Encoding(features, taken[-1][:, 0])
