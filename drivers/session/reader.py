"""Reads finished sessions, any frame in any order."""

import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile, McapError
from mcap.opcode import Opcode
from mcap.reader import make_reader
from mcap.records import Chunk, ChunkIndex, Message
from mcap.stream_reader import CRCValidationError, breakup_chunk
from mcap.summary import Summary
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.geometry import Calibration
from drivers.session import cdr, topics
from drivers.session.encode import decode_color, decode_gray
from drivers.session.labels import Labels, apply, read_events
from drivers.session.manifest import (
    CALIBRATION_NAME,
    IDENTITY,
    MANIFEST_NAME,
    SESSION_NAME,
    CalibrationFile,
    CameraEntry,
    Manifest,
    SessionInfo,
    read_model,
)
from drivers.session.png16 import decode_png8, decode_png16
from drivers.session.refined import RefinedFrame, parse_meta
from drivers.session.segment import ACTIVE_SUFFIX
from drivers.session.topics import topic

_CACHED_CHUNKS = 16
_REQUIRED = frozenset(
    (topics.META, topics.COLOR, topics.DEPTH, topics.REFINED, topics.PROVENANCE, topics.REFINED_META)
)
_MESSAGE_INDEX = struct.Struct("<BQHI")  # opcode, length of the record, channel, bytes of the pairs
_DAMAGED_HINT = "Leave this session out, or run `python main.py recover {}` and open it again."
_BROKEN = (McapError, EndOfFile, CRCValidationError, struct.error, UnicodeDecodeError, StopIteration)


@dataclass(frozen=True)
class _Place:
    """Where a frame is: its segment, its time, and which of several at that time."""

    segment: int
    log_ns: int


_Messages = dict[int, list[Message]]


class _Cache:
    """The last few chunks of a whole session, as neighbours are asked for next: by file and number."""

    def __init__(self) -> None:
        self._chunks: OrderedDict[tuple[Path, int], _Messages] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._chunks)

    def get(self, path: Path, number: int) -> _Messages | None:
        with self._lock:
            if (path, number) not in self._chunks:
                return None
            self._chunks.move_to_end((path, number))
            return self._chunks[path, number]

    def put(self, path: Path, number: int, messages: _Messages) -> None:
        with self._lock:
            self._chunks[path, number] = messages
            while len(self._chunks) > _CACHED_CHUNKS:
                self._chunks.popitem(last=False)


