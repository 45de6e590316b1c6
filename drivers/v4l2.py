"""Video4Linux streams that OpenCV does not understand: depth in 16 bits."""

import contextlib
import ctypes
import errno
import mmap
import os
import select
from collections.abc import Callable
from ctypes import c_char, c_int32, c_long, c_uint8, c_uint32, c_uint64
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drivers.errors import CameraBusy, CameraError, CameraLost, CameraUnplugged, ModeUnsupported
from drivers.video_node import check_node

Z16: Final = int.from_bytes(b"Z16 ", "little")
CAPTURE: Final = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""
MMAP: Final = 1
BUFFERS: Final = 4
MONOTONIC: Final = 0x2000
"""V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC."""
DAMAGED: Final = 0x0040
"""V4L2_BUF_FLAG_ERROR."""


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = (
        ("index", c_uint32), ("type", c_uint32), ("flags", c_uint32), ("description", c_uint8 * 32),
        ("pixelformat", c_uint32), ("mbus_code", c_uint32), ("reserved", c_uint32 * 3),
    )  # fmt: skip


class PixelFormat(ctypes.Structure):
    """struct v4l2_pix_format."""

    _fields_ = tuple(
        (name, c_uint32)
        for name in (
            "width", "height", "pixelformat", "field", "bytesperline", "sizeimage", "colorspace", "priv",
            "flags", "encoding", "quantization", "transfer",
        )
    )  # fmt: skip


class _FormatUnion(ctypes.Union):
    _fields_ = (("pix", PixelFormat), ("raw", c_uint8 * 200), ("aligned", c_uint64))


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class BufferRequest(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        ("count", c_uint32), ("type", c_uint32), ("memory", c_uint32), ("capabilities", c_uint32),
        ("reserved", c_uint32),
    )  # fmt: skip


class _TimeValue(ctypes.Structure):
    _fields_ = (("seconds", c_long), ("microseconds", c_long))


class _Place(ctypes.Union):
    _fields_ = (("offset", c_uint32), ("pointer", ctypes.c_ulong))


class Buffer(ctypes.Structure):
    """struct v4l2_buffer."""

    _fields_ = (
        ("index", c_uint32), ("type", c_uint32), ("bytesused", c_uint32), ("flags", c_uint32),
        ("field", c_uint32), ("timestamp", _TimeValue), ("timecode", c_char * 16), ("sequence", c_uint32),
        ("memory", c_uint32), ("place", _Place), ("length", c_uint32), ("reserved2", c_uint32),
        ("request", c_int32),
    )  # fmt: skip


def call_number(direction: int, number: int, size: int) -> int:
    """The number of a call to a video node, as the kernel's `_IOC` makes it."""
    return direction << 30 | size << 16 | ord("V") << 8 | number


READ_WRITE, WRITE = 3, 1
ENUM_FORMATS: Final = call_number(READ_WRITE, 2, ctypes.sizeof(FormatDescription))
SET_FORMAT: Final = call_number(READ_WRITE, 5, ctypes.sizeof(Format))
REQUEST_BUFFERS: Final = call_number(READ_WRITE, 8, ctypes.sizeof(BufferRequest))
QUERY_BUFFER: Final = call_number(READ_WRITE, 9, ctypes.sizeof(Buffer))
QUEUE: Final = call_number(READ_WRITE, 15, ctypes.sizeof(Buffer))
DEQUEUE: Final = call_number(READ_WRITE, 17, ctypes.sizeof(Buffer))
STREAM_ON: Final = call_number(WRITE, 18, 4)
STREAM_OFF: Final = call_number(WRITE, 19, 4)


@dataclass(frozen=True)
class Kernel:
    """The calls to the system that a stream makes.

    Attributes:
        open: gives a file descriptor.
        close: of a descriptor.
        ioctl: descriptor, number, structure that is read and filled.
        map: descriptor, length and offset; memory that is shared with the driver.
        ready: whether a frame comes within so many seconds.
    """

    open: Callable[[str], int]
    close: Callable[[int], None]
    ioctl: Callable[[int, int, Any], Any]
    map: Callable[[int, int, int], Any]
    ready: Callable[[int, float], bool]


def linux() -> Kernel:
    """The real ones."""
    import fcntl

    def opened(node: str) -> int:
        check_node(node)
        return os.open(node, os.O_RDWR | os.O_NONBLOCK)

    def mapped(descriptor: int, length: int, offset: int) -> mmap.mmap:
        return mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=offset)

    def ready(descriptor: int, timeout_s: float) -> bool:
        return bool(select.select([descriptor], [], [], timeout_s)[0])

    return Kernel(opened, os.close, fcntl.ioctl, mapped, ready)


@dataclass(frozen=True, eq=False)
class DepthImage:
    """One image of a stream.

    Attributes:
        counts: (H, W) uint16, owned.
        number: the driver's own counter.
        stamp_ns: on the monotonic clock, or None where the driver stamps by another.
    """

    counts: NDArray[np.uint16]
    number: int
    stamp_ns: int | None


