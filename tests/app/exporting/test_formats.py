"""What is in the files, read as other programs read them."""

import gc
import json
import struct

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset

from app.exporting.lerobot import depth_codes
from app.exporting.source import ExportOptions
from app.exporting.table import BY_NAME, export
from drivers.depth import DepthMap
from drivers.frames_folder import load_frame
from drivers.geometry import register_depth
from tests.app.exporting.conftest import FRAMES, HEIGHT, PERIOD_NS, WIDTH, frame_of


def write(session, name, out, **options):
    export(session, BY_NAME[name], out, options=ExportOptions(**options), progress=lambda *_: True)
    return out


def registered(camera_id, index):
    frame = frame_of(camera_id, index)
    return register_depth(frame.depth, frame.calibration)


def png16(path):
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint16
    return image


def test_frame_folders_are_read_as_frames(session, tmp_path):
    write(session, "frames", tmp_path)
    for camera in ("left", "right"):
        frame = load_frame(tmp_path / camera / "000002")
        assert np.array_equal(frame.depth.values, registered(camera, 2).values)
        assert frame.depth.unit_m == pytest.approx(session.depth(camera, 0).unit_m)
        assert frame.calibration.color.fx == 60
        assert np.array_equal(frame.color, session.color(camera, 2))
    assert (tmp_path / "left/000002/depth_refined_provenance.png").exists()
    assert not (tmp_path / "left/000001/depth_refined.png").exists()
    assert "refined_title=MDM small" in (tmp_path / "left/000002/meta.txt").read_text()


