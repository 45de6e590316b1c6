"""The network: colour and incomplete depth in, complete depth with a validity mask out."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.config import PATCH_PX, ModelConfig
from model.decoder import ConvStack, uv_map
from model.masking import fill_patches, remap_depth, visible_tokens
from model.vit import Encoder, Encoding

MASK_THRESHOLD = 0.5

Tokens = int | tuple[int, int]
"""How many image tokens to use: a count, or the rows and columns of their grid."""


class Prepared(NamedTuple):
    """A batch at the resolution of a token grid.

    Attributes:
        image: (B, 3, 14 R, 14 C) in 0..1.
        depth: (B, 1, 14 R, 14 C), remapped, as the embedding reads it.
        visible: (B, N) bool, row by row: depth tokens with a valid pixel.
    """

    image: Tensor
    depth: Tensor
    visible: Tensor


@dataclass(frozen=True, eq=False)
class MdmOutput:
    """What the network says about a batch, at one resolution.

    Attributes:
        depth: (B, H, W) float32 metres; negative is possible with a linear output.
        depth_raw: (B, H, W) float32, `depth` before the output remap: log metres with `exp`.
        mask_logits: (B, H, W) float32, above 0 where the pixel has a depth; None without a mask head.
    """

    depth: Tensor
    depth_raw: Tensor
    mask_logits: Tensor | None

    @property
    def mask_prob(self) -> Tensor | None:
        """(B, H, W) float32 in 0..1; None without a mask head."""
        return None if self.mask_logits is None else self.mask_logits.sigmoid()


@dataclass(frozen=True, eq=False)
class Inference:
    """A repaired batch; without the batch dimension if the image had none.

    Attributes:
        depth_m: (B, H, W) float32 metres, +inf where masked.
        mask: (B, H, W) bool, True where the network vouches for a depth; None without a mask head.
        mask_prob: (B, H, W) float32 in 0..1 that `mask` was cut from.
        points: (B, H, W, 3) float32 metres in the camera, +inf where masked; None without intrinsics.
    """

    depth_m: Tensor
    mask: Tensor | None
    mask_prob: Tensor | None
    points: Tensor | None


class MDM(nn.Module):
    """Masked Depth Modeling network; state-dict names are those of the published checkpoints."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.neck = ConvStack(config.neck)
        self.depth_head = ConvStack(config.depth_head)
        self.mask_head = ConvStack(config.mask_head) if config.mask_head else None

    def encode(
        self,
        image: Tensor,
        depth_m: Tensor,
        *,
        num_tokens: Tokens,
        keep_depth_tokens: Tensor | None = None,
        enable_depth_mask: bool = True,
    ) -> Encoding:
        """What the encoder makes of a batch; the arguments are those of `forward`."""
        image, depth, seen = self.prepare(image, depth_m, num_tokens=num_tokens)
        visible = seen if enable_depth_mask else None
        if keep_depth_tokens is not None:
            visible = keep_depth_tokens if visible is None else visible & keep_depth_tokens
        out: Encoding = self.encoder(image, depth, visible)
        return out

    def prepare(self, image: Tensor, depth_m: Tensor, *, num_tokens: Tokens) -> Prepared:
        """A batch as the encoder takes it; the arguments are those of `forward`."""
        rows, cols = token_grid(num_tokens, height=image.shape[2], width=image.shape[3])
        size = (rows * PATCH_PX, cols * PATCH_PX)
        depth_m = depth_m if depth_m.ndim == 4 else depth_m.unsqueeze(1)  # (B, 1, H, W)
        with torch.autocast(image.device.type, enabled=False):
            if image.shape[2:] != size:
                image = F.interpolate(image, size, mode="bilinear", antialias=True)  # (B, 3, 14 R, 14 C)
            depth_m = F.interpolate(depth_m, size, mode="nearest")  # (B, 1, 14 R, 14 C)
            depth = remap_depth(depth_m, remap=self.config.remap_depth_in)
            visible = visible_tokens(depth)
            if self.config.fill_patches:
                depth = fill_patches(depth)
        return Prepared(image, depth, visible)

    def forward(
        self,
        image: Tensor,
        depth_m: Tensor,
        *,
        num_tokens: Tokens,
        keep_depth_tokens: Tensor | None = None,
        enable_depth_mask: bool = True,
        output_size: tuple[int, int] | Literal["input", "grid"] = "input",
    ) -> MdmOutput:
        """Depth and mask of a batch, nothing masked out.

        Args:
            image: (B, 3, H, W) RGB in 0..1.
            depth_m: (B, h, w) or (B, 1, h, w) metres; 0, NaN and inf are holes; any resolution.
            num_tokens: image tokens, or their (rows, cols).
            keep_depth_tokens: (B, rows * cols) bool, row by row; the network never sees the others.
            enable_depth_mask: False shows it the empty depth tokens too.
            output_size: `input` for the image's, `grid` for 16 times the token grid, or (rows, cols).
        """
        height, width = image.shape[2:]
        encoding = self.encode(
            image,
            depth_m,
            num_tokens=num_tokens,
            keep_depth_tokens=keep_depth_tokens,
            enable_depth_mask=enable_depth_mask,
        )
        rows, cols = encoding.features.shape[2:]
        heads = self.decode(encoding, self.uv_maps(rows, cols, width / height, image.device))
        return self.output(heads, (height, width) if output_size == "input" else output_size)

    def uv_maps(self, rows: int, cols: int, aspect: float, device: torch.device) -> list[Tensor]:
        """(1, 2, R * 2^l, C * 2^l) for each level of the neck: where its cells lie in the image."""
        levels = range(self.config.neck.levels)
        return [uv_map(rows << level, cols << level, aspect, device, torch.float32) for level in levels]

    def decode(self, encoding: Encoding, uv: list[Tensor]) -> Tensor:
        """(B, 1 or 2, 16 R, 16 C) float32: raw depth and, with a mask head, its logits.

        Args:
            encoding: of `encode`.
            uv: of `uv_maps` for the encoding's grid.
        """
        pyramid = self._pyramid(encoding, uv)
        heads = [self.depth_head] if self.mask_head is None else [self.depth_head, self.mask_head]
        return torch.cat([head(pyramid)[-1].float() for head in heads], 1)

    def output(self, heads: Tensor, size: tuple[int, int] | Literal["grid"]) -> MdmOutput:
        """What `decode` gave at (rows, cols), or where it is."""
        with torch.autocast(heads.device.type, enabled=False):
            if size != "grid" and heads.shape[2:] != size:
                heads = F.interpolate(heads, size, mode="bilinear")  # (B, 1 or 2, H, W)
        depth_raw = heads[:, 0]
        # The exponential comes after the resize: metres are averaged geometrically.
        depth = depth_raw.exp() if self.config.remap_depth_out == "exp" else depth_raw
        return MdmOutput(depth, depth_raw, None if self.mask_head is None else heads[:, 1])

    def _pyramid(self, encoding: Encoding, uv: list[Tensor]) -> list[Tensor]:
        lowest = encoding.features + encoding.class_token[..., None, None]  # (B, D, R, C)
        uv = [u.to(lowest.dtype).expand(lowest.shape[0], -1, -1, -1) for u in uv]  # (B, 2, R * 2^l, C * 2^l)
        out: list[Tensor] = self.neck([torch.cat((lowest, uv[0]), 1), *uv[1:]])
        return out

    @torch.inference_mode()
    def infer(
        self,
        image: Tensor,
        depth_m: Tensor,
        *,
        num_tokens: Tokens | None = None,
        resolution_level: int = 9,
        apply_mask: bool = True,
        bf16: bool = False,
        intrinsics: Tensor | None = None,
        enable_depth_mask: bool = True,
    ) -> Inference:
        """Repaired depth, as upstream's `infer`.

        Args:
            image: (B, 3, H, W) or (3, H, W) RGB in 0..1.
            depth_m: metres with holes, (h, w), (B, h, w) or (B, 1, h, w).
            num_tokens: image tokens or their (rows, cols); None asks `resolution_level`.
            resolution_level: 0..9, fast to fine.
            apply_mask: set depth and points to +inf where the mask is False.
            bf16: run the transformer and most of the decoder in bfloat16.
            intrinsics: (B, 3, 3) or (3, 3), normalised: fx / W, fy / H, cx / W, cy / H.
            enable_depth_mask: False shows the network the empty depth tokens too.
        """
        weight = self.encoder.image_mean
        batched = image.ndim == 4
        image = image.to(weight) if batched else image.to(weight).unsqueeze(0)  # (B, 3, H, W)
        depth_m = depth_m.to(weight) if depth_m.ndim > 2 else depth_m.to(weight).unsqueeze(0)  # (B, h, w)
        num_tokens = self.config.num_tokens(resolution_level) if num_tokens is None else num_tokens
        with torch.autocast(
            weight.device.type, torch.bfloat16, enabled=bf16 and weight.dtype == torch.float32
        ):
            out = self.forward(image, depth_m, num_tokens=num_tokens, enable_depth_mask=enable_depth_mask)
        depth, prob = out.depth, out.mask_prob
        mask = None if prob is None else prob > MASK_THRESHOLD
        points = None if intrinsics is None else points_in_camera(depth, intrinsics.to(depth))
        if apply_mask and mask is not None:
            depth = depth.where(mask, torch.inf)
            points = None if points is None else points.where(mask.unsqueeze(-1), torch.inf)
        if batched:
            return Inference(depth, mask, prob, points)
        return Inference(depth[0], _first(mask), _first(prob), _first(points))


