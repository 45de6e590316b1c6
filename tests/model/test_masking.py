import torch

from model.masking import remap_depth, visible_tokens


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
