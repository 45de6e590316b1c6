"""Speed of training: samples per second, and the share of a step that waits for samples.

    python benchmarks/trainer.py [--recipe bundled] [--steps 20] [--device auto] [--shards FOLDER] [--samples
    128]

Trains on shards (made of simulated rooms first, unless given) and on rooms rendered on the fly. With shards,
less than 10 % of a step may be spent waiting; with rooms on the fly the share is printed. On CUDA, the share
of the device's bf16 matrix rate is printed as well: floating-point operations are counted by torch, the
device's rate is measured with one large product. Exit status 1 if a limit is broken.
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
from trainer.config import SourceConfig
from trainer.data.batches import on_device, read
from trainer.data.mix import source_for
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored
from trainer.data.synthetic import SyntheticSource
from trainer.progress import Progress
from trainer.recipes import RECIPES, configuration

WAIT_LIMIT = 0.10
WARM_UP = 5
MATRIX = 8192


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=list(RECIPES), default="bundled")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--samples", type=int, default=128, help="in the shards that are made")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        shards = options.shards or made(Path(temporary) / "shards", options.samples)
        given = {"batch": options.batch, "workers": options.workers}
        changes = {name: value for name, value in given.items() if value is not None}
        waits = {}
        for name, mix in (
            ("shards", (SourceConfig(kind="shards", path=shards),)),
            ("rooms on the fly", (SourceConfig(kind="synthetic"),)),
        ):
            waits[name] = measure(name, options, mix, changes, Path(temporary) / f"run on {name}")
    print(f"waiting for shards: {waits['shards']:.1%}, limit {WAIT_LIMIT:.0%}")
    return int(waits["shards"] > WAIT_LIMIT)


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


def measure(name: str, options: argparse.Namespace, mix: tuple, changes: dict, folder: Path) -> float:
    folder.mkdir()
    steps = WARM_UP + options.steps
    config = configuration(options.recipe, steps=steps, synthetic=True, device=options.device, **changes)
    rare = {"score_every": 10**9, "checkpoint_every": 10**9, "report_every": WARM_UP, "held_out": 1}
    config = config.model_copy(update={"mix": mix, **rare})
    run = loop.begin(config)
    source = source_for(config)
    spoken = io.StringIO()
    loop.train(run, source, folder, Progress(folder / "progress.jsonl", as_json=True, out=spoken))
    lines = [json.loads(line) for line in spoken.getvalue().splitlines()]
    steady = [line for line in lines if line["event"] == "step" and line["step"] > WARM_UP]
    rate_hz = len(steady) / sum(1 / line["rate_hz"] for line in steady)
    wait = sum(line["wait_share"] / line["rate_hz"] for line in steady) / sum(
        1 / line["rate_hz"] for line in steady
    )
    device = run.world.device
    print(
        f"{name}: {rate_hz * config.batch:.2f} samples per second on {device}, {wait:.1%} waiting for samples"
    )
    if device.type == "cuda":
        batch = on_device(read(source, config, 0, range(config.batch)), device)
        run.step = 0
        with FlopCounterMode(display=False) as counter:
            loop.train_step(run, [batch])
        flops = counter.get_total_flops()
        used = flops * rate_hz / matrix_rate(device)
        print(f"  {flops / 1e12:.2f} TFLOP per step, {used:.0%} of the measured bf16 matrix rate")
    return wait


def matrix_rate(device: torch.device) -> float:
    """Operations per second of one large bf16 product."""
    a = torch.randn(MATRIX, MATRIX, device=device, dtype=torch.bfloat16)
    for _ in range(3):
        a @ a
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(10):
        a @ a
    torch.cuda.synchronize()
    return 10 * 2 * MATRIX**3 / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
