import numpy as np
import pytest

from drivers.synth import textures
from drivers.synth.building import Builder
from drivers.synth.shapes import Material, vector
from trainer.synth.physical import atlas
from trainer.synth.physical.meshes import BASE_M, WALL_M, of_ball, of_panel, of_turned, of_vessel, vessels
from trainer.synth.physical.surfaces import surfaces

GREY = (200.0, 200.0, 200.0)


@pytest.fixture
def builder():
    return Builder(vector((3.0, 3.0, 2.5)), np.random.default_rng(1), texels_per_m=20)


def volume(mesh):
    """Of what is enclosed, where all faces look outwards."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def outward(mesh):
    """(F,) cosine between each face, as its corners turn, and its corners' normals."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    faces = np.cross(b - a, c - a)
    size = np.linalg.norm(faces, axis=1)
    normals = mesh.normals[mesh.faces].mean(axis=1)
    there = size > 1e-9  # not those at a pole
    return (faces * normals).sum(axis=1)[there] / size[there]


def test_every_face_looks_where_its_surface_looks(builder):
    builder.box((1, 1), 0.3, (0.4, 0.5, 0.6), textures.plain, GREY, turn_deg=20)
    builder.round((2, 2, 0), 0.3, (0.1, 0.05), textures.plain, GREY, Material.MATTE)
    builder.ball((1, 2, 1), (0.1, 0.2, 0.3), textures.plain, GREY)
    builder.round((2, 1, 0), 0.2, (0.03, 0.04), textures.plain, GREY, Material.GLASS, lid=False)
    builder.plant((2, 2, 0.3), 0.4, GREY)
    for shape in surfaces(builder.scene()):
        assert outward(shape.mesh).min() > 0.9


def test_a_ball_encloses_the_volume_of_an_ellipsoid(builder):
    builder.ball((1, 2, 1), (0.1, 0.2, 0.3), textures.plain, GREY)
    assert volume(of_ball(builder.balls[0])) == pytest.approx(4 / 3 * np.pi * 0.006, rel=0.005)


def test_a_round_body_lies_on_its_cone(builder):
    builder.round((2, 2, 0), 0.3, (0.1, 0.05), textures.plain, GREY, Material.MATTE)
    points = of_turned(builder.turned[0]).vertices
    radius = np.hypot(points[:, 0] - 2, points[:, 1] - 2)
    assert np.allclose(radius, 0.1 - points[:, 2] / 0.3 * 0.05, atol=1e-6)


def test_a_glass_is_as_much_glass_as_its_wall_and_bottom(builder):
    builder.round((1, 1, 0), 0.12, (0.03, 0.03), textures.plain, GREY, Material.GLASS, lid=False)
    mesh = of_vessel(builder.turned)
    inner = 0.03 - WALL_M
    expected = np.pi * (0.03**2 * 0.12 - inner**2 * (0.12 - BASE_M))
    assert volume(mesh) == pytest.approx(expected, rel=0.01)


def test_what_stands_on_each_other_is_one_vessel(builder):
    for foot, height, radii in (
        (0, 0.2, (0.04, 0.04)),
        (0.2, 0.06, (0.04, 0.014)),
        (0.26, 0.07, (0.014, 0.013)),
    ):
        builder.round((1, 1, foot), height, radii, textures.plain, GREY, Material.GLASS, lid=False)
    builder.round((1.2, 1, 0), 0.1, (0.03, 0.03), textures.plain, GREY, Material.GLASS, lid=False)
    assert [len(group) for group in vessels(builder.turned)] == [3, 1]


def test_a_leaf_is_as_wide_as_its_alpha(builder):
    builder.plant((1, 1, 0), 0.4, GREY, leaves=1)
    panel = builder.scene().panels[0]
    mesh = of_panel(panel)
    area = 0.0
    for face in mesh.faces:
        a, b, c = mesh.vertices[face].astype(np.float64)
        area += np.linalg.norm(np.cross(b - a, c - a)) / 2
    whole = np.linalg.norm(np.cross(panel.across, panel.down))
    assert area / whole == pytest.approx((panel.paint[..., 3] > 0).mean(), rel=0.06)


def test_every_picture_is_found_again_in_the_atlas():
    rng = np.random.default_rng(0)
    pictures = [
        rng.integers(0, 255, (h, w, 3), dtype=np.uint8) for h, w in ((40, 90), (16, 30), (64, 20), (8, 60))
    ]
    whole = atlas.packed(pictures, width=128)
    size = np.array([whole.pixels.shape[1], whole.pixels.shape[0]])
    for number, picture in enumerate(pictures):
        h, w = picture.shape[:2]
        left, top = np.rint(whole.placed(number, np.zeros((1, 2), np.float32))[0] * size).astype(int)
        assert np.array_equal(whole.pixels[top : top + h, left : left + w], picture)
        assert np.array_equal(whole.pixels[top - 1, left : left + w], picture[0])
