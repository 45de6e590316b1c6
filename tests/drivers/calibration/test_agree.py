import numpy as np

from drivers.calibration.agree import compare
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics, rays
from tests.drivers.calibration.rigs import pose

LENS = Intrinsics(160, 120, 130.0, 130.0, 79.5, 59.5)
OTHER_FROM_ONE = pose([0.0, 0.12, 0.0], [-0.2, 0.0, 0.02])


def corner(camera_from_world):
    """A frame that looks into the corner of two walls and a floor."""
    world_from_camera = np.linalg.inv(camera_from_world)
    directions = np.dstack([rays(LENS), np.ones((LENS.height, LENS.width))]) @ world_from_camera[:3, :3].T
    eye = world_from_camera[:3, 3]
    depth = np.full((LENS.height, LENS.width), np.inf)
    for axis, place in ((2, 2.0), (0, -0.9), (1, 0.8)):
        with np.errstate(divide="ignore"):
            reach = (place - eye[axis]) / directions[..., axis]
        depth = np.where((reach > 0) & (reach < depth), reach, depth)
    counts = np.rint(depth * 1000).astype(np.uint16)
    return Frame(
        "a", 0, 0, 0, np.zeros((120, 160, 3), np.uint8), DepthMap(counts, 0.001), Calibration(LENS, LENS)
    )


def test_cameras_where_they_are_said_to_be_agree():
    agreement = compare(corner(np.eye(4)), corner(OTHER_FROM_ONE), OTHER_FROM_ONE)
    assert agreement.good
    assert agreement.apart_m < 0.005
    assert agreement.points > 150


def test_a_camera_that_was_turned_is_noticed():
    for turn in ([0.07, 0, 0], [0, 0.07, 0]):
        said = pose(turn, [0, 0, 0]) @ OTHER_FROM_ONE
        assert not compare(corner(np.eye(4)), corner(OTHER_FROM_ONE), said).good


def test_a_camera_that_was_pushed_is_noticed():
    said = pose([0, 0, 0], [0.1, 0.02, 0.08]) @ OTHER_FROM_ONE
    assert not compare(corner(np.eye(4)), corner(OTHER_FROM_ONE), said).good


def test_cameras_that_share_nothing_say_nothing():
    away = pose([0, np.pi, 0], [0, 0, 0])
    assert compare(corner(np.eye(4)), corner(np.eye(4)), away) is None
