"""How long a run will take and how much memory, measured with two steps of it."""

import time
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch

from trainer.config import TrainConfig
from trainer.data.batches import on_device, read
from trainer.data.mix import source_for
from trainer.evaluate.holes import one_score
from trainer.loop import begin, train_step

STEPS = 2
"""The first one warms up; the last one is timed."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take on this machine.

    Attributes:
        step_s: seconds of one step; of reading its samples where that takes longer, and of casting them too.
        total_s: of the whole run, evaluations included.
        memory_mb: of the process, or of the GPU where one computes.
        parameters: of the network.
        device: what computes.
    """

    step_s: float
    total_s: float
    memory_mb: float
    parameters: int
    device: str


def estimate(config: TrainConfig) -> Estimate:
    """Do two steps of the run in memory and write nothing.

    Raises:
        WeightsError: the weights to start from cannot be used.
        TrainingError: there is nothing to learn from, or too little memory.
    """
    run = begin(config)
    source = source_for(config)
    device = run.world.device
    step_s = read_s = 0.0
    for step in range(STEPS):
        began = time.perf_counter()
        raw = read(source, config, step, range(step * config.batch, (step + 1) * config.batch))
        _wait(device)
        read_s = time.perf_counter() - began
        began = time.perf_counter()
        train_step(run, [on_device(raw, device)])
        _wait(device)
        step_s = time.perf_counter() - began
    run.model.eval()
    held_out = source.held_out(0)
    began = time.perf_counter()
    one_score(run.model, held_out, grid=config.grids[-1])
    evaluation_s = (time.perf_counter() - began) * config.held_out
    # What is cast takes its turn on the device that trains; everything else is read beside the step.
    cast = config.renderer == "cast"
    each_s = step_s + read_s if cast else max(step_s, read_s / max(config.workers, 1))
    evaluations = -(-config.steps // config.score_every)
    return Estimate(
        each_s,
        each_s * config.steps + evaluations * evaluation_s,
        _memory_mb(device),
        sum(parameter.numel() for parameter in run.model.parameters()),
        torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
    )


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory_mb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 2**20
    return float(psutil.Process().memory_info().rss / 2**20)
