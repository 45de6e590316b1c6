"""Data sets that are read by number, and how a run draws from one."""

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from trainer.data.hidden_blocks import hide_blocks
from trainer.data.order import place_of
from trainer.data.samples import Sample
from trainer.errors import DataError

HELD_OUT_SHARE = 0.05
FEW_SCENES = 10
"""With fewer, the last tenth of the samples is held out instead of whole scenes."""
TRIES = 8
"""A damaged sample gives its turn to the next of the shuffle, this often."""
BAD_SHARE = 0.01
BAD_ALLOWED = 10


class Dataset(Protocol):
    """Samples on a disk.

    Attributes:
        clean: its depth has neither holes nor noise, so that training has to put some in.

    A reader may have a `note` as well: what those who learn from it should know.
    """

    clean: bool

    def __len__(self) -> int: ...

    def scene(self, number: int) -> str:
        """Name of the scene of sample `number`."""

    def read(self, number: int) -> Sample:
        """Sample `number`.

        Raises:
            DataError: it cannot be read.
        """


@runtime_checkable
class Remeasured(Dataset, Protocol):
    """A data set of views that another simulated sensor may measure each time they are read."""

    def read_anew(self, number: int, rng: np.random.Generator) -> Sample:
        """Sample `number`, measured as `rng` draws.

        Raises:
            DataError: it cannot be read.
        """


class DatasetSource:
    """A data set as a run's source: shuffled without repeats, with whole scenes held out.

    A sample that cannot be read gives its turn to the next one of the shuffle, the same one after every
    restart; when more than a hundredth fails, the run ends.

    Args:
        dataset: to draw from.
        seed: of the shuffle.
        noise: Gaussian noise on clean depth, one sigma as a share of the depth (report, section 3).
        name: for messages.
        say: is told of every sample that is skipped, and the reader's note.

    Raises:
        DataError: there are too few samples.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        seed: int,
        noise: float = 0.0,
        name: str = "the data set",
        say: Callable[[str], None] = lambda _message: None,
    ) -> None:
        self._dataset = dataset
        self._seed = seed
        self._noise = noise if dataset.clean else 0.0
        self._name = name
        self._say = say
        self._train, self._test = split(dataset)
        self._read = 0
        self._bad: Counter[int] = Counter()
        if note := getattr(dataset, "note", ""):
            say(note)
        if not len(self._train):
            raise DataError(
                f"{name} has {len(dataset)} samples, too few to hold one out.", hint="Give it at least two."
            )

    def __len__(self) -> int:
        """Samples of one epoch."""
        return len(self._train)

    def sample(self, number: int) -> Sample:
        sample = self._readable(self._train, number)
        if self._noise:
            rng = np.random.default_rng((self._seed, 7, number))
            sample = replace(sample, depth_m=noisy(sample, self._noise, rng))
        return sample

    def held_out(self, number: int) -> Sample:
        sample = self._readable(self._test, number)
        if not self._dataset.clean:
            return sample
        rng = np.random.default_rng((self._seed, 8, number))
        hidden = hide_blocks(sample.depth_m, rng)
        return replace(sample, depth_m=np.where(hidden, np.float32(0), sample.depth_m))

    def _readable(self, numbers: NDArray[np.int64], number: int) -> Sample:
        self._read += 1
        for step in range(TRIES):
            place = place_of(number, len(numbers), seed=self._seed)
            index = int(numbers[(place + step) % len(numbers)])
            try:
                if isinstance(self._dataset, Remeasured):
                    rng = np.random.default_rng((self._seed, 9, number))
                    return self._dataset.read_anew(index, rng)
                return self._dataset.read(index)
            except DataError as error:
                self._bad[index] += 1
                if self._bad[index] == 1:
                    self._say(f"Skipped: {error.args[0]}")
                if self._bad.total() > max(BAD_ALLOWED, BAD_SHARE * self._read):
                    raise DataError(
                        f"Too much of {self._name} cannot be read; last: {error.args[0]}", hint=error.hint
                    ) from error
        raise DataError(f"{TRIES} samples of {self._name} in a row cannot be read.", hint="Check its files.")


def split(dataset: Dataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the samples for training and of those held out.

    Which scenes are held out depends on their names only, so that a data set that grows keeps most of them.
    """
    scenes = [dataset.scene(number) for number in range(len(dataset))]
    names = sorted(set(scenes), key=lambda name: zlib.crc32(name.encode()))
    everything = np.arange(len(scenes))
    if len(names) < FEW_SCENES:
        first = len(scenes) - max(1, len(scenes) // 10)
        return everything[:first], everything[first:]
    out = set(names[: max(1, round(len(names) * HELD_OUT_SHARE))])
    held_out = np.array([scene in out for scene in scenes])
    return everything[~held_out], everything[held_out]


def noisy(sample: Sample, share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) metres with Gaussian noise of `share` of the depth; holes stay holes."""
    depth_m = sample.depth_m
    factor = 1 + rng.normal(0, share, depth_m.shape).astype(np.float32)
    return depth_m * np.maximum(factor, np.float32(0.01))
