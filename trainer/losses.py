"""What training makes small."""

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.mdm import MdmOutput
from trainer.data.batches import Batch


def loss(out: MdmOutput, batch: Batch, *, mask_weight: float) -> Tensor:
    """L1 on metric depth where the right depth is known, as in the report, and the mask head's part.

    How the published mask head was trained is not disclosed. Ours learns where there is a surface at all.

    Args:
        out: at the size of the targets.
        batch: with the targets.
        mask_weight: of the mask head's cross-entropy.
    """
    known = batch.target_m > 0
    depth_loss = (out.depth - batch.target_m).abs()[known].sum() / known.sum().clamp(min=1)
    if out.mask_logits is None or mask_weight == 0:
        return depth_loss
    entropy = F.binary_cross_entropy_with_logits(out.mask_logits, 1 - batch.nothing, reduction="none")
    mask_loss = (entropy * batch.nothing_known).sum() / batch.nothing_known.sum().clamp(min=1)
    return depth_loss + mask_weight * mask_loss
