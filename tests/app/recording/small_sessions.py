"""Sessions small enough for every test, made with the real writer."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.session.encode import encode
from drivers.session.manifest import (
    MANIFEST_NAME,
    SESSION_NAME,
    CameraTotals,
    Manifest,
    SessionInfo,
    document_hashes,
    read_model,
)
from drivers.session.refined import EncodedRefined, MadeBy, RefinedFrame, RefinedMeta, encode_refined
from drivers.session.writer import SessionWriter, session_camera

PERIOD_NS = 33_333_333
START_NS = 1_000_000_000_000


def small_frame(camera_id: str, index: int) -> Frame:
    lens = Intrinsics(32, 24, 32, 32, 15.5, 11.5)
    color = np.full((24, 32, 3), (40, 120, 200), np.uint8)
    depth = DepthMap(np.full((24, 32), 1500, np.uint16), 0.001)
    captured_ns = START_NS + index * PERIOD_NS
    return Frame(camera_id, index, captured_ns, captured_ns, color, depth, Calibration(lens, lens))


def small_refined(frame: Frame) -> EncodedRefined:
    """Refined depth of a frame, without a hole."""
    made_by = MadeBy(model="classical", title="Classical filling")
    meta = RefinedMeta(frame_number=frame.index, took_ms=5.0, made_by=made_by)
    depth = DepthMap(np.full((24, 32), 1500, np.uint16), 0.001)
    refined = RefinedFrame(depth, np.zeros((24, 32), np.uint8), meta)
    return encode_refined(frame.camera_id, refined, ready_ns=frame.captured_ns + 10_000_000)


def begin_session(folder: Path, *, cameras: tuple[str, ...] = ("left", "right"), frames: int = 4, **labels):
    infos = {
        name: CameraInfo(name, f"{name} camera", "T1", "1", "simulated", 30.0, live=True) for name in cameras
    }
    writer = SessionWriter(
        folder, [session_camera(infos[name], small_frame(name, 0)) for name in cameras], **labels
    )
    for index in range(frames):
        for name in cameras:
            writer.write(encode(small_frame(name, index)))
    return writer


def make_session(folder: Path, *, totals: dict[str, CameraTotals] | None = None, **options: object) -> Path:
    begin_session(folder, **options).close(totals)
    return folder


def begin_at(folder: Path, moment: datetime) -> None:
    """Let a finished session have begun at another time, as if it had been written so."""
    info = read_model(folder / SESSION_NAME, SessionInfo)
    changed = info.model_copy(update={"started_utc": moment.astimezone(UTC).isoformat(timespec="seconds")})
    (folder / SESSION_NAME).write_text(changed.model_dump_json(indent=2), encoding="utf-8")
    manifest = read_model(folder / MANIFEST_NAME, Manifest)
    hashed = manifest.model_copy(update={"documents": document_hashes(folder)})
    (folder / MANIFEST_NAME).write_text(hashed.model_dump_json(indent=2), encoding="utf-8")
