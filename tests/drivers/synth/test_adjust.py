import numpy as np
import pytest

from drivers.cameras.synthetic import GRAVITY_M_S2, IMU_HZ, SyntheticCamera
from drivers.controls import QUALITY, ControlKind
from drivers.errors import ModeUnsupported
from drivers.synth.sensor import SensorKind

STEREO, FLIGHT, PASSIVE = SensorKind.ACTIVE_STEREO, SensorKind.TIME_OF_FLIGHT, SensorKind.PASSIVE_STEREO


def camera(kind=STEREO, **kwargs):
    return SyntheticCamera("sim", kind, width=160, height=120, **kwargs)


@pytest.mark.parametrize("kind", SensorKind)
def test_every_control_changes_the_picture_or_ends_an_automatic(kind):
    untouched = camera(kind).expose(0)
    for control in camera(kind).controls():
        changed = camera(kind)
        if control.kind is ControlKind.SWITCH:
            if control.name.startswith("color.auto"):
                continue  # alone, it only keeps what the automatic had chosen
            changed.set_control(control.name, not control.value)
        elif control.kind is ControlKind.CHOICE:
            changed.set_control(control.name, control.choices[-1])
        else:
            changed.set_control(control.name, control.maximum)
        frame = changed.expose(0)
        images = (
            [(frame.color, untouched.color)]
            if control.group == "Colour"
            else [(frame.depth.values, untouched.depth.values), (frame.ir_left, untouched.ir_left)]
        )
        assert not all(np.array_equal(image, before) for image, before in images), control.name


def test_twice_the_exposure_is_twice_the_light():
    usual, longer = camera(), camera()
    longer.set_control("color.exposure", 17000.0)

    dark, bright = usual.expose(0).color, longer.expose(0).color
    unclipped = (dark > 40) & (bright < 255)

    light = (bright[unclipped] / dark[unclipped]) ** 2.2
    assert np.median(light) == pytest.approx(2.0, rel=0.02)


def test_setting_an_exposure_ends_the_automatic():
    sim = camera()
    sim.set_control("color.exposure", 2000.0)

    values = {control.name: control.value for control in sim.controls()}

    assert (values["color.exposure"], values["color.auto_exposure"]) == (2000.0, False)


def test_without_its_emitter_active_stereo_loses_its_dots_and_time_of_flight_everything():
    stereo, flight = camera(STEREO), camera(FLIGHT)
    dotted = stereo.expose(0).ir_left
    dotless = camera(PASSIVE).expose(0).ir_left
    for sim in (stereo, flight):
        sim.set_control("depth.emitter", False)

    assert np.abs(stereo.expose(0).ir_left.astype(int) - dotless).max() <= 8  # but for noise
    assert np.abs(stereo.expose(0).ir_left.astype(int) - dotted).mean() > 20
    assert flight.expose(0).depth.fill_rate == 0


def test_finer_units_tell_the_same_depth():
    coarse, fine = camera(), camera()
    fine.set_control("depth.depth_units", "0.1 mm")

    a, b = coarse.expose(0).depth, fine.expose(0).depth

    assert b.unit_m == 0.0001
    near = (a.values > 0) & (a.metres < 6.5)
    assert np.array_equal(b.values[near], a.values[near] * 10)
    assert not b.values[a.metres > 6.5536].any()


def test_a_passive_camera_has_no_light_to_adjust():
    names = {control.name for control in camera(PASSIVE).controls()}

    assert not {"depth.emitter", "depth.laser_power"} & names


def test_a_value_out_of_range_is_refused_and_changes_nothing():
    sim = camera()
    before = sim.controls()
    with pytest.raises(ModeUnsupported):
        sim.set_control("depth.laser_power", 9000.0)

    assert sim.controls() == before


def test_the_preset_for_quality_finds_its_controls():
    wanted = QUALITY.values(camera().controls())

    assert wanted["depth.laser_power"] == 360.0
    assert wanted["depth.visual_preset"] == "High Accuracy"


def test_confidence_is_given_by_time_of_flight_where_it_measures():
    frame = camera(FLIGHT).expose(0)

    assert frame.confidence.shape == frame.depth.values.shape
    assert not frame.confidence[frame.depth.values == 0].any()
    assert frame.confidence[frame.depth.values > 0].mean() > 20
    assert camera(STEREO).expose(0).confidence is None


def test_a_camera_that_stands_still_feels_gravity_only():
    sim = camera(imu=True, rate_hz=30.0)
    sim.still = True

    samples = sim.expose(30).imu

    assert len(samples) in {IMU_HZ // 30, IMU_HZ // 30 + 1}
    for sample in samples:
        assert np.linalg.norm(sample.linear_acceleration_m_s2) == pytest.approx(GRAVITY_M_S2)
        assert np.allclose(sample.angular_velocity_rad_s, 0)
        assert sample.linear_acceleration_m_s2[1] < 0  # up is -Y


def test_inertial_readings_follow_each_other_from_frame_to_frame():
    sim = camera(imu=True, rate_hz=30.0)
    times = [sample.captured_ns for n in range(30) for sample in sim.expose(n).imu]

    assert set(np.diff(times)) == {1_000_000_000 // IMU_HZ}


def test_turning_is_what_the_pictures_show():
    """The rate, integrated over a second, is the rotation between the two poses."""
    from drivers.synth.scene import camera_path

    sim = camera(imu=True, rate_hz=30.0)
    rates = [np.array(s.angular_velocity_rad_s) for n in range(31, 61) for s in sim.expose(n).imu]
    turned = np.eye(3)
    for x, y, z in np.array(rates) / IMU_HZ:
        turned = turned @ (np.eye(3) + np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))
    scene = sim._scene
    before, after = camera_path(scene, 1.0), camera_path(scene, 2.0)

    assert np.allclose(turned, before[:3, :3].T @ after[:3, :3], atol=2e-3)
