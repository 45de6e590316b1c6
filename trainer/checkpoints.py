"""Checkpoints that any number of processes writes together, and another number can read."""

import json
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, JsonValue, ValidationError
from torch import Tensor, nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict_loader import load as load_tensors
from torch.distributed.checkpoint.state_dict_saver import save as save_tensors

from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.errors import TrainingError
from trainer.files import CHECKPOINT, CHECKPOINT_FACTS

FORMAT = 2
KEPT = 2
"""The last and the one before it, should the last turn out to be damaged."""
# Torch writes every call to this log, and failures as Python tracebacks; ours are said in a sentence.
logging.getLogger("c10d-NullHandler-dcp_logger").propagate = False
MOMENTS = ("exp_avg", "exp_avg_sq")


class Facts(BaseModel):
    """What a checkpoint says beside its tensors.

    Attributes:
        format: of the checkpoint.
        step: steps done.
        config: of the run.
        architecture: `model_config` of the network.
        micro_batch: most samples at once, which a lack of memory may have made smaller.
        best_m: best score so far, metres; None before the first.
        waited: evaluations since then.
        processes: that wrote it.
    """

    format: int
    step: int
    config: TrainConfig
    architecture: dict[str, JsonValue]
    micro_batch: int
    best_m: float | None = None
    waited: int = 0
    processes: int = 1


@dataclass(frozen=True, eq=False)
class Parts:
    """All tensors of a run.

    Attributes:
        model: the network.
        optimiser: of its parameters.
        average: moving average by parameter name; empty for none.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    average: dict[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """By name, the optimiser's memory included; of a fresh optimiser that memory is empty, but there."""
        out = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        out |= {f"average.{name}": value for name, value in self.average.items()}
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                memory = self._memory(parameter)
                out |= {f"optimiser.{name}.{key}": memory[key] for key in ("step", *MOMENTS)}
        return out

    def _memory(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        memory: dict[str, Tensor] = self.optimiser.state[parameter]
        if not memory:
            memory["step"] = torch.zeros((), dtype=torch.float32)
            memory |= {key: torch.zeros_like(parameter) for key in MOMENTS}
        return memory


def write(folder: Path, parts: Parts, facts: Facts, world: World) -> None:
    """Write a checkpoint whole or not at all; the one before it stays until then.

    Raises:
        TrainingError: the disk is full, or the folder cannot be written.
    """
    place = folder / CHECKPOINT
    final, partial = place / f"step-{facts.step:09}", place / "partial"
    trouble = ""
    try:
        if world.first:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        world.wait()
        with _alone_is_meant():
            save_tensors(parts.tensors(), checkpoint_id=partial, no_dist=world.size == 1)
    except (OSError, CheckpointException, RuntimeError) as error:
        trouble = _words(error)
    if world.any(bool(trouble)):
        if world.first:
            shutil.rmtree(partial, ignore_errors=True)
        raise TrainingError(
            f"The checkpoint could not be written: {trouble or 'another process failed'}.",
            hint="Make room on the disk, then resume: the checkpoint before it is kept.",
        )
    if world.first:
        with (partial / CHECKPOINT_FACTS).open("w", encoding="utf-8") as file:
            file.write(facts.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)
        for old in _whole(folder)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    world.wait()


def newest(folder: Path) -> tuple[Path, Facts]:
    """The run's last whole checkpoint and what it says.

    Raises:
        TrainingError: there is none, or it cannot be read.
    """
    found = _whole(folder)
    if not found:
        raise TrainingError(
            f"There is no checkpoint in {folder}.", hint="Start the run anew, without --resume."
        )
    try:
        content = json.loads((found[-1] / CHECKPOINT_FACTS).read_bytes())
        facts = Facts.model_validate(content)
    except (OSError, ValueError, ValidationError) as error:
        raise _unreadable(found[-1], error) from error
    if facts.format != FORMAT:
        raise _unreadable(found[-1], f"it has format {facts.format}, and this program reads {FORMAT}")
    return found[-1], facts


def read(path: Path, parts: Parts, world: World) -> None:
    """Put a checkpoint's tensors where `parts` has its own.

    Raises:
        TrainingError: it is damaged or of another network.
    """
    tensors: dict[str, Any] = dict(parts.tensors())
    try:
        with _alone_is_meant():
            load_tensors(tensors, checkpoint_id=path, no_dist=world.size == 1)
    except (OSError, CheckpointException, RuntimeError, KeyError, ValueError, EOFError) as error:
        raise _unreadable(path, _words(error)) from error


@contextmanager
def _alone_is_meant() -> Iterator[None]:
    """Torch warns that one process writes alone, even when it is told so."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        yield


def _whole(folder: Path) -> list[Path]:
    return sorted(path.parent for path in (folder / CHECKPOINT).glob(f"step-*/{CHECKPOINT_FACTS}"))


def _unreadable(path: Path, reason: object) -> TrainingError:
    return TrainingError(
        f"The checkpoint {path} cannot be read: {reason}.",
        hint="Remove that folder to resume from the one before it, or start anew with --init WEIGHTS.",
    )


def _words(error: BaseException) -> str:
    """The cause in a few words; torch packs errors of all processes into one."""
    if isinstance(error, CheckpointException) and error.failures:
        return _words(next(iter(error.failures.values()))[0])
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
