"""Verifies, copies, exports and imports in a thread, one at a time, with progress and a way to stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.exporting.repairing import load_repairer
from app.exporting.source import ExportOptions
from app.exporting.table import BY_NAME, Exporter, export
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.importing import import_recording
from app.language import from_below, joined, sentence, tr, tr_many
from app.messages import expected, message
from app.recording.entry import SessionEntry
from app.viewmodels.words import session_name, size
from drivers.session.library import is_session
from drivers.session.merge import Fate, Merged, merge
from drivers.session.reader import Session
from drivers.session.transfer import copy_session
from drivers.session.verify import Cancelled, Fault, Progress, verify
from model.spec import EngineChoice

POLL_MS = 100
CLOSE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Refusal:
    """What could not be done, and what to do about it.

    Attributes:
        message: what is the case.
        hint: what to do about it.
        session: the folder of the session that it is about, where looking at it helps.
    """

    message: str
    hint: str
    session: Path | None = None


@dataclass(frozen=True)
class Verdict:
    """What a check of a session's files has found.

    Attributes:
        folder: of the session.
        faults: damaged files.
    """

    folder: Path
    faults: int


@dataclass(frozen=True)
class WorkView:
    """What is being done.

    Attributes:
        words: in one line; empty while nothing is.
        share: of the work that is done, 0 to 1.
    """

    words: str = ""
    share: float = 0.0


@dataclass(frozen=True)
class ExportWish:
    """What somebody wants written.

    Attributes:
        format_name: of an exporter.
        options: which frames and which depth.
        repair: with what to repair now; None exports what was recorded.
    """

    format_name: str
    options: ExportOptions
    repair: EngineChoice | None = None


class SessionWork(QObject):
    """At most one piece of work at a time.

    Signals:
        changed: `WorkView`.
        arrived: folder of a session that is new in the library.
        verified: `Verdict`.
        ended: what was found or done, in words.
        failed: `Refusal`.
    """

    changed = Signal(WorkView)
    arrived = Signal(Path)
    verified = Signal(Verdict)
    ended = Signal(str)
    failed = Signal(Refusal)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Worker | None = None
        self._title = ""
        self._unit: Callable[[int], str] = size
        self._arrived: Slot[Path] = Slot()
        self._verdict: Slot[Verdict] = Slot()
        self._progress: Slot[tuple[int, int]] = Slot()
        self._result: Slot[str | Refusal] = Slot()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._worker is not None

    def verify(self, entry: SessionEntry) -> None:
        """Compare every file of a session with its hash."""

        def work(progress: Progress) -> str | Refusal:
            faults = verify(entry.folder, progress)
            self._verdict.put(Verdict(entry.folder, len({fault.file for fault in faults})))
            return _verdict(entry, faults)

        self._run(tr("Verifying {name}").format(name=session_name(entry)), work)

    def copy(self, entry: SessionEntry, library: Path) -> None:
        """Copy a session into another folder and compare what arrived."""

        def work(progress: Progress) -> str | Refusal:
            there = copy_session(entry.folder, library, progress)
            return tr("Copied, read back and the same: {there}").format(there=there)

        self._run(tr("Copying {name} to {library}").format(name=session_name(entry), library=library), work)

    def export(self, entry: SessionEntry, wish: ExportWish, folder: Path) -> None:
        """Write a session's frames in another format below a folder; what was stopped goes on from there."""
        exporter = BY_NAME[wish.format_name]
        target = folder / f"{entry.name}-{exporter.name}"

        def work(progress: Progress) -> str | Refusal:
            repair = None if wish.repair is None else load_repairer(wish.repair)
            done = export(
                Session(entry.folder),
                exporter,
                target,
                options=wish.options,
                progress=progress,
                repair=repair,
            )
            left_out = (
                tr(" {left_out:,} without refined depth are left out.").format(left_out=done.left_out)
                if done.left_out
                else ""
            )
            return tr("{frames} are in {target}.{left_out}").format(
                frames=tr_many("{count:,} frame", "{count:,} frames", done.frames),
                target=target,
                left_out=left_out,
            )

        self._run(self.export_title(entry, exporter), work, _frames)

    @staticmethod
    def export_title(entry: SessionEntry, exporter: Exporter) -> str:
        """What is said while a session is exported."""
        return tr("Exporting {name} as {title}").format(name=session_name(entry), title=exporter.title)

    def bring_in(self, path: Path, library: Path) -> None:
        """Import a recording of another program, or merge sessions of another folder into the library."""
        if is_session(path) or (path.is_dir() and any(is_session(below) for below in path.iterdir())):
            self._run(
                tr("Merging {name}").format(name=path.name),
                lambda progress: self._merge(path, library, progress),
            )
        else:
            self._run(
                tr("Importing {name}").format(name=path.name),
                lambda progress: self._import(path, library, progress),
                _frames,
            )

    def _import(self, path: Path, library: Path, progress: Progress) -> str:
        done = import_recording(path, library, progress=progress)
        self._arrived.put(done.folder)
        frames = tr_many("{count:,} frame", "{count:,} frames", sum(done.frames.values()))
        return (
            tr("{name} is a session now: {frames}. {notes}")
            .format(name=path.name, frames=frames, notes=joined(" ", map(from_below, done.notes)))
            .strip()
        )

    def _merge(self, path: Path, library: Path, progress: Progress) -> str | Refusal:
        done = merge([path], library, progress)
        fresh = [each.target for each in done if each.fate in {Fate.COPIED, Fate.RENAMED} and each.target]
        if fresh:
            self._arrived.put(fresh[-1])
        return _merge_words(path, done)

    def cancel(self) -> None:
        """Stop what is being done; a copy under way is removed."""
        if self._worker is not None:
            self._worker.ask_to_stop()

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        if self._worker is None:
            return
        if self._worker.running:
            done, total = self._progress.latest() or (0, 1)
            share = done / total if total else 0.0
            words = self._words(done, total)
            self.changed.emit(WorkView(words, share))
            return
        self._worker = None
        self._timer.stop()
        self.changed.emit(WorkView())
        result = self._result.latest()
        if (verdict := self._verdict.latest()) is not None:
            self.verified.emit(verdict)
        arrived = self._arrived.latest()
        if arrived is not None:
            self.arrived.emit(arrived)
        if isinstance(result, Refusal):
            self.failed.emit(result)
        elif result is not None:
            self.ended.emit(result)

    def close(self) -> None:
        """Stop and wait for the thread."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop(timeout_s=CLOSE_TIMEOUT_S)

    def _words(self, done: int, total: int) -> str:
        if total > 1:
            ready = f"{done:,}" if self._unit is _frames else self._unit(done)
            return tr("{title}: {done} of {total}").format(
                title=self._title, done=ready, total=self._unit(total)
            )
        return joined(": ", (self._title, self._unit(done))) if done else self._title

    def _run(
        self,
        title: str,
        work: Callable[[Progress], str | Refusal],
        unit: Callable[[int], str] = size,
    ) -> None:
        if self._worker is not None:
            self.failed.emit(
                Refusal(
                    tr("This is under way: {title}.").format(title=self._title),
                    tr("Wait for it, or stop it."),
                )
            )
            return
        self._title, self._unit = title, unit
        self._progress, self._result, self._arrived, self._verdict = Slot(), Slot(), Slot(), Slot()

        def run(stop: threading.Event) -> None:
            def progress(done: int, total: int) -> bool:
                self._progress.put((done, total))
                return not stop.is_set()

            try:
                self._result.put(work(progress))
            except Cancelled:
                self._result.put(tr("Stopped. What is whole stays; an export goes on where it was stopped."))
            except expected() as error:
                words = message(error)
                self._result.put(Refusal(words.sentence, words.hint))

        self._worker = Worker("session work", run, failed=self._died)
        self._worker.start()
        self._timer.start()
        self.changed.emit(WorkView(title))

    def _died(self, error: Exception) -> None:
        self._result.put(
            Refusal(
                tr("{title} failed: {error}.").format(title=self._title, error=error),
                tr("The log file has the details."),
            )
        )


def _frames(count: int) -> str:
    return tr_many("{count:,} frame", "{count:,} frames", count)


def _merge_words(path: Path, done: list[Merged]) -> str | Refusal:
    copied = sum(each.fate in {Fate.COPIED, Fate.RENAMED} for each in done)
    there = sum(each.fate in {Fate.THERE, Fate.RELABELLED} for each in done)
    failed = [each for each in done if each.fate is Fate.FAILED]
    text = tr("{sessions} of {name} copied, read back and the same; {there} were there").format(
        sessions=tr_many("{count:,} session", "{count:,} sessions", copied), name=path.name, there=there
    )
    if not failed:
        return sentence(text)
    return Refusal(
        tr("{text}; {failed} failed: {problem}.").format(
            text=text, failed=len(failed), problem=from_below(failed[0].problem)
        ),
        from_below(failed[0].hint),
    )


def _verdict(entry: SessionEntry, faults: list[Fault]) -> str | Refusal:
    name = session_name(entry)
    if not faults:
        return tr("{name} is as it was recorded: every file has its hash.").format(name=name)
    said = joined("; ", (joined(": ", (fault.file, from_below(fault.text))) for fault in faults[:3]))
    more = tr("; and {count} more").format(count=len(faults) - 3) if len(faults) > 3 else ""
    return Refusal(
        tr("{name} is damaged. {said}{more}.").format(name=name, said=said, more=more),
        tr("Put the files back from a copy; the rest can be used."),
        entry.folder,
    )
