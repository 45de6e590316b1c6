"""Renderers of simulated rooms: samples per hour, each a picture, its truth and one sensor's depth.

    python benchmarks/renderers.py [--size 448x336] [--device auto] [--batch 4] [--samples 16] [--processes 0]

"drawn" is the renderer of the demo rig and "physical" Mitsuba, both on all cores, "cast" the ray caster on
torch tensors on one device. All draw their sensors from the same mix and match at three quarters of the size.
On a GPU: --only cast --device cuda --batch 64 --samples 2048. "physical" needs `pip install .[render]` and
libllvm19; without them the benchmark says so and measures the others. A renderer more is an entry in
RENDERERS. Views of --rooms rooms are then made by each: exit status 1 if in any of them depth or material is
another than drawn in more than 1 % of pixels, or if a renderer made pictures without depth. Four minutes on
two cores.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drivers.geometry import Intrinsics
from drivers.synth.render import Transform, render
from drivers.synth.scene import random_pose, random_scene
from drivers.synth.shapes import Scene
from trainer.data.cast import CastSource
from trainer.data.samples import TensorSample
from trainer.data.synthetic import VIEWS, furnished
from trainer.errors import TrainingError
from trainer.simulation.tensors.upload import uploaded
from trainer.simulation.tensors.view import rendered
from trainer.synth.make import stored_sample
from trainer.synth.physical.library import load, use_one_core
from trainer.synth.plan import SynthPlan

ALIKE = 0.99
VIEWS_PER_ROOM = 4
CAMERA = Intrinsics(224, 168, 175.0, 175.0, 111.5, 83.5)
ROOMS = 2
"""Of the stored samples: as many as a process keeps."""
Pixels = tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8] | None]
"""(H, W) planar depth in metres, (H, W) material, (H, W, 3) colour or None."""
Views = Callable[[Scene, list[Transform], torch.device], Iterator[Pixels]]


@dataclass(frozen=True)
class Rate:
    """What was measured.

    Attributes:
        samples_s: with rooms that are furnished already.
        measured: share of pixels with depth.
        room_s: to furnish a room, which one core does.
        rooms_at_once: how many are furnished at once.
    """

    samples_s: float
    measured: float
    room_s: float
    rooms_at_once: int

    @property
    def whole_s(self) -> float:
        """Samples per second with a new room for every 128 of them, furnished before and not beside."""
        return 1 / (1 / self.samples_s + self.room_s / self.rooms_at_once / VIEWS)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=_size, default=(448, 336), metavar="WxH")
    parser.add_argument("--device", default="auto", help="of the cast renderer: auto, cpu or cuda")
    parser.add_argument("--batch", type=int, default=4, help="views at once on the device")
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--processes", type=int, default=0, help="of drawn and physical; 0 for one per core")
    parser.add_argument("--rooms", type=int, default=6, help="in which they are compared; 0 for none")
    parser.add_argument("--only", choices=list(RENDERERS), action="append")
    options = parser.parse_args()
    if options.device == "auto":
        options.device = "cuda" if torch.cuda.is_available() else "cpu"
    options.processes = options.processes or os.cpu_count() or 1
    width, height = options.size
    print(f"{options.samples} samples of {width} x {height}")
    empty = False
    measured = []
    for name in options.only or RENDERERS:
        try:
            rate = RENDERERS[name](options)
        except TrainingError as error:
            print(f"{name:8} not measured: {error} {error.hint}")
            continue
        measured.append(name)
        print(
            f"{name:8} {3600 * rate.samples_s:10,.0f} samples per hour with rooms ready, "
            f"{3600 * rate.whole_s:10,.0f} with a room of {rate.room_s:.2f} s for every {VIEWS}; "
            f"{100 * rate.measured:.0f} % of pixels measured",
            flush=True,
        )
        empty |= rate.measured < 0.3
    apart = [
        differ(name, views, options.rooms, torch.device(options.device))
        for name, views in (("cast", cast_views), ("physical", physical_views))
        if options.rooms and name in measured
    ]
    return int(empty or any(apart))


def differ(name: str, views: Views, rooms: int, device: torch.device) -> bool:
    """Print how many pixels of a renderer's views are as they are drawn; whether too few are."""
    alike: dict[str, list[float]] = {}
    for number in range(rooms):
        rng = np.random.default_rng((7, number))
        scene = random_scene(rng)
        poses = [random_pose(scene, rng) for _ in range(VIEWS_PER_ROOM)]
        for pose, (depth_m, material, color) in zip(poses, views(scene, poses, device), strict=True):
            seen = render(scene, pose, CAMERA)
            same = {
                "depth within 1 mm": np.abs(depth_m - seen.depth_m) < 0.001,
                "material": material == seen.material,
            }
            if color is not None:
                same["colour within 8 of 255"] = np.abs(color - seen.color).max(axis=-1) <= 8
            for what, pixels in same.items():
                alike.setdefault(what, []).append(float(pixels.mean()))
    for what, shares in alike.items():
        print(
            f"{name:8} {what}: as drawn in {100 * np.mean(shares):.2f} % of pixels, "
            f"least of {len(shares)} views {100 * min(shares):.2f} %"
        )
    return min(*alike["depth within 1 mm"], *alike["material"]) < ALIKE


