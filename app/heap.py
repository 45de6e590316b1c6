"""Gives memory that was freed back to the system: glibc keeps what lies between memory in use."""

import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MUCH_BYTES = 96 << 20
"""By which the process has to grow before it is worth some hundredths of a second to look for free memory."""


def _trimmer() -> Callable[[int], int] | None:
    """The `malloc_trim` of glibc; None where the C library is another, which gives back by itself."""
    if sys.platform != "linux":
        return None
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


def _resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Heap:
    """The C library's heap.

    Attributes:
        trim: gives back what is free; None where nothing has to.
    """

    trim: Callable[[int], int] | None = field(default_factory=_trimmer)
    _least_bytes: int = 0

    def tidy(self) -> bool:
        """Give back what is free, if the process has grown much since it was smallest; whether it had."""
        if self.trim is None:
            return False
        size = _resident_bytes()
        self._least_bytes = min(self._least_bytes, size)
        if size - self._least_bytes < MUCH_BYTES:
            return False
        self.trim(0)
        self._least_bytes = _resident_bytes()
        return True
