"""Writes a session so that a crash costs less than a second of it."""

import json
import os
import platform
import shutil
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from drivers.camera import CameraInfo
from drivers.controls import Value
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.session import cdr, topics
from drivers.session.audit import Audit, audit
from drivers.session.durable import LOCK_NAME, SessionLock, sync_data, sync_folder
from drivers.session.encode import EncodedFrame
from drivers.session.host_clock import ClockLineFit, network_time
from drivers.session.labels import LabelEvent, add_label, append_event, event_json
from drivers.session.ledger import Ledger, LostFrames, Stage, by_stage, losses_at, unaccounted
from drivers.session.manifest import (
    CALIBRATION_NAME,
    MANIFEST_NAME,
    SESSION_NAME,
    Anchor,
    CalibrationEntry,
    CalibrationFile,
    CameraEntry,
    CameraTotals,
    Manifest,
    RefinedTotals,
    SegmentEntry,
    SessionInfo,
    SyncEntry,
    document_hashes,
    write_model,
)
from drivers.session.png16 import SIGNATURE as PNG_SIGNATURE
from drivers.session.refined import EncodedRefined
from drivers.session.repair import finalize
from drivers.session.segment import Segment
from drivers.session.topics import camera_info_topic, frame_id, topic

RESERVE_BYTES = 64 << 20
SEGMENT_S = 60.0
SEGMENT_BYTES = 4_000_000_000
PREVIEW_PERIOD_NS = 200_000_000
CAMERA_INFO_PERIOD_NS = 1_000_000_000
CLOCK_PERIOD_NS = 10_000_000_000
PLACES_KEPT = 4096
"""Frames of each camera that refined depth can still be added to: two minutes at 30 Hz."""

_DISK_FULL_HINT = "What was recorded so far is safe. Make room or choose another disk, then record again."


@dataclass(frozen=True)
class Origin:
    """Where a session comes from that another program recorded.

    Attributes:
        utc_ns: the moment at which `captured_ns` of its frames is 0.
        source: format and name of what it was made from.
    """

    utc_ns: int
    source: str


