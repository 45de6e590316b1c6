"""Switches the rig to another source in the background, so that the window never waits for a device."""

import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.messages import Message, expected, message
from drivers.camera import Camera

POLL_MS = 50

OpenSource = Callable[[str], Sequence[Camera]]


class SourceModel(QObject):
    """Opens one source at a time; the last one that was asked for wins.

    Args:
        studio: runs the cameras.
        open_source: finds them; may take seconds.

    Signals:
        opening: the source that is being opened.
        opened: the source whose rig runs now.
        failed: `app.messages.Message`; the rig before goes on.
    """

    opening = Signal(str)
    opened = Signal(str)
    failed = Signal(Message)

    def __init__(self, studio: Studio, open_source: OpenSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._open_source = open_source
        self._worker: Worker | None = None
        self._wanted: str | None = None
        self._source = ""
        self._outcome: Slot[Message | bool] = Slot()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def source(self) -> str:
        """What was opened last, or empty."""
        return self._source

    @property
    def busy(self) -> bool:
        """Whether a source is being opened."""
        return self._worker is not None

    def open(self, source: str) -> None:
        """Switch to `source`; refused while a recording is under way."""
        if self._studio.recorder is not None:
            self.failed.emit(
                Message(
                    "A recording is under way",
                    "The source cannot be changed while a recording is under way.",
                    "Stop the recording first.",
                )
            )
            return
        self._wanted = source
        if self._worker is None:
            self._start()

    def stop(self) -> None:
        """Wait for what is under way; nothing is opened after this."""
        self._wanted = None
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _start(self) -> None:
        source, self._wanted = self._wanted, None
        assert source is not None
        self._outcome = outcome = Slot[Message | bool]()

        def work(stop: threading.Event) -> None:
            try:
                cameras = self._open_source(source)
                if not stop.is_set():
                    self._studio.open(cameras)
            except expected() as error:
                outcome.put(message(error))
            else:
                outcome.put(True)

        def failed(error: Exception) -> None:
            outcome.put(message(error))

        self._source = source
        self._worker = Worker("open source", work, failed=failed)
        self.opening.emit(source)
        self._worker.start()
        self._timer.start()

    def _look(self) -> None:
        outcome = self._outcome.latest()
        if outcome is None or self._worker is None:
            return
        self._worker.stop()
        self._worker = None
        self._timer.stop()
        if self._wanted is not None:
            self._start()
        elif isinstance(outcome, Message):
            self.failed.emit(outcome)
        else:
            self.opened.emit(self._source)
