import numpy as np
import pytest

from drivers.calibration.gather import from_session
from drivers.calibration.solve import solve
from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.errors import CalibrationError
from drivers.frame import Frame
from drivers.geometry import Calibration
from drivers.session.encode import encode
from drivers.session.writer import SessionWriter, session_camera
from tests.drivers.calibration.rigs import BOARD, CAMERAS, PLACES, off, photo

PERIOD_NS = 100_000_000
HOLD = 3


def recorded(folder, cameras=tuple(CAMERAS), *, stands=True):
    """A session in which a board stands in one place after the other, or is another one in every frame."""
    start_ns = 1_000_000_000
    made = []
    photos = {(name, i): photo(name, place) for name in cameras for i, place in enumerate(PLACES)}
    for number in range(len(PLACES) * HOLD):
        for late, name in enumerate(cameras):
            place = number // HOLD if stands else number
            color, depth = photos[name, place % len(PLACES)]
            captured_ns = start_ns + number * PERIOD_NS + late * 15_000_000
            counts = DepthMap(np.rint(depth * 1e4).astype(np.uint16), 1e-4)
            lens = CAMERAS[name]
            made.append(Frame(name, number, captured_ns, captured_ns, color, counts, Calibration(lens, lens)))
        if not stands and number > 12:
            break
    infos = {name: CameraInfo(name, name, "M", f"SN-{name}", "stereo", 20.0, live=True) for name in cameras}
    first = {frame.camera_id: frame for frame in reversed(made)}
    with SessionWriter(folder, [session_camera(infos[name], first[name]) for name in cameras]) as writer:
        for frame in made:
            writer.write(encode(frame))
    return folder


def test_a_recorded_board_places_the_cameras(tmp_path):
    found = from_session(recorded(tmp_path / "s"), BOARD, lambda _words: None)
    assert found.serials == {"left": "SN-left", "right": "SN-right"}
    solution = solve(found.views, found.cameras, BOARD)
    degrees, mm = off(solution, "right")
    assert degrees < 0.1
    assert mm < 1.0
    assert found.samples["left"]


def test_a_board_that_never_stands_still_is_left_out(tmp_path):
    found = from_session(recorded(tmp_path / "s", stands=False), BOARD, lambda _words: None)
    assert not found.views
    assert found.refused["moving"] >= 2


def test_one_camera_is_no_rig(tmp_path):
    with pytest.raises(CalibrationError, match="one camera only"):
        from_session(recorded(tmp_path / "s", ("left",), stands=False), BOARD, lambda _words: None)
