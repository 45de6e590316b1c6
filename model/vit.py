"""The encoder: a DINOv2 vision transformer that reads colour and depth patches as one sequence."""

from itertools import product
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX, Backbone, EncoderConfig
from model.masking import Kept

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)
HEAD_SCALE = 0.125  # 64 ** -0.5
QUERY_ROWS = 256
"""Queries that one product takes on a CPU in bfloat16: their scores stay in its cache."""


class Lengths(NamedTuple):
    """How many tokens of each sequence count, for attention that leaves the others out.

    Attributes:
        used: (B,) int32.
    """

    used: Tensor


Keys = list[int] | Tensor | Lengths | None
"""Who attends to whom: the lengths of samples that lie end to end; (B, 1, 1, L), 0 for a key that counts and
-inf for padding; how many keys of each sequence count; or None where all in a sample see each other."""


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

    def forward(self, x: Tensor, keys: Keys, outputs: int | None = None) -> Tensor:
        qkv = self.qkv(x).unflatten(2, (3, self.heads, -1))  # (B, L, 3, heads, 64)
        if isinstance(keys, Lengths):
            q, k, v = qkv.unbind(2)  # 3 x (B, L, heads, 64)
            return cast("Tensor", self.proj(attend_lengths(q[:, :outputs], k, v, keys).flatten(2)))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # 3 x (B, heads, L, 64)
        if isinstance(keys, list):
            samples = zip(q.split(keys, 2), k.split(keys, 2), v.split(keys, 2), strict=True)
            x = torch.cat([attend(*qkv, None) for qkv in samples], 2)  # (1, heads, T, 64)
        else:
            x = attend(q[:, :, :outputs], k, v, keys)  # (B, heads, L, 64)
        out: Tensor = self.proj(x.transpose(1, 2).flatten(2))  # (B, L, D)
        return out


