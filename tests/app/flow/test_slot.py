import threading

from app.flow.slot import Slot


def test_a_slow_reader_gets_the_newest_value_only():
    slot: Slot[str] = Slot()
    slot.put("old")
    slot.put("new")
    assert slot.newer_than(0, timeout_s=0) == (2, "new")


def test_nothing_newer_is_none_after_the_timeout():
    slot: Slot[str] = Slot()
    slot.put("only")
    assert slot.newer_than(1, timeout_s=0.01) is None


def test_a_waiting_reader_is_woken_by_a_value():
    slot: Slot[int] = Slot()
    got = []
    reader = threading.Thread(target=lambda: got.append(slot.newer_than(0, timeout_s=5)))
    reader.start()
    slot.put(7)
    reader.join(5)
    assert got == [(1, 7)]
