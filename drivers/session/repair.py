"""Gives an unfinished MCAP file its index, in place."""

import errno
import hashlib
import mmap
import os
import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.exceptions import EndOfFile, McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    McapRecord,
    Message,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
from mcap.writer import MCAP0_MAGIC

from drivers.session import topics
from drivers.session.durable import sync_folder
from drivers.session.manifest import SegmentEntry
from drivers.session.png16 import ends_as_png

_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK_START = struct.Struct("<QQQII")  # times, size, CRC, length of the compression's name
_INDEX_ROOM = 4 << 20
_JPEG_END = b"\xff\xd9"

_T = TypeVar("_T")


@dataclass
class _ScannedChunk:
    index: ChunkIndex
    messages: dict[int, list[tuple[int, int]]]


@dataclass
class _Scan:
    """What of a file can be trusted.

    Attributes:
        cut: bytes that stay.
        tail_is_data: whether what lies beyond `cut` may hold messages.
        salvaged: whole messages from beyond `cut`.
        damaged_chunks: chunks within whose checksum is wrong; they are left out of the index.
        reindex: whether the last chunk has lost its own index, which then follows `cut` again.
    """

    cut: int = 0
    tail_is_data: bool = False
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    chunks: list[_ScannedChunk] = field(default_factory=list)
    attachments: list[AttachmentIndex] = field(default_factory=list)
    metadata: list[MetadataIndex] = field(default_factory=list)
    salvaged: list[Message] = field(default_factory=list)
    damaged_chunks: int = 0
    reindex: bool = False


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
        sha256=_sha256(path),
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
    scan = _scan_file(path, size)
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
            _replace_end(path, scan.cut, end)
            break
        except OSError:
            scan.chunks = chunks
            if keep_tail or not _give_up_some(scan):
                raise
    times = [time_ns for c in scan.chunks for records in c.messages.values() for time_ns, _ in records]
    return Repaired(
        size=scan.cut + len(end),
        sha256=_sha256(path),
        first_ns=min(times, default=0),
        last_ns=max(times, default=0),
        counts={scan.channels[channel].topic: count for channel, count in _counts(scan).items()},
        torn_bytes=size - scan.cut if scan.tail_is_data else 0,
        salvaged_messages=len(scan.salvaged),
        salvaged_bytes=sum(len(message.data) for message in scan.salvaged),
        damaged_chunks=scan.damaged_chunks,
        torn_path=torn_path,
    )


