"""What a step of each recipe computes and holds, counted, and the hours that makes on a GPU.

    python benchmarks/recipe_sizes.py [--recipe vits --recipe vitb] [--tflops 100]

Nothing is timed, so any machine gives the same figures: floating-point operations are counted by torch, and
so are the bytes that a training step keeps for its way back. Memory is what weights, gradients and AdamW's
memory take (16 bytes for each parameter, 20 with a moving average), and what is kept for the samples held at
once; what a GPU's libraries take comes on top. Hours are for --tflops TFLOP/s of real work, and for as many
GPUs as the report had in paper_vitl; the time of reading samples is not in them. About two minutes.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch.utils.flop_counter import FlopCounterMode

from trainer import loop
from trainer.config import TrainConfig
from trainer.data.batches import Batch, on_device, read
from trainer.data.synthetic import SyntheticSource
from trainer.recipes import RECIPES, configuration

GPUS = {"paper_vitl": 128}
STATE_BYTES, AVERAGE_BYTES = 16, 4


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=list(RECIPES), action="append")
    parser.add_argument("--tflops", type=float, default=100.0, help="that a GPU really does (100)")
    options = parser.parse_args()
    print(f"{'recipe':15} parameters  TFLOP/sample  held/sample  at once  memory   GPUs  hours")
    for recipe in options.recipe or RECIPES:
        measure(recipe, options.tflops)
    return 0


def measure(recipe: str, tflops: float) -> None:
    """Print one recipe's line."""
    random = recipe == "paper_vitl"
    config = configuration(recipe, synthetic=1.0, random=random, device="cpu")
    run = loop.begin(config.model_copy(update={"ema": 0.0}))
    batch = largest(config, run.world.device)
    held: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(pack, same):
        loop.train_step(run, [batch])
    for parameter in run.model.parameters():  # kept anyway
        held.pop(parameter.untyped_storage().data_ptr(), None)
    parameters = sum(parameter.numel() for parameter in run.model.parameters())
    flops, sample_bytes = counter.get_total_flops(), sum(held.values())
    gpus = GPUS.get(recipe, 1)
    at_once = min(config.micro_batch or config.batch, config.batch // gpus)
    state = parameters * (STATE_BYTES + (AVERAGE_BYTES if config.ema else 0))
    hours = config.steps * config.batch * flops / 1e12 / tflops / gpus / 3600
    print(
        f"{recipe:15} {parameters / 1e6:8.1f} M  {flops / 1e12:12.3f}  {sample_bytes / 2**30:8.2f} GB  "
        f"{at_once:7}  {(state + at_once * sample_bytes) / 2**30:4.1f} GB  {gpus:5}  {hours:5.1f}",
        flush=True,
    )


def largest(config: TrainConfig, device: torch.device) -> Batch:
    """One sample on the recipe's largest grid."""
    grid = max(config.grids, key=lambda grid: grid[0] * grid[1])
    one = config.model_copy(update={"grids": (grid,), "batch": 1})
    return on_device(read(SyntheticSource(0), one, 0, range(1)), device)


def same(tensor: torch.Tensor) -> torch.Tensor:
    """What was packed is kept as it was."""
    return tensor


if __name__ == "__main__":
    sys.exit(main())
