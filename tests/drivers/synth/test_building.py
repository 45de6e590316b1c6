import numpy as np
import pytest

from drivers.synth import furniture, textures
from drivers.synth.building import Builder
from drivers.synth.scene import ceiling_lamp, on_wall, random_scene, shell
from drivers.synth.shapes import Material, Sun, vector

GREY = (200.0, 200.0, 200.0)
SIZE = (4.0, 4.0, 2.5)


@pytest.fixture
def room():
    builder = Builder(vector(SIZE), np.random.default_rng(3), texels_per_m=20)
    shell(builder, ((textures.plain, GREY),) * 4, (textures.plain, GREY), GREY)
    return builder


def lit_floor(scene):
    """(row, column) in metres of the floor's texels that are brighter than their paint."""
    floor = scene.panels[4]
    level = floor.texture.levels[0][..., 0].astype(int) - floor.paint[..., 0]
    rows, columns = np.nonzero(level > 20)
    h, w = level.shape
    return SIZE[1] * (1 - (rows + 0.5) / h), SIZE[0] * (columns + 0.5) / w


def test_the_sun_lights_the_floor_where_a_line_to_it_leaves_through_the_window(room):
    # The window spans x 1 to 2 and z 1 to 2 in the wall y = 0, 35 mm before it; the sun stands at 45 degrees.
    on_wall(room, 0, 2.0, 1.0, (1.0, 1.0), textures.view, GREY, Material.WINDOW)
    room.lamps.clear()
    room.ambient = vector((0.2, 0.2, 0.2))
    room.sun = Sun(vector((0, -(0.5**0.5), 0.5**0.5)), vector((3, 3, 3)))

    y, x = lit_floor(room.scene())

    texel_m = SIZE[0] / 80
    assert [x.min(), x.max()] == pytest.approx([1, 2], abs=texel_m)
    assert [y.min(), y.max()] == pytest.approx([1.035, 2.035], abs=texel_m)


def test_what_stands_in_the_sun_throws_a_shadow(room):
    on_wall(room, 0, 2.0, 1.0, (1.0, 1.0), textures.view, GREY, Material.WINDOW)
    room.lamps.clear()
    room.ambient = vector((0.2, 0.2, 0.2))
    room.sun = Sun(vector((0, -(0.5**0.5), 0.5**0.5)), vector((3, 3, 3)))
    free = len(lit_floor(room.scene())[0])

    room.box((1.5, 1.2), 0.0, (2.0, 0.2, 0.5), textures.plain, GREY)

    assert len(lit_floor(room.scene())[0]) < 0.7 * free


def test_a_scene_keeps_its_paint_and_says_what_shines(room):
    ceiling_lamp(room, 2, 2, power=2.0, color=(255, 255, 255), radius_m=0.25)
    room.round((1, 1, 0), 0.3, (0.1, 0.1), textures.plain, GREY, Material.MATTE)
    room.ball((3, 3, 1), (0.1, 0.1, 0.1), textures.plain, GREY)

    scene = room.scene()

    assert all(body.paint is not None for body in (*scene.panels, *scene.turned, *scene.balls))
    shining = [panel for panel in scene.panels if panel.radiance is not None]
    assert [panel.material for panel in shining] == [Material.EMITTER]
    # A lamp of strength 2 lights as 2 = radiance x area / pi does.
    assert shining[0].radiance * 0.25 / np.pi == pytest.approx([2, 2, 2])


PIECES = {
    "chair": lambda room: furniture.chair(room, (2, 2), 30, textures.wood, GREY),
    "lamp": lambda room: furniture.lamp_stand(room, (2, 2), GREY),
    "rack": lambda room: furniture.rack(room, (2, 2), 10, (0.8, 0.4, 1.5)),
    "sofa": lambda room: furniture.sofa(room, (2, 2), 90, 1.5, GREY),
    "plant": lambda room: furniture.tall_plant(room, (2, 2), GREY),
    "bin": lambda room: furniture.black_bin(room, (2, 2)),
    "monitor": lambda room: furniture.monitor(room, (2, 2, 0.8), 20),
    "laptop": lambda room: furniture.laptop(room, (2, 2, 0.8), 20),
    "basket": lambda room: furniture.wire_basket(room, (2, 2, 0.8)),
    "pendant": lambda room: furniture.pendant(room, (2, 2), GREY),
}


@pytest.mark.parametrize("name", PIECES)
def test_a_piece_of_furniture_stands_where_it_was_put_and_above_the_floor(room, name):
    before = len(room.panels)

    PIECES[name](room)

    scene = room.scene()
    points = [panel.corners for panel in scene.panels[before:]]
    points += [np.stack([b.foot, b.foot + vector((0, 0, b.height_m))]) for b in scene.turned]
    points += [np.stack([b.centre - b.radii, b.centre + b.radii]) for b in scene.balls]
    points = np.concatenate(points)
    assert np.abs(points[:, :2] - 2).max() < 1.3
    assert points[:, 2].min() > -0.01
    assert points[:, 2].max() <= SIZE[2] + 1e-9


def test_random_rooms_hold_what_sensors_find_hard(monkeypatch):
    monkeypatch.setattr(Builder, "texels", lambda _self, _size_m, *, most=1024: min(16, most))
    monkeypatch.setattr(Builder, "_lit", lambda _self, pixels, *_places, **_how: pixels)
    rooms = [random_scene(np.random.default_rng((2, seed))) for seed in range(12)]
    surfaces = [(body.material, room) for room in rooms for body in (*room.panels, *room.turned)]
    assert {material for material, _room in surfaces} == set(Material)
    assert 1 < sum(room.sun is not None for room in rooms) < 8
    assert sum(room.panels[4].reflectivity > 0 for room in rooms) > 2
    assert min(body.radius_bottom_m for room in rooms for body in room.turned) < 0.004
