"""Micro-batches ahead of the training step, read in a thread or in processes that may die."""

import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from multiprocessing.connection import Connection

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
            except ReaderDiedError as error:
                restarts += 1
                if restarts > RESTARTS:
                    raise TrainingError(
                        f"Processes that read samples died {restarts} times.",
                        hint="There may be too little memory; use fewer --workers and resume.",
                    ) from error
                self._say(f"A process that read samples died; the run goes on with new ones ({restarts}).")


class ReaderDiedError(Exception):
    """A reading process is gone."""


def _read_ahead(config: TrainConfig, work: list[Piece]) -> Iterator[RawBatch]:
    """The micro-batches in their order, read by `config.workers` processes in turns."""
    readers = [_Reader(config, number) for number in range(config.workers)]
    try:
        turns = zip(cycle(readers), work, strict=False)
        coming = deque(reader.ask(piece) for reader, piece in islice(turns, AHEAD * config.workers))
        while coming:
            yield coming.popleft().result()
            coming.extend(reader.ask(piece) for reader, piece in islice(turns, 1))
    finally:
        for reader in readers:
            reader.close()


class _Reader:
    """One reading process, and the thread that takes from it what it has read.

    Each has a pipe of its own: whatever a process was doing when it died, the other end says so. Processes
    that share a queue (ProcessPoolExecutor) may leave us waiting for the rest of half a message, and torch's
    DataLoader raises in a signal handler, wherever the program is.
    """

    def __init__(self, config: TrainConfig, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(config, theirs), name=f"reader-{number}")
        self._process.start()
        theirs.close()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"reader-{number}")

    def ask(self, piece: Piece) -> Future[RawBatch]:
        """The micro-batch, sooner or later, or a `ReaderDiedError`."""
        return self._thread.submit(self._answer, piece)

    def _answer(self, piece: Piece) -> RawBatch:
        try:
            self._pipe.send(piece)
            raw, fault = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise ReaderDiedError from error
        if raw is None:
            raise RuntimeError(f"Reading samples failed in another process:\n{fault}")
        assert isinstance(raw, RawBatch)
        return raw

    def close(self) -> None:
        """End the process, whatever it is doing; it holds nothing that could be lost."""
        self._process.terminate()
        self._thread.shutdown(cancel_futures=True)
        self._process.join()
        self._process.close()
        self._pipe.close()


def _serve(config: TrainConfig, pipe: Connection) -> None:
    """What a reading process does until the training one closes the pipe or ends it."""
    from trainer.data.mix import source_for

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    cv2.setNumThreads(1)
    notes: list[str] = []
    source: SampleSource | None = None
    while True:
        try:
            step, numbers = pipe.recv()
        except EOFError:
            return
        raw, fault = None, ""
        try:
            if source is None:
                source = source_for(config, notes.append)
            raw = read(source, config, step, numbers)
            raw = replace(raw, notes=tuple(notes))
            notes.clear()
        except (TrainingError, SessionError) as error:
            # An exception with a hint does not survive the way to the other process.
            raw = RawBatch(step, (0, 0), (), failure=(error.args[0], error.hint))
        except Exception:  # noqa: BLE001 - it is raised again where the training runs
            fault = traceback.format_exc()
        try:
            pipe.send((raw, fault))
        except OSError:
            return  # nobody waits for it any more
