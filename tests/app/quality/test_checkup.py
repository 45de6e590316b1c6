from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.quality.checkup import CHECKS, check_up
from app.quality.diagnosis import Evidence, RepairFacts
from drivers.cameras.synthetic import demo_rig
from drivers.controls import Control, ControlKind, Role
from drivers.depth import DepthMap
from model.spec import EngineChoice, InputRules

INDEXES = (0, 90, 180)


def evidence_of(camera, **changes):
    frames = changes.pop("frames", None) or [camera.expose(index) for index in INDEXES]
    facts = {"rate_hz": 30.0, "arrived": 90, "controls": camera.controls()} | changes
    return Evidence(camera.info, frames, **facts)


@pytest.fixture(scope="module")
def rig():
    return demo_rig()


@pytest.fixture(scope="module")
def evidences(rig):
    return [evidence_of(camera) for camera in rig]


@pytest.fixture
def stereo(evidences):
    return evidences[0]


def keys(evidence):
    return [finding.key for finding in check_up(evidence)]


def only(evidence):
    """The one finding."""
    (finding,) = check_up(evidence)
    return finding


def with_frames(evidence, change):
    return replace(evidence, frames=[change(frame) for frame in evidence.frames])


def repainted(change):
    return lambda frame: replace(frame, color=change(frame.color.copy()))


def test_nothing_is_wrong_with_any_camera_of_the_demo_rig(evidences):
    assert [keys(evidence) for evidence in evidences] == [[], [], []]


def test_without_pictures_nothing_else_is_said(stereo):
    assert keys(replace(stereo, frames=[])) == ["no frames"]


def test_an_emitter_that_is_off_is_switched_on_by_the_fix():
    camera = demo_rig()[0]
    camera.set_control("depth.emitter", False)
    finding = only(evidence_of(camera))
    assert finding.key == "emitter"
    for name, value in finding.fix.controls.items():
        camera.set_control(name, value)
    assert keys(evidence_of(camera)) == []


def test_a_laser_without_power_gets_its_usual_one():
    camera = demo_rig()[0]
    camera.set_control("depth.laser_power", 0.0)
    assert only(evidence_of(camera)).fix.controls == {"depth.laser_power": 150.0}


def test_an_emitter_that_is_on_but_covered_is_found_in_the_infrared_picture(stereo):
    camera = demo_rig()[0]
    camera.set_control("depth.emitter", False)
    dark = [camera.expose(index) for index in INDEXES]
    assert keys(replace(stereo, frames=dark)) == ["emitter blocked"]


