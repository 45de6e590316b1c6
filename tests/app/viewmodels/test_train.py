import json
import os
import signal
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.training import job, promotion
from app.training.comparison import sentence
from app.training.history import past_runs, replay
from app.training.job import TrainingPhase, TrainingState
from app.training.plan import TrainingPlan
from app.viewmodels.train import TrainViewModel, words_of
from trainer import process

RECIPES = {"fine": SimpleNamespace(name="fine", title="Fine-tune", note="Short", steps=3, needs_weights=True)}
PLAN = TrainingPlan("fine", (), synthetic=True, steps=3, init=None)

TRAINS = """
    from pathlib import Path
    say({"event": "started", "step": 0, "steps": 3})
    for step in (1, 2, 3):
        say({"event": "step", "step": step, "loss": 1.0 / step, "rate_hz": 2.0})
    say({"event": "score", "step": 3, "mae_m": 0.25})
    (run / "weights.safetensors").write_bytes(b"w")
    say({"event": "weights", "path": str(run / "weights.safetensors")})
    say({"event": "done"})
"""
WAITS = """
    import time
    first = 2 if "--resume" in sys.argv else 0
    say({"event": "started", "step": first, "steps": 3})
    say({"event": "step", "step": first + 1, "loss": 0.5, "rate_hz": 2.0})
    while not (run / "stop").exists():
        time.sleep(0.01)
    (run / "checkpoint" / "step-000000001").mkdir(parents=True, exist_ok=True)
    (run / "checkpoint" / "step-000000001" / "facts.json").write_text("{}")
    say({"event": "stopped", "step": first + 1})
"""
FAILS = """
    say({"event": "failed", "message": "The disk is full.", "hint": "Make room."})
    sys.exit(1)
"""
TRAINS_ON_REQUEST = """
import time
def wait_for(name):
    while not (run / name).exists():
        time.sleep(0.005)
wait_for("listed")
say({"event": "started", "step": 0, "steps": 1})
wait_for("go")
say({"event": "done", "step": 1})
"""
DIES = "sys.exit(3)"


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """Puts a tiny program in place of the trainer."""

    def install(body):
        program = tmp_path / "tiny_trainer.py"
        lines = [
            "import json, sys",
            "from pathlib import Path",
            "place = sys.argv.index('--run') + 1 if '--run' in sys.argv else 0",
            f"run = Path(sys.argv[place] if place else {str(tmp_path)!r})",
            "(run / 'argv.txt').write_text(' '.join(sys.argv[1:]))",
            "(run / 'config.json').write_text(json.dumps({'recipe': 'fine', 'synthetic': 1.0, 'steps': 3}))",
            "log = (run / 'progress.jsonl').open('a')",
            "def say(event):",
            "    print(json.dumps(event), file=log, flush=True)",
            "    print(json.dumps(event), flush=True)",
            textwrap.dedent(body),
        ]
        program.write_text("\n".join(lines), encoding="utf-8")
        monkeypatch.setattr(job, "MAIN", program)

    return install


@pytest.fixture
def used():
    return []


@pytest.fixture
def model(qtbot, tmp_path, used):
    made = TrainViewModel(tmp_path / "runs", used.append, RECIPES)
    yield made
    made.close()
    for run in (tmp_path / "runs").glob("*"):
        if run.is_dir() and process.owner(run) is not None:
            (run / "stop").touch()
    for child in job._left_running:
        child.wait(10)


def phase(model):
    return None if model.run is None else model.run.training.phase


def start_and_wait(qtbot, model, wanted):
    model.start(PLAN)
    qtbot.waitUntil(lambda: phase(model) is wanted)


def test_a_run_is_followed_to_its_end(qtbot, model, trainer):
    trainer(TRAINS)

    start_and_wait(qtbot, model, TrainingPhase.DONE)

    run = model.run
    assert run.training.losses == ((1, 1.0), (2, 0.5), (3, 1.0 / 3))
    assert run.training.scores == ((3, 0.25),)
    assert run.training.weights == run.folder / "weights.safetensors"
    assert run.progress == 1.0
    assert run.words == "Finished: 3 steps."


