"""Recordings that the Orbbec SDK takes for its own, written with rosbags: ROS 1 bags of its topics."""

import struct

import numpy as np
import simplejpeg
from rosbags.rosbag1 import Writer

WIDTH, HEIGHT, RATE_HZ = 64, 48, 30
START_US = 1_700_000_000_000_000

# Numbers that the SDK gives to streams, to their frames and to pixel formats.
_STREAMS = {"ir": 1, "color": 2, "depth": 3, "ir_left": 6, "ir_right": 7}
_FRAMES = {"ir": 1, "color": 2, "depth": 3, "ir_left": 8, "ir_right": 9}
_FORMATS = {"mjpg": 5, "y16": 8, "y8": 9, "rgb": 22, "bgr": 23}
_ENCODINGS = {"mjpg": "mjpg", "y16": "mono16", "y8": "mono8", "rgb": "rgb8", "bgr": "bgr8"}
_BITS = {"mjpg": 0, "y16": 16, "y8": 8, "rgb": 24, "bgr": 24}

# Numbers of properties, and what they hold in the file.
_FILE_VERSION = (0, struct.pack("<d", 2.1))
_HARDWARE_DISPARITY = (85, struct.pack("<i", 1))
_SOFTWARE_DISPARITY = (3004, struct.pack("<i", 0))
_DEPTH_UNIT = 176
_NOISE_REMOVAL = 24

_HEADER = "=" * 80 + "\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n"
_TYPES = {
    "sensor_msgs/Image": (
        "060021388200f6f0f447d0fcd9c64743",
        "Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\n"
        "uint8[] data\nfloat32 depth_units\nuint64 number\nuint64 timestamp_usec\n"
        "uint64 timestamp_systemusec\nuint64 timestamp_globalusec\n"
        "uint8[] metadata\nuint32 metadatasize\nuint8 pixel_bit_size\n",
    ),
    "custom_msg/OBDeviceInfo": (
        "afef5328bb4abebd1a309e1ea8b26b3a",
        "Header header\nstring name\nstring fullName\nstring asicName\nuint16 vid\nuint16 pid\nstring uid\n"
        "string sn\nstring fwVersion\nstring hwVersion\nstring supportedSdkVersion\nstring connectionType\n"
        "uint16 type\nuint8 backendType\nstring ipAddress\nstring localMac\n",
    ),
    "custom_msg/OBStreamProfileInfo": (
        "0123456789abcdef0123456789abcdef",
        "Header header\nuint8 streamType\nuint8 format\nfloat32[9] rotationMatrix\n"
        "float32[3] translationMatrix\nuint16 width\nuint16 height\nuint16 fps\nfloat32[4] cameraIntrinsic\n"
        "float32[8] cameraDistortion\nuint8 distortionModel\n",
    ),
    "custom_msg/OBDisparityParam": (
        "abcdef0123456789abcdef0123456789",
        "Header header\nfloat64 zpd\nfloat64 zpps\nfloat32 baseline\nfloat64 fx\nuint8 bitSize\n"
        "float32 unit\nfloat32 minDisparity\nuint8 packMode\n"
        "float32 dispOffset\nint32 invalidDisp\nint32 dispIntPlace\n"
        "uint8 isDualCamera\n",
    ),
    "custom_msg/OBProperty": (
        "0123456789abcdef0123456789abcdef",
        "Header header\nuint32 propertyId\nuint8[] data\nuint32 datasize\n",
    ),
}

TURN = (0, -1, 0, 1, 0, 0, 0, 0, 1)
"""By rows: (x, y) of depth is (-y, x) of colour."""
OFFSET_MM = (15.0, 2.0, -1.0)
LENS = (0.05, -0.1, 0.03, 0.01, 0.02, 0.005, 0.001, -0.002)
"""k1 to k6, p1, p2 of the colour lens."""


def scene(number):
    """Images that tell their number; a speck of depth that noise removal would take away."""
    color = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    color[..., 0], color[..., 1], color[..., 2] = number % 256, np.arange(WIDTH), 7
    depth = np.full((HEIGHT, WIDTH), 1000 + number, np.uint16)
    depth[:, :4] = 0
    depth[20, 30] = 4000
    infrared = np.full((HEIGHT, WIDTH), number % 256, np.uint8)
    one = (infrared.astype(np.uint16) << 2) + 3  # of time of flight: ten bits of sixteen
    return {
        "color": color,
        "depth": depth,
        "ir_left": infrared,
        "ir_right": infrared + 1,
        "ir": one,
    }


