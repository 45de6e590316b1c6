import threading
import time

import numpy as np
import pytest

from app.flow.worker import Worker
from app.quality.follow import Wish, follow
from app.quality.planes import region_around
from app.quality.sensor import Exposure
from drivers.depth import depth_map
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics

LENS = Intrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)


class Wall:
    """A sensor in front of a wall that has a new exposure whenever it is asked."""

    def __init__(self, distance_m):
        self.distance_m = distance_m
        self.words = ""
        self.frozen = False
        self._index = 0

    def newest(self, seen):
        if self.words:
            return self.words
        if self.frozen and seen is not None:
            return None
        self._index += 1
        depth = depth_map(np.full((120, 160), self.distance_m))
        color = np.full((120, 160, 3), 90, np.uint8)
        lens = Calibration(LENS, LENS)
        now_ns = time.monotonic_ns()
        frame = Frame("wall", self._index, now_ns, now_ns, color, depth, lens)
        return Exposure(frame, depth, None, "Repair is off", {"raw": 5.0})


@pytest.fixture
def run():
    """Follows sensors in a thread; gives what was delivered, and what may be wished for."""
    workers = []

    def start(walls):
        delivered, wishes = [], {}
        sources = {name: wall.newest for name, wall in walls.items()}

        def work(stop: threading.Event):
            follow(sources, lambda name: wishes.get(name, Wish()), delivered.append, stop)

        worker = Worker("quality", work)
        workers.append(worker)
        worker.start()
        return delivered, wishes

    yield start
    for worker in workers:
        assert worker.stop(timeout_s=10)


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_sensor_is_measured_again_and_again(run):
    delivered, _ = run({"left": Wall(1.0), "right": Wall(2.0)})
    until(lambda: {name: sum(q.camera_id == name for q in delivered) >= 2 for name in ("left", "right")}
          == {"left": True, "right": True})  # fmt: skip
    assert delivered[-1].streams["raw"].figures["fill"].value == 1


def test_a_typed_distance_holds_from_the_next_measurement_on(run):
    delivered, wishes = run({"left": Wall(1.02)})
    until(lambda: delivered)
    wishes["left"] = Wish(region_around(0.5, 0.5), 1.0)
    until(lambda: delivered[-1].chosen)
    assert delivered[-1].streams["raw"].figures["z_accuracy"].value == pytest.approx(0.02, abs=1e-3)


def test_a_wish_is_granted_even_if_no_frame_comes(run):
    wall = Wall(1.0)
    delivered, wishes = run({"left": wall})
    until(lambda: delivered)
    wall.frozen = True
    wishes["left"] = Wish(region_around(0.2, 0.2))
    until(lambda: delivered[-1].chosen)


def test_a_lost_sensor_says_so_once_and_comes_back(run):
    wall = Wall(1.0)
    wall.words = "Camera lost"
    delivered, _ = run({"left": wall})
    until(lambda: delivered)
    assert delivered[0].streams["raw"].figures["fill"].words == "Camera lost"
    wall.words = ""
    until(lambda: len(delivered) > 1)
    assert delivered[1].streams["raw"].figures["fill"].value == 1


def test_a_short_gap_leaves_the_last_figures_and_a_long_one_takes_them(run, monkeypatch):
    monkeypatch.setattr("app.quality.follow.KEPT_S", 0.8)
    wall = Wall(1.0)
    delivered, _ = run({"left": wall})
    until(lambda: delivered)
    wall.words = "No frames for 0.9 s"
    time.sleep(0.3)
    assert all(one.streams["raw"].figures["fill"].value == 1 for one in delivered)
    until(lambda: delivered[-1].streams["raw"].silence == "No frames for 0.9 s")
