import time

import numpy as np
import pytest

from drivers.cameras.synthetic import DEMO_FAULTS, Faults, SyntheticCamera, demo_rig
from drivers.clock import Clock
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound
from drivers.frame import FrameSettings
from drivers.geometry import register_depth
from drivers.synth.sensor import SensorKind


def camera(*, rate_hz=100.0, width=16, height=12, **more):
    return SyntheticCamera(
        "sim", SensorKind.ACTIVE_STEREO, width=width, height=height, rate_hz=rate_hz, **more
    )


def read_some(source, count):
    frames = []
    while len(frames) < count:
        if frame := source.read(timeout_s=1.0):
            frames.append(frame)
    return frames


@pytest.mark.parametrize("kind", SensorKind)
def test_the_same_index_gives_the_same_frame(kind):
    first, second = (SyntheticCamera("sim", kind, width=64, height=48, seed=5).expose(9) for _ in range(2))

    for name in ("color", "ir_left"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.depth.values, second.depth.values)


def test_a_frame_does_not_depend_on_which_frames_were_read_before():
    alone = SyntheticCamera("sim", SensorKind.PASSIVE_STEREO, width=160, height=120).expose(9)
    source = SyntheticCamera("sim", SensorKind.PASSIVE_STEREO, width=160, height=120)
    after_others = [source.expose(index) for index in (3, 8, 9)][-1]

    np.testing.assert_array_equal(alone.color, after_others.color)
    np.testing.assert_array_equal(alone.depth.values, after_others.depth.values)


def test_another_seed_gives_other_noise():
    first, second = (camera(seed=seed).expose(3) for seed in (1, 2))

    assert (first.color != second.color).any()


def test_the_truth_lies_in_the_colour_grid_without_holes():
    frame = SyntheticCamera("sim", SensorKind.TIME_OF_FLIGHT, width=64, height=48).expose(0)

    assert frame.truth is not None
    assert frame.truth.values.shape == (48, 64)
    assert frame.truth.fill_rate == 1.0


def test_time_of_flight_registers_into_the_colour_grid():
    frame = SyntheticCamera("sim", SensorKind.TIME_OF_FLIGHT, width=64, height=48).expose(0)

    registered = register_depth(frame.depth, frame.calibration)

    picked = registered.valid
    assert frame.truth is not None
    assert np.median(np.abs(registered.metres[picked] - frame.truth.metres[picked])) < 0.03


def test_frames_come_at_the_asked_rate():
    with camera(rate_hz=50.0) as source:
        frames = read_some(source, 5)

    spacing_ns = (frames[-1].captured_ns - frames[0].captured_ns) / (frames[-1].index - frames[0].index)
    assert spacing_ns == 20_000_000


def test_dropped_frames_leave_gaps_in_the_index():
    with camera(faults=Faults(drop_every=3)) as source:
        frames = read_some(source, 6)

    assert all(frame.index % 3 != 2 for frame in frames)


def test_a_stalled_camera_delivers_nothing_until_it_recovers():
    with camera(faults=Faults(stall_from=0)) as source:
        assert source.read(timeout_s=0.05) is None
        source.faults = Faults()
        assert read_some(source, 1)


def test_an_unplugged_camera_is_lost():
    with camera(faults=Faults(lose_from=2)) as source, pytest.raises(CameraLost):
        read_some(source, 4)


def test_what_a_device_counted_while_it_was_gone_is_a_gap():
    source = camera(faults=Faults(lose_from=3, back_from=20))
    with pytest.raises(CameraLost), source:
        read_some(source, 10)
    opened = False
    while not opened:
        try:
            source.open()
            opened = True
        except CameraLost:
            continue

    assert read_some(source, 1)[0].index >= 20
    source.close()


def test_a_stall_that_ends_by_itself():
    with camera(faults=Faults(stall_from=2, back_from=30)) as source:
        indices = [frame.index for frame in read_some(source, 4)]

    assert not set(indices) & set(range(2, 30))
    assert max(indices) >= 30


@pytest.mark.parametrize("ppm", [-5000.0, 5000.0])
def test_a_device_whose_clock_is_wrong_is_told_on_ours(ppm):
    with camera(faults=Faults(clock_ppm=ppm)) as source:
        first, *_, last = read_some(source, 40)

    device_s = (last.device_ns - first.device_ns) / 1e9
    exposed_s = (last.index - first.index) / 100
    assert device_s / exposed_s == pytest.approx(1 + ppm * 1e-6, rel=1e-6)
    assert last.clock is Clock.DEVICE
    assert last.captured_ns <= time.monotonic_ns()


@pytest.mark.parametrize("fault", DEMO_FAULTS)
def test_a_fault_of_the_demo_rig_is_the_first_cameras(fault):
    rig = demo_rig(fault=fault)

    assert [source.faults for source in rig] == [DEMO_FAULTS[fault], Faults(), Faults()]


def test_a_fault_that_nobody_knows_is_said():
    with pytest.raises(CameraNotFound, match="gremlin") as caught:
        demo_rig(fault="gremlin")
    assert "unplug" in caught.value.hint


def test_a_busy_camera_does_not_open():
    with pytest.raises(CameraBusy):
        camera(faults=Faults(busy=True)).open()


def test_a_closed_camera_cannot_be_read():
    with pytest.raises(CameraError):
        camera().read(timeout_s=0.01)


def test_difficulty_can_be_changed_while_running():
    source = camera(width=160, height=120)
    easy = source.expose(0).depth.fill_rate
    source.difficulty = 1.0

    assert source.expose(0).depth.fill_rate < easy


def test_a_camera_can_be_made_to_stand_still_while_running():
    source = camera(width=64, height=48)
    start, moved = source.expose(0).truth.values, source.expose(600).truth.values
    source.still = True
    held = source.expose(900).truth.values  # a whole number of the moving box's periods later

    assert np.mean(moved != start) > 0.5
    assert np.mean(held != start) < 0.05


def test_each_frame_says_what_the_camera_was_set_to():
    source = camera()
    first = source.expose(0)
    source.set_control("color.exposure", 4200.0)
    source.set_control("depth.laser_power", 60.0)
    second = source.expose(1)
    source.set_control("depth.emitter", False)

    assert first.settings == FrameSettings(8500.0, 1.0, 150.0)
    assert second.settings == FrameSettings(4200.0, 1.0, 60.0)
    assert source.expose(2).settings.laser_power_mw == 0.0
    passive = SyntheticCamera("sim", SensorKind.PASSIVE_STEREO, width=16, height=12)
    assert passive.expose(0).settings.laser_power_mw is None


def test_the_demo_rig_has_three_different_sensors_with_distinct_ids():
    rig = demo_rig()

    assert [source.info.id for source in rig] == ["stereo_active", "time_of_flight", "stereo_passive"]
    assert len({source.info.sensor for source in rig}) == 3


def test_cameras_of_the_rig_expose_at_the_same_moments():
    left, right = demo_rig(rate_hz=100.0, width=16, height=12)[:2]
    with left, right:
        moments = [source.read(timeout_s=1.0).captured_ns for source in (left, right)]

    assert (moments[0] - moments[1]) % 10_000_000 == 0
