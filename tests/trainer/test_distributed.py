"""Two local processes under torchrun (gloo) train as one does, and each other's checkpoints can be read."""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model import checkpoint
from trainer import checkpoints, files
from trainer.config import SourceConfig, TrainConfig
from trainer.data.batches import on_device, read
from trainer.data.loader import Loader
from trainer.data.mix import source_for
from trainer.data.samples import Sample
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored
from trainer.distributed import joined
from trainer.errors import TrainingError
from trainer.recipes import configuration

MAIN = Path(__file__).resolve().parents[2] / "main.py"
TIMEOUT_S = 110
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="torchrun's rendezvous is tested on Linux")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    with ShardWriter(shard_path(folder, 0)) as writer:
        for number in range(24):
            rng = np.random.default_rng(number)
            near, far = np.sort(rng.uniform(0.5, 4.0, 2))
            depth = np.linspace(near, far, 64, dtype=np.float32)[None].repeat(48, 0)
            measured = depth.copy()
            measured[10:30, 20:40] = 0
            color = (depth[..., None] * 50).clip(0, 255).astype(np.uint8).repeat(3, 2)
            writer.add(
                f"{number:03}", stored(Sample(color, measured, depth), source="wedge", scene=str(number))
            )
    return folder


def train(run, shards, *flags, processes=1):
    """Three steps of the smoke recipe on the shards, on the command line as anyone would."""
    launch = [sys.executable]
    if processes > 1:
        launch += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "--"]
    command = [*launch, str(MAIN), "train", "--run", str(run), "--json", "--threads", "1", "--device", "cpu"]
    command += list(flags)
    if "--resume" not in flags:
        command += ["--recipe", "smoke", "--data", f"shards:{shards}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def weights(run):
    return checkpoint.load(run / files.WEIGHTS).state_dict()


def furthest(one, other):
    return max((one[name].float() - other[name].float()).abs().max().item() for name in one)


@pytest.fixture(scope="module")
def single(shards, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "single"
    train(run, shards, "--steps", "4")
    return run


def test_two_whole_networks_train_as_one_process_does(single, shards, tmp_path):
    run = tmp_path / "two"
    events = train(run, shards, "--steps", "4", processes=2)
    assert [event["event"] for event in events].count("done") == 1, "one process speaks for all"
    # What remains is the order in which float32 gradients are added up, which Adam's division makes larger.
    assert furthest(weights(single), weights(run)) < 2e-3
    scores = [event["mae_m"] for event in events if event["event"] == "score"]
    alone = [json.loads(line) for line in (single / files.PROGRESS).read_text("utf-8").splitlines()]
    assert scores[-1] == pytest.approx([e["mae_m"] for e in alone if e["event"] == "score"][-1], rel=0.02)


def test_two_slices_of_a_network_train_as_one_process_does_which_can_take_over_half_way(
    single, shards, tmp_path
):
    run = tmp_path / "two"
    train(run, shards, "--steps", "4", "--parallel", "fsdp", processes=2)
    assert furthest(weights(single), weights(run)) < 2e-3
    last, facts = checkpoints.newest(run)
    assert (facts.step, facts.processes) == (4, 2)
    shutil.rmtree(last)
    assert checkpoints.newest(run)[1].step == 2
    events = train(run, shards, "--resume")
    assert [event["step"] for event in events if event["event"] in {"started", "done"}] == [2, 4]
    assert checkpoints.newest(run)[1].processes == 1
    assert furthest(weights(single), weights(run)) < 2e-3


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    config = configuration("smoke", batch=3, device="cpu")
    with pytest.raises(TrainingError) as caught, joined(config):
        pass
    assert "divides the batch" in caught.value.hint


def test_readers_in_processes_give_the_very_run_of_a_thread(single, shards, tmp_path):
    train(tmp_path / "workers", shards, "--steps", "4", "--workers", "2")
    one, two = weights(single), weights(tmp_path / "workers")
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_a_reader_that_dies_is_replaced_and_no_sample_is_lost(shards):
    part = SourceConfig(kind="shards", path=shards)
    config = TrainConfig(recipe="x", steps=12, batch=2, grids=((2, 3),), mix=(part,), workers=1)
    said = []
    device = torch.device("cpu")
    steps = Loader(config, source_for(config), device, said.append).steps(0, 0)
    got = [next(steps)]
    (reader,) = multiprocessing.active_children()
    reader.kill()
    reader.join(TIMEOUT_S)
    got += list(steps)
    expected = [on_device(read(source_for(config), config, n, [2 * n, 2 * n + 1]), device) for n in range(12)]
    assert all(torch.equal(one[0].image, other.image) for one, other in zip(got, expected, strict=True))
    assert any("died" in message for message in said)


def test_data_that_cannot_be_read_ends_the_run_from_a_reader_process_too(tmp_path):
    part = SourceConfig(kind="shards", path=tmp_path)
    config = TrainConfig(recipe="x", steps=2, batch=2, grids=((2, 3),), mix=(part,), workers=1)
    steps = Loader(config, None, torch.device("cpu"), print).steps(0, 0)
    with pytest.raises(TrainingError, match="no index of shards"):
        next(steps)
