"""The processes of a run, as torchrun starts them; one process alone is a world of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from model.mdm import MDM
from trainer.config import TrainConfig
from trainer.errors import TrainingError

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class World:
    """This process among the others.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        device: where it computes.
        control: for decisions, which must not wait for a GPU; None in a world of one.
    """

    rank: int
    size: int
    device: torch.device
    control: dist.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Whether this process speaks and writes for all."""
        return self.rank == 0

    def summed(self, value: Tensor) -> Tensor:
        """The sum over all processes, on the processor."""
        total = value.detach().cpu().double()
        if self.control is not None:
            dist.all_reduce(total, group=self.control)
        return total

    def any(self, flag: bool) -> bool:
        """Whether any process says so; all get the same answer."""
        return bool(self.summed(torch.tensor(float(flag))) > 0)

    def gathered(self, value: Value) -> list[Value]:
        """What each process gave, in their order."""
        if self.control is None:
            return [value]
        out: list[Value | None] = [None] * self.size
        dist.all_gather_object(out, value, group=self.control)
        return [each for each in out if each is not None]

    def wait(self) -> None:
        """Wait for all processes."""
        if self.control is not None:
            dist.barrier(group=self.control)


def alone(device: torch.device) -> World:
    """A world of one process."""
    return World(0, 1, device)


def device_of(config: TrainConfig) -> torch.device:
    """Where this process computes."""
    wanted = config.device
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return (
        torch.device(wanted, int(os.environ.get("LOCAL_RANK", "0")))
        if wanted == "cuda"
        else torch.device("cpu")
    )


@contextmanager
def joined(config: TrainConfig) -> Iterator[World]:
    """The world that torchrun made (RANK, WORLD_SIZE, MASTER_ADDR), left at the end.

    Raises:
        TrainingError: the batch cannot be shared evenly.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    device = device_of(config)
    if size == 1:
        yield alone(device)
        return
    if config.batch % size:
        raise TrainingError(
            f"A batch of {config.batch} cannot be shared by {size} processes.",
            hint="Start a number of processes that divides the batch.",
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        control = dist.new_group(backend="gloo")
        yield World(dist.get_rank(), size, device, control)
    finally:
        dist.destroy_process_group()


def shared(model: MDM, config: TrainConfig, world: World) -> nn.Module:
    """What is called in training instead of `model`, so that gradients are those of all processes.

    With FSDP2 the model itself is changed: each process holds a slice of every parameter.
    """
    if world.size == 1:
        return model
    if config.parallel == "fsdp":
        mesh = init_device_mesh(world.device.type, (world.size,))
        heads = [head for head in (model.neck, model.depth_head, model.mask_head) if head is not None]
        for part in (*model.encoder.backbone.blocks, *heads, model):
            fully_shard(part, mesh=mesh)
        return model
    ids = [world.device.index] if world.device.type == "cuda" else None
    idle = config.mask_weight == 0  # then nothing reaches the mask head
    return DistributedDataParallel(model, device_ids=ids, find_unused_parameters=idle)


def with_sync(trained: nn.Module, *, last: bool) -> AbstractContextManager[None]:
    """Around one micro-batch: gradients are exchanged with the last one of a step only."""
    if isinstance(trained, FSDPModule):
        trained.set_requires_gradient_sync(last)
    elif isinstance(trained, DistributedDataParallel) and not last:
        no_sync: Callable[[], AbstractContextManager[None]] = trained.no_sync
        return no_sync()
    return nullcontext()


def local(value: Tensor) -> Tensor:
    """The slice that this process holds; changes to it are changes to `value`."""
    return value.to_local() if isinstance(value, DTensor) else value


def whole(value: Tensor) -> Tensor:
    """The tensor of all slices, on the processor; every process has to ask."""
    return (value.full_tensor() if isinstance(value, DTensor) else value).detach().cpu()
