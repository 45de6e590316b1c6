"""Data sets that the operator has named, and how much of each a run learns from: kept for the next run."""

import json
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.training import job
from app.training.estimate import answer, where_it_was_said

FILE = "data.json"
HEAVIEST = 20


@dataclass(frozen=True)
class DataSet:
    """A folder to learn from.

    Attributes:
        kind: what the trainer calls its layout.
        title: what the screen calls it.
        folder: that holds it.
        samples: how many it had when it was named.
        scenes: in how many scenes.
        licence: what may be done with weights that learned from it.
        weight: of it in the mix.
        chosen: whether the next run learns from it.
    """

    kind: str
    title: str
    folder: Path
    samples: int
    scenes: int
    licence: str
    weight: int = 1
    chosen: bool = True

    @property
    def flag(self) -> str:
        """What `train --data` is told."""
        return f"{self.place}@{self.weight}"

    @property
    def place(self) -> str:
        """What `evaluate` is told."""
        return f"{self.kind}:{self.folder}"


@dataclass(frozen=True)
class Sources:
    """What there is to learn from beside the sessions, and how much everything weighs.

    Attributes:
        data_sets: in the order in which they were named.
        sessions_weight: of all chosen sessions together.
        rooms_weight: of simulated rooms.
    """

    data_sets: tuple[DataSet, ...] = ()
    sessions_weight: int = 1
    rooms_weight: int = 1


class NoDataSetError(Exception):
    """A folder holds no data set that can be read; `hint` says what was expected."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class UnreadableListError(Exception):
    """The list that was kept cannot be read; the message says why."""


def looked(folder: Path, stop: threading.Event) -> DataSet:
    """The data set in a folder, as the trainer recognises it in a process of its own.

    Args:
        folder: to look at.
        stop: ends the process.

    Raises:
        NoDataSetError: there is none, or it cannot be read.
    """
    command = [sys.executable, str(job.MAIN), "dataset", "--json", "look", str(folder)]
    _, lines = answer(command, stop)
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        match event:
            case {"event": "found"}:
                return _parsed(event)
            case {"event": "failed", "message": str(message), "hint": str(hint)}:
                raise NoDataSetError(message, hint=hint)
    raise NoDataSetError(f"{folder} could not be looked at.", hint=where_it_was_said())


def read(runs: Path) -> Sources:
    """What was kept in the folder of the runs; nothing where nothing was.

    Raises:
        UnreadableListError: the list is there and cannot be read. The caller has to move it before another
            is kept.
    """
    try:
        content = json.loads((runs / FILE).read_bytes())
        return Sources(
            tuple(_parsed(entry) for entry in content["data_sets"]),
            _weight(content["sessions_weight"]),
            _weight(content["rooms_weight"]),
        )
    except FileNotFoundError:
        return Sources()
    except KeyError as error:
        raise UnreadableListError(f"{error} is missing") from error
    except (OSError, ValueError, TypeError) as error:
        raise UnreadableListError(str(error)) from error


def write(runs: Path, sources: Sources) -> None:
    """Keep them.

    Raises:
        OSError: the folder cannot be written.
    """
    runs.mkdir(parents=True, exist_ok=True)
    partial = runs / f"{FILE}.partial"
    partial.write_text(json.dumps(asdict(sources), default=str, indent=2), encoding="utf-8")
    partial.replace(runs / FILE)


def _parsed(entry: dict[str, Any]) -> DataSet:
    return DataSet(
        kind=str(entry["kind"]),
        title=str(entry["title"]),
        folder=Path(entry["folder"]),
        samples=int(entry["samples"]),
        scenes=int(entry["scenes"]),
        licence=str(entry["licence"]),
        weight=_weight(entry.get("weight", 1)),
        chosen=bool(entry.get("chosen", True)),
    )


def _weight(value: object) -> int:
    return min(max(int(str(value)), 1), HEAVIEST)
