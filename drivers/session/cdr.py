"""The few ROS 2 messages that a recording holds, to CDR bytes and back."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from drivers.frame import FrameSettings
from drivers.geometry import Intrinsics

_LITTLE_ENDIAN = b"\x00\x01\x00\x00"
_SEPARATOR = "=" * 80

_TIME = "int32 sec\nuint32 nanosec\n"
_HEADER = "builtin_interfaces/Time stamp\nstring frame_id\n"
_VECTOR = "float64 x\nfloat64 y\nfloat64 z\n"
_QUATERNION = "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n"
_TRANSFORM = "geometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation\n"
_TRANSFORM_STAMPED = "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform\n"
_ABSENT = (-1.0, *[0.0] * 8)
"""Covariance of what is not measured, as sensor_msgs/Imu says; all zeros mean that nobody knows it."""
_UNKNOWN_COVARIANCE = (0.0,) * 9
_REGION = "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n"


def _schema(fields: str, **parts: str) -> str:
    """ros2msg text: the message's own fields, then those of each type it uses."""
    texts = [fields]
    for name, part in parts.items():
        texts.append(f"{_SEPARATOR}\nMSG: {name.replace('__', '/')}\n{part}")
    return "".join(texts)


_STAMPED = {"std_msgs__Header": _HEADER, "builtin_interfaces__Time": _TIME}

COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
IMAGE = "sensor_msgs/msg/Image"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
TF_MESSAGE = "tf2_msgs/msg/TFMessage"
STRING = "std_msgs/msg/String"
IMU = "sensor_msgs/msg/Imu"
FRAME_META = "rgbd_msgs/msg/FrameMeta"

SCHEMAS = {
    COMPRESSED_IMAGE: _schema("std_msgs/Header header\nstring format\nuint8[] data\n", **_STAMPED),
    IMAGE: _schema(
        "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\n"
        "uint32 step\nuint8[] data\n",
        **_STAMPED,
    ),
    CAMERA_INFO: _schema(
        "std_msgs/Header header\nuint32 height\nuint32 width\nstring distortion_model\nfloat64[] d\n"
        "float64[9] k\nfloat64[9] r\nfloat64[12] p\nuint32 binning_x\nuint32 binning_y\n"
        "sensor_msgs/RegionOfInterest roi\n",
        **_STAMPED,
        sensor_msgs__RegionOfInterest=_REGION,
    ),
    TF_MESSAGE: _schema(
        "geometry_msgs/TransformStamped[] transforms\n",
        geometry_msgs__TransformStamped=_TRANSFORM_STAMPED,
        **_STAMPED,
        geometry_msgs__Transform=_TRANSFORM,
        geometry_msgs__Vector3=_VECTOR,
        geometry_msgs__Quaternion=_QUATERNION,
    ),
    STRING: _schema("string data\n"),
    IMU: _schema(
        "std_msgs/Header header\ngeometry_msgs/Quaternion orientation\n"
        "float64[9] orientation_covariance\ngeometry_msgs/Vector3 angular_velocity\n"
        "float64[9] angular_velocity_covariance\ngeometry_msgs/Vector3 linear_acceleration\n"
        "float64[9] linear_acceleration_covariance\n",
        **_STAMPED,
        geometry_msgs__Vector3=_VECTOR,
        geometry_msgs__Quaternion=_QUATERNION,
    ),
    FRAME_META: _schema(
        "std_msgs/Header header\nint64 device_ts_ns\nint64 host_arrival_ns\nuint64 frame_number\n"
        "uint32 dropped_before\nfloat32 exposure_us\nfloat32 gain\nfloat32 laser_power_mw\n"
        "float32 temperature_c\nstring[] images\nuint32[] images_crc32\nuint32 checksum\n",
        **_STAMPED,
    ),
}


class CompressedImage(NamedTuple):
    """A parsed sensor_msgs/CompressedImage; `data` is a view into the message."""

    stamp_ns: int
    frame_id: str
    format: str
    data: memoryview


@dataclass(frozen=True)
class FrameMeta:
    """What belongs to a frame and to none of its images.

    Attributes:
        stamp_ns: middle of the exposure, UTC.
        frame_id: of the colour stream.
        device_ts_ns: the same moment on the device's clock.
        host_arrival_ns: UTC.
        frame_number: the device's counter.
        dropped_before: frames that the device counted and the recording does not hold.
        exposure_us: NaN where the camera does not say, as for all that follow.
        gain: in the vendor's unit.
        laser_power_mw: of the projector.
        temperature_c: of the sensor.
        images_crc32: of the data of each image of the frame, by its stream; None in sessions that have none.
    """

    stamp_ns: int
    frame_id: str
    device_ts_ns: int
    host_arrival_ns: int
    frame_number: int
    dropped_before: int = 0
    exposure_us: float = float("nan")
    gain: float = float("nan")
    laser_power_mw: float = float("nan")
    temperature_c: float = float("nan")
    images_crc32: Mapping[str, int] | None = None

    def with_settings(self, settings: FrameSettings | None) -> "FrameMeta":
        """The same with what a camera said; what it did not say is NaN."""
        said = {} if settings is None else {k: v for k, v in asdict(settings).items() if v is not None}
        return replace(self, **said)

    @property
    def settings(self) -> FrameSettings | None:
        """What the camera said; None where it said nothing."""
        values = {field.name: getattr(self, field.name) for field in fields(FrameSettings)}
        said = {name: value for name, value in values.items() if not math.isnan(value)}
        return FrameSettings(**said) if said else None


