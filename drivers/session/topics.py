"""The names under which a session keeps the streams of a camera."""

COLOR = "color/image_raw/compressed"
DEPTH = "depth/image_raw/compressedDepth"
PREVIEW = "depth/preview"
TRUTH = "truth/image_raw/compressedDepth"
IR_LEFT = "infra1/image_raw/compressed"
IR_RIGHT = "infra2/image_raw/compressed"
META = "frame_meta"
REFINED = "refined/image_raw/compressedDepth"
PROVENANCE = "refined/provenance/compressed"
REFINED_META = "refined/meta"

IMAGES = (COLOR, DEPTH, TRUTH, IR_LEFT, IR_RIGHT)

LABELS = "/labels/event"
STATUS = "/recorder/status"
DROPS = "/recorder/drops"
CLOCK = "/clock_sync"
TF_STATIC = "/tf_static"

JPEG_FORMAT = "jpeg"
DEPTH_FORMAT = "16UC1; compressedDepth png"
PROVENANCE_FORMAT = "mono8; png compressed "  # as ROS image_transport names it, with its space at the end
DEPTH_HEADER = bytes(12)  # ROS compressedDepth puts its quantisation here; zero for integers


def topic(camera_id: str, stream: str) -> str:
    """The topic of one stream of one camera."""
    return f"/{camera_id}/{stream}"


def camera_info_topic(camera_id: str, sensor: str) -> str:
    """Where the intrinsics of "color", "depth", "infra1" or "infra2" are."""
    return f"/{camera_id}/{sensor}/camera_info"


def frame_id(camera_id: str, stream: str) -> str:
    """The coordinate frame in which a stream's images lie; exact and refined depth lie in the colour view."""
    sensor = stream.partition("/")[0]
    if sensor in {"truth", "refined", META}:
        sensor = "color"
    return f"{camera_id}_{sensor}_optical_frame"
