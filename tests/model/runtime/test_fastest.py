"""Of the ways to run a network the fastest that gives what it gives is taken, exact ones first."""

import time

import pytest

from model.errors import GivenUpError, WeightsError
from model.runtime import gate
from model.runtime.fastest import Candidate, fastest
from tests.model.small_networks import small_network

GRID = (3, 4)


@pytest.fixture(scope="module")
def shots():
    return gate.made_up_shots(96, 128, (0.3, 1.0))


@pytest.fixture(scope="module")
def want(shots):
    return gate.plain(small_network(), shots, GRID)


class Timed:
    """Gives what it was given, after so many milliseconds."""

    def __init__(self, where, answers, ms, off_m=0.0):
        self.where = where
        self._answers = [answer + off_m for answer in answers]
        self._ms = ms
        self.asked = []

    def run(self, shots, grid):
        self.asked.append(len(shots))
        time.sleep(self._ms / 1e3)
        return (self._answers * len(shots))[: len(shots)]


def way(runner, precision="fp32"):
    return Candidate(runner.where, precision, lambda: runner)


def test_what_is_clearly_faster_is_taken(shots, want):
    slow, fast = Timed("slow", want, 60), Timed("fast", want, 10)
    assert fastest([way(slow), way(fast)], shots, GRID, want) is fast


def test_what_is_hardly_faster_is_not_worth_being_less_exact(shots, want):
    exact, rounded = Timed("exact", want, 60), Timed("rounded", want, 55)
    assert fastest([way(exact), way(rounded, "bf16")], shots, GRID, want) is exact


def test_what_is_wrong_is_not_taken_however_fast_it_is(shots, want):
    right, wrong = Timed("right", want, 40), Timed("wrong", want, 0, off_m=0.5)
    assert fastest([way(right), way(wrong, "bf16")], shots, GRID, want) is right


def test_what_this_machine_cannot_do_is_passed_over(shots, want):
    def make():
        raise WeightsError("no such device", hint="Choose the CPU.")

    right = Timed("right", want, 0)
    assert fastest([Candidate("none", "fp32", make), way(right)], shots, GRID, want) is right
    with pytest.raises(WeightsError, match="no such device"):
        fastest([Candidate("none", "fp32", make)], shots, GRID, want)


def test_nobody_waits_for_ever(shots, want, monkeypatch):
    monkeypatch.setattr("model.runtime.fastest.PATIENCE_S", 0.0)
    slow, fast = Timed("slow", want, 20), Timed("fast", want, 0)
    assert fastest([way(slow), way(fast)], shots, GRID, want) is slow
    assert not fast.asked


def test_frames_are_timed_as_many_at_once_as_there_are_cameras(shots, want):
    runners = [Timed("one", want, 0), Timed("other", want, 0)]
    fastest([way(runner) for runner in runners], shots, GRID, want, cameras=3)
    assert runners[0].asked == [2, 3, 3, 3]


def test_who_gives_up_waits_for_one_run_at_most(shots, want):
    first, second = Timed("first", want, 0), Timed("second", want, 0)
    runs = []
    for patience in range(1, 4):
        first.asked.clear()
        with pytest.raises(GivenUpError):
            fastest(
                [way(first), way(second)],
                shots,
                GRID,
                want,
                given_up=lambda patience=patience: len(first.asked) >= patience,
            )
        runs.append(len(first.asked))
    assert runs == [1, 2, 3]
    assert not second.asked
