"""Anchoring joins network and sensor without a step, and overrules the sensor only for good reasons."""

import cv2
import numpy as np
import pytest

from model.anchor import FULL, SMALL, Trust, anchor, smooth_fill
from model.classical import guided_membrane, nearest
from model.finish import finished
from model.repair import Provenance
from tests.model.views import COLUMNS, GREY, ROWS, SIZE, pane, plane, simulated_rooms, speckled
from trainer.data.samples import Sample


@pytest.fixture(scope="module")
def rooms() -> list[tuple[Sample, np.ndarray]]:
    return simulated_rooms(4)


def steps_at_hole_borders(depth_m: np.ndarray, sample: Sample) -> np.ndarray:
    """How much more log depth changes from a measured pixel to the hole beside it than in truth."""
    got, true = np.log(depth_m), np.log(np.maximum(sample.target_m, 1e-3))
    measured, known = sample.depth_m > 0, sample.target_m > 0
    parts = []
    for a, b in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        border = (measured[a] != measured[b]) & known[a] & known[b]
        parts.append(abs((got[a] - got[b]) - (true[a] - true[b]))[border])
    return np.concatenate(parts)


@pytest.mark.parametrize("trust", [FULL, SMALL])
def test_a_robot_sees_no_step_at_the_border_of_a_hole(rooms, trust) -> None:
    tied, pasted, closest = [], [], []
    for sample, network_m in rooms:
        measured = sample.depth_m > 0
        out = anchor(sample.color, network_m, sample.depth_m, trust=trust)
        tied.append(steps_at_hole_borders(out.depth_m, sample))
        pasted.append(steps_at_hole_borders(np.where(measured, sample.depth_m, network_m), sample))
        closest.append(steps_at_hole_borders(nearest(sample.depth_m), sample))
    tied, pasted, closest = (np.concatenate(found) for found in (tied, pasted, closest))
    for percentile in (50, 90):
        assert np.percentile(tied, percentile) < 0.5 * np.percentile(pasted, percentile)
    if trust == SMALL:
        # This network has that trust. Repeating the measured neighbour is as little step as noise permits.
        assert np.percentile(tied, 90) < np.percentile(closest, 90) + 0.02


def test_a_small_network_in_doubt_is_led_by_what_was_measured() -> None:
    """A wall at 2 m with a hole; the network, right on the wall, claims to see the hole's middle at 6 m."""
    hole = np.s_[100:200, 150:250]
    measured_m, network_m = np.full(SIZE, 2.0, np.float32), np.full(SIZE, 2.0, np.float32)
    measured_m[hole], network_m[hole] = 0, 6.0
    color = np.full((*SIZE, 3), 128, np.uint8)
    whole, part = (anchor(color, network_m, measured_m, trust=trust).depth_m for trust in (FULL, SMALL))
    assert whole[150, 200] == pytest.approx(6.0, rel=0.02)
    # Two thirds of a step of 0.2 in log depth: tanh has long been at its end.
    assert part[150, 200] == pytest.approx(2.0 * np.exp(SMALL.share * 0.2), rel=0.01)


def test_a_share_alone_lies_between_network_and_filling() -> None:
    hole = np.s_[100:200, 150:250]
    measured_m, network_m = np.full(SIZE, 2.0, np.float32), np.full(SIZE, 2.0, np.float32)
    measured_m[hole], network_m[hole] = 0, 4.0
    color = np.full((*SIZE, 3), 128, np.uint8)
    half = anchor(color, network_m, measured_m, trust=Trust(share=0.5)).depth_m
    assert half[150, 200] == pytest.approx((2.0 * 4.0) ** 0.5, rel=0.02)


