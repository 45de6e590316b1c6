"""Gives an unfinished MCAP file its index, in place."""

import errno
import hashlib
import os
import shutil
import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mcap.data_stream import RecordBuilder
from mcap.exceptions import EndOfFile, McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import (
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    McapRecord,
    Message,
    MessageIndex,
    Statistics,
    SummaryOffset,
)
from mcap.writer import MCAP0_MAGIC

from drivers.session.durable import sync_folder
from drivers.session.manifest import SegmentEntry
from drivers.session.scan import Scan, ScannedChunk, scan_file

_INDEX_ROOM = 4 << 20
_MANIFEST_ROOM = 64 << 10


@dataclass(frozen=True)
class Repaired:
    """What became of a file.

    Attributes:
        size: bytes now.
        sha256: of the file now.
        first_ns: earliest message, UTC; 0 where there is none.
        last_ns: latest message, UTC.
        counts: messages by topic.
        torn_bytes: cut off the end, salvaged messages included.
        salvaged_messages: taken out of what was cut off.
        salvaged_bytes: their size.
        damaged_chunks: left out, because their checksum is wrong.
        torn_path: where the cut bytes are, or None.
    """

    size: int
    sha256: str
    first_ns: int
    last_ns: int
    counts: dict[str, int]
    torn_bytes: int = 0
    salvaged_messages: int = 0
    salvaged_bytes: int = 0
    damaged_chunks: int = 0
    torn_path: Path | None = None

    def entry(self, name: str) -> SegmentEntry:
        """What the manifest says of the file."""
        return SegmentEntry(
            name=name,
            size=self.size,
            sha256=self.sha256,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            counts=self.counts,
            recovered=True,
        )


