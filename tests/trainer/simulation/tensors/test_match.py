import cv2
import numpy as np
import pytest
import torch

from drivers.geometry import Intrinsics
from drivers.synth.render import render
from drivers.synth.scene import camera_path
from trainer.simulation.stereo import MATCHERS, infrared_pair, match
from trainer.simulation.tensors.match import _patch_px, matched

CAMERA = Intrinsics(240, 180, 190.0, 190.0, 119.5, 89.5)
BASELINE_M = 0.08
MOST_PX = 48


pytestmark = pytest.mark.usefixtures("one_thread")


def tensor(picture):
    return torch.tensor(picture)[None].float()


@pytest.fixture(scope="module")
def room(demo_room):
    pose, beside = camera_path(demo_room, 0.0), np.eye(4)
    beside[0, 3] = BASELINE_M
    return render(demo_room, pose, CAMERA), render(demo_room, pose @ beside, CAMERA)


@pytest.mark.parametrize("name", MATCHERS)
def test_it_agrees_with_opencv(room, name):
    matcher = MATCHERS[name]
    rng = np.random.default_rng(0)
    pair = infrared_pair(*room, baseline_m=BASELINE_M, projector=matcher.projector, power=1.0, rng=rng)
    theirs = match(*pair, matcher, most_px=MOST_PX)
    ours = matched(*(tensor(picture) for picture in pair), matcher, most_px=MOST_PX)[0].numpy()

    either, both = (theirs > 0) | (ours > 0), (theirs > 0) & (ours > 0)
    apart = np.abs(theirs - ours)[both]
    # Measured, the least: 0.985 valid in both or neither, 0.997 within one pixel, 0.75 of the holes.
    assert ((theirs > 0) == (ours > 0)).mean() > 0.97
    assert both.sum() > 0.85 * either.sum()
    assert ((theirs <= 0) & (ours <= 0)).sum() > 0.67 * (~both).sum()
    assert np.median(apart) <= 0.125
    assert (apart <= 1).mean() > 0.98


def test_a_picture_that_is_moved_by_seven_pixels_has_a_disparity_of_seven():
    grain = np.random.default_rng(0).integers(0, 256, (60, 120), np.uint8)
    left, right = (cv2.GaussianBlur(grain, (3, 3), 0)[:, at : at + 100] for at in (0, 7))
    found = matched(tensor(left), tensor(right), MATCHERS["active"], most_px=16)[0]
    inside = found[5:-5, 25:-5]
    assert (inside > 0).float().mean() > 0.99
    assert (inside[inside > 0] - 7).abs().median() < 0.1


def test_a_pair_s_answer_does_not_depend_on_its_neighbours(room):
    rng = np.random.default_rng(0)
    pairs = [
        infrared_pair(*room, baseline_m=BASELINE_M, projector=on, power=1.0, rng=rng) for on in (True, False)
    ]
    left, right = (torch.cat([tensor(pair[side]) for pair in pairs]) for side in (0, 1))
    both = matched(left, right, MATCHERS["active"], most_px=16)
    for k in range(2):
        alone = matched(left[k : k + 1], right[k : k + 1], MATCHERS["active"], most_px=16)[0]
        assert torch.equal(alone, both[k])


def test_patches_are_as_large_as_opencv_says():
    rng = np.random.default_rng(0)
    field = cv2.GaussianBlur(rng.random((60, 80), np.float32), (0, 0), 2.0)
    inside = field > np.median(field)
    stats = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    expected = np.where(inside, stats[2][stats[1], cv2.CC_STAT_AREA], 0)
    np.testing.assert_array_equal(_patch_px(tensor(inside.astype(np.float32)))[0].numpy(), expected)
