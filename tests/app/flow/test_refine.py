import threading

import numpy as np
import pytest

from app.flow.refine import refine_frame, refine_in_turn
from app.flow.slot import Slot
from drivers.cameras.synthetic import SyntheticCamera
from drivers.synth.sensor import SensorKind
from model.repair import Provenance, Repair


class Fill:
    """Fills holes with 1 m and rejects the first row."""

    label = "fill"

    def repair(self, color, counts, unit_m):
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
    refined = refine_frame(Fill(), frame)
    assert refined.depth.values.shape == refined.raw.values.shape == frame.color.shape[:2]
    assert not refined.depth.values[0].any()
    assert (refined.depth.values[1:] > 0).all()
    measured = refined.provenance == Provenance.MEASURED
    assert np.array_equal(refined.depth.values[measured], refined.raw.values[measured])


def test_every_camera_gets_its_turn_and_old_frames_are_skipped(camera):
    sources = {name: Slot() for name in ("left", "right")}
    served = []
    done = threading.Event()

    def deliver(refined):
        served.append(refined.frame.index)
        if len(served) == 2:
            done.set()

    for slot in sources.values():
        for index in range(3):
            slot.put(camera.expose(index))
    thread = threading.Thread(
        target=refine_in_turn, args=(sources, Fill(), deliver, done.is_set, threading.Event())
    )
    thread.start()
    assert done.wait(10)
    thread.join(5)
    assert served == [2, 2]
