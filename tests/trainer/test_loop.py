import io
import json

import numpy as np
import pytest
import torch

from model import backbone, checkpoint
from model.mdm import MDM
from trainer import cli, files, loop
from trainer.config import OptimiserConfig, TrainConfig
from trainer.data.samples import Sample
from trainer.errors import TrainingError
from trainer.initialise import new_model
from trainer.progress import Progress
from trainer.recipes import RECIPES, SMALL, configuration


class Wedge:
    """Slanted planes with a hole; what is right is known everywhere."""

    def sample(self, number):
        rng = np.random.default_rng(number)
        near, far = np.sort(rng.uniform(0.5, 4.0, 2))
        depth = np.linspace(near, far, 64, dtype=np.float32)[None].repeat(48, 0)
        color = (depth[..., None] * 50).clip(0, 255).astype(np.uint8).repeat(3, 2)
        measured = depth.copy()
        measured[10:30, 20:40] = 0
        return Sample(color, measured, depth)

    def held_out(self, number):
        return self.sample(1_000_000 + number)


def config(steps, **changes):
    return TrainConfig(
        recipe="test",
        grids=((3, 4),),
        batch=2,
        steps=steps,
        optimiser=OptimiserConfig(backbone_lr=3e-4, rest_lr=1e-3, warmup_steps=2, schedule="cosine"),
        report_every=1,
        score_every=1000,
        checkpoint_every=1000,
        held_out=2,
        **{"architecture": SMALL, **changes},
    )


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def progress(folder):
    return Progress(folder / "progress.jsonl", as_json=True, out=io.StringIO())


def events(folder):
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text("utf-8").splitlines()]


def weights(run):
    return {name: value.clone() for name, value in run.model.state_dict().items()}


class OneWedge(Wedge):
    def sample(self, number):
        return super().sample(0)


def test_the_network_learns_one_scene_by_heart(tmp_path):
    assert loop.train(loop.begin(config(60)), OneWedge(), tmp_path, progress(tmp_path))
    losses = [event["loss"] for event in events(tmp_path) if event["event"] == "step"]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_a_resumed_run_ends_with_the_very_weights_of_an_unbroken_one(tmp_path):
    whole = loop.begin(config(6))
    loop.train(whole, Wedge(), tmp_path, progress(tmp_path))

    broken = tmp_path / "broken"
    broken.mkdir()
    first = loop.begin(config(6))
    assert not loop.train(first, Wedge(), broken, progress(broken), interrupted=lambda: first.step == 2)
    assert first.step == 2
    between = loop.resume(broken)
    (broken / files.STOP).touch()
    assert not loop.train(between, Wedge(), broken, progress(broken))
    assert between.step == 2, "whoever asks before the first step waits for none"
    assert not (broken / files.STOP).exists(), "whoever resumes must not find it"
    second = loop.resume(broken)
    loop.train(second, Wedge(), broken, progress(broken))

    assert second.step == 6
    assert all(torch.equal(value, weights(second)[name]) for name, value in weights(whole).items())
    assert [event["event"] for event in events(broken)].count("stopped") == 2


def test_exported_weights_load_and_say_how_they_were_made(tmp_path):
    run = loop.begin(config(1))
    loop.train(run, Wedge(), tmp_path, progress(tmp_path))
    stored = checkpoint.read(tmp_path / files.WEIGHTS)
    assert stored.metadata["recipe"] == "test"
    assert stored.metadata["step"] == 1
    assert checkpoint.load(tmp_path / files.WEIGHTS).config == run.model.config


def test_the_rates_follow_the_report():
    report = OptimiserConfig()
    assert loop.rates(report, 999, 250_000) == pytest.approx((0.5e-5, 1e-4))
    assert loop.rates(report, 24_999, 250_000) == pytest.approx((1e-5, 1e-4))
    assert loop.rates(report, 25_000, 250_000) == pytest.approx((0.5e-5, 0.5e-4))
    assert loop.rates(report, 50_000, 250_000) == pytest.approx((0.25e-5, 0.25e-4))


