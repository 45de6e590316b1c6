"""Which data set a folder holds, told by the names of its files."""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

from drivers.session.library import is_session
from trainer.data.kinds import KINDS
from trainer.errors import DataError

MOST_NAMES = 50_000
"""Names that are looked at before a folder counts as none; the marks of a data set come early."""
ARCHIVE = "*.tar.zst"


@dataclass(frozen=True)
class Found:
    """A data set that can be learned from.

    Attributes:
        kind: name of it in `KINDS`.
        folder: that holds it.
        samples: how many.
        scenes: in how many scenes.
    """

    kind: str
    folder: Path
    samples: int
    scenes: int


def look(folder: Path) -> Found:
    """Recognise the data set in a folder, list its samples and read one.

    Raises:
        DataError: there is none that is known, or its first sample cannot be read; the hint says what was
            looked for.
    """
    kind, place = recognised(folder)
    dataset = KINDS[kind].open(place)
    dataset.read(0)
    scenes = {dataset.scene(number) for number in range(len(dataset))}
    return Found(kind, place, len(dataset), len(scenes))


def recognised(folder: Path) -> tuple[str, Path]:
    """Name in `KINDS` of the data set in `folder`, and the folder to open: shards may lie further in.

    Raises:
        DataError: there is none that is known.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder.", hint="Choose the folder that holds the data set.")
    if is_session(folder):
        raise DataError(
            f"{folder} is a recorded session, not a data set.", hint="Choose it among the sessions."
        )
    looked_at = 0
    for place, names in _names_by_folder(folder):
        kind = _told_by([f"{place.as_posix()}/{name}" for name in names])
        if kind:
            return kind, place if kind == "shards" else folder
        looked_at += 1 + len(names)
        if looked_at > MOST_NAMES:
            break
    raise DataError(
        f"No data set was found in {folder} ({looked_at:,} names looked at).",
        hint=f"A folder of one of these can be read: {expected()}.",
    )


def expected() -> str:
    """Every kind with the files that tell it."""
    return "; ".join(f"{kind.title} ({' or '.join(kind.marks)})" for kind in KINDS.values())


def _told_by(paths: list[str]) -> str:
    for kind, entry in KINDS.items():
        for mark in entry.marks:
            parts = mark.count("/") + 1
            if any(fnmatch("/".join(path.split("/")[-parts:]), mark) for path in paths):
                return kind
    if any(fnmatch(path, ARCHIVE) for path in paths):
        raise DataError(
            "There is a packed archive (.tar.zst), which cannot be read by number.",
            hint="Unpack it, or write it as shards: dataset convert mdm_depth FILE --out FOLDER",
        )
    return ""


def _names_by_folder(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder and the names of its files, the nearest folders first."""
    waiting = deque([root])
    while waiting:
        folder = waiting.popleft()
        try:
            with os.scandir(folder) as scanned:
                entries = list(islice(scanned, MOST_NAMES))
        except PermissionError:
            continue  # others may be readable; if none is, that is said
        waiting += sorted(Path(entry.path) for entry in entries if entry.is_dir())
        yield folder, sorted(entry.name for entry in entries if not entry.is_dir())
