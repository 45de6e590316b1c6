import json

import numpy as np
import pytest

# Importing it ends all log handlers; absl's (TensorBoard) then closes its stream: in a test, that of pytest.
import submitit  # noqa: F401

from drivers.synth.shapes import Material
from trainer.data.shard_index import TAR, index_path
from trainer.data.shard_writer import shard_path
from trainer.data.shards import Shards
from trainer.synth import cli
from trainer.synth.make import make_shard, shot, stored_sample
from trainer.synth.plan import SynthPlan, kept, read
from trainer.synth.run import made, missing, on_this_machine, share

SMALL = {"width": 128, "height": 96, "matched_width": 96, "matched_height": 72}


def plan(**changes):
    return SynthPlan(**{"scenes": 2, "samples": 6, "shard_samples": 2, **SMALL, **changes})


def files(folder):
    return {path.name: path.read_bytes() for path in folder.glob(f"*{TAR}")}


def test_a_sample_carries_all_that_the_report_s_do_and_materials_and_calibration():
    sample = stored_sample(plan(sensors={"active": 1.0}), 0)
    assert sample.color.shape == (96, 128, 3)
    assert sample.depth.values.shape == sample.truth_m.shape == (96, 128)
    assert sample.ir_left.shape == sample.ir_right.shape == (72, 96)
    assert sample.material.shape == (96, 128)
    assert 0.05 <= sample.baseline_m <= 0.2
    assert 16 / 36 <= sample.camera.fx / 128 <= 28 / 36
    known = sample.truth_m > 0
    assert np.allclose(
        sample.disparity_px[known], sample.camera.fx * sample.baseline_m / sample.truth_m[known], rtol=1e-3
    )
    assert (sample.nothing == (sample.material == Material.WINDOW)).all()


def test_depth_of_stereo_agrees_with_the_truth_where_surfaces_are_plain():
    made_of = plan(
        width=640, height=480, matched_width=480, matched_height=360, sensors={"active": 1.0}, apart=0.5
    )
    off = []
    for number in range(3):
        sample = stored_sample(made_of, number)
        plain = (sample.material == Material.MATTE) & (sample.depth.values > 0) & (sample.truth_m > 0)
        off.append(np.abs(sample.depth.metres - sample.truth_m)[plain] / sample.truth_m[plain])
    off = np.concatenate(off)
    assert np.median(off) < 0.02
    assert (off < 0.05).mean() > 0.8


def test_every_sensor_of_the_mix_gives_depth_with_holes():
    for name in plan().sensors:
        counts = stored_sample(plan(sensors={name: 1.0}), 1).depth.values
        assert 0.05 < (counts > 0).mean() < 1


