import argparse
import dataclasses
import io
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from model import backbone, checkpoint
from model.mdm import MDM, MdmOutput
from trainer import cli, files, loop
from trainer.config import MaskingConfig, OptimiserConfig, SourceConfig, TrainConfig
from trainer.data import loader
from trainer.data.batches import Batch, on_device, read
from trainer.data.datasets.arkitscenes import ArkitScenes
from trainer.data.datasets.hypersim import Hypersim
from trainer.data.datasets.taskonomy import Taskonomy
from trainer.data.kinds import KINDS
from trainer.data.mix import source_for
from trainer.data.samples import Sample
from trainer.data.shard_index import index_path, read_index
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.shards import Shards
from trainer.data.stored import stored
from trainer.errors import DataError, TrainingError
from trainer.initialise import _summarise, new_model, sine_positions, third_of
from trainer.losses import loss
from trainer.metrics import Errors
from trainer.progress import Progress
from trainer.recipes import FORMER_NAMES, RECIPES, SMALL, configuration
from trainer.record import fingerprint
from trainer.schedule import optimiser_for, rates

pytestmark = pytest.mark.usefixtures("one_thread")


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
        steps=steps,
        optimiser=OptimiserConfig(backbone_lr=3e-4, rest_lr=1e-3, warmup_steps=2, schedule="cosine"),
        report_every=1,
        held_out=2,
        **{"architecture": SMALL, "batch": 2, "score_every": 1000, "checkpoint_every": 1000, **changes},
    )


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
    assert rates(report, 999, 250_000) == pytest.approx((0.5e-5, 1e-4))
    assert rates(report, 24_999, 250_000) == pytest.approx((1e-5, 1e-4))
    assert rates(report, 25_000, 250_000) == pytest.approx((0.5e-5, 0.5e-4))
    assert rates(report, 50_000, 250_000) == pytest.approx((0.25e-5, 0.25e-4))


def test_a_tail_falls_in_the_last_quarter_only():
    tail = OptimiserConfig(backbone_lr=2e-4, rest_lr=1e-4, warmup_steps=0, schedule="tail")
    assert rates(tail, 750, 1000) == (2e-4, 1e-4)
    assert rates(tail, 875, 1000) == pytest.approx((1e-4, 0.5e-4))
    assert rates(tail, 999, 1000) == pytest.approx((2e-4 / 250, 1e-4 / 250))


def test_even_errors_count_in_units_of_each_samples_mean_depth():
    target = torch.tensor([[[1.0, 3.0]], [[20.0, 0.0]]])
    empty = torch.zeros(2, 1, 2)
    batch = Batch((1, 1), empty, empty, empty.bool(), target, empty, empty)
    out = MdmOutput(target + 0.5, target, None)
    of = torch.tensor([3.0, 0.0])
    assert loss(out, batch, of=of, mask_weight=0).item() == pytest.approx(0.5)
    assert loss(out, batch, of=of, mask_weight=0, even=True).item() == pytest.approx(
        (2 * 0.5 / 2 + 0.5 / 20) / 3
    )


def test_what_was_measured_wrong_counts_as_often_as_asked():
    target = torch.tensor([[[1.0, 1.0, 1.0, 0.0]]])
    measured = torch.tensor([[[1.02, 1.3, 0.0, 2.0]]])  # right, wrong, a hole, no right depth known
    none = torch.zeros(1, 1, 4)
    batch = Batch((1, 1), none, measured, none.bool(), target, none, none)
    out = MdmOutput(target + 0.5, target, None)
    of = torch.tensor([3.0, 0.0])
    assert loss(out, batch, of=of, mask_weight=0, wrong_weight=4).item() == pytest.approx(
        (1 + 4 + 1) * 0.5 / 3
    )


def test_how_often_wrong_pixels_count_is_chosen_and_kept_with_the_run(tmp_path):
    flags = ["--run", str(tmp_path), "--recipe", "smoke", "--synthetic", "--steps", "1", "--json"]
    assert cli.main([*flags, "--wrong-weight", "3"]) == 0
    assert json.loads((tmp_path / "config.json").read_text())["wrong_weight"] == 3
    assert configuration("bundled", synthetic=1.0).wrong_weight == 1
    assert configuration("finetune_glass", synthetic=1.0).wrong_weight > 1


def test_backbone_and_rest_are_two_groups_that_hold_every_trained_parameter():
    model = new_model(SMALL, seed=0)
    groups = optimiser_for(model, OptimiserConfig()).param_groups
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