def test_the_published_layout_has_millimetres_and_targets(session, folder, tmp_path):
    root = write(session, "mdm", tmp_path) / f"office_{folder.name}"
    left, right = root / "realsense_D435_A-1", root / "orbbec_Gemini-335_A-1"

    assert sorted(path.name for path in root.iterdir()) == [right.name, left.name]
    assert sorted(path.name for path in (left / "color").iterdir()) == [f"{n:07d}.jpg" for n in range(1, 7)]
    assert np.array_equal(png16(left / "rawdepth/0000003.png"), registered("left", 2).values)
    tenths = registered("right", 2).values
    assert np.abs(png16(right / "rawdepth/0000003.png") - tenths / 10).max() <= 0.5
    assert set(np.unique(png16(right / "gtdepth/0000001.png"))) == {1500}  # exact depth
    assert sorted(path.name for path in (left / "gtdepth").iterdir()) == ["0000003.png", "0000004.png"]
    assert set(np.unique(png16(left / "gtdepth/0000003.png"))) == {1234}  # refined depth
    np.testing.assert_allclose(np.loadtxt(left / "intrinsic.txt"), [[60, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])


def moge_depth(path):
    """As MoGe's `read_depth` decodes it."""
    data, texts, at = path.read_bytes(), {}, 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"tEXt":
            key, _, value = data[at + 8 : at + 8 + length].partition(b"\0")
            texts[key.decode()] = float(value)
        at += 12 + length
    codes = png16(path)
    share = (codes.astype(np.float32) - 1) / 65533
    depth = texts["near"] ** (1 - share) * texts["far"] ** share
    depth[codes == 0] = np.nan
    return depth


def test_moge_finds_every_frame_and_reads_its_depth_back(session, folder, tmp_path):
    write(session, "moge", tmp_path)
    listed = (tmp_path / ".index.txt").read_text().split()
    assert len(listed) == 2 * FRAMES
    assert all((tmp_path / name / "image.jpg").exists() for name in listed)

    instance = tmp_path / folder.name / "left" / "000003"
    depth, expected = moge_depth(instance / "depth.png"), registered("left", 3).metres
    assert np.array_equal(np.isnan(depth), expected == 0)
    known = expected > 0
    assert np.abs(depth[known] / expected[known] - 1).max() < 2e-5
    meta = json.loads((instance / "meta.json").read_text())
    # The principal point is the middle of the image: 31.5 of 64 columns, whose first reaches from -0.5 on.
    np.testing.assert_allclose(meta["intrinsics"], [[60 / 64, 0, 0.5], [0, 60 / 48, 0.5], [0, 0, 1]])


def test_tum_lists_name_files_of_a_five_thousandth_metre(session, tmp_path):
    place = write(session, "tum", tmp_path) / "right"
    lines = [line.split() for line in (place / "associations.txt").read_text().splitlines()]
    assert len(lines) == FRAMES
    steps = np.diff([float(line[0]) for line in lines])
    np.testing.assert_allclose(steps, PERIOD_NS / 1e9, atol=2e-6)
    color, depth = place / lines[2][1], png16(place / lines[2][3])
    assert cv2.imread(str(color)).shape == (HEIGHT, WIDTH, 3)
    assert np.abs(depth / 5000 - registered("right", 2).metres).max() < 1.1e-4
    assert np.array_equal(depth == 0, registered("right", 2).values == 0)
    listed = [line.split() for line in (place / "depth.txt").read_text().splitlines() if line[0] != "#"]
    assert [line[1] for line in listed] == [line[3] for line in lines]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset 1.0 leaves its files open
def test_webdataset_reads_samples_with_all_their_parts(session, folder, tmp_path):
    write(session, "webdataset", tmp_path)
    shards = [str(path) for path in tmp_path.glob("*.tar")]
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    gc.collect()
    assert len(samples) == 2 * FRAMES
    assert samples[0]["__key__"] == f"{folder.name}/left/000000"
    times = [json.loads(sample["json"])["utc_ns"] for sample in samples]
    assert times == sorted(times)
    refined = [sample for sample in samples if "refined.png" in sample]
    assert len(refined) == 2
    sample = next(each for each in samples if each["__key__"].endswith("right/000002"))
    depth = cv2.imdecode(np.frombuffer(sample["depth.png"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(depth, registered("right", 2).values)
    assert sample["color.jpg"] == session.color_file("right", 2)
    assert json.loads(sample["json"])["depth_unit_m"] == 0.0001


def test_a_point_cloud_lies_where_the_depth_says(session, tmp_path):
    path = write(session, "ply", tmp_path, depth="refined") / "left" / "000000.ply"
    header, _, body = path.read_bytes().partition(b"end_header\n")
    layout = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("provenance", "u1")])
    points = np.frombuffer(body, layout)
    assert f"element vertex {points.size}".encode() in header
    assert points.size == WIDTH * HEIGHT
    assert np.allclose(points["xyz"][:, 2], 1.234)
    assert np.allclose(points["xyz"][0, :2], [-31.5 / 60 * 1.234, -23.5 / 60 * 1.234], atol=1e-5)
    assert set(points["provenance"]) == {0, 1, 2, 3}


def decoded(path, pixels):
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return [frame.to_ndarray(format=pixels) for frame in frames], [frame.time for frame in frames]


def test_a_video_shows_each_frame_at_its_time(session, folder, tmp_path):
    write(session, "video", tmp_path)
    images, times = decoded(tmp_path / f"{folder.name}-left.mp4", "rgb24")
    assert len(images) == FRAMES
    np.testing.assert_allclose(np.diff(times), PERIOD_NS / 1e9, atol=2e-5)
    # Colour at the left: red grows to the right, green with the number of the frame.
    panes = [image[100:400, 30:640] for image in images]
    assert panes[0][..., 0].astype(int)[:, 500].mean() > panes[0][..., 0].astype(int)[:, 100].mean() + 100
    greens = [pane[..., 1].mean() for pane in panes]
    assert np.all(np.diff(greens) > 10)


def test_lerobot_has_twelve_bits_of_depth_and_says_how_to_read_them(session, tmp_path):
    write(session, "lerobot", tmp_path)
    info = json.loads((tmp_path / "meta/info.json").read_text())
    assert (info["codebase_version"], info["total_frames"], info["fps"]) == ("v3.0", FRAMES, 30)
    key = "observation.images.left_depth"
    how = info["features"][key]["info"]
    assert how["is_depth_map"]
    place = {"video_key": key, "chunk_index": 0, "file_index": 0}
    images, times = decoded(tmp_path / info["video_path"].format(**place), "gray12le")
    np.testing.assert_allclose(times, np.arange(FRAMES) / 30, atol=1e-4)
    # As LeRobot's dequantize_depth: exp(code * (log(max + shift) - log(min + shift)) / 4095 + ...) - shift.
    low = np.log(how["video.depth_min"] + how["video.shift"])
    high = np.log(how["video.depth_max"] + how["video.shift"])
    expected = registered("left", 4).metres
    known = expected > 0
    assert np.array_equal(images[4] == 0, ~known)
    metres = np.exp(low + images[4] / 4095 * (high - low)) - how["video.shift"]
    steps = (expected + how["video.shift"]) * (high - low) / 4095
    assert np.all(np.abs(metres - expected)[known] <= 0.51 * steps[known])


def test_lerobot_tables_say_where_the_episode_is(session, tmp_path):
    write(session, "lerobot", tmp_path)
    episode = pq.read_table(tmp_path / "meta/episodes/chunk-000/file-000.parquet").to_pylist()[0]
    assert (episode["length"], episode["dataset_to_index"], episode["tasks"]) == (FRAMES, FRAMES, ["office"])
    assert episode["videos/observation.images.right/to_timestamp"] == pytest.approx(FRAMES / 30)
    rows = pq.read_table(tmp_path / "data/chunk-000/file-000.parquet").to_pylist()
    assert [row["frame_index"] for row in rows] == list(range(FRAMES))
    assert [row["observation.utc_ns"] for row in rows] == session.times("left").tolist()
    tasks = pq.read_table(tmp_path / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    statistics = json.loads((tmp_path / "meta/stats.json").read_text())
    assert np.shape(statistics["observation.images.left"]["mean"]) == (3, 1, 1)
    assert statistics["observation.images.left_depth"]["max"][0][0][0] > 1000  # millimetres


@pytest.mark.parametrize(("metres", "code"), [(0, 0), (0.01, 0), (10, 4095), (60, 4095)])
def test_depth_codes_end_at_the_ends_of_the_scale(metres, code):
    values = np.full((1, 1), round(metres * 1000), np.uint16)
    assert depth_codes(DepthMap(values, 0.001))[0, 0] == code
