"""Makes sessions whole that a crash left unfinished."""

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import SessionError
from drivers.session import topics
from drivers.session.audit import Audit, audit, audit_indexed, held_numbers
from drivers.session.durable import SessionLock, being_written, sync_folder
from drivers.session.ledger import LostFrames, Stage, by_stage, missing
from drivers.session.manifest import (
    MANIFEST_NAME,
    SESSION_NAME,
    CameraTotals,
    Manifest,
    SegmentEntry,
    SessionInfo,
    document_hashes,
    read_model,
    write_model,
)
from drivers.session.repair import describe, finalize, sha256_of
from drivers.session.segment import ACTIVE_SUFFIX, CHUNK_PERIOD_S


@dataclass(frozen=True)
class RecoveryReport:
    """What recovery found and did.

    Attributes:
        path: of the session.
        needed: false where the session was whole already; nothing was touched then.
        segments: names of the repaired files.
        frames: by camera id, in the whole session.
        salvaged_messages: taken out of torn chunks.
        damaged_chunks: left out, because their checksum is wrong.
        torn: files with the bytes that were cut off.
        lost_estimate_s: seconds that the crash cost, as far as one can tell.
        frames_lost: by damage to files that were whole once; counted, not estimated.
    """

    path: Path
    needed: bool
    segments: tuple[str, ...] = ()
    frames: dict[str, int] | None = None
    salvaged_messages: int = 0
    damaged_chunks: int = 0
    torn: tuple[Path, ...] = ()
    lost_estimate_s: float = 0.0
    frames_lost: int = 0


def needs_recovery(path: Path) -> bool:
    """Whether `path` is a session that a crash left unfinished; not one that is being recorded."""
    if not (path / SESSION_NAME).exists():
        return False
    unfinished_files = any(path.glob(f"*{ACTIVE_SUFFIX}")) or not (path / MANIFEST_NAME).exists()
    return unfinished_files and not being_written(path)