def test_backbone_and_rest_are_two_groups_that_hold_every_trained_parameter():
    model = new_model(SMALL, seed=0)
    groups = loop.optimiser_for(model, OptimiserConfig()).param_groups
    assert [group["lr"] for group in groups] == [1e-5, 1e-4]
    trained = sum(p.requires_grad for p in model.parameters())
    assert sum(len(group["params"]) for group in groups) == trained


def test_a_new_network_is_the_same_for_a_seed():
    one, same, other = (new_model(SMALL, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    name = "encoder.backbone.blocks.0.attn.qkv.weight"
    assert not torch.equal(one[name], other[name])


def test_a_new_network_hands_on_what_is_measured_and_fills_holes_from_around():
    model = new_model(SMALL, seed=0).eval()
    image = torch.full((1, 3, 168, 224), 0.5)
    down, across = torch.meshgrid(torch.arange(168.0), torch.arange(224.0), indexing="ij")
    slope = (1.5 + across / 224 + 0.5 * (down > 84)).unsqueeze(0)
    hole = (across > 90) & (across < 130) & (down > 20) & (down < 60)

    with torch.inference_mode():
        out = model(image, torch.where(hole, 0.0, slope), num_tokens=(12, 16)).depth

    off = (out - slope).abs()[0] / slope[0]
    assert off[~hole].mean() < 0.04
    assert off[hole].mean() < 0.08


def test_every_recipe_makes_a_configuration():
    for name in RECIPES:
        assert configuration(name, synthetic=True).recipe == name


def test_a_run_without_anything_to_learn_from_is_refused(tmp_path, capsys):
    assert cli.main(["--run", str(tmp_path), "--recipe", "fine-tune", "--json"]) == 1
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["event"] == "failed"
    assert "session" in event["message"]


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_missing_or_broken_starting_weights_are_one_failed_event(tmp_path, capsys, content):
    init = tmp_path / "init.safetensors"
    if content is not None:
        init.write_bytes(content)
    status = cli.main(["--run", str(tmp_path / "run"), "--synthetic", "--init", str(init), "--json"])
    assert status == 1
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["event"] == "failed"
    assert event["hint"]


@pytest.mark.parametrize(
    ("init", "expected"), [("classical", "no weights"), ("lingbot-depth-pretrain-vitl-14-v0.5", "models get")]
)
def test_a_start_that_is_not_here_says_what_to_do(tmp_path, capsys, init, expected):
    assert cli.main(["--run", str(tmp_path), "--synthetic", "--init", init, "--json"]) == 1
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert expected in event["message"] + event["hint"]


def test_a_backbone_starts_a_network_around_it(tmp_path):
    donor = MDM(backbone.architecture("dinov2_vits14"))
    path = tmp_path / backbone.official_file("dinov2_vits14")
    backbone.save(path, donor)

    run = loop.begin(config(1, init=path, architecture=None))

    learned = "encoder.backbone.blocks.3.attn.qkv.weight"
    assert torch.equal(run.model.state_dict()[learned], donor.state_dict()[learned])
    assert run.model.training


def test_resuming_without_a_checkpoint_says_what_to_do(tmp_path, capsys):
    assert cli.main(["--run", str(tmp_path), "--resume", "--json"]) == 1
    assert "without --resume" in json.loads(capsys.readouterr().out.splitlines()[-1])["hint"]


def test_a_torn_checkpoint_is_refused_with_a_sentence(tmp_path):
    run = loop.begin(config(1))
    loop.save(run, tmp_path)
    whole = (tmp_path / files.CHECKPOINT).read_bytes()
    (tmp_path / files.CHECKPOINT).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="cannot be read"):
        loop.resume(tmp_path)


def test_a_session_that_is_none_is_refused(tmp_path, capsys):
    status = cli.main(["--run", str(tmp_path / "run"), "--session", str(tmp_path), "--json"])
    assert status == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["event"] == "failed"
