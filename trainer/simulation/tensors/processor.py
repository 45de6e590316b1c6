"""`trainer.simulation.processor` on tensors, for several pictures at once on any device."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from trainer.simulation.processor import AGREED_PX, STEP, STEP_PX


def seen_by_both(disparity: Tensor) -> Tensor:
    """(V, H, W) disparities without those whose place in the right picture belongs to a nearer surface."""
    columns = torch.arange(disparity.shape[2], device=disparity.device)
    place = (columns - disparity).clamp_min(0).long()
    here = torch.zeros_like(disparity).scatter_reduce(2, place, disparity, "amax")
    # A disparity lies between two columns of the right picture and claims both.
    claimed = torch.maximum(here, F.pad(here, (1, 0))[..., :-1])
    onward = F.pad(claimed, (0, 1), value=torch.inf)[..., 1:]
    taken = torch.minimum(claimed, onward).gather(2, place)
    return torch.where(taken > disparity + AGREED_PX, 0, disparity)


def without_rims(disparity: Tensor, reach_px: int) -> Tensor:
    """(V, H, W) disparities without those that have a step within reach."""
    near, far = _largest(disparity), -_largest(torch.where(disparity > 0, -disparity, -1e6))
    step = (near - far > STEP_PX + STEP * near).float()
    return torch.where(_largest(step, reach_px - 1) > 0, 0, disparity)


def evened(disparity: Tensor) -> Tensor:
    """(V, H, W) disparities averaged with their neighbours where a surface goes on."""
    near, far = _largest(disparity), -_largest(-disparity)
    mean = F.avg_pool2d(F.pad(disparity[:, None], (1, 1, 1, 1), mode="reflect"), 3, 1)[:, 0]
    return torch.where((far > 0) & (near - far <= 1), mean, disparity)


def _largest(values: Tensor, reach_px: int = 1) -> Tensor:
    """(V, H, W) of the square around each pixel that reaches so far."""
    return F.max_pool2d(values[:, None], 2 * reach_px + 1, 1, reach_px)[:, 0]
