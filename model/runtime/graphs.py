"""Runs on CUDA: integers go up once, everything is recorded graphs on one stream, the answer comes down once.

A graph replays with the shapes it was recorded with, so depth tokens are padded to one of nine counts
(`model.masking.bucket`), and there is a graph for each that was needed. What only fills up is kept from the
attention by a bias, or by the lengths of the sequences (FlashAttention); which is faster is measured where it
runs (`model.runtime.fastest`). On a processor the same code runs without recording; that is how it is tested.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.config import ModelConfig
from model.masking import Padding, bucket, padded
from model.mdm import MDM, Prepared
from model.runtime.core import Core, Precision, set_precision
from model.runtime.runner import Grid, answer, unpack
from model.shot import Shot

Mode = Literal["eager", "compiled", "graph", "compiled graph"]

BY_BIAS = Padding()
KEPT_PLANS = 4
"""Combinations of frame size, number of cameras and token grid that stay in the device's memory."""
WARM_UPS = 2
"""Runs before a recording: libraries choose their kernels and take their memory in the first ones."""

Result = TypeVar("Result")


class GraphRunner:
    """A network on a CUDA device.

    Args:
        model: in evaluation mode, on the device; its layers are replaced by rounded ones.
        precision: of the products.
        mode: what is done to the launches of kernels: nothing, fusing by `torch.compile`, recording, or both.
        padding: how sequences get one length.
    """

    batches = True

    def __init__(
        self, model: MDM, precision: Precision, mode: Mode = "graph", padding: Padding = BY_BIAS
    ) -> None:
        set_precision(model, precision)
        self._padding = padding
        self._model = model
        self._device = model.encoder.image_mean.device
        self.precision: Precision = precision
        self._mode = mode
        on_cuda = self._device.type == "cuda"
        self._stream = torch.cuda.Stream(self._device) if on_cuda else None  # type: ignore[no-untyped-call]
        if self._stream is not None:
            self._stream.wait_stream(
                torch.cuda.current_stream(self._device)
            )  # the weights may be on their way
        self._recording = (
            None if self._stream is None else _Recording(self._stream, torch.cuda.graph_pool_handle())
        )
        self._plans: dict[tuple[object, ...], _Plan] = {}
        name = torch.cuda.get_device_name(self._device) if on_cuda else "CPU"
        self.where = f"{name} {precision}{', FlashAttention' if padding.hide == 'lengths' else ''}"

    @property
    def config(self) -> ModelConfig:
        """Of the network."""
        return self._model.config

    @torch.inference_mode()
    def run(self, shots: Sequence[Shot], grid: Grid) -> list[NDArray[np.float32]]:
        """As in `Runner`; shots of one size run as one batch."""
        sizes = [(shot.color.shape, shot.counts.shape) for shot in shots]
        answers: list[NDArray[np.float32] | None] = [None] * len(shots)
        for size in dict.fromkeys(sizes):
            places = [place for place, other in enumerate(sizes) if other == size]
            batch = [shots[place] for place in places]
            # A decoder next to a bf16 encoder may take factors of 10 bits; fp32 means all of them.
            exact = self.precision == "fp32"
            with self._on_stream(), torch.backends.cudnn.flags(enabled=True, allow_tf32=not exact):
                results = self._plan(batch, grid).run(batch)
            for place, result in zip(places, results, strict=True):
                answers[place] = result
        return [result for result in answers if result is not None]

    def _on_stream(self) -> AbstractContextManager[object]:
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def _plan(self, batch: Sequence[Shot], grid: Grid) -> "_Plan":
        key = (len(batch), batch[0].color.shape, batch[0].counts.shape, grid)
        if key not in self._plans:
            if len(self._plans) >= KEPT_PLANS:
                self._plans.pop(next(iter(self._plans)))
            recording = self._recording if "graph" in self._mode else None
            self._plans[key] = _Plan(
                self._model, batch, grid, recording, compiled="compiled" in self._mode, padding=self._padding
            )
        return self._plans[key]


