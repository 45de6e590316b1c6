from collections import Counter

import numpy as np
import pytest

from trainer.config import MaskingConfig, SourceConfig, TrainConfig
from trainer.data.dataset import noisy
from trainer.data.mix import Mix, opened, source_for
from trainer.data.samples import Sample
from trainer.errors import DataError

FLAT = np.ones((4, 4), np.float32)


class Numbered:
    def __init__(self, name):
        self.name = name
        self.asked = []

    def sample(self, number):
        self.asked.append(number)
        return Sample(np.zeros((4, 4, 3), np.uint8), FLAT, FLAT)

    def held_out(self, number):
        return self.sample(number)


def test_each_source_is_drawn_by_its_weight_and_counts_its_own_samples_without_gaps():
    one, two = Numbered("one"), Numbered("two")
    mix = Mix([(one, 3.0, None), (two, 1.0, None)], seed=0)
    for number in range(20_000):
        mix.sample(number)
    assert len(one.asked) == pytest.approx(15_000, abs=2)
    assert one.asked == list(range(len(one.asked)))
    assert two.asked == list(range(len(two.asked)))


def test_a_number_is_the_same_turn_whoever_asks_and_in_any_order():
    def turns(numbers):
        parts = [Numbered("one"), Numbered("two")]
        mix = Mix([(part, 1.0, None) for part in parts], seed=5)
        found = {}
        for number in numbers:
            before = [len(part.asked) for part in parts]
            mix.sample(number)
            which = 0 if len(parts[0].asked) > before[0] else 1
            found[number] = (which, parts[which].asked[-1])
        return found

    numbers = list(range(0, 300, 7))
    assert turns(numbers) == turns(reversed(numbers))


def test_a_source_s_own_masking_goes_with_its_samples():
    mine = MaskingConfig(ratio=(0.1, 0.2))
    mix = Mix([(Numbered("one"), 1.0, mine), (Numbered("two"), 1.0, None)], seed=0)
    seen = Counter(mix.sample(number).masking for number in range(100))
    assert set(seen) == {mine, None}


def test_a_configuration_of_before_reads_as_a_mix(tmp_path):
    config = TrainConfig(recipe="x", steps=1, sessions=(tmp_path / "a", tmp_path / "b"), synthetic=0.5)
    assert [(part.kind, part.weight) for part in config.sources] == [
        ("synthetic", 0.5),
        ("session", 0.25),
        ("session", 0.25),
    ]


def test_an_unknown_kind_names_those_that_there_are():
    with pytest.raises(DataError) as caught:
        opened(SourceConfig(kind="imagenet", path="/x"), 0, print)
    assert "taskonomy" in caught.value.hint


def test_a_source_without_a_folder_is_refused():
    with pytest.raises(DataError, match="no folder"):
        source_for(TrainConfig(recipe="x", steps=1, mix=(SourceConfig(kind="shards"),)))


def test_noise_is_gaussian_in_the_depth_and_leaves_holes():
    depth = np.full((200, 200), 4.0, np.float32)
    depth[:20] = 0
    noise = noisy(Sample(np.zeros((200, 200, 3), np.uint8), depth, depth), 0.01, np.random.default_rng(0))
    assert not noise[:20].any()
    assert noise[20:].std() == pytest.approx(0.04, rel=0.03)
    assert noise[20:].mean() == pytest.approx(4.0, abs=0.001)
