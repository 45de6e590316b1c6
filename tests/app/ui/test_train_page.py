import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QLabel

from app import paths
from app.recording import library
from app.training import comparison
from app.training.data_sets import FILE, DataSet, NoDataSetError, Sources
from app.training.history import PastRun
from app.training.job import TrainingPhase, TrainingState
from app.ui import speaking
from app.ui.folder_dialog import FolderDialog
from app.ui.train_page import make_page
from app.ui.train_plan import SessionRow
from app.ui.weights_wipe import WeightsWipeDialog
from app.viewmodels.handover import handover
from app.viewmodels.session_list import Listing
from app.viewmodels.train import RunView, words_of
from app.viewmodels.words import unbroken
from tests.app.recording import small_sessions as small
from tests.app.ui import pages
from tests.app.viewmodels.test_weights_wipe import flat, keep
from trainer.data.kinds import KINDS
from trainer.recipes import RECIPES

RMSES = (("anchored old/weights", 0.5), ("anchored new/weights", 0.1))


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


def data_set(folder):
    return DataSet("hypersim", "Hypersim", folder, 59_543, 365, "CC BY-SA 3.0")


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


def test_a_list_of_data_sets_that_cannot_be_read_is_told_when_the_page_opens(make, tmp_path):
    runs = paths.runs_folder()
    runs.mkdir(parents=True)
    (runs / FILE).write_text("{", "utf-8")
    _, asked = make()

    (notice,) = asked.notices
    assert (notice.level, "cannot be read" in notice.text) == ("error", True)
    assert "data.unreadable-1.json" in notice.hint


def test_data_sets_are_named_by_touch_and_the_mix_shows_every_share(qtbot, make, tmp_path):
    page, asked = make()
    page.plan.data_sets.add.click()
    dialog = page.findChild(FolderDialog)
    assert dialog.isVisible()
    dialog.reject()
    page._data.sources = Sources((data_set(tmp_path / "a"), data_set(tmp_path / "b")))
    page._data.changed.emit(page._data.sources)
    assert page.plan.start.isEnabled()
    assert [label.text() for label in page.plan.mix.shares.values()] == ["50%", "50%"]

    page.plan.synthetic.click()
    page.plan.mix.steppers[str(tmp_path / "b")]._more.click()
    assert [label.text() for label in page.plan.mix.shares.values()] == ["25%", "25%", "50%"]
    row = page.plan.data_sets.rows[tmp_path / "a"]
    row.click()
    assert page.plan.data_sets.rows[tmp_path / "a"] is row
    assert [data.folder for data in page.plan.plan.data_sets] == [tmp_path / "b"]
    page.plan.data_sets.removes[tmp_path / "b"].click()
    assert list(page.plan.data_sets.rows) == [tmp_path / "a"]
    assert page.plan.mix.isHidden()
    page._data.refused.emit(NoDataSetError("None here.", hint="Hypersim (frame.*)"))
    assert (asked.notices[-1].text, asked.notices[-1].hint) == ("None here.", "Hypersim (frame.*)")


def test_a_data_set_and_its_licence_speak_the_windows_language(qapp, make, tmp_path):
    kind = KINDS["shards"]
    page, _ = make()
    shards = DataSet("shards", kind.title, tmp_path / "a", 500, 10, kind.licence)
    page._data.sources = Sources((shards,))
    page._data.changed.emit(page._data.sources)
    page.plan.synthetic.click()

    def words():
        parts = page.findChildren(QAbstractButton) + page.findChildren(QLabel)
        return " ".join(f"{part.text()} {part.accessibleName()}" for part in parts)

    assert kind.title in words()
    speaking.speak(qapp, "zh_CN")
    try:
        assert kind.title not in words()
        assert kind.licence not in words()
    finally:
        speaking.speak(qapp, "en")


def test_a_session_handed_over_is_ticked(qtbot, make, tmp_path):
    small.make_session(tmp_path / "sessions" / "a")
    folder = small.make_session(tmp_path / "sessions" / "b")
    handover.train_on = (folder,)

    page, _ = make()
    qtbot.waitUntil(lambda: len(page.plan._rows) == 2)

    assert page.plan.plan.sessions == (folder,)


