"""What training makes small."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.mdm import MdmOutput
from trainer.data.batches import Batch
from trainer.metrics import WRONG


def pixels(batches: Sequence[Batch]) -> Tensor:
    """(2,) float64: pixels with a right depth, and pixels where it is known whether there is a surface."""
    known = sum(((batch.target_m > 0).sum() for batch in batches), torch.zeros(()))
    judged = sum((batch.nothing_known.sum() for batch in batches), torch.zeros(()))
    return torch.stack((torch.as_tensor(known).double().cpu(), torch.as_tensor(judged).double().cpu()))


def loss(
    out: MdmOutput,
    batch: Batch,
    *,
    of: Tensor,
    mask_weight: float,
    even: bool = False,
    wrong_weight: float = 1.0,
) -> Tensor:
    """This micro-batch's part of the step's loss; the parts of all micro-batches and processes add up.

    L1 on metric depth where the right depth is known, as in the report. How the published mask head was
    trained is not disclosed; ours learns whether there is a surface (docs/decisions), by cross-entropy.

    Args:
        out: at the size of the targets.
        batch: with the targets.
        of: (2,) `pixels` of the whole step, over all processes.
        mask_weight: of the mask head's part.
        even: measure each sample's errors in units of its own mean depth, so that what is near counts too.
        wrong_weight: how often a pixel counts that the sensor measured wrong: what lies behind glass, or in a
            mirror, is a few pixels of a room.
    """
    known = batch.target_m > 0
    off = torch.where(known, (out.depth - batch.target_m).abs(), 0)
    if even:
        off = off * (known.sum((1, 2), keepdim=True) / batch.target_m.sum((1, 2), keepdim=True).clamp(min=1))
    if wrong_weight != 1:
        measured_m = F.interpolate(batch.depth_m[:, None], off.shape[1:], mode="nearest")[:, 0]
        wrong = (measured_m > 0) & ((measured_m - batch.target_m).abs() > WRONG * batch.target_m)
        off = torch.where(wrong, wrong_weight * off, off)
    depth_loss = off.sum() / max(of[0].item(), 1)
    if out.mask_logits is None or mask_weight == 0:
        return depth_loss
    entropy = F.binary_cross_entropy_with_logits(out.mask_logits, 1 - batch.nothing, reduction="none")
    return depth_loss + mask_weight * (entropy * batch.nothing_known).sum() / max(of[1].item(), 1)
