"""Searches for unreachable cycles in the window's thread only, and gives freed memory back."""

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import getAllValidWrappers

from app.heap import Heap
from app.recording.collecting import is_paused

EVERY_MS = 1000
TURNS, STILL_TURNS = 20, 300
"""Searches among young objects for each one among all, which takes a fifth of a second with torch's modules:
where something came or went meanwhile, and where a picture only runs."""


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
        self._seen: tuple[weakref.ref[object] | None, int] = (None, 0)
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
        self._turn += 1
        source = self._source()
        now = None if source is None else weakref.ref(source), _widgets()
        if self._turn < (STILL_TURNS if now == self._seen else TURNS):
            gc.collect(1)
            return
        self._turn, self._seen = 0, now
        gc.collect()
        self._heap.tidy()


def _widgets() -> int:
    """How many there are that Python knows; asking Qt for all of them would make Python know its own, too."""
    return sum(isinstance(known, QWidget) for known in getAllValidWrappers())


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
        if was_on:
            gc.enable()