def test_an_end_that_comes_while_news_is_shown_is_shown_too(qtbot, model, trainer):
    trainer(TRAINS_ON_REQUEST)
    shown = []

    def let_it_end(run):
        shown.append(run.training.phase)
        if run.training.phase is TrainingPhase.RUNNING:
            (run.folder / "go").touch()
            deadline = time.monotonic() + 20
            while model.active and time.monotonic() < deadline:
                time.sleep(0.005)

    model.run_changed.connect(let_it_end)
    with qtbot.waitSignal(model.runs_changed):
        model.start(PLAN)
    (model.run.folder / "listed").touch()

    qtbot.waitUntil(lambda: shown[-1] is TrainingPhase.DONE)


def test_the_plan_becomes_the_arguments_of_the_verb(qtbot, model, trainer, tmp_path):
    trainer(TRAINS)
    plan = TrainingPlan(
        "fine", (tmp_path / "a", tmp_path / "b"), synthetic=True, steps=7, init=tmp_path / "w.pt"
    )

    model.start(plan)
    qtbot.waitUntil(lambda: phase(model) is TrainingPhase.DONE)

    said = (model.run.folder / "argv.txt").read_text(encoding="utf-8")
    assert said == (
        f"train --run {model.run.folder} --json --recipe fine --session {tmp_path / 'a'} "
        f"--session {tmp_path / 'b'} --session-weight 1 --synthetic 1 --steps 7 --init {tmp_path / 'w.pt'}"
    )


def test_a_stopped_run_is_resumed_with_its_curve(qtbot, model, trainer):
    trainer(WAITS)
    start_and_wait(qtbot, model, TrainingPhase.RUNNING)
    qtbot.waitUntil(lambda: model.run.training.step == 1)
    model.stop()
    assert phase(model) is TrainingPhase.STOPPING
    qtbot.waitUntil(lambda: phase(model) is TrainingPhase.STOPPED)
    with qtbot.waitSignal(model.runs_changed) as signal:
        model.load_runs()
    [past] = signal.args[0]
    assert past.resumable

    model.resume(past)
    qtbot.waitUntil(lambda: len(model.run.training.losses) == 2)

    assert model.run.training.losses == ((1, 0.5), (3, 0.5))
    assert model.run.title == "Fine-tune: simulated rooms"
    assert "--resume" in (past.folder / "argv.txt").read_text(encoding="utf-8")


def test_a_stopped_run_can_be_resumed_as_soon_as_its_process_has_ended(qtbot, model, trainer):
    trainer(WAITS + "    time.sleep(1)")
    listed = []
    model.runs_changed.connect(listed.append)
    start_and_wait(qtbot, model, TrainingPhase.RUNNING)
    model.stop()
    qtbot.waitUntil(lambda: phase(model) is TrainingPhase.STOPPED)
    assert model._job.followed, "it has said its last words and lives on"
    qtbot.waitUntil(lambda: [run.resumable for run in listed[-1]] == [True])


def test_a_failure_is_told_with_what_to_do(qtbot, model, trainer):
    trainer(FAILS)

    start_and_wait(qtbot, model, TrainingPhase.FAILED)

    assert (model.run.words, model.run.training.hint) == ("The disk is full.", "Make room.")


def test_a_trainer_that_dies_is_a_failure_too(qtbot, model, trainer):
    trainer(DIES)

    start_and_wait(qtbot, model, TrainingPhase.FAILED)

    assert "exit status 3" in model.run.words


def test_one_run_at_a_time(qtbot, model, trainer):
    trainer(WAITS)
    start_and_wait(qtbot, model, TrainingPhase.RUNNING)

    with qtbot.waitSignal(model.refused) as signal:
        model.start(PLAN)

    assert "under way" in signal.args[0]


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (TrainingPlan("", (), synthetic=True, steps=1, init=None), "recipe"),
        (TrainingPlan("fine", (), synthetic=False, steps=1, init=None), "at least one session"),
    ],
)
def test_a_plan_that_cannot_start_says_why(qtbot, model, plan, reason):
    with qtbot.waitSignal(model.refused) as signal:
        model.start(plan)

    assert reason in signal.args[0]


