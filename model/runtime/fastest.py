"""Which way of running a network is the fastest here, among those that give what the network gives."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.errors import GivenUpError, WeightsError
from model.runtime import gate
from model.runtime.core import Precision
from model.runtime.runner import Grid, Runner
from model.shot import Shot

log = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""Once one candidate is good and so much time has passed, no other is tried: someone waits for pictures."""
RUNS = 3
"""Of each candidate; the shortest counts."""
CLEARLY = 0.75
"""Share of the time of an earlier candidate that a later one has to stay below: it may be less exact."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to run a network.

    Attributes:
        name: for the log.
        precision: what its answers are measured by.
        make: builds it; raises WeightsError where this machine cannot.
    """

    name: str
    precision: Precision
    make: Callable[[], Runner]


def never() -> bool:
    """Somebody waits until the end."""
    return False


def stop_if(given_up: Callable[[], bool]) -> None:
    """Go no further for nobody.

    Raises:
        GivenUpError: nobody waits any more.
    """
    if given_up():
        raise GivenUpError


def fastest(
    candidates: Sequence[Candidate],
    shots: Sequence[Shot],
    grid: Grid,
    want: Sequence[NDArray[np.float32]],
    *,
    cameras: int = 1,
    given_up: Callable[[], bool] = never,
) -> Runner:
    """The candidate that takes the least time of those that pass the gate; an earlier one unless it is clear.

    Args:
        candidates: the ones to be preferred first.
        shots: to compare with; the first is also timed.
        grid: of tokens.
        want: of `gate.plain` for the shots.
        cameras: shots that come at once where it is used.
        given_up: whether nobody waits any more; asked between any two runs.

    Raises:
        GivenUpError: nobody waits any more.
        WeightsError: none passes; the reason is that of the first.
    """
    best: tuple[float, Runner] | None = None
    failures: list[WeightsError] = []
    started_s = time.perf_counter()
    for candidate in candidates:
        stop_if(given_up)
        if best is not None and time.perf_counter() - started_s > PATIENCE_S:
            log.info("%s is not tried: that has taken long enough", candidate.name)
            continue
        try:
            runner = candidate.make()
            stop_if(given_up)
            gate.check(runner, shots, grid, want, candidate.precision)
        except WeightsError as error:
            log.info("%s is out: %s", candidate.name, error)
            failures.append(error)
            continue
        if len(candidates) == 1:
            return runner
        took_s = min(_seconds(runner, [shots[0]] * cameras, grid, given_up) for _ in range(RUNS))
        log.info("%s takes %.1f ms for %d cameras", candidate.name, took_s * 1e3, cameras)
        if best is None or took_s < CLEARLY * best[0]:
            best = took_s, runner
    if best is None:
        raise failures[0]
    return best[1]


def _seconds(runner: Runner, shots: Sequence[Shot], grid: Grid, given_up: Callable[[], bool]) -> float:
    stop_if(given_up)
    started_s = time.perf_counter()
    runner.run(shots, grid)
    return time.perf_counter() - started_s