def test_in_most_unknown_rooms_a_small_network_does_better_with_part_of_the_trust() -> None:
    off = {FULL: [], SMALL: []}
    for sample, network_m in simulated_rooms(12):
        hole = (sample.depth_m == 0) & (sample.target_m > 0)
        if not hole.any():
            continue
        for trust, errors in off.items():
            out = anchor(sample.color, network_m, sample.depth_m, trust=trust)
            errors.append(abs(np.log(out.depth_m) - np.log(np.maximum(sample.target_m, 1e-3)))[hole].mean())
    # One room with a mirror may weigh as much as ten others in a mean.
    assert np.median(np.divide(off[SMALL], off[FULL])) < 1


def test_holes_are_filled_better_than_by_the_network_alone_and_right_pixels_are_left_alone(rooms) -> None:
    alone, tied, moved = [], [], []
    for sample, network_m in rooms:
        out = anchor(sample.color, network_m, sample.depth_m)
        hole = (sample.depth_m == 0) & (sample.target_m > 0)
        right = (sample.depth_m > 0) & (abs(sample.depth_m - sample.target_m) < 0.02 * sample.target_m)
        alone.append(abs(network_m - sample.target_m)[hole].mean())
        tied.append(abs(out.depth_m - sample.target_m)[hole].mean())
        moved.append((~out.believed)[right].mean())
    assert np.mean(tied) < np.mean(alone)
    assert np.mean(moved) < 0.01


def test_believed_pixels_keep_the_measurement_bit_for_bit(rooms) -> None:
    for sample, network_m in rooms:
        out = anchor(sample.color, network_m, sample.depth_m)
        assert (out.depth_m[out.believed] == sample.depth_m[out.believed]).all()
        assert not out.believed[sample.depth_m == 0].any()


def test_measured_pixels_stay_and_the_rest_is_shifted_to_them() -> None:
    measured = np.where(pane(), np.float32(0), plane() * np.float32(1.3))
    np.testing.assert_allclose(anchor(GREY, plane(), measured).depth_m, plane() * 1.3, rtol=2e-3)


def test_what_is_measured_behind_a_mirror_is_moved_to_its_surface() -> None:
    passed = pane() & (np.random.default_rng(1).random(SIZE) < 0.5)
    measured = np.where(passed, plane() * np.float32(2), plane())
    measured[pane() & speckled()] = 0
    out = anchor(GREY, plane(), measured)
    assert not out.believed[passed].any()
    np.testing.assert_allclose(out.depth_m, plane(), rtol=0.02)


@pytest.mark.parametrize("trust", [FULL, SMALL])
def test_a_dense_view_through_a_door_is_kept_though_the_network_missed_it(trust: Trust) -> None:
    measured = np.where(pane(), plane() * np.float32(2), plane())
    assert np.array_equal(anchor(GREY, plane(), measured, trust=trust).depth_m, measured)


@pytest.mark.parametrize("trust", [FULL, SMALL])
def test_an_obstacle_before_the_networks_surface_is_kept(trust: Trust) -> None:
    passed = pane() & (np.random.default_rng(1).random(SIZE) < 0.5)
    measured = np.where(passed, plane() * np.float32(0.3), plane())
    measured[pane() & speckled()] = 0
    out = anchor(GREY, plane(), measured, trust=trust)
    assert (out.depth_m[measured > 0] == measured[measured > 0]).all()


def test_a_small_network_draws_nearer_what_lies_a_little_behind_glass_and_says_so() -> None:
    """Too little to overrule: a large network leaves it, and a door without holes around is left by both."""
    passed = pane() & (np.random.default_rng(1).random(SIZE) < 0.3)
    measured = np.where(passed, plane() * np.float32(1.19), plane())
    measured[pane() & speckled() & ~passed] = 0
    out = anchor(GREY, plane(), measured, trust=SMALL)
    before, after = (np.log((depth / plane())[passed]) for depth in (measured, out.depth_m))
    assert (after > 0).mean() > 0.99
    assert np.median(after) < 0.5 * np.median(before)
    assert not out.believed[passed][after < before].any()
    assert anchor(GREY, plane(), measured, trust=FULL).believed[passed].all()


