import json

import cv2
import numpy as np
import pytest

from app import paths
from app.cli import main
from drivers.calibration.rig import find, load
from tests.drivers.calibration.rigs import CAMERAS, PLACES, TRUTH, photo


@pytest.fixture
def pictures(tmp_path):
    """A folder for each camera, with a picture of every board."""
    cameras = {}
    for name, lens in CAMERAS.items():
        (tmp_path / "shots" / name).mkdir(parents=True)
        for number, place in enumerate(PLACES):
            grey = photo(name, place)[0][..., 0]
            cv2.imwrite(str(tmp_path / "shots" / name / f"{number:02d}.png"), grey)
        fields = ("width", "height", "fx", "fy", "cx", "cy", "distortion")
        cameras[name] = {"color": {key: getattr(lens, key) for key in fields}, "serial": f"SN-{name}"}
    (tmp_path / "shots" / "calibration.json").write_text(json.dumps({"cameras": cameras}))
    return tmp_path / "shots"


def events(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_folders_of_pictures_place_the_cameras(pictures, tmp_path, capsys):
    assert (
        main(["calibrate", str(pictures), "--board", "a4", "--out", str(tmp_path / "rig.json"), "--json"])
        == 0
    )
    made = load(tmp_path / "rig.json")
    assert [camera.serial for camera in made.cameras] == ["SN-left", "SN-right"]
    off = np.linalg.inv(TRUTH["right"]) @ made.cameras[1].matrix
    assert np.linalg.norm(off[:3, 3]) < 1e-3
    assert any(event["event"] == "placed" for event in events(capsys))


def test_without_a_file_this_computer_keeps_it_for_the_rig(pictures):
    assert main(["calibrate", str(pictures)]) == 0
    assert find(paths.calibrations_folder(), ["SN-right", "SN-left"]) is not None


def test_another_board_is_refused_with_the_reason_and_nothing_is_written(pictures, tmp_path, capsys):
    out = tmp_path / "rig.json"
    assert main(["calibrate", str(pictures), "--board", "8x5:30/22:DICT_4X4_100", "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "wrong" in said.out
    assert "are needed" in said.err
    assert not out.exists()


def test_pictures_of_another_size_are_named(pictures, capsys):
    cv2.imwrite(str(pictures / "left" / "00.png"), np.zeros((10, 10), np.uint8))
    assert main(["calibrate", str(pictures)]) == 1
    assert "00.png is no picture of 640 x 480 pixels" in capsys.readouterr().err


def test_a_folder_without_lenses_says_what_is_missing(tmp_path, capsys):
    assert main(["calibrate", str(tmp_path)]) == 1
    assert "calibration.json" in capsys.readouterr().err


def test_a_board_is_written_and_never_written_over(tmp_path, capsys):
    out = tmp_path / "board.pdf"
    assert main(["board", "--out", str(out), "--board", "a3", "--json"]) == 0
    assert events(capsys)[0]["square_mm"] == 34.0
    assert out.read_bytes().startswith(b"%PDF")
    assert main(["board", "--out", str(out)]) == 1
    assert "is there already" in capsys.readouterr().err
