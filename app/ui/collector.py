"""Searches for unreachable cycles in the window's thread only, and gives freed memory back."""

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer

from app.heap import Heap
from app.recording.collecting import is_paused

EVERY_MS = 1000
TURNS = 20
"""One search in so many is among all objects, the others are among young ones."""
LONG_S = 0.1
"""Of a processor; only the modules of torch make a search that long. What it found in use is not looked at
again until another source is opened; little of it can become garbage before."""


class Collector(QObject):
    """A timer that does what Python's own search for cycles does, where widgets may be destroyed.

    Python's own runs in whichever thread makes an object too many. If that is a camera's, and the cycle holds
    a widget, Qt destroys it there, while the window's thread may hold the locks that it needs.

    Args:
        source: what is open now, or None.
    """

    def __init__(self, source: Callable[[], object | None]) -> None:
        super().__init__()
        self._source = source
        self._seen: weakref.ref[object] | None = None
        self._turn = 0
        self._heap = Heap()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(EVERY_MS)

    def stop(self) -> None:
        """Search no more."""
        self._timer.stop()

    def _look(self) -> None:
        if is_paused():
            return
        self._turn = (self._turn + 1) % TURNS
        if self._turn:
            gc.collect(1)
            return
        if self._is_another():
            gc.unfreeze()
        started_s = time.thread_time()
        gc.collect()
        if time.thread_time() - started_s > LONG_S:
            gc.freeze()
        self._heap.tidy()

    def _is_another(self) -> bool:
        source = self._source()
        if source is (self._seen() if self._seen is not None else None):
            return False
        self._seen = None if source is None else weakref.ref(source)
        return True


@contextmanager
def collected_here(source: Callable[[], object | None]) -> Iterator[None]:
    """In here, cycles are searched for by the window's thread, which has to run its event loop.

    Args:
        source: what is open now, or None.
    """
    was_on = gc.isenabled()
    gc.disable()
    collector = Collector(source)
    try:
        yield
    finally:
        collector.stop()
        gc.unfreeze()
        if was_on:
            gc.enable()
