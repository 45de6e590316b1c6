"""A run that is killed and resumed, again and again, against one that never was.

    python benchmarks/resume.py [--steps 12] [--kills 3] [--processes 1] [--one] [--seed N]

Trains the smoke recipe on the CPU, kills the trainer (SIGKILL) at random moments, resumes it each time, and
compares the weights at the end with those of an unbroken run: bit for bit with one process, within a
tolerance with two, where each resume changes between one process and two. With --one a single process of the
two is killed, and the other one has to end by itself. Exit status 1 if they differ or if one is left. About
two minutes on two cores.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import torch

from model import checkpoint
from trainer import checkpoints, files
from trainer.config import SourceConfig
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored
from trainer.data.synthetic import SyntheticSource
from trainer.recipes import configuration

MAIN = Path(__file__).resolve().parents[1] / "main.py"
TOLERANCE = 2e-3
SAMPLES = 40
CHECK_S = 0.05
PATIENCE_S = 120
MOST_LINES = 8
"""A step is a line of the log, and so is every second step's checkpoint."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--processes", type=int, choices=[1, 2], default=1)
    parser.add_argument("--one", action="store_true", help="kill one process of two (implies them), not both")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10_000)
    options = parser.parse_args()
    if options.one:
        options.processes = 2
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        shards = made(Path(temporary) / "shards")
        whole, broken = Path(temporary) / "whole", Path(temporary) / "broken"
        for run in (whole, broken):
            prepare(run, shards, options.steps)
        finish(start(whole, 1))
        kills = 0
        while not done(broken, options.steps):
            child = start(broken, options.processes if kills % 2 == 0 else 1)
            if kills < options.kills:
                killed_at = kill(child, broken, rng, one=options.one and kills % 2 == 0)
                kills += killed_at is not None
                print(
                    f"killed after step {killed_at}" if killed_at is not None else "it ended before its turn"
                )
            else:
                finish(child)
        one, other = (checkpoint.load(run / files.WEIGHTS).state_dict() for run in (whole, broken))
        furthest = max((one[name].float() - other[name].float()).abs().max().item() for name in one)
    limit = 0.0 if options.processes == 1 else TOLERANCE
    print(
        f"seed {options.seed}: {kills} kills, a weight differs by at most {furthest:.2e}, limit {limit:.0e}"
    )
    return int(furthest > limit)


def made(folder: Path) -> Path:
    source = SyntheticSource(0, width=128, height=96)
    with ShardWriter(shard_path(folder, 0)) as writer:
        for number in range(SAMPLES):
            writer.add(f"{number:03}", stored(source.sample(number), source="synth", scene=str(number // 2)))
    return folder


def prepare(run: Path, shards: Path, steps: int) -> None:
    """A checkpoint of step 0 that says to keep one after every second step."""
    from trainer import loop

    run.mkdir()
    torch.set_num_threads(1)
    config = configuration(
        "smoke", steps=steps, datasets=(SourceConfig(kind="shards", path=shards),), device="cpu"
    )
    loop.save(loop.begin(config.model_copy(update={"checkpoint_every": 2, "report_every": 1})), run)


def start(run: Path, processes: int) -> subprocess.Popen[bytes]:
    launch = [sys.executable]
    if processes > 1:
        launch += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "--"]
    command = [*launch, str(MAIN), "train", "--run", str(run), "--resume", "--json", "--threads", "1"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        command, start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, **quiet
    )


def finish(child: subprocess.Popen[bytes]) -> None:
    if child.wait() != 0:
        raise SystemExit("a run failed")


def kill(child: subprocess.Popen[bytes], run: Path, rng: random.Random, *, one: bool) -> int | None:
    """Kill it a random while after it has begun to train; returns the step of its last checkpoint."""
    until = lines(run) + rng.randint(3, 3 + MOST_LINES)
    while child.poll() is None and lines(run) < until:
        time.sleep(CHECK_S)
    time.sleep(rng.uniform(0, 0.5))
    if child.poll() is not None:
        return None
    if one:
        workers = [found for found in psutil.Process(child.pid).children() if str(MAIN) in found.cmdline()]
        rng.choice(workers).kill()
        if child.wait(PATIENCE_S) == 0 or any(found.is_running() for found in workers):
            raise SystemExit("a process was lost, and the others went on without it")
        print(f"one process of {len(workers)} was lost, and all ended")
    else:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return checkpoints.newest(run)[1].step


def lines(run: Path) -> int:
    log = run / files.PROGRESS
    return log.read_bytes().count(b"\n") if log.is_file() else 0


def done(run: Path, steps: int) -> bool:
    return checkpoints.newest(run)[1].step == steps


if __name__ == "__main__":
    sys.exit(main())
