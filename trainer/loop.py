"""The training step, as straight code."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue

from model import backbone, checkpoint
from model.mdm import MDM
from trainer.config import OptimiserConfig, TrainConfig
from trainer.data.batches import Batch, ahead
from trainer.data.samples import SampleSource
from trainer.errors import TrainingError
from trainer.evaluate.holes import score
from trainer.files import CHECKPOINT, STOP, WEIGHTS
from trainer.initialise import new_model
from trainer.losses import loss
from trainer.progress import Progress

FORMAT = 1


@dataclass(eq=False)
class Run:
    """A network in training.

    Attributes:
        config: of the run.
        model: in training mode.
        optimiser: with one group for the backbone and one for the rest.
        step: steps done.
    """

    config: TrainConfig
    model: MDM
    optimiser: torch.optim.AdamW
    step: int = 0


def device_of(config: TrainConfig) -> torch.device:
    """Where the run computes."""
    if config.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.device)


def begin(config: TrainConfig) -> Run:
    """A run at step 0.

    Raises:
        WeightsError: the weights to start from cannot be used.
        TrainingError: the configuration names nothing to start from.
    """
    if config.architecture is not None:
        model = new_model(config.architecture, seed=config.seed)
    elif config.init is not None and config.init.is_file() and backbone.is_backbone(config.init):
        model = backbone.new_model(config.init, seed=config.seed)
    elif config.init is not None:
        model = checkpoint.load(config.init)
    else:
        raise TrainingError("There are no weights to start from.", hint="Name some with --init.")
    model = _placed(model, config)
    return Run(config, model, optimiser_for(model, config.optimiser))


def optimiser_for(model: MDM, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW with the backbone's parameters in its first group and all others in its second."""
    backbone = [p for name, p in model.named_parameters() if "backbone" in name and p.requires_grad]
    rest = [p for name, p in model.named_parameters() if "backbone" not in name]
    groups = [{"params": backbone, "lr": config.backbone_lr}, {"params": rest, "lr": config.rest_lr}]
    return torch.optim.AdamW(groups, betas=config.betas, weight_decay=config.weight_decay)


def rates(config: OptimiserConfig, step: int, steps: int) -> tuple[float, float]:
    """Learning rates of backbone and rest in `step`, which counts from 0."""
    from math import cos, pi

    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "cosine":
        fall = 0.5 * (1 + cos(pi * step / max(steps, 1)))
    else:
        fall = 0.5 ** (step // config.halve_every)
    return config.backbone_lr * warm * fall, config.rest_lr * (warm if config.warm_all else 1.0) * fall


def train(
    run: Run,
    source: SampleSource,
    folder: Path,
    progress: Progress,
    *,
    interrupted: Callable[[], bool] = lambda: False,
) -> bool:
    """Train until the last step, until a file named "stop" is in the folder, or until `interrupted()`.

    Returns:
        Whether all steps are done; if not, the checkpoint is written and the run can be resumed.

    Raises:
        TrainingError: the loss is no number any more.
    """
    config = run.config
    stop_file = folder / STOP
    progress.started(step=run.step, steps=config.steps)
    losses: list[float] = []
    since, since_step = time.perf_counter(), run.step
    with closing(ahead(source, config, run.step)) as batches:
        for batch in batches:
            if stop_file.exists() or interrupted():
                stop_file.unlink(missing_ok=True)
                _keep(run, folder, progress)
                progress.stopped(step=run.step)
                return False
            losses.append(train_step(run, batch))
            last = run.step == config.steps
            if run.step % config.report_every == 0 or last:
                now = time.perf_counter()
                progress.step(
                    step=run.step,
                    loss=sum(losses) / len(losses),
                    rate_hz=(run.step - since_step) / (now - since),
                    lr=run.optimiser.param_groups[1]["lr"],
                )
                losses.clear()
                since, since_step = now, run.step
            if run.step % config.score_every == 0 or last:
                report_score(run, source, progress)
                since, since_step = time.perf_counter(), run.step
            if run.step % config.checkpoint_every == 0 or last:
                _keep(run, folder, progress)
    progress.done(step=run.step)
    return True


def train_step(run: Run, batch: Batch) -> float:
    """One step of the optimiser; returns the loss before it.

    Raises:
        TrainingError: the loss is no number.
    """
    config, model, device = run.config, run.model, device_of(run.config)
    groups = run.optimiser.param_groups
    for group, rate in zip(groups, rates(config.optimiser, run.step, config.steps), strict=True):
        group["lr"] = rate
    batch = batch.to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        out = model(
            batch.image,
            batch.depth_m,
            num_tokens=batch.grid,
            keep_depth_tokens=batch.keep,
            output_size="grid",
        )
    value = loss(out, batch, mask_weight=config.mask_weight)
    if not torch.isfinite(value):
        raise TrainingError(
            f"The loss is {value.item()} in step {run.step + 1}.",
            hint="Start again from the last checkpoint with smaller learning rates.",
        )
    run.optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(value)
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.optimiser.clip_norm)
    run.optimiser.step()
    run.step += 1
    return value.item()


