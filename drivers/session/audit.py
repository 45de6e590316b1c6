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


def held_numbers(audits: Iterable[Audit], camera_id: str) -> NDArray[np.int64]:
    """(N,) device counters of one camera's frames in all files."""
    found = [audit.numbers[camera_id] for audit in audits if camera_id in audit.numbers]
    return np.concatenate([np.empty(0, np.int64), *found])


def _audit(data: mmap.mmap) -> Audit:
    names: dict[int, str] = {}
    counts: Counter[str] = Counter()
    numbers: dict[str, list[int]] = {}
    times: dict[str, set[int]] = {}
    drops: list[str] = []
    at, size = len(MCAP0_MAGIC), len(data)
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
            names[channel.id] = channel.topic
        elif opcode == Opcode.MESSAGE and at < chunk_end:
            channel_id, _, log_ns, _ = _MESSAGE.unpack_from(data, body)
            name = names[channel_id]
            counts[name] += 1
            times.setdefault(name, set()).add(log_ns)
            if name == topics.DROPS:
                drops.append(cdr.parse_string(data[body + _MESSAGE.size : body + length]))
            elif name.endswith(f"/{topics.META}"):
                payload = data[body + _MESSAGE.size : body + length]
                numbers.setdefault(name, []).append(cdr.frame_number(payload))
        at = body + length
    incomplete = 0
    held = {}
    for name, found in numbers.items():
        camera_id = name[1:].partition("/")[0]
        held[camera_id] = np.array(found, np.int64)
        depth = set[int]().union(*(times.get(topics.topic(camera_id, s), set()) for s in topics.DEPTHS))
        whole = times[name] & depth & times.get(topics.topic(camera_id, topics.COLOR), set())
        incomplete += len(times[name]) - len(whole)
    return Audit(dict(counts), held, incomplete, tuple(drops))
