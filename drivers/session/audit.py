"""Counts what a finished MCAP file really holds, from its bytes and not from what its writer remembers."""

import mmap
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Channel
from mcap.writer import MCAP0_MAGIC
from numpy.typing import NDArray

from drivers.session import cdr, topics

_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK_START_BYTES = 8 + 8 + 8 + 4 + 4 + 8  # times, size, CRC, no compression, length of the records


@dataclass(frozen=True, eq=False)
class Audit:
    """What a file holds.

    Attributes:
        counts: messages by topic.
        numbers: by camera id, (N,) int64: the device counters of its whole frames in the order of the file.
        incomplete: frames with a meta message that lack colour or depth.
        drops: what `/recorder/drops` said, in order.
    """

    counts: dict[str, int]
    numbers: dict[str, NDArray[np.int64]]
    incomplete: int
    drops: tuple[str, ...] = ()


def audit(path: Path) -> Audit:
    """Walk through all records of a file; images are skipped, so a file of 4 GB takes a fraction of a second.

    Raises:
        OSError: the file cannot be read.
        struct.error: it is no whole MCAP file.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _audit(data)


def audit_indexed(path: Path) -> Audit:
    """What the chunks hold that the file's index names: in a recovered file, all that can be read.

    A chunk that was found to be damaged is still in such a file and not in its index; the whole messages in
    it are once more in a chunk of their own.

    Raises:
        OSError: the file cannot be read.
        struct.error: a chunk is not what the index says.
        ValueError: the file has no index.
    """
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
        if summary is None:
            raise ValueError(f"{path} has no index")
        names = {channel.id: channel.topic for channel in summary.channels.values()}
        chunks = sorted(summary.chunk_indexes, key=lambda index: index.chunk_start_offset)
        count = _Count(names)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for index in chunks:
                at = index.chunk_start_offset
                count.take(data, at, at + index.chunk_length)
    return count.audit()


def held_numbers(audits: Iterable[Audit], camera_id: str) -> NDArray[np.int64]:
    """(N,) device counters of one camera's frames in all files."""
    found = [audit.numbers[camera_id] for audit in audits if camera_id in audit.numbers]
    return np.concatenate([np.empty(0, np.int64), *found])


def _audit(data: mmap.mmap) -> Audit:
    count = _Count({})
    count.take(data, len(MCAP0_MAGIC), len(data))
    return count.audit()


class _Count:
    """What was found so far.

    Args:
        names: topics by the number of their channel, as far as they are known; more are found on the way.
    """

    def __init__(self, names: dict[int, str]) -> None:
        self._names = names
        self._counts: Counter[str] = Counter()
        self._numbers: dict[str, list[int]] = {}
        self._times: dict[str, set[int]] = {}
        self._drops: list[str] = []

    def take(self, data: mmap.mmap, at: int, size: int) -> None:
        """Walk through the records from `at` to `size`, or to where the messages end."""
        chunk_end = 0
        while at < size:
            opcode, length = _RECORD.unpack_from(data, at)
            body = at + _RECORD.size
            if opcode == Opcode.CHUNK:
                chunk_end = body + length
                at = body + _CHUNK_START_BYTES
                continue
            if opcode == Opcode.DATA_END:
                break
            if opcode == Opcode.CHANNEL and at < chunk_end:
                channel = Channel.read(ReadDataStream(BytesIO(data[body : body + length])))
                self._names[channel.id] = channel.topic
            elif opcode == Opcode.MESSAGE and at < chunk_end:
                self._take_message(data, body, length)
            at = body + length

    def _take_message(self, data: mmap.mmap, body: int, length: int) -> None:
        channel_id, _, log_ns, _ = _MESSAGE.unpack_from(data, body)
        name = self._names[channel_id]
        self._counts[name] += 1
        self._times.setdefault(name, set()).add(log_ns)
        if name == topics.DROPS:
            self._drops.append(cdr.parse_string(data[body + _MESSAGE.size : body + length]))
        elif name.endswith(f"/{topics.META}"):
            payload = data[body + _MESSAGE.size : body + length]
            self._numbers.setdefault(name, []).append(cdr.frame_number(payload))

    def audit(self) -> Audit:
        """All of it."""
        incomplete = 0
        held = {}
        for name, found in self._numbers.items():
            camera_id = name[1:].partition("/")[0]
            held[camera_id] = np.array(found, np.int64)
            depths = (self._times.get(topics.topic(camera_id, s), set()) for s in topics.DEPTHS)
            depth = set[int]().union(*depths)
            color = self._times.get(topics.topic(camera_id, topics.COLOR), set())
            incomplete += len(self._times[name]) - len(self._times[name] & depth & color)
        return Audit(dict(self._counts), held, incomplete, tuple(self._drops))
