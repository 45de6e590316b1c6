import numpy as np
import pytest

from app.viewmodels.cloud import Cloud
from app.viewmodels.cloud_look import ClipBox
from app.viewmodels.cloud_picking import Span, pick
from app.viewmodels.orbit import Orbit, clip_from_eye
from drivers.depth import DepthMap
from drivers.geometry import Intrinsics

LENS = Intrinsics(64, 48, 60.0, 60.0, 31.5, 23.5)
SIZE = (320, 240)
ORBIT = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0, pitch_rad=0)
CLIP = clip_from_eye(0.9, SIZE[0] / SIZE[1]) @ ORBIT.eye_from_world()


def room() -> Cloud:
    """A wall at 2 m with a near box on its right and a hole in its upper left."""
    counts = np.full((48, 64), 2000, np.uint16)
    counts[16:32, 40:56] = 1000
    counts[:20, :20] = 0
    return Cloud(DepthMap(counts, 0.001), LENS, np.zeros((48, 64, 3), np.uint8), LENS, np.eye(4))


def place_of(point):
    x, y, _, w = CLIP @ (*point, 1.0)
    return (x / w + 1) / 2 * SIZE[0], (1 - y / w) / 2 * SIZE[1]


def test_a_tap_means_the_point_that_is_seen_there():
    for column, row, depth_m in ((30, 24, 2.0), (48, 24, 1.0)):
        point = (column - LENS.cx) / 60 * depth_m, (row - LENS.cy) / 60 * depth_m, depth_m
        assert pick([room()], CLIP, place_of(point), SIZE) == pytest.approx(point, abs=1e-5)


def test_a_tap_beside_everything_means_nothing():
    assert pick([room()], CLIP, place_of((-0.9, -0.5, 2.0)), SIZE) is None
    assert pick([], CLIP, (10, 10), SIZE) is None


def test_what_is_cut_away_is_not_tapped():
    place = place_of(((48 - LENS.cx) / 60, 0.5 / 60, 1.0))
    box = ClipBox((-5, -5, 1.5), (5, 5, 5))
    found = pick([room()], CLIP, place, SIZE, box=box)
    assert found is None or found[2] == pytest.approx(2.0)


def test_a_cloud_of_another_camera_is_tapped_where_it_is_drawn():
    moved = np.eye(4)
    moved[0, 3] = 0.1
    cloud = room()
    beside = Cloud(cloud.depth, LENS, cloud.color, LENS, np.eye(4), world_from_color=moved)
    point = (30 - LENS.cx) / 60 * 2 + 0.1, (24 - LENS.cy) / 60 * 2, 2.0
    assert pick([beside], CLIP, place_of(point), SIZE) == pytest.approx(point, abs=1e-5)


def test_two_taps_span_a_distance_and_the_third_starts_anew():
    span = Span((0, 0, 1.0)).tapped((0.3, 0.4, 1.0))
    assert span.distance_m == pytest.approx(0.5)
    assert span.words.startswith("0.500 m (x 0.300, y 0.400")
    assert span.lines(2.0).shape == (7, 2, 3)
    assert span.tapped((1, 1, 1)).distance_m is None
