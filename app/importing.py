"""Makes sessions of what other programs recorded."""

import heapq
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from app import app_version
from drivers.errors import CameraNotFound, SessionError
from drivers.geometry import register_depth
from drivers.imports.recording import EPOCH_FROM_NS, Imported, RecordedCamera, Recording
from drivers.imports.table import open_recording
from drivers.session.durable import sync_folder
from drivers.session.encode import encode, encode_exact
from drivers.session.refined import MadeBy, RefinedFrame, RefinedMeta, encode_refined
from drivers.session.verify import Cancelled, Progress
from drivers.session.writer import Origin, SessionWriter, new_session_folder, session_camera
from model.repair import provenance

PARTIAL_PREFIX = ".importing-"
SYNC_FRAMES = 60
_NOTE = "The time is that of the file."


@dataclass(frozen=True)
class ImportedSession:
    """What came of it.

    Attributes:
        folder: of the session.
        source: format and name of what it was made from.
        frames: by camera id.
        notes: what was not taken over, or was assumed.
    """

    folder: Path
    source: str
    frames: dict[str, int]
    notes: tuple[str, ...]


def import_recording(
    path: Path,
    library: Path,
    *,
    progress: Progress,
    session: Path | None = None,
    exact: bool = True,
    site: str = "",
    scene: str = "",
) -> ImportedSession:
    """Make a session of another program's recording, or of a folder of images.

    The session has its name only when it is whole; what was stopped or failed leaves nothing. Its times are
    those of the recording where that counts from 1970, else those of the file.

    Args:
        path: file or folder.
        library: where the session goes.
        progress: gets frames done, and frames in all or 0 where nobody knows; false stops.
        session: folder of the session; None for a new one in `library`.
        exact: keep colour and infrared as they were stored; otherwise they become JPEG of quality 95 where
            they are none.
        site: where it was recorded.
        scene: category.

    Raises:
        CameraError: it cannot be read; the message says why.
        SessionError: the session cannot be written.
        Cancelled: `progress` returned false.
    """
    recording = open_recording(path)
    streams = [(camera, camera.frames()) for camera in recording.cameras]
    first = {camera.info.id: (camera, next(frames, None), frames) for camera, frames in streams}
    begun = {name: (camera, image, frames) for name, (camera, image, frames) in first.items() if image}
    if not begun:
        raise CameraNotFound(f"{path} holds no frame", hint="Choose another recording.")
    start_ns = min(image.frame.captured_ns for _, image, _ in begun.values())
    from_epoch = start_ns > EPOCH_FROM_NS
    began_ns = start_ns if from_epoch else path.stat().st_mtime_ns
    began = datetime.fromtimestamp(began_ns / 1e9, UTC)
    notes = recording.notes if from_epoch else (*recording.notes, _NOTE)
    target = session or new_session_folder(library, site or path.stem, began=began)
    partial = target.with_name(PARTIAL_PREFIX + target.name)
    if target.exists():
        raise SessionError(f"{target} is there already", hint="Choose another name.")
    shutil.rmtree(partial, ignore_errors=True)
    writer = SessionWriter(
        partial,
        [session_camera(camera.info, image.frame) for camera, image, _ in begun.values()],
        site=site,
        scene=scene,
        tags=("imported",),
        notes=f"Imported from {recording.source}. {' '.join(notes)}".strip(),
        app_version=app_version(),
        origin=Origin(began_ns, recording.source),
    )
    counts = dict.fromkeys(begun, 0)
    total = _total(recording)
    try:
        with writer:
            for imported in heapq.merge(*(_shifted(*each, start_ns) for each in begun.values()), key=_time):
                _tell(progress, sum(counts.values()), total)
                _write(writer, imported, recording.target, exact=exact)
                counts[imported.frame.camera_id] += 1
                if sum(counts.values()) % SYNC_FRAMES == 0:
                    writer.sync()
        partial.rename(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    done = sum(counts.values())
    progress(done, done)
    return ImportedSession(target, recording.source, counts, notes)


def _tell(progress: Progress, done: int, total: int) -> None:
    if not progress(done, total):
        raise Cancelled


def _write(writer: SessionWriter, imported: Imported, target_title: str, *, exact: bool) -> None:
    frame = imported.frame
    writer.write(encode_exact(frame, imported.color_file) if exact else encode(frame))
    if imported.target is None:
        return
    raw = register_depth(frame.depth, frame.calibration)
    refined = RefinedFrame(
        depth=imported.target,
        provenance=provenance(raw.metres, imported.target.metres),
        meta=RefinedMeta(
            frame_number=frame.index, took_ms=0.0, made_by=MadeBy(model="import", title=target_title)
        ),
    )
    writer.write_refined(encode_refined(frame.camera_id, refined, ready_ns=frame.captured_ns))


def _shifted(
    camera: RecordedCamera, first: Imported, rest: Iterator[Imported], start_ns: int
) -> Iterator[Imported]:
    """Frames of a camera with times from the recording's start."""
    for imported in itertools.chain([first], rest):
        frame = imported.frame
        captured_ns = frame.captured_ns - start_ns
        yield replace(imported, frame=replace(frame, camera_id=camera.info.id, captured_ns=captured_ns))


def _time(imported: Imported) -> int:
    return imported.frame.captured_ns


def _total(recording: Recording) -> int:
    counts = [camera.count for camera in recording.cameras]
    return 0 if None in counts else sum(count for count in counts if count)
