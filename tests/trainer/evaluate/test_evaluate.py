import json

import cv2
import numpy as np
import pytest

from trainer.data.samples import Sample
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored
from trainer.evaluate import cli
from trainer.evaluate.frames import TestFrame, frames_of, spaced
from trainer.evaluate.kept import images, kept_frames
from trainer.evaluate.methods import CLASSICAL
from trainer.evaluate.pictures import depth_picture
from trainer.evaluate.score import RAW, questions, score
from trainer.metrics import errors

SIZE = (60, 80)


def frame(key="src/0", *, truth=True):
    truth_m = np.tile(np.linspace(1, 3, SIZE[1], dtype=np.float32), (SIZE[0], 1))
    depth = truth_m.copy()
    depth[10:20, 10:30] = 0
    depth[40:50, 40:60] *= 1.2
    rng = np.random.default_rng(0)
    objects = np.zeros(SIZE, bool)
    objects[5:25, 5:35] = True
    return TestFrame(
        key,
        rng.integers(0, 255, (*SIZE, 3), np.uint8),
        depth,
        truth_m if truth else None,
        objects if truth else None,
    )


def perfect(_color, _depth):
    return frame().truth_m


def test_metrics_have_their_closed_forms():
    truth = np.full((10, 10), 2.0, np.float32)
    got = np.full((10, 10), 2.2, np.float32)
    got[5:] = 2.0
    found = errors(got, truth, truth > 0)
    assert found.mae_m == pytest.approx(0.1, abs=1e-6)
    assert found.rmse_m == pytest.approx(0.2 / np.sqrt(2), abs=1e-6)
    assert found.rel == pytest.approx(0.05, abs=1e-6)
    assert (found.delta105, found.delta1, found.delta3) == (0.5, 1.0, 1.0)
    got[:] = 2.0 * 1.25**2 * 0.999
    found = errors(got, truth, truth > 0)
    assert (found.delta1, found.delta2) == (0.0, 1.0)


def test_a_missing_answer_counts_as_nothing_at_all():
    truth = np.full((10, 10), 2.0, np.float32)
    for nothing in (0.0, np.nan, np.inf):
        assert errors(np.full((10, 10), nothing, np.float32), truth, truth > 0).rel == pytest.approx(1.0)


def test_the_questions_are_asked_where_they_belong():
    asked = {(a.part, a.level): a for a in questions(frame(), parts=("truth", "protocol1"), levels=("easy",))}
    kinds = asked["truth", ""].kinds
    assert kinds["hole"].sum() == 10 * 20
    assert kinds["wrong"].sum() == 10 * 20
    assert kinds["object"].sum() == 20 * 30
    corrupt = asked["protocol1", "easy"]
    assert not corrupt.depth_m[corrupt.kinds["removed"]].any()


def test_frames_without_truth_are_asked_for_hidden_pixels_only():
    asked = questions(frame(truth=False), parts=("hidden", "truth", "protocol1"), levels=("easy", "hard"))
    assert [a.part for a in asked] == ["hidden", "hidden"]
    assert not asked[0].depth_m[asked[0].kinds["block"]].any()


def test_the_truth_itself_scores_perfectly_and_raw_is_judged_where_it_answers():
    scores = score([frame()], {"perfect": perfect}, levels=("easy",))
    table = scores.table()
    assert all(found["perfect"].mae_m == 0 for key, found in table.items() if key[0] != "hidden")
    raw = table["truth", "", "all"][RAW]
    assert raw.pixels == 60 * 80 - 200
    assert table["truth", "", "wrong"][RAW].rel == pytest.approx(0.2, abs=1e-3)


def test_sources_weigh_the_same_however_many_frames_they_have():
    def method(_color, depth):
        return np.full_like(depth, 2.0)

    near = frame("near/0")
    far = [
        TestFrame(f"far/{n}", near.color, near.depth_m * 2, near.truth_m * 2, near.objects) for n in range(3)
    ]
    found = score([near, *far], {"m": method}, parts=("truth",), levels=()).table()["truth", "", "all"]["m"]
    one = errors(np.full(SIZE, 2.0, np.float32), near.truth_m, near.truth_m > 0).mae_m
    two = errors(np.full(SIZE, 2.0, np.float32), far[0].truth_m, near.truth_m > 0).mae_m
    assert found.mae_m == pytest.approx((one + two) / 2)


@pytest.mark.parametrize("name", list(CLASSICAL))
def test_classical_methods_fill_every_hole_and_keep_what_was_measured(name):
    a = frame()
    out = CLASSICAL[name](a.color, a.depth_m)
    assert np.array_equal(out[a.depth_m > 0], a.depth_m[a.depth_m > 0])
    hole = a.depth_m == 0
    assert np.abs(out - a.truth_m)[hole].mean() < 0.3


