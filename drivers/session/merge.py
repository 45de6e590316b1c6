"""Brings the sessions of several folders together; nothing is written over, and nothing is there twice."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from drivers.errors import SessionError
from drivers.session.labels import LABELS_NAME
from drivers.session.library import SessionSummary, State, is_session, sessions, summary
from drivers.session.transfer import copy_session
from drivers.session.verify import Progress


class Fate(Enum):
    """What became of a session."""

    COPIED = "copied"
    RENAMED = "copied under another name"
    THERE = "there already"
    RELABELLED = "there already, with other labels"
    FAILED = "failed"


@dataclass(frozen=True)
class Merged:
    """What became of one session.

    Attributes:
        source: where it came from.
        fate: what was done.
        target: where it is in the library; None where it failed.
        problem: why it failed, or empty.
        hint: what to do about that.
    """

    source: Path
    fate: Fate
    target: Path | None
    problem: str = ""
    hint: str = ""


def merge(folders: Iterable[Path], library: Path, progress: Progress) -> list[Merged]:
    """Copy every session of `folders` that `library` lacks, each read back and compared.

    A session is known by its id, not by its folder's name. Two different sessions of one name are both kept:
    the second one's folder gets a number. Sources are only read; one session that fails is no reason to leave
    the others out.

    Args:
        folders: of sessions, or sessions.
        library: made where it is missing.
        progress: gets bytes done and in all of the session that is being copied.

    Raises:
        SessionError: a folder is not there, or is the library itself.
        Cancelled: `progress` returned false.
    """
    sources = [folder.resolve() for folder in folders]
    for folder in sources:
        if not folder.is_dir():
            raise SessionError(f"{folder} is no folder", hint="Give folders that hold sessions.")
        if folder == library.resolve():
            raise SessionError(f"{folder} is the library itself", hint="Give the other rig's folder.")
    known = {found.info.id: found for found in sessions(library) if found.info is not None}
    done: list[Merged] = []
    for source in (found for folder in sources for found in _found(folder)):
        result = _bring(source, library, known, progress)
        done.append(result)
        if source.info is not None and result.fate in {Fate.COPIED, Fate.RENAMED}:
            known[source.info.id] = source
    return done


def _found(folder: Path) -> list[SessionSummary]:
    return [summary(folder)] if is_session(folder) else list(reversed(sessions(folder)))


def _bring(
    source: SessionSummary, library: Path, known: dict[str, SessionSummary], progress: Progress
) -> Merged:
    path = source.path
    if source.info is None or source.state is not State.WHOLE:
        problem = source.problem or f"{path} is not whole: {source.state.value}"
        return Merged(path, Fate.FAILED, None, problem, "Recover or repair it, then merge again.")
    there = known.get(source.info.id)
    if there is not None:
        if not _same_files(source, there):
            problem = f"{path} and {there.path} have one id and different files"
            hint = "Verify both, and keep the one that is as it was recorded."
            return Merged(path, Fate.FAILED, None, problem, hint)
        same = _labels(path) == _labels(there.path)
        return Merged(path, Fate.THERE if same else Fate.RELABELLED, there.path)
    name = _free_name(library, path.name)
    try:
        target = copy_session(path, library, progress, name=name)
    except SessionError as error:
        return Merged(path, Fate.FAILED, None, str(error), error.hint)
    return Merged(path, Fate.COPIED if name == path.name else Fate.RENAMED, target)


def _same_files(one: SessionSummary, other: SessionSummary) -> bool:
    """Whether two copies of a session were recorded alike; one that is not whole is not compared."""
    if one.manifest is None or other.manifest is None:
        return True
    return [file.sha256 for file in one.manifest.files] == [file.sha256 for file in other.manifest.files]


def _labels(path: Path) -> bytes:
    try:
        return (path / LABELS_NAME).read_bytes()
    except FileNotFoundError:
        return b""


def _free_name(library: Path, name: str) -> str:
    free, number = name, 2
    while (library / free).exists():
        free, number = f"{name}-{number}", number + 1
    return free
