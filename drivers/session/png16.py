"""Gray PNG of 16 bits, and of 8, written fast enough for several cameras on one core."""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from drivers.errors import SessionError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_UP = 2
_END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def encode_png16(values: NDArray[np.uint16]) -> bytes:
    """`values`, (H, W) uint16, as a lossless PNG file.

    Each row is stored as its difference to the row above. Every costly step releases the interpreter lock.
    """
    return _encode(values.astype(">u2", order="C").view(np.uint8), values.shape[1], bits=16)


def encode_png8(values: NDArray[np.uint8]) -> bytes:
    """`values`, (H, W) uint8, as a lossless PNG file."""
    return _encode(np.ascontiguousarray(values), values.shape[1], bits=8)


def decode_png16(data: bytes | memoryview) -> NDArray[np.uint16]:
    """(H, W) uint16 of a PNG file.

    Raises:
        SessionError: `data` is no 16-bit gray PNG.
    """
    values = _decode(data)
    if values is None or values.dtype != np.uint16:
        raise _no_png(data, 16)
    return np.asarray(values, np.uint16)


def decode_png8(data: bytes | memoryview) -> NDArray[np.uint8]:
    """(H, W) uint8 of a PNG file.

    Raises:
        SessionError: `data` is no 8-bit gray PNG.
    """
    values = _decode(data)
    if values is None or values.dtype != np.uint8:
        raise _no_png(data, 8)
    return np.asarray(values, np.uint8)


def is_whole_png(data: bytes | memoryview) -> bool:
    """Whether `data` is a PNG file to its end and all its checksums are right; nothing is decoded."""
    if bytes(data[: len(SIGNATURE)]) != SIGNATURE or bytes(data[-len(_END) :]) != _END:
        return False
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if end > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if isal_zlib.crc32(data[at + 4 : end - 4]) != checksum:
            return False
        at = end
    return at == len(data)


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes]:
    checksum = isal_zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I4s", len(data), kind), data, struct.pack(">I", checksum)


def _encode(rows: NDArray[np.uint8], width: int, *, bits: int) -> bytes:
    """A PNG file of (H, bytes of a row) uint8."""
    height, row_bytes = rows.shape
    filtered = np.empty((height, 1 + row_bytes), np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    data = isal_zlib.compress(filtered.data, 1)
    return b"".join([SIGNATURE, *_chunk(b"IHDR", header), *_chunk(b"IDAT", data), _END])


def _decode(data: bytes | memoryview) -> NDArray[Any] | None:
    buffer = np.frombuffer(data, np.uint8)
    values = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED) if buffer.size else None
    return None if values is None or values.ndim != 2 else values


def _no_png(data: bytes | memoryview, bits: int) -> SessionError:
    return SessionError(
        f"{len(data)} bytes of depth are no {bits}-bit gray PNG",
        hint="The file is damaged; leave this frame out.",
    )
