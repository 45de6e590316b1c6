"""One simulated sample with everything that the report's carry, and shards of them."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap, depth_map
from drivers.geometry import Intrinsics
from drivers.synth.render import View, render
from drivers.synth.scene import random_pose, random_scene
from drivers.synth.sensor import SensorKind, measure, random_params
from drivers.synth.shapes import Material, Scene
from trainer.data.shard_index import index_path
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import StoredSample
from trainer.synth.plan import SynthPlan
from trainer.synth.stereo import MATCHERS, NEAREST_M, Matcher, depth_of, infrared_pair, match

SENSOR_WIDTH_MM = 36.0
TIME_OF_FLIGHT = SensorKind.TIME_OF_FLIGHT.value
POWER = (0.4, 2.5)
"""Range of the projector's power beside the room's light, drawn evenly in the logarithm."""
UNIT_M = 0.001


def stored_sample(plan: SynthPlan, number: int) -> StoredSample:
    """Sample `number` of a set, a pure function of its plan.

    Colour is the left camera's. Depth comes from matching the infrared pair, upsampled by nearest neighbour,
    or from a model of time of flight. A window has no depth that could be right: the truth has a hole there.
    """
    rng = np.random.default_rng((plan.seed, 11, number))
    scene = _room(plan.seed, plan.scene(number))
    pose = random_pose(scene, rng)
    focal = plan.width * rng.uniform(*plan.focal_mm) / SENSOR_WIDTH_MM
    baseline_m = float(rng.uniform(*plan.baseline_m))
    camera = Intrinsics(plan.width, plan.height, focal, focal, plan.width / 2 - 0.5, plan.height / 2 - 0.5)
    names = sorted(plan.sensors)
    shares = np.array([plan.sensors[name] for name in names])
    sensor = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    left = render(scene, pose, camera)
    small = camera.scaled(plan.matched_width, plan.matched_height)
    beside = np.eye(4)
    beside[0, 3] = baseline_m
    right = render(scene, pose @ beside, small)
    power = float(np.exp(rng.uniform(*np.log(POWER))))
    pair = infrared_pair(
        _reduced(left, small),
        right,
        baseline_m=baseline_m,
        projector=sensor != "passive",
        power=power,
        rng=rng,
    )
    if sensor == TIME_OF_FLIGHT:
        kind = SensorKind.TIME_OF_FLIGHT
        depth = DepthMap(measure(left, kind, rng, random_params(rng, kind)), UNIT_M)
    else:
        size = (plan.width, plan.height)
        depth = _matched(pair, MATCHERS[sensor], size, focal_px=small.fx, baseline_m=baseline_m)
    window = left.material == Material.WINDOW
    return StoredSample(
        color=left.color,
        depth=depth,
        truth_m=np.where(window, np.float32(0), left.depth_m),
        camera=camera,
        source="synth",
        scene=f"room {plan.scene(number)}",
        nothing=window,
        material=left.material,
        ir_left=pair[0],
        ir_right=pair[1],
        disparity_px=np.where(window, 0, left.inverse_depth * np.float32(camera.fx * baseline_m)),
        baseline_m=baseline_m,
        sensor=sensor,
    )


def _matched(
    pair: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    matcher: Matcher,
    size: tuple[int, int],
    *,
    focal_px: float,
    baseline_m: float,
) -> DepthMap:
    """What a stereo camera reports, brought to (width, height) by nearest neighbour."""
    most_px = min(int(focal_px * baseline_m / NEAREST_M) + 1, pair[0].shape[1] // 2)
    depth = depth_of(match(*pair, matcher, most_px=most_px), focal_px=focal_px, baseline_m=baseline_m)
    whole = np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST), np.float32)
    return depth_map(whole, unit_m=UNIT_M)


def _reduced(view: View, camera: Intrinsics) -> View:
    """The view at the size of the infrared pair, with averaged colours."""
    coarse = view.scaled(camera)
    color = cv2.resize(view.color, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    return View(
        np.asarray(color, np.uint8),
        coarse.depth_m,
        coarse.inverse_depth,
        coarse.beyond,
        coarse.material,
        camera,
    )


@lru_cache(2)
def _room(seed: int, scene: int) -> Scene:
    return random_scene(np.random.default_rng((seed, 12, scene)))


def make_shard(folder: Path, plan: SynthPlan, shard: int) -> int:
    """Write one shard, unless it is there; returns the number of samples that were made.

    Raises:
        OSError: the disk is full.
    """
    path = shard_path(folder, shard)
    if index_path(path).is_file():
        return 0
    cv2.setNumThreads(1)  # the other cores make other shards
    with ShardWriter(path) as writer:
        for number in plan.numbers(shard):
            writer.add(f"{number:09}", stored_sample(plan, number))
    return len(plan.numbers(shard))
