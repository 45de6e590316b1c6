"""With Mitsuba and LLVM 19 only: pip install .[render]; apt install libllvm19. Skipped where they lack."""

import numpy as np
import pytest

from drivers.geometry import Intrinsics
from drivers.synth import textures
from drivers.synth.building import Builder
from drivers.synth.render import render
from drivers.synth.scene import ceiling_lamp, demo_scene, look_at, on_wall, shell
from drivers.synth.shapes import Material, Sun, vector
from trainer.data.shard_writer import shard_path
from trainer.data.shards import Shards
from trainer.errors import TrainingError
from trainer.synth.make import make_shard, stored_sample
from trainer.synth.physical.library import load
from trainer.synth.plan import SynthPlan

CAMERA = Intrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
GREY = (200.0, 200.0, 200.0)
EYE, AHEAD = vector((2, 1, 1.25)), vector((2, 4, 1.25))


@pytest.fixture(scope="module")
def physical():
    try:
        load()
    except TrainingError as error:
        pytest.skip(f"{error} {error.hint}")
    from trainer.synth.physical import renderer

    return renderer


def room():
    builder = Builder(vector((4.0, 4.0, 2.5)), np.random.default_rng(0), texels_per_m=20)
    ceiling_lamp(builder, 2, 2, power=2, color=(255, 255, 255))
    shell(builder, ((textures.plain, GREY),) * 4, (textures.plain, GREY), GREY)
    return builder


def mirror(builder):
    """A square metre of it ahead, 4 cm before the wall."""
    place = {"reflectivity": 0.93, "offset_m": 0.04}
    on_wall(builder, 2, 1.5, 0.75, (1.0, 1.0), textures.plain, GREY, Material.MIRROR, **place)


def seen(physical, scene, *, paths=4, camera=CAMERA, pose=None):
    return physical.view(scene, look_at(EYE, AHEAD) if pose is None else pose, camera, paths=paths)


def test_both_renderers_see_the_same_first_surfaces(physical, monkeypatch):
    monkeypatch.setattr(Builder, "_lit", lambda _self, pixels, *_places, **_how: pixels)
    scene = demo_scene()
    pose = look_at(vector((2.2, 1.6, 1.5)), vector((2.2, 3.2, 1.0)))
    drawn, followed = render(scene, pose, CAMERA), seen(physical, scene, pose=pose, paths=1)

    assert (np.abs(drawn.depth_m - followed.depth_m) < 1e-3).mean() > 0.985
    assert (drawn.material == followed.material).mean() > 0.985
    assert {Material.GLASS, Material.MIRROR, Material.METAL} <= set(np.unique(followed.material))
    # Where they do not agree, an edge is near: inside of surfaces they do.
    inside = np.abs(drawn.depth_m - followed.depth_m) < 1e-3
    assert (drawn.depth_m > 0).all()
    assert np.median(np.abs(drawn.depth_m - followed.depth_m)[inside]) < 1e-5


def test_a_mirror_shows_the_room_and_its_depth_is_its_surface(physical):
    builder = room()
    mirror(builder)
    builder.box((2.0, 0.05), 0.5, (0.8, 0.1, 1.5), textures.plain, (220, 20, 20))  # behind the camera

    view = seen(physical, builder.scene())

    assert view.depth_m[60, 80] == pytest.approx(2.96, abs=1e-4)
    assert 1 / view.beyond[60, 80] == pytest.approx(2.96 + 3.86, abs=1e-3)
    red, green, _ = view.color[55:65, 75:85].reshape(-1, 3).mean(axis=0)
    assert red > 2 * green


def test_glass_bends_what_is_behind_it_and_is_not_black(physical):
    builder = room()
    builder.round(
        (2.0, 2.0, 0.8), 0.9, (0.2, 0.2), textures.plain, (245, 245, 245), Material.GLASS, lid=False
    )

    view = seen(physical, builder.scene(), paths=8)

    assert view.depth_m[60, 80] == pytest.approx(0.8, abs=1e-3)
    assert 1 / view.beyond[60, 80] == pytest.approx(3.0, abs=1e-3)
    empty = seen(physical, room().scene(), paths=8)
    through = view.infrared[40:60, 76:84].mean() / empty.infrared[40:60, 76:84].mean()
    assert 0.6 < through < 1.0


