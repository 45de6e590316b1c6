"""Infrared pictures with a projector's speckle, as `trainer.simulation.stereo` makes them, on tensors."""

from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from drivers.synth.shapes import Material
from trainer.simulation import stereo
from trainer.simulation.tensors.chance import Generators, normal
from trainer.simulation.tensors.view import TensorView

MEAN = 80.0
MOST_GAIN = 4.0
NOISE = 1.9
AMBIENT = (0.5, 0.35, 0.15)
BEHIND_DOTS = 0.45
"""Of the room's own light beside the projector's."""


def infrared_pair(
    left: TensorView,
    right: TensorView,
    *,
    baseline_m: Tensor,
    projector: bool,
    power: Tensor,
    draws: Generators,
) -> tuple[Tensor, Tensor]:
    """Left and right pictures, (V, H, W) float32 of whole numbers from 0 to 255.

    Args:
        left: views of the left cameras.
        right: views of the right cameras, of the same size.
        baseline_m: (V,) between them; the projectors stand in the middle.
        projector: whether they are on.
        power: (V,) of the projectors beside the room's light; 1 is usual.
        draws: of each view.
    """
    shift = places(draws)
    pictures = []
    for view, side in ((left, -0.5), (right, 0.5)):
        light = ambient(view)
        if projector:
            light = light * BEHIND_DOTS + _speckle(view, side * baseline_m, shift) * power[:, None, None]
        pictures.append(light)
    gain = exposure(pictures[0])  # one for both
    first, second = (noisy(picture * gain, draws) for picture in pictures)
    return first, second


def places(draws: Generators) -> Tensor:
    """(V,) float32 column of the pattern where each projector begins."""
    return torch.stack(
        [torch.randint(stereo.PATTERN_PX, (), generator=draw, device=draw.device) for draw in draws]
    ).float()


def exposure(light: Tensor) -> Tensor:
    """(V, 1, 1) factor that brings pictures to their usual brightness."""
    return (MEAN / light.clamp_max(255).mean(dim=(1, 2), keepdim=True).clamp_min(1)).clamp_max(MOST_GAIN)


def noisy(light: Tensor, draws: Generators) -> Tensor:
    """(V, H, W) as a sensor of eight bits reads it."""
    noise = (normal(draws, tuple(light.shape[1:])) * NOISE).round()
    return (light.round().clamp(0, 255) + noise).clamp(0, 255)


def ambient(view: TensorView) -> Tensor:
    """(V, H, W) the room's own light in infrared."""
    return (view.color * view.color.new_tensor(AMBIENT)[:, None, None]).sum(1)


def _speckle(view: TensorView, from_projector_m: Tensor, shift: Tensor) -> Tensor:
    direct = dots_at(view, view.inverse, from_projector_m, shift) * table(stereo.REFLECTANCE, view)
    direct = torch.where(shadow(view, from_projector_m), 0, direct)
    shiny = dots_at(view, view.inverse * stereo.MIRRORED_INVERSE, from_projector_m, shift)
    through = dots_at(view, view.beyond, from_projector_m, shift)
    return direct + shiny * table(stereo.MIRRORED, view) + through * table(stereo.SEEN_THROUGH, view)


def dots_at(view: TensorView, inverse: Tensor, from_projector_m: Tensor, shift: Tensor) -> Tensor:
    """(V, H, W) light of the dots on surfaces at `inverse`, from so far, (V,), right of the projector."""
    height, width = inverse.shape[1:]
    pattern = pattern_on(inverse.device)
    columns = torch.arange(width, device=inverse.device)
    scale = (view.camera[:, 0] * from_projector_m)[:, None, None]
    place = torch.remainder(columns + scale * inverse + shift[:, None, None], stereo.PATTERN_PX)
    first = place.floor()
    share, first = place - first, first.long() % stereo.PATTERN_PX
    rows = (torch.arange(height, device=inverse.device) % stereo.PATTERN_PX)[:, None] * stereo.PATTERN_PX
    flat = pattern.flatten()
    dots = torch.lerp(flat[rows + first], flat[rows + (first + 1) % stereo.PATTERN_PX], share)
    return dots * (inverse * inverse * 900).clamp_max(900)


def shadow(view: TensorView, from_projector_m: Tensor) -> Tensor:
    """(V, H, W) bool where something else stands between a surface and the projector."""
    columns = torch.arange(view.inverse.shape[2], device=view.inverse.device)
    scale = (view.camera[:, 0] * from_projector_m)[:, None, None]
    landing = columns + view.inverse * scale
    onward = landing.flip(2).cummin(dim=2).values.flip(2)  # what lies right of it
    back = landing.cummax(dim=2).values
    return torch.where(scale <= 0, landing > onward + 0.75, landing < back - 0.75)


def table(shares: dict[Material, float], view: TensorView) -> Tensor:
    """(V, H, W) share of each pixel's material."""
    row = [shares.get(material, 0.0) for material in Material]
    return view.color.new_tensor(row)[view.material]


@lru_cache(4)
def pattern_on(device: torch.device) -> Tensor:
    """(P, P) float32 the projector's picture."""
    return torch.from_numpy(stereo.pattern().copy()).to(device)


def reduced(view: TensorView, size: tuple[int, int]) -> TensorView:
    """The view on a coarser grid, each pixel the nearest one, colours averaged."""
    height, width = view.inverse.shape[1:]
    if size == (height, width):
        return view
    scale = view.camera.new_tensor([size[1] / width, size[0] / height] * 2)
    half = view.camera.new_tensor([0.0, 0.0, 0.5, 0.5])
    inverse = F.interpolate(torch.stack([view.inverse, view.beyond], 1), size, mode="nearest")
    return replace(
        view,
        color=F.interpolate(view.color, size, mode="area").round(),
        inverse=inverse[:, 0],
        beyond=inverse[:, 1],
        material=F.interpolate(view.material[:, None].float(), size, mode="nearest")[:, 0].long(),
        camera=(view.camera + half) * scale - half,
    )