def test_the_light_of_a_time_of_flight_camera_is_missed_as_well(evidences):
    covered = with_frames(evidences[1], lambda f: replace(f, ir_left=(f.ir_left // 64).astype(np.uint8)))
    assert keys(covered) == ["emitter blocked"]


def test_a_dark_room_is_said_and_the_automatic_offered():
    camera = demo_rig()[0]
    camera.set_control("color.exposure", 100.0)
    finding = next(f for f in check_up(evidence_of(camera)) if f.key == "dark")
    assert finding.fix.controls == {"color.auto_exposure": True}


def test_an_overexposed_picture_is_said():
    camera = demo_rig()[0]
    camera.set_control("color.exposure", 33_000.0)
    camera.set_control("color.gain", 8.0)
    finding = next(f for f in check_up(evidence_of(camera)) if f.key == "exposure")
    assert finding.fix.controls == {"color.auto_exposure": True}


def test_an_exposure_longer_than_a_frame_is_said(stereo):
    slow = [replace(c, value=50_000.0) if c.role is Role.EXPOSURE else c for c in stereo.controls]
    assert keys(replace(stereo, controls=slow)) == ["slow exposure"]


@pytest.mark.parametrize("unit_m", [1.0, 1e-6])
def test_depths_that_nothing_has_mean_a_wrong_unit(stereo, unit_m):
    wrong = with_frames(stereo, lambda f: replace(f, depth=DepthMap(f.depth.values, unit_m)))
    assert "unit" in keys(wrong)


@pytest.mark.parametrize("times", [10.0, 0.1])
def test_a_unit_of_another_camera_is_told_by_its_infrared_pictures_and_not_taken_for_range(evidences, times):
    for evidence in (evidences[0], evidences[2]):
        wrong = with_frames(
            evidence, lambda f: replace(f, depth=DepthMap(f.depth.values, f.depth.unit_m * times))
        )
        finding = only(wrong)
        assert finding.key == "unit"
        assert f"at 1 mm a count, not at {times:g} mm" in finding.text


def test_a_time_of_flight_camera_that_sees_twenty_metres_has_a_wrong_unit(evidences):
    wrong = with_frames(evidences[1], lambda f: replace(f, depth=DepthMap(f.depth.values, 0.01)))
    assert only(wrong).key == "unit"


@pytest.mark.parametrize("times", [1.15, 0.9])
def test_a_focal_length_that_is_off_is_told_from_infrared(evidences, times):
    def zoomed(camera):
        return replace(camera, fx=camera.fx * times, fy=camera.fy * times)

    def color(frame):
        seen_by = frame.calibration
        return replace(frame, calibration=replace(seen_by, color=zoomed(seen_by.color)))

    def depth(frame):
        seen_by = frame.calibration
        wrong = replace(
            seen_by, depth=zoomed(seen_by.depth), ir=zoomed(seen_by.ir), color=zoomed(seen_by.color)
        )
        return replace(frame, calibration=wrong)

    assert only(with_frames(evidences[1], color)).key == "intrinsics"
    finding = only(with_frames(evidences[0], depth))
    assert finding.key == "intrinsics"
    assert "both infrared pictures" in finding.text


def test_lens_data_of_another_resolution_or_normalised_ones_are_said(stereo):
    lens = stereo.newest.calibration.color
    for wrong in (
        lens.scaled(1280, 960),
        replace(lens, fx=0.72, fy=0.96),
        replace(lens, cx=20.0),
        replace(lens, fy=lens.fx * 1.2),
    ):
        calibration = replace(stereo.newest.calibration, color=wrong)
        changed = with_frames(stereo, lambda f, c=calibration: replace(f, calibration=c))
        assert "intrinsics" in keys(changed), wrong


@pytest.mark.parametrize("shift", [(0, 14), (-9, 4)])
def test_colour_beside_depth_is_found_with_its_distance(evidences, shift):
    for evidence in evidences:
        moved = with_frames(evidence, repainted(lambda color: np.roll(color, shift, axis=(0, 1))))
        finding = only(moved)
        assert finding.key == "misaligned"
        across, down = (
            float(word.replace("\u2212", "-"))
            for word in finding.text.split("(")[1].split(" down")[0].split(" across, ")
        )
        assert (across, down) == pytest.approx((shift[1], shift[0]), abs=2)


def test_lost_frames_a_slow_camera_and_usb_2_are_told_apart(stereo):
    assert keys(replace(stereo, lost=9, arrived=81, rate_hz=27.0)) == ["drops"]
    assert keys(replace(stereo, lost=1, arrived=29)) == [], "it may have been on its way"
    assert keys(replace(stereo, rate_hz=15.0)) == ["slow"]
    assert keys(replace(stereo, link_mbps=480.0)) == ["usb"]
    assert keys(replace(stereo, link_mbps=5000.0)) == []


def test_lost_frames_are_fewer_at_the_next_lower_rate(stereo):
    rates = ("15 Hz", "30 Hz", "60 Hz")
    control = Control(
        "stream.rate", "Rate", "Stream", ControlKind.CHOICE, "30 Hz", choices=rates, role=Role.RATE
    )
    finding = only(replace(stereo, lost=20, arrived=70, controls=(*stereo.controls, control)))
    assert finding.fix.controls == {"stream.rate": "15 Hz"}


def test_a_fogged_lens_and_a_grey_picture_are_said(stereo):
    assert keys(with_frames(stereo, repainted(lambda c: (110 + c // 6).astype(np.uint8)))) == ["haze"]

    def grey(color):
        return np.repeat(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)

    assert keys(with_frames(stereo, repainted(grey))) == ["grey"]


@pytest.mark.parametrize("exposure_us", [300.0, 600.0, 33_000.0])
def test_a_picture_that_is_dark_or_bright_is_not_taken_for_a_veil(exposure_us):
    camera = demo_rig()[0]
    camera.set_control("color.exposure", exposure_us)
    assert not {"haze", "smudge", "intrinsics"} & set(keys(evidence_of(camera)))


def test_dots_are_missed_neither_where_walls_are_plain_nor_where_print_is_fine():
    from app.quality.checks_picture import DOTS, dot_height

    rng = np.random.default_rng(3)
    print_ = np.where(rng.random((480, 640)) < 0.5, 60.0, 140.0)
    walls = {"plain": np.full((480, 640), 90.0), "printed": cv2.GaussianBlur(print_, (0, 0), 1.5)}
    dots = cv2.GaussianBlur((rng.random((480, 640)) < 1 / 60).astype(np.float32), (0, 0), 0.8)
    for wall in walls.values():
        noise = rng.normal(0, 2, wall.shape)
        assert dot_height(np.clip(wall + noise, 0, 255).astype(np.uint8)) < DOTS / 2
        assert dot_height(np.clip(wall + 300 * dots + noise, 0, 255).astype(np.uint8)) > 2 * DOTS


def test_a_smudge_is_found_where_it_stays_while_the_picture_moves(stereo):
    wide = cv2.resize(stereo.newest.color, (1280, 960), interpolation=cv2.INTER_LANCZOS4)
    rng = np.random.default_rng(0)

    def through(lens, step):
        frames = []
        for number in range(5):
            color = lens(wide[240:720, 200 + step * number : 840 + step * number].copy())
            noisy = np.clip(color + rng.normal(0, 3, color.shape), 0, 255).astype(np.uint8)
            frames.append(replace(stereo.newest, color=noisy, ir_left=None))
        return replace(stereo, frames=frames)

    def dirty(color):
        color[140:340, 220:420] = cv2.GaussianBlur(color[140:340, 220:420], (0, 0), 8)
        return color

    finding = only(through(dirty, 80))
    assert finding.key == "smudge"
    assert "middle middle" in finding.text
    assert keys(through(lambda color: color, 80)) == []
    assert keys(through(dirty, 2)) == [], "who does not move cannot tell a smudge from a plain wall"


def test_too_near_too_far_and_no_depth_are_said(stereo):
    def at(metres, change=lambda counts: counts):
        return with_frames(
            stereo,
            lambda f: replace(
                f,
                depth=DepthMap(change(np.full_like(f.depth.values, round(metres * 1000))), 0.001),
                ir_right=None,  # it still shows the room
            ),
        )

    assert "near" in keys(at(460 * 0.055 / 126 * 1.1))
    assert "far" in keys(at(9.0))
    assert keys(at(0.0)) == ["no depth"]


def test_a_preset_that_leaves_out_much_is_said():
    camera = demo_rig()[0]
    camera.set_control("depth.visual_preset", "High Accuracy")
    camera.difficulty = 1.0
    evidence = evidence_of(camera)
    half_blind = with_frames(
        evidence,
        lambda f: replace(
            f, depth=DepthMap(np.where(np.indices(f.depth.values.shape)[0] % 2, f.depth.values, 0), 0.001)
        ),
    )
    finding = only(half_blind)
    assert finding.key == "preset"
    assert finding.fix.controls == {"depth.visual_preset": "Default"}


def test_a_repair_that_does_not_get_what_it_was_made_for_is_said(stereo):
    def repaired(**facts):
        return only(replace(stereo, repair=RepairFacts(**facts)))

    rules = InputRules(nearest_m=0.01, tokens=(192, 432))
    assert repaired(failed="The weights are missing.").severity == "error"
    assert repaired(choice=EngineChoice(), rules=rules, hidden_share=0.5).fix.show_all_depth
    assert repaired(choice=EngineChoice(monocular=True), rules=rules).fix.repair == {"monocular": False}
    assert repaired(choice=EngineChoice(tokens=2000), rules=rules).fix.repair == {"tokens": 0}
    assert repaired(choice=EngineChoice(), rules=InputRules(farthest_m=1.5)).key == "model range"
    assert keys(replace(stereo, repair=RepairFacts(EngineChoice(), rules))) == []


def test_every_check_is_in_the_table_once():
    assert len(set(CHECKS)) == len(CHECKS) == 18
