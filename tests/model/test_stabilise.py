import cv2
import numpy as np
import pytest

from model.repair import USUAL_NOISE, Provenance, Repair, provenance
from model.stabilise import LONGEST, MOVED_PX, PATIENCE, Stabiliser, shift_px

SHAPE = (120, 160)
PICTURE = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (*SHAPE, 3), np.uint8), (0, 0), 3)
BOX = (slice(40, 80), slice(60, 110))
INSIDE = (slice(50, 70), slice(70, 100))


def steadied(stabiliser, measured_m, color=PICTURE, depth_m=None):
    measured_m = np.asarray(measured_m, np.float32)
    depth_m = measured_m if depth_m is None else np.asarray(depth_m, np.float32)
    return stabiliser.steadied(color, measured_m, Repair(depth_m, provenance(measured_m, depth_m)))


def plane(depth_m=2.0):
    return np.full(SHAPE, depth_m, np.float32)


def with_box(depth_m, base=None):
    out = (plane() if base is None else base).copy()
    out[BOX] = depth_m
    return out


def painted(level):
    color = PICTURE.copy()
    color[BOX] = level
    return color


def test_normal_noise_falls_as_that_of_an_exponential_average():
    rng, stabiliser, sigma_m = (
        np.random.default_rng(1),
        Stabiliser(),
        0.5 * float(USUAL_NOISE.sigma_m(plane())[0, 0]),
    )
    for _ in range(5 * LONGEST):
        out = steadied(stabiliser, plane() + rng.normal(0, sigma_m, SHAPE).astype(np.float32))
    share = 1 / LONGEST
    assert out.depth_m.std() == pytest.approx(sigma_m * np.sqrt(share / (2 - share)), rel=0.05)
    assert out.depth_m.mean() == pytest.approx(2.0, abs=1e-3)
    assert (out.provenance == Provenance.MEASURED).all()


def test_what_comes_into_the_picture_is_shown_at_once_and_leaves_nothing_behind():
    stabiliser = Stabiliser()
    for _ in range(10):
        steadied(stabiliser, plane())
    hand = steadied(stabiliser, with_box(0.5), painted(200))
    assert (hand.depth_m[BOX] == 0.5).all()
    gone = steadied(stabiliser, plane())
    assert (gone.depth_m == 2.0).all()


def test_a_patch_that_is_measured_elsewhere_is_believed_though_the_picture_looks_the_same():
    stabiliser = Stabiliser()
    for _ in range(10):
        steadied(stabiliser, plane())
    assert (steadied(stabiliser, with_box(1.5)).depth_m[BOX] == 1.5).all()


def test_a_single_wrong_match_is_waited_out():
    stabiliser = Stabiliser()
    for _ in range(10):
        steadied(stabiliser, plane())
    odd = plane()
    odd[60, 80] = 1.0
    assert steadied(stabiliser, odd).depth_m[60, 80] == 2.0
    assert steadied(stabiliser, plane()).depth_m[60, 80] == 2.0


def test_a_filling_that_jumps_is_believed_when_it_stays():
    stabiliser, hole = Stabiliser(), with_box(0.0)
    for _ in range(10):
        steadied(stabiliser, hole, depth_m=with_box(2.0))
    shown = [steadied(stabiliser, hole, depth_m=with_box(2.4)).depth_m[60, 80] for _ in range(PATIENCE)]
    assert shown == pytest.approx([2.0] * (PATIENCE - 1) + [2.4])


def test_a_filling_beside_something_that_moves_is_not_held_back():
    stabiliser, hole = Stabiliser(), with_box(0.0)
    for _ in range(10):
        steadied(stabiliser, hole, depth_m=with_box(2.0))
    color = PICTURE.copy()
    color[60:80, 115:125] = 255
    assert steadied(stabiliser, hole, color, with_box(2.4)).depth_m[60, 100] == pytest.approx(2.4)


def test_a_measurement_outlives_a_hole_that_comes_and_goes_but_is_not_called_measured():
    stabiliser = Stabiliser()
    for _ in range(10):
        steadied(stabiliser, plane())
    out = steadied(stabiliser, with_box(0.0), depth_m=with_box(2.3))
    assert (out.depth_m[INSIDE] == 2.0).all()
    assert (out.provenance[INSIDE] == Provenance.INVENTED).all()


def test_everything_starts_anew_when_the_camera_moves():
    rng, stabiliser = np.random.default_rng(2), Stabiliser()
    for _ in range(5):
        steadied(stabiliser, plane() + rng.normal(0, 0.004, SHAPE))
    noisy = (plane() + rng.normal(0, 0.004, SHAPE)).astype(np.float32)
    assert np.array_equal(steadied(stabiliser, noisy, np.roll(PICTURE, 4, axis=1)).depth_m, noisy)


def test_what_is_rejected_stays_rejected():
    stabiliser = Stabiliser()
    for _ in range(5):
        steadied(stabiliser, plane())
    rejected = np.where(with_box(0.0) == 0, np.float32(np.inf), plane())
    out = steadied(stabiliser, plane(), depth_m=rejected)
    assert np.isinf(out.depth_m[BOX]).all()
    assert (out.provenance[BOX] == Provenance.REJECTED).all()


def test_pictures_of_another_size_start_anew():
    stabiliser = Stabiliser()
    steadied(stabiliser, plane())
    small = np.full((60, 80), 1.0, np.float32)
    assert np.array_equal(steadied(stabiliser, small, PICTURE[::2, ::2].copy()).depth_m, small)


def test_a_picture_that_moved_is_told_from_a_thing_that_moved():
    before = cv2.cvtColor(PICTURE, cv2.COLOR_RGB2GRAY)
    assert shift_px(before, np.roll(before, 3, axis=1)) == pytest.approx(3, abs=0.3)
    with_thing = before.copy()
    cv2.rectangle(with_thing, (110, 70), (130, 90), 255, -1)
    assert shift_px(before, with_thing) < MOVED_PX / 2
