"""Hard rooms are measured badly, where real cameras are bad, and their truth stays the truth."""

import numpy as np
import pytest

from trainer.data import hardships
from trainer.data.synthetic import SyntheticSource


@pytest.fixture(scope="module")
def hard():
    source = SyntheticSource(3, width=160, height=120, hard=True)
    return [source.sample(number) for number in range(10)], source.sample(5)


def test_the_same_number_gives_the_same_sample(hard):
    samples, again = hard
    assert np.array_equal(again.depth_m, samples[5].depth_m)
    assert not np.array_equal(again.depth_m, samples[6].depth_m)


def test_holes_and_wrong_pixels_are_many_but_never_all(hard):
    holes = [(sample.depth_m == 0)[sample.target_m > 0].mean() for sample in hard[0]]
    assert max(holes) < 1
    assert np.mean(holes) > 0.15
    off = [
        (abs(sample.depth_m / np.maximum(sample.target_m, 1e-3) - 1) > 0.05)[
            (sample.depth_m > 0) & (sample.target_m > 0)
        ].mean()
        for sample in hard[0]
    ]
    assert 0.01 < np.mean(off) < 0.3


def test_bands_lie_beside_edges_and_nowhere_else():
    depth_m = np.full((60, 100), 2.0, np.float32)
    depth_m[:, :50] = 1.0
    for seed in range(5):
        lost = np.flatnonzero(hardships.bands(depth_m, np.random.default_rng(seed)).any(axis=0))
        assert lost.size
        assert abs(lost - 50).max() <= 14
    assert not hardships.bands(np.full((60, 100), 2.0, np.float32), np.random.default_rng(0)).any()


def test_a_lost_region_ends_where_its_colour_does():
    color = np.zeros((60, 100, 3), np.uint8)
    color[:, 50:] = 200
    for seed in range(5):
        lost = hardships.regions(color, np.random.default_rng(seed)) > 0
        sides = [lost[:, :46], lost[:, 54:]]
        assert all(side.all() or not side.any() for side in sides)
        assert any(side.all() for side in sides)
