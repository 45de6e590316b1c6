"""Sensors that measure nothing but their own light: time of flight, and one camera with a known pattern."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from drivers.synth.sensor import DEFAULTS, SEEN_THROUGH, SensorKind, chances, darkness
from drivers.synth.shapes import Material
from trainer.simulation import structured_light as known
from trainer.simulation.sensors import LIT_NOISE
from trainer.simulation.tensors.chance import Generators, lumps, normal, uniform
from trainer.simulation.tensors.infrared import (
    ambient,
    dots_at,
    exposure,
    noisy,
    pattern_on,
    places,
    shadow,
    table,
)
from trainer.simulation.tensors.match import contrast, matched
from trainer.simulation.tensors.view import TensorView

GREY = (0.299, 0.587, 0.114)
USUAL = DEFAULTS[SensorKind.TIME_OF_FLIGHT]


def time_of_flight(view: TensorView, draws: Generators) -> Tensor:
    """(V, H, W) float32 metres, 0 for a hole: the model of `drivers.synth.sensor`, with units that differ."""
    size = (view.inverse.shape[1], view.inverse.shape[2])
    gain = uniform(draws, 0.1, 1.9)[:, None, None]
    blob_px = USUAL.blob_px * torch.exp(uniform(draws, -0.6, 0.8)) * (size[1] / 640)
    see_through = uniform(draws, 0.1, 0.9)[:, None, None]
    passes = (view.material >= int(min(SEEN_THROUGH))) & (view.material <= int(max(SEEN_THROUGH)))
    passes &= lumps(draws, size, 1.6 * blob_px) < see_through
    inverse = torch.where(passes, view.beyond, view.inverse)
    depth = 1 / inverse.clamp_min(1e-4)
    steep = _slope(view)
    # Pixels on a silhouette mix near and far: flying pixels.
    mean = F.avg_pool2d(F.pad(depth[:, None], (1, 1, 1, 1), mode="reflect"), 3, 1)[:, 0]
    depth = torch.where(steep > 6, mean, depth)
    grey = (view.color * view.color.new_tensor(GREY)[:, None, None]).sum(1).round().long()
    dark = view.color.new_tensor(darkness().tolist())[grey.clamp(0, 255)]
    failures = chances(SensorKind.TIME_OF_FLIGHT, 0.5)[: len(Material)]
    chance = view.color.new_tensor(failures.tolist())[view.material]
    odds = chance / (1 - chance) * 4 ** (gain - 1)
    chance = odds / (1 + odds) + dark * depth**2 * 0.035 * gain + steep.clamp_max(20) * 0.02 * gain
    hole = lumps(draws, size, blob_px) < chance
    # Light that came by way of another wall makes concave places deeper.
    small = F.interpolate(inverse[:, None], (max(size[0] // 8, 1), max(size[1] // 8, 1)), mode="area")
    around = F.avg_pool2d(small, 9, 1, 4, count_include_pad=False)
    bias = (around / small.clamp_min(1e-4) - 1).clamp(0, 1) * 2 * uniform(draws, 0, 0.05)[:, None, None, None]
    depth = depth * (1 + F.interpolate(bias, size, mode="bilinear")[:, 0] * gain)
    unit = LIT_NOISE * torch.exp(uniform(draws, -0.7, 0.7))[:, None, None]
    depth = depth + normal(draws, size) * (0.001 + 0.006 * depth * (dark + 0.35)) * 1.4 * unit
    inside = (depth > USUAL.nearest_m) & (depth < USUAL.farthest_m) & (view.inverse > 0)
    return torch.where(inside & ~hole, depth, 0)


def structured_light(
    view: TensorView, *, baseline_m: Tensor, power: Tensor, most_px: int, draws: Generators
) -> Tensor:
    """(V, H, W) float32 disparity to the projector in pixels, 0 where there is no answer."""
    shift = places(draws)
    dots = dots_at(view, view.inverse, -baseline_m, shift) * table(known.REFLECTANCE, view)
    dots = dots + dots_at(view, view.beyond, -baseline_m, shift) * table(known.SEEN_THROUGH, view)
    columns = torch.arange(view.inverse.shape[2], device=view.inverse.device)
    outside = columns < view.inverse * (view.camera[:, 0] * baseline_m)[:, None, None]
    dots = torch.where(shadow(view, -baseline_m) | outside, 0, dots)
    light = ambient(view) * known.AMBIENT + dots * power[:, None, None]
    picture = noisy(light * exposure(light), draws)
    rows = torch.arange(picture.shape[1], device=picture.device) % len(pattern_on(picture.device))
    at = (columns + shift.long()[:, None]) % len(pattern_on(picture.device))  # (V, W)
    sent = (pattern_on(picture.device)[rows][:, at].movedim(1, 0) * 255).round()
    found = matched(_evened(picture), _evened(sent), known.MATCHER, most_px=most_px)
    found = torch.where(contrast(picture, known.WINDOW_PX) < known.LEAST_CONTRAST, 0, found)
    return torch.round(found * known.STEPS_PER_PX) / known.STEPS_PER_PX


def _evened(picture: Tensor) -> Tensor:
    side = known.WINDOW_PX
    mean = F.avg_pool2d(F.pad(picture[:, None], (side // 2,) * 4, mode="reflect"), side, 1)[:, 0]
    return (128 + 45 * (picture - mean) / (contrast(picture, side) + 2)).clamp(0, 253).floor()


def _slope(view: TensorView) -> Tensor:
    """(V, H, W) how steeply depth changes: about the tangent of the angle to the line of sight."""
    padded = F.pad(view.inverse[:, None], (1, 1, 1, 1), mode="reflect")[:, 0]
    across = padded[:, :, 2:] - padded[:, :, :-2]
    across = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    along = padded[:, 2:] - padded[:, :-2]
    along = along[:, :, :-2] + 2 * along[:, :, 1:-1] + along[:, :, 2:]
    steep = torch.hypot(across, along) * 0.125 * view.depth_m * view.camera[:, 0][:, None, None]
    return (steep - 1.2).clamp_min(0)
