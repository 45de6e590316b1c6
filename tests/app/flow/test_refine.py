import threading

import numpy as np
import pytest

from app.flow.hiding import hidden_pixels
from app.flow.refine import refine_frames, refine_in_turn
from app.flow.slot import Slot
from drivers.cameras.synthetic import SyntheticCamera
from drivers.synth.sensor import SensorKind
from model.repair import TIME_OF_FLIGHT, Provenance, Repair


class Fill:
    """Fills holes with 1 m and rejects the first row."""

    label, precision, batches = "fill", "fp32", False

    def repair_batch(self, shots):
        return [self.repair(shot.counts, shot.unit_m) for shot in shots]

    def repair(self, counts, unit_m):
        metres = np.where(counts == 0, 1.0, counts * unit_m).astype(np.float32)
        metres[0] = np.inf
        provenance = np.where(counts == 0, Provenance.INVENTED, Provenance.MEASURED).astype(np.uint8)
        provenance[0] = Provenance.REJECTED
        return Repair(metres, provenance)


@pytest.fixture
def camera():
    return SyntheticCamera("tiny", SensorKind.TIME_OF_FLIGHT, width=32, height=24)


def test_a_refined_frame_lies_in_the_colour_grid_and_rejected_pixels_are_holes(camera):
    frame = camera.expose(0)
    (refined,) = refine_frames(Fill(), [frame])
    assert refined.depth.values.shape == refined.raw.values.shape == frame.color.shape[:2]
    assert not refined.depth.values[0].any()
    assert (refined.depth.values[1:] > 0).all()
    measured = refined.provenance == Provenance.MEASURED
    assert np.array_equal(refined.depth.values[measured], refined.raw.values[measured])


def serve(engine, slots, count):
    """What is delivered, up to `count` results."""
    served = []
    done = threading.Event()

    def deliver(refined):
        served.append(refined)
        if len(served) == count:
            done.set()

    thread = threading.Thread(
        target=refine_in_turn, args=(slots, engine, deliver, done.is_set, threading.Event())
    )
    thread.start()
    assert done.wait(10)
    thread.join(5)
    assert not thread.is_alive()
    return served


def test_every_camera_gets_its_turn_and_old_frames_are_skipped(camera):
    slots = {name: Slot() for name in ("left", "right")}
    for slot in slots.values():
        for index in range(3):
            slot.put(camera.expose(index))
    assert [refined.frame.index for refined in serve(Fill(), slots, 2)] == [2, 2]


def test_an_engine_that_batches_gets_all_cameras_at_once(camera):
    class Together(Fill):
        batches = True

        def __init__(self):
            self.sizes = []

        def repair_batch(self, shots):
            self.sizes.append(len(shots))
            return super().repair_batch(shots)

    slots = {name: Slot() for name in ("left", "middle", "right", "dark")}
    for number, slot in enumerate(list(slots.values())[:3]):
        slot.put(camera.expose(number))
    engine = Together()
    served = serve(engine, slots, 3)
    assert engine.sizes == [3]
    assert [refined.frame.index for refined in served] == [0, 1, 2]
    assert len({refined.ready_ns for refined in served}) == 1


def test_what_is_noise_depends_on_the_sensor(camera):
    class Moved(Fill):
        def repair_batch(self, shots):
            self.noise = [shot.noise for shot in shots]
            return super().repair_batch(shots)

    engine = Moved()
    refine_frames(engine, [camera.expose(0)], noise=lambda _frame: TIME_OF_FLIGHT)
    assert engine.noise == [TIME_OF_FLIGHT]


def test_what_is_hidden_does_not_reach_the_repair_and_stays_in_raw(camera):
    class Noting(Fill):
        tokens = 12  # 3 x 4 patches of 8 x 8 pixels

        def repair(self, counts, unit_m):
            self.seen = counts
            return super().repair(counts, unit_m)

    engine, frame = Noting(), camera.expose(0)
    (whole,) = refine_frames(engine, [frame])
    everything = engine.seen
    (refined,) = refine_frames(engine, [frame], hidden_share=0.5)
    gone = hidden_pixels(24, 32, 0.5, 12)
    assert gone.mean() == 0.5
    assert not engine.seen[gone].any()
    assert np.array_equal(engine.seen[~gone], everything[~gone])
    assert np.array_equal(refined.raw.values, whole.raw.values)
    assert (refined.provenance[1:][gone[1:]] == Provenance.INVENTED).all()
    assert (whole.hidden_share, refined.hidden_share, refined.patches) == (0.0, 0.5, 12)
