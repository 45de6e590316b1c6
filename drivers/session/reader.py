"""Reads finished sessions, any frame in any order."""

import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile, McapError
from mcap.records import Chunk, Message
from mcap.stream_reader import CRCValidationError, breakup_chunk
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.errors import SessionError
from drivers.frame import Frame, ImuSample
from drivers.geometry import Calibration
from drivers.session import cdr, topics
from drivers.session.encode import decode_color, decode_gray
from drivers.session.index import BrokenIndex, SegmentIndex, check_end, read_index
from drivers.session.jxl import decode_jxl16
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
from drivers.session.timeline import Timeline, Track, load_timeline, refined_key, save_timeline, track
from drivers.session.topics import topic

_CACHED_CHUNKS = 16
_CACHED_INDEXES = 4
_REQUIRED = frozenset((topics.META, topics.COLOR, topics.REFINED, topics.PROVENANCE, topics.REFINED_META))
_IMU_MARGIN_NS = 1_000_000_000
"""A reading comes with a frame that was exposed less than this before or after it."""
_FOREVER_NS = (1 << 63) - 2
_CHUNK_BODY_AT = 9  # after opcode and length
_DAMAGED_HINT = "Leave this session out, or run `python main.py recover {}` and open it again."
_BROKEN = (McapError, EndOfFile, CRCValidationError, struct.error, UnicodeDecodeError, StopIteration)


@dataclass(frozen=True)
class _Place:
    """Where a frame is: its segment and its time."""

    segment: int
    log_ns: int