def token_grid(num_tokens: Tokens, *, height: int, width: int) -> tuple[int, int]:
    """(rows, cols) of image tokens for an image of that size; a given grid is returned as it is."""
    if isinstance(num_tokens, tuple):
        return num_tokens
    aspect = width / height
    return max(1, round(sqrt(num_tokens / aspect))), max(1, round(sqrt(num_tokens * aspect)))


def points_in_camera(depth_m: Tensor, intrinsics: Tensor) -> Tensor:
    """(B, H, W, 3) metres, x right, y down, z ahead.

    Args:
        depth_m: (B, H, W) metres.
        intrinsics: (B, 3, 3) or (3, 3), normalised by the image size. Pixel centres lie on integers, as
            upstream has it; skew is ignored.
    """
    height, width = depth_m.shape[1:]
    k = intrinsics.view(-1, 3, 3, 1, 1)  # (B, 3, 3, 1, 1)
    u = torch.arange(width, device=depth_m.device, dtype=depth_m.dtype)
    v = torch.arange(height, device=depth_m.device, dtype=depth_m.dtype).unsqueeze(1)
    x = (u - k[:, 0, 2] * width) * depth_m / (k[:, 0, 0] * width)  # (B, H, W)
    y = (v - k[:, 1, 2] * height) * depth_m / (k[:, 1, 1] * height)  # (B, H, W)
    return torch.stack((x, y, depth_m), -1)  # (B, H, W, 3)


def _first(x: Tensor | None) -> Tensor | None:
    return None if x is None else x[0]
