"""A moving average of the weights, which forgets the noise of single steps."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trainer.distributed import local


class Average:
    """Follows the trained parameters of a network.

    The first steps count more than `decay` would have it: min(decay, (1 + step) / (10 + step)).

    Args:
        model: whose parameters are followed.
        decay: share of the average that stays in each step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._pairs = [
            (parameter, parameter.detach().clone())
            for parameter in model.parameters()
            if parameter.requires_grad
        ]
        self.tensors = {
            name: mean
            for (name, _), (_, mean) in zip(
                ((name, p) for name, p in model.named_parameters() if p.requires_grad),
                self._pairs,
                strict=True,
            )
        }
        """By the parameter's name."""

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take in the weights after `step` steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for parameter, mean in self._pairs:
            local(mean).lerp_(local(parameter), 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network with the average as its weights."""
        with torch.no_grad():
            trained = [local(parameter).clone() for parameter, _ in self._pairs]
            for parameter, mean in self._pairs:
                local(parameter).copy_(local(mean))
        try:
            yield
        finally:
            with torch.no_grad():
                for (parameter, _), value in zip(self._pairs, trained, strict=True):
                    local(parameter).copy_(value)


def tensors_of(average: "Average | None") -> dict[str, Tensor]:
    """What a checkpoint keeps of it."""
    return {} if average is None else average.tensors
