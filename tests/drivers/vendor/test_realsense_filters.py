"""The real SDK's processing blocks on our depth."""

import numpy as np
import pytest

from drivers.cameras import realsense
from drivers.depth import DepthMap
from drivers.geometry import Calibration, Intrinsics
from drivers.vendor.realsense_filters import STEPS, DepthFilters

LENS = Intrinsics(64, 48, 60.0, 60.0, 31.5, 23.5)
CALIBRATION = Calibration(LENS, LENS, baseline_m=0.05)


@pytest.fixture
def make():
    state = realsense.SDK.state()
    if not state.ready:
        pytest.skip(f"{state.text} {state.fix}")
    made = []

    def build(*steps, unit_m=0.001):
        made.append(DepthFilters(realsense.SDK.require(), CALIBRATION, unit_m, steps))
        return made[-1]

    yield build
    for filters in made:
        filters.close()


def wall(counts=1000, *, noise=0, hole=None, seed=0):
    values = np.full((48, 64), counts, np.float64)
    values += np.random.default_rng(seed).normal(0, noise, values.shape) if noise else 0
    values = values.round().astype(np.uint16)
    if hole is not None:
        values[hole] = 0
    return DepthMap(values, 0.001)


def test_without_a_step_depth_comes_back_as_it_is(make):
    depth, lens = make().filtered(wall(noise=5))

    assert np.array_equal(depth.values, wall(noise=5).values)
    assert lens == LENS


def test_decimation_halves_the_grid_over_the_same_field_of_view(make):
    depth, lens = make("decimation").filtered(wall())

    assert depth.values.shape == (24, 32)
    assert (depth.values == 1000).all()
    assert lens.fx == 30.0


def test_spatial_smooths(make):
    noisy = wall(noise=12)

    depth, _ = make("spatial").filtered(noisy)

    inside = np.s_[8:-8, 8:-8]
    assert depth.values[inside].std() < 0.6 * noisy.values[inside].std()
    assert abs(np.median(depth.values[inside]) - 1000) <= 3


def test_temporal_averages_over_frames(make):
    filters = make("temporal")

    for number in range(20):
        depth, _ = filters.filtered(wall(noise=8, seed=number))

    assert depth.values.std() < 0.7 * wall(noise=8, seed=19).values.std()


def test_hole_filling_fills(make):
    hole = np.s_[20:24, 30:34]

    depth, _ = make("hole filling").filtered(wall(hole=hole))

    assert (depth.values[hole] == 1000).all()


def test_all_together_in_the_vendors_order(make):
    depth, _ = make(*reversed(STEPS)).filtered(wall(noise=5, hole=np.s_[20:24, 30:34]))

    assert depth.values.shape == (24, 32)
    assert (depth.values > 0).all()
    assert abs(np.median(depth.values) - 1000) <= 3


def test_another_unit_is_kept(make):
    depth, _ = make("decimation", unit_m=0.0001).filtered(DepthMap(wall(10000).values, 0.0001))

    assert depth.unit_m == 0.0001
    assert (depth.values == 10000).all()


def test_the_frame_itself_is_not_touched(make):
    raw = wall(noise=5)
    before = raw.values.copy()
    filters = make(*STEPS)
    for _ in range(3):
        filters.filtered(raw)

    assert np.array_equal(raw.values, before)
