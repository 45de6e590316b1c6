"""Writes a bundle for support in the background."""

import threading
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app import paths
from app.bundle import FOLDER_NAME, LastSeen, write_bundle
from app.compose import CameraLine, Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.messages import Message, message
from app.settings import Settings

POLL_MS: Final = 100
STOP_TIMEOUT_S: Final = 3.0


class BundleModel(QObject):
    """Gathers what every thread said last, and writes it down in a thread.

    Args:
        studio: whose rig it is.
        settings: of this run.

    Signals:
        saved: path of the file.
        failed: `app.messages.Message`.
    """

    saved = Signal(Path)
    failed = Signal(Message)

    def __init__(self, studio: Studio, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self._worker: Worker | None = None
        self._outcome: Slot[Path | Message] = Slot()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.tick)

    def save(self) -> None:
        """Write a bundle of this moment; nothing happens while one is being written."""
        if self._worker is not None:
            return
        pipeline = self._studio.pipeline
        lines = {} if pipeline is None else pipeline.lines
        cameras = {camera_id: last_seen(line) for camera_id, line in lines.items()}
        inference = None if pipeline is None else pipeline.inference.latest()
        state = "" if inference is None else f"{inference.status.value}: {inference.message}"
        repair, settings = self._studio.choice, self._settings.model_copy()
        folder = paths.data_folder() / FOLDER_NAME
        self._outcome = outcome = Slot[Path | Message]()

        def work(_stop: threading.Event) -> None:
            outcome.put(write_bundle(folder, settings, cameras, repair=repair, state=state))

        def failed(error: Exception) -> None:
            outcome.put(message(error))

        self._worker = Worker("bundle", work, failed=failed)
        self._worker.start()
        self._timer.start()

    def tick(self) -> None:
        """Look whether it is written; called by the timer."""
        outcome = self._outcome.latest()
        if outcome is None:
            return
        self._timer.stop()
        self._worker = None
        if isinstance(outcome, Message):
            self.failed.emit(outcome)
        else:
            self.saved.emit(outcome)

    def close(self) -> None:
        """Wait for what is being written."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop(timeout_s=STOP_TIMEOUT_S)


def last_seen(line: CameraLine) -> LastSeen:
    """What a camera of the rig showed last."""
    state = line.state.latest()
    status = "starting" if state is None else state.status.value
    if state is not None and state.error is not None:
        status += f": {state.error} {state.error.hint}"
    return LastSeen(line.info, status, line.channel.newest.latest())