class _Recording(NamedTuple):
    """Where graphs are recorded, and the memory that they share."""

    stream: torch.cuda.Stream
    pool: tuple[int, int]


class _Step(Generic[Result]):
    """Work on tensors that stay in their places; recorded once if there is where to.

    Attributes:
        result: what the work gave last; recorded, always the same tensors.
    """

    result: Result

    def __init__(self, work: Callable[[], Result], recording: _Recording | None) -> None:
        self._work = work
        self._graph: torch.cuda.CUDAGraph | None = None
        if recording is None:
            return
        for _ in range(WARM_UPS):
            work()
        recording.stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        # torch declares the pool as a class that its own graph_pool_handle() does not give.
        with torch.cuda.graph(graph, recording.pool, recording.stream):  # type: ignore[arg-type]
            self.result = work()
        self._graph = graph

    def run(self) -> Result:
        """Do the work again."""
        if self._graph is None:
            self.result = self._work()
        else:
            self._graph.replay()
        return self.result


class _Plan:
    """Everything that has one size: buffers here and there, constants, steps."""

    def __init__(
        self,
        model: MDM,
        batch: Sequence[Shot],
        grid: Grid,
        recording: _Recording | None,
        *,
        compiled: bool,
        padding: Padding,
    ) -> None:
        count, (height, width), depth_size = len(batch), batch[0].color.shape[:2], batch[0].counts.shape
        device = model.encoder.image_mean.device
        pinned = device.type == "cuda"
        self._model, self._grid, self._size, self._recording = model, grid, (height, width), recording
        self._padding = padding
        self._host = (
            torch.empty((count, height, width, 3), dtype=torch.uint8, pin_memory=pinned),
            torch.empty((count, *depth_size), dtype=torch.int16, pin_memory=pinned),
            torch.empty((count, 1, 1), dtype=torch.float32, pin_memory=pinned),
        )
        self._there = tuple(torch.zeros_like(x, device=device) for x in self._host)
        self._answer = torch.empty((count, 2, height, width), dtype=torch.float32, pin_memory=pinned)
        core = Core(model, *grid, width / height).eval()
        self._front = core.encode.front
        self._core: Callable[..., Tensor] = torch.compile(core, dynamic=False) if compiled else core
        self._prepare: _Step[tuple[Prepared, Tensor]] = _Step(self._prepared, recording)
        self._networks: dict[int, _Step[Tensor]] = {}

    def run(self, batch: Sequence[Shot]) -> list[NDArray[np.float32]]:
        color, counts, unit_m = (x.numpy() for x in self._host)
        for place, shot in enumerate(batch):
            color[place], counts[place] = shot.color, shot.counts.view(np.int16)
            unit_m[place] = shot.unit_m
        for there, here in zip(self._there, self._host, strict=True):
            there.copy_(here, non_blocking=True)
        _, most = self._prepare.run()
        # The one wait before the answer: which graph comes next depends on the holes.
        tokens, buckets = self._grid[0] * self._grid[1], self._padding.buckets
        size = bucket(int(most), tokens=tokens, front=self._front, buckets=buckets)
        if size not in self._networks:
            self._networks[size] = _Step(lambda: self._network(size), self._recording)
        self._answer.copy_(self._networks[size].run(), non_blocking=True)
        if self._answer.is_pinned():
            torch.cuda.current_stream().synchronize()
        return list(self._answer.numpy().copy())

    def _prepared(self) -> tuple[Prepared, Tensor]:
        prepared = self._model.prepare(*unpack(*self._there), num_tokens=self._grid)
        return prepared, prepared.visible.sum(1).max()

    def _network(self, size: int) -> Tensor:
        prepared, _ = self._prepare.result
        kept = padded(prepared.visible, size, front=self._front, hide=self._padding.hide)
        heads = self._core(prepared.image, prepared.depth, *kept)
        return answer(self._model, heads, self._size)