@dataclass(frozen=True)
class KeptControls:
    """What a camera was set to.

    Attributes:
        values: by the name of the control.
        vendor_settings: as the vendor's own tool would save it, or empty.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    vendor_settings: str = ""


@dataclass(frozen=True, eq=False)
class SessionCamera:
    """What a recording must know of a camera before its first frame.

    Attributes:
        info: as the camera says.
        calibration: immutable for the whole session.
        depth_unit_m: metres per count of depth.
        truth_unit_m: metres per count of exact depth, or None.
        rig_from_color: (4, 4) metres, where the camera sits; None for the origin.
        controls: what it is set to.
        sync: how its exposures are timed.
    """

    info: CameraInfo
    calibration: Calibration
    depth_unit_m: float
    truth_unit_m: float | None = None
    rig_from_color: NDArray[np.float64] | None = None
    controls: KeptControls = KeptControls()
    sync: str = "free run"


def session_camera(
    info: CameraInfo,
    frame: Frame,
    *,
    rig_from_color: NDArray[np.float64] | None = None,
    controls: KeptControls | None = None,
    sync: str = "free run",
) -> SessionCamera:
    """What a recording must know of a camera, taken from any of its frames.

    Args:
        info: as the camera says.
        frame: any of it.
        rig_from_color: where the camera sits; None takes what the frame's own calibration knows of it.
        controls: what the camera is set to.
        sync: how its exposures are timed.
    """
    if rig_from_color is None:
        rig_from_color = frame.calibration.rig_from_color
    truth_unit_m = None if frame.truth is None else frame.truth.unit_m
    kept = controls or KeptControls()
    return SessionCamera(
        info, frame.calibration, frame.depth.unit_m, truth_unit_m, rig_from_color, kept, sync
    )


def new_session_folder(library: Path, site: str = "", *, began: datetime | None = None) -> Path:
    """A folder name in `library` that no other session has; nothing is created.

    Args:
        library: of sessions.
        site: where it was recorded.
        began: when, in UTC; None for now.
    """
    started = (began or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    place = "".join(c if c.isalnum() and c.isascii() else "-" for c in site).strip("-")[:40] or "nosite"
    return library / f"{started}_{place}_{uuid.uuid4().hex[:8]}"


def clock_anchor() -> Anchor:
    """This moment on both clocks, from the tightest of a few readings."""
    readings = []
    for _ in range(9):
        before_ns = time.monotonic_ns()
        utc_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        readings.append((after_ns - before_ns, utc_ns, (before_ns + after_ns) // 2))
    _, utc_ns, monotonic_ns = min(readings)
    return Anchor(utc_ns=utc_ns, monotonic_ns=monotonic_ns)


class _CameraState:
    """What the writer keeps of one camera between frames."""

    def __init__(self, camera: SessionCamera) -> None:
        self.camera = camera
        self.frames = 0
        self.first_index: int | None = None
        self.last_index = 0
        self.compact = 0
        self.unsure: list[tuple[int, bool]] = []  # number and compactness of each frame of the open segment
        self.ledger = Ledger()
        self.last_log_ns = 0
        self.preview_ns: int | None = None
        self.camera_info_ns: int | None = None
        self.places: OrderedDict[int, int] = OrderedDict()  # by frame number: log time, until it is refined
        self.refined = 0
        self.clock = ClockLineFit()
        self.camera_infos = {
            sensor: intrinsics
            for sensor, intrinsics in _sensors(camera.calibration)
            if intrinsics is not None
        }


class SessionWriter:
    """A session being recorded. All methods may be called from any thread.

    Nothing here compresses: `drivers.session.encode.encode` does that, in as many threads as one likes. One
    thread hands the results to `write`, in the order of their capture; another one calls `sync` every 0.25 s.
    """

    def __init__(
        self,
        folder: Path,
        cameras: Sequence[SessionCamera],
        *,
        site: str = "",
        operator: str = "",
        scene: str = "",
        tags: Iterable[str] = (),
        notes: str = "",
        consent: str = "",
        compact: bool = False,
        app_version: str = "",
        segment_s: float = SEGMENT_S,
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
        origin: Origin | None = None,
    ) -> None:
        """Create the folder and everything in it that precedes the first frame.

        Args:
            folder: of the session; absent or empty.
            cameras: all that will be written, each with its own id.
            site: where, free text; a label, like the five that follow.
            operator: who.
            scene: category.
            tags: free words.
            notes: free text.
            consent: of the people in view.
            compact: whether depth is meant to be JPEG XL; each frame may be either.
            app_version: of the program, for the record.
            segment_s: length of one file.
            segment_bytes: size of one file.
            reserve_bytes: disk space that is left for the index.
            origin: of a session that is made from another program's files; None for one of this moment.

        Raises:
            SessionError: the folder holds something, cannot be written, or the disk is full.
        """
        assert cameras, "a session has at least one camera"
        self.folder = folder
        self._segment_s = segment_s
        self._segment_bytes = segment_bytes
        self._reserve_bytes = reserve_bytes
        self._cameras = {camera.info.id: _CameraState(camera) for camera in cameras}
        assert len(self._cameras) == len(cameras), "camera ids are unique"
        for camera_id in self._cameras:
            if not camera_id.isascii() or not camera_id.replace("_", "a").isalnum():
                raise SessionError(
                    f"the camera name {camera_id!r} cannot be part of a topic",
                    hint="Name the camera with letters, digits and underscores only.",
                )
        self._origin = origin
        began = datetime.now(UTC) if origin is None else datetime.fromtimestamp(origin.utc_ns / 1e9, UTC)
        self.info = SessionInfo(
            id=uuid.uuid4().hex,
            site=site,
            operator=operator,
            consent=consent,
            started_utc=began.isoformat(timespec="seconds"),
            app_version=app_version,
            host=platform.node(),
            depth_profile="compact" if compact else "standard",
            imported_from="" if origin is None else origin.source,
            anchor=clock_anchor() if origin is None else Anchor(utc_ns=origin.utc_ns, monotonic_ns=0),
            cameras=tuple(_entry(camera) for camera in cameras),
        )
        self._calibration = CalibrationFile(
            cameras={c.info.id: CalibrationEntry.of(c.calibration, c.rig_from_color) for c in cameras}
        )
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._failure: str | None = None
        self._closed = False
        self._retired: list[Segment] = []
        self._entries: list[SegmentEntry] = []
        self._audits: list[Audit] = []
        self._segments = 0
        self._lead = ""
        self._clock_ns: int | None = None
        self._captured_ns = 0
        self._synced_ns = 0
        self._lock = SessionLock(folder)
        self._prepare_folder()
        try:
            self._check_room(0)
            write_model(folder / SESSION_NAME, self.info)
            write_model(folder / CALIBRATION_NAME, self._calibration)
            self._segment = self._new_segment()
            sync_folder(folder)
            texts = [("site", site), ("operator", operator), ("scene", scene), ("note", notes)]
            texts.append(("consent", consent))
            texts += [("tag", tag) for tag in tags]
            for kind, value in texts:
                if value:
                    self.add_label(add_label(kind, value))  # type: ignore[arg-type]
        except OSError as error:
            self._lock.release()
            raise SessionError(
                f"the recording in {folder} could not begin: {error.strerror}", hint=_DISK_FULL_HINT
            ) from error
        except SessionError:
            self._lock.release()
            raise

    @property
    def synced_until_ns(self) -> int:
        """Host monotonic time of the latest exposure that is on the disk; 0 before the first."""
        return self._synced_ns

    @property
    def bytes_written(self) -> int:
        """Bytes of all segments so far."""
        with self._write_lock:
            done = sum(entry.size for entry in self._entries) + sum(s.size for s in self._retired)
            return done + (0 if self._closed else self._segment.size)

    def write(self, encoded: EncodedFrame) -> None:
        """Append one frame; `sync` makes it durable.

        Raises:
            SessionError: the disk is full or gone, or the frame does not fit the session. What was written
                before is kept and `close` still works.
        """
        with self._write_lock:
            state = self._accept(encoded)
            log_ns = max(self.info.anchor.utc_from_monotonic(encoded.captured_ns), state.last_log_ns + 1)
            try:
                if self._roll_due(encoded.camera_id):
                    self._roll()
                self._check_room(self._segment.pending_bytes + encoded.size)
                self._add_frame(encoded, state, log_ns)
                self._add_clock(encoded.captured_ns, log_ns)
                if self._segment.chunk_due:
                    self._segment.end_chunk()
            except OSError as error:
                raise self._failed(error) from error
            self._captured_ns = max(self._captured_ns, encoded.captured_ns)

    def write_refined(self, encoded: EncodedRefined) -> bool:
        """Add refined depth to a frame written before; `sync` makes it durable.

        Returns:
            False, and nothing is written, where the session does not hold that frame, has forgotten it (it
            knows the last `PLACES_KEPT` of a camera), or has refined depth of it.

        Raises:
            SessionError: the disk is full or gone, or the image does not fit the session.
        """
        with self._write_lock:
            state = self._state(encoded.camera_id)
            color = state.camera.calibration.color
            promised = ((color.width, color.height), state.camera.depth_unit_m)
            if (encoded.size, encoded.unit_m) != promised:
                raise SessionError(
                    f"refined depth of {encoded.camera_id} has size and unit "
                    f"{(encoded.size, encoded.unit_m)}, colour and raw depth have {promised}",
                    hint="Record without refined depth.",
                )
            number = encoded.meta.frame_number
            log_ns = state.places.pop(number, None)
            if log_ns is None:
                return False
            try:
                self._check_room(self._segment.pending_bytes + encoded.total_bytes)
                self._add_refined(encoded, log_ns)
                if self._segment.chunk_due:
                    self._segment.end_chunk()
            except OSError as error:
                raise self._failed(error) from error
            state.refined += 1
            return True

    def add_label(self, event: LabelEvent) -> None:
        """Say something of the session; durable when this returns.

        Raises:
            SessionError: the disk does not take it.
        """
        append_event(self.folder, event)
        self._add_text(topics.LABELS, event_json(event))

    def add_status(self, values: Mapping[str, Any]) -> None:
        """What the recorder says of itself once a second: any JSON.

        Raises:
            SessionError: the disk does not take it.
        """
        self._add_text(topics.STATUS, json.dumps(values))

    def add_drops(self, values: Mapping[str, Any]) -> None:
        """Which frames were lost and where: any JSON.

        Raises:
            SessionError: the disk does not take it.
        """
        self._add_text(topics.DROPS, json.dumps(values))

    def sync(self) -> None:
        """Make all that was written durable; `write` goes on meanwhile.

        Raises:
            SessionError: the disk does not take it.
        """
        with self._sync_lock:
            with self._write_lock:
                if self._closed:
                    return
                try:
                    if self._failure is None:
                        self._segment.end_chunk()
                    # A descriptor of our own, because `write` may end the segment while we wait for the disk.
                    descriptor = os.dup(self._segment.descriptor)
                except OSError as error:
                    raise self._failed(error) from error
                captured_ns = self._captured_ns
                retired = list(self._retired)
            try:
                try:
                    # First what is new, because looking through a finished file takes a moment.
                    sync_data(descriptor)
                    self._complete(retired)
                finally:
                    os.close(descriptor)
            except OSError as error:
                with self._write_lock:
                    raise self._failed(error) from error
            self._synced_ns = captured_ns

    def close(
        self,
        totals: Mapping[str, CameraTotals] | None = None,
        refined: Mapping[str, RefinedTotals] | None = None,
        lost: Mapping[str, tuple[LostFrames, ...]] | None = None,
        sync: Mapping[str, SyncEntry] | None = None,
    ) -> Manifest:
        """End the session: index, manifest, final names. Works after a failed `write` as well.

        The sums, and each number of a device's counter, are compared with a scan of the files.

        Args:
            totals: where the frames of each camera went; None takes them from the device counters seen here.
            refined: where their refined depth went; None counts what was written here.
            lost: which numbers were lost; None takes the gaps seen here.
            sync: whether the cameras exposed together, where somebody measured it.

        Raises:
            SessionError: not even the index could be written; `drivers.session.recover` mends that later.
        """
        with self._sync_lock, self._write_lock:
            assert not self._closed, "a session is closed once"
            self._closed = True
            try:
                self._finish_segment(totals or self._totals())
                self._complete([*self._retired, self._segment])
                manifest = Manifest(
                    session_id=self.info.id,
                    files=tuple(sorted(self._entries, key=lambda entry: entry.name)),
                    documents=document_hashes(self.folder),
                    sync=dict(sync or {}),
                    failure=self._failure or "",
                )
                manifest = self._accounted(manifest, totals, refined, lost)
                write_model(self.folder / MANIFEST_NAME, manifest)
            except OSError as error:
                raise SessionError(
                    f"the recording in {self.folder} has no index: {error.strerror}",
                    hint=f"Make room on the disk, then run `python main.py recover {self.folder}`.",
                ) from error
            finally:
                self._lock.release()
            self._synced_ns = self._captured_ns
            return manifest

    def _accounted(
        self,
        manifest: Manifest,
        totals: Mapping[str, CameraTotals] | None,
        refined: Mapping[str, RefinedTotals] | None,
        lost: Mapping[str, tuple[LostFrames, ...]] | None,
    ) -> Manifest:
        """The manifest with where every frame went, compared with what the files hold."""
        numbers = {
            camera_id: np.concatenate(
                [
                    np.empty(0, np.int64),
                    *(a.numbers[camera_id] for a in self._audits if camera_id in a.numbers),
                ]
            )
            for camera_id in self._cameras
        }
        totals = dict(totals or self._totals())
        refined = self._refined_totals(manifest) if refined is None else refined
        if lost is None:
            lost = {camera_id: state.ledger.ranges for camera_id, state in self._cameras.items()}
        lost = dict(lost)
        for camera_id, state in self._cameras.items():
            held = set(numbers[camera_id].tolist())
            cut = [number for number in state.unsure if number[0] not in held]
            if self._segment.repaired and cut and camera_id in totals:  # a full disk took their chunk back
                lost[camera_id] = (*lost.get(camera_id, ()), *losses_at(Stage.WRITE, [n for n, _ in cut]))
                totals[camera_id] = totals[camera_id].without(len(cut), compact=sum(c for _, c in cut))
        faults = [
            f"{entry.name} does not hold what its index says"
            for entry, found in zip(self._entries, self._audits, strict=True)
            if found.counts != entry.counts
        ]
        incomplete = sum(found.incomplete for found in self._audits)
        faults += [f"{incomplete} frames lack an image"] if incomplete else []
        for camera_id, total in totals.items():
            found_numbers, losses = numbers[camera_id], lost.get(camera_id, ())
            if not total.honest:
                faults.append(f"the sums of {camera_id} do not add up")
            if total.written != found_numbers.size:
                faults.append(
                    f"{camera_id}: {total.written} frames were written, the files hold {found_numbers.size}"
                )
            elif fault := unaccounted(found_numbers, losses):
                faults.append(f"{camera_id}: {fault}")
        for camera_id, repairs in refined.items():
            if not repairs.honest or repairs.written != manifest.refined_frames(camera_id):
                faults.append(f"the sums of refined depth of {camera_id} do not add up")
        return manifest.model_copy(
            update={
                "totals": dict(totals),
                "refined": dict(refined),
                "lost": {camera_id: losses for camera_id, losses in lost.items() if losses},
                "honest": not faults,
                "dishonest_because": "; ".join(faults),
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._closed:
            self.close()

    def _prepare_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            if any(path.name != LOCK_NAME for path in self.folder.iterdir()):
                self._lock.release()
                raise SessionError(
                    f"{self.folder} is not empty", hint="Choose a new folder; nothing is ever written over."
                )
            sync_folder(self.folder.parent)
        except OSError as error:
            raise SessionError(
                f"{self.folder} cannot be written: {error.strerror}",
                hint="Choose a folder that you may write to.",
            ) from error

    def _new_segment(self) -> Segment:
        segment = Segment(self.folder, self._segments)
        try:
            self._begin(segment)
        except OSError:
            segment.close_file()
            segment.path.unlink(missing_ok=True)
            raise
        self._segments += 1
        self._lead = ""
        return segment

    def _begin(self, segment: Segment) -> None:
        """What makes a segment readable on its own."""
        at_ns = self._now_utc_ns()
        calibration = self._calibration.model_dump_json().encode()
        segment.add_metadata("session", _session_metadata(self.info))
        for entry in self.info.cameras:
            values = {key: str(value) for key, value in entry.model_dump(exclude_none=True).items()}
            segment.add_metadata(f"camera/{entry.id}", values)
        segment.add_attachment(CALIBRATION_NAME, calibration, at_ns)
        segment.register(topics.TF_STATIC, cdr.TF_MESSAGE)
        for name in (topics.LABELS, topics.STATUS, topics.DROPS, topics.CLOCK):
            segment.register(name, cdr.STRING)
        for camera_id, state in self._cameras.items():
            for sensor in state.camera_infos:
                segment.register(camera_info_topic(camera_id, sensor), cdr.CAMERA_INFO)
            segment.register(topic(camera_id, topics.COLOR), cdr.COMPRESSED_IMAGE)
            segment.register(topic(camera_id, topics.DEPTH), cdr.COMPRESSED_IMAGE)
            segment.register(topic(camera_id, topics.PREVIEW), cdr.IMAGE)
            segment.register(topic(camera_id, topics.META), cdr.FRAME_META)
            state.camera_info_ns = None
            state.preview_ns = None
            state.unsure = []
        tree = cdr.transforms(at_ns, self._links())
        segment.add(topics.TF_STATIC, tree, log_ns=at_ns, publish_ns=at_ns, sequence=0)
        for camera_id, state in self._cameras.items():
            self._add_camera_info(segment, camera_id, state, at_ns)
        segment.end_chunk()

    def _links(self) -> list[tuple[str, str, NDArray[np.float64]]]:
        links = []
        for camera_id, state in self._cameras.items():
            calibration = state.camera.calibration
            color = frame_id(camera_id, "color")
            mount = state.camera.rig_from_color
            links.append(("rig", color, np.eye(4) if mount is None else mount))
            links.append((color, frame_id(camera_id, "depth"), calibration.color_from_depth))
            if calibration.color_from_ir_left is not None:
                left = frame_id(camera_id, "infra1")
                links.append((color, left, calibration.color_from_ir_left))
                if calibration.baseline_m is not None:
                    left_from_right = np.eye(4)
                    left_from_right[0, 3] = calibration.baseline_m
                    links.append((left, frame_id(camera_id, "infra2"), left_from_right))
        return links

    def _state(self, camera_id: str) -> _CameraState:
        """What is known of a camera, while it can be written."""
        if self._closed:
            raise SessionError(f"{self.folder} is closed", hint="Start a new recording.")
        if self._failure is not None:
            raise SessionError(self._failure, hint=_DISK_FULL_HINT)
        state = self._cameras.get(camera_id)
        if state is None:
            raise SessionError(
                f"the camera {camera_id} came after the recording began",
                hint="Stop and record again; a session keeps the cameras it began with.",
            )
        return state

    def _accept(self, encoded: EncodedFrame) -> _CameraState:
        state = self._state(encoded.camera_id)
        camera = state.camera
        promised = (
            (camera.calibration.color.width, camera.calibration.color.height),
            (camera.calibration.depth.width, camera.calibration.depth.height),
            camera.depth_unit_m,
        )
        delivered = (encoded.color_size, encoded.depth_size, encoded.depth_unit_m)
        truth_changed = encoded.truth_unit_m is not None and encoded.truth_unit_m != camera.truth_unit_m
        if delivered != promised or truth_changed:
            raise SessionError(
                f"the camera {encoded.camera_id} changed its mode while recording: colour, depth, unit were "
                f"{promised} and are {delivered}",
                hint="Stop and record again; a session keeps the modes it began with.",
            )
        return state

    def _add_frame(self, encoded: EncodedFrame, state: _CameraState, log_ns: int) -> None:
        segment = self._segment
        camera_id = encoded.camera_id
        self._lead = self._lead or camera_id
        publish_ns = self.info.anchor.utc_from_monotonic(encoded.arrived_ns)
        missing = 0 if state.first_index is None else max(0, encoded.index - state.last_index - 1)

        def add(stream: str, data: bytes) -> None:
            segment.add(
                topic(camera_id, stream), data, log_ns=log_ns, publish_ns=publish_ns, sequence=encoded.index
            )

        for stream, image in encoded.images.items():
            segment.register(topic(camera_id, stream), cdr.COMPRESSED_IMAGE)
            add(stream, _compressed(camera_id, stream, log_ns, image))
        if state.preview_ns is None or log_ns - state.preview_ns >= PREVIEW_PERIOD_NS:
            state.preview_ns = log_ns
            where = frame_id(camera_id, topics.PREVIEW)
            add(topics.PREVIEW, cdr.depth_image(log_ns, where, encoded.preview))
        if state.camera_info_ns is None or log_ns - state.camera_info_ns >= CAMERA_INFO_PERIOD_NS:
            self._add_camera_info(segment, camera_id, state, log_ns)
        self._add_imu(segment, encoded, publish_ns)
        # Last, so that a frame with this message is a whole frame wherever the file was cut.
        meta = cdr.FrameMeta(
            stamp_ns=log_ns,
            frame_id=frame_id(camera_id, topics.META),
            device_ts_ns=encoded.device_ns,
            host_arrival_ns=publish_ns,
            frame_number=encoded.index,
            dropped_before=missing,
            images_crc32={stream: isal_zlib.crc32(image) for stream, image in encoded.images.items()},
        )
        add(topics.META, cdr.frame_meta(meta.with_settings(encoded.settings)))
        state.places[encoded.index] = log_ns
        if len(state.places) > PLACES_KEPT:
            state.places.popitem(last=False)
        state.last_log_ns = log_ns
        state.ledger.lose(encoded.index - missing, encoded.index - 1, Stage.DEVICE)
        state.last_index = max(encoded.index, state.last_index)
        state.frames += 1
        compact = topics.DEPTH_JXL in encoded.images
        state.compact += compact
        state.unsure.append((encoded.index, compact))
        state.clock.add(encoded.device_ns, encoded.captured_ns)
        if state.first_index is None:
            state.first_index = encoded.index

    def _add_refined(self, encoded: EncodedRefined, log_ns: int) -> None:
        segment = self._segment
        publish_ns = self.info.anchor.utc_from_monotonic(encoded.ready_ns)
        images = [
            (stream, cdr.COMPRESSED_IMAGE, _compressed(encoded.camera_id, stream, log_ns, image))
            for stream, image in encoded.images.items()
        ]
        # Last, as a frame's own meta message is.
        meta = (topics.REFINED_META, cdr.STRING, cdr.string(encoded.meta.model_dump_json()))
        for stream, schema, data in (*images, meta):
            name = topic(encoded.camera_id, stream)
            segment.register(name, schema)
            segment.add(name, data, log_ns=log_ns, publish_ns=publish_ns, sequence=encoded.meta.frame_number)

    def _add_imu(self, segment: Segment, encoded: EncodedFrame, publish_ns: int) -> None:
        """Inertial readings that came with a frame, each at its own time and with the frame's number."""
        name = topic(encoded.camera_id, topics.IMU)
        where = frame_id(encoded.camera_id, topics.IMU)
        for sample in encoded.imu:
            segment.register(name, cdr.IMU)
            at_ns = self.info.anchor.utc_from_monotonic(sample.captured_ns)
            data = cdr.imu(
                cdr.Imu(at_ns, where, sample.angular_velocity_rad_s, sample.linear_acceleration_m_s2)
            )
            segment.add(name, data, log_ns=at_ns, publish_ns=publish_ns, sequence=encoded.index)

    @staticmethod
    def _add_camera_info(segment: Segment, camera_id: str, state: _CameraState, log_ns: int) -> None:
        state.camera_info_ns = log_ns
        for sensor, intrinsics in state.camera_infos.items():
            data = cdr.camera_info(log_ns, frame_id(camera_id, sensor), intrinsics)
            name = camera_info_topic(camera_id, sensor)
            segment.add(name, data, log_ns=log_ns, publish_ns=log_ns, sequence=0)

    def _add_clock(self, captured_ns: int, log_ns: int) -> None:
        if self._origin is not None:
            return  # the clocks of this computer say nothing of that recording
        if self._clock_ns is not None and captured_ns - self._clock_ns < CLOCK_PERIOD_NS:
            return
        self._clock_ns = captured_ns
        now = clock_anchor()
        ntp = network_time()
        cameras = {}
        for camera_id, state in self._cameras.items():
            line = state.clock.line()
            fit = {} if line is None else asdict(line)
            cameras[camera_id] = {"sync": state.camera.sync, **fit}
        values = {
            "monotonic_ns": now.monotonic_ns,
            "realtime_ns": now.utc_ns,
            "realtime_minus_session_ns": now.utc_ns - self.info.anchor.utc_from_monotonic(now.monotonic_ns),
            "ntp": None if ntp is None else asdict(ntp),
            "cameras": cameras,
        }
        data = cdr.string(json.dumps(values))
        self._segment.add(topics.CLOCK, data, log_ns=log_ns, publish_ns=log_ns, sequence=0)

    def _now_utc_ns(self) -> int:
        """This moment of the session."""
        now_ns = time.monotonic_ns() if self._origin is None else self._captured_ns
        return self.info.anchor.utc_from_monotonic(now_ns)

    def _add_text(self, name: str, text: str) -> None:
        at_ns = self._now_utc_ns()
        with self._write_lock:
            if self._closed or self._failure is not None:
                return
            try:
                self._segment.add(name, cdr.string(text), log_ns=at_ns, publish_ns=at_ns, sequence=0)
            except OSError as error:
                raise self._failed(error) from error

    def _roll_due(self, camera_id: str) -> bool:
        """Whether the next frame begins a new file: on the boundary of a frame set where there is one."""
        age_s = time.monotonic() - self._segment.opened_s
        if age_s < self._segment_s and self._segment.size < self._segment_bytes:
            return False
        return camera_id == self._lead or age_s > self._segment_s + 1.0 or not self._lead

    def _roll(self) -> None:
        full = self._segment
        full.finish()
        self._segment = self._new_segment()
        self._retired.append(full)

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free < self._reserve_bytes + size:
            self._failure = f"the disk of {self.folder} is full: {free / 1e6:.0f} MB are left"
            raise SessionError(self._failure, hint=_DISK_FULL_HINT)

    def _failed(self, error: OSError) -> SessionError:
        self._failure = f"the recording in {self.folder} cannot go on: {error.strerror}"
        return SessionError(self._failure, hint=_DISK_FULL_HINT)

    def _finish_segment(self, totals: Mapping[str, CameraTotals]) -> None:
        segment = self._segment
        if segment.finished:
            return
        values = {
            f"{camera}/{key}": str(n) for camera, t in totals.items() for key, n in t.model_dump().items()
        }
        if not segment.broken:
            try:
                segment.end_chunk()
                segment.add_metadata("recorder_totals", values)
                segment.finish()
            except OSError as error:
                self._failed(error)
            else:
                return
        # The disk took a part of the last chunk only. Cutting that off makes room for the index.
        segment.close_file()
        repaired = finalize(segment.path, keep_tail=False)
        assert repaired is not None, "each segment begins with a whole chunk"
        segment.rename()
        segment.repaired = True
        self._keep(repaired.entry(segment.name))

    def _complete(self, segments: Iterable[Segment]) -> None:
        """Make finished files durable under their final names. The sync lock is held."""
        for segment in segments:
            if segment in self._retired:
                self._retired.remove(segment)
            if segment.repaired:
                continue
            sync_data(segment.descriptor)
            segment.close_file()
            segment.rename()
            self._keep(segment.entry())
        sync_folder(self.folder)

    def _keep(self, entry: SegmentEntry) -> None:
        """Remember a file that is whole under its final name, and what is really in it."""
        self._audits.append(audit(self.folder / entry.name))
        self._entries.append(entry)

    def _totals(self) -> dict[str, CameraTotals]:
        """From the device counters seen here."""
        totals = {}
        for camera_id, state in self._cameras.items():
            # A device that counts backwards or repeats a number has no gaps that we could know of.
            stages = by_stage(state.ledger.ranges)
            gap = stages.get(Stage.DEVICE, 0)
            totals[camera_id] = CameraTotals(
                device_frames=state.frames + gap,
                written=state.frames,
                device_gap=gap,
                stages=stages,
                compact=state.compact,
            )
        return totals

    def _refined_totals(self, manifest: Manifest) -> dict[str, RefinedTotals]:
        """From what was written here, and what the finished files hold."""
        totals = {}
        for camera_id, state in self._cameras.items():
            if state.refined:
                held = manifest.refined_frames(camera_id)
                lost = state.refined - held
                totals[camera_id] = RefinedTotals(made=state.refined, written=held, failed=lost)
        return totals


