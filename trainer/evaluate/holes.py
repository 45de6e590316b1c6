"""How well holes are filled, by a network or by any other method."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model.mdm import MDM
from trainer.data.batches import resized
from trainer.data.samples import Sample
from trainer.evaluate.methods import Method
from trainer.metrics import Errors, errors, mean


def holes(sample: Sample) -> NDArray[np.bool_]:
    """(H, W) bool: nothing measured, and the right depth is known."""
    return np.asarray((sample.depth_m == 0) & (sample.target_m > 0), np.bool_)


def score_method(method: Method, samples: Sequence[Sample]) -> Errors:
    """Errors in the holes, every sample weighing the same; samples without holes do not count."""
    parts = [errors(method(s.color, s.depth_m), s.target_m, holes(s)) for s in samples]
    return mean([part for part in parts if part is not None])


def score(model: MDM, samples: Sequence[Sample], *, grid: tuple[int, int]) -> Errors:
    """Errors of the network's own output in the holes; nothing is anchored."""
    return score_method(network(model, grid=grid), samples)


def one_score(model: MDM, sample: Sample, *, grid: tuple[int, int]) -> Errors | None:
    """Errors in the holes of one sample; None where it has none whose depth is known."""
    return errors(network(model, grid=grid)(sample.color, sample.depth_m), sample.target_m, holes(sample))


def network(model: MDM, *, grid: tuple[int, int]) -> Method:
    """The network alone as a method."""
    device = next(model.parameters()).device

    @torch.no_grad()  # a sliced network cannot be gathered in inference mode
    def method(color: NDArray[np.uint8], depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
        image, depth = resized(color, depth_m, *grid)
        out = model(
            torch.from_numpy(image)[None].to(device),
            torch.from_numpy(depth)[None].to(device),
            num_tokens=grid,
            output_size="grid",
        )
        height, width = depth_m.shape
        fine = out.depth[0].cpu().numpy()  # (16 R, 16 C)
        return np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    return method
