"""Verifies and copies sessions in a thread, one at a time, with progress and a way to stop."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.flow.slot import Slot
from app.flow.worker import Worker
from app.recording.entry import SessionEntry
from app.viewmodels.words import size
from drivers.errors import SessionError
from drivers.session.transfer import copy_session
from drivers.session.verify import Cancelled, Fault, Progress, verify

POLL_MS = 100
CLOSE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Refusal:
    """What could not be done, and what to do about it."""

    message: str
    hint: str


@dataclass(frozen=True)
class WorkView:
    """What is being done.

    Attributes:
        words: in one line; empty while nothing is.
        share: of the work that is done, 0 to 1.
    """

    words: str = ""
    share: float = 0.0


class SessionWork(QObject):
    """At most one piece of work at a time.

    Signals:
        changed: `WorkView`.
        ended: what was found or done, in words.
        failed: `Refusal`.
    """

    changed = Signal(WorkView)
    ended = Signal(str)
    failed = Signal(Refusal)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Worker | None = None
        self._title = ""
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
            return _verdict(entry.name, verify(entry.folder, progress))

        self._run(f"Verifying {entry.name}", work)

    def copy(self, entry: SessionEntry, library: Path) -> None:
        """Copy a session into another folder and compare what arrived."""

        def work(progress: Progress) -> str | Refusal:
            there = copy_session(entry.folder, library, progress)
            return f"Copied, read back and the same: {there}"

        self._run(f"Copying {entry.name} to {library}", work)

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
            words = f"{self._title}: {size(done)} of {size(total)}" if total > 1 else self._title
            self.changed.emit(WorkView(words, share))
            return
        self._worker = None
        self._timer.stop()
        self.changed.emit(WorkView())
        result = self._result.latest()
        if isinstance(result, Refusal):
            self.failed.emit(result)
        elif result is not None:
            self.ended.emit(result)

    def close(self) -> None:
        """Stop and wait for the thread."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop(timeout_s=CLOSE_TIMEOUT_S)

    def _run(self, title: str, work: Callable[[Progress], str | Refusal]) -> None:
        if self._worker is not None:
            self.failed.emit(Refusal(f"This is under way: {self._title}.", "Wait for it, or stop it."))
            return
        self._title = title
        self._progress, self._result = Slot(), Slot()

        def run(stop: threading.Event) -> None:
            def progress(done: int, total: int) -> bool:
                self._progress.put((done, total))
                return not stop.is_set()

            try:
                self._result.put(work(progress))
            except Cancelled:
                self._result.put("Stopped; nothing was changed.")
            except SessionError as error:
                self._result.put(Refusal(str(error), error.hint))

        self._worker = Worker("session work", run, failed=self._died)
        self._worker.start()
        self._timer.start()
        self.changed.emit(WorkView(title))

    def _died(self, error: Exception) -> None:
        self._result.put(Refusal(f"{self._title} failed: {error}.", "The log file has the details."))


def _verdict(name: str, faults: list[Fault]) -> str | Refusal:
    if not faults:
        return f"{name} is as it was recorded: every file has its hash."
    said = "; ".join(f"{fault.file}: {fault.text}" for fault in faults[:3])
    more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
    return Refusal(
        f"{name} is damaged. {said}{more}.", "Put the files back from a copy; the rest can be used."
    )
