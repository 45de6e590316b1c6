import random
from itertools import pairwise

import pytest

from model.governor import LONGEST_WAIT_S, Governor, levels

VIT_L = levels((1200, 3600))


def machine(*, at_1200_s: float, noise: float = 0.0, seed: int = 0):
    """Seconds that a frame takes on a machine whose time grows with the power 1.4 of the tokens."""
    source = random.Random(seed)
    return lambda tokens: at_1200_s * (tokens / 1200) ** 1.4 * source.lognormvariate(0, noise)


def play(governor, takes, *, seconds, start_s=0.0):
    """The choice after each frame of a run that lasts so long, and its clock at the end."""
    now_s, chosen = start_s, []
    while now_s < start_s + seconds:
        took_s = takes(governor.tokens)
        now_s += max(took_s, governor.budget_s)
        governor.observe(took_s, now_s=now_s)
        chosen.append(governor.tokens)
    return chosen, now_s


def changes(chosen):
    return sum(a != b for a, b in pairwise(chosen))


def test_levels_span_the_models_own_range():
    assert VIT_L == [1200, 1800, 2400, 3000, 3600]
    assert levels((192, 432)) == [192, 252, 312, 372, 432]
    assert levels((12, 12)) == [12]


def test_a_fast_machine_gets_the_most_tokens_and_keeps_them():
    governor = Governor(VIT_L, target_hz=30, cameras=1)
    chosen, _ = play(governor, machine(at_1200_s=0.005, noise=0.1), seconds=120)
    assert chosen[-1] == 3600
    assert changes(chosen) == 4


def test_a_slow_machine_stays_at_the_fewest():
    governor = Governor(VIT_L, target_hz=30, cameras=3)
    chosen, _ = play(governor, machine(at_1200_s=0.9), seconds=60)
    assert set(chosen) == {1200}


def test_three_cameras_get_fewer_tokens_than_one():
    ends = []
    for cameras in (1, 3):
        governor = Governor(VIT_L, target_hz=30, cameras=cameras)
        ends.append(play(governor, machine(at_1200_s=0.007), seconds=60)[0][-1])
    assert ends[0] > ends[1]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("at_1200_s", [0.012, 0.016, 0.019, 0.024, 0.031])
def test_a_noisy_load_never_makes_it_oscillate(seed, at_1200_s):
    governor = Governor(VIT_L, target_hz=30, cameras=1)
    takes = machine(at_1200_s=at_1200_s, noise=0.35, seed=seed)
    _, now_s = play(governor, takes, seconds=120)
    chosen, _ = play(governor, takes, seconds=600, start_s=now_s)
    assert changes(chosen) <= 10  # one failed attempt a minute would be twenty


def test_it_keeps_to_the_target_under_a_step_of_load_and_returns_after_it():
    governor = Governor(VIT_L, target_hz=30, cameras=1)
    calm, loaded = machine(at_1200_s=0.007), machine(at_1200_s=0.014)
    before, now_s = play(governor, calm, seconds=60)
    during, now_s = play(governor, loaded, seconds=60, start_s=now_s)
    after, _ = play(governor, calm, seconds=60, start_s=now_s)
    assert before[-1] == after[-1] == 3000  # 25 ms of 33; 3600 would take 33
    assert during[-1] == 1800  # 25 ms; 2400 would take 37
    late = sum(loaded(tokens) > 1 / 30 for tokens in during)
    assert late < 4 * 15  # a window for each level and failed attempt


def test_single_slow_frames_change_nothing():
    governor = Governor(VIT_L, target_hz=30, cameras=1)
    chosen, now_s = play(governor, machine(at_1200_s=0.004), seconds=60)
    for frame in range(60):
        governor.observe(0.5 if frame % 3 == 0 else 0.02, now_s=now_s + frame)
        assert governor.tokens == chosen[-1]


def test_failed_attempts_become_rare():
    governor = Governor([1000, 2000], target_hz=10, cameras=1)
    takes = {1000: 0.02, 2000: 0.2}  # far more than was to be expected
    now_s, attempts = 0.0, []
    for _ in range(30_000):
        before = governor.tokens
        now_s += 0.1
        governor.observe(takes[before] * random.Random(now_s).uniform(0.99, 1.01), now_s=now_s)
        if governor.tokens > before:
            attempts.append(now_s)
    assert len(attempts) == 1  # what the step costs is remembered


def test_an_attempt_that_fails_because_of_load_is_not_repeated_at_once():
    governor = Governor([1000, 2000], target_hz=10, cameras=1)
    now_s, attempts = 0.0, []
    while now_s < 3000:
        before = governor.tokens
        now_s += 0.1
        # Whoever else is there wakes up exactly when more tokens are tried; what the step cost is forgotten.
        governor._steps.clear()
        governor.observe(0.028 if before == 1000 else 0.101, now_s=now_s)
        if governor.tokens > before:
            attempts.append(now_s)
    gaps = [b - a for a, b in pairwise(attempts)]
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps[:5]))
    assert max(gaps) <= LONGEST_WAIT_S + 60


@pytest.mark.parametrize("wrong", [{"levels": []}, {"levels": [2, 1]}, {"target_hz": 0}, {"cameras": 0}])
def test_impossible_demands_are_refused(wrong):
    with pytest.raises(ValueError, match="no choice"):
        Governor(**({"levels": [1, 2], "target_hz": 30, "cameras": 1} | wrong))
