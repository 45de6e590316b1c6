"""Micro-batches ahead of the training step, read in a thread or in processes that may die."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice

import cv2
import torch

from drivers.errors import SessionError
from trainer.config import TrainConfig
from trainer.data.batches import Batch, RawBatch, numbers_of, on_device, read
from trainer.data.samples import SampleSource
from trainer.errors import TrainingError

AHEAD = 3
RESTARTS = 3
"""Dead readers are replaced this often in one run."""

Piece = tuple[int, range]
"""A step, and the numbers of one of its micro-batches."""


def pieces(config: TrainConfig, first_step: int, micro_batch: int, *, rank: int, world: int) -> list[Piece]:
    """All micro-batches of one process, from `first_step` on."""
    out = []
    for step in range(first_step, config.steps):
        numbers = numbers_of(config, step, rank=rank, world=world)
        size = micro_batch or len(numbers)
        out += [(step, numbers[start : start + size]) for start in range(0, len(numbers), size)]
    return out


class Loader:
    """The micro-batches of one process, step by step.

    Args:
        config: of the run.
        source: of the samples; readers in other processes open their own.
        device: of the tensors. On a processor they are made beside the reading, so that the step finds them
            ready.
        say: is told what went wrong while reading.
        rank: of this process.
        world: number of processes.
    """

    def __init__(
        self,
        config: TrainConfig,
        source: SampleSource,
        device: torch.device,
        say: Callable[[str], None],
        *,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._config = config
        self._source = source
        self._device = device
        self._say = say
        self._rank, self._world = rank, world

    def steps(self, first_step: int, micro_batch: int) -> Generator[list[Batch], None, None]:
        """The micro-batches of each step from `first_step` on.

        Args:
            first_step: counts from 0.
            micro_batch: most samples in one; 0 for all.

        Raises:
            TrainingError: samples cannot be read any more.
        """
        work = pieces(self._config, first_step, micro_batch, rank=self._rank, world=self._world)
        batches = self._in_processes(work) if self._config.workers else self._in_thread(work)
        gathered: list[Batch] = []
        for place, batch in enumerate(batches):
            gathered.append(batch)
            if place + 1 == len(work) or work[place + 1][0] != work[place][0]:
                yield gathered
                gathered = []

    def _in_thread(self, work: list[Piece]) -> Iterator[Batch]:
        ready = self._device.type == "cpu"

        def make(piece: Piece) -> RawBatch | Batch:
            raw = read(self._source, self._config, *piece)
            return on_device(raw, self._device) if ready else raw

        with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
            coming: list[Future[RawBatch | Batch]] = []
            try:
                for place in range(len(work)):
                    while len(coming) < AHEAD and place + len(coming) < len(work):
                        coming.append(pool.submit(make, work[place + len(coming)]))
                    made = coming.pop(0).result()
                    yield made if isinstance(made, Batch) else on_device(made, self._device)
            finally:
                for future in coming:
                    future.cancel()

    def _in_processes(self, work: list[Piece]) -> Iterator[Batch]:
        done = restarts = 0
        while done < len(work):
            try:
                for raw in _read_ahead(self._config, work[done:]):
                    for note in raw.notes:
                        self._say(note)
                    if raw.failure is not None:
                        message, hint = raw.failure
                        raise TrainingError(message, hint=hint)
                    done += 1
                    yield on_device(raw, self._device)
            except BrokenProcessPool as error:
                restarts += 1
                if restarts > RESTARTS:
                    raise TrainingError(
                        f"Processes that read samples died {restarts} times.",
                        hint="There may be too little memory; use fewer --workers and resume.",
                    ) from error
                self._say(f"A process that read samples died; the run goes on with new ones ({restarts}).")


def _read_ahead(config: TrainConfig, work: list[Piece]) -> Iterator[RawBatch]:
    """The micro-batches in their order, read by `config.workers` processes."""
    # Not torch's DataLoader: when a reader dies, that raises in a signal handler, wherever the program is.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(config.workers, mp_context=context, initializer=_open, initargs=(config,))
    try:
        coming: deque[Future[RawBatch]] = deque()
        left = iter(work)
        for piece in islice(left, AHEAD * config.workers):
            coming.append(pool.submit(_read_piece, piece))
        while coming:
            yield coming.popleft().result()
            for piece in islice(left, 1):
                coming.append(pool.submit(_read_piece, piece))
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(eq=False)
class _Reader:
    """What one reading process holds."""

    config: TrainConfig
    source: SampleSource | None = None
    notes: list[str] = field(default_factory=list)


_reader: _Reader | None = None


def _open(config: TrainConfig) -> None:
    global _reader
    _reader = _Reader(config)
    cv2.setNumThreads(1)


def _read_piece(piece: Piece) -> RawBatch:
    from trainer.data.mix import source_for

    assert _reader is not None
    step, numbers = piece
    try:
        if _reader.source is None:
            _reader.source = source_for(_reader.config, _reader.notes.append)
        raw = read(_reader.source, _reader.config, step, numbers)
    except (TrainingError, SessionError) as error:
        # An exception with a hint does not survive the way to the other process.
        return RawBatch(step, (0, 0), (), failure=(error.args[0], error.hint))
    notes = tuple(_reader.notes)
    _reader.notes.clear()
    return RawBatch(raw.step, raw.grid, raw.samples, notes)
