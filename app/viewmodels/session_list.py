"""The sessions of a folder, read in a thread so that the window never waits for a disk."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import from_below, tr
from app.recording.collecting import uncollected
from app.recording.entry import SessionEntry
from app.recording.library import Recovery, entries, purge, thumbnail, trash

POLL_MS = 60
FIRST_LOOK = 100
"""So many sessions are shown while the others are still being read."""


@dataclass(frozen=True)
class Listing:
    """One reading of the folder.

    Attributes:
        entries: the sessions, newest first.
        trashed: what was deleted and is still there.
        problem: why the folder cannot be read, or empty.
        complete: false where more sessions are still being read.
    """

    entries: tuple[SessionEntry, ...] = ()
    trashed: tuple[SessionEntry, ...] = ()
    problem: str = ""
    complete: bool = True


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """The picture of one session: JPEG bytes, or None where there is none."""

    folder: Path
    jpeg: bytes | None


class SessionList(QObject):
    """Reads the folder, and the thumbnails of the sessions that are shown, one by one.

    Args:
        folder: gives the folder of this moment, which a setting can change.
        recover: finish what a crash left unfinished, with each reading.
    """

    listed = Signal(Listing)
    thumbnail_came = Signal(Thumbnail)
    recovered = Signal(tuple)

    def __init__(
        self, folder: Callable[[], Path], *, recover: bool = False, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._recover = recover
        self._worker: Worker | None = None
        self._again = False
        self._purge = False
        self._listing: Slot[Listing] = Slot()
        self._recoveries: Slot[tuple[Recovery, ...]] = Slot()
        self._pictures: Slot[tuple[Thumbnail, ...]] = Slot()
        self._seen = [0, 0]
        self._painter: Worker | None = None
        self._wanted: dict[Path, SessionEntry] = {}
        self._shown: dict[Path, Thumbnail] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def loading(self) -> bool:
        """Whether the folder is being read."""
        return self._worker is not None and self._worker.running

    def load(self) -> None:
        """Read the folder again; `listed` follows."""
        if self.loading:
            self._again = True
            return
        recover = self._recover
        emptied, self._purge = self._purge, False
        folder = self._folder()

        def work(stop: threading.Event) -> None:
            if emptied:
                purge(folder)
            self._read(folder, stop, recover=recover)

        self._worker = Worker("session list", work, failed=self._read_failed)
        self._worker.start()
        self._timer.start()

    def want_pictures(self, entries: Iterable[SessionEntry]) -> None:
        """Read the thumbnails of these sessions; `thumbnail_came` follows for each. Others are forgotten."""
        self._wanted = {entry.folder: entry for entry in entries if entry.usable}
        self._shown = {folder: shown for folder, shown in self._shown.items() if folder in self._wanted}
        self._paint()

    def empty_trash(self) -> None:
        """Remove what is in the trash for good, then read the folder again."""
        self._purge = True
        self.load()

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        loading = self.loading
        newer = self._recoveries.newer_than(self._seen[0], timeout_s=0)
        if newer is not None:
            self._seen[0] = newer[0]
            self.recovered.emit(newer[1])
        listing = self._listing.newer_than(self._seen[1], timeout_s=0)
        if listing is not None:
            self._seen[1] = listing[0]
            self.listed.emit(listing[1])
        painting = self._painter is not None and self._painter.running
        for picture in self._pictures.latest() or ():
            if picture.folder in self._wanted and self._shown.get(picture.folder) is not picture:
                self._shown[picture.folder] = picture
                self.thumbnail_came.emit(picture)
        if not painting:
            self._paint()
        if loading:
            return
        if self._again:
            self._again = False
            self.load()
        elif self._painter is None:
            self._timer.stop()

    def picture(self, folder: Path) -> bytes | None:
        """JPEG of a session whose thumbnail came already."""
        shown = self._shown.get(folder)
        return None if shown is None else shown.jpeg

    def close(self) -> None:
        """Stop reading and wait for the thread."""
        self._timer.stop()
        for worker in (self._worker, self._painter):
            if worker is not None:
                worker.stop()

    def _paint(self) -> None:
        """Read what is wanted and not there, unless that is under way."""
        if self._painter is not None and self._painter.running:
            return
        missing = [entry for folder, entry in self._wanted.items() if folder not in self._shown]
        self._painter = None
        if not missing:
            return
        self._pictures = pictures = Slot[tuple[Thumbnail, ...]]()

        def work(stop: threading.Event) -> None:
            found: list[Thumbnail] = []
            for entry in missing:
                if stop.is_set():
                    return
                found.append(Thumbnail(entry.folder, thumbnail(entry)))
                pictures.put(tuple(found))

        def failed(_error: Exception) -> None:
            pictures.put(tuple(Thumbnail(entry.folder, None) for entry in missing))

        self._painter = Worker("session pictures", work, failed=failed)
        self._painter.start()
        self._timer.start()

    def _read(self, folder: Path, stop: threading.Event, *, recover: bool) -> None:
        done: list[Recovery] = []
        try:
            with uncollected():
                listing = self._look(folder, stop, done.append if recover else None)
        except OSError as error:
            listing = Listing(
                problem=tr("{folder} cannot be read: {strerror}.").format(
                    folder=folder, strerror=from_below(str(error.strerror))
                )
            )
        if done:
            self._recoveries.put(tuple(done))
        if listing is not None:
            self._listing.put(listing)

    def _look(
        self, folder: Path, stop: threading.Event, recovered: Callable[[Recovery], None] | None
    ) -> Listing | None:
        """What is in the folder; the first sessions are shown before. None where it was stopped."""
        found: list[SessionEntry] = []
        for entry in entries(folder, recovered):
            if stop.is_set():
                return None
            found.append(entry)
            if len(found) == FIRST_LOOK:
                self._listing.put(Listing(newest_first(found), complete=False))
        return Listing(newest_first(found), tuple(trash(folder)))

    def _read_failed(self, error: Exception) -> None:
        self._listing.put(Listing(problem=tr("The sessions cannot be listed: {error}.").format(error=error)))


def newest_first(entries: Iterable[SessionEntry]) -> tuple[SessionEntry, ...]:
    """By when they began: a folder may be called anything; those that do not say when come last."""
    return tuple(sorted(entries, key=_began_s, reverse=True))


def _began_s(entry: SessionEntry) -> float:
    return float("-inf") if entry.started is None else entry.started.timestamp()
