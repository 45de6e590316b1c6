"""The names under which a session keeps the streams of a camera."""

COLOR = "color/image_raw/compressed"
DEPTH = "depth/image_raw/compressedDepth"
DEPTH_JXL = "depth/image_raw/jxl"
CONFIDENCE = "depth/confidence/compressed"
PREVIEW = "depth/preview"
TRUTH = "truth/image_raw/compressedDepth"
IR_LEFT = "infra1/image_raw/compressed"
IR_RIGHT = "infra2/image_raw/compressed"
META = "frame_meta"
IMU = "imu"
REFINED = "refined/image_raw/compressedDepth"
PROVENANCE = "refined/provenance/compressed"
REFINED_META = "refined/meta"

IMAGES = (COLOR, DEPTH, DEPTH_JXL, CONFIDENCE, TRUTH, IR_LEFT, IR_RIGHT)
DEPTHS = (DEPTH, DEPTH_JXL)
"""A frame has its depth on one of these; which one may change from frame to frame."""

LABELS = "/labels/event"
STATUS = "/recorder/status"
DROPS = "/recorder/drops"
CLOCK = "/clock_sync"
TF_STATIC = "/tf_static"

JPEG_FORMAT = "jpeg"
PNG_FORMAT = "png"  # of colour and infrared that were imported without loss
DEPTH_FORMAT = "16UC1; compressedDepth png"
JXL_FORMAT = "16UC1; jxl"
GRAY_PNG_FORMAT = "mono8; png compressed "  # as ROS image_transport names it, with its space at the end
DEPTH_HEADER = bytes(12)  # ROS compressedDepth puts its quantisation here; zero for integers


def topic(camera_id: str, stream: str) -> str:
    """The topic of one stream of one camera."""
    return f"/{camera_id}/{stream}"


def image_format(stream: str) -> str:
    """What a sensor_msgs/CompressedImage of a stream says of its data."""
    return _FORMATS.get(stream, JPEG_FORMAT)


def camera_info_topic(camera_id: str, sensor: str) -> str:
    """Where the intrinsics of "color", "depth", "infra1" or "infra2" are."""
    return f"/{camera_id}/{sensor}/camera_info"


def frame_id(camera_id: str, stream: str) -> str:
    """The coordinate frame of a stream; exact and refined depth and the IMU are in that of colour."""
    sensor = stream.partition("/")[0]
    if sensor in {"truth", "refined", META, IMU}:
        sensor = "color"
    return f"{camera_id}_{sensor}_optical_frame"


_FORMATS = {
    DEPTH: DEPTH_FORMAT,
    TRUTH: DEPTH_FORMAT,
    REFINED: DEPTH_FORMAT,
    DEPTH_JXL: JXL_FORMAT,
    CONFIDENCE: GRAY_PNG_FORMAT,
    PROVENANCE: GRAY_PNG_FORMAT,
}