def test_closing_the_window_leaves_the_run_alone_and_the_next_window_finds_it(
    qtbot, model, trainer, tmp_path, used
):
    trainer(WAITS)
    start_and_wait(qtbot, model, TrainingPhase.RUNNING)
    qtbot.waitUntil(lambda: model.run.training.step == 1)
    folder = model.run.folder

    model.close()

    [past] = past_runs(tmp_path / "runs")
    assert past.owner is not None, "the trainer goes on"
    assert not past.resumable
    assert past.state.phase is TrainingPhase.RUNNING
    later = TrainViewModel(tmp_path / "runs", used.append, RECIPES)
    try:
        later.load_runs()
        qtbot.waitUntil(lambda: phase(later) is TrainingPhase.RUNNING)
        assert later.run.folder == folder
        assert later.run.training.losses == ((1, 0.5),), "with its curve so far"
        assert later.run.title == "Fine-tune: simulated rooms"
        assert later.active
        with qtbot.waitSignal(later.refused):
            later.start(PLAN)
        later.stop()
        qtbot.waitUntil(lambda: phase(later) is TrainingPhase.STOPPED)
        [past] = past_runs(tmp_path / "runs")
        qtbot.waitUntil(lambda: process.owner(folder) is None)
        assert past_runs(tmp_path / "runs")[0].resumable
    finally:
        later.close()


def test_a_run_that_dies_without_its_window_is_told_as_such(qtbot, model, trainer, tmp_path, used):
    trainer(WAITS)
    start_and_wait(qtbot, model, TrainingPhase.RUNNING)
    folder = model.run.folder
    model.close()
    owner = process.owner(folder)
    later = TrainViewModel(tmp_path / "runs", used.append, RECIPES)
    try:
        later.load_runs()
        qtbot.waitUntil(lambda: phase(later) is TrainingPhase.RUNNING)
        os.kill(owner.pid, signal.SIGTERM)
        qtbot.waitUntil(lambda: phase(later) is TrainingPhase.FAILED)
        assert "without a word" in later.run.words
    finally:
        later.close()


def test_another_process_with_the_same_number_is_not_the_run(tmp_path):
    process.note(tmp_path, os.getpid())
    assert process.owner(tmp_path).pid == os.getpid()
    content = json.loads((tmp_path / "process.json").read_text("utf-8"))
    (tmp_path / "process.json").write_text(
        json.dumps(content | {"created_s": content["created_s"] - 60}), "utf-8"
    )
    assert process.owner(tmp_path) is None
    (tmp_path / "process.json").write_text("torn", "utf-8")
    assert process.owner(tmp_path) is None


def test_samples_before_and_after_come_with_the_run(qtbot, model, trainer):
    trainer(
        "(run / 'sample-before.jpg').write_bytes(b'before')\n(run / 'sample-after.jpg').write_bytes(b'after')"
        + TRAINS.replace("\n    ", "\n")
    )
    start_and_wait(qtbot, model, TrainingPhase.DONE)
    assert (model.run.before, model.run.after) == (b"before", b"after")


def test_the_sample_is_the_newest_although_it_is_written_after_its_score_was_told(qtbot, model, trainer):
    trainer(
        WAITS.replace(
            "    while not",
            """
    say({"event": "score", "step": 1, "mae_m": 0.2})
    while not (run / "seen").exists():
        time.sleep(0.01)
    (run / "sample-after.jpg").write_bytes(b"after")
    say({"event": "step", "step": 2, "loss": 0.4, "rate_hz": 2.0})
    while not""",
        )
    )
    start_and_wait(qtbot, model, TrainingPhase.RUNNING)
    qtbot.waitUntil(lambda: bool(model.run.training.scores))
    assert model.run.after is None
    shown = []
    model.run_changed.connect(shown.append)
    (model.run.folder / "seen").touch()
    qtbot.waitUntil(lambda: bool(shown) and shown[-1].after == b"after")


def test_promoted_weights_can_be_rolled_back_also_by_a_later_window(qtbot, tmp_path, used):
    names = ["demo"]

    def made():
        return TrainViewModel(
            tmp_path / "runs",
            lambda weights: names.append(str(weights)),
            RECIPES,
            in_use=lambda: names[-1],
            use_model=names.append,
        )

    first = made()
    assert first.before_promotion is None
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    for weights in (one, two):
        weights.write_bytes(b"w")
        first.use(weights)
    later = made()
    assert later.before_promotion == str(one)
    with qtbot.waitSignal(later.rolled_back) as signal:
        later.roll_back()
    assert signal.args == [str(one)]
    later.roll_back()
    assert names == ["demo", str(one), str(two), str(one), "demo"]
    with qtbot.waitSignal(later.refused):
        later.roll_back()


