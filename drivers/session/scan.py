"""What of an unfinished MCAP file can be trusted."""

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from isal import isal_zlib
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile
from mcap.opcode import Opcode
from mcap.records import (
    Attachment,
    AttachmentIndex,
    Channel,
    ChunkIndex,
    Message,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
)
from mcap.writer import MCAP0_MAGIC

from drivers.errors import SessionError
from drivers.session import cdr, topics
from drivers.session.encode import decode_color
from drivers.session.jxl import decode_jxl16
from drivers.session.png16 import is_whole_png
from drivers.session.refined import parse_meta

_RECORD = struct.Struct("<BQ")
_U64 = struct.Struct("<Q")
_FOOTER = struct.Struct("<BQQQI")
_MESSAGE = struct.Struct("<HIQQ")
_CHUNK_START = struct.Struct("<QQQII")  # times, size, CRC, length of the compression's name

_T = TypeVar("_T")


@dataclass
class ScannedChunk:
    """A whole chunk: what the index says of it, and (log time, offset) of its messages by channel."""

    index: ChunkIndex
    messages: dict[int, list[tuple[int, int]]]

    @property
    def indexed(self) -> bool:
        """Whether the index records of all its messages are in the file."""
        return set(self.index.message_index_offsets) == set(self.messages)


@dataclass
class Scan:
    """What of a file can be trusted.

    Attributes:
        cut: bytes that stay.
        tail_is_data: whether what lies beyond `cut` may hold messages.
        salvaged: whole messages from beyond `cut`.
        damaged_chunks: chunks within whose checksum is wrong or that cannot be made out; they are left out of
            the index.
        start_is_damaged: whether the first bytes, which are the same in every file, have to be put back.
        reindex: chunks that have lost their own index, which then follows `cut`.
    """

    cut: int = 0
    tail_is_data: bool = False
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    chunks: list[ScannedChunk] = field(default_factory=list)
    attachments: list[AttachmentIndex] = field(default_factory=list)
    metadata: list[MetadataIndex] = field(default_factory=list)
    salvaged: list[Message] = field(default_factory=list)
    damaged_chunks: int = 0
    start_is_damaged: bool = False
    reindex: list[ScannedChunk] = field(default_factory=list)


def scan_file(path: Path) -> Scan:
    """Read all records of a file up to where they end or make no sense any more.

    Raises:
        OSError: the file cannot be read.
    """
    if path.stat().st_size < len(MCAP0_MAGIC):
        return Scan()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _scan(data)


def _scan(data: mmap.mmap) -> Scan:
    scan = Scan()
    at = len(MCAP0_MAGIC)
    size = len(data)
    if data[:at] != MCAP0_MAGIC:
        if _next_chunk(data, at, size) is None:
            return scan
        scan.start_is_damaged = True
    _take_summary(data, scan)
    damaged_at: int | None = None
    damaged: list[int] = []
    while at + _RECORD.size <= size:
        opcode, length = _RECORD.unpack_from(data, at)
        end = at + _RECORD.size + length
        if opcode == Opcode.DATA_END and length == 4:
            size = at  # a part of an index follows, no messages
            break
        kind = _Kind.UNKNOWN
        if end <= size:
            kind = _take(opcode, data, at, end, scan, damaged=damaged_at is not None)
        if kind is _Kind.UNKNOWN:
            following = _next_chunk(data, at + 1, size)
            if following is None:
                break
            # What was there is a chunk, unless it was the index of a chunk before, which can be made again.
            scan.damaged_chunks += not scan.chunks or scan.chunks[-1].indexed
            damaged_at = at if damaged_at is None else damaged_at
            at = following
            continue
        if kind is _Kind.DAMAGED:
            damaged_at = at if damaged_at is None else damaged_at
            scan.damaged_chunks += 1
            damaged.append(at)
        elif opcode == Opcode.CHUNK:
            damaged_at = None
        at = end
        if damaged_at is None:
            scan.cut = at
    for place in damaged:
        _salvage(data, place, size, scan)
    tail = scan.cut
    if tail and tail < size:
        scan.tail_is_data = True
        if tail not in damaged:
            _salvage(data, tail, size, scan)
    scan.reindex = [chunk for chunk in scan.chunks if not chunk.indexed]
    if scan.chunks and not scan.chunks[-1].indexed:
        last = scan.chunks[-1].index
        scan.cut = last.chunk_start_offset + last.chunk_length
    return scan


class _Kind(Enum):
    """What a record is."""

    GOOD = "good"
    DAMAGED = "damaged"
    """A chunk whose beginning and end can be made out and whose content is another one."""
    UNKNOWN = "unknown"
    """Nothing that we wrote; where the next record begins is not known."""


