"""What every exporter must do."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from app import cli
from app.exporting import record
from app.exporting.source import ExportOptions
from app.exporting.table import BY_NAME, EXPORTERS, export
from app.messages import UsageError
from drivers.errors import LibraryMissing, SessionError
from drivers.session.reader import Session
from drivers.session.verify import Cancelled

EVERY = pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda exporter: exporter.name)
ALL = ExportOptions()


def go_on(_done, _total):
    return True


def contents(folder: Path) -> dict[str, bytes]:
    """By name; of a video nothing, as encoders with several threads do not repeat themselves."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): b"" if path.suffix == ".mp4" else path.read_bytes() for path in files
    }


@EVERY
def test_it_tells_its_progress_and_leaves_nothing_half_done(exporter, session, tmp_path):
    told = []
    done = export(
        session, exporter, tmp_path / "out", options=ALL, progress=lambda *at: told.append(at) is None
    )

    assert (done.frames, done.left_out) == (12, 0)
    assert told[-1][0] == told[-1][1] >= 12
    assert [at[0] for at in told] == sorted(at[0] for at in told)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name.startswith(".part")]


@EVERY
def test_every_frame_has_its_time_and_every_camera_its_calibration(exporter, session, folder, tmp_path):
    export(session, exporter, tmp_path, options=ALL, progress=go_on)

    said = json.loads((tmp_path / f"{folder.name}.export.json").read_text())
    assert said["format"] == exporter.name
    assert said["complete"]
    assert said["labels"]["scene"] == "office"
    assert said["marks"][0]["text"] == "mirror"
    assert said["cameras"]["left"]["calibration"]["color_from_depth"][0][3] == 0.02
    assert said["cameras"]["right"]["depth_unit_m"] == 0.0001
    with (tmp_path / f"{folder.name}.frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = {(row["camera"], int(row["position"])): int(row["utc_ns"]) for row in rows}
    assert times == {
        (camera, n): int(session.times(camera)[n]) for camera in session.camera_ids for n in range(6)
    }
    assert [row["refined_by"] for row in rows if row["camera"] == "left"] == [
        "",
        "",
        "MDM small",
        "MDM small",
        "",
        "",
    ]
    assert rows[0]["frame_number"] == "100"


@EVERY
def test_what_was_stopped_goes_on_where_it_ended(exporter, session, tmp_path):
    out, whole = tmp_path / "out", tmp_path / "whole"
    calls = []

    def stop_in_the_middle(done, _total):
        calls.append(done)
        return done < 5

    with pytest.raises(Cancelled):
        export(session, exporter, out, options=ALL, progress=stop_in_the_middle)
    assert not json.loads(next(out.glob("*.export.json")).read_text())["complete"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    export(session, exporter, out, options=ALL, progress=go_on)
    again = export(session, exporter, out, options=ALL, progress=go_on)
    export(session, exporter, whole, options=ALL, progress=go_on)

    assert again.fresh == 0
    assert contents(out) == contents(whole)
    assert all(path.stat().st_mtime_ns == at for path, at in before.items() if path.exists())


@EVERY
def test_another_export_is_not_mixed_into_the_folder(exporter, session, tmp_path):
    export(session, exporter, tmp_path, options=ALL, progress=go_on)

    with pytest.raises(UsageError, match="another export"):
        export(session, exporter, tmp_path, options=ExportOptions(every=2), progress=go_on)
    other = next(each for each in EXPORTERS if each is not exporter)
    with pytest.raises(UsageError, match="another export"):
        export(session, other, tmp_path, options=ALL, progress=go_on)


def test_a_second_session_goes_only_where_paths_tell_them_apart(session, folder, tmp_path):
    twin = tmp_path / "twin"
    twin.mkdir()
    for file in folder.iterdir():
        (twin / file.name).write_bytes(file.read_bytes())
    for exporter in EXPORTERS:
        out = tmp_path / exporter.name
        export(session, exporter, out, options=ALL, progress=go_on)
        before = contents(out)
        if exporter.shared:
            export(Session(twin), exporter, out, options=ALL, progress=go_on)
            changed = {name for name, data in contents(out).items() if before.get(name, data) != data}
            assert changed <= {".index.txt"}, exporter.name
        else:
            with pytest.raises(UsageError, match="another session"):
                export(Session(twin), exporter, out, options=ALL, progress=go_on)


def test_a_part_of_a_session_can_be_chosen(session, tmp_path):
    options = ExportOptions(every=2, cameras=("left",), from_s=0.03, to_s=0.15)
    done = export(session, BY_NAME["frames"], tmp_path, options=options, progress=go_on)

    assert done.frames == 2  # of the positions 1 to 4 every second one
    assert sorted(path.name for path in (tmp_path / "left").iterdir()) == ["000000", "000001"]
    assert not (tmp_path / "right").exists()


def test_frames_without_the_refined_depth_that_was_asked_for_are_counted(session, folder, tmp_path):
    done = export(session, BY_NAME["tum"], tmp_path, options=ExportOptions("refined"), progress=go_on)

    assert (done.frames, done.left_out) == (2, 10)
    said = json.loads((tmp_path / f"{folder.name}.export.json").read_text())
    assert "10 frames" in said["notes"][-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ExportOptions(cameras=("top",)), "no camera top"),
        (ExportOptions(from_s=99.0), "No frame is left"),
        (ExportOptions("refined", cameras=("right",)), "no refined depth"),
    ],
)
def test_what_leaves_nothing_to_export_is_said(session, tmp_path, options, words):
    with pytest.raises(UsageError, match=words) as error:
        export(session, BY_NAME["frames"], tmp_path / "out", options=options, progress=go_on)
    assert error.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["video", "lerobot"])
def test_a_library_that_is_missing_comes_with_the_command(session, tmp_path, monkeypatch, name):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(LibraryMissing, match="av") as error:
        export(session, BY_NAME[name], tmp_path / "out", options=ALL, progress=go_on)
    assert 'pip install "av' in error.value.hint
    assert not (tmp_path / "out").exists()


def test_a_line_that_a_crash_kept_from_the_list_is_written_later(session, tmp_path, monkeypatch):
    monkeypatch.setattr(record.ExportRecord, "add", lambda self, rows: None)
    export(session, BY_NAME["frames"], tmp_path, options=ALL, progress=go_on)
    assert len(next(tmp_path.glob("*.frames.csv")).read_text().splitlines()) == 13


def test_damage_in_the_session_is_named_and_what_was_written_before_stays(folder, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    data = bytearray((copy / "seg_00000.mcap").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "seg_00000.mcap").write_bytes(data)
    with pytest.raises(SessionError, match="damaged"):
        export(Session(copy), BY_NAME["frames"], tmp_path / "out", options=ALL, progress=go_on)


def test_the_verb_exports_and_repairs_now(folder, tmp_path, capsys):
    argv = ["export", str(folder), "--format", "mdm", "--camera", "left", "--every", "3"]
    assert cli.main([*argv, "--repair", "--model", "classical", "--out", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (said["event"], said["frames"], said["fresh"]) == ("done", 2, 2)
    targets = sorted(tmp_path.rglob("gtdepth/*.png"))
    assert [path.name for path in targets] == ["0000001.png", "0000002.png"]
    import cv2

    filled = cv2.imread(str(targets[0]), cv2.IMREAD_UNCHANGED)
    assert np.count_nonzero(filled) > 0.9 * filled.size
    with next(tmp_path.glob("*.frames.csv")).open(newline="") as file:
        assert {row["refined_by"] for row in csv.DictReader(file)} != {""}
