import argparse
import io
from pathlib import Path

import numpy as np
import pytest
import torch

from trainer import cli, files, loop
from trainer.config import SourceConfig, TrainConfig
from trainer.data import cast, synthetic
from trainer.data.batches import on_device, read
from trainer.data.cast import AT_ONCE, CastSource
from trainer.data.mix import Mix, source_for, with_renderer
from trainer.data.samples import Sample, TensorSample
from trainer.data.synthetic import SyntheticSource
from trainer.errors import DataError, TrainingError
from trainer.progress import Progress
from trainer.recipes import SMALL

CPU = torch.device("cpu")
SIZE = {"width": 96, "height": 72}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", autouse=True)
def two_rooms(demo_room, random_room):
    """A run's rooms take half a second each to furnish: here two stand for all."""
    rooms = demo_room, random_room
    with pytest.MonkeyPatch.context() as patch:
        for module in (cast, synthetic):
            patch.setattr(module, "furnished", lambda _seed, room: rooms[room % 2])
        yield


@pytest.fixture(scope="module")
def source():
    return CastSource(0, CPU, **SIZE)


def test_a_sample_is_the_same_in_every_batch(source):
    (alone,), batch = source.samples([3]), source.samples([1, 3])
    assert torch.equal(alone.color, batch[1].color)
    assert (alone.depth_m != batch[1].depth_m).float().mean() < 0.001
    assert (alone.target_m - batch[1].target_m).abs().max() < 1e-4


def test_windows_are_to_be_rejected_and_have_no_target(source):
    samples = source.samples(list(range(3)))
    assert all(isinstance(sample, TensorSample) for sample in samples)
    for sample in samples:
        assert not sample.target_m[sample.nothing > 0].any()
        assert sample.color.dtype == torch.uint8
        assert 0.05 < (sample.depth_m > 0).float().mean() <= 1


def test_evaluation_sees_the_same_rooms_as_with_the_drawn_source(source):
    np.testing.assert_array_equal(source.held_out(0).depth_m, SyntheticSource(0, **SIZE).held_out(0).depth_m)


def test_a_micro_batch_is_made_of_tensors_that_never_were_arrays(source):
    config = TrainConfig(recipe="x", steps=1, batch=2, synthetic=1.0)
    raw = read(source, config, 0, [0, 1])
    assert all(isinstance(sample.color, torch.Tensor) for sample in raw.samples)
    batch = on_device(raw, CPU)
    assert batch.image.shape == (2, 3, 168, 224)
    assert batch.target_m.shape == (2, 192, 256)
    assert 0 < batch.image.mean() < 1


class Recorded:
    def sample(self, number):
        return Sample(
            np.full((4, 4, 3), number, np.uint8), np.ones((4, 4), np.float32), np.ones((4, 4), np.float32)
        )

    held_out = sample


class Counted(CastSource):
    def samples(self, numbers):
        self.asked = [*getattr(self, "asked", []), list(numbers)]
        empty = torch.zeros(3, 4, 4, dtype=torch.uint8)
        return [
            TensorSample(empty + number, empty[0].float(), empty[0].float(), empty[0]) for number in numbers
        ]


def test_a_mix_asks_a_source_on_the_device_once_for_all_of_its_samples():
    counted = Counted(0, CPU, **SIZE)
    mix = Mix([(counted, 0.5, None), (Recorded(), 0.5, None)], seed=0)
    found = mix.samples(list(range(8)))
    kinds = [isinstance(sample, TensorSample) for sample in found]
    assert 0 < sum(kinds) < 8
    assert len(counted.asked) == 1
    assert len(counted.asked[0]) == sum(kinds)
    single = [int(mix.sample(n).color.flat[0]) for n, tensor in enumerate(kinds) if not tensor]
    assert single == [int(sample.color.flat[0]) for sample in found if isinstance(sample, Sample)]


