from pathlib import Path

import pytest

from app.training.history import PastRun
from app.training.job import TrainingPhase, TrainingState
from app.ui.train_page import make_page
from app.viewmodels.handover import handover
from app.viewmodels.train import RunView, words_of
from tests.app.recording import small_sessions as small
from tests.app.ui import pages
from trainer.recipes import RECIPES


@pytest.fixture
def make(qtbot, themed, tmp_path, monkeypatch):
    monkeypatch.setenv("DEPTHMEND_DATA", str(tmp_path / "data"))
    made = []

    def build():
        context, asked = pages.context_for(tmp_path / "sessions")
        page = make_page(context)
        qtbot.addWidget(page)
        page.resize(*pages.SIZES[0])
        page.show()
        page.shown()
        made.append(page)
        qtbot.waitUntil(lambda: not page._sessions.loading and "Reading" not in page.plan._no_sessions.text())
        return page, asked

    yield build
    for page in made:
        pages.discard(page)


def show(page, state):
    page.show_run(RunView("Fine-tune: 1 session", Path("/runs/a"), state, words_of(state), 0.5))


def past(folder, phase=TrainingPhase.STOPPED, **changes):
    from datetime import UTC, datetime

    state = TrainingState(phase, step=5, steps=9, losses=((5, 0.25),), scores=((5, 0.04),))
    values = {"weights": None, "resumable": False} | changes
    return PastRun(
        folder, "finetune_rig", (), synthetic=True, state=state, started=datetime.now(UTC), **values
    )


def test_nothing_to_learn_from_is_said_and_start_is_off(make):
    page, _ = make()

    assert not page.plan.start.isEnabled()
    assert "at least one session" in page.plan.obstacle.text()
    page.plan.synthetic.click()

    assert page.plan.start.isEnabled()
    assert not page.plan.obstacle.isVisibleTo(page)


def test_the_plan_is_what_stands_on_the_card(qtbot, make, tmp_path):
    folder = small.make_session(tmp_path / "sessions" / "a")
    page, _ = make()
    qtbot.waitUntil(lambda: folder in page.plan._rows)

    page.plan._rows[folder].click()
    page.plan.recipes.button("finetune_rig").click()
    plan = page.plan.plan

    assert plan.sessions == (folder,)
    assert plan.recipe == "finetune_rig"
    assert plan.init is not None


def test_a_recipe_that_starts_from_nothing_offers_nothing(make):
    page, _ = make()

    page.plan.recipes.button("bundled").click()

    assert page.plan.init.choice == ""
    assert page.plan.plan.init is None
    assert page.plan.plan.steps == RECIPES["bundled"].steps


def test_a_session_handed_over_is_ticked(qtbot, make, tmp_path):
    small.make_session(tmp_path / "sessions" / "a")
    folder = small.make_session(tmp_path / "sessions" / "b")
    handover.train_on = (folder,)

    page, _ = make()
    qtbot.waitUntil(lambda: len(page.plan._rows) == 2)

    assert page.plan.plan.sessions == (folder,)


def test_a_run_under_way_shows_curves_and_can_be_stopped(qtbot, make):
    page, _ = make()
    losses = tuple((step, 1.0 / step) for step in range(1, 50))

    show(page, TrainingState(TrainingPhase.RUNNING, 49, 100, losses, ((20, 0.12),), rate_hz=2.0))

    assert page.run.words.text().startswith("Step 49 of 100")
    assert page.run.loss.accessibleName() == "Loss: 0.0204"
    assert page.run.score.accessibleName() == "Error in hidden depth: 0.12 m"
    with qtbot.waitSignal(page.run.stop_requested):
        page.run.stop.click()


def test_a_failure_is_shown_with_what_to_do(make):
    page, _ = make()

    show(page, TrainingState(TrainingPhase.FAILED, message="The disk is full.", hint="Make room."))

    assert page.run.words.text() == "The disk is full."
    assert page.run._hint.text() == "Make room."
    assert not page.run.stop.isVisibleTo(page)


def test_past_runs_can_be_resumed_and_used(qtbot, make, tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"w")
    page, asked = make()

    page.show_runs((past(tmp_path / "a", resumable=True), past(tmp_path / "b", weights=weights)))
    rows = [page._rows.itemAt(n).widget() for n in range(page._rows.count())]
    assert [row.resume.isHidden() for row in rows] == [False, True]
    assert [row.use.isHidden() for row in rows] == [True, False]
    rows[1].use.click()

    assert page._context.studio.choice.model == str(weights)
    assert page._context.settings.model == str(weights)
    assert asked.pages == ["Live"]
    assert asked.notices[-1].text.startswith("Live repair now uses")


def test_curves_follow_the_theme(make, qapp):
    from app.ui import theme

    page, _ = make()
    try:
        theme.apply(qapp, "light")
        background = page.run.loss.plot.backgroundBrush().color().name()
    finally:
        theme.apply(qapp, "dark")

    assert background == theme.LIGHT.surface


@pytest.mark.parametrize("size", pages.SIZES)
def test_everything_can_be_pressed_with_gloves(qtbot, make, tmp_path, size):
    small.make_session(tmp_path / "sessions" / "a")
    page, _ = make()
    page.resize(*size)
    qtbot.waitUntil(lambda: len(page.plan._rows) == 1)
    page.show_runs((past(tmp_path / "a", resumable=True),))

    pages.assert_fit_for_fingers(page)
