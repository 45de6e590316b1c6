import numpy as np
import pytest
import torch

from drivers.geometry import Intrinsics
from drivers.synth.render import render
from drivers.synth.scene import camera_path, random_pose
from drivers.synth.shapes import SQUARE, Material, Panel, Scene, texture, vector
from trainer.simulation.tensors.upload import uploaded
from trainer.simulation.tensors.view import rendered, rendered_in

SIZE = (168, 224)
CAMERA = Intrinsics(224, 168, 175.0, 175.0, 111.5, 83.5)
CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


def cast(scene, poses):
    camera = torch.tensor([[CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy]] * len(poses))
    return rendered(uploaded(scene, CPU), torch.tensor(np.array(poses), dtype=torch.float32), camera, SIZE)


@pytest.fixture(scope="module")
def scenes(demo_room, random_room):
    return demo_room, random_room


@pytest.fixture(scope="module")
def both(scenes):
    """Pairs of a view that was drawn and the same one cast."""
    rng = np.random.default_rng(1)
    pairs = []
    for scene in scenes:
        poses = [camera_path(scene, 0.0), random_pose(scene, rng)]
        view = cast(scene, poses)
        pairs += [
            (render(scene, pose, CAMERA), view.picked(torch.tensor([k]))) for k, pose in enumerate(poses)
        ]
    return pairs


def test_depth_is_that_of_the_drawn_view_within_a_millimetre(both):
    for drawn, view in both:
        apart = np.abs(view.depth_m[0].numpy() - drawn.depth_m)
        # The rest lies on silhouettes, where a pixel belongs to either side.
        assert (apart < 0.001).mean() > 0.99
        assert (view.material[0].numpy() == drawn.material).mean() > 0.99


def test_colours_are_those_of_the_drawn_view(both):
    for drawn, view in both:
        apart = np.abs(view.color[0].permute(1, 2, 0).numpy() - drawn.color).max(axis=-1)
        # Blurred reflections are cast in every fourth pixel and drawn in another way: 8 of 255 grey levels.
        assert np.median(apart) <= 2
        assert (apart <= 8).mean() > 0.93


def test_what_is_seen_through_glass_and_in_mirrors_is_as_far_as_drawn(both):
    apart, there = [], []
    for drawn, view in both:
        clear = np.isin(drawn.material, [Material.GLASS, Material.MIRROR])
        beyond, theirs = view.beyond[0].numpy()[clear], drawn.beyond[clear]
        apart.append(np.abs(beyond - theirs) / np.maximum(theirs, 1e-3))
        there.append(clear.mean())
    apart = np.concatenate(apart)
    assert max(there) > 0.03
    assert np.median(apart) < 0.01
    assert (apart < 0.05).mean() > 0.85


def test_a_wall_is_where_geometry_puts_it_and_a_mirror_shows_what_is_behind_the_camera():
    paint = texture(np.full((16, 16, 3), 100, np.uint8))
    wall = Panel(vector((-5, 3, 5)), vector((10, 0, 0)), vector((0, 0, -10)), SQUARE, paint, Material.MATTE)
    mirror = Panel(vector((-1, 2, 1)), vector((2, 0, 0)), vector((0, 0, -2)), SQUARE, paint, Material.MIRROR,
                   reflectivity=0.9)  # fmt: skip
    bright = texture(np.full((16, 16, 3), 200, np.uint8))
    back = Panel(vector((5, -4, 5)), vector((-10, 0, 0)), vector((0, 0, -10)), SQUARE, bright, Material.MATTE)
    none = np.zeros((0, 2, 3))
    scene = Scene((wall, mirror, back), (), (), vector((9, 9, 9)), np.zeros((1, 3)), none, np.zeros(3))
    pose = np.eye(4)  # at the origin, along +y
    pose[:3, :3] = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]).T
    view = cast(scene, [pose])
    assert view.depth_m[0, 84, 112].item() == pytest.approx(2.0, abs=1e-5)
    assert view.depth_m[0, 2, 2].item() == pytest.approx(3.0, abs=1e-5)
    # 2 m to the mirror and 6 m from there to the wall behind the camera.
    assert 1 / view.beyond[0, 84, 112].item() == pytest.approx(8.0, abs=1e-3)
    assert view.color[0, 0, 84, 112].item() == pytest.approx(0.9 * 200 + 0.1 * 100, abs=1)


def test_views_of_several_rooms_at_once_are_those_of_each_alone(scenes):
    rng = np.random.default_rng(4)
    rooms = [uploaded(scene, CPU) for scene in scenes]
    order = [0, 1, 0]
    pose = torch.tensor(np.array([random_pose(scenes[k], rng) for k in order]), dtype=torch.float32)
    camera = torch.tensor([[60.0 + 5 * k, 60.0 + 5 * k, 39.5, 29.5] for k in range(3)])
    together = rendered_in([rooms[k] for k in order], pose, camera, (60, 80))
    for k in range(3):
        alone = rendered(rooms[order[k]], pose[k : k + 1], camera[k : k + 1], (60, 80))
        apart = (together.depth_m[k] - alone.depth_m[0]).abs()
        assert (apart < 1e-3).float().mean() > 0.999
        assert (together.color[k] - alone.color[0]).abs().median() == 0
