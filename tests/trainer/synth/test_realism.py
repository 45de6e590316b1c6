import numpy as np
import pytest

from drivers.synth.shapes import Material
from trainer.synth.realism import Frame, edge_zone, hole_sizes, noise, statistics, torn_steps

SIZE = (480, 640)


def test_holes_are_counted_by_the_size_of_each():
    hole = np.zeros(SIZE, bool)
    hole[0:2, 0:2] = True
    hole[100:110, 100:105] = True
    hole[200:300, 200:300] = True
    assert hole_sizes(hole).tolist() == [4, 50, 0, 0, 10_000]


def test_the_noise_of_a_tilted_plane_is_that_which_was_put_on_it():
    rng = np.random.default_rng(0)
    plane = np.tile(np.linspace(1.3, 1.9, 640), (480, 1))
    depth = (plane + rng.normal(0, 0.002, SIZE)).astype(np.float32)
    found = statistics([Frame(np.zeros((*SIZE, 3), np.uint8), depth)]).noise_m
    assert found[2] == pytest.approx(0.002, rel=0.05)
    assert found[0] is None


def test_a_plane_without_noise_has_none():
    plane = np.tile(np.linspace(1.3, 1.9, 640, dtype=np.float32), (480, 1))
    assert np.median(noise(plane)[2]) < 1e-6


def test_holes_along_an_edge_are_found_there():
    color = np.zeros((*SIZE, 3), np.uint8)
    color[:, 320:] = 255
    depth = np.full(SIZE, 1.5, np.float32)
    depth[:, 318:323] = 0
    found = statistics([Frame(color, depth)])
    assert found.near_edges == 1.0
    assert found.lift > 30
    assert edge_zone(color)[:, :300].sum() == 0


def test_shares_of_holes_by_frame_and_by_material():
    depth = np.full(SIZE, 1.5, np.float32)
    depth[:240] = 0
    material = np.full(SIZE, Material.MATTE, np.uint8)
    material[120:360] = Material.GLASS
    found = statistics([Frame(np.zeros((*SIZE, 3), np.uint8), depth, material)])
    assert found.mean == 0.5
    assert found.holes == (0.5,) * 5
    assert found.by_material == {"matte": 0.5, "glass": 0.5}


def test_frames_of_other_sizes_are_brought_to_640_across():
    depth = np.full((960, 1280), 1.5, np.float32)
    depth[:480] = 0
    found = statistics([Frame(np.zeros((960, 1280, 3), np.uint8), depth)])
    assert found.mean == 0.5
    assert found.sizes[-1] == 1.0


def test_steps_in_the_sensor_s_own_depth_are_torn_by_a_hole_or_measured_through():
    depth = np.full(SIZE, 2.0, np.float32)
    depth[:, 300:400] = 1.0
    depth[:120, 296:300] = 0
    depth[:, 500:505] = 0  # no step: the same wall on both sides
    depth[:, 600:] = 3.0
    depth[:, 560:620] = 0  # too wide to be the step's own
    assert torn_steps(depth) == (120, 2 * 480)
    found = statistics([Frame(np.zeros((*SIZE, 3), np.uint8), depth)])
    assert found.torn == 120 / 960


def test_holes_at_the_picture_s_border_are_left_out_of_the_inner_lift():
    color = np.zeros((*SIZE, 3), np.uint8)
    color[:, 320:] = 255
    depth = np.full(SIZE, 1.5, np.float32)
    depth[100:200, 318:323] = 0
    depth[:, :100] = 0
    found = statistics([Frame(color, depth)])
    assert found.lift < 1
    assert found.inner_lift > 30