def _compressed(camera_id: str, stream: str, log_ns: int, image: bytes) -> bytes:
    """sensor_msgs/CompressedImage of one image of one camera."""
    format_ = topics.image_format(stream)
    if format_ == topics.JPEG_FORMAT and image.startswith(PNG_SIGNATURE):
        format_ = topics.PNG_FORMAT
    parts = (topics.DEPTH_HEADER, image) if format_ == topics.DEPTH_FORMAT else (image,)
    return cdr.compressed_image(log_ns, frame_id(camera_id, stream), format_, *parts)


def _entry(camera: SessionCamera) -> CameraEntry:
    info = camera.info
    return CameraEntry(
        id=info.id,
        name=info.name,
        model=info.model,
        serial=info.serial,
        sensor=info.sensor,
        rate_hz=info.rate_hz,
        depth_unit_m=camera.depth_unit_m,
        truth_unit_m=camera.truth_unit_m,
        controls=dict(camera.controls.values),
        vendor_settings=camera.controls.vendor_settings,
        sync=camera.sync,
    )


def _session_metadata(info: SessionInfo) -> dict[str, str]:
    values = {key: str(value) for key, value in info.model_dump(exclude={"anchor", "cameras"}).items()}
    values["anchor_utc_ns"] = str(info.anchor.utc_ns)
    values["anchor_monotonic_ns"] = str(info.anchor.monotonic_ns)
    values["json"] = info.model_dump_json()
    return values


def _sensors(calibration: Calibration) -> list[tuple[str, Intrinsics | None]]:
    return [
        ("color", calibration.color),
        ("depth", calibration.depth),
        ("infra1", calibration.ir),
        ("infra2", calibration.ir),
    ]
