"""How fast depth is compressed, against OpenCV: python benchmarks/encode_speed.py [FOLDER OF FRAMES].

CPU time of one thread, so that other programs do not count. Without a folder the real frames of /work/shared
are taken, or else synthetic ones.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.frames_folder import frame_folders, load_frame
from drivers.session.encode import encode
from drivers.session.png16 import decode_png16, encode_png16

Depth = NDArray[np.uint16]
REPEATS = 7


def cpu_ms(work: Callable[[], object]) -> float:
    """Median CPU time of this thread."""
    times = []
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return float(np.median(times)) * 1e3


def opencv_png(values: Depth) -> bytes:
    done, data = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()


def synthetic() -> dict[str, list[Depth]]:
    random = np.random.default_rng(0)
    maps = []
    for _ in range(4):
        depth = np.linspace(600, 4000, 480)[:, None] + random.normal(0, 3, (480, 640))
        depth[random.random((30, 40)).repeat(16, 0).repeat(16, 1) < 0.15] = 0
        maps.append(depth.astype(np.uint16))
    return {"synthetic": maps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("/work/shared/real"))
    folder = parser.parse_args().folder
    frames = [(path, load_frame(path)) for path in frame_folders(folder)] if folder.is_dir() else []
    groups: dict[str, list[Depth]] = {}
    for path, frame in frames:
        groups.setdefault(path.parent.name, []).append(frame.depth.values)
    cv2.setNumThreads(1)
    rows = []
    print(
        f"{'source':20} {'n':>3} {'size':>10} {'ours ms':>8} {'cv2 ms':>8} {'faster':>7} "
        f"{'ours x':>7} {'cv2 x':>7}"
    )
    for name, maps in (groups or synthetic()).items():
        ours_ms = np.mean([cpu_ms(lambda v=values: encode_png16(v)) for values in maps])
        cv2_ms = np.mean([cpu_ms(lambda v=values: opencv_png(v)) for values in maps])
        raw = sum(values.nbytes for values in maps)
        ours = raw / sum(len(encode_png16(values)) for values in maps)
        theirs = raw / sum(len(opencv_png(values)) for values in maps)
        for values in maps:
            assert np.array_equal(decode_png16(encode_png16(values)), values)
        height, width = maps[0].shape
        rows.append((cv2_ms / ours_ms, ours / theirs))
        print(
            f"{name:20} {len(maps):3} {f'{width}x{height}':>10} {ours_ms:8.2f} {cv2_ms:8.2f} "
            f"{rows[-1][0]:6.1f}x {ours:7.2f} {theirs:7.2f}"
        )
    faster, smaller = np.array(rows).T
    print(f"medians: {np.median(faster):.1f} times as fast, {np.median(smaller):.2f} times the compression")
    if frames:
        whole_ms = [cpu_ms(lambda f=frame: encode(f)) for _, frame in frames if frame.color.shape[0] == 480]
        if whole_ms:
            print(f"colour JPEG and depth PNG of one 640x480 frame: {np.median(whole_ms):.1f} ms")


if __name__ == "__main__":
    main()