def test_of_thousands_of_sessions_a_portion_is_shown_and_ticks_outside_of_it_stay(make, tmp_path):
    page, _ = make()
    one = library.read_entry(small.make_session(tmp_path / "one"))
    entries = tuple(replace(one, folder=tmp_path / f"{number:05d}") for number in range(10_000))
    last = entries[-1].folder
    page.plan.tick_only((last,))

    page.show_sessions(Listing(entries[:100], complete=False))
    page.show_sessions(Listing(entries))

    assert len(page.plan.sessions) == 10_000
    assert len(page.plan.findChildren(SessionRow)) == 101
    assert page.plan.plan.sessions == (last,)
    assert next(iter(page.plan._rows)) == last
    page.plan._rows[entries[3].folder].click()
    page.plan.more.click()
    assert len(page.plan._rows) == 201
    assert page.plan.more.text() == "Show 100 more of 9,799"
    page.show_sessions(Listing(entries[:100], complete=False))
    page.show_sessions(Listing(entries))
    assert page.plan.plan.sessions == (entries[3].folder, last)
    page.plan._rows[last].click()
    assert page.plan.plan.sessions == (entries[3].folder,)


def test_a_run_under_way_shows_curves_and_can_be_stopped(qtbot, make):
    page, _ = make()
    losses = tuple((step, 1.0 / step) for step in range(1, 50))

    show(page, TrainingState(TrainingPhase.RUNNING, 49, 100, losses, ((20, 0.12),), rate_hz=2.0))

    assert page.run.words.text().startswith("Step 49 of 100")
    assert page.run.loss.accessibleName() == "Loss: 0.0204"
    assert page.run.score.accessibleName() == "Error in hidden depth: 120 mm"
    with qtbot.waitSignal(page.run.stop_requested):
        page.run.stop.click()


def test_a_failure_is_shown_with_what_to_do(make):
    page, _ = make()

    show(page, TrainingState(TrainingPhase.FAILED, message="The disk is full.", hint="Make room."))

    assert page.run.words.text() == "The disk is full."
    assert page.run._hint.text() == "Make room."
    assert not page.run.stop.isVisibleTo(page)


def test_a_run_that_failed_goes_on_from_its_checkpoint_by_its_own_button(make, tmp_path, monkeypatch):
    page, _ = make()
    resumed = []
    monkeypatch.setattr(page._model, "resume", resumed.append)
    failed = past(tmp_path / "a", phase=TrainingPhase.FAILED, resumable=True)
    page.show_runs((failed,))
    page._rows.itemAt(0).widget().look.click()
    page.show_runs((failed,))
    assert page.run.words.text() == "Failed at step 5 of 9. The run failed."
    assert page.run._progress.property("tone") == "error"
    page.run.resume.click()
    assert resumed == [failed]
    page.show_runs((past(tmp_path / "a", phase=TrainingPhase.FAILED),))
    assert page.run.resume.isHidden()


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
    page.plan.synthetic.click()
    page._data.sources = Sources((data_set(tmp_path / "a"), data_set(tmp_path / "b")))
    page._data.changed.emit(page._data.sources)
    page.resize(*size)
    qtbot.waitUntil(lambda: len(page.plan._rows) == 1)
    page.show_runs((past(tmp_path / "a", resumable=True),))

    pages.assert_fit_for_fingers(page)


def test_an_estimate_stands_until_the_plan_changes(qtbot, make):
    page, _ = make()
    page.plan.synthetic.click()
    with qtbot.waitSignal(page.plan.estimate_requested) as signal:
        page.plan._ask_for_estimate()
    assert signal.args[0] == page.plan.plan
    page.plan.show_estimate("About 10 min.")
    assert page.plan.estimate_words.isVisibleTo(page)
    page.plan.steps.set_value(990)
    page.plan.check()
    assert not page.plan.estimate_words.isVisibleTo(page)