def describe(path: Path, *, recovered: bool) -> SegmentEntry | None:
    """What the manifest says of a file with an index; None where the file has none.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            summary = make_reader(file).get_summary()
        except (McapError, EndOfFile, struct.error, ValueError):
            return None
    if summary is None or summary.statistics is None:
        return None
    statistics = summary.statistics
    counts = {
        summary.channels[channel].topic: count
        for channel, count in statistics.channel_message_counts.items()
        if channel in summary.channels
    }
    return SegmentEntry(
        name=path.name.removesuffix(".active"),
        size=path.stat().st_size,
        sha256=sha256_of(path),
        first_ns=statistics.message_start_time,
        last_ns=statistics.message_end_time,
        counts=counts,
        recovered=recovered,
    )


def finalize(path: Path, *, keep_tail: bool) -> Repaired | None:
    """Cut off what is torn, put back the whole messages from there, append the index.

    Nothing that can be trusted is rewritten. A crash in here leaves a file that can be finalized again.

    Args:
        path: an MCAP file without compression.
        keep_tail: copy what is cut off to a file `.torn` beside it, and change nothing where the disk has no
            room for that. Otherwise as much of the end is given up as the index needs.

    Returns:
        None where not even the beginning of the file is there.

    Raises:
        OSError: the disk does not take it.
    """
    size = path.stat().st_size
    scan = scan_file(path)
    if scan.cut == 0:
        return None
    torn_path = None
    if keep_tail and shutil.disk_usage(path).free < 2 * (size - scan.cut) + _INDEX_ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    if keep_tail and scan.tail_is_data and size > scan.cut:
        torn_path = _copy_tail(path, scan.cut)
    while True:
        chunks = list(scan.chunks)
        end = _end_of_file(scan)
        try:
            _replace_end(path, scan, end)
        except OSError:
            scan.chunks = chunks
            if keep_tail or not _give_up_some(scan):
                raise
            continue
        if keep_tail or shutil.disk_usage(path).free >= _MANIFEST_ROOM:
            break
        held, scan.chunks = scan.chunks, chunks
        if not _give_up_some(scan):
            scan.chunks = held
            break
    times = [time_ns for c in scan.chunks for records in c.messages.values() for time_ns, _ in records]
    return Repaired(
        size=scan.cut + len(end),
        sha256=sha256_of(path),
        first_ns=min(times, default=0),
        last_ns=max(times, default=0),
        counts={scan.channels[channel].topic: count for channel, count in _counts(scan).items()},
        torn_bytes=size - scan.cut if scan.tail_is_data else 0,
        salvaged_messages=len(scan.salvaged),
        salvaged_bytes=sum(len(message.data) for message in scan.salvaged),
        damaged_chunks=scan.damaged_chunks,
        torn_path=torn_path,
    )


def _replace_end(path: Path, scan: Scan, end: bytes) -> None:
    with path.open("r+b", buffering=0) as file:
        if scan.start_is_damaged:
            file.write(MCAP0_MAGIC)
        file.truncate(scan.cut)
        file.seek(scan.cut)
        rest = memoryview(end)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _give_up_some(scan: Scan) -> bool:
    """Make the end shorter; false where nothing is left to give up."""
    if scan.salvaged:
        scan.salvaged = scan.salvaged[: len(scan.salvaged) // 2]
        return True
    if len(scan.chunks) < 2:
        return False
    given_up = scan.chunks.pop()
    scan.cut = given_up.index.chunk_start_offset
    scan.reindex = [chunk for chunk in scan.reindex if chunk is not given_up]
    scan.attachments = [index for index in scan.attachments if index.offset < scan.cut]
    scan.metadata = [index for index in scan.metadata if index.offset < scan.cut]
    return True


def _end_of_file(scan: Scan) -> bytes:
    """All records that follow the trusted part; adds to the chunks of `scan`."""
    builder = RecordBuilder()
    for chunk in scan.reindex:
        _add_message_indexes(chunk, builder, scan.cut)
    if scan.salvaged:
        scan.chunks.append(_add_chunk(scan.salvaged, builder, scan.cut))
    DataEnd(0).write(builder)
    data = _end(builder)
    return data + _summary(scan, scan.cut + len(data))


def _add_chunk(messages: list[Message], builder: RecordBuilder, cut: int) -> ScannedChunk:
    inner = RecordBuilder()
    places: dict[int, list[tuple[int, int]]] = {}
    for message in messages:
        places.setdefault(message.channel_id, []).append((message.log_time, inner.count))
        message.write(inner)
    records = _end(inner)
    times = [message.log_time for message in messages]
    chunk = Chunk(
        compression="",
        data=records,
        message_end_time=max(times),
        message_start_time=min(times),
        uncompressed_crc=zlib.crc32(records),
        uncompressed_size=len(records),
    )
    start = builder.count
    chunk.write(builder)
    index = ChunkIndex(
        chunk_length=builder.count - start,
        chunk_start_offset=cut + start,
        compression="",
        compressed_size=len(records),
        message_end_time=chunk.message_end_time,
        message_index_length=0,
        message_index_offsets={},
        message_start_time=chunk.message_start_time,
        uncompressed_size=len(records),
    )
    scanned = ScannedChunk(index, places)
    _add_message_indexes(scanned, builder, cut)
    return scanned


def _add_message_indexes(chunk: ScannedChunk, builder: RecordBuilder, cut: int) -> None:
    start = builder.count
    chunk.index.message_index_offsets.clear()
    for channel_id, records in chunk.messages.items():
        chunk.index.message_index_offsets[channel_id] = cut + builder.count
        MessageIndex(channel_id, records).write(builder)
    chunk.index.message_index_length = builder.count - start


def _summary(scan: Scan, start: int) -> bytes:
    builder = RecordBuilder()
    groups: list[tuple[Opcode, list[McapRecord]]] = [
        (Opcode.SCHEMA, [*scan.schemas.values()]),
        (Opcode.CHANNEL, [*scan.channels.values()]),
        (Opcode.STATISTICS, [_statistics(scan)]),
        (Opcode.CHUNK_INDEX, [chunk.index for chunk in scan.chunks]),
        (Opcode.ATTACHMENT_INDEX, [*scan.attachments]),
        (Opcode.METADATA_INDEX, [*scan.metadata]),
    ]
    offsets = []
    for opcode, records in groups:
        group_start = builder.count
        for record in records:
            record.write(builder)
        if builder.count > group_start:
            offsets.append(SummaryOffset(opcode, start + group_start, builder.count - group_start))
    offsets_start = start + builder.count
    for offset in offsets:
        offset.write(builder)
    summary = _end(builder)
    footer_start = struct.pack("<BQQQ", Opcode.FOOTER, 20, start, offsets_start)
    Footer(start, offsets_start, zlib.crc32(footer_start, zlib.crc32(summary))).write(builder)
    return summary + _end(builder) + MCAP0_MAGIC


def _end(builder: RecordBuilder) -> bytes:
    return bytes(builder.end())  # type: ignore[no-untyped-call]


def _statistics(scan: Scan) -> Statistics:
    counts = _counts(scan)
    filled = [chunk.index for chunk in scan.chunks if chunk.messages]
    return Statistics(
        attachment_count=len(scan.attachments),
        channel_count=len(scan.channels),
        channel_message_counts=dict(counts),
        chunk_count=len(scan.chunks),
        message_count=sum(counts.values()),
        metadata_count=len(scan.metadata),
        message_start_time=min((index.message_start_time for index in filled), default=0),
        message_end_time=max((index.message_end_time for index in filled), default=0),
        schema_count=len(scan.schemas),
    )


def _counts(scan: Scan) -> Counter[int]:
    counts: Counter[int] = Counter()
    for chunk in scan.chunks:
        for channel_id, records in chunk.messages.items():
            counts[channel_id] += len(records)
    return counts


def _copy_tail(path: Path, start: int) -> Path:
    number = 0
    torn = path.with_name(path.name.removesuffix(".active") + ".torn")
    while torn.exists():
        number += 1
        torn = path.with_name(f"{path.name.removesuffix('.active')}.torn{number}")
    with path.open("rb") as source, torn.open("wb") as copy:
        source.seek(start)
        while block := source.read(1 << 20):
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    sync_folder(path.parent)
    return torn


def sha256_of(path: Path) -> str:
    """Of the whole file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