def unfinished(folder: Path) -> list[Path]:
    """Sessions in a library folder that a crash left unfinished, by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and needs_recovery(path))


def recover(path: Path, *, check: bool = False) -> RecoveryReport:
    """Finish a session after a crash. Recovering a whole session does nothing.

    Args:
        path: of the session.
        check: read every file, and give those a new index that are not what was recorded any more; what is
            damaged in them is left out of it. This takes as long as `verify`.

    Raises:
        SessionError: there is no session, a live process is recording it, or the disk does not take it.
    """
    if not path.is_dir():
        raise SessionError(f"{path} is no folder", hint="Give the folder of a session.")
    info = read_model(path / SESSION_NAME, SessionInfo)
    with SessionLock(path):
        active = sorted(path.glob(f"*{ACTIVE_SUFFIX}"))
        try:
            if not active and (path / MANIFEST_NAME).exists():
                manifest = read_model(path / MANIFEST_NAME, Manifest)
                damaged = _damaged(path, manifest) if check else []
                if damaged:
                    return _mend(path, info, manifest, damaged)
                return RecoveryReport(path, needed=False, frames=_frames(info, manifest))
            return _recover(path, info, active)
        except OSError as error:
            raise SessionError(
                f"{path} could not be recovered: {error.strerror}",
                hint="Make room on the disk and make the folder writable, then recover again.",
            ) from error


def _recover(path: Path, info: SessionInfo, active: list[Path]) -> RecoveryReport:
    before = _manifest(path)
    known = {file.name: file for file in before.files} if before else {}
    names = []
    torn: list[Path] = []
    salvaged = damaged = 0
    lost_s = before.lost_estimate_s if before else 0.0
    for file in active:
        name = file.name.removesuffix(ACTIVE_SUFFIX)
        entry = describe(file, recovered=False)  # whole already, where only the new name was missing
        if entry is None:
            repaired = finalize(file, keep_tail=True)
            if repaired is None:
                empty = file.with_name(name + ".torn")
                file.rename(empty)
                torn.append(empty)
                continue
            entry = repaired.entry(name)
            salvaged += repaired.salvaged_messages
            damaged += repaired.damaged_chunks
            torn += [repaired.torn_path] if repaired.torn_path else []
            length_s = (entry.last_ns - entry.first_ns) / 1e9
            bytes_per_s = entry.size / length_s if length_s > 0 else 0.0
            lost_bytes = max(0, repaired.torn_bytes - repaired.salvaged_bytes)
            # What had not left the process yet was one chunk at most.
            lost_s += CHUNK_PERIOD_S + (lost_bytes / bytes_per_s if bytes_per_s else 0.0)
        known[name] = entry
        names.append(name)
        file.rename(path / name)
        sync_folder(path)
    for file in sorted(path.glob("*.mcap")):
        if file.name not in known:
            entry = describe(file, recovered=True)
            if entry is None:
                raise SessionError(
                    f"{file} has no index", hint=f"Rename it to {file.name}{ACTIVE_SUFFIX} and recover again."
                )
            known[file.name] = entry
    files = tuple(_existing(path, known))
    totals, lost = _account(path, info, files)
    manifest = Manifest(
        session_id=info.id,
        files=files,
        documents=before.documents if before else document_hashes(path),
        totals=totals,
        lost=lost,
        sync=before.sync if before else {},
        honest=False,
        dishonest_because="nobody knows what the cameras counted after the last frame that reached the disk",
        recovered=True,
        lost_estimate_s=round(lost_s, 3),
        failure="the program ended while it was recording",
    )
    write_model(path / MANIFEST_NAME, manifest)
    return RecoveryReport(
        path=path,
        needed=True,
        segments=tuple(names),
        frames=_frames(info, manifest),
        salvaged_messages=salvaged,
        damaged_chunks=damaged,
        torn=tuple(torn),
        lost_estimate_s=manifest.lost_estimate_s,
    )


def _damaged(path: Path, manifest: Manifest) -> list[SegmentEntry]:
    """Files that are there and are not what was recorded."""
    return [
        entry
        for entry in manifest.files
        if (path / entry.name).exists() and sha256_of(path / entry.name) != entry.sha256
    ]


def _mend(path: Path, info: SessionInfo, manifest: Manifest, damaged: list[SegmentEntry]) -> RecoveryReport:
    """Give damaged files an index of what is left in them."""
    entries = {entry.name: entry for entry in manifest.files}
    places = salvaged = 0
    torn: list[Path] = []
    for entry in damaged:
        repaired = finalize(path / entry.name, keep_tail=True)
        if repaired is None:
            raise SessionError(
                f"nothing of {path / entry.name} can be made out",
                hint="Put the file back from a copy, or move it out of the session and recover again.",
            )
        entries[entry.name] = repaired.entry(entry.name)
        places += repaired.damaged_chunks
        salvaged += repaired.salvaged_messages
        torn += [repaired.torn_path] if repaired.torn_path else []
    names = ", ".join(entry.name for entry in damaged)
    files = tuple(_existing(path, entries))
    totals, lost = _account(path, info, files, manifest.lost)
    mended = manifest.model_copy(
        update={
            "files": files,
            "totals": {name: _with_all(each, manifest.totals.get(name)) for name, each in totals.items()},
            "lost": lost,
            "honest": False,
            "dishonest_because": f"damaged after they were recorded: {names}",
            "recovered": True,
        }
    )
    write_model(path / MANIFEST_NAME, mended)
    before, after = _frames(info, manifest), _frames(info, mended)
    return RecoveryReport(
        path=path,
        needed=True,
        segments=tuple(entry.name for entry in damaged),
        frames=after,
        salvaged_messages=salvaged,
        damaged_chunks=places,
        torn=tuple(torn),
        frames_lost=sum(before.values()) - sum(after.values()),
    )


def _account(
    path: Path,
    info: SessionInfo,
    files: Iterable[SegmentEntry],
    known: Mapping[str, tuple[LostFrames, ...]] | None = None,
) -> tuple[dict[str, CameraTotals], dict[str, tuple[LostFrames, ...]]]:
    """Where every number up to the last frame went, by camera.

    What can be read is written; the recorder wrote down once a second what it lost; what else is missing went
    with the crash or with what is damaged.

    Args:
        path: of the session.
        info: its cameras.
        files: what is in the folder, with an index each.
        known: losses by camera id, where the session was closed and tells them; otherwise they are read from
            the files.
    """
    audits = [_readable(path / entry.name, entry) for entry in files]
    totals, lost = {}, {}
    for camera in info.cameras:
        held = held_numbers(audits, camera.id)
        told = [loss for each in audits for text in each.drops for loss in _losses(text, camera.id)]
        said = (known or {}).get(camera.id, told)
        losses = (*said, *missing(held, said))
        stages = by_stage(losses)
        by_host = stages.get(Stage.QUEUE, 0)
        gaps = stages.get(Stage.DEVICE, 0)
        compact = topics.topic(camera.id, topics.DEPTH_JXL)
        totals[camera.id] = CameraTotals(
            device_frames=held.size + sum(stages.values()),
            written=held.size,
            host_drop=by_host,
            device_gap=gaps,
            error=sum(stages.values()) - by_host - gaps,
            stages=stages,
            compact=sum(each.counts.get(compact, 0) for each in audits),
        )
        if losses:
            lost[camera.id] = losses
    return totals, lost


def _readable(file: Path, entry: SegmentEntry) -> Audit:
    """What can be read in a file: all that is in it, or where parts are damaged what its index names."""
    try:
        found = audit(file)
    except (struct.error, KeyError, ValueError):
        return audit_indexed(file)
    return found if found.counts == entry.counts else audit_indexed(file)


def _with_all(after: CameraTotals, before: CameraTotals | None) -> CameraTotals:
    """Totals of a damaged session with the frames before its first and after its last readable one.

    No number in the files names them, but the session was closed once and said how many there were.
    """
    if before is None:
        return after
    after = after.model_copy(update={"away_s": before.away_s})
    unseen = before.device_frames - after.device_frames
    if unseen <= 0:
        return after
    stages = after.stages | {Stage.CRASH.value: after.stages.get(Stage.CRASH.value, 0) + unseen}
    changes = {
        "device_frames": after.device_frames + unseen,
        "error": after.error + unseen,
        "stages": stages,
    }
    return after.model_copy(update=changes)


def _losses(text: str, camera_id: str) -> list[LostFrames]:
    """What one message of `/recorder/drops` has of a camera."""
    try:
        return [LostFrames.model_validate(loss) for loss in json.loads(text)[camera_id]["new"]]
    except (ValueError, KeyError, TypeError):  # of an earlier program, which told sums only
        return []


def _existing(path: Path, known: dict[str, SegmentEntry]) -> list[SegmentEntry]:
    return [entry for name, entry in sorted(known.items()) if (path / name).exists()]


def _manifest(path: Path) -> Manifest | None:
    try:
        return read_model(path / MANIFEST_NAME, Manifest)
    except SessionError:
        return None


def _frames(info: SessionInfo, manifest: Manifest) -> dict[str, int]:
    return {camera.id: manifest.frames(camera.id) for camera in info.cameras}