@pytest.mark.parametrize("trust", [FULL, SMALL])
def test_a_network_of_wide_tokens_may_draw_a_thing_wider_than_it_is(trust: Trust) -> None:
    """What is measured beside it is no contradiction then; it is one for small tokens, which err less."""
    truth = np.where(COLUMNS < 160, np.float32(1), plane() * 2)
    too_wide = np.where(COLUMNS < 180, np.float32(1), plane() * 2)
    few = (abs(COLUMNS - 160) < 40) & (np.random.default_rng(3).random(SIZE) < 0.1)
    measured = np.where(few, np.float32(0), truth)
    beside = (COLUMNS > 162) & (COLUMNS < 174) & (measured > 0)

    def taken_away(token_px: float) -> float:
        depth_m = anchor(GREY, too_wide, measured, trust=trust, token_px=token_px).depth_m
        return float((depth_m < 0.7 * truth)[beside].mean())

    assert taken_away(40) == 0
    assert taken_away(14) > 0.1


def test_a_hole_in_glass_is_not_tied_to_what_is_seen_through_the_glass_beside_it() -> None:
    glass = (abs(COLUMNS - 160) < 80) & (abs(ROWS - 120) < 90)
    passed = glass & (np.random.default_rng(4).random(SIZE) < 0.5)
    beyond = plane() * np.float32(1.5)
    measured = np.where(glass, np.where(passed, beyond, np.float32(0)), plane())
    out = anchor(GREY, plane(), measured, trust=SMALL)
    inside = (abs(COLUMNS - 160) < 30) & (abs(ROWS - 120) < 30) & ~passed
    assert np.median(np.log(out.depth_m / beyond)[inside]) < -0.1


def test_beside_the_edge_of_a_near_thing_the_sensor_is_not_taken_to_see_through_it() -> None:
    """There a network of wide tokens sees a part of the thing, which is measured close by."""
    truth = np.where(COLUMNS < 160, np.float32(1), plane() * 2)
    too_wide = np.where(COLUMNS < 190, np.float32(1), plane() * 2)
    few = (abs(COLUMNS - 160) < 50) & (np.random.default_rng(3).random(SIZE) < 0.2)
    measured = np.where(few, np.float32(0), truth)
    beside = few & (COLUMNS > 164) & (COLUMNS < 186)
    out = anchor(GREY, too_wide, measured, trust=SMALL, token_px=40)
    assert np.median(np.abs(np.log(out.depth_m / truth)[beside])) < 0.02


def test_close_to_its_rim_a_hole_that_cuts_an_edge_is_better_than_a_smooth_filling() -> None:
    """Two walls of one colour and a network that blurs their edge, as tokens of 14 px do."""
    truth = np.where(COLUMNS < 160, np.float32(1), np.float32(2))
    measured = np.where(abs(COLUMNS - 160) < 8, np.float32(0), truth)
    blurred = np.asarray(cv2.GaussianBlur(truth, (0, 0), 14), np.float32)
    hole = measured == 0
    off = {
        name: abs(np.log(depth_m / truth))[hole].mean()
        for name, depth_m in {
            "filling": guided_membrane(GREY, measured),
            "in full": anchor(GREY, blurred, measured).depth_m,
            "in part": anchor(GREY, blurred, measured, trust=SMALL).depth_m,
        }.items()
    }
    assert off["in part"] < 0.85 * min(off["filling"], off["in full"])


def test_a_network_that_disagrees_everywhere_overrules_nothing() -> None:
    rng = np.random.default_rng(2)
    blobs = np.kron(rng.uniform(-0.4, 0.4, (30, 40)), np.ones((8, 8))).astype(np.float32)
    measured = np.where(speckled(), np.float32(0), plane() * np.exp(blobs))
    assert anchor(GREY, plane(), measured).believed[measured > 0].mean() > 0.999