@pytest.mark.parametrize("width", [192, 384, 768, 1024, 1536])
def test_a_new_network_of_any_width_has_room_for_positions_and_coefficients(width):
    third = third_of(width)
    assert sine_positions(4, third).shape == (1, 16, third)
    embed = torch.nn.Conv2d(1, width, 14)
    with torch.no_grad():
        _summarise(embed, width - 2 * third)
    assert embed.weight.abs().max() <= 1, "a patch of 14 x 14 has no more than 196 waves"
    assert torch.allclose(embed(torch.full((1, 1, 14, 14), 2.0))[0, 2 * third], torch.tensor(2.0))


def test_random_weights_are_asked_for_by_name_and_have_the_recipe_s_size(tmp_path, capsys):
    made = configuration("paper_vitl", synthetic=1, random=True)
    assert made.init is None
    assert made.architecture["encoder"]["backbone"] == "dinov2_vitl14"
    assert configuration("smoke", random=True).architecture == configuration("smoke").architecture
    status = cli.main(
        ["--run", str(tmp_path), "--synthetic", "--recipe", "finetune_glass", "--init", "random", "--json"]
    )
    assert status == 1
    assert "cannot start from random" in json.loads(capsys.readouterr().out.splitlines()[-1])["message"]


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
    (part,) = (tmp_path / files.CHECKPOINT).rglob("*.distcp")
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TrainingError, match="cannot be read"):
        loop.resume(tmp_path)


def test_a_checkpoint_that_was_cut_off_is_none_and_the_one_before_it_counts(tmp_path):
    run = loop.begin(config(5))
    run.step = 3
    loop.save(run, tmp_path)
    run.step = 4
    loop.save(run, tmp_path)
    (tmp_path / files.CHECKPOINT / "partial").mkdir()
    (tmp_path / files.CHECKPOINT / "step-000000004" / files.CHECKPOINT_FACTS).unlink()
    assert loop.resume(tmp_path).step == 3


