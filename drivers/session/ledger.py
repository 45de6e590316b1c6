"""Where every count of a device's frame counter went, number by number."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class Stage(StrEnum):
    """Where a frame was lost."""

    DEVICE = "device"
    """The device counted it and never delivered it."""
    QUEUE = "queue"
    """Encoders or disk were too slow: it came and found no room."""
    ENCODE = "encode"
    """It could not be compressed."""
    WRITE = "write"
    """The disk or the session did not take it."""
    ENDED = "ended"
    """It came after the recording had ended by itself."""
    CRASH = "crash"
    """It was on its way to the disk when the program died."""


class LostFrames(BaseModel):
    """Numbers that follow each other and were lost at the same place.

    Attributes:
        first: the device's counter.
        last: likewise; included.
        stage: where.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    first: int
    last: int
    stage: Stage

    @property
    def count(self) -> int:
        """Frames in it."""
        return self.last - self.first + 1


class Ledger:
    """The lost frames of one camera. Not for several threads at once."""

    def __init__(self) -> None:
        self._ranges: list[LostFrames] = []
        self._told = 0

    def lose(self, first: int, last: int, stage: Stage) -> None:
        """Note the loss of all numbers from `first` to `last`; none where `last` is smaller."""
        if last < first:
            return
        before = self._ranges[-1] if len(self._ranges) > self._told else None
        if before is not None and before.stage == stage and before.last + 1 == first:
            self._ranges[-1] = LostFrames(first=before.first, last=last, stage=stage)
        else:
            self._ranges.append(LostFrames(first=first, last=last, stage=stage))

    @property
    def ranges(self) -> tuple[LostFrames, ...]:
        """All losses in the order in which they became known, neighbours together."""
        merged: list[LostFrames] = []
        for loss in self._ranges:
            if merged and merged[-1].stage == loss.stage and merged[-1].last + 1 == loss.first:
                loss = LostFrames(first=merged.pop().first, last=loss.last, stage=loss.stage)
            merged.append(loss)
        return tuple(merged)

    def news(self) -> tuple[LostFrames, ...]:
        """Losses since the last call."""
        news, self._told = tuple(self._ranges[self._told :]), len(self._ranges)
        return news


def losses_at(stage: Stage, numbers: Iterable[int]) -> tuple[LostFrames, ...]:
    """The loss of these numbers, neighbours together."""
    ledger = Ledger()
    for number in numbers:
        ledger.lose(number, number, stage)
    return ledger.ranges


def by_stage(lost: Iterable[LostFrames]) -> dict[str, int]:
    """Frames lost at each stage where any was."""
    counts: dict[str, int] = {}
    for loss in lost:
        counts[loss.stage.value] = counts.get(loss.stage.value, 0) + loss.count
    return counts


def missing(held: NDArray[np.int64], lost: Iterable[LostFrames]) -> tuple[LostFrames, ...]:
    """Numbers between those that are held or known to be lost: what a crash cost on the way.

    Args:
        held: (N,) device counters that the files hold.
        lost: losses that are known.
    """
    ledger = Ledger()
    end: int | None = None
    for first, last in _spans(held, lost):
        if end is not None:
            ledger.lose(end + 1, first - 1, Stage.CRASH)
        end = last if end is None else max(end, last)
    return ledger.ranges


def _spans(held: NDArray[np.int64], lost: Iterable[LostFrames]) -> list[tuple[int, int]]:
    """First and last of each run of numbers that are known of, in order."""
    spans = [(loss.first, loss.last) for loss in lost]
    spans += [(int(number), int(number)) for number in held]
    return sorted(spans)


def unaccounted(held: NDArray[np.int64], lost: Iterable[LostFrames]) -> str:
    """Why numbers in the files and numbers lost are not together each number once; empty where they are.

    Args:
        held: (N,) device counters of the frames that the files hold.
        lost: every loss.
    """
    if np.any(np.diff(held) <= 0):
        return ""  # a replay that began anew: its numbers tell nothing, and the sums must do
    for (_, last), (first, _) in pairwise(_spans(held, lost)):
        if first <= last:
            return f"the number {first} is accounted for twice"
        if first > last + 1:
            return f"the numbers {last + 1} to {first - 1} are accounted for nowhere"
    return ""
