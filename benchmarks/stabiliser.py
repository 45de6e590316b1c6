"""What steadying repaired depth over time does: flicker, ghosts behind a moving hand, time.

    python benchmarks/stabiliser.py [--model demo] [--frames 45]

The three cameras of the demo rig stand still before a kitchen in which a cup slides and a hand is waved
through the picture at up to 1.5 m/s. Everything is compared with the repair of single frames in the same run,
and with the exact depth that simulated cameras know.

Ends with 1 if flicker on still pixels falls by less than half, if more than 1 % of the pixels that the hand
has just left or covered keep the depth that was there before, if more of them are wrong than without, or if
it takes longer than 15 ms for each frame (age is otherwise unchanged: it looks back only).
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from numpy.typing import NDArray

from app.flow.refine import Engine
from app.quality.temporal import flicker_mm, temporal_noise_mm
from drivers.cameras.synthetic import SyntheticCamera, demo_rig
from drivers.geometry import register_depth
from drivers.synth.scene import camera_path, demo_scene
from drivers.synth.shapes import Ball, Material, Scene, Texture
from model.engine import build
from model.spec import EngineChoice
from model.stabilise import Stabiliser

LEAST_CUT = 0.5
MOST_GHOSTS = 0.01
LONGEST_MS = 15.0
RIGHT = 0.05
"""A depth is right if it is less than this share off."""
MEMORY = 8
"""Frames back in which a ghost's depth may have been true."""
WARM_UP = 8
HAND_M = 0.75
"""Distance from the rig's middle camera to the hand's path."""

Map = NDArray[np.float32]


def main() -> int:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=words)
    parser.add_argument("--model", default="demo", help="demo, classical, or a weights file")
    parser.add_argument("--frames", type=int, default=45)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    engine = build(EngineChoice(model=args.model))
    scene = with_hand(demo_scene())
    print(f"{engine.label}, {args.frames} frames of each camera")
    print(f"{'camera':<22}{'':<10}{'flicker':>9}{'noise':>9}{'wrong':>8}{'ghosts':>8}{'took':>9}")
    good = True
    for camera in demo_rig():
        watched = SyntheticCamera(
            camera.info.id, camera._kind, seed=camera._seed, viewpoint=camera._viewpoint, scene=scene
        )
        watched.still = True
        good = report(camera.info.name, watch(watched, engine, args.frames)) and good
    limits = f"flicker -{LEAST_CUT:.0%}, ghosts {MOST_GHOSTS:.0%}, wrong not more, {LONGEST_MS:.0f} ms"
    print(f"limits ({limits}) {'kept' if good else 'BROKEN'}")
    return 0 if good else 1


def with_hand(scene: Scene) -> Scene:
    """The scene with a skin-coloured ellipsoid on a fast path in front of the middle camera."""
    pose = camera_path(scene, 0.0, 1)
    centre = pose[:3, 3] + pose[:3, 2] * HAND_M - pose[:3, 1] * 0.02
    skin = np.full((32, 64, 4), (205, 150, 125, 255), np.uint8)
    skin[::4, :, :3] -= 18  # a little shading, so that it is no flat spot
    hand = Ball(centre, np.array([0.045, 0.03, 0.09]), Texture((skin,)), Material.MATTE, moving=True)
    return replace(scene, balls=(*scene.balls, hand), travel_m=pose[:3, 0] * 0.5, travel_s=2.1)


@dataclass(eq=False)
class Seen:
    """All frames of one camera, (T, H, W) float32 metres each, and how long each took in milliseconds."""

    truth: list[Map] = field(default_factory=list)
    plain: list[Map] = field(default_factory=list)
    steady: list[Map] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)


def watch(camera: SyntheticCamera, engine: Engine, frames: int) -> Seen:
    stabiliser = Stabiliser()
    seen = Seen()
    for index in range(frames):
        frame = camera.expose(index)
        assert frame.truth is not None
        raw = register_depth(frame.depth, frame.calibration)
        repair = engine.repair(frame.color, raw.values, raw.unit_m)
        started_s = time.perf_counter()
        steadied = stabiliser.steadied(frame.color, raw.metres, repair)
        seen.took_ms.append((time.perf_counter() - started_s) * 1e3)
        seen.truth.append(frame.truth.metres)
        seen.plain.append(np.where(np.isfinite(repair.depth_m), repair.depth_m, 0))
        seen.steady.append(np.where(np.isfinite(steadied.depth_m), steadied.depth_m, 0))
    return seen


def report(name: str, seen: Seen) -> bool:
    truth = np.stack(seen.truth)
    moving = np.ptp(truth, axis=0) > 1e-3 * truth[0]
    still = cv2.erode((~moving).astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    took_ms = statistics.median(seen.took_ms)
    figures = []
    for words, shown in (("one frame", seen.plain), ("steadied", seen.steady)):
        depths_mm = np.stack(shown[WARM_UP:]) * np.float32(1e3)
        flicker, noise = flicker_mm(depths_mm, still), temporal_noise_mm(depths_mm, still)
        assert flicker is not None
        wrong, ghosts = behind_the_hand(truth, np.stack(shown), np.stack(seen.plain))
        figures.append((flicker, wrong, ghosts))
        spent = f"{took_ms:>6.1f} ms" if shown is seen.steady else ""
        print(
            f"{name:<22}{words:<10}{flicker:>6.2f} mm{noise or 0:>6.2f} mm{wrong:>8.2%}{ghosts:>8.2%}{spent}"
        )
        name = ""
    (before, wrong_before, _), (after, wrong_after, ghosts) = figures
    return (
        after <= LEAST_CUT * before
        and ghosts <= MOST_GHOSTS
        and wrong_after <= wrong_before + 0.002
        and took_ms <= LONGEST_MS
    )


def behind_the_hand(truth: Map, shown: Map, plain: Map) -> tuple[float, float]:
    """Of the pixels whose true depth has just changed: share that is wrong, and that shows what was there.

    A ghost is nearer to a depth that was true a few frames ago than to the present one, and is none where the
    repair of the single frame is as wrong.
    """
    wrong = ghosts = pixels = 0
    for t in range(WARM_UP, len(truth)):
        now, past = truth[t], truth[t - MEMORY : t]
        changed = (np.abs(past - now) > 2 * RIGHT * now).any(axis=0) & (shown[t] > 0)
        off = np.abs(shown[t] - now)
        nearer_to_past = (np.abs(shown[t] - past).min(axis=0) < off) & (off > RIGHT * now)
        of_plain = np.abs(plain[t] - now) > RIGHT * now
        pixels += int(changed.sum())
        wrong += int((changed & (off > RIGHT * now)).sum())
        ghosts += int((changed & nearer_to_past & ~of_plain).sum())
    assert pixels, "nothing moved"
    return wrong / pixels, ghosts / pixels


if __name__ == "__main__":
    sys.exit(main())
