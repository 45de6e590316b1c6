"""Looks into the selected session in a thread: pictures of one moment, and how much depth it holds."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import from_below, joined, tr
from app.recording.library import Overview, overview
from drivers.errors import SessionError

log = logging.getLogger(__name__)

POLL_MS = 100


@dataclass(frozen=True, eq=False)
class Looked:
    """What was found in a session, or why nothing was."""

    folder: Path
    overview: Overview | None
    problem: str = ""


class SessionOverview(QObject):
    """One session at a time; what another one was asked for meanwhile is dropped.

    Signals:
        looked: `Looked`.
    """

    looked = Signal(Looked)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Worker | None = None
        self._wanted: Path | None = None
        self._found: Slot[Looked] = Slot()
        self._last: Looked | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    def look(self, folder: Path | None) -> None:
        """Look into this session; `looked` follows, at once where it is known. None looks nowhere."""
        if folder == self._wanted:
            return
        self._wanted = folder
        if self._last is not None and self._last.folder == folder:
            self.looked.emit(self._last)
        elif folder is not None:
            self._timer.start()
            self.poll()

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        found = self._found.latest()
        if found is not None and found is not self._last:
            self._last = found
            if found.folder == self._wanted:
                self.looked.emit(found)
        if self._worker is not None and self._worker.running:
            return
        if self._wanted is None or (self._last is not None and self._last.folder == self._wanted):
            self._timer.stop()
            return
        self._start(self._wanted)

    def close(self) -> None:
        """Wait for the thread."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop()

    def _start(self, folder: Path) -> None:
        def work(_stop: threading.Event) -> None:
            try:
                self._found.put(Looked(folder, overview(folder)))
            except SessionError as error:
                log.warning("no overview of %s: %s", folder, error)
                self._found.put(
                    Looked(folder, None, joined(" ", (from_below(str(error)), from_below(error.hint))))
                )

        def failed(error: Exception) -> None:
            self._found.put(Looked(folder, None, tr("It could not be read: {error}").format(error=error)))

        self._worker = Worker("session overview", work, failed=failed)
        self._worker.start()
