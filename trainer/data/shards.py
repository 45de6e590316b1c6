"""Our shards as a data set with random access."""

import zlib
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import numpy as np

from trainer.data import hardships
from trainer.data.samples import Sample
from trainer.data.shard_index import INDEX, TAR, index_path, members, read_index
from trainer.data.stored import StoredSample, decoded
from trainer.errors import DataError


class Shards:
    """All shards of a folder, in the order of their names.

    Every read opens the file anew, so that many threads and processes can share one object.

    Args:
        folder: with tar files and their indexes.

    Raises:
        DataError: there are none, or one lacks its half.
    """

    clean = False

    def __init__(self, folder: Path) -> None:
        indexes = sorted(folder.glob(f"*{INDEX}"))
        if not indexes:
            alone = any(folder.glob(f"*{TAR}"))
            raise DataError(
                f"There is no index of shards in {folder}.",
                hint=f"Write it with: dataset index {folder}"
                if alone
                else "Make shards with: synth or dataset.",
            )
        self._shards = [path.with_name(path.name.removesuffix(INDEX) + TAR) for path in indexes]
        for shard in self._shards:
            if not shard.is_file():
                raise DataError(
                    f"{shard} is missing, but its index is there.",
                    hint=f"Bring the file back, or remove {index_path(shard).name}.",
                )
        self._places = [read_index(path) for path in indexes]
        self._ends = list(accumulate(len(places) for places in self._places))

    def __len__(self) -> int:
        return self._ends[-1]

    def scene(self, number: int) -> str:
        """The scene of sample `number`; a key stands for it where none is known."""
        shard, row = self._find(number)
        place = self._places[shard][row]
        return place.scene or place.key

    def read(self, number: int) -> Sample:
        """What training needs of sample `number`; a bare view is always measured by the same sensor here."""
        return _measured(self.stored(number), np.random.default_rng(number))

    def read_anew(self, number: int, rng: np.random.Generator) -> Sample:
        """As `read`, but a bare view is measured by a sensor that `rng` draws."""
        return _measured(self.stored(number), rng)

    def stored(self, number: int) -> StoredSample:
        """Sample `number`, whole.

        Raises:
            DataError: it was damaged or cut off.
        """
        shard, row = self._find(number)
        place, path = self._places[shard][row], self._shards[shard]
        try:
            with path.open("rb") as file:
                file.seek(place.offset)
                block = file.read(place.size)
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}.", hint="Check the disk.") from error
        if zlib.crc32(block) != place.crc32:
            raise DataError(
                f"Sample {place.key} in {path} is damaged.", hint="Make or fetch that shard again."
            )
        return decoded(members(block))

    def _find(self, number: int) -> tuple[int, int]:
        shard = bisect_right(self._ends, number)
        return shard, number - (self._ends[shard] - len(self._places[shard]))


def _measured(stored: StoredSample, rng: np.random.Generator) -> Sample:
    if stored.depth is not None:
        return stored.sample
    return Sample(stored.color, hardships.measured(stored.view, rng), stored.truth_m, stored.nothing)
