"""The real SDK's filters on frames of a recording that the real SDK plays."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cameras"))
from orbbec_bag import HEIGHT, WIDTH, scene, write

from drivers.cameras import orbbec
from drivers.depth import DepthMap
from drivers.registry import depth_filters
from drivers.vendor.orbbec_filters import STEPS

if not (_state := orbbec.SDK.state()).ready:
    pytest.skip(f"{_state.text} {_state.fix}", allow_module_level=True)


@pytest.fixture
def camera(tmp_path):
    path = tmp_path / "gemini.bag"
    write(path, frames=30)
    with orbbec.recording(path) as camera:
        yield camera


@pytest.fixture
def frame(camera):
    return read(camera)


@pytest.fixture
def make(camera, frame):
    made = []

    def build(*steps):
        made.append(depth_filters(camera, frame, steps))
        return made[-1]

    yield build
    for filters in made:
        filters.close()


def read(camera):
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        if frame := camera.read(timeout_s=0.5):
            return frame
    raise AssertionError("no frame in twenty seconds")


def wall(*, noise=0, hole=None, seed=0):
    values = np.full((HEIGHT, WIDTH), 1000, np.float64)
    values += np.random.default_rng(seed).normal(0, noise, values.shape) if noise else 0
    values = values.round().astype(np.uint16)
    if hole is not None:
        values[hole] = 0
    return DepthMap(values, 0.001)


def test_noise_removal_takes_the_speck_of_a_recorded_frame_away(make, frame):
    assert frame.depth.values[20, 30] == 4000

    depth, lens = make("orbbec noise removal").filtered(frame.depth)

    assert depth.values[20, 30] != 4000
    elsewhere = np.ones(depth.values.shape, bool)
    elsewhere[20, 30] = False
    assert np.array_equal(depth.values[elsewhere], frame.depth.values[elsewhere])
    assert lens == frame.calibration.depth


def test_decimation_halves_the_grid_over_the_same_field_of_view(make, frame):
    depth, lens = make("orbbec decimation").filtered(wall())

    assert depth.values.shape == (HEIGHT // 2, WIDTH // 2)
    assert (depth.values == 1000).all()
    assert lens.fx == frame.calibration.depth.fx / 2


def test_spatial_smooths(make):
    noisy = wall(noise=12)

    depth, _ = make("orbbec spatial").filtered(noisy)

    inside = np.s_[8:-8, 8:-8]
    assert depth.values[inside].std() < 0.8 * noisy.values[inside].std()
    assert abs(np.median(depth.values[inside]) - 1000) <= 3


def test_temporal_averages_over_frames(make):
    filters = make("orbbec temporal")

    for number in range(20):
        depth, _ = filters.filtered(wall(noise=8, seed=number))

    assert depth.values.std() < 0.7 * wall(noise=8, seed=19).values.std()


def test_hole_filling_fills(make):
    hole = np.s_[20:24, 30:34]

    depth, _ = make("orbbec hole filling").filtered(wall(hole=hole))

    assert (depth.values[hole] == 1000).all()


def test_all_together_and_what_the_camera_gives_stays_as_it_was_measured(camera, make, frame):
    filters = make(*reversed(STEPS))
    for _ in range(5):
        depth, _ = filters.filtered(frame.depth)
        assert depth.values.shape == (HEIGHT // 2, WIDTH // 2)
        frame = read(camera)
        assert np.array_equal(frame.depth.values, scene(frame.index % 30)["depth"])


def test_filters_outlive_the_camera_and_new_ones_are_refused_without_ending_the_process(tmp_path):
    """In a process of its own, in which no other device keeps the library's filters lent."""
    path = tmp_path / "gemini.bag"
    write(path)
    code = f"""
import gc, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from drivers.cameras import orbbec
from drivers.errors import CameraError
from test_orbbec_filters import read, wall
camera = orbbec.recording(Path({str(path)!r}))
with camera:
    read(camera)
    filters = camera.own_filters(0.001, ["orbbec spatial"])
gc.collect()
print(filters.filtered(wall())[0].values.shape)
filters.close()
del filters
gc.collect()
try:
    camera.own_filters(0.001, ["orbbec spatial"])
except CameraError as error:
    print("refused:", error, error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert f"({HEIGHT}, {WIDTH})" in done.stdout
    assert "refused: Orbbec's filters are not to be had" in done.stdout
