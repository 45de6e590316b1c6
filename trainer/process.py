"""Which process works on a run, so that a window that was closed finds it again."""

import json
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from trainer.files import PROCESS

SAME_S = 2.0
"""Start times of one process, told twice, differ by less."""


@dataclass(frozen=True)
class Owner:
    """A process, told from a later one with the same number by its start time.

    Attributes:
        pid: its number.
        created_s: its start, seconds of Unix time.
    """

    pid: int
    created_s: float

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created_s) < SAME_S
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False


def note(folder: Path, pid: int) -> None:
    """Write down that process `pid` works on the run.

    Raises:
        OSError: the folder cannot be written.
    """
    try:
        created_s = psutil.Process(pid).create_time()
    except psutil.Error:
        return  # it has ended already; its last words are in the log
    text = json.dumps({"pid": pid, "created_s": created_s})
    partial = folder / f"{PROCESS}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(folder / PROCESS)


def owner(folder: Path) -> Owner | None:
    """The process that works on the run in `folder`; None if none does."""
    try:
        content = json.loads((folder / PROCESS).read_bytes())
        found = Owner(int(content["pid"]), float(content["created_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.alive else None
