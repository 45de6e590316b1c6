"""The index of one MCAP file as arrays.

The MCAP library makes an object of each entry, which takes seconds for half an hour of recording.
"""

import os
import struct
from dataclasses import dataclass, field
from io import BytesIO, FileIO
from pathlib import Path

import numpy as np
from isal import isal_zlib
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile
from mcap.opcode import Opcode
from mcap.records import Channel
from mcap.writer import MCAP0_MAGIC
from numpy.typing import NDArray

_RECORD = struct.Struct("<BQ")
_FOOTER = struct.Struct("<BQQQI")
_CHUNK_PLACE = struct.Struct("<QQI")  # offset and length of the chunk, bytes of the map that follows
_CHUNK_PLACE_AT = _RECORD.size + 16  # after the first and the last time
_U64 = struct.Struct("<Q")
_INDEX_PLACE = struct.Struct("<HQ")  # of one channel; the first one of a chunk is where its index begins
_HEAD_BYTES = 15  # of a message index: opcode, length, channel, bytes of its pairs
_END_BYTES = _FOOTER.size + len(MCAP0_MAGIC)


class BrokenIndex(Exception):
    """The file has no index, or one that makes no sense."""


@dataclass(frozen=True, eq=False)
class SegmentIndex:
    """Where the messages of a file are.

    Attributes:
        channels: id by topic.
        chunk_starts: (C,) int64: offset of each chunk record in the file.
        record_chunks: (R,) number of the chunk that each message index record belongs to.
        record_channels: (R,) its channel.
        record_counts: (R,) its messages.
        record_pairs: (R,) offset in `block` of its pairs of log time and offset in the chunk.
        block: all message index records, one after the other.
    """

    channels: dict[str, int]
    chunk_starts: NDArray[np.int64]
    record_chunks: NDArray[np.int64]
    record_channels: NDArray[np.int64]
    record_counts: NDArray[np.int64]
    record_pairs: NDArray[np.int64]
    block: NDArray[np.uint8]
    _found: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict, repr=False)

    def places(self, topic: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(N,) log times of all messages on a topic, ascending, and the number of the chunk of each."""
        if topic in self._found:
            return self._found[topic]
        records = np.flatnonzero(self.record_channels == self.channels.get(topic, -1))
        counts = self.record_counts[records]
        # The position of each message's pair: its record's first one, and 16 bytes for each one before it.
        before = np.cumsum(counts) - counts
        steps = np.arange(counts.sum()) - np.repeat(before, counts)
        times = _numbers(self.block, np.repeat(self.record_pairs[records], counts) + 16 * steps, 8)
        chunks = np.repeat(self.record_chunks[records], counts)
        order = np.argsort(times, kind="stable")
        self._found[topic] = times[order], chunks[order]
        return self._found[topic]


def check_end(path: Path) -> None:
    """See whether a file ends as a finished one does; nothing else is read.

    Raises:
        BrokenIndex: it does not.
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        _summary_place(file, os.fstat(file.fileno()).st_size)


def read_index(path: Path) -> SegmentIndex:
    """Read the index of a finished file.

    Raises:
        BrokenIndex: it has none, or one that makes no sense.
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        start, end = _summary_place(file, size)
        summary = _read(file, start, end - start)
        _check_summary(summary, _read(file, end, _FOOTER.size))
        channels, starts, places, index_bytes = _parse_summary(summary)
        if any(not 0 <= at <= at + count <= size for at, count in zip(places, index_bytes, strict=True)):
            raise BrokenIndex("its index points beyond its end")
        blocks = [_read(file, at, count) for at, count in zip(places, index_bytes, strict=True)]
    return _message_index(channels, np.array(starts, np.int64), blocks)


def _read(file: FileIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _summary_place(file: FileIO, size: int) -> tuple[int, int]:
    if size < _END_BYTES + len(MCAP0_MAGIC):
        raise BrokenIndex("it is too short")
    end = _read(file, size - _END_BYTES, _END_BYTES)
    opcode, length, start, _, _ = _FOOTER.unpack_from(end)
    if end[_FOOTER.size :] != MCAP0_MAGIC or (opcode, length) != (Opcode.FOOTER, 20):
        raise BrokenIndex("its end is missing")
    if not 0 < start <= size - _END_BYTES:
        raise BrokenIndex("it has no index")
    return start, size - _END_BYTES


def _check_summary(summary: bytes, footer: bytes) -> None:
    (*_, checksum) = _FOOTER.unpack(footer)
    if checksum and isal_zlib.crc32(footer[:-4], isal_zlib.crc32(summary)) != checksum:
        raise BrokenIndex("its index is damaged")


def _parse_summary(data: bytes) -> tuple[dict[str, int], list[int], list[int], list[int]]:
    """Channels by topic; of each chunk its offset, and where its message index begins and how long it is."""
    channels: dict[str, int] = {}
    starts, places, index_bytes = [], [], []
    at = 0
    try:
        while at < len(data):
            opcode, length = _RECORD.unpack_from(data, at)
            if opcode == Opcode.CHUNK_INDEX:
                start, chunk_length, map_bytes = _CHUNK_PLACE.unpack_from(data, at + _CHUNK_PLACE_AT)
                (count,) = _U64.unpack_from(data, at + _CHUNK_PLACE_AT + _CHUNK_PLACE.size + map_bytes)
                starts.append(start)
                places.append(start + chunk_length)  # but a repaired file may have it at its end
                if map_bytes:
                    (_, places[-1]) = _INDEX_PLACE.unpack_from(data, at + _CHUNK_PLACE_AT + _CHUNK_PLACE.size)
                index_bytes.append(count)
            elif opcode == Opcode.CHANNEL:
                body = data[at + _RECORD.size : at + _RECORD.size + length]
                channel = Channel.read(ReadDataStream(BytesIO(body)))
                channels[channel.topic] = channel.id
            at += _RECORD.size + length
    except (struct.error, EndOfFile, UnicodeDecodeError, OverflowError) as error:
        raise BrokenIndex(f"its index makes no sense: {error}") from error
    return channels, starts, places, index_bytes


def _message_index(channels: dict[str, int], starts: NDArray[np.int64], blocks: list[bytes]) -> SegmentIndex:
    """Walk the records of all chunks side by side: the first of each, the second of each, and so on."""
    block = np.frombuffer(b"".join(blocks), np.uint8)
    ends = np.cumsum([len(part) for part in blocks], dtype=np.int64)
    at = np.concatenate([np.zeros(1, np.int64), ends])[:-1] if blocks else np.empty(0, np.int64)
    active = np.flatnonzero(at < ends)
    columns: list[tuple[NDArray[np.int64], ...]] = []
    while active.size:
        here = at[active]
        if np.any(here + _HEAD_BYTES > ends[active]) or np.any(block[here] != Opcode.MESSAGE_INDEX):
            raise BrokenIndex("its index points elsewhere")
        length = _numbers(block, here + 1, 8)
        pairs_bytes = _numbers(block, here + 11, 4)
        if np.any(length != pairs_bytes + 6) or np.any(here + 9 + length > ends[active]):
            raise BrokenIndex("its index points elsewhere")
        channel = _numbers(block, here + 9, 2)
        columns.append((active, channel, pairs_bytes // 16, here + _HEAD_BYTES))
        at[active] = here + 9 + length
        active = active[at[active] < ends[active]]
    joined = [np.concatenate(column) for column in zip(*columns, strict=True)] or [np.empty(0, np.int64)] * 4
    order = np.argsort(joined[0], kind="stable")
    chunks, ids, counts, pairs = (column[order] for column in joined)
    return SegmentIndex(channels, starts, chunks, ids, counts, pairs, block)


def _numbers(block: NDArray[np.uint8], at: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Little-endian unsigned numbers of `size` bytes at these offsets."""
    found = np.zeros(at.size, np.int64)
    for byte in range(size):
        found |= block[at + byte].astype(np.int64) << (8 * byte)
    return found
