"""Speed of training: samples per second, and the share of a step that waits for samples.

    python benchmarks/trainer.py [--recipe bundled] [--steps 20] [--device auto] [--shards FOLDER]
    python benchmarks/trainer.py --recipe paper_vitl --device cuda
    python benchmarks/trainer.py --recipe paper_vitl --steps 2 --warm-up 1 --batch 1 --only shards

Trains on shards (made of simulated rooms first, unless given) and on rooms rendered on the fly. No weights
are needed: a recipe that starts from some starts from random ones here, unless --init names a backbone. With
shards, less than 10 % of a step may be spent waiting; with rooms on the fly the share is printed. So is the
share of the device's matrix rate: floating-point operations are counted by torch, the device's rate is
measured with large products in the precision of the recipe. ViT-L on CUDA has to reach 45 %. The batch is
what one process holds at once in that recipe (paper_vitl: 8). Exit status 1 if a limit is broken.
"""

import argparse
import io
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from torch.utils.flop_counter import FlopCounterMode

from trainer import loop
from trainer.config import SourceConfig, TrainConfig
from trainer.data.batches import on_device, read
from trainer.data.mix import source_for
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored
from trainer.data.synthetic import SyntheticSource
from trainer.progress import Progress
from trainer.recipes import RECIPES, configuration

WAIT_LIMIT = 0.10
MATRIX_LIMIT = 0.45
MATRIX = {"cuda": 8192, "cpu": 2048}
"""Side of the product that the matrix rate is measured with."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=list(RECIPES), default="bundled")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5, help="steps before the clock starts")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--init", type=Path, help="weights to start from, instead of random ones")
    parser.add_argument("--only", choices=["shards", "rooms"])
    parser.add_argument("--workers", type=int)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--samples", type=int, default=128, help="in the shards that are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        shards = options.shards or made(Path(temporary) / "shards", options.samples)
        given = {"batch": options.batch, "workers": options.workers}
        changes = {name: value for name, value in given.items() if value is not None}
        broken = False
        if options.only != "rooms":
            mix = (SourceConfig(kind="shards", path=shards),)
            wait, used = measure("shards", options, mix, changes, Path(temporary) / "run on shards")
            print(f"waiting for shards: {wait:.1%}, limit {WAIT_LIMIT:.0%}")
            broken = wait > WAIT_LIMIT
            if options.recipe == "paper_vitl" and torch.cuda.is_available() and options.device != "cpu":
                print(f"matrix rate: {used:.0%}, at least {MATRIX_LIMIT:.0%}")
                broken |= used < MATRIX_LIMIT
        if options.only != "shards":
            rooms = (SourceConfig(kind="synthetic"),)
            measure("rooms on the fly", options, rooms, changes, Path(temporary) / "run on rooms")
    return int(broken)


def made(folder: Path, count: int) -> Path:
    source = SyntheticSource(0)
    began = time.perf_counter()
    with ShardWriter(shard_path(folder, 0)) as writer:
        for number in range(count):
            sample = source.sample(number)
            writer.add(f"{number:06}", stored(sample, source="synth", scene=f"room {number // 8}"))
    seconds = time.perf_counter() - began
    print(f"{count} samples rendered and stored at {3600 * count / seconds:.0f} samples per hour")
    return folder


def configured(options: argparse.Namespace, mix: tuple, changes: dict) -> TrainConfig:
    steps = options.warm_up + options.steps
    given = {"device": options.device, "synthetic": 1.0, **changes}
    try:
        config = configuration(
            options.recipe, steps=steps, init=options.init, random=not options.init, **given
        )
    except ValueError:  # it adapts weights: those that are bundled
        config = configuration(options.recipe, steps=steps, **given)
    if "batch" not in changes and config.micro_batch:
        config = config.model_copy(update={"batch": config.micro_batch})
    rare = {"score_every": 10**9, "checkpoint_every": 10**9, "report_every": options.warm_up, "held_out": 1}
    return config.model_copy(update={"mix": mix, **rare})


def measure(
    name: str, options: argparse.Namespace, mix: tuple, changes: dict, folder: Path
) -> tuple[float, float]:
    """The share of a step spent waiting for samples, and that of the device's matrix rate."""
    folder.mkdir()
    config = configured(options, mix, changes)
    run = loop.begin(config)
    start = "random weights" if config.init is None else config.init.name
    size = sum(parameter.numel() for parameter in run.model.parameters()) / 1e6
    print(f"{name}: {options.recipe} from {start}, {size:.0f} million parameters, batch {config.batch}")
    source = source_for(config)
    spoken = io.StringIO()
    loop.train(run, source, folder, Progress(folder / "progress.jsonl", as_json=True, out=spoken))
    lines = [json.loads(line) for line in spoken.getvalue().splitlines()]
    steady = [line for line in lines if line["event"] == "step" and line["step"] > options.warm_up]
    rate_hz = len(steady) / sum(1 / line["rate_hz"] for line in steady)
    wait = sum(line["wait_share"] / line["rate_hz"] for line in steady) / sum(
        1 / line["rate_hz"] for line in steady
    )
    device = run.world.device
    print(f"  {rate_hz * config.batch:.2f} samples per second on {device}, {wait:.1%} waiting for samples")
    batch = on_device(read(source, config, 0, range(config.batch)), device)
    run.step = 0
    with FlopCounterMode(display=False) as counter:
        loop.train_step(run, [batch])
    flops = counter.get_total_flops()
    dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
    rate = matrix_rate(device, dtype)
    used = flops * rate_hz / rate
    print(
        f"  {flops / 1e12:.2f} TFLOP per step, {used:.0%} of the measured {config.precision} matrix rate "
        f"({rate / 1e12:.2f} TFLOP/s)"
    )
    return wait, used


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of large products."""
    side = MATRIX[device.type]
    a = torch.randn(side, side, device=device, dtype=dtype)
    for _ in range(3):
        a @ a
    if device.type == "cuda":
        torch.cuda.synchronize()
    loop_s = 0.0
    count = 0
    while loop_s < 1.0:
        began = time.perf_counter()
        for _ in range(10):
            a @ a
        if device.type == "cuda":
            torch.cuda.synchronize()
        loop_s += time.perf_counter() - began
        count += 10
    return count * 2 * side**3 / loop_s


if __name__ == "__main__":
    sys.exit(main())
