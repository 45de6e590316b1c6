import threading
import time

import numpy as np
import pytest

from app.flow.attention import Asked, AttentionError, AttentionLoop
from app.flow.slot import Slot
from app.flow.worker import Worker
from model.spec import EngineChoice

WEIGHTS = np.arange(6, dtype=np.float32).reshape(2, 3)


class Depths:
    def __init__(self):
        self.values = np.zeros((4, 6), np.uint16)
        self.metres = np.ones((4, 6), np.float32)


class Moment:
    """As much of a repaired frame as is looked at."""

    def __init__(self):
        self.raw = Depths()
        self.frame = self
        self.color = np.zeros((4, 6, 3), np.uint8)


@pytest.fixture
def looking():
    """The loop, the slot of its camera, and where it looked; its network is named after the model."""
    slot, looked, loaded = Slot(), [], []

    def load(choice):
        loaded.append(choice.model)
        if choice.model == "off":
            raise AttentionError("There is no network.", "Choose one.")

        def look(_color, _depth_m, at):
            looked.append(at)
            return None if at == (0, 0) else WEIGHTS

        return look

    loop = AttentionLoop(lambda: {"one": slot}, lambda: EngineChoice(model=loop_model[0]), load)
    loop_model = ["demo"]
    worker = Worker("attention", loop.run)
    worker.start()
    yield loop, slot, looked, loaded, loop_model
    assert worker.stop()


def seen(loop, asked):
    deadline = time.monotonic() + 5
    while (found := loop.newest.latest()) is None or found.asked is not asked:
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)
    return found


def test_the_place_that_was_asked_about_is_looked_at_in_pixels_of_the_newest_moment(looking):
    loop, slot, looked, loaded, _ = looking
    slot.put(Moment())
    loop.asked = first = Asked("one", 0.5, 0.99)
    assert seen(loop, first).weights is WEIGHTS
    loop.asked = hole = Asked("one", 0.0, 0.0)
    assert seen(loop, hole).weights is None
    assert not seen(loop, hole).problem
    assert looked == [(3, 3), (0, 0)]
    assert loaded == ["demo"], "the network is loaded once"


def test_without_a_network_it_says_why_and_what_to_do_even_before_the_first_moment(looking):
    loop, _, looked, _, model = looking
    model[0] = "off"
    loop.asked = asked = Asked("one", 0.5, 0.5)
    assert seen(loop, asked).problem == "There is no network. Choose one."
    assert not looked