def cast_views(scene: Scene, poses: list[Transform], device: torch.device) -> Iterator[Pixels]:
    """Depth, material and colour."""
    view = rendered(
        uploaded(scene, device),
        torch.tensor(np.array(poses), dtype=torch.float32, device=device),
        torch.tensor([[CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy]] * len(poses), device=device),
        (CAMERA.height, CAMERA.width),
    )
    for k in range(len(poses)):
        color = view.color[k].permute(1, 2, 0).cpu().numpy()
        yield view.depth_m[k].cpu().numpy(), view.material[k].cpu().numpy(), color


def physical_views(scene: Scene, poses: list[Transform], _device: torch.device) -> Iterator[Pixels]:
    """Depth and material; its light is its own."""
    from trainer.synth.physical import studio, tracer

    built = studio.studio(scene)
    for pose in poses:
        depth_m, _, material = tracer.first_surfaces(built, pose, CAMERA)
        yield depth_m, material, None


def stored(renderer: Literal["opencv", "mitsuba"], options: argparse.Namespace) -> Rate:
    """Samples as `synth` makes them for its shards."""
    plan = _plan(options, renderer)
    if renderer == "mitsuba":
        load()  # says what is missing
    began = time.perf_counter()
    furnished(0, 0)
    room_s = time.perf_counter() - began
    count = options.processes
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        ends = (0, options.samples - 1)
        list(pool.map(_made, [plan] * count, [ends] * count))  # furnishes the rooms, compiles the kernels
        parts = [range(k, options.samples, count) for k in range(count)]
        began = time.perf_counter()
        shares = [share for part in pool.map(_made, [plan] * count, parts) for share in part]
        took_s = time.perf_counter() - began
    return Rate(len(shares) / took_s, sum(shares) / len(shares), room_s, count)


def _made(plan: SynthPlan, numbers: Iterable[int]) -> list[float]:
    cv2.setNumThreads(1)
    if plan.renderer == "mitsuba":
        use_one_core()
    return [float((stored_sample(plan, number).depth.values > 0).mean()) for number in numbers]


def cast(options: argparse.Namespace) -> Rate:
    device = torch.device(options.device)
    width, height = options.size
    source = CastSource(0, device, width=width, height=height)
    began = time.perf_counter()
    uploaded(furnished(0, 1 << 30), device)
    room_s = time.perf_counter() - began
    numbers = list(range(options.samples))
    for start in range(0, options.samples, options.batch):  # rooms, and kernels that are made at first use
        source.samples(numbers[start : start + options.batch])
    _wait(device)
    began, shares = time.perf_counter(), []
    for start in range(0, options.samples, options.batch):
        for sample in source.samples(numbers[start : start + options.batch]):
            assert isinstance(sample, TensorSample)
            shares.append((sample.depth_m > 0).float().mean())
    _wait(device)
    took_s = time.perf_counter() - began
    print(
        f"         cast on {torch.cuda.get_device_name(device) if device.type == 'cuda' else 'the processor'}"
    )
    return Rate(options.samples / took_s, float(torch.stack(shares).mean()), room_s, 1)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _plan(options: argparse.Namespace, renderer: Literal["opencv", "mitsuba"]) -> SynthPlan:
    width, height = options.size
    return SynthPlan(
        scenes=ROOMS,
        samples=options.samples,
        width=width,
        height=height,
        matched_width=width * 3 // 4,
        matched_height=height * 3 // 4,
        renderer=renderer,
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


RENDERERS: dict[str, Callable[[argparse.Namespace], Rate]] = {
    "drawn": partial(stored, "opencv"),
    "cast": cast,
    "physical": partial(stored, "mitsuba"),
}

if __name__ == "__main__":
    sys.exit(main())
