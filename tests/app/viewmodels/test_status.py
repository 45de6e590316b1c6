import sys
from pathlib import Path

import pytest

from app.compose import InferenceState, InferenceStatus
from app.flow.meter import Reading
from app.viewmodels.status import StatusModel, engine_item, moments_item, rate_item
from drivers.session.labels import SessionLabels


def test_a_failed_engine_is_named_as_failed():
    item = engine_item(InferenceState(InferenceStatus.FAILED, "MDM", "no weights"))
    assert (item.text, item.tone) == ("MDM: failed", "error")


def test_without_a_rig_nothing_is_promised(qtbot, studio, tmp_path):
    model = StatusModel(studio, lambda: tmp_path / "not" / "there")
    with qtbot.waitSignal(model.changed) as told:
        model.poll()
    line = told.args[0]
    assert (line.engine.text, line.rate.text, line.recording.text) == ("No camera open", "", "Not recording")
    assert line.disk.text.endswith("free")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_another_folder_is_asked_at_once(qtbot, studio, tmp_path):
    folder = [tmp_path]
    model = StatusModel(studio, lambda: folder[0])
    model.poll()
    folder[0] = Path("/proc/sessions")  # that is no disk
    with qtbot.waitSignal(model.changed) as told:
        model.poll()
    assert told.args[0].disk.text == "Disk: room unknown"


def test_a_running_engine_is_told_without_a_rate_until_it_has_one(
    qtbot, studio, make_camera, running_engine, tmp_path
):
    studio.open([make_camera("a"), make_camera("b")])
    running_engine(studio)
    model = StatusModel(studio, lambda: tmp_path)
    with qtbot.waitSignal(model.changed) as told:
        model.poll()
    assert (told.args[0].engine.text, told.args[0].rate.text) == ("Tiny engine", "")


def test_the_rate_counts_all_cameras():
    assert rate_item([Reading(1.5, 9, 9, 8), Reading(0.7, 9, 9, 4)]).text == "2.2 refined per s"


def test_one_repair_alone_has_no_rate():
    none, one = Reading(0.0, 0.0, 0.0), Reading(0.0, 9, 9, 1)
    assert rate_item([none, none]).text == ""
    assert rate_item([one, none]).text == ""
    assert rate_item([one, Reading(0.7, 9, 9, 4)]).text == ""
    assert rate_item([none, Reading(0.7, 9, 9, 4)]).text == "0.7 refined per s"


def test_a_running_engine_is_named_with_how_it_runs():
    state = InferenceState(InferenceStatus.RUNNING, "MDM", "GPU fp16, 1800 tokens")
    assert engine_item(state).text == "MDM, GPU FP16, 1800 tokens"


def test_the_spread_of_a_moment_is_told():
    assert moments_item(Reading(30.0, 4.2, 9.0), 3, 3).text == "3 cameras within 4 ms"


def test_a_camera_that_is_missing_from_the_moment_is_told():
    item = moments_item(Reading(30.0, 4.2, 9.0), 2, 3)

    assert (item.text, item.tone) == ("2 of 3 cameras within 4 ms", "warning")


def test_cameras_that_never_meet_are_told():
    assert moments_item(Reading(0.0, 0.0, 0.0), 1, 3).tone == "warning"


def test_a_running_rig_tells_its_spread(qtbot, studio, make_camera, tmp_path):
    studio.open([make_camera("a"), make_camera("b")])
    model = StatusModel(studio, lambda: tmp_path)
    told = []
    model.changed.connect(told.append)

    def together():
        model.poll()
        return bool(told) and told[-1].moments.text.startswith("2 cameras within")

    qtbot.waitUntil(together)


def test_a_session_that_is_being_closed_is_told_until_it_is_on_the_disk(
    studio, make_camera, tmp_path, monkeypatch, qtbot
):
    pipeline = studio.open([make_camera("a")])
    qtbot.waitUntil(lambda: pipeline.lines["a"].channel.newest.latest() is not None)
    model = StatusModel(studio, lambda: tmp_path)
    recorder = studio.record(tmp_path / "sessions", SessionLabels())
    close, said = recorder._writer.close, []

    def closing(*totals):
        said.append(model._recording().text)
        return close(*totals)

    monkeypatch.setattr(recorder._writer, "close", closing)
    studio.stop_recording()

    assert [*said, model._recording().text] == ["Saving ...", "Not recording"]
