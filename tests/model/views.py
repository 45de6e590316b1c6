"""Views that tests of the repair share: a drawn plane with a pane in it, and simulated rooms."""

from functools import cache

import numpy as np
import torch

from model import checkpoint
from model.mdm import MDM
from model.spec import DEMO
from trainer.data.samples import Sample
from trainer.data.synthetic import SyntheticSource

SIZE = (240, 320)
GREY = np.full((*SIZE, 3), 120, np.uint8)
ROWS, COLUMNS = np.indices(SIZE)


def plane() -> np.ndarray:
    return (2 + 0.001 * COLUMNS).astype(np.float32)


def pane() -> np.ndarray:
    return (abs(ROWS - 120) < 30) & (abs(COLUMNS - 160) < 30)


def speckled(seed: int = 0, share: float = 0.3) -> np.ndarray:
    """Where glass or a mirror gives no answer."""
    return np.random.default_rng(seed).random(SIZE) < share


def simulated_rooms(count: int) -> list[tuple[Sample, np.ndarray]]:
    """Views of different rooms with the depth that the bundled network gives them."""
    return [_simulated_room(index) for index in range(count)]


@cache
def _simulated_room(index: int) -> tuple[Sample, np.ndarray]:
    model, source = _demo_network(), _rooms()
    sample = source.held_out(index)
    image = torch.from_numpy(sample.color).permute(2, 0, 1) / 255
    tokens = model.config.num_tokens_range[0]
    out = model.infer(image, torch.from_numpy(sample.depth_m), num_tokens=tokens, apply_mask=False)
    return sample, out.depth_m.clamp(min=0.01).numpy()


@cache
def _demo_network() -> MDM:
    assert DEMO.weights is not None
    return checkpoint.load(DEMO.weights)


@cache
def _rooms() -> SyntheticSource:
    return SyntheticSource(99, width=SIZE[1], height=SIZE[0])