def test_samples_of_the_run_are_shown_in_their_own_proportions(make):
    page, _ = make()
    picture = QImage(1280, 240, QImage.Format.Format_RGB32)
    picture.fill(0x336699)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    picture.save(buffer, "JPEG")
    state = TrainingState(
        TrainingPhase.RUNNING, 49, 100, ((1, 0.5),), ((20, 0.12),), warning="A reader died."
    )
    page.show_run(
        RunView("a", Path("/runs/a"), state, words_of(state), 0.5, before=bytes(buffer.data()), after=None)
    )
    assert page.run.before.isVisibleTo(page)
    assert not page.run.after.isVisibleTo(page)
    strip = page.run.before._picture
    assert strip.height() == pytest.approx(strip.width() * 240 / 1280, abs=1)
    assert page.run._warning.text() == "A reader died."


def test_the_weights_before_a_promotion_are_offered_and_put_back(qtbot, make, tmp_path):
    weights = tmp_path / "my run" / "weights.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"w")
    page, _ = make()
    assert page.roll_back.isHidden()
    before = page._context.studio.choice.model
    page.show_runs((past(tmp_path / "b", weights=weights),))
    page._rows.itemAt(0).widget().use.click()
    page.show_runs((past(tmp_path / "b", weights=weights),))
    assert not page.roll_back.isHidden()
    assert page.roll_back.text() == f"Back to {before}"
    page.roll_back.click()
    assert page._context.studio.choice.model == before
    assert page._context.settings.model == before
    assert page.roll_back.isHidden()


def test_a_past_run_is_put_on_screen_and_its_comparison_is_wiped_over(qtbot, make, tmp_path):
    page, asked = make()
    folder = tmp_path / "data" / "runs" / "a"
    compare = folder / comparison.FOLDER
    keep(compare, {"anchored old/weights": flat(2.5), "anchored new/weights": flat(2.1)})
    rows = [{"part": "truth", "kind": "all", "method": name, "rmse_m": rmse} for name, rmse in RMSES]
    (compare / "report.json").write_text(json.dumps({"table": rows}), "utf-8")
    (compare / comparison.REPORT).touch()
    weights = folder / "weights.safetensors"
    weights.touch()
    page.show_runs((past(folder, phase=TrainingPhase.DONE, weights=weights),))
    page._rows.itemAt(0).widget().look.click()
    said = unbroken("Exact depth: RMSE 500 mm in use, 100 mm new (80% less).")
    assert page.run.compared.text() == said
    assert page.run.loss.accessibleName() == "Loss: 0.25"

    page.run.wipe.click()
    dialog = page.findChild(WeightsWipeDialog)
    assert dialog.frame.text().startswith("1 of 2: kitchen front/0")
    (pane, *_) = (pane for pane in dialog.view.panes if pane.kind == "wipe")
    middle = pane.rect.center()
    qtbot.mousePress(dialog.view, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(dialog.view, middle + QPoint(pane.rect.width() // 4, 0))
    qtbot.mouseRelease(dialog.view, Qt.MouseButton.LeftButton, pos=middle + QPoint(pane.rect.width() // 4, 0))
    assert dialog.view.wipe == pytest.approx(0.75, abs=0.02)
    dialog.further.click()
    assert dialog.frame.text().startswith("2 of 2")
    dialog.left.button("right").click()
    assert dialog.view._tile.names["raw"] == "Exact depth"
    pages.assert_fit_for_fingers(dialog)
    dialog.accept()
    shutil.rmtree(compare / "frames")
    page.run.wipe.click()
    assert "kept no frames" in asked.notices[-1].text


def test_upright_the_run_lies_below_the_plan_and_nothing_is_cut(qtbot, make):
    page, _ = make()
    show(page, TrainingState(TrainingPhase.DONE, 9, 9, ((5, 0.25),), ((5, 0.04),), weights=Path("w")))
    page.run.show_comparison("", running=False, report=True)
    page.show_runs((past(Path("/runs/a"), weights=Path("w")),))
    page.resize(800, 1150)
    qtbot.wait(50)
    for card in (page.plan, page.run, page.runs):
        assert card.mapTo(page, card.rect().topRight()).x() < 800
        assert card.width() >= card.minimumSizeHint().width()
