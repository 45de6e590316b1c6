"""Small sessions for tests, and a program that records until it is killed."""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.frame import Frame, ImuSample
from drivers.geometry import Calibration, Intrinsics
from drivers.session.encode import encode
from drivers.session.refined import EncodedRefined, MadeBy, RefinedFrame, RefinedMeta, encode_refined
from drivers.session.writer import SessionWriter, session_camera

START_NS = time.monotonic_ns()
PERIOD_NS = 33_333_333


def make_frame(
    index: int,
    camera_id: str = "left",
    *,
    width: int = 64,
    height: int = 48,
    unit_m: float = 0.001,
    ir: bool = False,
    truth: bool = False,
    noise: bool = False,
    confidence: bool = False,
    imu: bool = False,
    captured_ns: int | None = None,
) -> Frame:
    random = np.random.default_rng([index, len(camera_id), ord(camera_id[0])])
    lens = Intrinsics(width, height, width, width, width / 2 - 0.5, height / 2 - 0.5)
    values = random.integers(0, 65536, (height, width), dtype=np.uint16)
    color = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if not noise:
        color[:] = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None]
    pattern = np.ascontiguousarray(color[..., 0])
    color_from_depth = np.eye(4)
    color_from_depth[0, 3] = 0.015
    captured_ns = START_NS + index * PERIOD_NS if captured_ns is None else captured_ns
    return Frame(
        camera_id=camera_id,
        index=index,
        captured_ns=captured_ns,
        device_ns=index * PERIOD_NS + 17,
        color=color,
        depth=DepthMap(values, unit_m),
        calibration=Calibration(lens, lens, color_from_depth, lens if ir else None),
        ir_left=pattern.copy() if ir else None,
        ir_right=pattern.copy() if ir else None,
        truth=DepthMap(values // 2, 0.0005) if truth else None,
        confidence=(values >> 8).astype(np.uint8) if confidence else None,
        imu=make_imu(captured_ns) if imu else (),
    )


def make_imu(captured_ns: int) -> tuple[ImuSample, ...]:
    """What a device with a gyroscope at 200 Hz and an accelerometer at 100 Hz says before an exposure."""
    times = [captured_ns - behind_ns for behind_ns in (15_000_000, 10_000_000, 5_000_000)]
    gyroscope = [ImuSample(at_ns, (0.1 * n, -0.2, 0.3), None) for n, at_ns in enumerate(times)]
    return (*gyroscope, ImuSample(times[1], None, (0.5, -9.81, 0.25)))


def make_info(camera_id: str) -> CameraInfo:
    return CameraInfo(camera_id, "Test camera", "T1", "0001", "active stereo", 30.0, live=True)


def record(folder: Path, frames: list[Frame], **options: object) -> SessionWriter:
    """A session with these frames, not closed yet."""
    first = {frame.camera_id: frame for frame in reversed(frames)}
    cameras = [session_camera(make_info(camera_id), frame) for camera_id, frame in sorted(first.items())]
    writer = SessionWriter(folder, cameras, **options)
    for frame in frames:
        writer.write(encode(frame))
    return writer


MADE_BY = MadeBy(
    model="demo", title="MDM small", weights_sha256="ab" * 32, precision="fp32", tokens=300, anchored=True
)


def make_refined(frame: Frame) -> EncodedRefined:
    """Of a frame: every hole at 700 counts, every provenance in turn."""
    values = frame.depth.values.copy()
    values[values == 0] = 700
    height, width = values.shape
    provenance = np.resize(np.arange(4, dtype=np.uint8), (height, width))
    meta = RefinedMeta(frame_number=frame.index, took_ms=12.5, made_by=MADE_BY)
    refined = RefinedFrame(DepthMap(values, frame.depth.unit_m), provenance, meta)
    return encode_refined(frame.camera_id, refined, ready_ns=frame.captured_ns + 40_000_000)


def record_until_killed(folder: Path, cameras: int, width: int, height: int, rate_hz: float) -> None:
    """Record noise in real time with a sync thread; print when each frame that was written was captured."""
    names = [f"cam{number}" for number in range(cameras)]
    stills = [make_frame(n, "noise", width=width, height=height, noise=True) for n in range(4)]
    encoded = [encode(still) for still in stills]
    writer = SessionWriter(folder, [session_camera(make_info(name), stills[0]) for name in names])

    def sync() -> None:
        while True:
            time.sleep(0.25)
            writer.sync()

    threading.Thread(target=sync, name="sync", daemon=True).start()
    start_s = time.perf_counter()
    index = 0
    while True:
        captured_ns = time.monotonic_ns()
        for name in names:
            frame = encoded[index % len(encoded)]
            writer.write(replace(frame, camera_id=name, index=index, captured_ns=captured_ns))
        sys.stdout.write(f"{captured_ns}\n")
        sys.stdout.flush()
        index += 1
        time.sleep(max(0.0, start_s + index / rate_hz - time.perf_counter()))


if __name__ == "__main__":
    record_until_killed(
        Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    )