def test_what_the_network_rejects_says_nothing_about_its_surroundings() -> None:
    window = pane()
    measured = np.where(window, plane() * np.float32(1.15), plane())
    measured[(abs(ROWS - 120) < 40) & (abs(COLUMNS - 160) < 40) & ~window] = 0
    out = anchor(GREY, plane(), measured, accepted=~window)
    np.testing.assert_allclose(out.depth_m[~window], plane()[~window], rtol=0.01)
    leaking = anchor(GREY, plane(), measured).depth_m
    assert abs(leaking / plane() - 1)[~window].max() > 0.05


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (121, 159), (5, 5)])
def test_any_size_is_anchored(shape: tuple[int, int]) -> None:
    network = np.ones(shape, np.float32)
    measured = np.zeros(shape, np.float32)
    measured[0, 0] = 2
    out = anchor(np.zeros((*shape, 3), np.uint8), network, measured).depth_m
    np.testing.assert_allclose(out, 2, rtol=1e-3)


def test_a_few_hundred_points_carry_their_scale_to_the_whole_image() -> None:
    points = np.zeros(SIZE, np.float32)
    chosen = np.random.default_rng(0).choice(points.size, 300, replace=False)
    points.flat[chosen] = 1.5 * plane().flat[chosen]
    np.testing.assert_allclose(anchor(GREY, plane(), points).depth_m, 1.5 * plane(), rtol=5e-3)


def test_switched_off_the_output_is_the_networks_own_bit_for_bit(rooms) -> None:
    sample, network_m = rooms[0]
    repair = finished(sample.color, network_m, sample.depth_m, None, anchored=False)
    assert np.array_equal(repair.depth_m, network_m)


def test_switched_on_kept_pixels_count_as_measured_and_holes_as_invented(rooms) -> None:
    sample, network_m = rooms[0]
    repair = finished(sample.color, network_m, sample.depth_m, np.ones(SIZE, np.float32), anchored=True)
    believed = anchor(sample.color, network_m, sample.depth_m).believed
    assert (repair.provenance[believed] == Provenance.MEASURED).all()
    assert (repair.provenance[sample.depth_m == 0] == Provenance.INVENTED).all()


def test_without_a_measurement_everything_is_the_networks_and_nothing_vouches_for_it() -> None:
    empty = np.zeros(SIZE, np.float32)
    repair = finished(GREY, plane(), empty, None, anchored=True)
    assert np.array_equal(repair.depth_m, plane())
    assert (repair.provenance == Provenance.INVENTED).all()
    assert repair.confidence is None


def test_a_hole_is_rejected_by_half_a_chance_and_a_measured_pixel_only_by_near_certainty() -> None:
    half = np.full(SIZE, 0.5, np.float32)
    measured = np.where(pane(), np.float32(0), plane())
    unsure = finished(GREY, plane(), measured, half, anchored=True)
    sure = finished(GREY, plane(), measured, half * np.float32(0.3), anchored=True)
    own = finished(GREY, plane(), measured, half, anchored=False)
    assert np.array_equal(np.isposinf(unsure.depth_m), pane())
    assert np.isposinf(sure.depth_m).all()
    assert np.isposinf(own.depth_m).all()


def test_rejected_pixels_have_no_depth_and_no_confidence() -> None:
    probability = np.where(pane(), np.float32(0.1), np.float32(0.51))
    repair = finished(GREY, plane(), plane(), probability, anchored=True)
    assert np.isposinf(repair.depth_m[pane()]).all()
    assert (repair.confidence[pane()] == 0).all()
    assert np.isfinite(repair.depth_m[~pane()]).all()


def test_smooth_fill_of_a_constant_is_that_constant() -> None:
    weight = np.zeros((33, 47), np.float32)
    weight[3, 5] = weight[20, 40] = 1
    np.testing.assert_allclose(smooth_fill(np.full((33, 47), 0.7, np.float32), weight), 0.7, atol=1e-5)
