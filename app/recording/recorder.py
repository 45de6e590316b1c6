"""Records a running rig: takes every frame, encodes in threads, and accounts for each one."""

import logging
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import app_version
from app.flow.capture import silence_s
from app.flow.channel import Channel
from app.flow.moments import Moments
from app.flow.order import role_of
from app.flow.refine import Refined
from app.flow.taps import Taps
from app.flow.worker import Worker
from app.language import english
from app.recording.counts import CameraCount, RecorderStatus, RefinedCount
from app.recording.guards import Caution, battery, clock_jump, disk_speed, heat, slow_disk
from app.recording.library import LabelEdit, changes
from app.recording.room import Limits, PlaceRefusedError, bytes_per_s, memory_frames
from app.recording.shedding import Shedding
from drivers.camera import Camera, SyncRole
from drivers.errors import SessionError
from drivers.frame import Frame, ImuSample
from drivers.session import topics
from drivers.session.encode import EncodedFrame, encode
from drivers.session.labels import SessionLabels, add_label, apply, read_events
from drivers.session.ledger import Ledger, Stage
from drivers.session.manifest import RefinedTotals, SyncEntry
from drivers.session.refined import EncodedRefined, MadeBy, RefinedFrame, RefinedMeta, encode_refined
from drivers.session.writer import KeptControls, SessionWriter, new_session_folder, session_camera

log = logging.getLogger(__name__)

Repaired = tuple[Refined, MadeBy]
"""A repaired frame, and what made it."""

_Waiting = tuple[Frame, Future[EncodedFrame]]

SYNC_WORDS = {
    SyncRole.FREE: "free run",
    SyncRole.PRIMARY: "primary on a sync cable",
    SyncRole.SECONDARY: "secondary on a sync cable",
}
QUEUE_S = 1.5
"""How long encoders and disk may stand still before a frame is lost."""
COMPACT_FROM, COMPACT_UNTIL = 0.5, 0.25
"""Shares of the queue in use at which depth becomes JPEG XL, twice as fast to write, and PNG again."""
ENCODERS_LEAST, ENCODERS_MOST = 3, 8
SWITCH_S = 0.001
"""While recording, Python hands its lock on after this. An encoder needs the lock ten times for a frame; with
the usual 5 ms one busy thread of the window would make it wait 50 ms (benchmarks/recorder.py --busy)."""
REFINED_SHARE = 0.5
"""Refined depth is dropped once this share of the queue is in use; the rest is there for raw frames."""
REFINED_WAITING = 4
"""Refined frames that may wait for their encoder; a repair slower than its encoder never sees this."""
_COUNT_OF = {
    Stage.QUEUE: "dropped",
    Stage.ENCODE: "unencoded",
    Stage.WRITE: "unwritten",
    Stage.ENDED: "late",
}
SYNC_S = 0.25
STATUS_S = 1.0
STOP_TIMEOUT_S = 20.0
CAUTIONS_S = 5.0