def test_weights_to_go_back_to_that_are_gone_are_refused(qtbot, tmp_path):
    gone = tmp_path / "gone.safetensors"
    promotion.remember(tmp_path / "runs", str(gone))
    model = TrainViewModel(tmp_path / "runs", print, RECIPES)
    with qtbot.waitSignal(model.refused) as signal:
        model.roll_back()
    assert "gone" in signal.args[0]


def test_an_estimate_is_measured_in_another_process_and_said_in_words(qtbot, model, trainer):
    trainer(
        'say({"event": "estimate", "total_s": 600.0, "step_s": 1.5, "memory_mb": 2048.0, "device": "CPU"})'
    )
    with qtbot.waitSignal(model.estimated) as signal:
        model.estimate(PLAN)
    assert signal.args == [
        "About 10 min (1.5 s for each step) and 2.0 GB of memory on CPU, measured with two steps."
    ]


def test_an_estimate_that_fails_says_why(qtbot, model, trainer):
    trainer(FAILS)
    with qtbot.waitSignal(model.estimated) as signal:
        model.estimate(PLAN)
    assert signal.args == ["The disk is full. Make room."]


def test_past_runs_are_listed_newest_first_with_their_last_loss(qtbot, model, trainer, tmp_path):
    trainer(TRAINS)
    start_and_wait(qtbot, model, TrainingPhase.DONE)
    older = tmp_path / "runs" / "older"
    older.mkdir()
    (older / "config.json").write_text('{"recipe": "gone", "steps": 9}', encoding="utf-8")
    os.utime(older / "config.json", (0, 0))

    runs = past_runs(tmp_path / "runs")

    assert [run.recipe for run in runs] == ["fine", "gone"]
    assert model.run_title(runs[0]) == "Fine-tune: simulated rooms"
    assert runs[0].loss == pytest.approx(1 / 3)
    assert runs[0].score_m == 0.25
    assert runs[0].weights.name == "weights.safetensors"
    assert not runs[0].resumable
    assert runs[1].loss is None


def test_a_run_that_was_killed_counts_as_stopped(tmp_path):
    log = tmp_path / "progress.jsonl"
    log.write_text(
        '{"event": "started", "step": 0, "steps": 9}\n'
        '{"event": "step", "step": 1, "loss": 0.5, "rate_hz": 1.0, "lr": 0.1}\n{"event": "st',
        encoding="utf-8",
    )

    state = replay(log)

    assert state.phase is TrainingPhase.STOPPED
    assert (state.step, state.steps, state.losses) == (1, 9, ((1, 0.5),))


def test_what_a_resumed_run_does_again_is_in_its_curve_once(tmp_path):
    def step(number, loss):
        return {"event": "step", "step": number, "loss": loss, "rate_hz": 1.0}

    events = [
        {"event": "started", "step": 0, "steps": 9},
        *(step(number, 0.5) for number in (1, 2, 3)),
        {"event": "started", "step": 1, "steps": 9},
        step(2, 0.4),
    ]
    log = tmp_path / "progress.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")

    assert replay(log).losses == ((1, 0.5), (2, 0.4))


def test_used_weights_go_to_the_live_repair(qtbot, model, used, tmp_path):
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"w")

    with qtbot.waitSignal(model.weights_used):
        model.use(weights)

    assert used == [weights]


def test_weights_that_are_gone_are_not_used(qtbot, model, used):
    with qtbot.waitSignal(model.refused):
        model.use(Path("/nowhere/w.pt"))

    assert used == []


def test_pace_is_said_in_the_larger_unit():
    running = TrainingState(TrainingPhase.RUNNING, step=10, steps=100)

    assert words_of(running) == "Step 10 of 100"
    assert "2.0 steps/s, 45 s left" in words_of(TrainingState(TrainingPhase.RUNNING, 10, 100, rate_hz=2.0))
    assert "4.0 s per step, 6 min left" in words_of(
        TrainingState(TrainingPhase.RUNNING, 10, 100, rate_hz=0.25)
    )


