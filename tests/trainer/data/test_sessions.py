import numpy as np

from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from trainer.data.sessions import as_sample

LENS = Intrinsics(16, 12, 16.0, 16.0, 7.5, 5.5)


def frame(values, truth=None):
    return Frame(
        camera_id="left",
        index=0,
        captured_ns=0,
        device_ns=None,
        color=np.zeros((12, 16, 3), np.uint8),
        depth=DepthMap(values, 0.001),
        calibration=Calibration(LENS, LENS, np.eye(4)),
        truth=truth,
    )


def test_outliers_of_a_camera_go_in_as_measured_and_are_no_target():
    values = np.full((12, 16), 1500, np.uint16)
    values[:2] = 63_000
    sample = as_sample(frame(values))
    assert np.allclose(sample.depth_m[:2], 63)
    assert not sample.target_m[:2].any()
    assert np.allclose(sample.target_m[2:], 1.5)


def test_exact_depth_is_the_target_where_it_was_recorded():
    sample = as_sample(
        frame(np.full((12, 16), 1500, np.uint16), DepthMap(np.full((12, 16), 1480, np.uint16), 0.001))
    )
    assert np.allclose(sample.depth_m, 1.5)
    assert np.allclose(sample.target_m, 1.48)
