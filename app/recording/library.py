"""The folder of recorded sessions as the screen shows it: entries, thumbnails, trash, recovery."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.language import from_below, tr, tr_noop
from app.pictures import depth_picture, depth_range
from app.recording.entry import NO_LABELS, SessionCamera, SessionEntry, with_marks_only
from app.recording.index import LibraryIndex, signature
from drivers.errors import SessionError
from drivers.session import library
from drivers.session.durable import write_atomically
from drivers.session.labels import (
    Kind,
    LabelEvent,
    Labels,
    add_label,
    append_event,
    apply,
    read_events,
    remove_label,
    replace_label,
)
from drivers.session.library import SessionSummary, State, is_session
from drivers.session.manifest import MANIFEST_NAME, CameraEntry, Manifest
from drivers.session.reader import Session
from drivers.session.recover import needs_recovery, recover

log = logging.getLogger(__name__)

THUMBNAIL_NAME = "thumbnail.jpg"
THUMBNAIL_WIDTH_PX = 480
THUMBNAIL_QUALITY = 85
FILL_FRAMES = 8

_HINTS = {
    State.WHOLE: "",
    State.RECORDING: tr_noop("It appears here when it has been stopped."),
    State.UNFINISHED: tr_noop("It could not be recovered; make room on the disk, then open this page again."),
    State.DAMAGED: tr_noop("Put the files back from a copy, or delete the session."),
}
_PROBLEMS = {
    State.RECORDING: tr_noop("It is being recorded now."),
    State.UNFINISHED: tr_noop("The program ended while it was recording."),
}


@dataclass(frozen=True)
class Recovery:
    """What was done about one unfinished session.

    Attributes:
        folder: of the session.
        lost_s: what the crash cost.
        problem: why it could not be recovered, or empty.
        hint: what to do about that.
    """

    folder: Path
    lost_s: float = 0.0
    problem: str = ""
    hint: str = ""


def entries(folder: Path, recovered: Callable[[Recovery], None] | None = None) -> Iterator[SessionEntry]:
    """Every session below `folder`, the newest first; those that cannot be read say why.

    Each is read when it is asked for, so that the first ones can be shown while thousands follow.

    Args:
        folder: of the library.
        recovered: told of each session that a crash left unfinished and that is finished now, or cannot be;
            without it they stay as they are. One that is being recorded is left alone.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        names = sorted(
            (entry.name for entry in found if entry.is_dir() and entry.name[0] != "."), reverse=True
        )
    index = LibraryIndex(folder)
    root = f"{folder}{os.sep}"
    for name in names:
        try:
            now = signature(root + name)
            entry = index.entry(name, now)
            if entry is None and recovered is not None and needs_recovery(folder / name):
                recovered(_recover(folder / name))
                now = signature(root + name)
        except OSError:
            continue  # it went away since
        if entry is None:
            path = folder / name
            if not _is_or_was_session(path):
                continue
            entry = read_entry(path)
            index.add(entry, now)
        yield entry
    index.save()


def read_entry(folder: Path) -> SessionEntry:
    """The entry of one session; what is wrong with it is part of the entry and never raised."""
    try:
        if not is_session(folder):
            return _unreadable(folder, tr("The file session.json is missing."))
        return _entry(library.summary(folder))
    except OSError as error:
        return _unreadable(
            folder, tr("It cannot be read: {strerror}.").format(strerror=from_below(str(error.strerror)))
        )


def thumbnail(entry: SessionEntry) -> bytes | None:
    """JPEG of a colour frame from the middle, made once and kept in the session; None where there is none."""
    path = entry.folder / THUMBNAIL_NAME
    try:
        if path.exists():
            return path.read_bytes()
        if not entry.usable or entry.frames == 0:
            return None
        data = _middle_frame(entry)
    except (SessionError, OSError) as error:
        log.warning("no thumbnail of %s: %s", entry.folder, error)
        return None
    try:
        write_atomically(path, data)
    except OSError as error:
        log.warning("the thumbnail of %s is not kept: %s", entry.folder, error)
    return data


def delete(entry: SessionEntry) -> Path:
    """Move a session to the trash, from where `restore` brings it back; returns where it is now.

    Raises:
        SessionError: it is being recorded, or cannot be moved.
    """
    return library.delete(entry.folder)


def restore(trashed: Path) -> Path:
    """Bring a deleted session back; returns where it is now.

    Raises:
        SessionError: it is gone, or another session has its name.
    """
    return library.restore(trashed)


