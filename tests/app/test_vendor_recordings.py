"""What a vendor's camera recorded goes through the whole program: opened, recorded again, read back."""

import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "drivers/cameras"))

from app.compose import Studio, wait_for_frames
from drivers.cameras import orbbec, realsense
from drivers.registry import open_source
from drivers.session.labels import SessionLabels
from drivers.session.reader import Session
from model.spec import EngineChoice


def of_realsense(path):
    from software_realsense import record

    record(path.with_suffix(".db3"), frames=12, unit_m=0.0001)
    return path.with_suffix(".db3")


def of_orbbec(path):
    from orbbec_bag import write

    write(path.with_suffix(".bag"), frames=12, unit_mm=0.1)
    return path.with_suffix(".bag")


VENDORS = {"RealSense": (realsense.SDK, of_realsense), "Orbbec": (orbbec.SDK, of_orbbec)}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_recording_becomes_a_session(vendor, tmp_path):
    sdk, make = VENDORS[vendor]
    if not (state := sdk.state()).ready:
        pytest.skip(f"{state.text} {state.fix}")
    cameras = open_source(str(make(tmp_path / "recorded")))
    name = cameras[0].info.id
    studio = Studio(EngineChoice(model="off"))
    try:
        pipeline = studio.open(cameras)
        assert wait_for_frames(pipeline, timeout_s=30)
        recorder = studio.record(tmp_path / "sessions", SessionLabels())
        deadline_s = time.monotonic() + 30
        while recorder.status().cameras[name].written < 20:
            assert time.monotonic() < deadline_s, "the recording does not grow"
            threading.Event().wait(0.02)
        session = Session(studio.stop_recording())
    finally:
        studio.close()

    assert recorder.status().cameras[name].lost == 0
    frame = session.frame(name, 0)
    assert frame.depth.unit_m == pytest.approx(0.0001)
    # The scenes tell their number: depth in the right column is 1000 + n, red and infrared are n.
    number = int(frame.depth.values[0, -1]) - 1000
    assert (frame.ir_left == number).all()
    # The file says where depth lies: turned by 90 degrees, and moved by 15, 2 and -1 mm.
    np.testing.assert_allclose(
        frame.calibration.color_from_depth,
        [[0, -1, 0, 0.015], [1, 0, 0, 0.002], [0, 0, 1, -0.001], [0, 0, 0, 1]],
        atol=1e-6,
    )
