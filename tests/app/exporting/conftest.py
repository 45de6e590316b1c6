"""One small session of two cameras: the left has depth to register, the right has exact depth."""

from pathlib import Path

import numpy as np
import pytest

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.session.encode import encode
from drivers.session.labels import add_label
from drivers.session.reader import Session
from drivers.session.refined import MadeBy, RefinedFrame, RefinedMeta, encode_refined
from drivers.session.writer import SessionWriter, session_camera

WIDTH, HEIGHT, FRAMES = 64, 48, 6
UNITS_M = {"left": 0.001, "right": 0.0001}
START_NS = 10_000_000_000
PERIOD_NS = 33_333_333


def frame_of(camera_id: str, index: int) -> Frame:
    """A slope from 1 m on with a hole in its corner; the left camera's depth has half the pixels."""
    lens = Intrinsics(WIDTH, HEIGHT, 60.0, 60.0, 31.5, 23.5)
    coarse = lens.scaled(WIDTH // 2, HEIGHT // 2)
    own = coarse if camera_id == "left" else lens
    rows, columns = np.indices((own.height, own.width))
    depth_m = 1.0 + 0.02 * columns + 0.01 * rows + 0.1 * index
    depth_m[:4, :4] = 0
    unit_m = UNITS_M[camera_id]
    values = np.rint(depth_m / unit_m).astype(np.uint16)
    color = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    color[..., 0] = np.linspace(0, 250, WIDTH)
    color[..., 1] = 20 * index
    moved = np.eye(4)
    moved[0, 3] = 0.02 if camera_id == "left" else 0.0
    at_ns = START_NS + index * PERIOD_NS + (5_000_000 if camera_id == "right" else 0)
    truth = DepthMap(np.full((HEIGHT, WIDTH), 15_000, np.uint16), unit_m) if camera_id == "right" else None
    return Frame(
        camera_id=camera_id,
        index=index + 100,
        captured_ns=at_ns,
        device_ns=at_ns + 7,
        color=color,
        depth=DepthMap(values, unit_m),
        calibration=Calibration(lens, own, moved),
        truth=truth,
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Of the session; frames 2 and 3 of the left camera have refined depth."""
    folder = tmp_path_factory.mktemp("exporting") / "20260314T092653Z_Lab_5f0c1a9e"
    infos = {
        name: CameraInfo(
            name, f"{vendor} {model}", f"{vendor} {model}", "A 1", "active stereo", 30.0, live=True
        )
        for name, vendor, model in (("left", "RealSense", "D435"), ("right", "Orbbec", "Gemini 335"))
    }
    cameras = [session_camera(info, frame_of(name, 0)) for name, info in infos.items()]
    writer = SessionWriter(folder, cameras, scene="office", site="Lab", tags=["glass"], notes='a "note", two')
    for index in range(FRAMES):
        for name in infos:
            writer.write(encode(frame_of(name, index)))
    made_by = MadeBy(model="demo", title="MDM small", weights_sha256="ab" * 32, tokens=300)
    for index in (2, 3):
        depth = DepthMap(np.full((HEIGHT, WIDTH), 1234, np.uint16), UNITS_M["left"])
        provenance = np.resize(np.arange(4, dtype=np.uint8), (HEIGHT, WIDTH))
        meta = RefinedMeta(frame_number=index + 100, took_ms=9.0, made_by=made_by)
        ready_ns = START_NS + index * PERIOD_NS + 9_000_000
        assert writer.write_refined(
            encode_refined("left", RefinedFrame(depth, provenance, meta), ready_ns=ready_ns)
        )
    start_ns = writer.info.anchor.utc_from_monotonic(START_NS)
    writer.add_label(add_label("mark", "mirror", start_ns=start_ns + 2 * PERIOD_NS))
    writer.close()
    return folder


@pytest.fixture
def session(folder) -> Session:
    """The session, opened."""
    return Session(folder)