def trash(folder: Path) -> list[SessionEntry]:
    """What was deleted from this library and is still there."""
    return list(entries(folder / library.TRASH_NAME))


def purge(folder: Path) -> None:
    """Remove what is in the trash for good; nothing else ever does."""
    library.empty_trash(folder)


def _recover(path: Path) -> Recovery:
    """Finish a session that a crash left unfinished."""
    try:
        return Recovery(path, recover(path).lost_estimate_s)
    except SessionError as error:
        log.warning("%s %s", error, error.hint)
        return Recovery(path, problem=str(error), hint=_HINTS[State.DAMAGED])


@dataclass(frozen=True)
class NewMark:
    """A moment that is marked afterwards.

    Attributes:
        text: what is there.
        at_ns: UTC.
    """

    text: str
    at_ns: int


@dataclass(frozen=True)
class LabelEdit:
    """What somebody wants said of a session; None leaves a label as it is.

    Attributes:
        scene: category, empty for none, as for all that follow.
        tags: all tags of the whole session.
        notes: free text.
        operator: who recorded.
        site: where.
        consent: of the people in view.
        without: ids of labels to take away, such as marks.
        renamed: new texts by ids of labels.
        marked: moments to mark.
    """

    scene: str | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    operator: str | None = None
    site: str | None = None
    consent: str | None = None
    without: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    marked: tuple[NewMark, ...] = ()


def relabel(folder: Path, edit: LabelEdit) -> Labels:
    """Change the labels of a finished session; what was said before stays in its list of events.

    Raises:
        SessionError: the session cannot be written.
    """
    labels = apply(read_events(folder))
    for event in changes(labels, edit):
        append_event(folder, event)
    return apply(read_events(folder))


def changes(labels: Labels, edit: LabelEdit) -> list[LabelEvent]:
    """The events that lead from `labels` to what is wanted."""
    events = [remove_label(label_id) for label_id in edit.without if label_id in labels.events]
    events += [
        replace_label(labels.events[label_id], text)
        for label_id, text in edit.renamed.items()
        if label_id in labels.events and labels.events[label_id].value != text
    ]
    events += [add_label("mark", mark.text, start_ns=mark.at_ns, end_ns=mark.at_ns) for mark in edit.marked]
    texts: tuple[tuple[Kind, str | None, str], ...] = (
        ("scene", edit.scene, labels.scene),
        ("note", edit.notes, labels.notes),
        ("operator", edit.operator, labels.operator),
        ("site", edit.site, labels.site),
        ("consent", edit.consent, labels.consent),
    )
    for kind, wanted, now in texts:
        if wanted is not None and wanted != now:
            events += _said_once(labels, kind, wanted)
    if edit.tags is not None:
        events += [
            remove_label(label.id)
            for label in labels.events.values()
            if label.kind == "tag" and label.start_ns is None and label.value not in edit.tags
        ]
        events += [add_label("tag", tag) for tag in edit.tags if tag not in labels.tags]
    return events


def _said_once(labels: Labels, kind: Kind, value: str) -> list[LabelEvent]:
    """One label of this kind with this text, or none where it is empty."""
    standing = [label for label in labels.events.values() if label.kind == kind]
    if not value:
        return [remove_label(label.id) for label in standing]
    if not standing:
        return [add_label(kind, value)]
    first, *others = standing
    return [replace_label(first, value), *(remove_label(label.id) for label in others)]


@dataclass(frozen=True)
class FillRate:
    """Shares of pixels with depth, 0 to 1, over a few frames of one camera.

    Attributes:
        raw: of the sensor.
        refined: of the recorded repair; None where there is none.
    """

    raw: float
    refined: float | None


@dataclass(frozen=True, eq=False)
class Overview:
    """What a look into a session's files shows.

    Attributes:
        fill: by camera id, of those that have frames.
        pictures: by "color", "raw" and "refined": (H, W, 3) uint8 RGB of one moment in the middle.
        made_by: title of the repair; empty without refined depth.
    """

    fill: dict[str, FillRate]
    pictures: dict[str, NDArray[np.uint8]]
    made_by: str = ""


