import numpy as np
import pytest
import torch

from drivers.geometry import Intrinsics
from drivers.synth.render import render
from drivers.synth.scene import camera_path
from drivers.synth.shapes import Material
from trainer.simulation.sensors import MIX, Setup, read
from trainer.simulation.tensors.chance import generators, lumps
from trainer.simulation.tensors.sensors import measured
from trainer.simulation.tensors.upload import uploaded
from trainer.simulation.tensors.view import rendered

CAMERA = Intrinsics(224, 168, 175.0, 175.0, 111.5, 83.5)
MATCHED = (126, 168)
CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def room(demo_room):
    scene, pose = demo_room, camera_path(demo_room, 0.0)
    there = uploaded(scene, CPU)
    poses = torch.tensor(pose, dtype=torch.float32)[None]
    camera = torch.tensor([[CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy]])
    return scene, pose, render(scene, pose, CAMERA), there, poses, rendered(there, poses, camera, (168, 224))


def sensed(room, setup, seed=0):
    _, _, _, there, poses, view = room
    return measured([there], poses, view, [setup], generators([seed], CPU), size=MATCHED)[0].numpy()


@pytest.mark.parametrize(
    ("name", "shift_m"), [*((name, (0.0, 0.0)) for name in MIX), ("active dense", (0.04, 0.0))]
)
def test_every_sensor_fails_and_measures_as_the_one_without_tensors(room, name, shift_m):
    scene, pose, drawn, *_ = room
    setup = Setup(name, 0.1, shift_m=shift_m)
    theirs = read(scene, pose, drawn, setup, np.random.default_rng(0), matched=MATCHED[::-1]).depth.metres
    ours = sensed(room, setup)

    assert (ours == 0).mean() == pytest.approx((theirs == 0).mean(), abs=0.08)
    plain = (drawn.material == Material.MATTE) & (drawn.depth_m > 0)
    off = [
        np.median(np.abs(depth - drawn.depth_m)[plain & (depth > 0)] / drawn.depth_m[plain & (depth > 0)])
        for depth in (theirs, ours)
    ]
    assert off[1] < max(1.5 * off[0], 0.01)


def test_depth_is_in_whole_millimetres_and_in_the_sensor_s_range(room):
    depth = sensed(room, Setup("structured light", 0.075))
    counts = depth[depth > 0] * 1000
    assert np.abs(counts - np.rint(counts)).max() < 0.01
    assert 200 < counts.min() < counts.max() < 6000


def test_the_same_seed_measures_the_same_and_another_does_not(room):
    setup = Setup("time of flight", 0.1)
    first, same, other = (sensed(room, setup, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert (first != other).mean() > 0.3


def test_lumps_are_evenly_spread_and_have_the_size_that_was_asked_for():
    fields = lumps(generators([0, 1], CPU), (200, 200), torch.tensor([6.0, 18.0]))
    for field in fields:
        assert field.mean().item() == pytest.approx(0.5, abs=0.06)
        assert (field < 0.1).float().mean().item() == pytest.approx(0.1, abs=0.05)
    # Neighbours six pixels apart have less in common where lumps are small.
    alike = [np.corrcoef(field[:, :-6].flatten(), field[:, 6:].flatten())[0, 1] for field in fields.numpy()]
    assert alike[1] > alike[0] + 0.2
