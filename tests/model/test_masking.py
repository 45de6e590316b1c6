import torch

from model.masking import fill_patches, remap_depth, visible_tokens


def test_holes_and_exactly_one_metre_become_zero() -> None:
    depth = torch.tensor([0.0, -1.0, torch.nan, torch.inf, -torch.inf, 0.01, 1.0, torch.e])

    torch.testing.assert_close(remap_depth(depth, remap="log"), torch.tensor([0.0] * 7 + [1.0]))


def test_linear_keeps_metres() -> None:
    depth = torch.tensor([0.005, 0.5, 300.0])

    assert remap_depth(depth, remap="linear").tolist() == [0.0, 0.5, 300.0]


def test_a_token_is_visible_from_its_first_valid_pixel_on() -> None:
    depth = torch.zeros(1, 1, 28, 42)
    depth[0, 0, 13, 14] = 2.0
    depth[0, 0, 14, 41] = 201.0
    depth[0, 0, 27, 0] = -9.0

    assert visible_tokens(depth).tolist() == [[False, True, False, True, False, False]]


def test_holes_inside_a_patch_take_what_is_nearest_in_it() -> None:
    depth = torch.zeros(1, 1, 28, 28)
    depth[0, 0, :14, :4], depth[0, 0, :14, 10:14] = 0.5, 1.5  # two surfaces at the sides of the first patch
    depth[0, 0, 27, 14] = -0.7  # one pixel in the last one

    filled = fill_patches(depth)[0, 0]

    torch.testing.assert_close(filled[:14, 4:6], torch.full((14, 2), 0.5))
    torch.testing.assert_close(filled[:14, 8:10], torch.full((14, 2), 1.5))
    torch.testing.assert_close(filled[14:, 14:], torch.full((14, 14), -0.7))
    assert (filled[:14, 14:] == 0).all()
    assert (filled[14:, :14] == 0).all()


def test_what_was_measured_stays_and_the_same_tokens_are_visible() -> None:
    torch.manual_seed(0)
    depth = torch.randn(2, 1, 42, 56)
    depth[torch.rand_like(depth) < 0.9] = 0
    depth[:, :, :14, 14:28] = 0

    filled = fill_patches(depth)

    assert torch.equal(filled[depth != 0], depth[depth != 0])
    assert torch.equal(visible_tokens(filled), visible_tokens(depth))