def _keep(run: Run, folder: Path, progress: Progress) -> None:
    save(run, folder)
    progress.weights(step=run.step, path=export(run, folder))


def report_score(run: Run, source: SampleSource, progress: Progress) -> None:
    """Evaluate on held-out samples and say so."""
    run.model.eval()
    samples = [source.held_out(number) for number in range(run.config.held_out)]
    result = score(run.model, samples, grid=run.config.grids[-1])
    run.model.train()
    progress.score(
        step=run.step, mae_m=result.mae_m, rmse_m=result.rmse_m, rel=result.rel, of="held-out holes"
    )


def save(run: Run, folder: Path) -> None:
    """Write the checkpoint whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    partial = folder / f"{CHECKPOINT}.partial"
    state: dict[str, Any] = {
        "format": FORMAT,
        "step": run.step,
        "config": run.config.model_dump_json(),
        "model_config": run.model.config.model_dump(mode="json"),
        "model": run.model.state_dict(),
        "optimiser": run.optimiser.state_dict(),
    }
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / CHECKPOINT)


def resume(folder: Path) -> Run:
    """The run as its last checkpoint left it; every draw depends on seed and step, so it goes on exactly.

    Raises:
        TrainingError: there is no checkpoint, or it cannot be read.
    """
    from model.config import ModelConfig

    path = folder / CHECKPOINT
    if not path.is_file():
        raise TrainingError(
            f"There is no checkpoint in {folder}.", hint="Start the run anew, without --resume."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        config = TrainConfig.model_validate_json(state["config"])
        model = MDM(ModelConfig.parse(state["model_config"]))
        model.load_state_dict(state["model"], strict=True)
    except (RuntimeError, KeyError, ValueError, EOFError, OSError) as error:
        raise TrainingError(
            f"The checkpoint {path} cannot be read: {error}.",
            hint="Start a new run from the run's last weights with --init.",
        ) from error
    model = _placed(model, config)
    optimiser = optimiser_for(model, config.optimiser)
    optimiser.load_state_dict(state["optimiser"])
    return Run(config, model, optimiser, state["step"])


def _placed(model: MDM, config: TrainConfig) -> MDM:
    # Channels last nearly halves the time of the decoder's convolutions on a CPU (docs/performance.md).
    model.to(device_of(config))
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return model.train()


def export(run: Run, folder: Path) -> Path:
    """Write the weights as the program loads them, with the record of how they were made."""
    path = folder / WEIGHTS
    record: dict[str, JsonValue] = {
        "recipe": run.config.recipe,
        "step": run.step,
        "steps": run.config.steps,
        "config": run.config.model_dump(mode="json"),
        "torch": torch.__version__,
    }
    checkpoint.save(path, run.model, record)
    return path