class Recorder:
    """One recording of one rig.

    Camera threads put frames into a bounded queue and never wait; encoder threads compress; one thread writes
    in the order of arrival, another makes the file durable four times a second. Refined depth has an encoder
    thread of its own and enters the queue ready to be written, so that no raw frame ever waits for it.

    A queue that is half full makes depth compact until it has emptied; one that is full loses whole sets of
    all cameras, as `Shedding` decides.

    Args:
        folder: the library; the session gets a folder of its own below it.
        lines: camera and channel by camera id; every camera that shall be recorded has delivered a frame.
        labels: what the operator said about the session.
        repairs: taps of refined depth by camera id; none are recorded without.
        session: the session's own folder, instead of a new one below `folder`.
        places: (4, 4) `rig_from_color` by camera id, of those whose place in the rig is known.
        limits: how much disk to leave.
        controls: what the cameras are set to, by camera id.
        compact: depth as JPEG XL from the beginning.
        moments: measures whether the cameras expose together; without it the session does not tell.
    """

    def __init__(
        self,
        folder: Path,
        lines: Mapping[str, tuple[Camera, Channel]],
        labels: SessionLabels,
        *,
        repairs: Mapping[str, Taps[Repaired]] | None = None,
        session: Path | None = None,
        places: Mapping[str, NDArray[np.float64]] | None = None,
        limits: Limits | None = None,
        controls: Mapping[str, KeptControls] | None = None,
        compact: bool = False,
        moments: Moments | None = None,
    ) -> None:
        self._labels = labels
        self._moments = moments
        self._compact_wanted = self._compact = compact
        self._places = dict(places or {})
        self._controls = controls or {}
        self._limits = limits or Limits()
        self._session = session or new_session_folder(folder, labels.site)
        first = {camera_id: channel.newest.latest() for camera_id, (_, channel) in lines.items()}
        self._first = {camera_id: frame for camera_id, frame in first.items() if frame is not None}
        self._lines = {camera_id: line for camera_id, line in lines.items() if camera_id in self._first}
        rates_hz = {camera_id: camera.info.rate_hz for camera_id, (camera, _) in self._lines.items()}
        room = max(8, round(QUEUE_S * sum(rates_hz.values())))
        self._shedding = (
            Shedding(rates_hz, min(room, memory_frames(self._first.values()))) if rates_hz else None
        )
        self._queue: queue.Queue[_Waiting | EncodedRefined | None] = queue.Queue(
            maxsize=self._shedding.room if self._shedding else room
        )
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(self._lines, CameraCount())
        self._ledgers = {camera_id: Ledger() for camera_id in self._lines}
        self._held_imu: dict[str, tuple[ImuSample, ...]] = dict.fromkeys(self._lines, ())
        self._last_index: dict[str, int] = {}
        self._heard_ns: dict[str, int] = {}
        self._sync_ms = 0.0
        self._taps = {name: taps for name, taps in (repairs or {}).items() if name in self._lines}
        self._repairs: queue.Queue[Repaired | None] = queue.Queue(maxsize=REFINED_WAITING)
        self._refined = dict.fromkeys(self._taps, RefinedCount())
        self._first_index: dict[str, int] = {}
        self._slow_disk: Caution | None = None
        self._cautions: tuple[Caution, ...] = ()
        self._error: SessionError | None = None
        self._ended = threading.Event()
        self._stopped = False

    @property
    def session(self) -> Path:
        """The session's folder."""
        return self._session

    def start(self) -> None:
        """Start recording.

        Raises:
            SessionError: the folder cannot be written or the disk has too little room.
        """
        if self._shedding is None:
            raise SessionError("No camera has delivered a frame.", hint="Wait for a picture, then record.")
        self._check_disk()
        self._writer = SessionWriter(
            self._session,
            [
                session_camera(
                    self._lines[camera_id][0].info,
                    frame,
                    rig_from_color=self._places.get(camera_id),
                    controls=self._controls.get(camera_id),
                    sync=SYNC_WORDS[role_of(self._lines[camera_id][0])],
                )
                for camera_id, frame in self._first.items()
            ],
            site=self._labels.site,
            operator=self._labels.operator,
            scene=self._labels.scene,
            tags=self._labels.tags,
            notes=self._labels.notes,
            consent=self._labels.consent,
            compact=self._compact_wanted,
            app_version=app_version(),
        )
        self._started_ns, self._ended_ns = time.monotonic_ns(), 0
        self._heard_ns = dict.fromkeys(self._lines, self._started_ns)
        self._switch_s = sys.getswitchinterval()
        sys.setswitchinterval(min(SWITCH_S, self._switch_s))
        threads = max(ENCODERS_LEAST, min(ENCODERS_MOST, (os.cpu_count() or 2) - 1))
        self._encoders = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._workers = [
            Worker("recorder", self._write, failed=self._failed),
            Worker("recorder sync", self._sync, failed=self._failed),
        ]
        self._refined_encoder = Worker("refined encoder", self._encode_refined)
        if self._taps:
            self._refined_encoder.start()
        for worker in self._workers:
            worker.start()
        for _, channel in self._lines.values():
            channel.taps.add(self._take)
        for taps in self._taps.values():
            taps.add(self._take_refined)

    def mark(self, text: str) -> None:
        """Note an event at this moment.

        Raises:
            SessionError: the disk does not take it.
        """
        now_ns = self._writer.info.anchor.utc_from_monotonic(time.monotonic_ns())
        self._writer.add_label(add_label("mark", text, start_ns=now_ns, end_ns=now_ns))

    def relabel(self, edit: LabelEdit) -> None:
        """Say something else of the session under way; durable when this returns.

        Raises:
            SessionError: the disk does not take it.
        """
        for event in changes(apply(read_events(self._session)), edit):
            self._writer.add_label(event)

    def status(self) -> RecorderStatus:
        """Counts and room left, at this moment; cheap enough for every tick of the window."""
        with self._lock:
            now_ns = self._ended_ns or time.monotonic_ns()
            counts = {camera_id: self._count_until(now_ns, camera_id) for camera_id in self._counts}
            refined, error = dict(self._refined), self._error
        seconds = (now_ns - self._started_ns) / 1e9
        written = self._writer.bytes_written
        free = self._free_bytes()
        rate = written / seconds if seconds > 2 and written else self._guessed_rate()
        synced_ns = self._writer.synced_until_ns
        return RecorderStatus(
            seconds=seconds,
            cameras=counts,
            bytes_written=written,
            disk_free_bytes=free,
            time_left_s=max(0.0, self._limits.seconds_left(free, rate)),
            queue_fill=self._queue.qsize() / self._queue.maxsize,
            synced_s=max(0.0, (synced_ns - self._started_ns) / 1e9) if synced_ns else 0.0,
            refined=refined,
            cautions=self._cautions,
            sync_ms=self._sync_ms,
            compact=self._compact,
            error=str(error) if error else "",
            hint=error.hint if error else "",
        )

    def stop(self) -> Path:
        """Write what waits, close the session, and return its folder; safe to call twice.

        Raises:
            SessionError: not even the index could be written; recovery at the next start mends that.
        """
        with self._lock:  # a tap that waits for the lock finds the recording closed, and no frame comes after
            if self._stopped:
                return self._session
            self._stopped = True
            self._ended_ns = time.monotonic_ns()
            for camera_id in self._counts:
                self._hear(camera_id, self._ended_ns)
        for _, channel in self._lines.values():
            channel.taps.remove(self._take)
        for taps in self._taps.values():
            taps.remove(self._take_refined)
        if self._refined_encoder.running:
            self._repairs.put(None, timeout=STOP_TIMEOUT_S)
            self._refined_encoder.stop(timeout_s=STOP_TIMEOUT_S)
        if self._workers[0].running:
            self._queue.put(None, timeout=STOP_TIMEOUT_S)
        for worker in self._workers:
            worker.stop(timeout_s=STOP_TIMEOUT_S)
        self._encoders.shutdown()
        sys.setswitchinterval(self._switch_s)
        self._settle_rest()
        totals = {camera_id: count.totals for camera_id, count in self._counts.items()}
        refined = {
            camera_id: RefinedTotals(
                made=count.made,
                written=count.written,
                dropped=count.dropped,
                unplaced=count.unplaced,
                failed=count.failed + count.waiting,
            )
            for camera_id, count in self._refined.items()
        }
        lost = {camera_id: ledger.ranges for camera_id, ledger in self._ledgers.items()}
        manifest = self._writer.close(totals, refined, lost, self._sync_entries())
        if not manifest.honest:
            log.error("the counts of %s do not add up: %s", self._session, manifest.dishonest_because)
        return self._session

    def _sync_entries(self) -> dict[str, SyncEntry]:
        """What each camera does on a sync cable, and whether it really exposes with the reference."""
        if self._moments is None:
            return {}
        phases = self._moments.phases()
        entries = {}
        for camera_id, (camera, _) in self._lines.items():
            role, phase = SYNC_WORDS[role_of(camera)], phases.get(camera_id)
            if phase is None:
                entries[camera_id] = SyncEntry(role=role)
                continue
            drift = phase.drift_ppm
            entries[camera_id] = SyncEntry(
                role=role,
                reference=self._moments.reference,
                offset_ms=round(phase.offset_ms, 3),
                jitter_ms=round(phase.jitter_ms, 3),
                drift_ppm=None if drift is None else round(drift, 2),
                in_step=phase.in_step,
            )
        return entries

    def _take(self, frame: Frame) -> None:
        with self._lock:
            if self._stopped:
                return
            self._hear(frame.camera_id, time.monotonic_ns())
            count = self._counts[frame.camera_id]
            if frame.camera_id not in self._first_index:
                self._first_index[frame.camera_id] = frame.index
                frame = _of_this_recording(frame, self._started_ns)
            last = self._last_index.get(frame.camera_id)
            if frame.index == last and not self._lines[frame.camera_id][0].info.live:
                return  # a paused replay delivers its frame again
            self._last_index[frame.camera_id] = frame.index
            gap = 0 if last is None else max(0, frame.index - last - 1)
            self._ledgers[frame.camera_id].lose(frame.index - gap, frame.index - 1, Stage.DEVICE)
            self._counts[frame.camera_id] = replace(count, device_gap=count.device_gap + gap)
            if self._ended.is_set():
                self._lose(frame, Stage.ENDED)
            else:
                self._queued(frame)

    def _hear(self, camera_id: str, now_ns: int) -> None:
        """Note how long a camera sent nothing until now; the lock is held."""
        self._counts[camera_id] = self._count_until(now_ns, camera_id)
        self._heard_ns[camera_id] = now_ns

    def _count_until(self, now_ns: int, camera_id: str) -> CameraCount:
        """A camera's counts with the time for which it is away now; a replay may pause. The lock is held."""
        count, info = self._counts[camera_id], self._lines[camera_id][0].info
        silent_s = (now_ns - self._heard_ns[camera_id]) / 1e9
        if not info.live or silent_s < silence_s(info.rate_hz):
            return count
        return replace(count, away_s=count.away_s + silent_s)

    def _queued(self, frame: Frame) -> None:
        """Queue a frame, or drop it; the lock is held, and only this method adds frames."""
        assert self._shedding is not None
        now_ns = time.monotonic_ns()
        waiting = self._queue.qsize()
        if self._shedding.drops(frame.camera_id, waiting, now_ns):
            self._held_imu[frame.camera_id] += frame.imu  # readings are small: the next frame brings them
            self._lose(frame, Stage.QUEUE)
            return
        fill = waiting / self._queue.maxsize
        threshold = COMPACT_UNTIL if self._compact else COMPACT_FROM
        self._compact = self._compact_wanted or fill >= threshold
        if held := self._held_imu[frame.camera_id]:
            frame = replace(frame, imu=held + frame.imu)
            self._held_imu[frame.camera_id] = ()
        encoded = self._encoders.submit(encode, frame, arrived_ns=now_ns, compact=self._compact)
        self._queue.put_nowait((frame, encoded))
        count = self._counts[frame.camera_id]
        self._counts[frame.camera_id] = replace(count, waiting=count.waiting + 1)

    def _lose(self, frame: Frame, stage: Stage) -> None:
        """Note that a frame is in no file; the lock is held."""
        self._ledgers[frame.camera_id].lose(frame.index, frame.index, stage)
        count = self._counts[frame.camera_id]
        name = _COUNT_OF[stage]
        self._counts[frame.camera_id] = replace(count, **{name: getattr(count, name) + 1})

    def _take_refined(self, repaired: Repaired) -> None:
        frame = repaired[0].frame
        with self._lock:
            first = self._first_index.get(frame.camera_id)
            if self._stopped or first is None or frame.index < first:
                return  # its frame came before the recording began, or after it ended
            if self._ended.is_set() or not self._refined_encoder.running:
                self._count_refined(frame.camera_id, failed=1)
            elif self.crowded() or self._repairs.full():
                self._count_refined(frame.camera_id, dropped=1)
            else:
                self._repairs.put_nowait(repaired)  # only this method adds frames, and the lock is held
                self._count_refined(frame.camera_id, waiting=1)

    def crowded(self) -> bool:
        """Whether raw frames need what is left of the queue."""
        return self._queue.qsize() >= REFINED_SHARE * self._queue.maxsize

    def _count_refined(self, camera_id: str, **changes: int) -> None:
        """Add to the counts; the lock is held."""
        count = self._refined[camera_id]
        sums = {name: getattr(count, name) + change for name, change in changes.items()}
        self._refined[camera_id] = replace(count, **sums)

    def _encode_refined(self, _stop: threading.Event) -> None:
        while (repaired := self._repairs.get()) is not None:
            refined, made_by = repaired
            camera_id = refined.frame.camera_id
            meta = RefinedMeta(frame_number=refined.frame.index, took_ms=refined.took_ms, made_by=made_by)
            stored = RefinedFrame(refined.depth, refined.provenance, meta)
            encoded = encode_refined(camera_id, stored, ready_ns=refined.ready_ns)
            with self._lock:
                if self.crowded():
                    self._count_refined(camera_id, waiting=-1, dropped=1)
                else:
                    self._queue.put_nowait(encoded)

    def _settle(self, frame: Frame, lost: Stage | None = None, *, compact: bool = False) -> None:
        """A frame that waited is written, or lost at this stage."""
        with self._lock:
            count = self._counts[frame.camera_id]
            written = int(lost is None)
            self._counts[frame.camera_id] = replace(
                count,
                waiting=count.waiting - 1,
                written=count.written + written,
                compact=count.compact + (written and compact),
            )
            if lost is not None:
                self._lose(frame, lost)

    def _settle_rest(self) -> None:
        """Account for what still waits after a worker has died."""
        while True:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if isinstance(waiting, tuple):
                self._settle(waiting[0], Stage.ENDED)

    def _write(self, _stop: threading.Event) -> None:
        while (waiting := self._queue.get()) is not None:
            if isinstance(waiting, EncodedRefined):
                self._write_refined(waiting)
                continue
            frame, future = waiting
            failure = future.exception()
            if self._ended.is_set():
                self._settle(frame, Stage.ENDED)
            elif failure is not None:
                self._settle(frame, Stage.ENCODE)
                hint = "What was recorded is safe; the log file has the details."
                self._end(SessionError(f"A frame could not be compressed: {failure}.", hint=hint))
            else:
                encoded = future.result()
                try:
                    self._writer.write(encoded)
                except SessionError as error:
                    self._settle(frame, Stage.WRITE)
                    self._end(error)
                else:
                    self._settle(frame, compact=topics.DEPTH_JXL in encoded.images)

    def _write_refined(self, encoded: EncodedRefined) -> None:
        outcome = "failed"
        if not self._ended.is_set():
            try:
                outcome = "written" if self._writer.write_refined(encoded) else "unplaced"
            except SessionError as error:
                self._end(error)
        with self._lock:
            self._count_refined(encoded.camera_id, **{"waiting": -1, outcome: 1})

    def _sync(self, stop: threading.Event) -> None:
        said_s = looked_s = 0.0
        while not stop.wait(SYNC_S):
            try:
                started_s = time.perf_counter()
                self._writer.sync()
                self._sync_ms = (time.perf_counter() - started_s) * 1e3
                now_s = time.monotonic()
                if now_s - looked_s >= CAUTIONS_S:
                    looked_s = now_s
                    self._look_around()
                if now_s - said_s >= STATUS_S:
                    said_s = now_s
                    self._say_status()
            except SessionError as error:
                self._end(error)
                return

    def _look_around(self) -> None:
        moved_ns = time.time_ns() - self._writer.info.anchor.utc_from_monotonic(time.monotonic_ns())
        found = (self._slow_disk, battery(), heat(), clock_jump(moved_ns / 1e9))
        self._cautions = tuple(caution for caution in found if caution is not None)

    def _say_status(self) -> None:
        status = self.status()
        cameras = {
            camera_id: {**vars(count), "away_s": round(count.away_s, 3)}
            for camera_id, count in status.cameras.items()
        }
        self._writer.add_status(
            {
                "seconds": round(status.seconds, 3),
                "queue_fill": round(status.queue_fill, 3),
                "disk_free_bytes": status.disk_free_bytes,
                "synced_s": round(status.synced_s, 3),
                "sync_ms": round(status.sync_ms, 1),
                "compact": status.compact,
                "cameras": cameras,
                "refined": {camera_id: vars(count) for camera_id, count in status.refined.items()},
                "cautions": [english(caution.text) for caution in status.cautions],
                "sync": {name: entry.model_dump() for name, entry in self._sync_entries().items()},
            }
        )
        with self._lock:
            news = {camera_id: ledger.news() for camera_id, ledger in self._ledgers.items()}
        drops = {
            camera_id: {
                "lost": count.lost,
                "stages": count.stages,
                "new": [loss.model_dump(mode="json") for loss in news[camera_id]],
            }
            for camera_id, count in status.cameras.items()
        }
        self._writer.add_drops(drops)
        if status.time_left_s <= 0 and not self._ended.is_set():
            self._end(
                SessionError(
                    f"The disk is nearly full: {status.disk_free_bytes / 1e9:.1f} GB are left.",
                    hint="What was recorded is safe. Make room or choose another disk, then record again.",
                )
            )

    def _failed(self, error: Exception) -> None:
        """Something that nobody expected ended a worker; what is in the file stays."""
        hint = "What was recorded is safe; the log file has the details."
        self._end(SessionError(f"The recorder failed: {error}.", hint=hint))

    def _free_bytes(self) -> int:
        """On the session's disk; a disk that is gone has none, and ends the recording."""
        try:
            return shutil.disk_usage(self._session).free
        except OSError as error:
            hint = "Check the disk; what was written before is on it."
            self._end(SessionError(f"The disk of {self._session} is gone: {error.strerror}.", hint=hint))
            return 0

    def _end(self, error: SessionError) -> None:
        with self._lock:
            if self._error is not None:
                return
            self._error = error
        log.error("the recording ended by itself: %s %s", error, error.hint)
        self._ended.set()

    def _check_disk(self) -> None:
        """Make the library's folder, and refuse a disk without room; a slow one is a caution."""
        parent = self._session.parent
        with _usable(parent):
            parent.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(parent).free
        rate = self._guessed_rate()
        if self._limits.seconds_left(free, rate) < self._limits.start_s:
            raise PlaceRefusedError(
                f"The disk has room for less than {self._limits.start_s / 60:.0f} minutes: "
                f"{free / 1e9:.1f} GB are left.",
                hint="Delete sessions, or choose another disk in Settings.",
            )
        with _usable(parent):
            self._slow_disk = slow_disk(disk_speed(parent), rate)

    def _guessed_rate(self) -> float:
        """Bytes a second before there is a file to measure."""
        cameras = ((frame, self._lines[camera_id][0]) for camera_id, frame in self._first.items())
        return sum(bytes_per_s(frame, camera.info.rate_hz) for frame, camera in cameras)


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """What the system refuses in here makes the folder one for no recording."""
    try:
        yield
    except OSError as error:
        raise PlaceRefusedError(
            f"The folder {folder} cannot be used: {error.strerror}.",
            hint="Choose a writable sessions folder in Settings.",
        ) from error


def _of_this_recording(frame: Frame, started_ns: int) -> Frame:
    """A camera's first frame without the readings of before: a session's time begins when it begins.

    A camera that was silent for long brings all that its inertial sensor felt meanwhile.
    """
    return replace(frame, imu=tuple(read for read in frame.imu if read.captured_ns >= started_ns))