def attend_lengths(q: Tensor, k: Tensor, v: Tensor, lengths: Lengths) -> Tensor:
    """(B, Lq, heads, 64): what `attend` gives where only the first keys of each sequence count.

    On CUDA in half precision by FlashAttention, which never reads the other keys; elsewhere by a bias.

    Args:
        q: (B, Lq, heads, 64).
        k: (B, L, heads, 64).
        v: (B, L, heads, 64).
        lengths: of the sequences.
    """
    (b, queries), keys, device = q.shape[:2], k.shape[1], q.device
    if device.type == "cuda" and q.dtype in {torch.float16, torch.bfloat16}:
        from torch.nn.attention.varlen import varlen_attn

        steps = torch.arange(b + 1, dtype=torch.int32, device=device)
        q, k, v = (x.flatten(0, 1) for x in (q, k, v))  # 3 x (B L, heads, 64)
        out = varlen_attn(q, k, v, steps * queries, steps * keys, queries, keys, seqused_k=lengths.used)
        assert isinstance(out, Tensor)
        return out.view(b, queries, *out.shape[1:])
    unused = torch.arange(keys, device=device) >= lengths.used[:, None]  # (B, L)
    bias = torch.zeros(unused.shape, device=device).masked_fill(unused, -torch.inf)[:, None, None]
    return attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), bias).transpose(1, 2)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """(B, heads, Lq, 64): softmax(q k / 8 + bias) v.

    Args:
        q: (B, heads, Lq, 64).
        k: (B, heads, L, 64).
        v: (B, heads, L, 64).
        bias: (B, 1, 1, L), added to the scores.
    """
    bias = None if bias is None else bias.to(q.dtype)
    on_cpu = q.device.type == "cpu" and q.dtype == torch.bfloat16
    if not on_cpu or torch.is_grad_enabled() or torch.compiler.is_compiling():
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    # torch 2.13 computes this at a fifth of the speed of its own matrix products (benchmarks/network.py).
    out = torch.empty_like(q)
    scaled = q * HEAD_SCALE
    for b, head in product(range(q.shape[0]), range(q.shape[1])):
        keys, values = k[b, head].t(), v[b, head]
        for rows in (slice(start, start + QUERY_ROWS) for start in range(0, q.shape[2], QUERY_ROWS)):
            scores = scaled[b, head, rows] @ keys  # (256, L)
            scores = scores if bias is None else scores + bias[b, 0]
            out[b, head, rows] = scores.softmax(-1) @ values
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

    Samples of one length come as (B, L, D). Others come end to end as (1, T, D) with their lengths: on a CPU
    that takes three quarters of the time of padding them (measured, 8 samples). Padded ones come with a bias.
    """

    def __init__(self, sizes: Backbone) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(sizes.width, eps=1e-6)
        self.attn = Attention(sizes.width, sizes.heads)
        self.ls1 = LayerScale(sizes.width)
        self.norm2 = nn.LayerNorm(sizes.width, eps=1e-6)
        self.mlp = (SwiGlu if sizes.swiglu else Mlp)(sizes.width, sizes.mlp_width)
        self.ls2 = LayerScale(sizes.width)

    def forward(self, x: Tensor, keys: Keys, outputs: int | None = None) -> Tensor:
        """The tokens after the block; with `outputs` only the first so many, which see all the same."""
        x = x[:, :outputs] + self.ls1(self.attn(self.norm1(x), keys, outputs))
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

    def forward(
        self, image: Tensor, depth: Tensor, visible: Tensor | Kept | None, positions: Tensor | None = None
    ) -> list[Tensor]:
        """Normalised sequences after each taken block, without depth tokens.

        Args:
            image: (B, 3, 14 R, 14 C), normalised.
            depth: (B, 1, 14 R, 14 C), remapped.
            visible: (B, N) bool, the depth tokens to keep, or as many places for each sample; None keeps all.
            positions: of `positions` for this grid, where the shapes are fixed.

        Returns:
            One (B, 1 + registers + N, D) for each taken block.
        """
        b = image.shape[0]
        if positions is None:
            positions = self.positions(image.shape[2] // PATCH_PX, image.shape[3] // PATCH_PX)  # (1, N, D)
        colour: Tensor = self.patch_embed(image) + (positions + 1)  # (B, N, D)
        measured: Tensor = self.depth_patch_embed(depth) + (positions + 2)  # (B, N, D)
        head = self.cls_token + self.pos_embed[:, :1]  # (1, 1, D)
        if self.registers:
            head = torch.cat((head, self.register_tokens), 1)  # (1, 1 + registers, D)
        front = torch.cat((head.expand(b, -1, -1).to(colour.dtype), colour), 1)  # (B, 1 + registers + N, D)
        if isinstance(visible, Kept):
            if visible.places is not None:
                at = visible.places.unsqueeze(2).expand(-1, -1, measured.shape[2])  # (B, K, D)
                measured = measured.gather(1, at)
            x = torch.cat((front, measured), 1)  # (B, L, D)
            keys = visible.bias if visible.lengths is None else Lengths(visible.lengths)
            return self._taken_padded(x, keys, front=front.shape[1])
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

    def _taken_padded(self, x: Tensor, keys: Keys, *, front: int) -> list[Tensor]:
        taken = []
        for index, block in enumerate(self.blocks[: self.taken_layers[-1] + 1]):
            last = index == self.taken_layers[-1]
            x = block(x, keys, front if last else None)  # nobody reads the depth tokens of the last block
            if index in self.taken_layers:
                taken.append(self.norm(x[:, :front]))  # (B, front, D)
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

    def forward(
        self, image: Tensor, depth: Tensor, visible: Tensor | Kept | None, positions: Tensor | None = None
    ) -> Encoding:
        """Features of a batch at its token grid.

        Args:
            image: (B, 3, 14 R, 14 C) in 0..1.
            depth: (B, 1, 14 R, 14 C), remapped.
            visible: (B, N) bool, the depth tokens to keep, or as many places for each sample; None keeps all.
            positions: of the backbone, where the shapes are fixed.
        """
        rows, cols = image.shape[2] // PATCH_PX, image.shape[3] // PATCH_PX
        taken = self.backbone((image - self.image_mean) / self.image_std, depth, visible, positions)
        maps = [
            t[:, -rows * cols :].transpose(1, 2).unflatten(2, (rows, cols)) for t in taken
        ]  # (B, D, R, C)
        projected = [project(m) for project, m in zip(self.output_projections, maps, strict=True)]
        features = torch.stack(projected).sum(0) if len(projected) > 1 else projected[0]
        return Encoding(features, taken[-1][:, 0])
