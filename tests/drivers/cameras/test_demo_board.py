import numpy as np

from drivers.calibration.board import BOARDS
from drivers.calibration.bundle import board_pose
from drivers.calibration.detect import Sighting, look_for
from drivers.cameras.synthetic import demo_places, demo_rig
from drivers.registry import open_source
from drivers.synth.board_scene import GLIDE_S, REST_S, STEPS

BOARD = BOARDS["a4"]


def test_the_demo_rig_with_a_board_knows_where_its_cameras_stand():
    rig = demo_rig(fault="board")[:2]
    first, second = (camera.expose(round(30 * (GLIDE_S + 0.5))) for camera in rig)
    seen = [look_for(frame.color, BOARD, frame.calibration.color) for frame in (first, second)]
    assert all(isinstance(sighting, Sighting) for sighting in seen)
    poses = [board_pose(BOARD, s, f.calibration.color) for s, f in zip(seen, (first, second), strict=True)]
    first_from_second = poses[0] @ np.linalg.inv(poses[1])
    off = np.linalg.inv(demo_places()[1]) @ first_from_second
    assert (
        np.linalg.norm(off[:3, 3]) < 0.03
    )  # one picture of a small board; many of them make it a millimetre
    assert np.degrees(np.arccos((np.trace(off[:3, :3]) - 1) / 2)) < 2.0


def test_the_board_rests_moves_on_and_lies_where_depth_says():
    camera = demo_rig(fault="board")[1]
    resting = [camera.expose(round(30 * at_s)) for at_s in (GLIDE_S + 0.3, GLIDE_S + 1.2)]
    moved = camera.expose(round(30 * (2 * GLIDE_S + REST_S + 0.5)))
    lens = camera.calibration.color
    here, there, later = (look_for(frame.color, BOARD, lens) for frame in (*resting, moved))
    assert np.abs(here.pixels - there.pixels).mean() < 0.3
    assert np.abs(here.pixels.mean(axis=0) - later.pixels.mean(axis=0)).max() > 30
    column, row = np.rint(here.pixels.mean(axis=0)).astype(int)
    depth_m = float(resting[0].truth.metres[row, column])
    assert abs(depth_m - STEPS[0][2]) < 0.02


def test_the_board_is_a_source_like_any_fault():
    assert [camera.still for camera in open_source("demo:board")] == [True, True, True]
