import cv2
import numpy as np
import pytest

from drivers.geometry import Intrinsics
from drivers.synth.render import render
from drivers.synth.scene import camera_path
from drivers.synth.shapes import Material
from trainer.data.synthetic import SyntheticSource
from trainer.simulation.sensors import MIX, Setup, chosen, random_setup, read

CAMERA = Intrinsics(320, 240, 230.0, 230.0, 159.5, 119.5)
MATCHED = (240, 180)


@pytest.fixture(scope="module")
def room(demo_room):
    pose = camera_path(demo_room, 0.0)
    return demo_room, pose, render(demo_room, pose, CAMERA)


@pytest.mark.parametrize("name", MIX)
@pytest.mark.parametrize("matched", [None, MATCHED])
def test_a_sensor_beside_the_colour_camera_is_registered_to_it(room, name, matched):
    scene, pose, view = room
    setup = Setup(name, 0.12, shift_m=(0.05, 0.0))

    depth = read(scene, pose, view, setup, np.random.default_rng(0), matched=matched).depth.metres

    plain = (view.material == Material.MATTE) & (depth > 0)
    # Of 0.05 m aside, colour and depth of the counter would be 8 px apart.
    assert plain.mean() > 0.08
    assert np.median(np.abs(depth - view.depth_m)[plain] / view.depth_m[plain]) < 0.05


def test_a_sensor_aside_leaves_shadows_along_edges_that_one_in_the_same_place_has_not(room):
    scene, pose, view = room
    depth = []
    for shift in ((0.0, 0.0), (0.06, 0.0)):
        setup = Setup("time of flight", 0.02, shift_m=shift, zoom=0.9)
        depth.append(read(scene, pose, view, setup, np.random.default_rng(0), matched=None).depth.values)
    near, far = (cv2.dilate(view.inverse_depth, np.ones((1, 2 * n + 1))) for n in (10, 0))
    beside = (near > 1.15 * far) & (view.material == Material.MATTE)
    own, aside = ((each[beside] == 0).mean() for each in depth)
    assert aside > 1.3 * own > 0


def test_sensors_are_drawn_by_their_shares():
    rng = np.random.default_rng(0)
    drawn = [chosen(MIX, rng) for _ in range(2000)]
    for name, share in MIX.items():
        assert drawn.count(name) / 2000 == pytest.approx(share, abs=0.04)


def test_a_projector_stands_as_far_as_projectors_do_and_the_rest_as_the_report_says():
    rng = np.random.default_rng(0)
    for name in MIX:
        setups = [random_setup(name, rng, apart=0.5) for _ in range(60)]
        low, high = (0.05, 0.09) if name == "structured light" else (0.05, 0.2)
        assert all(low <= setup.baseline_m <= high for setup in setups)
        assert 10 < sum(setup.apart for setup in setups) < 50


def test_the_trainer_s_rooms_are_the_same_for_the_same_number():
    first, second = (SyntheticSource(0, width=128, height=96).sample(5) for _ in range(2))
    np.testing.assert_array_equal(first.depth_m, second.depth_m)
    np.testing.assert_array_equal(first.color, second.color)
