import json

import pytest

from trainer import cli
from trainer.estimate import estimate
from trainer.recipes import configuration

pytestmark = pytest.mark.usefixtures("one_thread")


def test_an_estimate_is_a_step_s_time_times_the_steps_and_the_evaluations(tmp_path):
    short = estimate(configuration("smoke", steps=10, device="cpu"))
    long = estimate(configuration("smoke", steps=1000, device="cpu"))
    assert 0 < short.step_s < 60
    assert short.total_s > 10 * short.step_s
    assert long.total_s > 1000 * long.step_s
    assert short.memory_mb > 50
    assert short.parameters > 1_000_000


def test_the_verb_says_it_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--estimate", "--recipe", "smoke", "--steps", "50", "--device", "cpu", "--json"]) == 0
    event = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert event["event"] == "estimate"
    assert event["total_s"] > 0
    assert list(tmp_path.iterdir()) == []


def test_training_without_a_folder_is_refused(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--recipe", "smoke"])
    assert "--run FOLDER" in capsys.readouterr().err
