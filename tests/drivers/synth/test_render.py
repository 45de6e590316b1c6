import numpy as np
import pytest

from drivers.geometry import Intrinsics
from drivers.synth import textures
from drivers.synth.building import Builder
from drivers.synth.render import render
from drivers.synth.scene import ceiling_lamp, demo_scene, look_at, on_wall, random_pose, random_scene, shell
from drivers.synth.shapes import Material, vector

CAMERA = Intrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
GREY = (200.0, 200.0, 200.0)
EYE, AHEAD = vector((2, 1, 1.25)), vector((2, 4, 1.25))


@pytest.fixture
def room():
    builder = Builder(vector((4.0, 4.0, 2.5)), np.random.default_rng(0), texels_per_m=20)
    ceiling_lamp(builder, 2, 2, power=2, color=(255, 255, 255))
    shell(builder, ((textures.plain, GREY),) * 4, (textures.plain, GREY), GREY)
    return builder


def test_a_wall_that_is_faced_has_one_exact_depth(room):
    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA)

    np.testing.assert_allclose(view.depth_m[40:80, 60:100], 3.0, rtol=1e-5)


def test_a_wall_seen_at_an_angle_has_the_depth_of_its_plane(room):
    pose = look_at(EYE, vector((3.5, 4, 1.4)))

    view = render(room.scene(), pose, CAMERA)

    rows, columns = np.mgrid[50:70, 50:70]
    rays = np.stack([(columns - 79.5) / 115, (rows - 59.5) / 115, np.ones(rows.shape)], axis=-1)
    expected = (4.0 - EYE[1]) / (rays @ pose[1, :3])
    np.testing.assert_allclose(view.depth_m[50:70, 50:70], expected, rtol=1e-4)


def test_every_pixel_in_a_room_has_a_surface(room):
    view = render(room.scene(), look_at(EYE, vector((3.5, 3, 0.3))), CAMERA)

    assert view.depth_m.min() > 0


def test_a_ball_is_nearest_in_its_middle(room):
    room.ball((2.0, 2.0, 1.25), (0.3, 0.3, 0.3), textures.plain, GREY)

    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA)

    assert view.depth_m.min() == pytest.approx(0.7, abs=1e-3)


def test_a_cylinder_is_nearest_along_its_middle(room):
    room.round((2.0, 2.0, 0.8), 0.9, (0.2, 0.2), textures.plain, GREY, Material.MATTE)

    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA)

    assert view.depth_m[60, 79:81] == pytest.approx(0.8, abs=1e-3)


def test_the_depth_of_a_mirror_is_its_surface_and_beyond_lies_the_image(room):
    on_wall(
        room,
        2,
        1.5,
        0.75,
        (1.0, 1.0),
        textures.plain,
        GREY,
        Material.MIRROR,
        reflectivity=0.93,
        offset_m=0.04,
    )

    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA)

    assert view.material[60, 80] == Material.MIRROR
    assert view.depth_m[60, 80] == pytest.approx(2.96, rel=1e-4)
    assert 1 / view.beyond[60, 80] == pytest.approx(2.96 + 3.96, rel=1e-3)


def test_the_depth_of_glass_is_its_surface_and_beyond_lies_the_wall(room):
    room.round((2.0, 2.0, 0.8), 0.9, (0.2, 0.2), textures.plain, (240, 240, 240), Material.GLASS, lid=False)

    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA)

    assert view.material[60, 80] == Material.GLASS
    assert view.depth_m[60, 80] == pytest.approx(0.8, abs=1e-3)
    assert 1 / view.beyond[60, 80] == pytest.approx(3.0, rel=1e-3)


def test_what_stands_in_front_hides_what_is_behind(room):
    room.box((2.0, 2.0), 0.8, (0.4, 0.4, 0.9), textures.plain, GREY)

    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA)

    assert view.depth_m[60, 80] == pytest.approx(0.8, rel=1e-4)


def test_moving_things_move_and_others_stay():
    scene = demo_scene()
    pose = look_at(vector((2.2, 1.6, 1.5)), vector((2.35, 3.1, 0.95)))

    first, later = (render(scene, pose, CAMERA, t_s=t_s).depth_m for t_s in (0.0, 2.0))

    changed = np.abs(first - later) > 1e-3
    assert 0 < changed.mean() < 0.2


@pytest.mark.parametrize("size", [(4, 2), (2, 4), (30, 22), (64, 48)])
def test_any_even_size_can_be_rendered(room, size):
    view = render(room.scene(), look_at(EYE, AHEAD), CAMERA.scaled(*size))

    assert view.color.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_room_can_be_seen_from_inside(seed):
    rng = np.random.default_rng(seed)
    scene = random_scene(rng)

    for _ in range(3):
        view = render(scene, random_pose(scene, rng), CAMERA)

        assert (view.depth_m > 0).mean() > 0.99
        assert view.depth_m.max() < 12


def test_the_same_seed_builds_the_same_room():
    pictures = []
    for _ in range(2):
        rng = np.random.default_rng(11)
        scene = random_scene(rng)
        pictures.append(render(scene, random_pose(scene, rng), CAMERA).color)

    np.testing.assert_array_equal(*pictures)
