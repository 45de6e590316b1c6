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


class Source:
    """Stands for a rig that is open."""


@pytest.mark.parametrize("change", ["source", "widgets"])
def test_while_a_picture_only_runs_old_objects_are_left_alone(qtbot, monkeypatch, change):
    monkeypatch.setattr(collector, "EVERY_MS", 1)
    monkeypatch.setattr(collector, "TURNS", 5)
    monkeypatch.setattr(collector, "STILL_TURNS", 10_000)
    sources, searched = [Source()], []
    monkeypatch.setattr(gc, "collect", lambda generation=2: searched.append(generation))
    with collected_here(lambda: sources[-1]):
        qtbot.waitUntil(lambda: 2 in searched)
        searched.clear()
        qtbot.waitUntil(lambda: len(searched) > 20)
        assert 2 not in searched
        if change == "source":
            sources[:] = [Source()]
        else:
            widget = QWidget()
            qtbot.addWidget(widget)
        qtbot.waitUntil(lambda: 2 in searched)
