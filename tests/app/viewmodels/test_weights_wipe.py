import numpy as np
import pytest

from app.viewmodels.readout import readout
from app.viewmodels.weights_wipe import WeightsWipeViewModel, before_and_after
from trainer.evaluate.frames import TestFrame
from trainer.evaluate.kept import Keeper
from trainer.evaluate.score import Answer, Asked

SIZE = (24, 32)


def flat(depth_m):
    return np.full(SIZE, depth_m, np.float32)


def keep(out, outputs, frames=2):
    keeper = Keeper(out, most=10)
    everywhere = {"all": np.ones(SIZE, bool)}
    for number in range(frames):
        frame = TestFrame(f"kitchen front/{number}", np.full((*SIZE, 3), 90, np.uint8), flat(0), flat(2.0))
        keeper.add(Answer(frame, Asked("truth", "", flat(0), flat(2.0), everywhere), outputs))
    keeper.close()


@pytest.fixture
def model(qapp, tmp_path):
    keep(tmp_path, {"anchored old/weights": flat(2.5), "anchored new/weights": flat(2.1)})
    return WeightsWipeViewModel(tmp_path)


def seen(model, act):
    found = []
    model.changed.connect(found.append)
    act()
    model.changed.disconnect(found.append)
    return found[-1]


def test_the_weights_in_use_are_on_the_left_and_the_run_s_on_the_right(model):
    frame = seen(model, model.show)
    assert (frame.number, frame.count) == (1, 2)
    assert np.allclose(frame.tile.frame.depth.metres, 2.5)
    assert np.allclose(frame.tile.refined.depth.metres, 2.1)
    assert frame.tile.names == {"raw": "Weights in use", "refined": "New weights"}
    assert frame.figures == "RMSE 500 mm in use, 100 mm new"
    assert "kitchen front/0; input: raw depth" in frame.title
    assert frame.before == "Weights in use"
    assert frame.options.far_m > frame.options.near_m
    said = readout(frame.tile, 0.5, 0.5)
    assert (said.names, said.refined, said.raw) == (("New weights", "Weights in use"), "2.100 m", "2.500 m")
    assert said.provenance == "Apart: 400 mm"


def test_frames_are_gone_through_in_a_circle(model):
    assert seen(model, lambda: model.go(1)).number == 2
    assert seen(model, lambda: model.go(1)).number == 1
    assert seen(model, lambda: model.go(-1)).number == 2


def test_what_went_in_and_what_is_right_can_be_put_on_the_left(model):
    asked = seen(model, lambda: model.compare_with("asked"))
    assert not asked.tile.frame.depth.values.any()
    right = seen(model, lambda: model.compare_with("right"))
    assert np.allclose(right.tile.frame.depth.metres, 2.0)
    assert right.tile.names["raw"] == "Exact depth"


def test_a_frame_that_is_gone_is_told(qtbot, model, tmp_path):
    for path in (tmp_path / "frames").glob("*.npz"):
        path.unlink()
    with qtbot.waitSignal(model.gone, check_params_cb=lambda words: "Compare again" in words):
        model.show()


def test_classical_filling_stands_for_weights_and_is_always_the_one_before():
    assert before_and_after(("anchored", "membrane")) == ("membrane", "anchored")
    assert before_and_after(("anchored a", "anchored b")) == ("anchored a", "anchored b")


def test_a_comparison_without_frames_has_none(tmp_path):
    assert WeightsWipeViewModel(tmp_path).count == 0
