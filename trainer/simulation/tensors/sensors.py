"""What sensors make of a room, for many views at once: `trainer.simulation.sensors` on tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from trainer.simulation.sensors import BASELINE_M, FARTHEST_LIT_M, PROJECTOR_M, UNIT_M, Setup
from trainer.simulation.stereo import FARTHEST_M, MATCHERS, NEAREST_M
from trainer.simulation.tensors.chance import Generators
from trainer.simulation.tensors.infrared import infrared_pair, reduced
from trainer.simulation.tensors.light import structured_light, time_of_flight
from trainer.simulation.tensors.match import matched
from trainer.simulation.tensors.register import registered
from trainer.simulation.tensors.upload import SceneTensors
from trainer.simulation.tensors.view import TensorView, joined, rendered_in

WIDEST = 1.05
"""Largest focal length of a sensor, in widths of its picture."""

PAIRS_AT_ONCE = {"cpu": 1, "cuda": 16}
"""That are matched: on a processor several are slower than one after the other, on a GPU they need memory."""


def measured(
    rooms: Sequence[SceneTensors],
    world_from_camera: Tensor,
    view: TensorView,
    setups: Sequence[Setup],
    draws: Generators,
    *,
    size: tuple[int, int],
) -> Tensor:
    """(V, H, W) float32 metres in the colour grid, in whole millimetres, 0 for a hole.

    Args:
        rooms: one for each view; equal ones cost less.
        world_from_camera: (V, 4, 4) of the colour cameras.
        view: of the colour cameras.
        setups: one sensor for each view.
        draws: of each view.
        size: height and width of the pictures that are matched.
    """
    out = torch.zeros_like(view.inverse)
    for sensor in sorted({setup.sensor for setup in setups}):
        group = [k for k, each in enumerate(setups) if each.sensor == sensor]
        part = torch.tensor(group, device=out.device)
        out[part] = _group(
            [rooms[k] for k in group],
            world_from_camera[part],
            view.picked(part),
            [setups[k] for k in group],
            [draws[k] for k in group],
            size,
        )
    return (out / UNIT_M).round() * UNIT_M


def _group(  # noqa: PLR0917 - as `measured`, of one kind
    rooms: Sequence[SceneTensors],
    pose: Tensor,
    view: TensorView,
    setups: Sequence[Setup],
    draws: Generators,
    size: tuple[int, int],
) -> Tensor:
    aside = [k for k, setup in enumerate(setups) if setup.apart]
    if not aside:
        return _read(rooms, pose, view, setups, draws, size)
    part = torch.tensor(aside, device=pose.device)
    zoom = pose.new_tensor([[setup.zoom, setup.zoom, 1.0, 1.0] for setup in setups])
    place = _beside(pose, [setup.shift_m for setup in setups])
    there = pose @ place
    whole = (view.inverse.shape[1], view.inverse.shape[2])
    own = rendered_in([rooms[k] for k in aside], there[part], (view.camera * zoom)[part], whole)
    others = torch.tensor([k for k in range(len(setups)) if k not in aside], device=pose.device).long()
    back = torch.cat([part, others]).argsort()
    seen = joined([own, view.picked(others)]).picked(back)
    depth = _read(rooms, there, seen, setups, draws, size)
    depth[part] = registered(depth[part], own.camera, view.camera[part], place[part])
    return depth


def _read(  # noqa: PLR0917 - as `measured`, of one kind
    rooms: Sequence[SceneTensors],
    pose: Tensor,
    view: TensorView,
    setups: Sequence[Setup],
    draws: Generators,
    size: tuple[int, int],
) -> Tensor:
    sensor = setups[0].sensor
    if sensor == "time of flight":
        return time_of_flight(view, draws)
    baseline_m = pose.new_tensor([setup.baseline_m for setup in setups])
    power = pose.new_tensor([setup.power for setup in setups])
    left = reduced(view, size)
    most_px = _most_px(sensor, size[1])
    farthest_m = FARTHEST_M
    if sensor == "structured light":
        found = structured_light(left, baseline_m=baseline_m, power=power, most_px=most_px, draws=draws)
        farthest_m = FARTHEST_LIT_M
    else:
        matcher = MATCHERS[sensor]
        there = pose @ _beside(pose, [(setup.baseline_m, 0.0) for setup in setups])
        right = rendered_in(rooms, there, left.camera, size)
        pair = infrared_pair(
            left, right, baseline_m=baseline_m, projector=matcher.projector, power=power, draws=draws
        )
        at_once = PAIRS_AT_ONCE.get(pose.device.type, 1)
        parts = [slice(start, start + at_once) for start in range(0, len(rooms), at_once)]
        first, second = pair
        found = torch.cat([matched(first[part], second[part], matcher, most_px=most_px) for part in parts])
    depth = (left.camera[:, 0] * baseline_m)[:, None, None] / found.clamp_min(1e-6)
    inside = (found > 0) & (depth > NEAREST_M) & (depth < farthest_m)
    depth = torch.where(inside, depth, 0)
    return F.interpolate(depth[:, None], view.inverse.shape[1:], mode="nearest")[:, 0]


def _most_px(sensor: str, width: int) -> int:
    """Largest disparity that is looked for: the same in every batch, so that no sample depends on others."""
    most_m = PROJECTOR_M[1] if sensor == "structured light" else BASELINE_M[1]
    return min(int(WIDEST * width * most_m / NEAREST_M) + 1, width // 2)


def _beside(pose: Tensor, shifts: Sequence[tuple[float, float]]) -> Tensor:
    place = torch.eye(4, device=pose.device).repeat(len(shifts), 1, 1)
    place[:, :2, 3] = pose.new_tensor(shifts)
    return place
