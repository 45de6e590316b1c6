import json
import time
from pathlib import Path

import numpy as np
import pytest

from app.logs import log_file
from app.training import data_sets, job
from app.training.plan import ROOMS, SESSIONS, TrainingPlan
from app.viewmodels.train_data import TrainDataViewModel
from trainer.data.samples import Sample
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored


@pytest.fixture
def model(qtbot, tmp_path):
    made = TrainDataViewModel(tmp_path / "runs")
    yield made
    made.close()


@pytest.fixture
def shards(tmp_path):
    folder = tmp_path / "kitchen shards"
    depth = np.full((8, 8), 2, np.float32)
    with ShardWriter(shard_path(folder, 0)) as writer:
        for number in range(4):
            sample = Sample(np.zeros((8, 8, 3), np.uint8), depth, depth)
            writer.add(f"{number:03}", stored(sample, source="x", scene=f"room {number // 2}"))
    return folder


def add(qtbot, model, folder):
    model.add(folder)
    qtbot.waitUntil(lambda: not model.looking, timeout=30_000)


@pytest.mark.timeout(60)
def test_a_folder_is_recognised_by_the_real_program_weighed_and_kept_for_the_next_window(
    qtbot, model, shards, tmp_path
):
    add(qtbot, model, shards)

    (data,) = model.sources.data_sets
    assert (data.kind, data.samples, data.scenes, data.chosen) == ("shards", 4, 2, True)
    model.weigh(str(shards), 3)
    model.weigh(ROOMS, 2)
    model.weigh(SESSIONS, 5)
    model.choose(shards, chosen=False)
    later = TrainDataViewModel(tmp_path / "runs")
    assert later.sources == model.sources
    assert (later.sources.data_sets[0].weight, later.sources.rooms_weight) == (3, 2)
    assert not later.sources.data_sets[0].chosen
    later.remove(shards)
    assert data_sets.read(tmp_path / "runs").data_sets == ()
    assert shards.is_dir()


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """Puts a tiny program in place of the trainer."""

    def install(body):
        program = tmp_path / "tiny_trainer.py"
        program.write_text(body, encoding="utf-8")
        monkeypatch.setattr(job, "MAIN", program)

    return install


def test_a_wrong_folder_is_told_with_what_was_expected(qtbot, model, trainer, tmp_path):
    event = {"event": "failed", "message": "No data set was found.", "hint": "Hypersim (frame.*)"}
    trainer(f"import sys; print({json.dumps(event)!r}); sys.exit(1)")
    with qtbot.waitSignal(model.refused) as signal:
        model.add(tmp_path)
    assert (signal.args[0].args[0], signal.args[0].hint) == ("No data set was found.", "Hypersim (frame.*)")
    assert model.sources.data_sets == ()
    assert not model.looking


def test_a_program_that_says_nothing_is_told_too(qtbot, model, trainer, tmp_path, caplog):
    trainer("import sys; sys.exit('torch is broken')")
    with caplog.at_level("INFO"), qtbot.waitSignal(model.refused) as signal:
        model.add(tmp_path)
    assert "could not be looked at" in signal.args[0].args[0]
    assert str(log_file()) in signal.args[0].hint
    assert "torch is broken" in caplog.text, "the log says what the hint promises"


def test_closing_the_page_ends_looking(qtbot, model, trainer, tmp_path):
    trainer("import time; time.sleep(60)")
    model.add(tmp_path)
    began = time.monotonic()
    model.close()
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("content", ["{", '{"data_sets": []}', '{"data_sets": 3}'])
def test_a_list_that_was_damaged_is_told_and_kept_beside_the_new_one(content, qtbot, tmp_path):
    (tmp_path / data_sets.FILE).write_text(content, "utf-8")
    model = TrainDataViewModel(tmp_path)
    assert model.sources == data_sets.Sources()
    problem = model.take_problem()
    assert "cannot be read" in problem.sentence
    kept = tmp_path / "data.unreadable-1.json"
    assert str(kept) in problem.hint
    assert model.take_problem() is None, "it is told once"
    model.weigh(ROOMS, 2)
    assert kept.read_text("utf-8") == content
    assert data_sets.read(tmp_path).rooms_weight == 2


def test_a_list_that_cannot_be_kept_is_told(qtbot, tmp_path):
    (tmp_path / "runs").touch()
    model = TrainDataViewModel(tmp_path / "runs")
    with qtbot.waitSignal(model.not_kept):
        model.weigh(ROOMS, 2)


def test_shares_follow_the_weights_and_reach_the_trainer_as_flags():
    data = data_sets.DataSet("hypersim", "Hypersim", Path("/data/hypersim"), 9, 2, "CC BY-SA", weight=5)
    plan = TrainingPlan("bundled", (Path("/s/a"), Path("/s/b")), True, 9, None, (data,), 2, 3)
    assert plan.shares == {ROOMS: 0.3, "/data/hypersim": 0.5, SESSIONS: 0.2}
    words = " ".join(plan.arguments)
    assert "--session /s/a --session /s/b --session-weight 2" in words
    assert "--data hypersim:/data/hypersim@5 --synthetic 3" in words
    assert not TrainingPlan("bundled", (), False, 9, None, (data,)).obstacle
    assert "data set" in TrainingPlan("bundled", (), False, 9, None).obstacle
