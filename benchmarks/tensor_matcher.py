"""The matcher on tensors beside OpenCV's, on the same infrared pairs: what both answer and how far apart.

    python benchmarks/tensor_matcher.py [--views 12] [--size 640x480] [--device cpu]

Exit status 1 if, of active stereo, less than 95 % of pixels are valid in both or in neither, less than 95 %
of what is valid in both is within one pixel of disparity, or less than 75 % of the holes of either are holes
of both; of passive stereo 90 %, 95 % and 60 %. Three minutes on two cores.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch

from drivers.geometry import Intrinsics
from drivers.synth.render import render
from drivers.synth.scene import random_pose, random_scene
from drivers.synth.shapes import Material
from trainer.simulation.sensors import BASELINE_M, POWER
from trainer.simulation.stereo import MATCHERS, NEAREST_M, infrared_pair, match
from trainer.simulation.tensors.match import matched

VIEWS_PER_ROOM = 4
LIMITS = {"passive": (0.90, 0.95, 0.60)}
USUAL = (0.95, 0.95, 0.75)
"""Least share of pixels valid in both or neither, of those within a pixel, and of holes in both."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--views", type=int, default=12)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split("x"))
    cv2.setNumThreads(1)
    broken = False
    for name in MATCHERS:
        broken |= compared(name, options.views, width, height, torch.device(options.device))
    return int(broken)


def compared(name: str, views: int, width: int, height: int, device: torch.device) -> bool:
    """Print what both make of the same pairs; whether a limit is broken."""
    matcher, rng = MATCHERS[name], np.random.default_rng(11)
    same, both, apart = [], [], []
    shared_holes = any_holes = 0
    surface, theirs_empty, ours_empty = (np.zeros(len(Material)) for _ in range(3))
    times_s = [0.0, 0.0]
    scene = None
    for number in range(views):
        if number % VIEWS_PER_ROOM == 0:
            scene = random_scene(rng)
        pose, focal = random_pose(scene, rng), width * rng.uniform(16, 28) / 36
        camera = Intrinsics(width, height, focal, focal, width / 2 - 0.5, height / 2 - 0.5)
        baseline_m = rng.uniform(*BASELINE_M)
        beside = np.eye(4)
        beside[0, 3] = baseline_m
        left, right = render(scene, pose, camera), render(scene, pose @ beside, camera)
        power = float(np.exp(rng.uniform(*np.log(POWER))))
        pair = infrared_pair(
            left, right, baseline_m=baseline_m, projector=matcher.projector, power=power, rng=rng
        )
        most_px = min(int(focal * baseline_m / NEAREST_M) + 1, width // 2)
        began = time.perf_counter()
        theirs = match(*pair, matcher, most_px=most_px)
        times_s[0] += time.perf_counter() - began
        began = time.perf_counter()
        tensors = [torch.from_numpy(picture).to(device).float()[None] for picture in pair]
        ours = matched(*tensors, matcher, most_px=most_px)[0].cpu().numpy()
        times_s[1] += time.perf_counter() - began
        valid = (theirs > 0) & (ours > 0)
        same.append(((theirs > 0) == (ours > 0)).mean())
        both.append(valid.mean())
        shared_holes += int(((theirs <= 0) & (ours <= 0)).sum())
        any_holes += int((~valid).sum())
        apart.append(np.abs(theirs - ours)[valid])
        surface += np.bincount(left.material.ravel(), minlength=len(Material))
        theirs_empty += np.bincount(left.material[theirs <= 0], minlength=len(Material))
        ours_empty += np.bincount(left.material[ours <= 0], minlength=len(Material))
    px = np.concatenate(apart)
    agreed, close, overlap = float(np.mean(same)), float((px <= 1).mean()), shared_holes / any_holes
    print(
        f"{name}: valid in both or in neither {100 * agreed:.1f} %, in both {100 * np.mean(both):.1f} %; "
        f"apart by {np.median(px):.3f} px (median), {np.percentile(px, 90):.3f} (90 %); "
        f"within half a pixel {100 * (px < 0.5).mean():.1f} %, within one {100 * close:.1f} %; "
        f"of the holes of either {100 * overlap:.1f} % are holes of both; "
        f"{1000 * times_s[0] / views:.0f} and {1000 * times_s[1] / views:.0f} ms a pair"
    )
    shares = [
        f"{material.name.lower().replace('_', ' ')} {100 * theirs_empty[material] / surface[material]:.0f} "
        f"and {100 * ours_empty[material] / surface[material]:.0f}"
        for material in Material
        if surface[material]
    ]
    print(f"  holes in %, OpenCV's and ours: {', '.join(shares)}", flush=True)
    limits = LIMITS.get(name, USUAL)
    broken = any(found < least for found, least in zip((agreed, close, overlap), limits, strict=True))
    if broken:
        print(f"LIMIT: {name} has to reach {', '.join(f'{100 * least:.0f} %' for least in limits)}")
    return broken


if __name__ == "__main__":
    sys.exit(main())
