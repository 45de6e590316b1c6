import math

import numpy as np
import pytest

from app.viewmodels.orbit import FILLED, STEEPEST_RAD, VIEWS, Orbit, clip_from_eye, looking_at, without_strays
from drivers.geometry import Intrinsics


def test_the_target_lies_straight_ahead_from_everywhere():
    orbit = Orbit(target=(0.2, -0.1, 2.0), distance_m=1.5, yaw_rad=0.7, pitch_rad=-0.3)
    assert orbit.eye_from_world() @ (0.2, -0.1, 2.0, 1) == pytest.approx([0, 0, 1.5, 1])


def test_without_turning_the_axes_are_the_cameras():
    orbit = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0, pitch_rad=0)
    assert orbit.eye_from_world() == pytest.approx(np.eye(4))


def test_the_pitch_stops_before_the_pole():
    assert Orbit().turned(0, 10_000).pitch_rad == STEEPEST_RAD


def test_the_target_follows_the_finger():
    orbit = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0.4, pitch_rad=0.2)
    fov_rad, height_px = math.radians(50), 600
    moved = orbit.moved(30, 12, height_px=height_px, fov_rad=fov_rad)
    clip = clip_from_eye(fov_rad, 1.0) @ moved.eye_from_world() @ (0, 0, 2.0, 1)
    assert clip[0] / clip[3] * height_px / 2 == pytest.approx(30)
    assert -clip[1] / clip[3] * height_px / 2 == pytest.approx(12)


def test_the_first_view_holds_the_whole_picture():
    camera = Intrinsics(640, 480, 460, 460, 319.5, 239.5)
    fov_rad = math.radians(52)
    for aspect in (0.5, 1.0, 2.5):
        orbit = looking_at(2.0, camera, fov_rad=fov_rad, aspect=aspect)
        x, y = 2.0 * 320 / 460, 2.0 * 240 / 460
        straight = Orbit(orbit.target, orbit.distance_m, 0, 0)
        clip = clip_from_eye(fov_rad, aspect) @ straight.eye_from_world() @ (x, y, 2.0, 1)
        assert abs(clip[0] / clip[3]) <= 1
        assert abs(clip[1] / clip[3]) <= 1


def test_each_side_looks_from_where_it_says():
    eyes = {}
    for view in VIEWS:
        orbit = Orbit(target=(0, 0, 0), distance_m=1.0).twisted(0.5).seen_from(view)
        eyes[view] = np.linalg.inv(orbit.eye_from_world())[:3, 3]
    assert eyes["front"] == pytest.approx([0, 0, -1])
    assert eyes["left"] == pytest.approx([-1, 0, 0], abs=1e-9)
    assert eyes["right"] == pytest.approx([1, 0, 0], abs=1e-9)
    assert eyes["top"] == pytest.approx([0, -1, 0], abs=1e-9)
    assert eyes["back"] == pytest.approx([0, 0, 1], abs=1e-9)


def test_a_twist_turns_the_picture_and_drags_follow_the_finger():
    orbit = Orbit(target=(0, 0, 0), distance_m=1.0, yaw_rad=0, pitch_rad=0).twisted(math.pi / 2)
    right = orbit.eye_from_world()[:3, :3] @ (1, 0, 0)
    assert right == pytest.approx([0, 1, 0], abs=1e-9), "what was right is below"
    turned = orbit.turned(0, 30)
    assert turned.pitch_rad == pytest.approx(0)
    assert turned.yaw_rad == pytest.approx(Orbit(yaw_rad=0).turned(30, 0).yaw_rad)


def test_a_view_fitted_to_points_shows_nearly_all_of_them_from_edge_to_edge():
    fov_rad = math.radians(50)
    x, y = np.meshgrid(np.linspace(-1.5, 0.5, 41), np.linspace(-0.6, 0.9, 31))
    points = np.column_stack([x.ravel(), y.ravel(), 2.0 + 0.4 * x.ravel()]).astype(np.float32)
    for aspect in (0.6, 1.0, 2.2):
        orbit = Orbit().fitted_to(points, fov_rad=fov_rad, aspect=aspect)
        clip = (
            np.c_[points, np.ones(len(points))] @ (clip_from_eye(fov_rad, aspect) @ orbit.eye_from_world()).T
        )
        seen = np.abs(clip[:, :2] / clip[:, 3:])
        assert (seen.max(axis=1) < 1).mean() > 0.98
        assert seen.max() == pytest.approx(FILLED, abs=0.06)


def test_what_has_to_be_seen_whole_lies_in_the_fitted_view_to_its_last_corner():
    fov_rad = math.radians(50)
    points = np.random.default_rng(1).normal((0, 0, 2), 0.2, (500, 3)).astype(np.float32)
    corners = np.array([(x, y, z) for x in (-2, 1) for y in (-0.4, 0.5) for z in (1.8, 2.4)], np.float32)
    for view in VIEWS:
        orbit = Orbit().seen_from(view).fitted_to(points, fov_rad=fov_rad, aspect=0.7, whole=corners)
        clip = np.c_[corners, np.ones(8)] @ (clip_from_eye(fov_rad, 0.7) @ orbit.eye_from_world()).T
        assert (clip[:, 3] > 0).all()
        assert 0.8 < np.abs(clip[:, :2] / clip[:, 3:]).max() <= 1


def test_what_a_mirror_throws_far_behind_does_not_count_and_a_slanted_wall_does_whole():
    x, y = np.meshgrid(np.linspace(-1.5, 1.5, 41), np.linspace(-0.6, 0.9, 31))
    slanted = np.column_stack([x.ravel(), y.ravel(), 3.0 + 0.8 * x.ravel()]).astype(np.float32)
    behind = slanted[:60] + np.float32((0, 0, 9))
    assert len(without_strays(np.empty((0, 3), np.float32))) == 0
    assert np.array_equal(without_strays(np.concatenate([slanted, behind])), slanted)
