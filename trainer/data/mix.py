"""Several sources as one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainer.config import MaskingConfig, SourceConfig, TrainConfig
from trainer.data.samples import AnySample, Sample, SampleSource, samples_of
from trainer.errors import DataError


class Mix:
    """Draws each sample's source by weight, and marks the sample with that source's masking.

    A source counts its own samples: the run's number n is its n-th draw or fewer, so that a shuffled data set
    is not read with gaps. Which number that is depends on the seed alone.

    Args:
        parts: sources, their weights, and how their tokens are hidden (None: as the run says).
        seed: of the draw.
    """

    def __init__(self, parts: list[tuple[SampleSource, float, MaskingConfig | None]], seed: int) -> None:
        weights = np.array([weight for _, weight, _ in parts])
        self._parts = parts
        self._seed = seed
        self._turns = _turns(weights / weights.sum(), seed)

    def sample(self, number: int) -> Sample:
        part, turn = self._pick(number)
        source, _, masking = self._parts[part]
        return replace(source.sample(turn), masking=masking)

    def samples(self, numbers: Sequence[int]) -> list[AnySample]:
        """The samples of these numbers; each source is asked once."""
        picks = [self._pick(number) for number in numbers]
        found: dict[int, AnySample] = {}
        for part in sorted({part for part, _ in picks}):
            source, _, masking = self._parts[part]
            places = [place for place, (mine, _) in enumerate(picks) if mine == part]
            drawn = samples_of(source, [picks[place][1] for place in places])
            found |= {
                place: replace(each, masking=masking) for place, each in zip(places, drawn, strict=True)
            }
        return [found[place] for place in range(len(numbers))]

    def held_out(self, number: int) -> Sample:
        part, turn = self._pick(number)
        return self._parts[part][0].held_out(turn)

    def _pick(self, number: int) -> tuple[int, int]:
        """The source of a sample, and which of that source's samples it is."""
        cycle, place = divmod(number, len(self._turns.order))
        part = int(self._turns.order[place])
        return part, cycle * int(self._turns.counts[part]) + int(self._turns.before[place])


class _Turns:
    """One cycle of turns, in a random order that repeats: whose turn, and how many turns it had before.

    Attributes:
        order: (CYCLE,) which source.
        before: (CYCLE,) its turns earlier in the cycle.
        counts: (S,) its turns in a whole cycle.
    """

    def __init__(self, order: NDArray[np.int64], sources: int) -> None:
        self.order = order
        self.counts = np.bincount(order, minlength=sources)
        self.before = np.zeros_like(order)
        for source in range(sources):
            mine = order == source
            self.before[mine] = np.arange(int(mine.sum()))


CYCLE = 10_000


def _turns(shares: NDArray[np.float64], seed: int) -> _Turns:
    exact = shares * CYCLE
    counts = np.maximum(np.floor(exact).astype(np.int64), 1)
    for place in np.argsort(counts - exact)[: max(0, CYCLE - int(counts.sum()))]:
        counts[place] += 1
    order = np.repeat(np.arange(len(counts)), counts)
    return _Turns(np.random.default_rng((seed, 3)).permutation(order), len(counts))


def source_for(config: TrainConfig, say: Callable[[str], None] = lambda _message: None) -> SampleSource:
    """What the configuration says to learn from.

    Args:
        config: of the run.
        say: is told of samples that cannot be read and are skipped.

    Raises:
        SessionError: a session cannot be read.
        DataError: a data set cannot be read.
    """
    parts = [(_source(part, config, say), part.weight, part.masking) for part in config.sources]
    if len(parts) == 1 and parts[0][2] is None:
        return parts[0][0]
    return Mix(parts, config.seed)


def with_renderer(config: TrainConfig, wanted: str, *, workers_asked: bool) -> TrainConfig:
    """The configuration with what makes simulated rooms, and without processes that would only idle.

    Args:
        config: of the run.
        wanted: "drawn", "cast", or "auto": cast on a GPU, unless processes read a part of the mix or were
            asked for.
        workers_asked: whether `config.workers` is someone's wish and not the recipe's.
    """
    from trainer.distributed import device_of

    rooms = [part.kind == "synthetic" for part in config.sources]
    if wanted == "auto":
        idle = config.workers == 0 or (all(rooms) and not workers_asked)
        wanted = "cast" if any(rooms) and idle and device_of(config).type == "cuda" else "drawn"
    workers = 0 if wanted == "cast" and not workers_asked else config.workers
    return config.model_copy(update={"renderer": wanted, "workers": workers})


def _source(part: SourceConfig, config: TrainConfig, say: Callable[[str], None]) -> SampleSource:
    if part.kind != "synthetic" or config.renderer == "drawn":
        return opened(part, config.seed, say)
    from trainer.data.cast import CastSource
    from trainer.distributed import device_of

    if config.workers:
        raise DataError(
            "Rooms that are cast on the device that trains leave nothing to processes that read.",
            hint="Use --workers 0.",
        )
    return CastSource(config.seed, device_of(config))


def opened(part: SourceConfig, seed: int, say: Callable[[str], None]) -> SampleSource:
    """The source of one part of a mix.

    Raises:
        SessionError: a session cannot be read.
        DataError: a data set cannot be read, or there is no such kind.
    """
    from trainer.data.dataset import DatasetSource
    from trainer.data.kinds import KINDS
    from trainer.data.sessions import SessionSource
    from trainer.data.synthetic import SyntheticSource

    if part.kind in {"synthetic", "synthetic_hard"}:
        return SyntheticSource(seed, hard=part.kind == "synthetic_hard")
    if part.path is None:
        raise DataError(f"The source {part.kind!r} has no folder.", hint="Name one: KIND:FOLDER")
    if part.kind == "session":
        return SessionSource((part.path,), seed=seed)
    if part.kind not in KINDS:
        known = ", ".join(("synthetic", "synthetic_hard", "session", *KINDS))
        raise DataError(f"There is no data set of the kind {part.kind!r}.", hint=f"There are: {known}.")
    dataset = KINDS[part.kind].open(part.path)
    return DatasetSource(dataset, seed=seed, noise=part.noise, name=f"{part.kind} in {part.path}", say=say)