def overview(folder: Path) -> Overview:
    """Look into a whole session: a few frames of each camera are decoded.

    Raises:
        SessionError: it cannot be read.
    """
    session = Session(folder)
    filled = [camera_id for camera_id in session.camera_ids if session.count(camera_id)]
    refined = {camera_id: session.refined_positions(camera_id) for camera_id in filled}
    fill = {camera_id: _fill_rate(session, camera_id, refined[camera_id]) for camera_id in filled}
    if not filled:
        return Overview(fill, {})
    camera_id = max(filled, key=lambda camera_id: len(refined[camera_id]) > 0)
    n = _middle_position(session, camera_id, refined[camera_id])
    raw, made = session.depth(camera_id, n), session.refined(camera_id, n)
    depths = {"raw": raw.metres} | ({} if made is None else {"refined": made.depth.metres})
    scale = depth_range(*depths.values())
    pictures = {"color": session.color(camera_id, n)}
    pictures |= {name: depth_picture(depth_m, scale) for name, depth_m in depths.items()}
    return Overview(fill, pictures, "" if made is None else made.meta.made_by.title)


def _fill_rate(session: Session, camera_id: str, refined: NDArray[np.int64]) -> FillRate:
    raw = [session.depth(camera_id, n).fill_rate for n in _spread(session.count(camera_id))]
    made = [session.refined(camera_id, int(refined[i])) for i in _spread(len(refined))]
    filled = [frame.depth.fill_rate for frame in made if frame is not None]
    return FillRate(float(np.mean(raw)), float(np.mean(filled)) if filled else None)


def _spread(count: int) -> list[int]:
    """A few positions at equal distances."""
    return sorted({int((i + 0.5) * count / FILL_FRAMES) for i in range(FILL_FRAMES)}) if count else []


def _middle_position(session: Session, camera_id: str, refined: NDArray[np.int64]) -> int:
    """The frame in the middle; where some have refined depth, the middle one of those."""
    return int(refined[len(refined) // 2]) if len(refined) else session.count(camera_id) // 2


def _entry(summary: SessionSummary) -> SessionEntry:
    info, manifest = summary.info, summary.manifest
    cameras = () if info is None else info.cameras
    return SessionEntry(
        folder=summary.path,
        state=summary.state,
        started=_from_name(summary.path) if info is None else _local(info.started_utc),
        seconds=summary.duration_s,
        cameras=tuple(_camera(camera, manifest) for camera in cameras),
        labels=NO_LABELS if summary.labels is None else with_marks_only(summary.labels),
        bytes=summary.size_bytes,
        start_ns=min((file.first_ns for file in manifest.files if file.first_ns), default=0)
        if manifest
        else 0,
        recovered=manifest is not None and manifest.recovered,
        lost_s=0.0 if manifest is None else manifest.lost_estimate_s,
        failure="" if manifest is None else manifest.failure,
        problem=summary.problem.replace(f"{summary.path}/", "") or _PROBLEMS.get(summary.state, ""),
        hint=_HINTS[summary.state],
    )


def _camera(camera: CameraEntry, manifest: Manifest | None) -> SessionCamera:
    name = camera.name or camera.id
    if manifest is None:
        return SessionCamera(camera.id, name, 0, None)
    return SessionCamera(
        camera.id,
        name,
        manifest.frames(camera.id),
        manifest.totals.get(camera.id),
        manifest.refined_frames(camera.id),
    )


def _unreadable(folder: Path, problem: str) -> SessionEntry:
    return SessionEntry(
        folder,
        State.DAMAGED,
        _from_name(folder),
        0.0,
        (),
        NO_LABELS,
        0,
        problem=problem,
        hint=_HINTS[State.DAMAGED],
    )


def _is_or_was_session(path: Path) -> bool:
    return is_session(path) or (path / MANIFEST_NAME).exists() or any(path.glob("*.mcap*"))


def _middle_frame(entry: SessionEntry) -> bytes:
    import cv2  # 100 ms that a start without sessions saves
    import simplejpeg

    session = Session(entry.folder)
    camera_id = max(entry.cameras, key=lambda camera: camera.written > 0).camera_id
    color = session.color(camera_id, session.count(camera_id) // 2)
    height, width = color.shape[:2]
    target = (THUMBNAIL_WIDTH_PX, max(round(height * THUMBNAIL_WIDTH_PX / width), 1))
    small = cv2.resize(color, target, interpolation=cv2.INTER_AREA)
    data: bytes = simplejpeg.encode_jpeg(small, quality=THUMBNAIL_QUALITY)
    return data


def _from_name(folder: Path) -> datetime | None:
    try:
        moment = datetime.strptime(folder.name.split("_")[0], "%Y%m%dT%H%M%S%z")
    except ValueError:
        return None
    return moment.astimezone()


def _local(utc: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone()
