"""Reads a session as docs/session-format.md says, with public libraries only; our code just writes it."""

import hashlib
import json
import re
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from session_recordings import make_frame, make_refined, record

from drivers.session.encode import encode
from drivers.session.labels import add_label

DOCUMENT = Path(__file__).parents[3] / "docs" / "session-format.md"
UNIT_M = 0.0001


@pytest.fixture(scope="module")
def frames():
    return [
        make_frame(number, camera, unit_m=UNIT_M, ir=True, truth=True, confidence=True, imu=True)
        for number in (3, 4, 6)
        for camera in ("left", "right")
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, frames):
    folder = tmp_path_factory.mktemp("session") / "s"
    options = {"site": "Lab 3", "operator": "Ada", "scene": "office", "tags": ["glass"], "notes": "a note"}
    writer = record(folder, frames, segment_bytes=60_000, **options)
    for frame in frames[::2]:
        writer.write_refined(make_refined(frame))
    for camera in ("left", "right"):
        compact = make_frame(7, camera, unit_m=UNIT_M, ir=True, truth=True, confidence=True, imu=True)
        writer.write(encode(compact, compact=True))
    start_ns = writer.info.anchor.utc_from_monotonic(frames[0].captured_ns)
    writer.add_label(add_label("mark", "sun", camera_id="left", start_ns=start_ns, end_ns=start_ns))
    writer.add_status({"seconds": 0.1})
    writer.add_drops({"left": 0})
    writer.close()
    return folder


@pytest.fixture(scope="module")
def messages(folder):
    """(topic, official message, decoded message) of all files in their order."""
    found = []
    for path in sorted(folder.glob("*.mcap")):
        with path.open("rb") as file:
            reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
            found += [(m.channel.topic, m.message, m.decoded_message) for m in reader.iter_decoded_messages()]
    return found


