"""Chance on a device: each view has a generator of its own, so that no view depends on its neighbours."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

Generators = Sequence[torch.Generator]


def generators(seeds: Sequence[int], device: torch.device) -> list[torch.Generator]:
    """One generator for each seed. Other kinds of devices draw other numbers from the same seed."""
    return [torch.Generator(device).manual_seed(seed) for seed in seeds]


def normal(draws: Generators, shape: tuple[int, ...]) -> Tensor:
    """(V, *shape) float32 of unit deviation."""
    return torch.stack([torch.randn(shape, generator=draw, device=draw.device) for draw in draws])


def uniform(draws: Generators, low: float, high: float) -> Tensor:
    """(V,) float32, evenly spread."""
    drawn = torch.stack([torch.rand((), generator=draw, device=draw.device) for draw in draws])
    return low + (high - low) * drawn


def lumps(draws: Generators, size: tuple[int, int], blob_px: Tensor) -> Tensor:
    """(V, H, W) float32 evenly spread over 0 to 1, in lumps of `blob_px` (V,) pixels with finer grain."""
    height, width = size
    total = torch.zeros(len(draws), height, width, device=blob_px.device)
    columns = torch.arange(width, device=blob_px.device) + 0.5
    rows = torch.arange(height, device=blob_px.device) + 0.5
    for share, weight in ((0.25, 0.25), (0.7, 1.0), (1.8, 0.8)):
        cell = (blob_px * share).clamp_min(1.0)[:, None]
        field = normal(draws, (height // 2 + 2, width // 2 + 2))[:, None]
        # Cells are at least a pixel, so half the picture's size holds all of them from two pixels on.
        x = columns / cell.clamp_min(2.0) / (field.shape[3] / 2) - 1
        y = rows / cell.clamp_min(2.0) / (field.shape[2] / 2) - 1
        grid = torch.stack([x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1)
        layer = F.grid_sample(field, grid, "bicubic", "reflection", align_corners=False)[:, 0]
        total = total + weight * _even(layer)
    spread: Tensor = torch.special.ndtr(_even(total))
    return spread


def _even(field: Tensor) -> Tensor:
    """Each view with a mean of 0 and a deviation of 1."""
    deviation, mean = torch.std_mean(field, dim=(1, 2), keepdim=True)
    return (field - mean) / deviation.clamp_min(1e-6)
