"""Frames of one moment, from cameras of different rates."""

import numpy as np
import pytest

from app.flow.sync import FrameSync
from drivers.cameras.synthetic import SyntheticCamera
from drivers.clock import Clock
from drivers.frame import Frame, FrameSet
from drivers.synth.sensor import SensorKind

MS = 1_000_000
TEMPLATE = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=4, height=2).expose(0)


def frame(camera_id, index, at_ms):
    at_ns = round(at_ms * MS)
    return Frame(
        camera_id,
        index,
        at_ns,
        at_ns,
        TEMPLATE.color,
        TEMPLATE.depth,
        TEMPLATE.calibration,
        clock=Clock.DEVICE,
    )


def exposures(camera_id, rate_hz, *, phase_ms=0.0, seconds=4.0, jitter_ms=0.0, without=(), seed=0):
    rng = np.random.default_rng(seed)
    return [
        frame(camera_id, n, phase_ms + n * 1000 / rate_hz + jitter_ms * rng.uniform(-1, 1))
        for n in range(round(rate_hz * seconds))
        if n not in without
    ]


def run(sync, frames, *, delay_ms=None):
    """All sets, of frames that come in the order of exposure and delay."""
    late = delay_ms or {}
    order = sorted(frames, key=lambda f: f.captured_ns + late.get(f.camera_id, 0) * MS)
    return [found for each in order for found in sync.add(each)]


def numbers(sets):
    return [{name: f.index for name, f in found.frames.items()} for found in sets]


def test_cameras_of_one_rate_pair_their_frames():
    frames = exposures("a", 30) + exposures("b", 30, phase_ms=9)

    sets = run(FrameSync({"a": 30, "b": 30}), frames)

    assert len(sets) >= 118
    assert all(found.frames["a"].index == found.frames["b"].index for found in sets)
    assert all(found.spread_ms == pytest.approx(9, abs=0.01) for found in sets)


@pytest.mark.parametrize("delay_ms", [{}, {"slow": 90}, {"fast": 90}])
def test_a_camera_of_half_the_rate_gets_the_nearest_of_the_other(delay_ms):
    frames = exposures("fast", 30, jitter_ms=2) + exposures("slow", 15, phase_ms=7, jitter_ms=2, seed=1)

    sets = run(FrameSync({"fast": 30, "slow": 15}), frames, delay_ms=delay_ms)

    assert len(sets) >= 55
    assert numbers(sets) == [{"fast": 2 * n, "slow": n} for n in range(len(sets))]


def test_the_spread_is_from_the_first_to_the_last_exposure():
    found = FrameSet({"a": frame("a", 0, 100), "b": frame("b", 0, 104), "c": frame("c", 0, 98.5)})

    assert found.spread_ms == pytest.approx(5.5)
    assert found.captured_ns == 101_250_000


def test_no_frame_is_in_two_sets():
    """Exposures half a period apart are as near to the one before as to the one after."""
    frames = exposures("a", 30, jitter_ms=3) + exposures("b", 30, phase_ms=16.6, jitter_ms=3, seed=1)

    sets = run(FrameSync({"a": 30, "b": 30}), frames)

    for name in ("a", "b"):
        taken = [found.frames[name].index for found in sets if name in found.frames]
        assert len(taken) == len(set(taken))


def test_a_lost_frame_is_missing_from_its_set_only():
    frames = exposures("a", 30) + exposures("b", 30, phase_ms=2, without=(7,))

    sets = run(FrameSync({"a": 30, "b": 30}), frames)

    alone = [found for found in sets if "b" not in found.frames]
    assert [found.frames["a"].index for found in alone] == [7]
    assert all(n["a"] == n["b"] for n in numbers(sets) if len(n) == 2)


def test_a_silent_camera_is_not_waited_for():
    frames = exposures("a", 30) + exposures("b", 30, phase_ms=2, seconds=1.0)

    sets = run(FrameSync({"a": 30, "b": 30}), frames)

    assert len(sets) >= 110
    assert all("b" not in n for n in numbers(sets)[40:])


def test_when_the_slowest_is_gone_the_next_one_leads_and_gives_way_again():
    there = exposures("slow", 10, without=range(10, 30), seconds=5)
    frames = exposures("fast", 30, seconds=5) + there

    sets = run(FrameSync({"fast": 30, "slow": 10}), frames)

    moments = [found.captured_ns / 1e9 for found in sets]
    during = [n for n, at_s in zip(numbers(sets), moments, strict=True) if 1.6 < at_s < 2.9]
    after = [n for n, at_s in zip(numbers(sets), moments, strict=True) if at_s > 3.4]
    assert len(during) > 30
    assert all(set(n) == {"fast"} for n in during)
    assert after
    assert all(n["fast"] == 3 * n["slow"] for n in after)
    assert (np.diff([found.frames["fast"].index for found in sets]) > 0).all()


def test_frames_are_let_go():
    sync = FrameSync({"a": 30, "b": 30, "never": 5})
    run(sync, exposures("a", 30, seconds=30) + exposures("b", 30, seconds=30, without=range(300, 900)))

    assert all(len(stream.frames) < 40 for stream in sync._streams.values())


def test_a_camera_whose_rate_is_not_known_does_no_harm():
    sync = FrameSync({"a": 0.0, "b": 30})

    assert len(run(sync, exposures("b", 30, seconds=12))) > 200
