"""record and export with refined depth, through the real command line."""

import json
import signal

import cv2
import numpy as np
import pytest

from app import cli
from app.console import Console
from app.recording.counts import CameraCount, RecorderStatus
from app.verbs import record
from drivers.session.reader import Session
from tests.app.recording.small_sessions import small_frame


@pytest.fixture
def frames(tmp_path):
    """Two frames with a hole in each."""
    for number in range(2):
        folder = tmp_path / "frames" / str(number)
        folder.mkdir(parents=True)
        frame = small_frame("folder", number)
        depth = frame.depth.values.copy()
        depth[8:12, 8:12] = 0
        cv2.imwrite(str(folder / "rgb.png"), frame.color[..., ::-1])
        cv2.imwrite(str(folder / "raw_depth.png"), depth)
    return tmp_path / "frames"


def run(capsys, *argv):
    status = cli.main([*map(str, argv), "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_refined_depth_is_recorded_and_exported(frames, tmp_path, capsys):
    folder, out = tmp_path / "session", tmp_path / "out"
    argv = [
        "record",
        "--source",
        frames,
        "--seconds",
        2,
        "--out",
        folder,
        "--refined",
        "--model",
        "classical",
    ]
    status, events = run(capsys, *argv)
    assert status == 0
    (said,) = [event for event in events if event["event"] == "refined"]
    session = Session(folder)
    (camera,) = session.camera_ids
    positions = session.refined_positions(camera)
    assert said["written"] == len(positions) > 0
    assert said["made"] == said["written"] + said["dropped"] + said["unplaced"] + said["failed"]
    assert session.manifest.honest
    refined = session.refined(camera, int(positions[0]))
    assert refined.depth.valid.all()
    assert set(refined.provenance[9:11, 9:11].ravel()) == {2}
    assert refined.meta.made_by.model == "classical"

    assert run(capsys, "export", folder, "--out", out)[0] == 0
    exported = {int(path.parent.name) for path in out.glob("*/*/depth_refined.png")}
    assert exported == set(positions.tolist())
    first = out / camera / f"{positions[0]:06d}"
    assert np.array_equal(
        cv2.imread(str(first / "depth_refined.png"), cv2.IMREAD_UNCHANGED), refined.depth.values
    )
    assert np.array_equal(
        cv2.imread(str(first / "depth_refined_provenance.png"), cv2.IMREAD_UNCHANGED), refined.provenance
    )
    assert "refined_model=classical" in (first / "meta.txt").read_text(encoding="utf-8")


@pytest.fixture
def stopped_once_refined(monkeypatch):
    """Somebody presses Ctrl-C when the status tells of a refined frame: how long one takes, nobody knows."""
    say = record._say_status

    def said(console, status):
        say(console, status)
        if any(count.written for count in status.refined.values()):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(record, "_say_status", said)


@pytest.mark.usefixtures("stopped_once_refined")
def test_what_made_it_is_named_by_the_hash_of_its_weights(frames, tmp_path, capsys):
    from model.checkpoint import sha256
    from model.spec import DEMO

    folder = tmp_path / "session"
    flags = ["--refined", "--model", "demo", "--tokens", 200, "--no-anchor", "--device", "cpu"]
    flags += ["--precision", "fp32"]  # left to itself, the program takes what is fastest at this moment
    status, _ = run(capsys, "record", "--source", frames, "--seconds", 120, "--out", folder, *flags)
    assert status == 0
    session = Session(folder)
    (camera,) = session.camera_ids
    made_by = session.refined(camera, int(session.refined_positions(camera)[0])).meta.made_by
    assert made_by.weights_sha256 == sha256(DEMO.weights)
    assert (made_by.model, made_by.tokens, made_by.anchored, made_by.precision) == (
        "demo",
        200,
        False,
        "fp32",
    )


def test_without_the_flag_nothing_is_refined(frames, tmp_path, capsys):
    status, events = run(capsys, "record", "--source", frames, "--seconds", 0.2, "--out", tmp_path / "s")
    assert status == 0
    assert "refined" not in {event["event"] for event in events}
    assert Session(tmp_path / "s").manifest.refined == {}


@pytest.mark.parametrize(("model", "word"), [("off", "off"), ("absent.safetensors", "absent")])
def test_a_repair_that_cannot_run_is_said_before_anything_is_recorded(frames, tmp_path, capsys, model, word):
    argv = ["record", "--source", str(frames), "--seconds", "1", "--out", str(tmp_path / "s"), "--refined"]
    assert cli.main([*argv, "--model", model]) == 1
    assert word in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_the_summary_names_a_camera_that_was_away(tmp_path, capsys):
    cameras = {"left": CameraCount(written=9), "right": CameraCount(written=4, away_s=18.24)}
    status = RecorderStatus(20.0, cameras, 1000, 10**10, 600.0, 0.0, 20.0)

    record._say_summary(Console(json_lines=False), status, tmp_path)

    left, right, *_ = capsys.readouterr().out.splitlines()
    assert "away" not in left
    assert right.endswith("could not be written; it was away for 18.2 s")