def _take(opcode: int, data: mmap.mmap, at: int, end: int, scan: Scan, *, damaged: bool) -> _Kind:
    """Keep one record in `scan`; `damaged` means that the chunk that it may belong to is not there."""
    if opcode == Opcode.CHUNK:
        if not _is_chunk(data, at, end):
            return _Kind.UNKNOWN
        chunk = _scan_chunk(data, at, end, scan)
        if chunk is None:
            return _Kind.DAMAGED
        scan.chunks.append(chunk)
        return _Kind.GOOD
    if opcode == Opcode.MESSAGE_INDEX:
        return _Kind.GOOD if damaged or _scan_message_index(data, at, end, scan) else _Kind.UNKNOWN
    return _Kind.GOOD if _scan_other(opcode, data, at, end, scan) else _Kind.UNKNOWN


def _is_chunk(data: mmap.mmap, at: int, end: int) -> bool:
    """Whether the lengths within a chunk agree with each other; we write no compressed ones."""
    body = at + _RECORD.size
    if end > len(data) or end - body < _CHUNK_START.size + 8:
        return False
    _, _, size, _, name_length = _CHUNK_START.unpack_from(data, body)
    (records,) = _U64.unpack_from(data, body + _CHUNK_START.size)
    return bool(name_length == 0 and size == records == end - body - _CHUNK_START.size - 8)


def _next_chunk(data: mmap.mmap, at: int, size: int) -> int | None:
    """Where the next chunk begins that can be made out, or None."""
    opcode = bytes([Opcode.CHUNK])
    while (at := data.find(opcode, at, size)) >= 0:
        if at + _RECORD.size > size:
            return None
        (_, length) = _RECORD.unpack_from(data, at)
        if length <= size and _is_chunk(data, at, at + _RECORD.size + length):
            return at
        at += 1
    return None


def _take_summary(data: mmap.mmap, scan: Scan) -> None:
    """Schemas and channels as a whole index names them: the chunk that has them may be damaged."""
    footer_at = len(data) - _FOOTER.size - len(MCAP0_MAGIC)
    if footer_at < len(MCAP0_MAGIC):
        return
    opcode, length, at, _, checksum = _FOOTER.unpack_from(data, footer_at)
    if (opcode, length) != (Opcode.FOOTER, _FOOTER.size - _RECORD.size) or not 0 < at <= footer_at:
        return
    if isal_zlib.crc32(data[at : footer_at + _FOOTER.size - 4]) != checksum:
        return
    while at < footer_at:
        opcode, length = _RECORD.unpack_from(data, at)
        if opcode in {Opcode.SCHEMA, Opcode.CHANNEL}:
            _register(opcode, data[at + _RECORD.size : at + _RECORD.size + length], scan)
        at += _RECORD.size + length


def _scan_chunk(data: mmap.mmap, at: int, end: int, scan: Scan) -> ScannedChunk | None:
    body = at + _RECORD.size
    first_ns, last_ns, size, checksum, _ = _CHUNK_START.unpack_from(data, body)
    records_at = body + _CHUNK_START.size + 8
    view = memoryview(data)
    with view, view[records_at:end] as records:
        if isal_zlib.crc32(records) != checksum:  # three times as fast as zlib's
            _walk(records, scan)  # for its channels: later chunks are of no use without them
            return None
        messages: dict[int, list[tuple[int, int]]] = {}
        for offset, message in _walk(records, scan):
            messages.setdefault(message[0], []).append((message[2], offset))
    if not messages.keys() <= scan.channels.keys():
        return None
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
    return ScannedChunk(index, messages)


def _walk(records: memoryview, scan: Scan) -> list[tuple[int, tuple[int, int, int, int, int]]]:
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


def _register(opcode: int, body: bytes, scan: Scan) -> bool:
    if opcode == Opcode.SCHEMA:
        schema = _parse(Schema.read, body)
        if schema is not None:
            scan.schemas.setdefault(schema.id, schema)
        return schema is not None
    channel = _parse(Channel.read, body)
    if channel is None or channel.schema_id not in scan.schemas:
        return False
    scan.channels.setdefault(channel.id, channel)
    return True


def _scan_message_index(data: mmap.mmap, at: int, end: int, scan: Scan) -> bool:
    record = _parse(MessageIndex.read, data[at + _RECORD.size : end])
    if record is None or not scan.chunks:
        return False
    chunk = scan.chunks[-1]
    if chunk.messages.get(record.channel_id) != record.records:
        return False
    chunk.index.message_index_offsets[record.channel_id] = at
    chunk.index.message_index_length += end - at
    return True


