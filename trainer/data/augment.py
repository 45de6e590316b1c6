"""Changes to samples as tensors on the training device: colour and depth together (report, section 2.3)."""

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from trainer.data.draws import Draws

GREY = (0.299, 0.587, 0.114)
BLOCK = 8
# ISO/IEC 10918-1, annex K: the tables that most encoders scale by quality.
_LIGHT = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)


def cropped(image: Tensor, draws: Draws) -> Tensor:
    """(..., h, w): the part of (..., H, W) that stays, mirrored or not; nothing is interpolated."""
    height, width = image.shape[-2:]
    top, left, tall, wide = draws.crop
    h, w = max(1, round(height * tall)), max(1, round(width * wide))
    y, x = min(round(height * top), height - h), min(round(width * left), width - w)
    part = image[..., y : y + h, x : x + w]
    return part.flip(-1) if draws.flip else part


def recoloured(image: Tensor, draws: Draws) -> Tensor:
    """(3, H, W) float32 RGB in 0..1 as another camera might have it: colours, motion blur, noise, JPEG."""
    gain = image.new_tensor(draws.gain)[:, None, None]
    out = image.clamp(min=0) ** draws.gamma * gain + draws.lift
    if draws.grey:
        grey = (out * out.new_tensor(GREY)[:, None, None]).sum(0, keepdim=True)
        out = out.lerp(grey.expand_as(out), draws.grey)
    out = out.clamp(0, 1)
    if draws.blur_px:
        out = blurred(out, draws.blur_px, draws.blur_rad)
    if draws.noise:
        out = with_shot_noise(out, draws.noise, draws.seed)
    if draws.jpeg:
        out = as_jpeg(out, draws.jpeg)
    return out


def blurred(image: Tensor, length_px: int, angle_rad: float) -> Tensor:
    """(3, H, W) seen by a camera that moved evenly along a line."""
    side = length_px | 1
    half = side // 2
    steps = torch.linspace(-half, half, 4 * side)
    rows = (half + steps * math.sin(angle_rad)).round().long()
    columns = (half + steps * math.cos(angle_rad)).round().long()
    kernel = torch.zeros(side, side)
    kernel[rows, columns] = 1
    kernel = (kernel / kernel.sum()).to(image)[None, None].expand(3, 1, -1, -1)
    padded = F.pad(image[None], (half,) * 4, mode="replicate")
    return F.conv2d(padded, kernel, groups=3)[0]


def with_shot_noise(image: Tensor, sigma: float, seed: int) -> Tensor:
    """(3, H, W) with noise of `sigma` in full light that falls with the square root of the light."""
    generator = torch.Generator(image.device).manual_seed(seed)
    noise = torch.randn(image.shape, generator=generator, device=image.device, dtype=image.dtype)
    return (image + noise * sigma * image.clamp(min=0.05).sqrt()).clamp(0, 1)


def as_jpeg(image: Tensor, quality: int) -> Tensor:
    """(3, H, W) as JPEG would give it back: blocks of cosines, rounded; colour is not halved."""
    _, height, width = image.shape
    padded = F.pad(image[None], (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")[0] * 255
    to_ycc = image.new_tensor(
        ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
    )
    ycc = torch.einsum("dc,chw->dhw", to_ycc, padded)
    ycc = torch.cat((ycc[:1] - 128, ycc[1:]))
    high, wide = padded.shape[1] // BLOCK, padded.shape[2] // BLOCK
    blocks = ycc.view(3, high, BLOCK, wide, BLOCK).transpose(2, 3)  # (3, rows, cols, 8, 8)
    basis = _cosines().to(image)
    table = _tables(quality).to(image)[:, None, None]  # (3, 1, 1, 8, 8)
    coefficients = basis @ blocks @ basis.T
    restored = basis.T @ ((coefficients / table).round() * table) @ basis
    ycc = restored.transpose(2, 3).reshape(3, high * BLOCK, wide * BLOCK)
    ycc = torch.cat((ycc[:1] + 128, ycc[1:]))
    rgb = torch.einsum("dc,chw->dhw", torch.linalg.inv(to_ycc), ycc)
    return (rgb[:, :height, :width] / 255).clamp(0, 1)


@lru_cache(1)
def _cosines() -> Tensor:
    place = (torch.arange(BLOCK, dtype=torch.float32) + 0.5) / BLOCK
    basis = torch.cos(math.pi * torch.arange(BLOCK, dtype=torch.float32)[:, None] * place)
    basis[0] /= math.sqrt(2)
    return basis / 2  # (8, 8), rows are frequencies


@lru_cache(128)
def _tables(quality: int) -> Tensor:
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    tables = torch.tensor((_LIGHT, _COLOUR, _COLOUR), dtype=torch.float32)
    return ((tables * scale + 50) / 100).floor().clamp(1, 255)