def write(
    path,
    *,
    frames=8,
    skip=(),
    name="Orbbec Gemini 335",
    serial="CP0001",
    streams=("depth", "color", "ir_left", "ir_right"),
    color_format="rgb",
    unit_mm=1.0,
    noise_removal=0,
    lens_model=3,
    connection="USB3.2",
):
    """Write a recording.

    Args:
        path: must not exist.
        frames: exposures.
        skip: numbers of exposures that are missing.
        name: of the camera.
        serial: of the camera.
        streams: that it has.
        color_format: "rgb", "bgr" or "mjpg".
        unit_mm: millimetres per count.
        noise_removal: whether the SDK's filter is on in the file.
        lens_model: the SDK's number; 3 is Brown-Conrady.
        connection: the link.
    """
    formats = {"depth": "y16", "color": color_format, "ir_left": "y8", "ir_right": "y8"}
    formats |= {"ir": "y16"}
    with Writer(path) as bag:
        topics = {}

        def put(topic, kind, at_us, data):
            if topic not in topics:
                md5, definition = _TYPES[kind]
                topics[topic] = bag.add_connection(
                    topic, kind.replace("/", "/msg/"), msgdef=definition + _HEADER, md5sum=md5
                )
            bag.write(topics[topic], at_us * 1000, _stamp(at_us) + data)

        for number, raw in (
            _FILE_VERSION,
            _HARDWARE_DISPARITY,
            _SOFTWARE_DISPARITY,
            (_DEPTH_UNIT, struct.pack("<f", unit_mm)),
            (_NOISE_REMOVAL, struct.pack("<i", noise_removal)),
        ):
            data = struct.pack("<II", number, len(raw)) + raw + struct.pack("<I", len(raw))
            put("/cam/property", "custom_msg/OBProperty", START_US, data)
        for number in range(frames):
            if number in skip:
                continue
            at_us = START_US + number * 1_000_000 // RATE_HZ
            for stream in streams:
                topic = f"/cam/sensor_{_STREAMS[stream]}/frameType_{_FRAMES[stream]}"
                put(topic, "sensor_msgs/Image", at_us, _image(stream, formats[stream], number, at_us))
        put("/cam/deviceInfo", "custom_msg/OBDeviceInfo", START_US, _camera(name, serial, connection))
        for stream in streams:
            data = _profile(stream, formats[stream], lens_model)
            put(
                f"/cam/streamProfileType_{_STREAMS[stream]}", "custom_msg/OBStreamProfileInfo", START_US, data
            )
        disparity = struct.pack("<ddfdBffBfiiB", 0, 0, 50.0, 60.0, 14, unit_mm, 0, 0, 0, 0, 8, 1)
        put("/cam/disparityParam", "custom_msg/OBDisparityParam", START_US, disparity)


def _image(stream, fmt, number, at_us):
    pixels = scene(number)[stream]
    if fmt == "mjpg":
        data = simplejpeg.encode_jpeg(pixels, quality=95)
    elif fmt == "bgr":
        data = pixels[..., ::-1].tobytes()
    else:
        data = pixels.tobytes()
    head = struct.pack("<II", HEIGHT, WIDTH) + _text(_ENCODINGS[fmt])
    head += struct.pack("<BII", 0, WIDTH * _BITS[fmt] // 8, len(data))
    tail = struct.pack("<fQQQQ", 0.0, number, at_us, at_us + 4000, at_us) + struct.pack("<I", 0)
    return head + data + tail + struct.pack("<IB", 0, _BITS[fmt])


def _camera(name, serial, connection):
    return (
        _text(name) + _text(name) + _text("") + struct.pack("<HH", 0x2BC5, 0x0800) + _text("2-1")
        + _text(serial) + _text("1.4.60") + _text("0.1") + _text("2.0.0") + _text(connection)
        + struct.pack("<HB", 1, 0) + _text("") + _text("")
    )  # fmt: skip


def _profile(stream, fmt, lens_model):
    is_depth, is_color = stream == "depth", stream == "color"
    place = (*TURN, *OFFSET_MM) if is_depth else (0,) * 12
    focal = 62.0 if is_color else 60.0
    lens = (focal, focal + 1, WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5)
    bend = LENS if is_color else (0,) * 8
    return (
        struct.pack("<BB12fHHH", _STREAMS[stream], _FORMATS[fmt], *place, WIDTH, HEIGHT, RATE_HZ)
        + struct.pack("<4f8fB", *lens, *bend, lens_model if is_color else 0)
    )  # fmt: skip


def _stamp(at_us):
    return struct.pack("<III", 0, at_us // 1_000_000, at_us % 1_000_000 * 1000) + _text("0")


def _text(text):
    return struct.pack("<I", len(text)) + text.encode()
