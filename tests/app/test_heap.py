import subprocess
import sys

import psutil
import pytest

from app.heap import MOST_ARENAS, Heap

PIECES, PIECE_BYTES = 6000, 60_000

THREADS = """
import ctypes, sys, threading
from app.heap import share_arenas
if len(sys.argv) > 1:
    share_arenas()
wait = threading.Barrier(25)
def allocate():
    wait.wait()
    kept = [bytes(600 + i) for i in range(2000)]
    wait.wait()
threads = [threading.Thread(target=allocate) for _ in range(24)]
for thread in threads:
    thread.start()
wait.wait(), wait.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, file)
libc.fflush(file)
"""


@pytest.mark.skipif(Heap().trim is None, reason="the C library has no arenas")
def test_many_threads_share_a_few_arenas():
    def arenas(*flags):
        said = subprocess.run(
            [sys.executable, "-c", THREADS, *flags], capture_output=True, text=True, check=True
        )
        return said.stdout.count("<heap nr=")

    assert arenas("shared") <= MOST_ARENAS < arenas()


@pytest.mark.skipif(Heap().trim is None, reason="the C library gives back by itself")
def test_freed_memory_goes_back_to_the_system_once_the_process_has_grown():
    heap = Heap()
    heap.tidy()
    assert not heap.tidy()
    before = psutil.Process().memory_info().rss
    pieces = [b"1" * PIECE_BYTES for _ in range(PIECES)]
    kept = pieces[::10]
    del pieces
    between = psutil.Process().memory_info().rss
    assert between - before > 0.8 * PIECES * PIECE_BYTES
    assert heap.tidy()
    assert between - psutil.Process().memory_info().rss > 0.7 * PIECES * PIECE_BYTES
    assert not heap.tidy()
    assert len(kept) == PIECES // 10


def test_where_the_c_library_is_another_nothing_happens():
    assert not Heap(trim=None).tidy()
