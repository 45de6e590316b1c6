import numpy as np
import pytest

from drivers.geometry import Intrinsics
from drivers.synth.render import View
from drivers.synth.shapes import Material
from trainer.simulation.stereo import MATCHERS, depth_of, infrared_pair, match

WIDTH, HEIGHT, FOCAL, BASELINE = 320, 240, 240.0, 0.1
CAMERA = Intrinsics(WIDTH, HEIGHT, FOCAL, FOCAL, WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5)


def wall(depth_m, material=Material.MATTE, beyond_m=None, grey=120):
    inverse = np.full((HEIGHT, WIDTH), 1 / depth_m, np.float32)
    beyond = inverse if beyond_m is None else np.full_like(inverse, 1 / beyond_m)
    color = np.full((HEIGHT, WIDTH, 3), grey, np.uint8)
    return View(color, 1 / inverse, inverse, beyond, np.full((HEIGHT, WIDTH), material, np.uint8), CAMERA)


def measured(view, name, right=None, power=1.0):
    matcher = MATCHERS[name]
    left_ir, right_ir = infrared_pair(
        view,
        right or view,
        baseline_m=BASELINE,
        projector=matcher.projector,
        power=power,
        rng=np.random.default_rng(0),
    )
    disparity = match(left_ir, right_ir, matcher, most_px=96)
    return depth_of(disparity, focal_px=FOCAL, baseline_m=BASELINE)


@pytest.mark.parametrize("depth_m", [0.8, 1.5, 3.0])
def test_a_blank_wall_under_the_projector_is_measured_right(depth_m):
    depth = measured(wall(depth_m), "active")
    inside = depth[20:-20, 100:-20]
    assert (inside > 0).mean() > 0.9
    # A quarter of a pixel of disparity is far more than a matcher scatters.
    allowed = depth_m**2 * 0.25 / (FOCAL * BASELINE)
    assert abs(np.median(inside[inside > 0]) - depth_m) < allowed


def test_without_the_projector_a_blank_wall_is_a_hole():
    depth = measured(wall(1.5), "passive")
    assert (depth > 0).mean() < 0.2, "what is left is the luck of noise"
    assert (depth > 0).mean() < 0.25 * (measured(wall(1.5), "active") > 0).mean()


def test_the_columns_that_only_one_camera_sees_are_holes():
    depth = measured(wall(0.8), "active")
    hidden = round(FOCAL * BASELINE / 0.8)
    assert (depth[:, : hidden - 3] > 0).mean() < 0.05


def test_a_mirror_answers_with_what_is_seen_in_it():
    depth = measured(wall(1.0, Material.MIRROR, beyond_m=2.0), "active")
    answered = depth[20:-20, 100:-20]
    answered = answered[answered > 0]
    assert answered.size > 1000
    assert np.median(answered) == pytest.approx(2.0, rel=0.05)


def test_strict_matching_answers_less_than_the_usual_one():
    view = wall(2.5, Material.DARK_GLOSSY, grey=8)
    usual, strict = ((measured(view, name, power=0.1) > 0).mean() for name in ("active", "active strict"))
    assert strict < usual


def test_depth_beyond_the_sensor_s_range_is_a_hole():
    far = np.array([[0.0, 1.0, 12.0, 200.0]], np.float32)
    depth = depth_of(far, focal_px=240, baseline_m=0.1)
    assert depth[0].tolist() == pytest.approx([0, 0, 2.0, 0])
