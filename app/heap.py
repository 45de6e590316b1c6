"""Gives memory that was freed back to the system: glibc keeps what lies between memory in use."""

import ctypes
import sys
from dataclasses import dataclass, field

MUCH_BYTES = 128 << 20
"""More than was free at the least since the last time; then it is worth some hundredths of a second."""


class _Mallinfo2(ctypes.Structure):
    """`struct mallinfo2` of malloc.h."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


@dataclass
class Heap:
    """The C library's heap; if that is not glibc 2.33 or later, nothing is known of it, and nothing done."""

    _libc: ctypes.CDLL | None = field(default_factory=lambda: glibc())
    _least_bytes: int = 0

    @property
    def free_bytes(self) -> int:
        """What the heap can hand out again; what it gave back to the system before counts as well."""
        return 0 if self._libc is None else int(self._libc.mallinfo2().fordblks)

    def tidy(self) -> bool:
        """Give back what is free, if it has become much; whether it had."""
        free_bytes = self.free_bytes
        self._least_bytes = min(self._least_bytes, free_bytes)
        if self._libc is None or free_bytes - self._least_bytes < MUCH_BYTES:
            return False
        self._libc.malloc_trim(0)
        self._least_bytes = self.free_bytes
        return True


def glibc() -> ctypes.CDLL | None:
    """The C library, if it can tell what is free."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        return None
    libc.mallinfo2.restype = _Mallinfo2
    return libc
