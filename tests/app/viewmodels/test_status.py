from app.compose import InferenceState, InferenceStatus
from app.viewmodels.status import StatusModel, engine_item


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


def test_the_rate_counts_all_cameras(qtbot, studio, make_camera, running_engine, tmp_path):
    studio.open([make_camera("a"), make_camera("b")])
    running_engine(studio)
    model = StatusModel(studio, lambda: tmp_path)
    with qtbot.waitSignal(model.changed) as told:
        model.poll()
    assert told.args[0].rate.text == "0.0 refined per s"
    assert told.args[0].engine.text == "Tiny engine"


def test_a_running_engine_is_named_with_how_it_runs():
    state = InferenceState(InferenceStatus.RUNNING, "MDM", "GPU fp16, 1800 tokens")
    assert engine_item(state).text == "MDM, GPU fp16, 1800 tokens"