def test_the_configuration_chooses_the_renderer_and_refuses_reading_processes():
    config = TrainConfig(recipe="x", steps=1, synthetic=1.0, renderer="cast", device="cpu")
    assert isinstance(source_for(config), CastSource)
    with pytest.raises(DataError, match="processes that read"):
        source_for(config.model_copy(update={"workers": 2}))
    mixed = config.model_copy(
        update={"mix": (SourceConfig(kind="synthetic"), SourceConfig(kind="synthetic"))}
    )
    assert isinstance(source_for(mixed), Mix)


def test_rooms_are_cast_on_a_gpu_unless_processes_read_what_is_mixed_with_them():
    def chosen(wanted="auto", *, asked=False, **changes):
        config = TrainConfig(recipe="x", steps=1, **{"synthetic": 1.0, "device": "cuda", **changes})
        made = with_renderer(config, wanted, workers_asked=asked)
        return made.renderer, made.workers

    mixed = (SourceConfig(kind="synthetic"), SourceConfig(kind="session", path=Path("a")))
    assert chosen() == ("cast", 0)
    assert chosen(workers=8) == ("cast", 0), "the recipe's processes would have nothing to do"
    assert chosen(workers=8, asked=True) == ("drawn", 8)
    assert chosen(workers=8, mix=mixed) == ("drawn", 8)
    assert chosen(mix=mixed) == ("cast", 0)
    assert chosen(mix=mixed[1:]) == ("drawn", 0)
    assert chosen(device="cpu", workers=2) == ("drawn", 2)
    assert chosen("cast", device="cpu", workers=2) == ("cast", 0)
    assert chosen("drawn", workers=8) == ("drawn", 8)


@pytest.mark.parametrize(
    ("flags", "renderer"),
    [("--device cuda", "cast"), ("--device cpu", "drawn"), ("--device cpu --renderer cast", "cast")],
)
def test_the_verb_s_flags_choose_the_renderer(flags, renderer):
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    arguments = parser.parse_args(["--recipe", "smoke", "--synthetic", *flags.split()])
    assert cli._configuration(arguments, cli._changes(arguments)).renderer == renderer


def test_with_too_little_memory_fewer_views_are_cast_at_once(source, monkeypatch):
    asked = []

    def made(numbers):
        asked.append(len(numbers))
        if len(numbers) > most:
            raise torch.OutOfMemoryError
        return [TensorSample(*[torch.tensor(number)] * 4) for number in numbers]

    small = CastSource(0, CPU, **SIZE)
    monkeypatch.setattr(small, "_made", made)
    most = AT_ONCE // 2
    assert [int(sample.color) for sample in small.samples(range(AT_ONCE + 1))] == list(range(AT_ONCE + 1))
    assert asked == [AT_ONCE, most, most, 1]
    most = 0
    with pytest.raises(TrainingError, match="too little memory"):
        small.samples([1])


def test_a_run_on_cast_rooms_that_is_resumed_ends_with_the_very_weights_of_an_unbroken_one(tmp_path):
    config = TrainConfig(
        recipe="x", architecture=SMALL, steps=2, batch=1, synthetic=1.0, grids=((3, 4),), held_out=1,
        score_every=9, checkpoint_every=9, device="cpu", renderer="cast",
    )  # fmt: skip

    def run(folder, state, until):
        folder.mkdir(exist_ok=True)
        progress = Progress(folder / files.PROGRESS, as_json=True, out=io.StringIO())
        # Each time another source, as another process has.
        found = CastSource(0, CPU, width=64, height=48)
        loop.train(state, found, folder, progress, interrupted=lambda: state.step == until)
        return state

    whole = run(tmp_path / "whole", loop.begin(config), 2)
    run(tmp_path / "broken", loop.begin(config), 1)
    resumed = loop.resume(tmp_path / "broken")
    assert (resumed.step, resumed.config.renderer) == (1, "cast")
    run(tmp_path / "broken", resumed, 2)
    assert resumed.step == whole.step == 2
    assert all(
        torch.equal(value, resumed.model.state_dict()[name])
        for name, value in whole.model.state_dict().items()
    )
