"""What people say of a session: an append-only list of events, and what holds after all of them."""

import json
import os
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from drivers.errors import SessionError
from drivers.session.durable import sync_folder

LABELS_NAME = "labels.jsonl"

Kind = Literal["scene", "tag", "note", "operator", "site", "consent", "mark"]
"""What a label says; a mark says that something happened at one moment of the recording."""


class LabelEvent(BaseModel):
    """One line of labels.jsonl.

    Attributes:
        op: "replace" and "remove" refer to an earlier `id`.
        id: of the label, not of the event.
        at_ns: when it was said, UTC.
        kind: what it says; None in a removal.
        value: free text.
        camera_id: None for all cameras.
        start_ns: UTC; None for the whole session.
        end_ns: UTC; None for a moment or the whole session.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    op: Literal["add", "replace", "remove"]
    id: str
    at_ns: int
    kind: Kind | None = None
    value: str = ""
    camera_id: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None


@dataclass(frozen=True)
class SessionLabels:
    """What is said of a session when it begins.

    Attributes:
        scene: category, such as "kitchen".
        tags: free words.
        notes: free text.
        operator: who records.
        site: where.
        consent: of the people who can be seen.
    """

    scene: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    operator: str = ""
    site: str = ""
    consent: str = ""


@dataclass(frozen=True)
class Labels:
    """What holds after all edits.

    Attributes:
        scene: category, such as "kitchen"; the latest wins, as for operator and site.
        tags: free words in the order they were given, each once.
        notes: free text, one paragraph for each.
        operator: who recorded.
        site: where.
        events: the event that stands for each label, by its id.
        consent: of the people who can be seen; empty where nobody said anything.
    """

    scene: str
    tags: tuple[str, ...]
    notes: str
    operator: str
    site: str
    events: dict[str, LabelEvent]
    consent: str = ""


def add_label(
    kind: Kind,
    value: str,
    *,
    camera_id: str | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> LabelEvent:
    """A new label with a new id; times are UTC."""
    return LabelEvent(
        op="add",
        id=uuid.uuid4().hex[:12],
        at_ns=time.time_ns(),
        kind=kind,
        value=value,
        camera_id=camera_id,
        start_ns=start_ns,
        end_ns=end_ns,
    )


def replace_label(label: LabelEvent, value: str) -> LabelEvent:
    """The same label with another text."""
    return label.model_copy(update={"op": "replace", "at_ns": time.time_ns(), "value": value})


def remove_label(label_id: str) -> LabelEvent:
    """The end of a label."""
    return LabelEvent(op="remove", id=label_id, at_ns=time.time_ns())


def apply(events: Iterable[LabelEvent]) -> Labels:
    """What holds after all events, in their order."""
    standing: dict[str, LabelEvent] = {}
    for event in events:
        if event.op == "remove":
            standing.pop(event.id, None)
        elif event.op == "add" or event.id in standing:
            standing[event.id] = event

    def values(kind: Kind) -> list[str]:
        return [event.value for event in standing.values() if event.kind == kind]

    def latest(kind: Kind) -> str:
        return max(
            (event for event in standing.values() if event.kind == kind),
            key=lambda event: event.at_ns,
            default=LabelEvent(op="add", id="", at_ns=0),
        ).value

    return Labels(
        scene=latest("scene"),
        tags=tuple(dict.fromkeys(values("tag"))),
        notes="\n".join(values("note")),
        operator=latest("operator"),
        site=latest("site"),
        consent=latest("consent"),
        events=standing,
    )


def append_event(folder: Path, event: LabelEvent) -> None:
    """Add an event to a session, durable when this returns.

    Raises:
        SessionError: the folder cannot be written.
    """
    path = folder / LABELS_NAME
    created = not path.exists()
    try:
        with path.open("ab+") as file:
            _cut_torn_line(file.fileno())
            file.write(event.model_dump_json(exclude_none=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if created:
            sync_folder(folder)
    except OSError as error:
        raise SessionError(
            f"the label was not saved: {path}: {error.strerror}",
            hint="Make room on the disk or make the folder writable, then label again.",
        ) from error


def read_events(folder: Path) -> list[LabelEvent]:
    """All events of a session in order; a line torn by a crash is left out.

    Raises:
        SessionError: a whole line is no event.
    """
    path = folder / LABELS_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SessionError(f"{path} cannot be read: {error.strerror}", hint="Check the disk.") from error
    events = []
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        if not line.strip():
            continue
        try:
            events.append(LabelEvent.model_validate_json(line))
        except ValidationError as error:
            raise SessionError(
                f"{path} line {number} is no label: {line[:60]!r}", hint="Correct or delete that line."
            ) from error
    return events


def event_json(event: LabelEvent) -> str:
    """An event as one line of JSON."""
    return json.dumps(event.model_dump(exclude_none=True))


def _cut_torn_line(descriptor: int) -> None:
    """Drop what follows the last newline: a crash left it, and no reader counts it."""
    size = os.fstat(descriptor).st_size
    keep = size
    while keep > 0:
        start = max(0, keep - 4096)
        os.lseek(descriptor, start, os.SEEK_SET)
        newline = os.read(descriptor, keep - start).rfind(b"\n")
        if newline >= 0:
            keep = start + newline + 1
            break
        keep = start
    if keep < size:
        os.ftruncate(descriptor, keep)
