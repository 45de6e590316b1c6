"""How fast a ZED's pair of 720p pictures becomes depth on one thread, and how right that is.

python benchmarks/zed_without_sdk.py

Exit status 1 if a pair takes longer than one period of 15 Hz, or the planes are off by more than a percent.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/drivers"))

import cv2
import numpy as np
from stereo_scene import CONF, PLANES_M, side_by_side

from drivers.stereo import StereoMatcher, read_conf

LIMIT_MS = 1000 / 15
LIMIT_SHARE = 0.01
ROUNDS = 60


def main() -> int:
    """Measure and compare with the limits."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder) / "SN1.conf"
        conf.write_text(CONF)
        pair = read_conf(conf, 1280, 720)
    image, _ = side_by_side(pair)
    matcher = StereoMatcher(pair)
    matcher.matched(image[:, :1280], image[:, 1280:])
    took_ms = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        result = matcher.matched(image[:, :1280], image[:, 1280:])
        took_ms.append((time.perf_counter() - started) * 1000)
    median_ms = float(np.median(took_ms))
    small, metres = matcher.calibration.depth, result.depth.metres
    off = []
    for z_m, left_m, right_m in PLANES_M[1:]:
        ends = [round(small.cx + small.fx * x / z_m) for x in (left_m, right_m)]
        inside = metres[60:300, ends[0] + 20 : ends[1] - 20]
        found_m = float(np.median(inside[inside > 0]))
        off.append(abs(found_m / z_m - 1))
        print(f"plane at {z_m:.1f} m: {found_m:.3f} m, {100 * off[-1]:.2f} % off")
    print(
        f"a pair: {median_ms:.1f} ms median, {max(took_ms):.1f} ms longest (limit {LIMIT_MS:.1f} ms median)"
    )
    return int(median_ms > LIMIT_MS or max(off) > LIMIT_SHARE)


if __name__ == "__main__":
    raise SystemExit(main())
