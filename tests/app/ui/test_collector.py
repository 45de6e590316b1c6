"""Cycles with widgets in them end in the window's thread, whoever makes the objects that start the search."""

import gc
import threading

import pytest
from PySide6.QtWidgets import QWidget

from app.recording.collecting import uncollected
from app.ui import collector
from app.ui.collector import collected_here


class Knot(QWidget):
    """A widget that holds itself, and says in which thread it went."""

    def __init__(self, ended: list[threading.Thread]) -> None:
        super().__init__()
        self.me = self
        self._ended = ended

    def __del__(self) -> None:
        self._ended.append(threading.current_thread())


@pytest.fixture(autouse=True)
def _search_is_on():
    gc.enable()


def busy():
    """Makes enough that stays for Python's own search to begin, many times."""
    return [[n] for n in range(100_000)]


def test_a_widget_in_a_cycle_ends_in_the_windows_thread(qtbot, monkeypatch):
    monkeypatch.setattr(collector, "EVERY_MS", 10)
    monkeypatch.setattr(collector, "TURNS", 2)
    ended = []
    with collected_here(lambda: None):
        assert not gc.isenabled()
        Knot(ended)
        thread = threading.Thread(target=busy)
        thread.start()
        thread.join()
        assert not ended
        qtbot.waitUntil(lambda: bool(ended))
    assert ended == [threading.main_thread()]
    assert gc.isenabled()


def test_the_search_rests_while_very_much_is_made(qtbot, monkeypatch):
    monkeypatch.setattr(collector, "EVERY_MS", 1)
    monkeypatch.setattr(collector, "TURNS", 1)
    ended = []
    with collected_here(lambda: None):
        with uncollected():
            Knot(ended)
            qtbot.wait(50)
            assert not ended
        qtbot.waitUntil(lambda: bool(ended))


def test_what_took_long_to_look_through_is_not_looked_through_again(qtbot, monkeypatch):
    monkeypatch.setattr(collector, "EVERY_MS", 1)
    monkeypatch.setattr(collector, "TURNS", 1)
    monkeypatch.setattr(collector, "LONG_S", 0.0)
    before = gc.get_freeze_count()
    with collected_here(lambda: None):
        qtbot.waitUntil(lambda: gc.get_freeze_count() > before)
    assert gc.get_freeze_count() == 0


class Source:
    """Stands for a rig that is open."""


def test_another_source_lets_go_of_what_was_no_longer_looked_through(qtbot, monkeypatch):
    monkeypatch.setattr(collector, "EVERY_MS", 1)
    monkeypatch.setattr(collector, "TURNS", 1)
    monkeypatch.setattr(collector, "LONG_S", 0.0)
    ended, sources = [], [Source()]
    with collected_here(lambda: sources[-1]):
        knot = Knot(ended)
        frozen = gc.get_freeze_count()
        qtbot.waitUntil(lambda: gc.get_freeze_count() > frozen)
        del knot
        qtbot.wait(50)
        assert not ended
        sources[:] = [Source()]
        qtbot.waitUntil(lambda: bool(ended))