def test_the_same_plan_is_the_same_bytes_and_another_seed_is_not(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_shard(tmp_path / name, plan(seed=seed), 0)
    one, same, other = (files(tmp_path / name) for name in "abc")
    assert one == same
    assert one != other


def test_samples_are_spread_over_all_rooms_and_neighbours_share_one():
    scenes = [plan(scenes=3, samples=7).scene(number) for number in range(7)]
    assert scenes == sorted(scenes)
    assert set(scenes) == {0, 1, 2}


def test_what_is_there_is_not_made_again_and_what_is_missing_is(tmp_path):
    made_of = plan()
    said = []
    on_this_machine(tmp_path, made_of, processes=2, told=lambda count, _rate: said.append(count))
    assert sorted(said)[-1] == 6
    whole = files(tmp_path)
    index_path(shard_path(tmp_path, 1)).unlink()
    kept_time = shard_path(tmp_path, 0).stat().st_mtime_ns
    assert missing(tmp_path, made_of) == [1]
    assert made(tmp_path, made_of) == 4
    make_shard(tmp_path, made_of, 1)
    assert make_shard(tmp_path, made_of, 0) == 0
    assert shard_path(tmp_path, 0).stat().st_mtime_ns == kept_time
    assert files(tmp_path) == whole
    assert Shards(tmp_path).scene(5) == "room 1"


def test_another_plan_in_the_same_folder_is_refused(tmp_path, capsys):
    kept(tmp_path, plan())
    assert read(tmp_path) == plan()
    arguments = ["--scenes", "9", "--samples", "9", "--out", str(tmp_path), "--size", "128x96", "--json"]
    assert cli.main(arguments) == 1
    event = json.loads(capsys.readouterr().out)
    assert event["event"] == "failed"
    assert "another plan" in event["message"]


def test_machines_share_the_shards_between_them(tmp_path):
    kept(tmp_path, plan(samples=6))
    assert share(tmp_path, 0, 2, 1) == [0, 2]
    assert share(tmp_path, 1, 2, 1) == [1]
    assert missing(tmp_path, plan(samples=6)) == []


def test_a_local_cluster_of_two_workers_makes_the_set_that_one_machine_makes(tmp_path, capsys):
    flags = [
        "--scenes",
        "2",
        "--samples",
        "4",
        "--shard-samples",
        "1",
        "--size",
        "128x96",
        "--processes",
        "1",
    ]
    cluster = ["--machines", "2", "--cluster", "local", "--option", "timeout_min=2"]
    assert cli.main([*flags, "--out", str(tmp_path / "two"), *cluster, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "done"
    shares = [event["message"] for event in events if event["event"] == "job"]
    assert shares == ["job 1 made 2 shards", "job 2 made 2 shards"]
    for number in range(4):
        make_shard(tmp_path / "one", plan(samples=4, shard_samples=1), number)
    assert files(tmp_path / "two") == files(tmp_path / "one")


def test_bare_views_leave_the_sensor_to_training(tmp_path):
    flags = ["--scenes", "1", "--samples", "4", "--size", "128x96", "--processes", "1", "--bare"]
    assert cli.main([*flags, "--focal-mm", "30-40", "--out", str(tmp_path), "--json"]) == 0
    shards = Shards(tmp_path)
    views = [shards.stored(number) for number in range(4)]
    assert all(view.depth is None and view.ir_left is None for view in views)
    assert all(30 / 36 <= view.camera.fx / 128 <= 40 / 36 for view in views)
    assert 0 < (shards.read(0).depth_m == 0).mean() < 1


def test_close_views_are_an_arm_s_length_from_a_small_thing():
    for number in range(6):
        seen = shot(plan(scenes=1, close=1.0), number)
        eye = seen.pose[:3, 3]
        places = [thing.foot for thing in seen.scene.turned] + [ball.centre for ball in seen.scene.balls]
        assert min(np.linalg.norm(eye - place) for place in places) < 1.3


def test_a_range_of_lenses_that_is_none_is_refused(tmp_path, capsys):
    for wrong in ("28-16", "16", "a-b"):
        with pytest.raises(SystemExit):
            cli.main(["--scenes", "1", "--samples", "1", "--out", str(tmp_path), "--focal-mm", wrong])
        assert "16-28" in capsys.readouterr().err


def test_a_size_that_is_none_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["--scenes", "1", "--samples", "1", "--out", str(tmp_path), "--size", "large"])
    assert "1280x960" in capsys.readouterr().err


def test_sensors_are_chosen_by_name_and_share(tmp_path, capsys):
    flags = [
        "--scenes",
        "1",
        "--samples",
        "2",
        "--size",
        "128x96",
        "--processes",
        "1",
        "--out",
        str(tmp_path),
    ]
    assert cli.main([*flags, "--sensors", "lidar=1"]) == 1
    assert "there is no sensor 'lidar'" in capsys.readouterr().out
    make_shard(tmp_path, plan(sensors={"structured light": 1.0}, apart=1.0), 0)
    shards = Shards(tmp_path)
    samples = [shards.stored(number) for number in range(2)]
    assert {sample.sensor for sample in samples} == {"structured light"}
    assert all(sample.shift_m != (0.0, 0.0) for sample in samples)
    assert all(sample.ir_right is None and sample.ir_left is not None for sample in samples)
