import numpy as np
import pytest

from drivers.geometry import Intrinsics
from drivers.synth.render import View
from drivers.synth.shapes import Material
from trainer.simulation.stereo import depth_of
from trainer.simulation.structured_light import disparity, infrared

WIDTH, HEIGHT, FOCAL, BASELINE = 320, 240, 240.0, 0.075
CAMERA = Intrinsics(WIDTH, HEIGHT, FOCAL, FOCAL, WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5)


def wall(depth_m, material=Material.MATTE, beyond_m=None):
    inverse = np.full((HEIGHT, WIDTH), 1 / depth_m, np.float32)
    beyond = inverse if beyond_m is None else np.full_like(inverse, 1 / beyond_m)
    color = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    return View(color, 1 / inverse, inverse, beyond, np.full((HEIGHT, WIDTH), material, np.uint8), CAMERA)


def measured(view):
    picture, began = infrared(view, baseline_m=BASELINE, power=1.0, rng=np.random.default_rng(0))
    found = disparity(picture, began, most_px=64)
    return depth_of(found, focal_px=FOCAL, baseline_m=BASELINE)


@pytest.mark.parametrize("depth_m", [0.7, 1.4, 2.5])
def test_a_blank_wall_is_measured_right(depth_m):
    inside = measured(wall(depth_m))[20:-20, 60:-20]
    assert (inside > 0).mean() > 0.9
    # Steps are an eighth of a pixel, and matchers favour whole pixels.
    allowed = depth_m**2 / 5 / (FOCAL * BASELINE)
    assert abs(np.median(inside[inside > 0]) - depth_m) < allowed


def test_what_stands_before_a_wall_throws_a_shadow_to_its_left():
    view = wall(2.0)
    view.inverse_depth[:, 160:220] = 1 / 0.8
    depth = measured(View(view.color, 1 / view.inverse_depth, view.inverse_depth, view.inverse_depth,
                          view.material, CAMERA))  # fmt: skip
    shadow_px = round(FOCAL * BASELINE * (1 / 0.8 - 1 / 2.0))
    shadow = slice(160 - shadow_px + 4, 160 - 4)
    assert (depth[20:-20, shadow] > 0).mean() < 0.2
    assert (depth[20:-20, 230:300] > 0).mean() > 0.9


def test_a_mirror_gives_nothing():
    assert (measured(wall(1.0, Material.MIRROR, beyond_m=2.0)) > 0).mean() < 0.1
