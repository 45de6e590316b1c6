"""What the library knows of its sessions, kept in one file so that ten thousand of them are listed at once.

The file may be deleted at any time: it is made again from the sessions, and what it says of one holds only
as long as that session's own files are those it was made from.
"""

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from app.recording.entry import SessionCamera, SessionEntry
from drivers.session.durable import write_atomically
from drivers.session.labels import LABELS_NAME, LabelEvent, Labels
from drivers.session.library import State
from drivers.session.manifest import MANIFEST_NAME, SESSION_NAME, CameraTotals

INDEX_NAME = ".index.json"
VERSION = 1

_SIGNED = (SESSION_NAME, MANIFEST_NAME, LABELS_NAME)

_log = logging.getLogger(__name__)

Signature = list[int]
"""Times and sizes of a session's folder and of the files that an entry is made from."""


def signature(session: str) -> Signature:
    """Changes whenever a file of the session is added, removed or written.

    Args:
        session: its folder; text, because a `Path` takes as long to make one as a look at the disk does.

    Raises:
        OSError: the folder cannot be read.
    """
    # os.stat takes half the time of Path.stat, and this is called for tens of thousands of files.
    found = [os.stat(session).st_mtime_ns]  # noqa: PTH116
    for name in _SIGNED:
        try:
            state = os.stat(f"{session}{os.sep}{name}")  # noqa: PTH116
        except FileNotFoundError:
            found += [0, 0]
        else:
            found += [state.st_mtime_ns, state.st_size]
    return found


class LibraryIndex:
    """What was known of the sessions of a folder. Not for several threads at once.

    Args:
        folder: of the library.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stored = _load(folder / INDEX_NAME)
        self._kept: dict[str, Any] = {}
        self._changed = False

    def entry(self, name: str, now: Signature) -> SessionEntry | None:
        """What is known of the session in the folder of this name, if its files are still the same."""
        row = self._stored.get(name)
        if row is None or row["signature"] != now:
            return None
        try:
            found = _from_row(self._folder / name, row)
        except (KeyError, TypeError, ValueError):
            return None
        self._kept[name] = row
        return found

    def add(self, entry: SessionEntry, then: Signature) -> None:
        """Remember an entry that was read when the session's files looked like that.

        Only what is whole is remembered: everything else changes by itself.
        """
        if entry.state is State.WHOLE:
            self._kept[entry.name] = _row(entry, then)
            self._changed = True

    def save(self) -> None:
        """Keep what was asked for or added since the index was opened; where that cannot be, do without."""
        if not self._changed and self._kept.keys() == self._stored.keys():
            return
        data = json.dumps({"version": VERSION, "sessions": self._kept}, separators=(",", ":"))
        try:
            write_atomically(self._folder / INDEX_NAME, data.encode())
        except OSError as error:
            _log.info("the index of %s is not kept: %s", self._folder, error)


def _load(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_bytes())
        return dict(stored["sessions"]) if stored["version"] == VERSION else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.info("%s is made again: %s", path, error)
        return {}


def _row(entry: SessionEntry, then: Signature) -> dict[str, Any]:
    labels = entry.labels
    events = [event.model_dump(exclude_none=True) for event in labels.events.values()]
    return {
        "signature": then,
        "started": None if entry.started is None else entry.started.isoformat(),
        "seconds": entry.seconds,
        "cameras": [
            {
                "camera_id": camera.camera_id,
                "name": camera.name,
                "written": camera.written,
                "totals": None if camera.totals is None else camera.totals.model_dump(),
                "refined": camera.refined,
            }
            for camera in entry.cameras
        ],
        "labels": {**vars(labels), "events": events},
        "bytes": entry.bytes,
        "start_ns": entry.start_ns,
        "recovered": entry.recovered,
        "lost_s": entry.lost_s,
        "failure": entry.failure,
    }


def _from_row(session: Path, row: dict[str, Any]) -> SessionEntry:
    labels = row["labels"]
    # Not validated again: the row was made from validated models, and its signature holds.
    events = [LabelEvent.model_construct(None, **event) for event in labels["events"]]
    return SessionEntry(
        folder=session,
        state=State.WHOLE,
        started=None if row["started"] is None else datetime.fromisoformat(row["started"]),
        seconds=row["seconds"],
        cameras=tuple(
            SessionCamera(
                camera["camera_id"],
                camera["name"],
                camera["written"],
                None if camera["totals"] is None else CameraTotals.model_construct(None, **camera["totals"]),
                camera["refined"],
            )
            for camera in row["cameras"]
        ),
        labels=Labels(**{**labels, "tags": tuple(labels["tags"]), "events": {e.id: e for e in events}}),
        bytes=row["bytes"],
        start_ns=row["start_ns"],
        recovered=row["recovered"],
        lost_s=row["lost_s"],
        failure=row["failure"],
    )
