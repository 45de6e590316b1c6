"""Confidence is a chance: of the pixels it calls p % sure, about p % are right."""

import numpy as np
import pytest

from model.anchor import agreement_of, anchor
from model.confidence import FEATURES, OF_ANCHORED, OF_NETWORK, TOLERANCE, Judge, confidence
from tests.model.views import GREY, SIZE, pane, plane, simulated_rooms
from trainer.data.samples import Sample


@pytest.fixture(scope="module")
def rooms() -> list[tuple[Sample, np.ndarray]]:
    return simulated_rooms(4)


def test_log_odds_are_a_weighted_sum_of_the_features() -> None:
    always = (2.0,) + (0.0,) * (len(FEATURES) - 1)
    never = (-2.0,) + (0.0,) * (len(FEATURES) - 1)
    kept = ~pane()
    agreement = agreement_of(plane(), np.where(kept, plane(), np.float32(0)))
    said = confidence(Judge(kept=always, other=never), plane(), kept, agreement)
    np.testing.assert_allclose(said[kept], 1 / (1 + np.exp(-2)), rtol=1e-5)
    np.testing.assert_allclose(said[~kept], 1 / (1 + np.exp(2)), rtol=1e-5)


def test_the_middle_of_a_hole_is_less_sure_than_its_rim_and_a_measured_pixel_most() -> None:
    measured = np.where(pane(), np.float32(0), plane())
    tied = anchor(GREY, plane(), measured)
    said = confidence(OF_ANCHORED, tied.depth_m, tied.believed, tied.agreement)
    middle, rim, outside = said[120, 160], said[120, 131], said[20, 160]
    assert middle < rim < outside
    assert outside > 0.95


def test_a_network_far_from_the_measurement_is_not_believed() -> None:
    close, far = (
        confidence(
            OF_NETWORK, plane() * s, np.ones(SIZE, np.bool_), agreement_of(plane() * s, plane())
        ).mean()
        for s in (np.float32(1.0), np.float32(1.3))
    )
    assert far < 0.2 < 0.9 < close


@pytest.mark.parametrize("judge", [OF_ANCHORED, OF_NETWORK], ids=["anchored", "network"])
def test_confidence_separates_right_from_wrong_in_rooms_nobody_fitted_it_to(rooms, judge: Judge) -> None:
    said, true = [], []
    for sample, network_m in rooms:
        tied = anchor(sample.color, network_m, sample.depth_m)
        depth_m, kept = (tied.depth_m, tied.believed)
        if judge is OF_NETWORK:
            depth_m, kept = network_m, sample.depth_m > 0
        known = sample.target_m > 0
        said.append(confidence(judge, depth_m, kept, agreement_of(network_m, sample.depth_m))[known])
        true.append((abs(depth_m - sample.target_m) < TOLERANCE * sample.target_m)[known])
    said, true = np.concatenate(said), np.concatenate(true)
    assert ((said >= 0) & (said <= 1)).all()
    assert true[said > 0.9].mean() > 0.85
    assert true[said < 0.5].mean() < 0.6
    assert np.mean((said - true) ** 2) < true.mean() * (1 - true.mean())
