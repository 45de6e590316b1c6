import numpy as np
import pytest
import torch

from trainer.config import AugmentConfig, MaskingConfig
from trainer.data.draws import draw
from trainer.data.hidden_blocks import hide_blocks
from trainer.data.masks import keep_tokens, valid_share

REPORT = MaskingConfig()


def kept(share, config, seeds=(0,)):
    """(len(seeds), N) bool for the same shares under other draws."""
    share = np.asarray(share, np.float32)
    draws = [draw(np.random.default_rng(seed), AugmentConfig(), config, tokens=share.size) for seed in seeds]
    return keep_tokens(torch.from_numpy(share).expand(len(draws), -1), draws).numpy()


def test_share_of_valid_pixels_is_counted_per_cell_row_by_row():
    depth = torch.zeros(1, 4, 6)
    depth[0, :2, 2:4] = 1.0
    depth[0, 2, 0] = 1.0
    assert valid_share(depth, 2, 3).tolist() == [[0, 1, 0, 0.25, 0, 0]]


def test_patches_without_depth_are_never_shown():
    share = np.zeros(200, np.float32)
    share[::2] = 1
    (keep,) = kept(share, MaskingConfig(ratio=(0.0, 0.0)))
    assert keep[::2].all()
    assert not keep[1::2].any()


def test_mixed_patches_are_hidden_three_times_of_four():
    (keep,) = kept(np.full(20_000, 0.5), MaskingConfig(ratio=(0.0, 0.0)))
    assert 1 - keep.mean() == pytest.approx(0.75, abs=0.02)


def test_whole_patches_join_until_the_ratio_is_reached():
    hidden = 1 - kept(np.ones(1000), REPORT, range(200)).mean(1)
    assert hidden.min() >= 0.6 - 1e-3
    assert hidden.max() <= 0.9 + 1e-3
    assert hidden.mean() == pytest.approx(0.75, abs=0.02)


def test_each_sample_of_a_batch_has_its_own_ratio_to_the_token():
    config = MaskingConfig(ratio=(0.6, 0.9))
    draws = [draw(np.random.default_rng(seed), AugmentConfig(), config, tokens=500) for seed in range(8)]
    keep = keep_tokens(torch.ones(8, 500), draws)
    assert (~keep).sum(1).tolist() == [round(each.ratio * 500) for each in draws]


def test_natural_holes_beyond_the_ratio_hide_nothing_more():
    share = np.zeros(100, np.float32)
    share[:5] = 1
    assert kept(share, REPORT).sum() == 5


def test_natural_samples_hide_only_what_has_no_depth():
    share = np.array([0, 0.1, 0.5, 1] * 50, np.float32)
    keep = kept(share, MaskingConfig(natural=1.0), range(5))
    assert (keep == (share > 0)).all()


def test_random_masks_hide_as_many_tokens_as_natural_ones_but_anywhere():
    share = np.zeros(400, np.float32)
    share[:100] = 1
    natural = kept(share, MaskingConfig(ratio=(0.0, 0.0)), range(50))
    anywhere = kept(share, MaskingConfig(ratio=(0.0, 0.0), masks="random"), range(50))
    assert (natural.sum(1) == anywhere.sum(1)).all()
    assert anywhere[:, :100].mean() == pytest.approx(anywhere[:, 100:].mean(), abs=0.03)


def test_monocular_samples_show_no_depth_at_all():
    assert not kept(np.ones(100), MaskingConfig(natural=1.0, masks="all"), range(3)).any()


def test_one_token_stays_where_there_is_depth():
    always = MaskingConfig(mixed_probability=1.0)
    assert (kept(np.full(10, 0.5), always, range(20)).sum(1) == 1).all()
    assert kept(np.zeros(10), always).sum() == 0


def test_whole_patches_are_hidden_evenly_over_the_image():
    hidden = 1 - kept(np.ones(50), REPORT, range(2000)).mean(0)
    assert hidden.min() > 0.7
    assert hidden.max() < 0.8


def test_hidden_blocks_cover_the_share_and_only_measured_pixels():
    depth = np.ones((60, 80), np.float32)
    depth[:, :10] = 0
    hidden = hide_blocks(depth, np.random.default_rng(0), share=0.3)
    assert not hidden[:, :10].any()
    assert 0.2 < hidden.mean() < 0.5