def test_the_last_two_checkpoints_are_kept(tmp_path):
    run = loop.begin(config(5))
    for step in (1, 2, 3):
        run.step = step
        loop.save(run, tmp_path)
    kept = sorted(path.name for path in (tmp_path / files.CHECKPOINT).iterdir())
    assert kept == ["step-000000002", "step-000000003"]


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_full_disk_ends_the_run_with_a_sentence_and_keeps_the_checkpoint_before(tmp_path):
    import resource

    run = loop.begin(config(5))
    run.step = 2
    loop.save(run, tmp_path)
    run.step = 3
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(TrainingError, match="could not be written") as caught:
            loop.save(run, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert "Make room" in caught.value.hint
    assert loop.resume(tmp_path).step == 2
    assert not (tmp_path / files.CHECKPOINT / "partial").exists()


def test_a_damaged_shard_costs_a_warning_and_the_run_goes_on(tmp_path):
    path = shard_path(tmp_path, 0)
    with ShardWriter(path) as writer:
        for number in range(12):
            writer.add(f"{number:03}", stored(Wedge().sample(number), source="wedge", scene="one"))
    run = loop.begin(config(6, mix=(SourceConfig(kind="shards", path=tmp_path),)))
    spoiled = read_index(index_path(path))[2]
    content = bytearray(path.read_bytes())
    content[spoiled.offset + 600] ^= 0xFF
    path.write_bytes(content)
    told = progress(tmp_path)
    assert loop.train(run, source_for(run.config, told.warning), tmp_path, told)
    warnings = [event["message"] for event in events(tmp_path) if event["event"] == "warning"]
    assert sum("damaged" in message for message in warnings) == 1
    assert events(tmp_path)[-1]["event"] == "done"
    with pytest.raises(DataError, match="damaged"):
        Shards(tmp_path).read(2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_does_not_keep_the_failure_from_being_said(capsys):
    told = Progress(Path("/dev/full"), as_json=True)
    with pytest.raises(OSError, match="space"):
        told.warning("a line that has no room")
    told.failed(message="The disk is full.", hint="Make room.")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["message"] == "The disk is full."


def test_readers_that_die_again_and_again_end_the_run_with_what_to_do(monkeypatch):
    def dead(*_arguments):
        raise loader.ReaderDiedError
        yield

    monkeypatch.setattr(loader, "_read_ahead", dead)
    said = []
    steps = loader.Loader(config(3, workers=1), Wedge(), torch.device("cpu"), said.append).steps(0, 0)
    with pytest.raises(TrainingError, match="died 4 times") as caught:
        next(steps)
    assert "fewer --workers and resume" in caught.value.hint
    assert len(said) == loader.RESTARTS


def test_gradients_of_micro_batches_add_up_to_those_of_the_whole_batch(tmp_path):
    def trained(micro_batch):
        run = loop.begin(config(2, batch=4, micro_batch=micro_batch))
        loop.train(run, Wedge(), tmp_path, progress(tmp_path))
        return weights(run)

    one, many = trained(0), trained(1)
    for name, value in one.items():
        assert torch.allclose(value, many[name], atol=2e-4), name


def test_too_little_memory_makes_the_micro_batches_smaller_and_the_run_goes_on(tmp_path, monkeypatch):
    run = loop.begin(config(2, batch=4))
    forward = run.model.forward
    seen = []

    def small_device(image, *args, **kwargs):
        seen.append(len(image))
        if len(image) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(image, *args, **kwargs)

    monkeypatch.setattr(run.model, "forward", small_device)
    assert loop.train(run, Wedge(), tmp_path, progress(tmp_path))
    assert seen[-4:] == [1, 1, 1, 1] or 1 in seen
    told = [event["message"] for event in events(tmp_path) if event["event"] == "warning"]
    assert any("gradients of 1 samples" in message for message in told)
    assert run.micro_batch == 1
    monkeypatch.undo()
    assert loop.resume(tmp_path).micro_batch == 1, "a resumed run knows"


def test_too_little_memory_for_one_sample_ends_the_run_with_what_to_do(tmp_path, monkeypatch):
    run = loop.begin(config(2, batch=1))

    def no_room(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    batch = on_device(read(Wedge(), run.config, 0, [0]), torch.device("cpu"))
    monkeypatch.setattr(run.model, "forward", no_room)
    with pytest.raises(TrainingError, match="too little memory") as caught:
        loop.train_step(run, [batch])
    assert "smaller" in caught.value.hint


def test_a_gradient_is_no_longer_than_the_recipe_allows():
    run = loop.begin(config(1))
    batch = on_device(read(Wedge(), run.config, 0, range(2)), run.world.device)
    far = dataclasses.replace(batch, target_m=1000 * batch.target_m, depth_m=1000 * batch.depth_m)
    loop.train_step(run, [far])
    norms = torch.stack([p.grad.norm() for p in run.model.parameters() if p.grad is not None])
    assert norms.norm().item() == pytest.approx(run.config.optimiser.clip_norm, rel=1e-3)


def test_bf16_halves_the_bits_of_products_and_not_of_weights():
    losses = {}
    for precision in ("fp32", "bf16"):
        run = loop.begin(config(1, precision=precision))
        widths = set()
        hook = run.model.encoder.backbone.blocks[0].mlp.register_forward_hook(
            lambda _module, _inputs, out, widths=widths: widths.add(out.dtype)
        )
        losses[precision] = loop.train_step(
            run, [on_device(read(Wedge(), run.config, 0, range(2)), run.world.device)]
        )
        hook.remove()
        assert widths == {torch.bfloat16 if precision == "bf16" else torch.float32}
        assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses["bf16"] != losses["fp32"]


def test_a_loss_that_is_no_number_ends_the_run_before_the_weights_are_spoiled(tmp_path):
    run = loop.begin(config(2, batch=1))
    before = weights(run)
    batch = on_device(read(Wedge(), run.config, 0, [0]), torch.device("cpu"))
    batch.target_m[0, 5, 5] = torch.inf
    with pytest.raises(TrainingError, match="The loss is"):
        loop.train_step(run, [batch])
    assert all(torch.equal(value, before[name]) for name, value in weights(run).items())


def test_the_average_follows_is_exported_and_survives_a_resume(tmp_path):
    made = config(4, ema=0.5, checkpoint_every=2)
    whole = loop.begin(made)
    loop.train(whole, Wedge(), tmp_path, progress(tmp_path))
    exported = checkpoint.load(tmp_path / files.WEIGHTS).state_dict()
    name = "encoder.backbone.blocks.0.attn.qkv.weight"
    assert torch.equal(exported[name], whole.average.tensors[name])
    assert not torch.equal(exported[name], whole.model.state_dict()[name])

    broken = tmp_path / "broken"
    broken.mkdir()
    first = loop.begin(made)
    loop.train(first, Wedge(), broken, progress(broken), interrupted=lambda: first.step == 3)
    second = loop.resume(broken)
    loop.train(second, Wedge(), broken, progress(broken))
    assert torch.equal(second.average.tensors[name], whole.average.tensors[name])


def test_a_run_that_gets_no_better_ends_early_with_its_best_weights(tmp_path, monkeypatch):
    scores = iter([0.3, 0.1, 0.2, 0.4, 0.5])

    def scored(run, *args):
        mae_m = next(scores)
        return Errors(mae_m, mae_m, mae_m, 1, 1, 1, 1, 1, 10)

    monkeypatch.setattr(loop, "report_score", scored)
    run = loop.begin(config(100, score_every=1, patience=2))
    assert loop.train(run, Wedge(), tmp_path, progress(tmp_path))
    assert run.step == 4
    assert checkpoint.read(tmp_path / files.WEIGHTS).metadata["step"] == 2
    assert events(tmp_path)[-1] == {"event": "done", "step": 4, "early": True}


def test_the_run_folder_says_what_repeating_it_needs(tmp_path):
    loop.train(loop.begin(config(1, seed=7)), Wedge(), tmp_path, progress(tmp_path))
    (start,) = json.loads((tmp_path / files.RECORD).read_text("utf-8"))["starts"]
    assert start["seed"] == 7
    assert start["versions"]["torch"] == torch.__version__.partition("+")[0] or start["versions"]["torch"]
    assert {"command", "commit", "changed_files", "processes", "device", "data", "threads"} <= set(start)


def test_a_changed_data_set_has_another_fingerprint(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    before = fingerprint(tmp_path)
    (tmp_path / "a").write_bytes(b"12")
    assert fingerprint(tmp_path) != before


def test_curves_and_pictures_are_written_for_tensorboard(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    loop.train(loop.begin(config(3)), Wedge(), tmp_path, progress(tmp_path))
    board = accumulator.EventAccumulator(str(tmp_path / files.BOARD))
    board.Reload()
    assert [event.step for event in board.Scalars("train/loss")] == [1, 2, 3]
    assert board.Scalars("held_out/mae_m")
    assert board.Tags()["images"]
    assert (tmp_path / files.SAMPLE_BEFORE).is_file()
    assert (tmp_path / files.SAMPLE_AFTER).is_file()


def test_each_step_says_how_much_of_it_was_waiting_for_samples(tmp_path):
    class Slow(Wedge):
        def sample(self, number):
            time.sleep(0.2)
            return super().sample(number)

    loop.train(loop.begin(config(4)), Slow(), tmp_path, progress(tmp_path))
    shares = [event["wait_share"] for event in events(tmp_path) if event["event"] == "step"]
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) > 0.1


def test_the_former_names_of_recipes_still_work():
    for old, new in FORMER_NAMES.items():
        assert configuration(old, synthetic=True).recipe == new


def test_a_data_flag_is_a_source_with_a_weight_and_clean_depth_is_hidden_at_random(tmp_path):
    found = cli._source(f"hypersim:{tmp_path}@2.5")
    assert (found.kind, found.path, found.weight) == ("hypersim", tmp_path, 2.5)
    assert found.masking == MaskingConfig()
    assert cli._source(f"shards:{tmp_path}").masking is None
    with pytest.raises(argparse.ArgumentTypeError, match="KIND"):
        cli._source("imagenet:/x")


def test_sessions_data_sets_and_rooms_are_one_weighted_list(tmp_path):
    made = configuration(
        "bundled",
        sessions=(tmp_path / "a", tmp_path / "b"),
        datasets=(SourceConfig(kind="shards", path=tmp_path, weight=3),),
        synthetic=True,
    )
    assert [(part.kind, part.weight) for part in made.sources] == [
        ("shards", 3),
        ("session", 0.5),
        ("session", 0.5),
        ("synthetic", 0.25),
        ("synthetic_hard", 0.75),
    ]


def test_weights_of_sessions_and_rooms_reach_the_mix(tmp_path):
    part = SourceConfig(kind="shards", path=tmp_path, weight=3)
    made = configuration(
        "bundled", sessions=(tmp_path / "a",), datasets=(part,), synthetic=4, session_weight=2
    )
    assert [(found.kind, found.weight) for found in made.sources] == [
        ("shards", 3),
        ("session", 2),
        ("synthetic", 1),
        ("synthetic_hard", 3),
    ]
    alone = configuration("bundled", sessions=(tmp_path / "a",), synthetic=3, session_weight=1)
    assert alone.synthetic == 0.75
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        cli._weight("0")


def test_kinds_say_what_their_readers_say():
    readers = {"shards": Shards, "taskonomy": Taskonomy, "hypersim": Hypersim, "arkitscenes": ArkitScenes}
    assert all(KINDS[name].clean == reader.clean for name, reader in readers.items())


def test_a_session_that_is_none_is_refused(tmp_path, capsys):
    status = cli.main(["--run", str(tmp_path / "run"), "--session", str(tmp_path), "--json"])
    assert status == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["event"] == "failed"
