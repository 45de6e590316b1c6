import numpy as np
import pytest

from app.flow.hiding import hidden_pixels, patch_grid, without_hidden
from drivers.depth import DepthMap


@pytest.mark.parametrize(
    ("tokens", "height", "width"), [(192, 480, 640), (1200, 720, 1280), (3600, 1080, 1920)]
)
def test_the_patches_are_those_of_the_network(tokens, height, width):
    from model.mdm import token_grid

    assert patch_grid(tokens, height=height, width=width) == token_grid(tokens, height=height, width=width)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_the_share_is_that_of_all_patches(share):
    hidden = hidden_pixels(480, 640, share, 192)  # 12 x 16 patches of 40 x 40 pixels
    assert hidden.mean() == pytest.approx(share)
    patches = hidden.reshape(12, 40, 16, 40)
    assert (patches.all(axis=(1, 3)) == patches.any(axis=(1, 3))).all()


def test_more_hides_the_same_patches_and_others():
    some, more = hidden_pixels(480, 640, 0.3, 192), hidden_pixels(480, 640, 0.6, 192)
    assert (more[some]).all()


def test_hidden_depth_is_a_hole_and_the_rest_is_as_it_was():
    depth = DepthMap(np.full((480, 640), 900, np.uint16), 0.001)
    shown = without_hidden(depth, 0.5, 192)
    hidden = hidden_pixels(480, 640, 0.5, 192)
    assert not shown.values[hidden].any()
    assert (shown.values[~hidden] == 900).all()
    assert (depth.values == 900).all()
    assert without_hidden(depth, 0.0, 192) is depth
