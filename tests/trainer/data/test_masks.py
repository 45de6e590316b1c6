import numpy as np
import pytest

from trainer.config import MaskingConfig
from trainer.data.masks import hide_blocks, keep_tokens, valid_share

REPORT = MaskingConfig()


def rng(seed=0):
    return np.random.default_rng(seed)


def test_share_of_valid_pixels_is_counted_per_cell_row_by_row():
    depth = np.zeros((4, 6), np.float32)
    depth[:2, 2:4] = 1.0
    depth[2, 0] = 1.0
    assert valid_share(depth, 2, 3).tolist() == [0, 1, 0, 0.25, 0, 0]


def test_patches_without_depth_are_never_shown():
    share = np.zeros(200, np.float32)
    share[::2] = 1
    keep = keep_tokens(share, MaskingConfig(ratio=(0.0, 0.0)), rng())
    assert keep[::2].all()
    assert not keep[1::2].any()


def test_mixed_patches_are_hidden_three_times_of_four():
    share = np.full(20_000, 0.5, np.float32)
    keep = keep_tokens(share, MaskingConfig(ratio=(0.0, 0.0)), rng())
    assert 1 - keep.mean() == pytest.approx(0.75, abs=0.02)


def test_whole_patches_join_until_the_ratio_is_reached():
    hidden = [1 - keep_tokens(np.ones(1000, np.float32), REPORT, rng(seed)).mean() for seed in range(200)]
    assert min(hidden) >= 0.6 - 1e-3
    assert max(hidden) <= 0.9 + 1e-3
    assert np.mean(hidden) == pytest.approx(0.75, abs=0.02)


def test_natural_holes_beyond_the_ratio_hide_nothing_more():
    share = np.zeros(100, np.float32)
    share[:5] = 1
    assert keep_tokens(share, REPORT, rng()).sum() == 5


def test_one_token_stays_where_there_is_depth():
    share = np.full(10, 0.5, np.float32)
    always = MaskingConfig(mixed_probability=1.0)
    assert all(keep_tokens(share, always, rng(seed)).sum() == 1 for seed in range(20))
    assert keep_tokens(np.zeros(10, np.float32), always, rng()).sum() == 0


def test_hidden_blocks_cover_the_share_and_only_measured_pixels():
    depth = np.ones((60, 80), np.float32)
    depth[:, :10] = 0
    hidden = hide_blocks(depth, rng(), share=0.3)
    assert not hidden[:, :10].any()
    assert 0.2 < hidden.mean() < 0.5
