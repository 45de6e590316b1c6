import json

import cv2
import numpy as np
import pytest

from tests.app.recording import small_sessions
from trainer.data import cli
from trainer.data.kinds import KINDS
from trainer.data.recognise import expected, look, recognised
from trainer.data.samples import Sample
from trainer.data.shard_writer import ShardWriter, shard_path
from trainer.data.stored import stored
from trainer.errors import DataError


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_told_by_each_of_its_marks(kind, tmp_path):
    for number, mark in enumerate(KINDS[kind].marks):
        root = tmp_path / str(number)
        file = root / "far" / "below" / mark.replace("*", "000")
        file.parent.mkdir(parents=True)
        file.touch()
        (root / "README.txt").touch()
        assert recognised(root) == (kind, file.parent if kind == "shards" else root)


def shards(folder, count):
    depth = np.full((8, 8), 2, np.float32)
    with ShardWriter(shard_path(folder, 0)) as writer:
        for number in range(count):
            sample = Sample(np.zeros((8, 8, 3), np.uint8), depth, depth)
            writer.add(f"{number:03}", stored(sample, source="x", scene=f"room {number // 2}"))


def test_the_verb_says_what_a_folder_holds_for_programs_too(tmp_path, capsys):
    shards(tmp_path / "out", 4)
    assert cli.main(["--json", "look", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (found["kind"], found["samples"], found["scenes"]) == ("shards", 4, 2)
    assert found["folder"] == str(tmp_path / "out")


def test_a_folder_without_a_data_set_says_what_was_expected(tmp_path, capsys):
    (tmp_path / "holiday.jpg").touch()
    assert cli.main(["look", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "No data set was found" in said
    assert "Hypersim (scene_cam_*_final_preview/frame.*.tonemap.jpg)" in said
    assert all(entry.title in expected() for entry in KINDS.values())


def test_a_session_and_a_packed_archive_say_where_they_belong(tmp_path):
    session = small_sessions.make_session(tmp_path / "session")
    with pytest.raises(DataError, match="recorded session") as caught:
        recognised(session)
    assert "among the sessions" in caught.value.hint
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "RobbySimVal.tar.zst").touch()
    with pytest.raises(DataError, match="packed") as caught:
        recognised(tmp_path / "packed")
    assert "dataset convert mdm_depth" in caught.value.hint
    with pytest.raises(DataError, match="no folder"):
        recognised(tmp_path / "gone")


def test_a_data_set_of_which_a_part_is_missing_is_found_out_by_reading_one_sample(tmp_path):
    file = tmp_path / "hanson_rgb" / "point_0_view_1_domain_rgb.png"
    file.parent.mkdir()
    cv2.imwrite(str(file), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="depth_euclidean"):
        look(tmp_path)
