"""Depth in the colour view: ours beside the RealSense and Orbbec SDKs' own, on their recorded files.

    python benchmarks/registration.py [--out /tmp/registration]

One thread. Limits: the median difference below one count for both, a frame of 1280 x 720 in 6 ms or less
(with a distorted colour lens too). Writes crops of edges as PNG: colour, the SDK's depth, ours, and where
they differ. Exit status 1 where a limit is missed, 2 where the files or the SDKs are missing.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from drivers.cameras import orbbec, realsense
from drivers.depth import DepthMap
from drivers.geometry import Calibration, Intrinsics, register_depth
from drivers.registry import open_source

DATA = Path(__file__).parents[2] / "shared/sdk/data"
LIMIT_MS, LIMIT_COUNTS = 6.0, 1.0
ROUNDS = 30
CROP_PX = 96


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """The median; by default as the wall clock says, since the SDKs have threads of their own."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = clock()
        work()
        took.append(clock() - began)
    return float(np.median(took)) * 1e3


def of_realsense(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Depth, the SDK's aligned depth, and what a call of it takes."""
    rs = realsense.SDK.load()
    pipe, config = rs.pipeline(), rs.config()
    config.enable_device_from_file(str(path), repeat_playback=False)
    pipe.start(config)
    frames = pipe.wait_for_frames(5000)
    align = rs.align(rs.stream.color)
    depth = np.asanyarray(frames.get_depth_frame().get_data()).copy()
    aligned = np.asanyarray(align.process(frames).get_depth_frame().get_data()).copy()
    took_ms = milliseconds(lambda: align.process(frames))
    pipe.stop()
    return depth, aligned, took_ms


def of_orbbec(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Depth, the SDK's aligned depth, and what a call of it takes."""
    ob = orbbec.SDK.load()
    device = ob.PlaybackDevice(str(path))
    pipe, config = ob.Pipeline(device), ob.Config()
    sensors = device.get_sensor_list()
    for i in range(len(sensors)):
        profiles = pipe.get_stream_profile_list(sensors[i].get_type())
        config.enable_stream(profiles.get_default_video_stream_profile())
    config.set_frame_aggregate_output_mode(ob.OBFrameAggregateOutputMode.FULL_FRAME_REQUIRE)
    pipe.start(config)
    frames = None
    patience_s = time.monotonic() + 20
    while frames is None and time.monotonic() < patience_s:
        frames = pipe.wait_for_frames(200)
    assert frames is not None, "the recording delivers no frame set"
    align = ob.AlignFilter(align_to_stream=ob.OBStreamType.COLOR_STREAM)

    def image(frame: object) -> np.ndarray:
        video = frame.as_video_frame()
        data = np.frombuffer(video.get_data(), np.uint16)
        return data.reshape(video.get_height(), video.get_width()).copy()

    depth = image(frames.get_frame(ob.OBFrameType.DEPTH_FRAME))
    aligned = image(align.process(frames).as_frame_set().get_depth_frame())
    took_ms = milliseconds(lambda: align.process(frames))
    pipe.stop()
    return depth, aligned, took_ms


def edges_of(aligned: np.ndarray) -> tuple[slice, slice]:
    """The part of a picture that has the most depth edges."""
    step = cv2.morphologyEx(aligned, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 60
    busy = cv2.boxFilter(step.astype(np.float32), -1, (CROP_PX, CROP_PX))
    half = CROP_PX // 2
    inner = busy[half:-half, half:-half]
    row, column = np.unravel_index(int(inner.argmax()), inner.shape)
    return slice(row, row + CROP_PX), slice(column, column + CROP_PX)


def painted(counts: np.ndarray, near: float, far: float) -> np.ndarray:
    """(H, W, 3) uint8 BGR; what was not measured is black."""
    share = np.clip((counts.astype(np.float32) - near) / max(far - near, 1), 0, 1)
    colours = cv2.applyColorMap(np.uint8(255 * share), cv2.COLORMAP_TURBO)
    colours[counts == 0] = 0
    return colours


def crops(name: str, color: np.ndarray, sdk: np.ndarray, ours: np.ndarray, out: Path) -> None:
    part = edges_of(sdk)
    some = sdk[part][sdk[part] > 0]
    near, far = np.percentile(some, [2, 98]) if some.size else (0, 1)
    differ = np.abs(sdk[part].astype(int) - ours[part].astype(int))
    panes = [
        color[part][..., ::-1],
        painted(sdk[part], near, far),
        painted(ours[part], near, far),
        cv2.cvtColor(np.uint8(np.clip(differ * 8, 0, 255)), cv2.COLOR_GRAY2BGR),
    ]
    large = [cv2.resize(pane, None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST) for pane in panes]
    out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out / f"{name}.png"), np.hstack(large))
    print(f"  crops: {out / f'{name}.png'}")


def compare(name: str, path: Path, of_sdk: Callable, out: Path) -> bool:
    depth, sdk, sdk_ms = of_sdk(path)
    (camera,) = open_source(str(path))
    with camera:
        frame = camera.read(timeout_s=10)
    assert frame is not None
    unit_m = frame.depth.unit_m
    own = DepthMap(depth, unit_m)
    ours = register_depth(own, frame.calibration).values
    ours_ms = milliseconds(lambda: register_depth(own, frame.calibration))
    both = (sdk > 0) & (ours > 0)
    differ = np.abs(sdk[both].astype(int) - ours[both].astype(int))
    good = float(np.median(differ)) < LIMIT_COUNTS
    print(
        f"{name}: {depth.shape[1]} x {depth.shape[0]} to {ours.shape[1]} x {ours.shape[0]}: "
        f"SDK {sdk_ms:.1f} ms, ours {ours_ms:.1f} ms; differ by {np.median(differ):.2f} counts (median, "
        f"limit < 1), {100 * np.mean(differ <= 1):.1f} % by one at most; measured in the colour view "
        f"{100 * np.mean(sdk > 0):.1f} % by the SDK, {100 * np.mean(ours > 0):.1f} % by ours: "
        f"{'ok' if good else 'MISSED'}"
    )
    crops(name, frame.color, sdk, ours, out)
    return good


def speed() -> bool:
    """A D435's grids at 1280 x 720, depth with holes; with a plain and with a distorted colour lens."""
    columns, rows = np.meshgrid(np.arange(1280), np.arange(720))
    counts = (1500 + 300 * np.sin(columns / 50) + 200 * np.cos(rows / 40)).astype(np.uint16)
    counts[200:400, 500:700] = 700
    counts[500:520] = 0
    color_from_depth = np.eye(4)
    color_from_depth[:3, :3] = cv2.Rodrigues(np.array([0.01, 0.02, -0.005]))[0]
    color_from_depth[:3, 3] = [0.015, 0.001, 0.0005]
    depth = Intrinsics(1280, 720, 640, 640, 640, 360)
    good = True
    for name, distortion in (("plain", ()), ("distorted", (0.1, -0.2, 0.001, -0.001, 0.05))):
        color = Intrinsics(1280, 720, 920, 920, 640, 360, distortion)
        calibration = Calibration(color, depth, color_from_depth)
        frame = DepthMap(counts, 0.001)
        took_ms = milliseconds(
            lambda frame=frame, to=calibration: register_depth(frame, to), time.thread_time
        )
        good &= took_ms <= LIMIT_MS
        print(f"1280 x 720 to 1280 x 720, {name} lens: {took_ms:.2f} ms of one thread (limit {LIMIT_MS:.0f})")
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("/tmp/registration"))
    args = parser.parse_args()
    cv2.setNumThreads(1)
    good = speed()
    files = (
        ("realsense", DATA / "d435_640x480_30f.db3", of_realsense, realsense.SDK),
        ("orbbec", DATA / "gemini335_320x240_30f.bag", of_orbbec, orbbec.SDK),
    )
    missing = [str(path) for _, path, _, _ in files if not path.exists()]
    missing += [sdk.title for *_, sdk in files if not sdk.state().ready]
    if missing:
        print(f"not compared, missing: {', '.join(missing)}")
        return 2
    for name, path, of_sdk, _ in files:
        good &= compare(name, path, of_sdk, args.out)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
