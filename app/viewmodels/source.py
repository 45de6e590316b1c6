"""Switches the rig to another source in the background, so that the window never waits for a device."""

import threading
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import tr
from app.messages import Message, expected, message
from drivers.camera import Camera
from drivers.registry import AUTO
from drivers.usb import UsbCamera, usb_cameras

POLL_MS = 50
BUS_EVERY_MS = 2000
TRIES = 4
"""After something was plugged in: a vendor's library may take some seconds to see what the bus has."""

OpenSource = Callable[[str], Sequence[Camera]]


class SourceModel(QObject):
    """Opens one source at a time; the last one that was asked for wins.

    Args:
        studio: runs the cameras.
        open_source: finds them; may take seconds.
        on_bus: the cameras that the system sees; cheap. While all cameras are wanted and none is there, it is
            asked now and then, and the source is opened again when it tells something new.

    Signals:
        opening: the source that is being opened.
        opened: the source whose rig runs now.
        failed: `app.messages.Message`; the rig before goes on.
    """

    opening = Signal(str)
    opened = Signal(str)
    failed = Signal(Message)

    def __init__(
        self,
        studio: Studio,
        open_source: OpenSource,
        parent: QObject | None = None,
        *,
        on_bus: Callable[[], Sequence[UsbCamera]] = usb_cameras,
    ) -> None:
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
        self._on_bus = on_bus
        self._bus: tuple[UsbCamera, ...] = ()
        self._tries = 0
        self._bus_timer = QTimer(self)
        self._bus_timer.setInterval(BUS_EVERY_MS)
        self._bus_timer.timeout.connect(self._look_at_bus)

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
                    tr("A recording is under way"),
                    tr("The source cannot be changed while a recording is under way."),
                    tr("Stop the recording first."),
                )
            )
            return
        self._bus_timer.stop()
        self._wanted = source
        if self._worker is None:
            self._start()

    def stop(self) -> None:
        """Wait for what is under way; nothing is opened after this."""
        self._wanted = None
        self._bus_timer.stop()
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
            if self._source == AUTO:
                self._bus_timer.start()
            self.failed.emit(outcome)
        else:
            self.opened.emit(self._source)

    def _look_at_bus(self) -> None:
        bus = tuple(self._on_bus())
        if bus != self._bus:
            self._bus, self._tries = bus, TRIES
        if bus and self._tries and self._worker is None and self._studio.recorder is None:
            self._tries -= 1
            self.open(AUTO)
