"""Every verb does its job on small inputs, and says what to do when it cannot."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from app import cli, logs, paths
from app.verbs.doctor import has_display
from model.spec import DEMO_WEIGHTS

MAIN = Path(__file__).resolve().parents[2] / "main.py"
SIZE = (48, 64)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("DEPTHMEND_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEPTHMEND_CONFIG", str(tmp_path / "config" / "settings.toml"))
    monkeypatch.setenv("DEPTHMEND_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DEPTHMEND_LOGS", str(tmp_path / "logs"))


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Two frame folders: a wall at 2 m with a hole."""
    depth = np.full(SIZE, 2000, np.uint16)
    depth[10:20, 20:40] = 0
    for name in ("0", "1"):
        _write_frame(tmp_path / "frames" / name, depth)
    return tmp_path / "frames"


def _write_frame(folder: Path, depth: np.ndarray) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    cv2.imwrite(str(folder / "rgb.png"), rng.integers(0, 255, (*SIZE, 3), np.uint8))
    cv2.imwrite(str(folder / "raw_depth.png"), depth)
    (folder / "intrinsics.txt").write_text("50 0 31.5\n0 50 23.5\n0 0 1\n", encoding="utf-8")


def _fails(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What the verb says on standard error: one line for each fault, and no traceback."""
    assert cli.main(argv) != 0
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert errors.endswith(".\n")
    return errors


def _events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_refine_fills_the_hole_and_writes_everything(frames: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["refine", str(frames), "--out", str(out), "--model", "classical"]) == 0
    for name in ("0", "1"):
        assert {file.name for file in (out / name).iterdir()} == {
            "rgb.png",
            "depth_input.npy",
            "depth_refined.npy",
            "provenance.png",
            "depth_comparison.png",
            "point_cloud.ply",
        }
    refined = np.load(out / "0" / "depth_refined.npy")
    assert refined == pytest.approx(np.full(SIZE, 2.0), abs=1e-3)


def test_refine_prints_one_object_per_line(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["refine", str(frames), "--out", str(tmp_path / "out"), "--model", "classical", "--json"]
    assert cli.main(argv) == 0
    events = _events(capsys)
    holes = [event["holes"] for event in events if event["event"] == "frame"]
    assert holes == pytest.approx([200 / (SIZE[0] * SIZE[1])] * 2, abs=1e-4)
    assert events[-1]["event"] == "done"


def test_flags_stand_above_environment_and_environment_above_the_file(
    frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.settings_file().parent.mkdir()
    paths.settings_file().write_text('model = "file-weights.pt"', encoding="utf-8")
    argv = ["refine", str(frames), "--out", str(tmp_path / "out")]
    assert "file-weights.pt" in _fails(capsys, *argv)
    monkeypatch.setenv("DEPTHMEND_MODEL", "environment-weights.pt")
    assert "environment-weights.pt" in _fails(capsys, *argv)
    assert "flag-weights.pt" in _fails(capsys, *argv, "--model", "flag-weights.pt")


def test_one_bad_frame_does_not_stop_the_others(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write_frame(frames / "2", np.zeros(SIZE, np.uint8))
    errors = _fails(capsys, "refine", str(frames), "--out", str(tmp_path / "out"), "--model", "classical")
    assert "16-bit" in errors
    assert (tmp_path / "out" / "1" / "depth_refined.npy").exists()
    assert not (tmp_path / "out" / "2").exists()


def test_depth_of_another_shape_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_frame(tmp_path / "frame", np.full((48, 48), 1000, np.uint16))
    errors = _fails(
        capsys, "refine", str(tmp_path / "frame"), "--out", str(tmp_path / "out"), "--model", "classical"
    )
    assert "48 x 48" in errors


def test_missing_weights_are_named(frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "absent.safetensors"
    errors = _fails(
        capsys, "refine", str(frames), "--out", str(tmp_path / "out"), "--model", str(weights), "--json"
    )
    assert str(weights) in errors
    assert "Traceback" in logs.log_file().read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pt"])
def test_truncated_weights_are_named(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    weights = tmp_path / name
    weights.write_bytes(b"PK\x03\x04" + bytes(1000))
    assert name in _fails(
        capsys, "refine", str(frames), "--out", str(tmp_path / "out"), "--model", str(weights)
    )


def test_an_unreadable_settings_file_stops_a_verb_and_stays_where_it_is(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = paths.settings_file()
    file.parent.mkdir()
    file.write_text("source = ", encoding="utf-8")
    assert str(file) in _fails(capsys, "refine", str(frames), "--out", str(tmp_path / "out"))
    assert file.read_text(encoding="utf-8") == "source = "


def test_results_never_overwrite_the_input(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "overwrite" in _fails(capsys, "refine", str(frames), "--out", str(frames), "--model", "classical")


def test_a_disk_that_takes_nothing_is_said(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").touch()
    assert "out" in _fails(
        capsys, "refine", str(frames), "--out", str(tmp_path / "out"), "--model", "classical"
    )


def test_what_is_recorded_can_be_exported_and_repaired(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, exported, out = tmp_path / "session", tmp_path / "exported", tmp_path / "out"
    argv = ["record", "--source", str(frames), "--seconds", "0.3", "--out", str(session), "--json"]
    assert cli.main([*argv, "--label", "scene=office", "--label", "tag=glass"]) == 0
    summary = _events(capsys)[-1]
    assert summary["event"] == "done"
    assert summary["session"] == str(session)
    count = summary["frames"]
    assert isinstance(count, int)
    assert count > 0

    assert cli.main(["export", str(session), "--format", "frames", "--out", str(exported)]) == 0
    folders = sorted(exported.glob("*/*"))
    assert len(folders) == count
    depth = cv2.imread(str(folders[0] / "raw_depth.png"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(depth)) == {0, 2000}

    assert cli.main(["refine", str(folders[0]), "--out", str(out), "--model", "classical"]) == 0
    assert (out / "depth_refined.npy").exists()
    assert cli.main(["recover", str(session)]) == 0
    assert "whole already" in capsys.readouterr().out


def test_labels_are_in_the_session(frames: Path, tmp_path: Path) -> None:
    from drivers.session.reader import Session

    session = tmp_path / "session"
    argv = ["record", "--source", str(frames), "--seconds", "0.1", "--out", str(session)]
    assert cli.main([*argv, "--label", "scene=office", "--label", "tag=glass", "--label", "tag=sun"]) == 0
    labels = Session(session).labels
    assert (labels.scene, labels.tags) == ("office", ("glass", "sun"))


@pytest.mark.parametrize("label", ["scene", "colour=red", "tag="])
def test_a_label_that_cannot_be_used_says_which_can(
    frames: Path, capsys: pytest.CaptureFixture[str], label: str
) -> None:
    assert "key=value" in _fails(
        capsys, "record", "--source", str(frames), "--seconds", "1", "--label", label
    )


def test_a_recording_never_goes_into_a_folder_that_holds_something(
    frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "holds something" in _fails(
        capsys, "record", "--source", str(frames), "--seconds", "1", "--out", str(frames)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals work otherwise there")
def test_ctrl_c_in_a_real_process_closes_the_session(frames: Path, tmp_path: Path) -> None:
    session = tmp_path / "session"
    command = [sys.executable, str(MAIN), "record", "--source", str(frames), "--out", str(session), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if json.loads(line)["event"] == "status":
                break
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=30)
    assert child.returncode == 0, errors
    assert json.loads(out.splitlines()[-1])["event"] == "done"
    assert (session / "manifest.json").exists()


@pytest.mark.parametrize("verb", ["play", "export", "recover"])
def test_what_is_no_session_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    extra = ["--out", str(tmp_path / "out")] if verb == "export" else []
    assert "absent" in _fails(capsys, verb, str(tmp_path / "absent"), *extra)


def test_an_unknown_source_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "absent" in _fails(capsys, "record", "--source", str(tmp_path / "absent"), "--seconds", "1")


def test_devices_lists_the_demo_rig_and_how_to_install_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["devices"]) == 0
    out = capsys.readouterr().out
    assert "time of flight" in out
    assert "Intel RealSense" in out


def test_doctor_names_broken_settings(capsys: pytest.CaptureFixture[str]) -> None:
    file = paths.settings_file()
    file.parent.mkdir()
    file.write_text("tokens = -5", encoding="utf-8")
    assert cli.main(["doctor", "--json"]) != 0
    findings = {event["subject"]: event for event in _events(capsys)}
    assert findings["Settings"]["well"] is False
    assert findings["Python"]["well"] is True
    weights = [event for subject, event in findings.items() if str(subject).startswith("Weights")]
    assert any(DEMO_WEIGHTS in str(event["text"]) for event in weights)


def test_every_verb_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in cli.VERBS:
        with pytest.raises(SystemExit) as caught:
            cli.main([verb.name, "--help"])
        assert caught.value.code == 0
        assert f"depthmend {verb.name}" in capsys.readouterr().out


@pytest.mark.parametrize("model", ["classical", "demo"])
def test_without_a_display_the_same_job_is_done(
    frames: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert not has_display()
    monkeypatch.setattr("app.headless.RUN_S", 4.0 if model == "demo" else 2.0)  # repair may be slow
    assert cli.main(["--source", str(frames), "--model", model, "--json"]) == 0
    captured = capsys.readouterr()
    events = [json.loads(line) for line in captured.out.splitlines()]
    figures = next(event for event in events if event["event"] == "figures")
    assert figures["recorded"] > 0
    assert figures["refined_hz"] > 0
    assert "xvfb-run" in captured.err
    (folder,) = (paths.data_folder() / "headless-run").iterdir()
    assert len(list(folder.glob("*.png"))) == figures["cameras"] == 1
    assert len(list(folder.glob("*/session.json"))) == 1


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = [sys.executable, str(MAIN), "devices"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.wait(timeout=30) == cli.BROKEN_PIPE
        assert child.stderr.read() == ""


def test_flags_before_a_verb_count_as_much_as_flags_behind_it() -> None:
    parse = cli.build_parser().parse_args
    before = parse(["--model", "classical", "--json", "refine", "in", "--out", "out"])
    assert (before.model, before.json) == ("classical", True)
    behind = parse(["refine", "in", "--out", "out", "--model", "off"])
    assert (behind.model, behind.json) == ("off", False)
    assert parse(["--source", "somewhere", "record"]).source == "somewhere"
    assert parse([]).source is None