def read_json(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def png(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def of(messages, topic):
    return {message.sequence: (message, decoded) for name, message, decoded in messages if name == topic}


def test_depth_is_found_in_its_unit(messages, frames):
    depth = of(messages, "/left/depth/image_raw/compressedDepth")
    assert sorted(depth) == [3, 4, 6]
    for frame in frames[::2]:
        message, image = depth[frame.index]
        assert image.format == "16UC1; compressedDepth png"
        assert bytes(image.data[:12]) == bytes(12)
        assert np.array_equal(png(image.data[12:]), frame.depth.values)
        stamp = image.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == message.log_time


def test_compact_depth_is_jpeg_xl(messages):
    _, image = of(messages, "/left/depth/image_raw/jxl")[7]
    assert image.format == "16UC1; jxl"
    exact = make_frame(7, "left").depth.values
    assert np.array_equal(imagecodecs.jpegxl_decode(bytes(image.data)), exact)


def test_confidence_is_gray_png_in_the_depth_grid(messages, frames):
    _, image = of(messages, "/left/depth/confidence/compressed")[3]
    assert image.format == "mono8; png compressed "
    assert np.array_equal(png(image.data), frames[0].confidence)


def test_inertial_readings_have_their_own_times(messages, folder, frames):
    anchor = read_json(folder, "session.json")["anchor"]
    readings = [(m, d) for name, m, d in messages if name == "/left/imu" and m.sequence == 3]
    assert len(readings) == 4
    turning = [d for _, d in readings if d.angular_velocity_covariance[0] >= 0]
    assert [d.angular_velocity.x for d in turning] == pytest.approx([0.0, 0.1, 0.2])
    assert all(d.linear_acceleration_covariance[0] == -1 for d in turning)
    (falling,) = [d for _, d in readings if d.linear_acceleration_covariance[0] >= 0]
    assert falling.linear_acceleration.y == -9.81
    assert all(d.orientation_covariance[0] == -1 for _, d in readings)
    first_ns = frames[0].imu[0].captured_ns - anchor["monotonic_ns"] + anchor["utc_ns"]
    assert readings[0][0].log_time == first_ns
    assert readings[0][1].header.frame_id == "left_color_optical_frame"


def test_all_images_of_a_frame_have_one_time(messages, folder, frames):
    anchor = read_json(folder, "session.json")["anchor"]
    names = (
        "color/image_raw/compressed",
        "infra1/image_raw/compressed",
        "infra2/image_raw/compressed",
        "truth/image_raw/compressedDepth",
        "frame_meta",
    )
    for frame in frames:
        found = [of(messages, f"/{frame.camera_id}/{name}")[frame.index][0].log_time for name in names]
        assert set(found) == {frame.captured_ns - anchor["monotonic_ns"] + anchor["utc_ns"]}


def test_the_frame_is_described(messages, frames):
    meta = of(messages, "/right/frame_meta")
    assert [meta[number][1].dropped_before for number in (3, 4, 6)] == [0, 0, 1]
    assert meta[6][1].frame_number == 6
    assert meta[6][1].device_ts_ns == frames[-1].device_ns
    assert np.isnan(meta[6][1].exposure_us)


def test_colour_and_infrared_are_jpeg(messages, frames):
    _, color = of(messages, "/left/color/image_raw/compressed")[4]
    assert color.format == "jpeg"
    assert np.abs(png(color.data)[..., ::-1].astype(int) - frames[2].color).mean() < 4
    _, infrared = of(messages, "/left/infra1/image_raw/compressed")[4]
    assert png(infrared.data).shape == (48, 64)


def test_refined_depth_says_where_it_comes_from_and_what_made_it(messages, frames):
    assert not of(messages, "/right/refined/meta")
    message, image = of(messages, "/left/refined/image_raw/compressedDepth")[6]
    assert np.all(png(image.data[12:])[frames[4].depth.values == 0] == 700)
    assert message.log_time == of(messages, "/left/frame_meta")[6][0].log_time
    _, sources = of(messages, "/left/refined/provenance/compressed")[6]
    assert sources.format == "mono8; png compressed "
    assert png(sources.data).ravel()[:4].tolist() == [0, 1, 2, 3]
    meta = json.loads(of(messages, "/left/refined/meta")[6][1].data)
    assert meta["frame_number"] == 6
    assert meta["made_by"]["weights_sha256"] == "ab" * 32


def test_lens_and_position_are_in_the_file_and_beside_it(folder, messages):
    beside = read_json(folder, "calibration.json")["cameras"]["left"]
    info = next(decoded for name, _, decoded in messages if name == "/left/color/camera_info")
    assert (info.k[0], info.k[2]) == (beside["color"]["fx"], beside["color"]["cx"])
    tree = next(decoded for name, _, decoded in messages if name == "/tf_static").transforms
    links = {(link.header.frame_id, link.child_frame_id): link.transform for link in tree}
    moved = links["left_color_optical_frame", "left_depth_optical_frame"].translation
    assert moved.x == beside["color_from_depth"][0][3] == 0.015


def test_the_manifest_accounts_for_every_frame(folder, messages):
    manifest = read_json(folder, "manifest.json")
    assert len(manifest["files"]) > 1
    for file in manifest["files"]:
        assert hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    total = manifest["totals"]["left"]
    assert total["written"] == len(of(messages, "/left/frame_meta")) == 4
    lost = total["host_drop"] + total["device_gap"] + total["error"]
    assert total["device_frames"] == total["written"] + lost == 5
    assert total["compact"] == 1
    assert total["stages"] == {"device": 1}
    assert manifest["lost"]["left"] == [{"first": 5, "last": 5, "stage": "device"}]
    assert manifest["refined"]["left"]["written"] == len(of(messages, "/left/refined/meta"))
    units = read_json(folder, "session.json")["cameras"][0]
    assert units["depth_unit_m"] == UNIT_M


def test_labels_are_lines_of_json(folder):
    lines = [json.loads(line) for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    said = {(line["kind"], line["value"]) for line in lines}
    assert said >= {("scene", "office"), ("tag", "glass"), ("note", "a note"), ("mark", "sun")}


def test_another_library_reads_the_same(folder, messages):
    count = 0
    for path in sorted(folder.glob("*.mcap")):
        with AnyReader([path]) as reader:
            for connection, _, data in reader.messages():
                reader.deserialize(data, connection.msgtype)
                count += 1
    assert count == len(messages)


def keys(value):
    if isinstance(value, dict):
        return {key for key in value if not key.startswith("/")}.union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_the_document_names_every_topic_and_every_field(folder, messages):
    text = re.sub(r"```.*?```", "", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"`([^`]+)`", text))
    topics = {re.sub(r"^/(left|right)/", "/<cam>/", name) for name, _, _ in messages}
    assert topics <= named
    assert {name for name in named if name.startswith("/<cam>/") and " " not in name} <= topics
    words = set(re.findall(r"[\w.]+\w", text)) | set(re.findall(r"\w+", text))
    for name in ("session.json", "calibration.json", "manifest.json"):
        assert keys(read_json(folder, name)) - {"left", "right"} <= words
    for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        assert keys(json.loads(line)) <= words
    for _, _, decoded in messages:
        if type(decoded).__name__ == "FrameMeta":
            assert {field for field in decoded.__slots__ if field != "_type"} <= words
