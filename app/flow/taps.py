"""Functions that get every value of a kind, for whoever may miss none."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Taps(Generic[T]):
    """Hands each value on in the thread that has it; a tap must not block."""

    def __init__(self) -> None:
        self._taps: tuple[Callable[[T], None], ...] = ()

    def __call__(self, value: T) -> None:
        """Call every tap with `value`."""
        for tap in self._taps:
            tap(value)

    def add(self, tap: Callable[[T], None]) -> None:
        """Call `tap` with every value from now on."""
        self._taps = (*self._taps, tap)

    def remove(self, tap: Callable[[T], None]) -> None:
        """Stop calling `tap`; a call under way may still finish."""
        self._taps = tuple(other for other in self._taps if other != tap)