class _SegmentFile:
    """Messages of one MCAP file by time. The file is open only while it is read."""

    def __init__(self, path: Path, cache: _Cache) -> None:
        self.path = path
        self._cache = cache
        try:
            with path.open("rb") as file:
                summary = make_reader(file).get_summary()
        except (OSError, *_BROKEN) as error:
            raise self._damaged(error) from error
        if summary is None:
            raise self._damaged("it has no index")
        self._summary: Summary = summary
        self._channels = {channel.topic: channel for channel in summary.channels.values()}
        self._chunks: Sequence[ChunkIndex] = summary.chunk_indexes
        self._found: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._index_starts = [min(c.message_index_offsets.values(), default=0) for c in self._chunks]

    def times(self, name: str) -> NDArray[np.int64]:
        """(N,) UTC nanoseconds of all messages on a topic, ascending."""
        return self._places(name)[0]

    def messages_at(self, log_ns: int, names: Sequence[str]) -> dict[str, Message]:
        """What was logged at exactly this time, by topic."""
        found: dict[str, Message] = {}
        for name in names:
            times, chunks = self._places(name)
            at = int(np.searchsorted(times, log_ns))
            if at == times.size or times[at] != log_ns:
                continue
            for message in self._messages(int(chunks[at])).get(log_ns, ()):
                if message.channel_id == self._channels[name].id:
                    found[name] = message
        return found

    def _places(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Log times of all messages on a topic, ascending, and the number of the chunk that holds each."""
        if name in self._found:
            return self._found[name]
        channel = self._channels.get(name)
        pairs, numbers = [np.empty((0, 2), np.int64)], [np.empty(0, np.int64)]
        for number, (chunk, start) in enumerate(zip(self._chunks, self._index_starts, strict=True)):
            if channel is None or channel.id not in chunk.message_index_offsets:
                continue
            try:
                at = chunk.message_index_offsets[channel.id] - start
                opcode, length, channel_id, size = _MESSAGE_INDEX.unpack_from(self._indexes[number], at)
                if (opcode, channel_id, length) != (Opcode.MESSAGE_INDEX, channel.id, size + 6):
                    raise self._damaged("its index points elsewhere")
                found = np.frombuffer(self._indexes[number], "<i8", size // 8, at + _MESSAGE_INDEX.size)
                pairs.append(found.reshape(-1, 2))  # log time, offset in the chunk
            except (struct.error, ValueError) as error:
                raise self._damaged(error) from error
            numbers.append(np.full(len(pairs[-1]), number))
        times, chunks = np.concatenate(pairs)[:, 0], np.concatenate(numbers)
        order = np.argsort(times, kind="stable")
        self._found[name] = times[order], chunks[order]
        return self._found[name]

    @cached_property
    def _indexes(self) -> list[bytes]:
        """The message index records of each chunk as they lie in the file.

        The MCAP library makes objects of all that is in them, for a session of half an hour in seconds.
        """
        blocks = []
        try:
            with self.path.open("rb", buffering=0) as file:
                for chunk, start in zip(self._chunks, self._index_starts, strict=True):
                    file.seek(start)
                    blocks.append(file.read(chunk.message_index_length))
        except OSError as error:
            raise self._damaged(error) from error
        return blocks

    def _messages(self, number: int) -> _Messages:
        """Messages of one chunk by time."""
        cached = self._cache.get(self.path, number)
        if cached is not None:
            return cached
        index = self._chunks[number]
        try:
            with self.path.open("rb") as file:
                file.seek(index.chunk_start_offset + 9)
                chunk = Chunk.read(ReadDataStream(file))
            records = breakup_chunk(chunk, validate_crc=True)
        except (OSError, *_BROKEN) as error:
            raise self._damaged(error) from error
        messages: _Messages = {}
        for record in records:
            if isinstance(record, Message):
                messages.setdefault(record.log_time, []).append(record)
        self._cache.put(self.path, number, messages)
        return messages

    def _damaged(self, reason: object) -> SessionError:
        return SessionError(f"{self.path} is damaged: {reason}", hint=_DAMAGED_HINT.format(self.path.parent))


class Session:
    """A finished or recovered session. May be used from several threads; nothing is open between calls.

    Attributes:
        path: its folder.
        info: session.json.
        calibration_file: calibration.json.
        manifest: manifest.json.
    """

    def __init__(self, path: Path) -> None:
        """Open a session folder.

        Raises:
            SessionError: there is no session, it is not finished, or it is damaged.
        """
        self.path = path
        if not path.is_dir() or not (path / SESSION_NAME).exists():
            raise SessionError(
                f"{path} is no session", hint=f"Choose a session folder; it holds a file {SESSION_NAME}."
            )
        self.info = read_model(path / SESSION_NAME, SessionInfo)
        if not (path / MANIFEST_NAME).exists() or any(path.glob(f"*{ACTIVE_SUFFIX}")):
            raise SessionError(
                f"{path} is not finished: it is being recorded, or recording ended in a crash",
                hint=f"Run `python main.py recover {path}`, then open it again.",
            )
        self.calibration_file = read_model(path / CALIBRATION_NAME, CalibrationFile)
        self.manifest = read_model(path / MANIFEST_NAME, Manifest)
        self._entries = {entry.id: entry for entry in self.info.cameras}
        missing = [file.name for file in self.manifest.files if not (path / file.name).exists()]
        if missing:
            raise SessionError(
                f"{path} lacks {', '.join(missing)}",
                hint="Copy the whole session folder, then open it again.",
            )
        self._cache = _Cache()
        self._segments = [_SegmentFile(path / file.name, self._cache) for file in self.manifest.files]
        self._index_lock = threading.Lock()

    @property
    def cameras(self) -> tuple[CameraEntry, ...]:
        """All cameras, those without a frame included."""
        return self.info.cameras

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """In the order of recording."""
        return tuple(self._entries)

    @property
    def labels(self) -> Labels:
        """What holds now, read from the folder each time.

        Raises:
            SessionError: labels.jsonl is damaged.
        """
        return apply(read_events(self.path))

    @property
    def duration_s(self) -> float:
        """From the first frame of any camera to the last one."""
        times = [times for times in self._times.values() if times.size]
        if not times:
            return 0.0
        return float(max(t[-1] for t in times) - min(t[0] for t in times)) / 1e9

    @property
    def start_ns(self) -> int:
        """UTC of the first frame of any camera; 0 without frames."""
        return int(min((t[0] for t in self._times.values() if t.size), default=0))

    def calibration(self, camera_id: str) -> Calibration:
        """Of one camera.

        Raises:
            SessionError: the session has no such camera.
        """
        self._entry(camera_id)
        entry = self.calibration_file.cameras.get(camera_id)
        if entry is None:
            raise SessionError(
                f"{self.path / CALIBRATION_NAME} says nothing of the camera {camera_id}",
                hint="Put the file back from a copy of the session.",
            )
        if not self._placed:
            return entry.calibration()
        return replace(entry.calibration(), rig_from_color=np.array(entry.rig_from_color))

    @cached_property
    def _placed(self) -> bool:
        """Whether it is known where the cameras sit; all of a rig without calibration have the identity."""
        return any(camera.rig_from_color != IDENTITY for camera in self.calibration_file.cameras.values())

    def rig_from_color(self, camera_id: str) -> NDArray[np.float64]:
        """(4, 4) metres: where the colour camera sits in the rig."""
        self.calibration(camera_id)
        return np.array(self.calibration_file.cameras[camera_id].rig_from_color)

    def count(self, camera_id: str) -> int:
        """Frames of one camera."""
        return int(self.times(camera_id).size)

    def times(self, camera_id: str) -> NDArray[np.int64]:
        """(N,) UTC nanoseconds of mid-exposure of all frames of a camera, ascending."""
        self._entry(camera_id)
        return self._times[camera_id]

    def frame(self, camera_id: str, n: int) -> Frame:
        """Frame at position `n` of a camera, 0 to `count` - 1; colour is what JPEG left of it.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        streams = (topics.META, *topics.IMAGES)
        messages = self._messages(camera_id, n, streams)
        meta = cdr.parse_frame_meta(messages[topics.META].data)
        entry = self._entry(camera_id)
        truth = messages.get(topics.TRUTH)
        left, right = messages.get(topics.IR_LEFT), messages.get(topics.IR_RIGHT)
        return Frame(
            camera_id=camera_id,
            index=meta.frame_number,
            captured_ns=self.info.anchor.monotonic_from_utc(meta.stamp_ns),
            device_ns=meta.device_ts_ns,
            color=decode_color(_image(messages[topics.COLOR])),
            depth=DepthMap(_depth(messages[topics.DEPTH]), entry.depth_unit_m),
            calibration=self.calibration(camera_id),
            ir_left=None if left is None else decode_gray(_image(left)),
            ir_right=None if right is None else decode_gray(_image(right)),
            truth=None
            if truth is None
            else DepthMap(_depth(truth), entry.truth_unit_m or entry.depth_unit_m),
        )

    def color(self, camera_id: str, n: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of one frame; nothing else is decoded, which suits thumbnails.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        return decode_color(_image(self._messages(camera_id, n, (topics.COLOR,))[topics.COLOR]))

    def depth(self, camera_id: str, n: int) -> DepthMap:
        """Raw depth of one frame; nothing else is decoded.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        message = self._messages(camera_id, n, (topics.DEPTH,))[topics.DEPTH]
        return DepthMap(_depth(message), self._entry(camera_id).depth_unit_m)

    def refined(self, camera_id: str, n: int) -> RefinedFrame | None:
        """Refined depth of one frame; None where none was recorded.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        log_ns = self._place(camera_id, n).log_ns
        segment = self._refined_places[camera_id].get(log_ns)
        if segment is None:
            return None
        streams = (topics.REFINED, topics.PROVENANCE, topics.REFINED_META)
        messages = self._messages_at(_Place(segment, log_ns), camera_id, streams)
        return RefinedFrame(
            depth=DepthMap(_depth(messages[topics.REFINED]), self._entry(camera_id).depth_unit_m),
            provenance=decode_png8(_image(messages[topics.PROVENANCE])),
            meta=parse_meta(cdr.parse_string(messages[topics.REFINED_META].data)),
        )

    def refined_positions(self, camera_id: str) -> NDArray[np.int64]:
        """(N,) positions of the frames of a camera that have refined depth, ascending."""
        refined = np.fromiter(self._refined_places[camera_id], np.int64)
        return np.flatnonzero(np.isin(self.times(camera_id), refined))

    def meta(self, camera_id: str, n: int) -> cdr.FrameMeta:
        """What belongs to one frame and to none of its images.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        return cdr.parse_frame_meta(self._messages(camera_id, n, (topics.META,))[topics.META].data)

    def order(self) -> list[tuple[str, int]]:
        """Camera and position of all frames, in the order of their exposure."""
        entries = [
            (int(log_ns), camera_id, n)
            for camera_id in self.camera_ids
            for n, log_ns in enumerate(self._times[camera_id])
        ]
        return [(camera_id, n) for _, camera_id, n in sorted(entries)]

    def frames(self, camera_id: str | None = None) -> Iterator[Frame]:
        """All frames of one camera, or of all of them in the order of their exposure.

        Raises:
            SessionError: a file is damaged.
        """
        order = self.order() if camera_id is None else [(camera_id, n) for n in range(self.count(camera_id))]
        for camera, n in order:
            yield self.frame(camera, n)

    @cached_property
    def _places(self) -> dict[str, list[_Place]]:
        places: dict[str, list[_Place]] = {}
        for camera_id in self._entries:
            found = []
            for number, segment in enumerate(self._segments):
                # A frame's meta message is its last, so the frame is whole; unless a part in the middle of
                # the file was damaged, which only a recovered session can be.
                times = segment.times(topic(camera_id, topics.META))
                if self.manifest.files[number].recovered:
                    for stream in (topics.COLOR, topics.DEPTH):
                        times = np.intersect1d(times, segment.times(topic(camera_id, stream)))
                found += [_Place(number, log_ns) for log_ns in times.tolist()]
            places[camera_id] = sorted(found, key=lambda place: place.log_ns)
        return places

    @property
    def _times(self) -> dict[str, NDArray[np.int64]]:
        with self._index_lock:
            return self._times_by_camera

    @cached_property
    def _times_by_camera(self) -> dict[str, NDArray[np.int64]]:
        return {
            camera_id: np.array([place.log_ns for place in places], np.int64)
            for camera_id, places in self._places.items()
        }

    @cached_property
    def _refined_places(self) -> dict[str, dict[int, int]]:
        """The segment with refined depth of the frame of that time; it may follow the frame's own segment."""
        return {
            camera_id: {
                log_ns: number
                for number, segment in enumerate(self._segments)
                for log_ns in segment.times(topic(camera_id, topics.REFINED_META)).tolist()
            }
            for camera_id in self._entries
        }

    def _place(self, camera_id: str, n: int) -> _Place:
        if not 0 <= n < self.count(camera_id):
            raise self._no_frame(camera_id, n)
        return self._places[camera_id][n]

    def _messages(self, camera_id: str, n: int, streams: Sequence[str]) -> dict[str, Message]:
        return self._messages_at(self._place(camera_id, n), camera_id, streams)

    def _messages_at(self, place: _Place, camera_id: str, streams: Sequence[str]) -> dict[str, Message]:
        segment = self._segments[place.segment]
        names = {topic(camera_id, stream): stream for stream in streams}
        found = {
            names[name]: message for name, message in segment.messages_at(place.log_ns, list(names)).items()
        }
        if not _REQUIRED.intersection(streams) <= found.keys():
            when = datetime.fromtimestamp(place.log_ns / 1e9, UTC).isoformat(timespec="milliseconds")
            raise SessionError(
                f"the frame of {camera_id} at {when} in {segment.path} is not whole",
                hint=_DAMAGED_HINT.format(self.path),
            )
        return found

    def _entry(self, camera_id: str) -> CameraEntry:
        entry = self._entries.get(camera_id)
        if entry is None:
            raise SessionError(
                f"{self.path} has no camera {camera_id}",
                hint=f"Choose one of: {', '.join(self._entries)}.",
            )
        return entry

    def _no_frame(self, camera_id: str, n: int) -> SessionError:
        return SessionError(
            f"{self.path} has no frame {n} of {camera_id}",
            hint=f"Positions go from 0 to {self.count(camera_id) - 1}.",
        )


def _image(message: Message) -> memoryview:
    return cdr.parse_compressed_image(message.data).data


def _png(message: Message) -> memoryview:
    return _image(message)[len(topics.DEPTH_HEADER) :]


def _depth(message: Message) -> NDArray[np.uint16]:
    return decode_png16(_png(message))