def _scan_other(opcode: int, data: mmap.mmap, at: int, end: int, scan: Scan) -> bool:
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
        if attachment is None or isal_zlib.crc32(body[:-4]) != int.from_bytes(body[-4:], "little"):
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


def _salvage(data: mmap.mmap, at: int, size: int, scan: Scan) -> None:
    """Take the whole messages out of a chunk without its end, or with a wrong checksum."""
    if at + _RECORD.size + _CHUNK_START.size + 8 > size or data[at] != Opcode.CHUNK:
        return
    *_, name_length = _CHUNK_START.unpack_from(data, at + _RECORD.size)
    (_, length) = _RECORD.unpack_from(data, at)
    records_at = at + _RECORD.size + _CHUNK_START.size + 8
    if name_length != 0:
        return
    found = []
    view = memoryview(data)
    with view, view[records_at : min(size, at + _RECORD.size + length)] as records:
        for offset, (channel_id, sequence, log_ns, publish_ns, count) in _walk(records, scan):
            start = offset + _RECORD.size
            payload = bytes(records[start + _MESSAGE.size : start + count])
            channel = scan.channels.get(channel_id)
            if channel is not None and log_ns > 0 and _whole(channel.topic, payload):
                found.append(Message(channel_id, log_ns, payload, publish_ns, sequence))
    names = {channel.id: channel.topic for channel in scan.channels.values()}
    scan.salvaged += _trusted(found, names, torn=at + _RECORD.size + length > size)


def _trusted(messages: list[Message], names: dict[int, str], *, torn: bool) -> list[Message]:
    """Those that belong to a frame whose checksums are right.

    Refined depth has checksums of its own in its PNG files. A frame of a program that wrote no checksums is
    taken as it looks; images whose frame has no meta message are of no use, nor is a frame that has lost its
    colour or its depth: a chunk never ends within a frame. What has no checksum at all, such
    as inertial readings, is taken where only the end of the chunk is `torn` off.
    """
    by_frame: dict[tuple[str, int], dict[str, Message]] = {}
    kept = []
    for message in messages:
        camera_id, _, stream = names[message.channel_id][1:].partition("/")
        if stream in {*topics.IMAGES, topics.META}:
            by_frame.setdefault((camera_id, message.log_time), {})[stream] = message
        elif torn or stream in {topics.REFINED, topics.PROVENANCE, topics.REFINED_META}:
            kept.append(message)
    for frame in by_frame.values():
        whole = topics.COLOR in frame and not frame.keys().isdisjoint(topics.DEPTHS)
        if topics.META in frame and whole and _sound(frame):
            kept += frame.values()
    return kept


def _sound(frame: dict[str, Message]) -> bool:
    """Whether the images of a frame that are here are those that its meta message is about."""
    data = frame[topics.META].data
    expected = cdr.parse_frame_meta(data).images_crc32
    if expected is None:
        return True
    return cdr.sound_frame_meta(data) and all(
        isal_zlib.crc32(_image_file(stream, message.data)) == expected.get(stream)
        for stream, message in frame.items()
        if stream != topics.META
    )


def _image_file(stream: str, data: bytes) -> memoryview:
    image = cdr.parse_compressed_image(data).data
    return image[len(topics.DEPTH_HEADER) :] if topics.image_format(stream) == topics.DEPTH_FORMAT else image


def _whole(topic: str, payload: bytes) -> bool:
    """Whether a message without a checksum looks as we wrote it; a power cut may leave zeros."""
    if payload[:2] != b"\x00\x01":
        return False
    try:
        if topic.endswith((topics.DEPTH, topics.TRUTH, topics.REFINED)):
            return is_whole_png(cdr.parse_compressed_image(payload).data[len(topics.DEPTH_HEADER) :])
        if topic.endswith(topics.DEPTH_JXL):
            decode_jxl16(cdr.parse_compressed_image(payload).data)
            return True
        if topic.endswith((topics.PROVENANCE, topics.CONFIDENCE)):
            return is_whole_png(cdr.parse_compressed_image(payload).data)
        if topic.endswith(topics.REFINED_META):
            parse_meta(cdr.parse_string(payload))
            return True
        if topic.endswith("/compressed"):
            decode_color(cdr.parse_compressed_image(payload).data)
        elif topic.endswith(topics.META):
            cdr.parse_frame_meta(payload)
        elif topic.endswith("/" + topics.IMU):
            cdr.parse_imu(payload)
    except (SessionError, struct.error, ValueError):
        return False
    return True