class Imu(NamedTuple):
    """A sensor_msgs/Imu without orientation; None for what its sensor does not measure."""

    stamp_ns: int
    frame_id: str
    angular_velocity_rad_s: tuple[float, float, float] | None
    linear_acceleration_m_s2: tuple[float, float, float] | None


class _Builder:
    """CDR, little endian: each number lies at a multiple of its size after the four encapsulation bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray(_LITTLE_ENDIAN)

    def number(self, code: str, value: float) -> None:
        size = struct.calcsize(code)
        self._bytes += bytes(-(len(self._bytes) - 4) % size)
        self._bytes += struct.pack("<" + code, value)

    def numbers(self, code: str, values: Sequence[float]) -> None:
        for value in values:
            self.number(code, value)

    def string(self, text: str) -> None:
        encoded = text.encode() + b"\0"
        self.number("I", len(encoded))
        self._bytes += encoded

    def header(self, stamp_ns: int, frame_id: str) -> None:
        self.number("i", stamp_ns // 1_000_000_000)
        self.number("I", stamp_ns % 1_000_000_000)
        self.string(frame_id)

    def data(self, *parts: bytes) -> bytes:
        """All so far and, last in the message, an array of bytes."""
        self.number("I", sum(len(part) for part in parts))
        return b"".join([self._bytes, *parts])

    def end(self) -> bytes:
        return bytes(self._bytes)


class _Parser:
    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._order = "<" if self._data[1] == 1 else ">"
        self._at = 4

    def number(self, code: str) -> int:
        return int(self._unpack(code))

    def real(self, code: str) -> float:
        return float(self._unpack(code))

    def _unpack(self, code: str) -> float:
        size = struct.calcsize(code)
        self._at += -(self._at - 4) % size
        (value,) = struct.unpack_from(self._order + code, self._data, self._at)
        self._at += size
        return value  # type: ignore[no-any-return]

    def string(self) -> str:
        length = self.number("I")
        text = bytes(self._data[self._at : self._at + length - 1]).decode()
        self._at += length
        return text

    @property
    def rest(self) -> int:
        """Bytes that were not read."""
        return len(self._data) - self._at

    def stamp(self) -> int:
        seconds = self.number("i")
        return seconds * 1_000_000_000 + self.number("I")

    def data(self) -> memoryview:
        length = self.number("I")
        return self._data[self._at : self._at + length]


def compressed_image(stamp_ns: int, frame_id: str, format_: str, *parts: bytes) -> bytes:
    """sensor_msgs/CompressedImage; its data is `parts` one after the other."""
    builder = _Builder()
    builder.header(stamp_ns, frame_id)
    builder.string(format_)
    return builder.data(*parts)


def parse_compressed_image(data: bytes | memoryview) -> CompressedImage:
    """The counterpart of `compressed_image`."""
    parser = _Parser(data)
    return CompressedImage(parser.stamp(), parser.string(), parser.string(), parser.data())


def depth_image(stamp_ns: int, frame_id: str, values: NDArray[np.uint16]) -> bytes:
    """sensor_msgs/Image of encoding 16UC1 from (H, W) uint16."""
    builder = _Builder()
    builder.header(stamp_ns, frame_id)
    builder.numbers("I", values.shape)
    builder.string("16UC1")
    builder.number("B", 0)
    builder.number("I", values.shape[1] * 2)
    return builder.data(values.astype("<u2").tobytes())


def camera_info(stamp_ns: int, frame_id: str, camera: Intrinsics) -> bytes:
    """sensor_msgs/CameraInfo of one stream in its own grid."""
    builder = _Builder()
    builder.header(stamp_ns, frame_id)
    builder.numbers("I", (camera.height, camera.width))
    # ROS's plumb_bob has exactly five coefficients, rational_polynomial eight.
    size = 5 if len(camera.distortion) <= 5 else max(8, len(camera.distortion))
    builder.string("plumb_bob" if size == 5 else "rational_polynomial")
    builder.number("I", size)
    builder.numbers("d", [*camera.distortion, *[0.0] * (size - len(camera.distortion))])
    k = camera.matrix
    builder.numbers("d", k.ravel().tolist())
    builder.numbers("d", np.eye(3).ravel().tolist())
    builder.numbers("d", np.hstack([k, np.zeros((3, 1))]).ravel().tolist())
    builder.numbers("I", (0,) * 6)  # binning, region of interest: none
    builder.number("B", 0)
    return builder.end()


def transforms(stamp_ns: int, links: Sequence[tuple[str, str, NDArray[np.float64]]]) -> bytes:
    """tf2_msgs/TFMessage of links (parent, child, parent_from_child), each transform (4, 4) in metres."""
    builder = _Builder()
    builder.number("I", len(links))
    for parent, child, parent_from_child in links:
        builder.header(stamp_ns, parent)
        builder.string(child)
        builder.numbers("d", parent_from_child[:3, 3].tolist())
        builder.numbers("d", quaternion(parent_from_child[:3, :3]))
    return builder.end()


def imu(message: Imu) -> bytes:
    """sensor_msgs/Imu."""
    builder = _Builder()
    builder.header(message.stamp_ns, message.frame_id)
    builder.numbers("d", (0.0, 0.0, 0.0, 1.0))
    builder.numbers("d", _ABSENT)
    for vector in (message.angular_velocity_rad_s, message.linear_acceleration_m_s2):
        builder.numbers("d", vector or (0.0, 0.0, 0.0))
        builder.numbers("d", _ABSENT if vector is None else _UNKNOWN_COVARIANCE)
    return builder.end()


def parse_imu(data: bytes | memoryview) -> Imu:
    """The counterpart of `imu`."""
    parser = _Parser(data)
    stamp_ns, where = parser.stamp(), parser.string()
    numbers = [parser.real("d") for _ in range(4 + 9 + 2 * (3 + 9))]
    vectors = [None if numbers[at + 3] < 0 else tuple(numbers[at : at + 3]) for at in (13, 25)]
    return Imu(stamp_ns, where, *vectors)  # type: ignore[arg-type]


def string(text: str) -> bytes:
    """std_msgs/String."""
    builder = _Builder()
    builder.string(text)
    return builder.end()


def parse_string(data: bytes | memoryview) -> str:
    """The counterpart of `string`."""
    return _Parser(data).string()


def frame_meta(meta: FrameMeta) -> bytes:
    """rgbd_msgs/FrameMeta."""
    builder = _Builder()
    builder.header(meta.stamp_ns, meta.frame_id)
    builder.numbers("q", (meta.device_ts_ns, meta.host_arrival_ns))
    builder.number("Q", meta.frame_number)
    builder.number("I", meta.dropped_before)
    builder.numbers("f", (meta.exposure_us, meta.gain, meta.laser_power_mw, meta.temperature_c))
    images = meta.images_crc32 or {}
    builder.number("I", len(images))
    for stream in images:
        builder.string(stream)
    builder.number("I", len(images))
    builder.numbers("I", tuple(images.values()))
    builder.number("I", 0)
    data = builder.end()
    return data[:-4] + struct.pack("<I", isal_zlib.crc32(data[:-4]))


def parse_frame_meta(data: bytes | memoryview) -> FrameMeta:
    """The counterpart of `frame_meta`; `sound_frame_meta` tells whether it can be trusted."""
    parser = _Parser(data)
    meta = FrameMeta(
        parser.stamp(),
        parser.string(),
        parser.number("q"),
        parser.number("q"),
        parser.number("Q"),
        parser.number("I"),
        parser.real("f"),
        parser.real("f"),
        parser.real("f"),
        parser.real("f"),
    )
    if not parser.rest:
        return meta
    streams = [parser.string() for _ in range(parser.number("I"))]
    checksums = [parser.number("I") for _ in range(parser.number("I"))]
    return replace(meta, images_crc32=dict(zip(streams, checksums, strict=True)))


def frame_number(data: bytes | memoryview) -> int:
    """Only that of `parse_frame_meta`, for whoever asks for thousands."""
    parser = _Parser(data)
    parser.stamp()
    parser.string()
    parser.number("q")
    parser.number("q")
    return parser.number("Q")


def sound_frame_meta(data: bytes | memoryview) -> bool:
    """Whether the message's own checksum is right."""
    return isal_zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")


def quaternion(rotation: NDArray[np.float64]) -> list[float]:
    """x, y, z, w of a (3, 3) rotation."""
    # Solved for the largest of the four, so that nothing is divided by a number near zero.
    r = rotation
    squares = [
        1 + r[0, 0] - r[1, 1] - r[2, 2],
        1 - r[0, 0] + r[1, 1] - r[2, 2],
        1 - r[0, 0] - r[1, 1] + r[2, 2],
        1 + r[0, 0] + r[1, 1] + r[2, 2],
    ]
    largest = int(np.argmax(squares))
    products = [
        [squares[0], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0], r[2, 1] - r[1, 2]],
        [r[0, 1] + r[1, 0], squares[1], r[1, 2] + r[2, 1], r[0, 2] - r[2, 0]],
        [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[2], r[1, 0] - r[0, 1]],
        [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], squares[3]],
    ]
    numbers = np.array(products[largest]) / (2 * np.sqrt(squares[largest]))
    return [float(number) for number in numbers]
