"""Cameras broken at the edge of their vendor's library; `benchmarks/fault_matrix.py` has every kind."""

import threading

import pytest

from tests.app.fault_rigs import FAULTS, benches, hurry, run_cell

FOUND, MISSING = benches()
SEEN = {
    "unplug": "There is no RealSense camera",
    "unplug while recording": "There is no RealSense camera",
    "stall": "No frames for",
    "wrong clock": "clock wrong by 3600 s",
    "library raises": "half gone. It is opened again by itself",
    "absent at start": "There is no RealSense camera",
    "busy": "power state. Close the other program",
    "bad profile": "Couldn't resolve requests. Choose another mode",
}
AWAY = {"unplug", "unplug while recording"}


@pytest.mark.skipif("RealSense" in MISSING, reason=MISSING.get("RealSense", ""))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_realsense_with_a_fault_says_so_and_comes_back(fault, tmp_path):
    before = set(threading.enumerate())
    bench = FOUND["RealSense"](tmp_path)
    try:
        with hurry():
            cell = run_cell(bench, fault, tmp_path, hold_s=0.3)
    finally:
        bench.close()

    assert SEEN[fault] in cell.seen
    assert cell.recovered_s < 15
    assert cell.healthy_hz > 5, "the camera beside it has to go on"
    assert cell.lost > 0 or fault not in AWAY
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("kind", ["simulated", "UVC", "Orbbec", "ZED"])
def test_every_camera_comes_back_after_it_was_unplugged_while_recording(kind, tmp_path):
    if kind not in FOUND:
        pytest.skip(MISSING[kind])
    bench = FOUND[kind](tmp_path)
    try:
        with hurry():
            cell = run_cell(bench, "unplug while recording", tmp_path, hold_s=0.3)
    finally:
        bench.close()

    assert "lost" in cell.seen.lower()
    assert cell.lost > 0
    assert cell.healthy_hz > 5


@pytest.mark.skipif("ZED" in MISSING, reason=MISSING.get("ZED", ""))
def test_a_library_that_hangs_is_seen_on_the_screen(tmp_path):
    """The thread that would report it hangs as well."""
    bench = FOUND["ZED"](tmp_path)
    try:
        cell = run_cell(bench, "stall", tmp_path, hold_s=0.1)
    finally:
        bench.close()

    assert "No frames for" in cell.seen
    assert 0.7 < cell.noticed_s < 10