def gives_depth(kernel: Kernel, node: str) -> bool:
    """Whether a node offers Z16; one that cannot be opened does not."""
    try:
        descriptor = kernel.open(node)
    except (OSError, CameraError):
        return False
    try:
        return Z16 in _offered(kernel, descriptor)
    finally:
        kernel.close(descriptor)


def _offered(kernel: Kernel, descriptor: int) -> list[int]:
    formats: list[int] = []
    while True:
        asked = FormatDescription(index=len(formats), type=CAPTURE)
        try:
            kernel.ioctl(descriptor, ENUM_FORMATS, asked)
        except OSError:  # the end of the list is told in this way
            return formats
        formats.append(int(asked.pixelformat))


class DepthStream:
    """Z16 of one node, from opening until `close`.

    Args:
        kernel: see `linux`.
        node: such as "/dev/video0".
        width: asked for, as `height`; a driver may give another.
        height: see `width`.

    Raises:
        CameraBusy: another program has it.
        ModeUnsupported: it gives no Z16.
        CameraError: the driver refuses.
    """

    def __init__(self, kernel: Kernel, node: str, width: int, height: int) -> None:
        self._kernel, self._node = kernel, node
        self._maps: list[Any] = []
        self._descriptor = kernel.open(node)
        try:
            self._format = self._agree(width, height)
            self._start()
        except OSError as error:
            self.close()
            if error.errno == errno.EBUSY:
                raise CameraBusy(f"{node} is in use") from error
            raise CameraError(f"{node} does not stream: {error.strerror}", hint="Plug it in anew.") from error
        except CameraError:
            self.close()
            raise

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that really come."""
        return int(self._format.width), int(self._format.height)

    def read(self, timeout_s: float) -> DepthImage | None:
        """The next whole image, or None if none came in time.

        Raises:
            CameraLost: the device is gone, or stopped.
        """
        try:
            if not self._kernel.ready(self._descriptor, timeout_s):
                return None
            buffer = Buffer(type=CAPTURE, memory=MMAP)
            self._kernel.ioctl(self._descriptor, DEQUEUE, buffer)
            image = self._image(buffer)
            self._kernel.ioctl(self._descriptor, QUEUE, buffer)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            if error.errno == errno.ENODEV:
                raise CameraUnplugged(f"{self._node} was unplugged") from error
            raise CameraLost(f"{self._node} stopped: {error.strerror}") from error
        return image

    def close(self) -> None:
        """Stop; a device that is gone is no error."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):
            self._kernel.ioctl(self._descriptor, STREAM_OFF, c_int32(CAPTURE))
        for shared in self._maps:
            shared.close()
        self._maps = []
        self._kernel.close(self._descriptor)
        self._descriptor = -1

    def _agree(self, width: int, height: int) -> PixelFormat:
        if Z16 not in _offered(self._kernel, self._descriptor):
            raise ModeUnsupported(f"{self._node} gives no depth", hint="Choose another node.")
        asked = Format(type=CAPTURE)
        asked.fmt.pix.width, asked.fmt.pix.height, asked.fmt.pix.pixelformat = width, height, Z16
        self._kernel.ioctl(self._descriptor, SET_FORMAT, asked)
        given: PixelFormat = asked.fmt.pix
        if given.pixelformat != Z16:
            raise ModeUnsupported(f"{self._node} gives no depth", hint="Choose another node.")
        return given

    def _start(self) -> None:
        request = BufferRequest(count=BUFFERS, type=CAPTURE, memory=MMAP)
        self._kernel.ioctl(self._descriptor, REQUEST_BUFFERS, request)
        for index in range(request.count):
            buffer = Buffer(index=index, type=CAPTURE, memory=MMAP)
            self._kernel.ioctl(self._descriptor, QUERY_BUFFER, buffer)
            self._maps.append(self._kernel.map(self._descriptor, buffer.length, buffer.place.offset))
            self._kernel.ioctl(self._descriptor, QUEUE, buffer)
        self._kernel.ioctl(self._descriptor, STREAM_ON, c_int32(CAPTURE))

    def _image(self, buffer: Buffer) -> DepthImage | None:
        width, height = self.size
        row_bytes = int(self._format.bytesperline) or 2 * width
        if buffer.flags & DAMAGED or buffer.bytesused < row_bytes * (height - 1) + 2 * width:
            return None  # cut off on the way; its number makes the gap
        data = np.frombuffer(self._maps[buffer.index][: row_bytes * height], np.uint8)
        counts = data.reshape(height, row_bytes)[:, : 2 * width].copy().view("<u2")
        stamp_ns = buffer.timestamp.seconds * 1_000_000_000 + buffer.timestamp.microseconds * 1000
        return DepthImage(counts, int(buffer.sequence), stamp_ns if buffer.flags & MONOTONIC else None)
