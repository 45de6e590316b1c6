import math

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from scipy.spatial.transform import Rotation

from drivers.geometry import Intrinsics
from drivers.session import cdr

STAMP_NS = 1_700_000_000_123_456_789


@pytest.fixture(scope="module")
def store():
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(cdr.SCHEMAS[cdr.FRAME_META].split("=" * 80)[0], cdr.FRAME_META))
    return store


def stamp_ns(header):
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


@pytest.mark.parametrize("frame", ["a", "abcd", "left_color_optical_frame"])
def test_ros_reads_a_compressed_image(store, frame):
    data = cdr.compressed_image(STAMP_NS, frame, "jpeg", b"12", b"345")
    message = store.deserialize_cdr(data, cdr.COMPRESSED_IMAGE)
    assert (stamp_ns(message.header), message.header.frame_id, message.format) == (STAMP_NS, frame, "jpeg")
    assert bytes(message.data) == b"12345"
    parsed = cdr.parse_compressed_image(data)
    assert (parsed.stamp_ns, parsed.frame_id, parsed.format) == (STAMP_NS, frame, "jpeg")
    assert bytes(parsed.data) == b"12345"


def test_ros_reads_a_depth_image(store):
    values = np.arange(6, dtype=np.uint16).reshape(2, 3) * 1000
    message = store.deserialize_cdr(cdr.depth_image(STAMP_NS, "d", values), cdr.IMAGE)
    assert (message.height, message.width, message.encoding, message.step) == (2, 3, "16UC1", 6)
    assert np.array_equal(message.data.view("<u2").reshape(2, 3), values)


@pytest.mark.parametrize(
    ("distortion", "model"),
    [((), "plumb_bob"), ((0.1, 0.2, 0.3, 0.4, 0.5), "plumb_bob"), ((0.1,) * 8, "rational_polynomial")],
)
def test_ros_reads_intrinsics(store, distortion, model):
    camera = Intrinsics(640, 480, 600.5, 601.5, 319.25, 239.75, distortion)
    message = store.deserialize_cdr(cdr.camera_info(STAMP_NS, "abc", camera), cdr.CAMERA_INFO)
    assert (message.width, message.height, message.distortion_model) == (640, 480, model)
    assert np.array_equal(message.k.reshape(3, 3), camera.matrix)
    assert tuple(message.d[: len(distortion)]) == distortion
    assert np.array_equal(message.p.reshape(3, 4)[:, :3], camera.matrix)


def test_ros_reads_transforms(store):
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
    pose[:3, 3] = [1, 2, 3]
    data = cdr.transforms(STAMP_NS, [("rig", "eye", np.eye(4)), ("eye", "left", pose)])
    message = store.deserialize_cdr(data, cdr.TF_MESSAGE)
    assert [(t.header.frame_id, t.child_frame_id) for t in message.transforms] == [
        ("rig", "eye"),
        ("eye", "left"),
    ]
    turn = message.transforms[1].transform.rotation
    assert np.allclose(Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix(), pose[:3, :3])
    assert message.transforms[1].transform.translation.z == 3


@pytest.mark.parametrize("angles", [[0, 0, 0], [180, 0, 0], [0, 180, 0], [0, 0, 180], [120, -60, 170]])
def test_a_quaternion_is_the_rotation_it_came_from(angles):
    matrix = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    assert np.allclose(Rotation.from_quat(cdr.quaternion(matrix)).as_matrix(), matrix)


def test_frame_meta_comes_back_whole(store):
    meta = cdr.FrameMeta(STAMP_NS, "abc", -5, STAMP_NS + 1, (1 << 40) + 3, 7, 100.0)
    data = cdr.frame_meta(meta)
    parsed = cdr.parse_frame_meta(data)
    assert (parsed.frame_number, parsed.device_ts_ns, parsed.dropped_before) == ((1 << 40) + 3, -5, 7)
    assert parsed.exposure_us == 100.0
    assert math.isnan(parsed.gain)
    message = store.deserialize_cdr(data, cdr.FRAME_META)
    assert (message.frame_number, message.host_arrival_ns) == ((1 << 40) + 3, STAMP_NS + 1)


def test_text_comes_back_whole(store):
    data = cdr.string('{"näme": 1}')
    assert cdr.parse_string(data) == '{"näme": 1}'
    assert store.deserialize_cdr(data, cdr.STRING).data == '{"näme": 1}'
