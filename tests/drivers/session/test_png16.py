import struct
import zlib

import cv2
import numpy as np
import pytest

from drivers.errors import SessionError
from drivers.session.png16 import decode_png8, decode_png16, encode_png8, encode_png16, is_whole_png


def images():
    random = np.random.default_rng(0)
    yield "noise", random.integers(0, 65536, (48, 64), dtype=np.uint16)
    yield "holes", np.zeros((48, 64), np.uint16)
    yield "full", np.full((48, 64), 65535, np.uint16)
    yield "one pixel", np.array([[513]], np.uint16)
    yield "odd size", random.integers(0, 4000, (7, 13), dtype=np.uint16)
    yield "strided", random.integers(0, 4000, (48, 64), dtype=np.uint16)[::2, ::3]
    yield "fortran", np.asfortranarray(random.integers(0, 4000, (9, 5), dtype=np.uint16))


@pytest.mark.parametrize(("name", "values"), list(images()))
def test_every_count_survives(name, values):
    assert np.array_equal(decode_png16(encode_png16(values)), values)


@pytest.mark.parametrize("shape", [(48, 64), (1, 1), (7, 13)])
def test_small_numbers_survive_in_eight_bits(shape):
    values = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    data = encode_png8(values)
    assert is_whole_png(data)
    assert np.array_equal(decode_png8(data), values)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), values)
    with pytest.raises(SessionError, match="no 16-bit gray PNG"):
        decode_png16(data)


def test_the_file_is_a_png_by_the_letter():
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300
    data = encode_png16(values)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    kinds, at = [], 8
    rows = b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        rows += zlib.decompress(body) if kind == b"IDAT" else b""
        at += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
    assert len(rows) == 3 * (1 + 2 * 4)
    assert {rows[0], rows[9], rows[18]} == {2}


def test_a_file_that_was_cut_off_or_damaged_is_told():
    data = encode_png16(np.ones((4, 4), np.uint16))
    assert is_whole_png(data)
    assert not is_whole_png(data[:-1])
    assert not is_whole_png(data[:45] + b"!" + data[46:])
    assert not is_whole_png(b"")


@pytest.mark.parametrize(
    "data",
    [b"", b"no image", cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()],
    ids=["empty", "text", "8 bits"],
)
def test_what_is_no_depth_is_refused(data):
    with pytest.raises(SessionError, match="no 16-bit gray PNG"):
        decode_png16(data)
