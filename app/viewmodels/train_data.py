"""State of the list of data sets on the training page: named by the operator, recognised, weighed, kept."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app import settings
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import from_below, tr
from app.messages import Message
from app.training import data_sets
from app.training.data_sets import DataSet, NoDataSetError, Sources, UnreadableListError
from app.training.plan import ROOMS, SESSIONS

POLL_MS = 200
Looked = DataSet | NoDataSetError


class TrainDataViewModel(QObject):
    """What there is to learn from beside the sessions, and how much everything weighs.

    Args:
        runs: folder of all runs, in which the list is kept.

    Signals:
        changed: `Sources`.
        refused: `NoDataSetError`, why a folder is no data set.
        not_kept: why the list could not be written.
    """

    changed = Signal(Sources)
    refused = Signal(NoDataSetError)
    not_kept = Signal(str)

    def __init__(self, runs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._problem: Message | None = None
        self.sources = self._read()
        self._looking: Worker | None = None
        self._found: Slot[Looked] = Slot()
        self._seen = 0
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    def take_problem(self) -> Message | None:
        """Why the list that was kept is not shown; it is told once."""
        problem, self._problem = self._problem, None
        return problem

    @property
    def looking(self) -> bool:
        """Whether a folder is being looked at."""
        return self._looking is not None and (self._looking.running or self._found.version != self._seen)

    def add(self, folder: Path) -> None:
        """Look at a folder in another process; `changed` or `refused` follows."""
        if self.looking:
            return
        self._looking = Worker("data set", lambda stop: self._found.put(_look(folder, stop)))
        self._looking.start()
        self._timer.start()
        self.changed.emit(self.sources)

    def remove(self, folder: Path) -> None:
        """Name it no longer; its files stay."""
        kept = tuple(data for data in self.sources.data_sets if data.folder != folder)
        self._change(replace(self.sources, data_sets=kept))

    def choose(self, folder: Path, *, chosen: bool) -> None:
        """Let the next run learn from it, or not."""
        self._change_one(folder, lambda data: replace(data, chosen=chosen))

    def weigh(self, key: str, weight: int) -> None:
        """Take more or less of a source; `key` as in `TrainingPlan.weights`."""
        if key == SESSIONS:
            self._change(replace(self.sources, sessions_weight=weight))
        elif key == ROOMS:
            self._change(replace(self.sources, rooms_weight=weight))
        else:
            self._change_one(Path(key), lambda data: replace(data, weight=weight))

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        found = self._found.newer_than(self._seen, timeout_s=0)
        if found is None:
            if not self.looking:
                self._timer.stop()
            return
        self._seen, news = found
        self._timer.stop()
        if isinstance(news, NoDataSetError):
            self.refused.emit(news)
            self.changed.emit(self.sources)
            return
        others = tuple(data for data in self.sources.data_sets if data.folder != news.folder)
        before = next((data for data in self.sources.data_sets if data.folder == news.folder), news)
        named = replace(news, weight=before.weight)
        self._change(replace(self.sources, data_sets=(*others, named)))

    def close(self) -> None:
        """End looking."""
        self._timer.stop()
        if self._looking is not None:
            self._looking.stop()

    def _read(self) -> Sources:
        try:
            return data_sets.read(self._runs)
        except UnreadableListError as error:
            self._problem = self._put_aside(from_below(str(error)))
            return Sources()

    def _put_aside(self, reason: str) -> Message:
        """Move the list that cannot be read, so that it is not written over."""
        sentence = tr("The list of data sets cannot be read: {reason}.").format(reason=reason)
        try:
            kept = settings.set_aside(self._runs / data_sets.FILE)
        except OSError as error:
            hint = tr("It stays as {place}, which cannot be moved either: {error}.").format(
                place=self._runs / data_sets.FILE, error=error.strerror
            )
        else:
            hint = tr("It is kept as {place}; choose the data sets again.").format(place=kept)
        return Message(tr("Data sets"), sentence, hint)

    def _change_one(self, folder: Path, change: Callable[[DataSet], DataSet]) -> None:
        changed = (change(data) if data.folder == folder else data for data in self.sources.data_sets)
        self._change(replace(self.sources, data_sets=tuple(changed)))

    def _change(self, sources: Sources) -> None:
        self.sources = sources
        try:
            data_sets.write(self._runs, sources)
        except OSError as error:
            self.not_kept.emit(tr("The list of data sets cannot be kept: {error}.").format(error=error))
        self.changed.emit(sources)


def _look(folder: Path, stop: threading.Event) -> Looked:
    try:
        return data_sets.looked(folder, stop)
    except NoDataSetError as error:
        return error