def _replace_end(path: Path, cut: int, end: bytes) -> None:
    with path.open("r+b", buffering=0) as file:
        file.truncate(cut)
        file.seek(cut)
        rest = memoryview(end)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _give_up_some(scan: _Scan) -> bool:
    """Make the end shorter; false where nothing is left to give up."""
    if scan.salvaged:
        scan.salvaged = scan.salvaged[: len(scan.salvaged) // 2]
        return True
    if len(scan.chunks) < 2:
        return False
    scan.cut = scan.chunks.pop().index.chunk_start_offset
    scan.reindex = False
    scan.attachments = [index for index in scan.attachments if index.offset < scan.cut]
    scan.metadata = [index for index in scan.metadata if index.offset < scan.cut]
    return True


def _scan_file(path: Path, size: int) -> _Scan:
    if size < len(MCAP0_MAGIC):
        return _Scan()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _scan(data)


def _scan(data: mmap.mmap) -> _Scan:
    scan = _Scan()
    if data[: len(MCAP0_MAGIC)] != MCAP0_MAGIC:
        return scan
    at = len(MCAP0_MAGIC)
    size = len(data)
    damaged_at: int | None = None
    while at + _RECORD.size <= size:
        opcode, length = _RECORD.unpack_from(data, at)
        end = at + _RECORD.size + length
        if opcode == Opcode.DATA_END:
            size = at  # a part of an index follows, no messages
            break
        if end > size:
            break
        if opcode == Opcode.CHUNK:
            chunk = _scan_chunk(data, at, end, scan)
            if chunk is None:
                damaged_at = at if damaged_at is None else damaged_at
                scan.damaged_chunks += 1
            else:
                scan.chunks.append(chunk)
                damaged_at = None
        elif opcode == Opcode.MESSAGE_INDEX:
            if damaged_at is None and not _scan_message_index(data, at, end, scan):
                break
        elif not _scan_other(opcode, data, at, end, scan):
            break
        at = end
        if damaged_at is None:
            scan.cut = at
    tail = scan.cut
    if tail and tail < size:
        scan.tail_is_data = True
        _salvage(data, tail, size, scan)
        if damaged_at is not None:
            scan.damaged_chunks -= 1
    if scan.chunks:
        last = scan.chunks[-1]
        if set(last.index.message_index_offsets) != set(last.messages):
            scan.reindex = True
            scan.cut = last.index.chunk_start_offset + last.index.chunk_length
    return scan


def _scan_chunk(data: mmap.mmap, at: int, end: int, scan: _Scan) -> _ScannedChunk | None:
    body = at + _RECORD.size
    if end - body < _CHUNK_START.size + 8:
        return None
    first_ns, last_ns, size, checksum, name_length = _CHUNK_START.unpack_from(data, body)
    records_at = body + _CHUNK_START.size + name_length + 8
    if name_length != 0 or records_at + size != end:
        return None  # we write no compressed chunks
    view = memoryview(data)
    with view, view[records_at:end] as records:
        if zlib.crc32(records) != checksum:
            return None
        messages: dict[int, list[tuple[int, int]]] = {}
        for offset, message in _walk(records, scan):
            messages.setdefault(message[0], []).append((message[2], offset))
    index = ChunkIndex(
        chunk_length=end - at,
        chunk_start_offset=at,
        compression="",
        compressed_size=size,
        message_end_time=last_ns,
        message_index_length=0,
        message_index_offsets={},
        message_start_time=first_ns,
        uncompressed_size=size,
    )
    return _ScannedChunk(index, messages)


def _walk(records: memoryview, scan: _Scan) -> list[tuple[int, tuple[int, int, int, int, int]]]:
    """Offset and (channel, sequence, log time, publish time, length) of each whole message.

    Schemas and channels on the way go to `scan`.
    """
    found = []
    at = 0
    while at + _RECORD.size <= len(records):
        opcode, length = _RECORD.unpack_from(records, at)
        end = at + _RECORD.size + length
        if opcode not in {Opcode.MESSAGE, Opcode.SCHEMA, Opcode.CHANNEL} or end > len(records):
            break
        if opcode == Opcode.MESSAGE:
            if length < _MESSAGE.size:
                break
            found.append((at, (*_MESSAGE.unpack_from(records, at + _RECORD.size), length)))
        elif not _register(opcode, bytes(records[at + _RECORD.size : end]), scan):
            break
        at = end
    return found


def _register(opcode: int, body: bytes, scan: _Scan) -> bool:
    if opcode == Opcode.SCHEMA:
        schema = _parse(Schema.read, body)
        if schema is not None:
            scan.schemas[schema.id] = schema
        return schema is not None
    channel = _parse(Channel.read, body)
    if channel is not None:
        scan.channels[channel.id] = channel
    return channel is not None


def _scan_message_index(data: mmap.mmap, at: int, end: int, scan: _Scan) -> bool:
    record = _parse(MessageIndex.read, data[at + _RECORD.size : end])
    if record is None or not scan.chunks:
        return False
    chunk = scan.chunks[-1]
    if chunk.messages.get(record.channel_id) != record.records:
        return False
    chunk.index.message_index_offsets[record.channel_id] = at
    chunk.index.message_index_length += end - at
    return True


def _scan_other(opcode: int, data: mmap.mmap, at: int, end: int, scan: _Scan) -> bool:
    body = data[at + _RECORD.size : end]
    if opcode == Opcode.HEADER:
        return True
    if opcode == Opcode.METADATA:
        metadata = _parse(Metadata.read, body)
        if metadata is None:
            return False
        scan.metadata.append(MetadataIndex(offset=at, length=end - at, name=metadata.name))
        return True
    if opcode == Opcode.ATTACHMENT:
        attachment = _parse(Attachment.read, body)
        if attachment is None or zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
            return False
        scan.attachments.append(
            AttachmentIndex(
                offset=at,
                length=end - at,
                log_time=attachment.log_time,
                create_time=attachment.create_time,
                data_size=len(attachment.data),
                name=attachment.name,
                media_type=attachment.media_type,
            )
        )
        return True
    return False


def _parse(read: Callable[[ReadDataStream], _T], body: bytes) -> _T | None:
    try:
        return read(ReadDataStream(BytesIO(body)))
    except (EndOfFile, struct.error, UnicodeDecodeError):
        return None


def _salvage(data: mmap.mmap, at: int, size: int, scan: _Scan) -> None:
    """Take the whole messages out of a chunk without its end."""
    if at + _RECORD.size + _CHUNK_START.size + 8 > size or data[at] != Opcode.CHUNK:
        return
    *_, name_length = _CHUNK_START.unpack_from(data, at + _RECORD.size)
    (_, length) = _RECORD.unpack_from(data, at)
    records_at = at + _RECORD.size + _CHUNK_START.size + 8
    if name_length != 0:
        return
    view = memoryview(data)
    with view, view[records_at : min(size, at + _RECORD.size + length)] as records:
        for offset, (channel_id, sequence, log_ns, publish_ns, length) in _walk(records, scan):
            start = offset + _RECORD.size
            payload = bytes(records[start + _MESSAGE.size : start + length])
            channel = scan.channels.get(channel_id)
            if channel is not None and log_ns > 0 and _whole(channel.topic, payload):
                scan.salvaged.append(Message(channel_id, log_ns, payload, publish_ns, sequence))


def _whole(topic: str, payload: bytes) -> bool:
    """Whether a message without a checksum looks as we wrote it; a power cut may leave zeros."""
    if payload[:2] != b"\x00\x01":
        return False
    if topic.endswith((topics.DEPTH, topics.TRUTH)):
        return ends_as_png(payload)
    if topic.endswith("/compressed"):
        return payload.endswith(_JPEG_END)
    return True


def _end_of_file(scan: _Scan) -> bytes:
    """All records that follow the trusted part; adds to the chunks of `scan`."""
    builder = RecordBuilder()
    if scan.reindex:
        _add_message_indexes(scan.chunks[-1], builder, scan.cut)
    if scan.salvaged:
        scan.chunks.append(_add_chunk(scan.salvaged, builder, scan.cut))
    DataEnd(0).write(builder)
    data = _end(builder)
    return data + _summary(scan, scan.cut + len(data))


def _add_chunk(messages: list[Message], builder: RecordBuilder, cut: int) -> _ScannedChunk:
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
    scanned = _ScannedChunk(index, places)
    _add_message_indexes(scanned, builder, cut)
    return scanned


def _add_message_indexes(chunk: _ScannedChunk, builder: RecordBuilder, cut: int) -> None:
    start = builder.count
    chunk.index.message_index_offsets.clear()
    for channel_id, records in chunk.messages.items():
        chunk.index.message_index_offsets[channel_id] = cut + builder.count
        MessageIndex(channel_id, records).write(builder)
    chunk.index.message_index_length = builder.count - start


def _summary(scan: _Scan, start: int) -> bytes:
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


def _statistics(scan: _Scan) -> Statistics:
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


def _counts(scan: _Scan) -> Counter[int]:
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
