import numpy as np
import pytest
import torch

from trainer.simulation import processor
from trainer.simulation.tensors import processor as on_tensors

HEIGHT, WIDTH = 40, 90
FAR_PX, NEAR_PX, LEFT, RIGHT = 4.0, 16.0, 40, 70
"""An object from column 40 to 70 before a wall."""


def object_before_wall():
    disparity = np.full((HEIGHT, WIDTH), FAR_PX, np.float32)
    disparity[:, LEFT:RIGHT] = NEAR_PX
    return disparity


def test_what_only_the_left_camera_sees_beside_a_near_object_is_dropped():
    kept = processor.seen_by_both(object_before_wall()) > 0
    # The object lies at columns 24 to 54 of the right picture, and so does the wall from columns 28 to 58.
    hidden = np.zeros(WIDTH, bool)
    hidden[LEFT - int(NEAR_PX - FAR_PX) : LEFT] = True
    np.testing.assert_array_equal(kept, np.tile(~hidden, (HEIGHT, 1)))


def test_the_wall_that_both_cameras_see_past_a_thin_object_is_kept():
    disparity = np.full((HEIGHT, WIDTH), FAR_PX, np.float32)
    disparity[:, 60:63] = NEAR_PX
    dropped = np.flatnonzero((processor.seen_by_both(disparity) == 0)[0])
    assert dropped.tolist() == [48, 49, 50]


@pytest.mark.parametrize("reach_px", [1, 2])
def test_a_rim_is_dropped_as_far_as_a_block_reaches(reach_px):
    dropped = np.flatnonzero((processor.without_rims(object_before_wall(), reach_px) == 0)[0])
    rims = [edge + k for edge in (LEFT, RIGHT) for k in range(-reach_px, reach_px)]
    assert dropped.tolist() == rims


def test_a_steep_slant_has_no_rims_however_far_a_block_reaches():
    slant = np.tile(np.linspace(8, 40, WIDTH, dtype=np.float32), (HEIGHT, 1))
    np.testing.assert_array_equal(processor.without_rims(slant, 4), slant)


@pytest.mark.parametrize("nearest_px", [6, 60])
def test_a_slanted_surface_in_stairs_has_no_rims(nearest_px):
    stairs = np.floor(np.linspace(nearest_px, 0.7 * nearest_px, WIDTH, dtype=np.float32))
    surface = np.tile(stairs, (HEIGHT, 1))
    np.testing.assert_array_equal(processor.without_rims(surface, 2), surface)


def test_holes_are_no_step():
    disparity = np.full((HEIGHT, WIDTH), 20, np.float32)
    disparity[10:20, 10:20] = 0
    np.testing.assert_array_equal(processor.without_rims(disparity, 2), disparity)


def test_evening_out_tells_apart_what_lies_between_two_steps_and_leaves_edges():
    sixteenths = np.round(np.tile(np.linspace(5, 6, WIDTH, dtype=np.float32), (HEIGHT, 1)) * 16) / 16
    assert len(np.unique(processor.evened(sixteenths))) > 2 * len(np.unique(sixteenths))
    edge = object_before_wall()
    np.testing.assert_allclose(processor.evened(edge), edge, atol=1e-5)


def test_tensors_are_processed_alike():
    rng = np.random.default_rng(0)
    disparity = object_before_wall() + rng.integers(0, 24, (HEIGHT, WIDTH)).astype(np.float32) / 16
    disparity[rng.random((HEIGHT, WIDTH)) < 0.02] = 0
    there = torch.from_numpy(disparity)[None]
    for theirs, ours in (
        (on_tensors.seen_by_both(there), processor.seen_by_both(disparity)),
        (on_tensors.without_rims(there, 2), processor.without_rims(disparity, 2)),
    ):
        np.testing.assert_array_equal(theirs[0].numpy(), ours)
    np.testing.assert_allclose(on_tensors.evened(there)[0].numpy(), processor.evened(disparity), atol=1e-5)