COMPARES = """
out = Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir(parents=True, exist_ok=True)
rows = [
    {"part": "hidden", "kind": kind, "method": method, "rmse_m": rmse}
    for kind in ("block", "all")
    for method, rmse in (("anchored a", 0.2), ("anchored b", 0.15))
]
(out / "report.json").write_text(json.dumps({"table": rows}))
(out / "report.html").write_text("<html>")
(out / "argv.txt").write_text(" ".join(sys.argv[1:]))
"""


def test_weights_are_compared_on_sessions_that_the_run_has_not_seen(qtbot, tmp_path, trainer, used):
    model = TrainViewModel(tmp_path / "runs", used.append, RECIPES, in_use=lambda: "demo")
    trainer(TRAINS)
    start_and_wait(qtbot, model, TrainingPhase.DONE)
    config = {"recipe": "fine", "synthetic": 1.0, "steps": 3, "sessions": [str(tmp_path / "seen")]}
    (model.run.folder / "config.json").write_text(json.dumps(config), "utf-8")
    trainer(COMPARES)
    try:
        assert model.report is None
        with qtbot.waitSignal(model.compared) as signal:
            model.compare([tmp_path / "seen", tmp_path / "new"])
        assert signal.args == ["Hidden depth: RMSE 200 mm in use, 150 mm new (25% less)."]
        said = (model.run.folder / "compare" / "argv.txt").read_text("utf-8")
        assert f"evaluate {tmp_path / 'new'} --out" in said
        assert said.index("--model demo") < said.index(f"--model {model.run.training.weights}")
        assert model.report is not None
        with qtbot.waitSignal(model.refused):
            model.compare([tmp_path / "seen"])
        part = {"kind": "hypersim", "path": str(tmp_path / "h"), "weight": 2}
        (model.run.folder / "config.json").write_text(json.dumps(config | {"mix": [part]}), "utf-8")
        with qtbot.waitSignal(model.compared):
            model.compare([tmp_path / "seen"])
        said = (model.run.folder / "compare" / "argv.txt").read_text("utf-8")
        assert f"evaluate hypersim:{tmp_path / 'h'} --out" in said, "of a data set, its held-out scenes"
        with qtbot.waitSignal(model.runs_changed) as signal:
            model.load_runs()
        assert model.run_title(signal.args[0][0]) == "Fine-tune: 1 session, 1 data set, simulated rooms"
    finally:
        model.close()


def test_weights_that_are_in_use_are_not_compared_with_themselves(qtbot, tmp_path, trainer, used):
    model = TrainViewModel(
        tmp_path / "runs", used.append, RECIPES, in_use=lambda: str(model.run.training.weights)
    )
    trainer(TRAINS)
    start_and_wait(qtbot, model, TrainingPhase.DONE)
    try:
        with qtbot.waitSignal(model.refused, check_params_cb=lambda words: "are in use" in words):
            model.compare([tmp_path / "new"])
    finally:
        model.close()


def test_a_comparison_that_fails_says_why(qtbot, tmp_path, trainer, used):
    model = TrainViewModel(tmp_path / "runs", used.append, RECIPES, in_use=lambda: "off")
    trainer(TRAINS)
    start_and_wait(qtbot, model, TrainingPhase.DONE)
    trainer(FAILS)
    try:
        with qtbot.waitSignal(model.compared) as signal:
            model.compare([tmp_path / "new"])
        assert signal.args == ["The disk is full. Make room."]
    finally:
        model.close()


def test_without_weights_in_use_classical_filling_stands_for_them():
    rows = [
        {"part": "hidden", "kind": "all", "method": "anchored", "rmse_m": 0.3},
        {"part": "hidden", "kind": "all", "method": "membrane", "rmse_m": 0.2},
        {"part": "truth", "kind": "all", "method": "raw", "rmse_m": 0.2},
    ]
    assert sentence(rows) == "Hidden depth: RMSE 200 mm by classical filling, 300 mm new (50% more)."
    assert sentence([]) == "Nothing could be compared."
