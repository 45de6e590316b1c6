"""One simulated sample with everything that the report's carry, and shards of them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from drivers.geometry import Intrinsics
from drivers.synth.render import Transform, inverted
from drivers.synth.scene import close_pose, random_pose, random_scene
from drivers.synth.shapes import Material, Scene
from trainer.data.shard_index import index_path
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import StoredSample
from trainer.simulation.sensors import BAKED, Renderer, Setup, chosen, random_setup, read
from trainer.synth.plan import SynthPlan

SENSOR_WIDTH_MM = 36.0


@dataclass(frozen=True, eq=False)
class Shot:
    """What a sample shows, whoever renders it.

    Attributes:
        scene: the room.
        pose: (4, 4) world_from_camera of the colour camera.
        camera: the colour camera.
        setup: the sensor.
        rng: for the sensor's noise.
    """

    scene: Scene
    pose: Transform
    camera: Intrinsics
    setup: Setup
    rng: np.random.Generator


def shot(plan: SynthPlan, number: int) -> Shot:
    """Room, cameras and sensor of sample `number` of a set."""
    rng = np.random.default_rng((plan.seed, 11, number))
    scene = _room(plan.seed, plan.scene(number))
    close = plan.close > 0 and rng.random() < plan.close
    pose = close_pose(scene, rng) if close else random_pose(scene, rng)
    focal = plan.width * rng.uniform(*plan.focal_mm) / SENSOR_WIDTH_MM
    camera = Intrinsics(plan.width, plan.height, focal, focal, plan.width / 2 - 0.5, plan.height / 2 - 0.5)
    setup = random_setup(chosen(plan.sensors, rng), rng, apart=plan.apart, baseline_m=plan.baseline_m)
    return Shot(scene, pose, camera, setup, rng)


def stored_sample(plan: SynthPlan, number: int) -> StoredSample:
    """Sample `number` of a set, a pure function of its plan.

    Depth comes from matching an infrared pair (or picture and pattern), upsampled by nearest neighbour, or
    from a model of time of flight; of a sensor that stands beside the colour camera it is registered to
    colour. A bare view has no sensor. A window has no depth that could be right: the truth has a hole there.
    """
    seen = shot(plan, number)
    camera, setup = seen.camera, seen.setup
    renderer = _renderer(plan)
    view = renderer.view(seen.scene, seen.pose, camera)
    window = view.material == Material.WINDOW
    bare = StoredSample(
        color=view.color,
        depth=None,
        truth_m=np.where(window, np.float32(0), view.depth_m),
        camera=camera,
        source="synth",
        scene=f"room {plan.scene(number)}",
        nothing=window,
        material=view.material,
    )
    if plan.bare:
        return replace(bare, beyond_m=inverted(view.beyond))
    matched = (plan.matched_width, plan.matched_height)
    reading = read(seen.scene, seen.pose, view, setup, seen.rng, matched=matched, renderer=renderer)
    stereo = reading.ir_left is not None
    disparity_px = view.inverse_depth * np.float32(camera.fx * setup.baseline_m)
    return replace(
        bare,
        depth=reading.depth,
        ir_left=reading.ir_left,
        ir_right=reading.ir_right,
        disparity_px=np.where(window, 0, disparity_px) if stereo else None,
        baseline_m=setup.baseline_m if stereo else None,
        sensor=setup.sensor,
        shift_m=setup.shift_m,
        zoom=setup.zoom,
    )


def _renderer(plan: SynthPlan) -> Renderer:
    if plan.renderer == "opencv":
        return BAKED
    from trainer.synth.physical.library import load

    load()  # says what is missing
    from trainer.synth.physical.renderer import renderer

    return renderer(plan.paths)


@lru_cache(2)
def _room(seed: int, scene: int) -> Scene:
    return random_scene(np.random.default_rng((seed, 12, scene)))


def make_shard(folder: Path, plan: SynthPlan, shard: int) -> int:
    """Write one shard, unless it is there; returns the number of samples that were made.

    Raises:
        OSError: the disk is full.
        TrainingError: the renderer is not installed.
    """
    path = shard_path(folder, shard)
    if index_path(path).is_file():
        return 0
    cv2.setNumThreads(1)  # the other cores make other shards
    if plan.renderer == "mitsuba":
        from trainer.synth.physical.library import use_one_core

        use_one_core()
    with ShardWriter(path) as writer:
        for number in plan.numbers(shard):
            writer.add(f"{number:09}", stored_sample(plan, number))
    return len(plan.numbers(shard))