_Messages = dict[int, list[Message]]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class _Cache(Generic[_Key, _Value]):
    """The last few values that were put into it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: _Key) -> _Value | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key]

    def put(self, key: _Key, value: _Value) -> None:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)


class _SegmentFile:
    """Messages of one MCAP file by time. The file is open only while it is read.

    Args:
        path: of the file.
        chunks: shared by all files of a session, as neighbours are asked for next.
        indexes: likewise; a file's index is read when something of it is wanted.
    """

    def __init__(
        self,
        path: Path,
        chunks: _Cache[tuple[Path, int], _Messages],
        indexes: _Cache[Path, SegmentIndex],
    ) -> None:
        self.path = path
        self._chunks = chunks
        self._indexes = indexes
        try:
            check_end(path)
        except (OSError, BrokenIndex) as error:
            raise self._damaged(error) from error

    def times(self, name: str) -> NDArray[np.int64]:
        """(N,) UTC nanoseconds of all messages on a topic, ascending."""
        return self._index().places(name)[0]

    def messages_at(self, log_ns: int, names: Sequence[str]) -> dict[str, Message]:
        """What was logged at exactly this time, by topic."""
        index = self._index()
        found: dict[str, Message] = {}
        for name in names:
            times, chunks = index.places(name)
            at = int(np.searchsorted(times, log_ns))
            if at == times.size or times[at] != log_ns:
                continue
            for message in self._messages(index, int(chunks[at])).get(log_ns, ()):
                if message.channel_id == index.channels[name]:
                    found[name] = message
        return found

    def messages_between(self, name: str, first_ns: int, last_ns: int) -> list[Message]:
        """Messages on one topic by time, both ends included."""
        index = self._index()
        times, chunks = index.places(name)
        first, last = np.searchsorted(times, [first_ns, last_ns + 1])
        # Several messages of one time are together in `_messages`, so each (time, chunk) is asked for once.
        places = sorted(set(zip(times[first:last].tolist(), chunks[first:last].tolist(), strict=True)))
        return [
            message
            for log_ns, number in places
            for message in self._messages(index, number).get(log_ns, ())
            if message.channel_id == index.channels[name]
        ]

    def _index(self) -> SegmentIndex:
        index = self._indexes.get(self.path)
        if index is None:
            try:
                index = read_index(self.path)
            except (OSError, BrokenIndex) as error:
                raise self._damaged(error) from error
            self._indexes.put(self.path, index)
        return index

    def _messages(self, index: SegmentIndex, number: int) -> _Messages:
        """Messages of one chunk by time."""
        cached = self._chunks.get((self.path, number))
        if cached is not None:
            return cached
        try:
            with self.path.open("rb") as file:
                file.seek(int(index.chunk_starts[number]) + _CHUNK_BODY_AT)
                chunk = Chunk.read(ReadDataStream(file))
            records = breakup_chunk(chunk, validate_crc=True)
        except (OSError, *_BROKEN) as error:
            raise self._damaged(error) from error
        messages: _Messages = {}
        for record in records:
            if isinstance(record, Message):
                messages.setdefault(record.log_time, []).append(record)
        self._chunks.put((self.path, number), messages)
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
        self._cache: _Cache[tuple[Path, int], _Messages] = _Cache(_CACHED_CHUNKS)
        indexes: _Cache[Path, SegmentIndex] = _Cache(_CACHED_INDEXES)
        self._segments = [
            _SegmentFile(path / file.name, self._cache, indexes) for file in self.manifest.files
        ]
        self._timeline_lock = threading.Lock()

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
        times = [track.times for track in self._frames.values() if track.times.size]
        if not times:
            return 0.0
        return float(max(t[-1] for t in times) - min(t[0] for t in times)) / 1e9

    @property
    def start_ns(self) -> int:
        """UTC of the first frame of any camera; 0 without frames."""
        return int(min((t.times[0] for t in self._frames.values() if t.times.size), default=0))

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
        return self._timeline[camera_id].times

    def frame(self, camera_id: str, n: int) -> Frame:
        """Frame at position `n` of a camera, 0 to `count` - 1; colour is what JPEG left of it.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        streams = (topics.META, *topics.IMAGES)
        messages = self._messages(camera_id, n, streams)
        meta = cdr.parse_frame_meta(messages[topics.META].data)
        entry = self._entry(camera_id)
        truth, confidence = messages.get(topics.TRUTH), messages.get(topics.CONFIDENCE)
        left, right = messages.get(topics.IR_LEFT), messages.get(topics.IR_RIGHT)
        return Frame(
            camera_id=camera_id,
            index=meta.frame_number,
            captured_ns=self.info.anchor.monotonic_from_utc(meta.stamp_ns),
            device_ns=meta.device_ts_ns,
            color=decode_color(_image(messages[topics.COLOR])),
            depth=DepthMap(_raw_depth(messages), entry.depth_unit_m),
            calibration=self.calibration(camera_id),
            ir_left=None if left is None else decode_gray(_image(left)),
            ir_right=None if right is None else decode_gray(_image(right)),
            truth=None
            if truth is None
            else DepthMap(_depth(truth), entry.truth_unit_m or entry.depth_unit_m),
            confidence=None if confidence is None else decode_png8(_image(confidence)),
            imu=self._imu(camera_id, n, meta.frame_number),
            settings=meta.settings,
        )

    def color(self, camera_id: str, n: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB of one frame; nothing else is decoded, which suits thumbnails.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        return decode_color(_image(self._messages(camera_id, n, (topics.COLOR,))[topics.COLOR]))

    def color_file(self, camera_id: str, n: int) -> bytes:
        """The colour image of one frame as the file that was recorded, which exporters copy.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        return bytes(_image(self._messages(camera_id, n, (topics.COLOR,))[topics.COLOR]))

    def depth(self, camera_id: str, n: int) -> DepthMap:
        """Raw depth of one frame; nothing else is decoded.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        messages = self._messages(camera_id, n, topics.DEPTHS)
        return DepthMap(_raw_depth(messages), self._entry(camera_id).depth_unit_m)

    def refined(self, camera_id: str, n: int) -> RefinedFrame | None:
        """Refined depth of one frame; None where none was recorded.

        Raises:
            SessionError: there is no such frame, or the file is damaged.
        """
        log_ns = self._place(camera_id, n).log_ns
        refined = self._timeline[refined_key(camera_id)]
        at = int(np.searchsorted(refined.times, log_ns))
        if at == refined.times.size or refined.times[at] != log_ns:
            return None
        streams = (topics.REFINED, topics.PROVENANCE, topics.REFINED_META)
        # Refined depth comes later than its frame, so it may be in a later file.
        place = _Place(int(refined.segments[at]), log_ns)
        messages = self._messages_at(place, camera_id, streams)
        return RefinedFrame(
            depth=DepthMap(_depth(messages[topics.REFINED]), self._entry(camera_id).depth_unit_m),
            provenance=decode_png8(_image(messages[topics.PROVENANCE])),
            meta=parse_meta(cdr.parse_string(messages[topics.REFINED_META].data)),
        )

    def refined_positions(self, camera_id: str) -> NDArray[np.int64]:
        """(N,) positions of the frames of a camera that have refined depth, ascending."""
        refined = self._timeline[refined_key(camera_id)].times
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
            for n, log_ns in enumerate(self.times(camera_id))
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

    @property
    def _frames(self) -> Timeline:
        return {camera_id: self._timeline[camera_id] for camera_id in self._entries}

    @property
    def _timeline(self) -> Timeline:
        with self._timeline_lock:
            return self._read_timeline

    @cached_property
    def _read_timeline(self) -> Timeline:
        names = [name for camera_id in self._entries for name in (camera_id, refined_key(camera_id))]
        stored = load_timeline(self.path, self.manifest, names)
        if stored is not None:
            return stored
        parts: dict[str, list[tuple[int, NDArray[np.int64]]]] = {name: [] for name in names}
        for number, segment in enumerate(self._segments):  # the outer loop, so that each is read once
            for camera_id in self._entries:
                parts[camera_id].append((number, self._whole_frames(number, camera_id)))
                refined = segment.times(topic(camera_id, topics.REFINED_META))
                parts[refined_key(camera_id)].append((number, refined))
        made: dict[str, Track] = {name: track(found) for name, found in parts.items()}
        save_timeline(self.path, self.manifest, made)
        return made

    def _whole_frames(self, number: int, camera_id: str) -> NDArray[np.int64]:
        # A frame's meta message is its last, so the frame is whole; unless a part in the middle of the file
        # was damaged, which only a recovered session can be.
        segment = self._segments[number]
        times = segment.times(topic(camera_id, topics.META))
        if self.manifest.files[number].recovered:
            for streams in ((topics.COLOR,), topics.DEPTHS):
                held = [segment.times(topic(camera_id, stream)) for stream in streams]
                times = np.intersect1d(times, np.concatenate(held))
        return times

    def _place(self, camera_id: str, n: int) -> _Place:
        if not 0 <= n < self.count(camera_id):
            raise self._no_frame(camera_id, n)
        frames = self._timeline[camera_id]
        return _Place(int(frames.segments[n]), int(frames.times[n]))

    def _messages(self, camera_id: str, n: int, streams: Sequence[str]) -> dict[str, Message]:
        return self._messages_at(self._place(camera_id, n), camera_id, streams)

    def _messages_at(self, place: _Place, camera_id: str, streams: Sequence[str]) -> dict[str, Message]:
        segment = self._segments[place.segment]
        names = {topic(camera_id, stream): stream for stream in streams}
        found = {
            names[name]: message for name, message in segment.messages_at(place.log_ns, list(names)).items()
        }
        lacks_depth = topics.DEPTH in streams and not found.keys() & set(topics.DEPTHS)
        if lacks_depth or not _REQUIRED.intersection(streams) <= found.keys():
            when = datetime.fromtimestamp(place.log_ns / 1e9, UTC).isoformat(timespec="milliseconds")
            raise SessionError(
                f"the frame of {camera_id} at {when} in {segment.path} is not whole",
                hint=_DAMAGED_HINT.format(self.path),
            )
        return found

    def imu(self, camera_id: str) -> list[ImuSample]:
        """All inertial readings of a camera by time; none where it has no such sensor.

        Raises:
            SessionError: a file is damaged.
        """
        self._entry(camera_id)
        name = topic(camera_id, topics.IMU)
        return [
            self._imu_sample(message.data)
            for segment in self._segments
            for message in segment.messages_between(name, 0, _FOREVER_NS)
        ]

    def _imu(self, camera_id: str, n: int, frame_number: int) -> tuple[ImuSample, ...]:
        """The readings that came with a frame: they bear its number and lie near its time."""
        place = self._place(camera_id, n)
        segment, name = self._segments[place.segment], topic(camera_id, topics.IMU)
        before_ns = self._place(camera_id, n - 1).log_ns if n else place.log_ns
        found = segment.messages_between(name, before_ns - _IMU_MARGIN_NS, place.log_ns + _IMU_MARGIN_NS)
        sequence = frame_number % (1 << 32)
        return tuple(self._imu_sample(message.data) for message in found if message.sequence == sequence)

    def _imu_sample(self, data: bytes) -> ImuSample:
        reading = cdr.parse_imu(data)
        captured_ns = self.info.anchor.monotonic_from_utc(reading.stamp_ns)
        return ImuSample(captured_ns, reading.angular_velocity_rad_s, reading.linear_acceleration_m_s2)

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


def _raw_depth(messages: dict[str, Message]) -> NDArray[np.uint16]:
    if topics.DEPTH_JXL in messages:
        return decode_jxl16(_image(messages[topics.DEPTH_JXL]))
    return _depth(messages[topics.DEPTH])


def _depth(message: Message) -> NDArray[np.uint16]:
    return decode_png16(_png(message))
