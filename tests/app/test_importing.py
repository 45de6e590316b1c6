"""What other programs recorded becomes sessions: real files, made small."""

import io
import json
import sqlite3
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imagecodecs
import numpy as np
import pytest
import simplejpeg

from app import cli
from app.exporting.source import ExportOptions
from app.exporting.table import BY_NAME, export
from app.importing import import_recording
from drivers.cameras import orbbec, realsense, zed
from drivers.depth import DepthMap
from drivers.errors import CameraError, CameraNotFound, LibraryMissing, SdkMissing
from drivers.geometry import register_depth
from drivers.session.encode import encode
from drivers.session.reader import Session
from drivers.session.verify import Cancelled, verify
from tests.app.recording import small_sessions as small

COLOR = (1280, 720)
DEPTH = (320, 288)


def go_on(_done, _total):
    return True


def take(path, library, **options):
    done = import_recording(path, library, progress=go_on, **options)
    session = Session(done.folder)
    assert verify(done.folder, go_on) == []
    assert session.manifest.honest
    return session, done


def needs(sdk):
    if not (state := sdk.state()).ready:
        pytest.skip(f"{state.text} {state.fix}")


def stored_pngs(path, stream):
    """Images of a stream of a RealSense file, by SQLite and OpenCV alone."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        query = (
            "select data from messages where topic_id = (select id from topics where name like ?) "
            "order by timestamp, id"
        )
        blobs = [row[0] for row in db.execute(query, (f"%/{stream}_0/image/data/compressed%",))]
    db.close()
    images = [np.frombuffer(blob[blob.index(b"\x89PNG") :], np.uint8) for blob in blobs]
    return [cv2.imdecode(image, cv2.IMREAD_UNCHANGED) for image in images]


def test_a_realsense_file_becomes_a_session_with_equal_pixels(shared, tmp_path):
    needs(realsense.SDK)
    path = shared / "sdk/data/d435_640x480_30f.db3"
    session, done = take(path, tmp_path)

    [name] = session.camera_ids
    depths, colors = stored_pngs(path, "Depth"), stored_pngs(path, "Color")
    assert len(depths) == session.count(name) == done.frames[name] == 30
    for n in range(30):
        assert np.array_equal(session.depth(name, n).values, depths[n])
        assert np.array_equal(session.color(name, n), colors[n][..., ::-1])
    assert session.info.imported_from.endswith("d435_640x480_30f.db3")
    assert session.info.started_utc.startswith("2023-11-14")
    assert np.all(np.abs(np.diff(session.times(name)) / 1e6 - 100 / 3) < 1)
    assert session.duration_s == pytest.approx(session.manifest.duration_s, abs=1e-6)


@pytest.mark.parametrize(
    ("file", "sdk", "frames"),
    [
        ("legacy_2.56_320x240_15f.bag", realsense.SDK, 15),
        ("gemini335_320x240_30f.bag", orbbec.SDK, 30),
    ],
)
def test_bags_of_both_vendors_are_read_to_their_last_frame(shared, tmp_path, file, sdk, frames):
    needs(sdk)
    session, done = take(shared / "sdk/data" / file, tmp_path)
    [name] = session.camera_ids
    assert session.count(name) == frames
    assert session.frame(name, frames - 1).depth.fill_rate > 0.1
    assert done.folder.name.startswith("20231114T2213")


@pytest.mark.skipif(zed.SDK.state().ready, reason="the ZED SDK is installed")
def test_a_zed_file_without_its_sdk_gets_a_sentence(tmp_path):
    (tmp_path / "a.svo2").write_bytes(b"\x89MCAP0\r\n")
    with pytest.raises(SdkMissing) as error:
        import_recording(tmp_path / "a.svo2", tmp_path / "library", progress=go_on)
    assert "ZED" in f"{error.value} {error.value.hint}"
    assert not (tmp_path / "library").exists()


@pytest.fixture
def recorded(tmp_path):
    """A session of two cameras with refined depth of one frame, exported once in each layout."""
    writer = small.begin_session(tmp_path / "s", frames=0)
    for n in range(5):
        for name in ("left", "right"):
            writer.write(encode(slope(name, n)))
            if (name, n) == ("left", 3):
                writer.write_refined(small.small_refined(slope(name, n)))
    writer.close()
    return Session(tmp_path / "s")


def slope(name, n):
    frame = small.small_frame(name, n)
    values = frame.depth.values + np.arange(32, dtype=np.uint16) * 7 + n
    values[:3, :3] = 0
    return type(frame)(**{**vars(frame), "depth": DepthMap(values, 0.001)})


@pytest.mark.parametrize("layout", ["tum", "frames", "mdm"])
def test_what_was_exported_comes_back(recorded, tmp_path, layout):
    export(recorded, BY_NAME[layout], tmp_path / layout, options=ExportOptions(), progress=go_on)
    session, done = take(tmp_path / layout, tmp_path / "library")

    assert len(session.camera_ids) == 2
    for ours, theirs in zip(session.camera_ids, recorded.camera_ids, strict=True):
        assert session.count(ours) == 5
        for n in range(5):
            # TUM has five counts of 0.2 mm for one of ours.
            scale = 5 if layout == "tum" else 1
            assert np.array_equal(session.depth(ours, n).values, recorded.depth(theirs, n).values * scale)
            assert session.color_file(ours, n) == recorded.color_file(theirs, n)
        lens = session.calibration(ours).color
        assert (lens.fx, lens.cx) == (32, 15.5)
        if layout != "mdm":
            moved = session.times(ours) - recorded.times(theirs)
            assert np.abs(moved).max() < 2000  # nanoseconds
    if layout == "mdm":
        assert any("30 frames per second" in note for note in done.notes)
        left = session.camera_ids[0]
        assert session.refined_positions(left).tolist() == [3]
        refined = session.refined(left, 3)
        assert refined.meta.made_by.title == "gtdepth of the data set"
        assert set(np.unique(refined.provenance)) == {0, 1, 2}  # alike, different, a hole
    else:
        assert done.notes == ()


def test_tum_pairs_images_within_20_ms_and_knows_the_lenses_of_the_benchmark(tmp_path):
    root = tmp_path / "rgbd_dataset_freiburg2_desk"
    for name in ("rgb", "depth"):
        (root / name).mkdir(parents=True)
    for number in range(4):
        cv2.imwrite(str(root / f"rgb/{number}.png"), np.full((48, 64, 3), number, np.uint8))
        cv2.imwrite(str(root / f"depth/{number}.png"), np.full((48, 64), 5000 + number, np.uint16))
    times = {
        "rgb": (1e9, 1e9 + 0.033, 1e9 + 0.066, 1e9 + 0.2),
        "depth": (1e9 + 0.01, 1e9 + 0.04, 1e9 + 0.1, 1e9 + 0.19),
    }
    for name, each in times.items():
        lines = "".join(f"{at:.6f} {name}/{number}.png\n" for number, at in enumerate(each))
        (root / f"{name}.txt").write_text(f"# comment\n{lines}")

    session, _ = take(root, tmp_path / "library")

    [camera] = session.camera_ids
    assert [int(session.depth(camera, n).values[0, 0]) for n in range(3)] == [5000, 5001, 5003]
    assert [int(session.color(camera, n)[0, 0, 0]) for n in range(3)] == [0, 1, 3]
    assert session.depth(camera, 0).unit_m == 0.0002
    assert session.calibration(camera).color.fx == 520.9
    assert session.start_ns == pytest.approx(1e18 + 0.01e9, abs=1000)


CALIBRATION = {
    "CalibrationInformation": {
        "Cameras": [
            {
                "Purpose": "CALIBRATION_CameraPurposeDepth",
                "SensorWidth": 1024,
                "SensorHeight": 1024,
                "Intrinsics": {"ModelParameters": [0.5, 0.5, 0.5, 0.5, *range(1, 7), 0, 0, 8e-5, 7e-5]},
                "Rt": {"Rotation": [1, 0, 0, 0, 1, 0, 0, 0, 1], "Translation": [0, 0, 0]},
            },
            {
                "Purpose": "CALIBRATION_CameraPurposePhotoVideo",
                "SensorWidth": 4096,
                "SensorHeight": 3072,
                "Intrinsics": {"ModelParameters": [0.5, 0.5, 0.5, 0.625, *[0] * 10]},
                "Rt": {"Rotation": [0, -1, 0, 1, 0, 0, 0, 0, 1], "Translation": [-0.032, 0.001, 0.004]},
            },
        ]
    }
}


def write_mkv(path, *, frames=6, skip_color=(), attach=True):
    """As k4arecorder does: MJPEG colour, big-endian 16-bit depth, an attachment, tags."""
    jpegs = []
    with av.open(str(path), "w", format="matroska", options={"allow_raw_vfw": "1"}) as out:
        out.metadata["K4A_DEVICE_SERIAL_NUMBER"] = "000123"
        out.metadata["creation_time"] = "2024-05-01T10:00:00+00:00"
        color = out.add_stream("mjpeg", rate=30)
        color.width, color.height, color.pix_fmt = *COLOR, "yuvj420p"
        color.metadata["title"] = "COLOR"
        depth = out.add_stream("rawvideo", rate=30)
        depth.width, depth.height, depth.pix_fmt = *DEPTH, "gray16be"
        depth.metadata["title"] = "DEPTH"
        for stream in (color, depth):
            stream.time_base = Fraction(1, 1_000_000)
            stream.codec_context.time_base = Fraction(1, 1_000_000)
        if attach:
            data = json.dumps(CALIBRATION).encode() + b"\0"
            out.add_attachment("calibration.json", "application/octet-stream", data)
        for n in range(frames):
            at_us = n * 33_333
            image = np.full((COLOR[1], COLOR[0], 3), 30 * n, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuvj420p")
            if n not in skip_color:
                frame.pts, frame.time_base = at_us + 2000, Fraction(1, 1_000_000)
                for packet in color.encode(frame):
                    jpegs.append(bytes(packet))
                    out.mux(packet)
            counts = np.full((DEPTH[1], DEPTH[0]), 1000 + 300 * n, np.uint16)
            counts[:4] = 0
            frame = av.VideoFrame.from_ndarray(counts, format="gray16be")
            frame.pts, frame.time_base = at_us, Fraction(1, 1_000_000)
            out.mux(depth.encode(frame))
        out.mux(color.encode(None))
    return jpegs


def test_an_azure_kinect_file_brings_images_times_and_calibration(tmp_path):
    jpegs = write_mkv(tmp_path / "k4a.mkv", skip_color=(2,))
    session, done = take(tmp_path / "k4a.mkv", tmp_path / "library")

    [camera] = session.camera_ids
    assert camera == "azure_kinect_000123"
    assert session.count(camera) == 5  # depth without its colour image is no frame
    depth = session.depth(camera, 2).values
    assert (depth[:4] == 0).all()
    assert set(np.unique(depth[4:])) == {1900}
    assert session.color_file(camera, 2) == jpegs[2]
    assert session.meta(camera, 2).dropped_before == 1
    assert session.info.started_utc == "2024-05-01T10:00:00+00:00"
    assert "infrared" in done.notes[0]
    lens = session.calibration(camera).depth
    # 320 x 288 is cut out of 512 x 512 at (96, 90); their corner of the first pixel is our -0.5.
    assert (lens.fx, lens.cx, lens.cy) == (256, 0.5 * 512 - 96 - 0.5, 0.5 * 512 - 90 - 0.5)
    assert lens.distortion == (1, 2, 7e-5, 8e-5, 3, 4, 5, 6)
    color = session.calibration(camera).color
    assert (color.fx, color.fy, color.cy) == (640, 600, 0.5 * 960 - 120 - 0.5)
    np.testing.assert_allclose(
        session.calibration(camera).color_from_depth,
        [[0, -1, 0, -0.032], [1, 0, 0, 0.001], [0, 0, 1, 0.004], [0, 0, 0, 1]],
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"no video"), "no Matroska file"),
        (lambda path: write_mkv(path, attach=False), "no calibration"),
    ],
)
def test_a_matroska_file_of_something_else_is_refused(tmp_path, make, words):
    make(tmp_path / "other.mkv")
    with pytest.raises(CameraError, match=words) as error:
        import_recording(tmp_path / "other.mkv", tmp_path / "library", progress=go_on)
    assert error.value.hint
    assert not (tmp_path / "library").exists()


def write_r3d(path, *, cut=False):
    depth = np.linspace(0.3, 5.0, 24 * 32, dtype=np.float32).reshape(24, 32)
    depth[0, :2] = np.nan, 0
    meta = {
        "w": 96, "h": 72, "dw": 32, "dh": 24, "fps": 60, "K": [80, 0, 0, 0, 81, 0, 47.5, 35.5, 1],
        "frameTimestamps": [100.0, 100.5, 101.0],
    }  # fmt: skip
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata", json.dumps(meta))
        for n in range(3):
            archive.writestr(f"rgbd/{n}.jpg", simplejpeg.encode_jpeg(np.full((72, 96, 3), 40 * n, np.uint8)))
            packed = imagecodecs.lzfse_encode((depth + np.float32(0.1 * n)).tobytes())
            archive.writestr(f"rgbd/{n}.depth", packed[: len(packed) // 2] if cut and n == 2 else packed)
            archive.writestr(
                f"rgbd/{n}.conf", imagecodecs.lzfse_encode(np.full((24, 32), n, np.uint8).tobytes())
            )
    return depth


def test_a_record3d_file_brings_depth_confidence_and_lens(tmp_path):
    depth = write_r3d(tmp_path / "phone.r3d")
    session, done = take(tmp_path / "phone.r3d", tmp_path / "library")

    [camera] = session.camera_ids
    frame = session.frame(camera, 1)
    expected = np.nan_to_num(depth + np.float32(0.1))
    assert np.abs(frame.depth.metres - expected).max() <= 0.000126
    assert np.array_equal(frame.depth.values == 0, expected == 0)
    assert (frame.confidence == 128).all()
    lens = session.calibration(camera)
    assert (lens.color.fx, lens.color.cx) == (80, 47.5)
    assert (lens.depth.width, lens.depth.fx) == (32, pytest.approx(80 / 3))
    assert np.diff(session.times(camera)).tolist() == [500_000_000, 500_000_000]
    assert register_depth(frame.depth, frame.calibration).values.shape == (72, 96)
    assert "time is that of the file" in done.notes[-1]


def test_damage_is_named_and_leaves_no_session(tmp_path):
    write_r3d(tmp_path / "phone.r3d", cut=True)
    with pytest.raises(CameraError, match="image 2"):
        import_recording(tmp_path / "phone.r3d", tmp_path / "library", progress=go_on)
    assert list((tmp_path / "library").iterdir()) == []


@pytest.mark.parametrize(("module", "file"), [("av", "a.mkv"), ("imagecodecs", "a.r3d")])
def test_a_library_that_is_missing_comes_with_the_command(tmp_path, monkeypatch, module, file):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    (tmp_path / file).write_bytes(b"")
    with pytest.raises(LibraryMissing, match=module) as error:
        import_recording(tmp_path / file, tmp_path / "library", progress=go_on)
    assert f'pip install "{module}' in error.value.hint


def test_what_was_stopped_leaves_nothing(recorded, tmp_path):
    export(recorded, BY_NAME["frames"], tmp_path / "out", options=ExportOptions(), progress=go_on)
    with pytest.raises(Cancelled):
        import_recording(tmp_path / "out", tmp_path / "library", progress=lambda done, _total: done < 3)
    assert list((tmp_path / "library").iterdir()) == []


def test_frames_of_several_sizes_become_several_cameras(tmp_path):
    for number, width in enumerate((64, 64, 32)):
        folder = tmp_path / "stills" / str(number)
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "rgb.png"), np.zeros((48 * width // 64, width, 3), np.uint8))
        cv2.imwrite(str(folder / "depth.png"), np.full((48 * width // 64, width), 900, np.uint16))
    session, _ = take(tmp_path / "stills", tmp_path / "library")
    assert [session.count(camera) for camera in session.camera_ids] == [2, 1]
    assert len({camera.name for camera in session.cameras}) == 2
    assert all(total.lost == 0 for total in session.manifest.totals.values())


@pytest.mark.parametrize("name", ["nothing", "empty", "notes.txt"])
def test_what_holds_no_recording_says_what_does(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CameraNotFound) as error:
        import_recording(tmp_path / name, tmp_path / "library", progress=go_on)
    assert error.value.hint
    assert name == "nothing" or "Record3D" in error.value.hint


def test_the_verb_imports_several_and_names_those_that_fail(recorded, tmp_path, capsys):
    export(recorded, BY_NAME["tum"], tmp_path / "tum", options=ExportOptions(), progress=go_on)
    argv = [
        "import",
        str(tmp_path / "tum"),
        str(tmp_path / "nothing"),
        "--into",
        str(tmp_path / "all"),
        "--json",
    ]
    assert cli.main([*argv, "--scene", "office", "--jpeg"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [done] = [event for event in events if event["event"] == "imported"]
    session = Session(Path(done["session"]))
    assert session.labels.scene == "office"
    assert "Imported from TUM RGB-D" in session.labels.notes
    assert events[-1] == {"event": "done", "imported": 1, "failed": 1}
    with io.BytesIO(session.color_file(session.camera_ids[0], 0)) as file:
        assert file.read(2) == b"\xff\xd8"


def test_one_session_can_be_named(recorded, tmp_path):
    export(recorded, BY_NAME["tum"], tmp_path / "tum", options=ExportOptions(), progress=go_on)
    assert cli.main(["import", str(tmp_path / "tum"), "--out", str(tmp_path / "mine")]) == 0
    assert Session(tmp_path / "mine").count("left") == 5
    assert cli.main(["import", str(tmp_path / "tum"), "--out", str(tmp_path / "mine")]) == 1
