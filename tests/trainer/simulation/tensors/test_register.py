import numpy as np
import torch

from drivers.depth import DepthMap
from drivers.geometry import Calibration, Intrinsics, register_depth
from trainer.simulation.tensors.register import registered

COLOR = Intrinsics(160, 120, 130.0, 130.0, 79.5, 59.5)
DEPTH = Intrinsics(160, 120, 110.0, 110.0, 79.5, 59.5)


def row(camera):
    return torch.tensor([[camera.fx, camera.fy, camera.cx, camera.cy]])


def test_depth_falls_where_that_of_real_cameras_falls():
    counts = np.full((120, 160), 2000, np.uint16)
    counts[40:80, 60:100] = 900
    counts[10:20, 10:40] = 0
    place = np.eye(4)
    place[:3, 3] = 0.05, 0.002, 0
    expected = register_depth(DepthMap(counts, 0.001), Calibration(COLOR, DEPTH, place)).metres

    depth_m = torch.tensor(counts / 1000, dtype=torch.float32)[None]
    found = registered(depth_m, row(DEPTH), row(COLOR), torch.tensor(place, dtype=torch.float32)[None])[
        0
    ].numpy()

    assert (np.abs(found - expected) < 0.0015).mean() > 0.995
    assert (found == 0).mean() > 0.01
