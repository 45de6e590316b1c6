import psutil
import pytest

from app.heap import Heap

PIECES, PIECE_BYTES = 6000, 60_000


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