@pytest.fixture
def folder(tmp_path):
    a = frame()
    place = tmp_path / "frames" / "lab" / "0"
    place.mkdir(parents=True)
    cv2.imwrite(str(place / "rgb.png"), a.color)
    cv2.imwrite(str(place / "depth.png"), np.rint(a.depth_m * 5000).astype(np.uint16))
    cv2.imwrite(str(place / "gt.png"), np.rint(a.truth_m * 4000).astype(np.uint16))
    cv2.imwrite(str(place / "mask.png"), a.objects.astype(np.uint8) * 255)
    (place / "meta.txt").write_text("depth_scale=5000\ngt_scale=4000\n", "utf-8")
    return tmp_path / "frames"


def test_a_frame_folder_comes_with_its_truth_and_its_objects(folder):
    (found,) = frames_of(str(folder), per_source=3)
    assert found.key == "lab/0"
    assert np.allclose(found.truth_m, frame().truth_m, atol=0.0002)
    assert np.array_equal(found.objects, frame().objects)


def test_a_data_set_gives_what_training_holds_out(tmp_path):
    with ShardWriter(shard_path(tmp_path, 0)) as writer:
        for number in range(20):
            depth = np.full(SIZE, 1 + number / 10, np.float32)
            sample = Sample(np.zeros((*SIZE, 3), np.uint8), depth, depth)
            writer.add(f"{number:03}", stored(sample, source="test", scene="one"))
    found = list(frames_of(f"shards:{tmp_path}", per_source=5))
    assert [round(float(each.depth_m[0, 0]), 3) for each in found] == [2.8, 2.9]


def test_frames_are_spread_over_the_whole_source():
    assert spaced(100, 3) == [0, 50, 99]
    assert spaced(2, 5) == [0, 1]
    assert spaced(1, 3) == [0]


def test_the_verb_writes_a_page_with_pictures_and_json_with_every_score(folder, tmp_path, capsys):
    out = tmp_path / "report"
    flags = ["--methods", "nearest,membrane", "--levels", "easy", "--keep", "2", "--json"]
    status = cli.main([str(folder), "--out", str(out), *flags])
    assert status == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["event"] == "done"
    page = (out / cli.REPORT_HTML).read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") >= 7
    assert "Protocol 1" in page
    stored_scores = json.loads((out / cli.REPORT_JSON).read_text("utf-8"))
    kinds = {(row["part"], row["level"], row["kind"]) for row in stored_scores["table"]}
    assert {("truth", "", "object"), ("truth", "", "hole"), ("truth", "", "wrong")} <= kinds
    assert ("protocol1", "easy", "removed") in kinds
    assert ("hidden", "easy", "block") in kinds
    assert {row["method"] for row in stored_scores["rows"]} == {"nearest", "membrane", "raw"}
    assert all("delta3" in row for row in stored_scores["table"])
    kept = kept_frames(out)
    assert [(found.key, found.part, found.level) for found in kept] == [
        ("lab/0", "hidden", "easy"),
        ("lab/0", "truth", ""),
    ]
    (row,) = [
        row
        for row in stored_scores["rows"]
        if (row["method"], row["part"], row["kind"]) == ("nearest", "truth", "all")
    ]
    assert kept[1].rmse_m["nearest"] == pytest.approx(row["rmse_m"])
    held = images(kept[1])
    assert held.color.shape == (*held.right.shape, 3)
    assert np.allclose(held.right * 0.001, frame().truth_m, atol=0.001)
    assert set(held.outputs) == {"nearest", "membrane"}
    assert (held.outputs["nearest"] > 0).all(), "every hole is filled"


def test_the_bundled_network_stands_beside_the_classical_methods(folder, tmp_path):
    out = tmp_path / "report"
    arguments = [str(folder), "--out", str(out), "--parts", "truth", "--methods", "network,anchored,nearest"]
    assert cli.main([*arguments, "--tokens", "192", "--device", "cpu"]) == 0
    table = json.loads((out / cli.REPORT_JSON).read_text("utf-8"))["table"]
    assert {row["method"] for row in table} == {"network", "anchored", "nearest", "raw"}


@pytest.mark.parametrize("place", ["nowhere", "shards:nowhere"])
def test_a_place_without_frames_is_one_sentence_and_a_status(place, tmp_path, capsys):
    assert cli.main([place, "--out", str(tmp_path), "--methods", "nearest"]) == 1
    assert capsys.readouterr().out.strip().endswith(".")


def test_an_unknown_method_names_those_that_there_are(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["x", "--out", str(tmp_path), "--methods", "magic"])
    assert "membrane" in capsys.readouterr().err


def test_near_is_blue_and_far_is_red_as_in_the_window():
    near, middle, far, hole = depth_picture(np.array([[0.55, 0.9, 3.9, 0]], np.float32), 0.5, 4.0)[0].astype(
        int
    )
    assert near[2] > near[0]
    assert far[0] > far[2]
    assert middle[1] > max(middle[0], middle[2])
    assert not hole.any()