def test_a_round_lid_has_no_slits_and_is_seen_whole_through_the_bottom_of_a_glass_on_it(physical):
    builder = room()
    builder.round((2, 2, 0.5), 0.6, (0.19, 0.13), textures.plain, GREY, Material.MATTE)
    builder.round((2, 2, 1.1), 0.1, (0.05, 0.05), textures.plain, GREY, Material.GLASS, lid=False)
    pose, camera = look_at(vector((2, 1.5, 1.9)), vector((2, 2.05, 1.0))), CAMERA.scaled(640, 480)

    _, beyond, material = physical.tracer.first_surfaces(physical.studio(builder.scene()), pose, camera)

    row, column = np.mgrid[:480, :640]
    ahead = [(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, np.ones((480, 640))]
    rays = np.stack(ahead, axis=-1) @ pose[:3, :3].T
    depth = (1.1 - pose[2, 3]) / rays[..., 2]
    x, y = (pose[k, 3] + depth * rays[..., k] - 2 for k in (0, 1))
    on_lid = np.hypot(x, y) < 0.1297
    assert (on_lid & (material == Material.GLASS)).sum() > 1000
    assert np.abs(beyond - depth)[on_lid].max() < 1e-3


def test_the_sun_shines_where_the_baked_light_has_it(physical):
    builder = room()
    builder.lamps.clear()
    on_wall(builder, 0, 2.0, 1.0, (1.0, 1.0), textures.view, GREY, Material.WINDOW)
    builder.sun = Sun(vector((0, -(0.5**0.5), 0.5**0.5)), vector((5, 5, 5)))
    scene = builder.scene()
    pose = look_at(vector((1.5, 3.5, 2.3)), vector((1.5, 1.5, 0.0)))
    row, column = 60, 80  # looks at (1.5, 1.5, 0), in the sun from y 1.035 to 2.035

    view = seen(physical, scene, pose=pose)

    beside = view.infrared[row, 5:10].mean()
    assert view.infrared[row - 3 : row + 3, column - 3 : column + 3].mean() > 5 * beside


def test_dots_lie_where_the_disparity_says_also_in_a_mirror(physical):
    builder = room()
    mirror(builder)
    scene, camera = builder.scene(), CAMERA.scaled(320, 240)
    baseline_m = 0.12
    pictures = []
    for side in (-0.5, 0.5):
        pose = look_at(EYE, AHEAD)
        pose[:3, 3] += pose[:3, 0] * baseline_m * (side + 0.5)
        view = seen(physical, scene, pose=pose, camera=camera, paths=1)
        pictures.append(
            physical.lit(view, side * baseline_m, 7.0, 1.0, ambient=0.0, strength=physical.PROJECTOR)
        )
    for rows, columns, depth_m in (
        (slice(20, 60), slice(60, 140), 3.0),
        (slice(90, 150), slice(135, 185), 2.96 + 3.96),
    ):
        expected = camera.fx * baseline_m / depth_m
        left = pictures[0][rows, columns]
        scores = []
        for shift in range(20):
            right = pictures[1][rows, columns.start - shift : columns.stop - shift]
            scores.append(np.corrcoef(left.ravel(), right.ravel())[0, 1])
        assert np.argmax(scores) == pytest.approx(expected, abs=0.6)
        assert max(scores) > 0.7


def test_a_set_is_the_same_bytes_again_and_has_all_that_a_sample_carries(physical, tmp_path, monkeypatch):
    monkeypatch.setattr(Builder, "_lit", lambda _self, pixels, *_places, **_how: pixels)
    size = {"width": 64, "height": 48, "matched_width": 48, "matched_height": 36}
    # A seed of its own: rooms are kept, and no other test may get these without light.
    plan = SynthPlan(
        seed=77, scenes=1, samples=2, shard_samples=2, renderer="mitsuba", paths=2, apart=0, **size
    )
    plan = plan.model_copy(update={"sensors": {"active": 1.0}})
    for name in ("first", "second"):
        assert make_shard(tmp_path / name, plan, 0) == 2
    assert make_shard(tmp_path / "second", plan, 0) == 0
    first, second = (shard_path(tmp_path / name, 0).read_bytes() for name in ("first", "second"))
    assert first == second

    sample = Shards(tmp_path / "first").stored(0)

    drawn = stored_sample(plan.model_copy(update={"renderer": "opencv"}), 0)
    assert (sample.material == drawn.material).mean() > 0.9
    assert sample.camera == drawn.camera
    assert sample.baseline_m == pytest.approx(drawn.baseline_m)
    assert sample.ir_left.shape == sample.ir_right.shape == (36, 48)
    assert np.abs(sample.color.astype(int) - drawn.color).mean() > 5
