"""A frame to the compressed images that a recording holds, and back."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from drivers.errors import SessionError
from drivers.frame import Frame, FrameSettings, ImuSample
from drivers.session.jxl import encode_jxl16
from drivers.session.png16 import SIGNATURE, decode_png8, encode_png8, encode_png16
from drivers.session.topics import COLOR, CONFIDENCE, DEPTH, DEPTH_JXL, IR_LEFT, IR_RIGHT, TRUTH

JPEG_QUALITY = 95
PREVIEW_STEP = 4


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """A frame ready to be written.

    Attributes:
        camera_id: as in the frame.
        index: the device's own counter.
        captured_ns: middle of the exposure, host monotonic.
        device_ns: the same moment on the device's clock.
        arrived_ns: when the host had it, host monotonic.
        images: image files by stream: the names in `drivers.session.topics.IMAGES`.
        preview: (H / 4, W / 4) uint16 depth counts.
        color_size: width and height in pixels, as of `depth_size`.
        depth_size: of the depth sensor's grid.
        depth_unit_m: metres per count.
        truth_unit_m: metres per count, or None without exact depth.
        imu: as in the frame.
        settings: as in the frame.
    """

    camera_id: str
    index: int
    captured_ns: int
    device_ns: int
    arrived_ns: int
    images: dict[str, bytes]
    preview: NDArray[np.uint16]
    color_size: tuple[int, int]
    depth_size: tuple[int, int]
    depth_unit_m: float
    truth_unit_m: float | None
    imu: tuple[ImuSample, ...] = ()
    settings: FrameSettings | None = None

    @property
    def size(self) -> int:
        """Bytes of all images."""
        return sum(len(image) for image in self.images.values()) + self.preview.nbytes


def encode(frame: Frame, *, arrived_ns: int | None = None, compact: bool = False) -> EncodedFrame:
    """Compress all images of a frame.

    Depends on nothing but its arguments and may run in any number of threads: the codecs release the
    interpreter lock. Depth stays exact; colour and infrared become JPEG of quality 95.

    Args:
        frame: as the camera delivered it.
        arrived_ns: when the host had the frame, host monotonic; None where that is not known.
        compact: depth as JPEG XL instead of PNG: as exact, faster to write and smaller, but few programs
            read it.
    """
    images = {COLOR: _jpeg(frame.color, "RGB")}
    if compact:
        images[DEPTH_JXL] = encode_jxl16(frame.depth.values)
    else:
        images[DEPTH] = encode_png16(frame.depth.values)
    if frame.confidence is not None:
        images[CONFIDENCE] = encode_png8(frame.confidence)
    if frame.truth is not None:
        images[TRUTH] = encode_png16(frame.truth.values)
    if frame.ir_left is not None:
        images[IR_LEFT] = _jpeg(frame.ir_left[..., None], "GRAY")
    if frame.ir_right is not None:
        images[IR_RIGHT] = _jpeg(frame.ir_right[..., None], "GRAY")
    height, width = frame.depth.values.shape
    start = PREVIEW_STEP // 2 if min(height, width) > PREVIEW_STEP // 2 else 0
    return EncodedFrame(
        camera_id=frame.camera_id,
        index=frame.index,
        captured_ns=frame.captured_ns,
        device_ns=frame.device_ns,
        arrived_ns=frame.captured_ns if arrived_ns is None else arrived_ns,
        images=images,
        preview=frame.depth.values[start::PREVIEW_STEP, start::PREVIEW_STEP].copy(),
        color_size=(frame.color.shape[1], frame.color.shape[0]),
        depth_size=(width, height),
        depth_unit_m=frame.depth.unit_m,
        truth_unit_m=None if frame.truth is None else frame.truth.unit_m,
        imu=frame.imu,
        settings=frame.settings,
    )


def encode_exact(frame: Frame, color_file: bytes | None = None) -> EncodedFrame:
    """Compress all images of an imported frame without loss.

    Args:
        frame: as it was read.
        color_file: the colour image as the JPEG or PNG file that it was stored as, which is kept as it is;
            None compresses it as PNG.
    """
    encoded = encode(frame)
    images = {**encoded.images, COLOR: color_file or _png(frame.color[..., ::-1])}
    for stream, image in ((IR_LEFT, frame.ir_left), (IR_RIGHT, frame.ir_right)):
        if image is not None:
            images[stream] = encode_png8(image)
    return replace(encoded, images=images)


def decode_color(data: bytes | memoryview) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of a JPEG or PNG file.

    Raises:
        SessionError: `data` is no such file.
    """
    if data[: len(SIGNATURE)] == SIGNATURE:
        return _decode_png(data)
    return _decode_jpeg(data, "RGB")


def decode_gray(data: bytes | memoryview) -> NDArray[np.uint8]:
    """(H, W) uint8 of a JPEG or PNG file.

    Raises:
        SessionError: `data` is no such file.
    """
    if data[: len(SIGNATURE)] == SIGNATURE:
        return decode_png8(data)
    return _decode_jpeg(data, "GRAY")[..., 0]


def _png(image: NDArray[np.uint8]) -> bytes:
    """A PNG file of (H, W, 3) uint8 BGR."""
    encoded, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert encoded
    return data.tobytes()


def _decode_png(data: bytes | memoryview) -> NDArray[np.uint8]:
    # Its orientation tag is left alone, because depth is not turned by it either.
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise SessionError(
            f"{len(data)} bytes of colour are no PNG image", hint="The file is damaged; leave this frame out."
        )
    return np.asarray(image, np.uint8)


def _jpeg(image: NDArray[np.uint8], colorspace: str) -> bytes:
    subsampling = "Gray" if colorspace == "GRAY" else "420"
    image = np.ascontiguousarray(image)
    encoded: bytes = simplejpeg.encode_jpeg(
        image, quality=JPEG_QUALITY, colorspace=colorspace, colorsubsampling=subsampling
    )
    return encoded


def _decode_jpeg(data: bytes | memoryview, colorspace: str) -> NDArray[np.uint8]:
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colorspace=colorspace), np.uint8)
    except ValueError as error:
        raise SessionError(
            f"{len(data)} bytes of colour are no JPEG image",
            hint="The file is damaged; leave this frame out.",
        ) from error
