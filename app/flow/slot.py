"""A place for one value: the newest wins."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Holds the newest value that one thread has for others.

    A slow reader misses values and never falls behind; the writer never waits.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value: T | None = None
        self._version = 0

    def put(self, value: T) -> None:
        """Replace whatever is there."""
        with self._changed:
            self._value = value
            self._version += 1
            self._changed.notify_all()

    def clear(self) -> None:
        """Let go of the newest value; whoever waits for a newer one waits on."""
        with self._changed:
            self._value = None

    def latest(self) -> T | None:
        """The newest value, or None before the first and after `clear`."""
        return self._value

    @property
    def version(self) -> int:
        """How many values were put so far."""
        return self._version

    def newer_than(self, seen: int, *, timeout_s: float) -> tuple[int, T] | None:
        """The newest value and its version, or None if none newer than version `seen` came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > seen, timeout_s)
            if self._version <= seen or self._value is None:
                return None
            return self._version, self._value
