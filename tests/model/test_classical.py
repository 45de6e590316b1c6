import numpy as np
import pytest
from numpy.typing import NDArray

from model.classical import guided_membrane, nearest

GREY = np.full((120, 160, 3), 128, np.uint8)


@pytest.fixture
def plane_m() -> NDArray[np.float32]:
    """A tilted plane from 1 m to about 2 m: linear in inverse depth."""
    v, u = np.mgrid[:120, :160]
    return (1 / (1 - 0.002 * u - 0.0015 * v)).astype(np.float32)


def test_a_hole_in_a_tilted_plane_is_filled_to_within_5_mm(plane_m: NDArray[np.float32]) -> None:
    holed = plane_m.copy()
    holed[40:80, 50:110] = 0

    filled = guided_membrane(GREY, holed)

    assert np.abs(filled - plane_m).max() < 0.005


def test_depth_from_across_a_colour_edge_counts_below_a_tenth() -> None:
    color = GREY.copy()
    color[:, 80:] = (200, 40, 30)
    truth = np.where(np.arange(160) < 80, np.float32(1), np.float32(3)) * np.ones((120, 1), np.float32)
    holed = truth.copy()
    holed[30:90, 60:100] = 0

    filled = guided_membrane(color, holed)

    assert np.abs(filled / truth - 1).max() < 0.1


@pytest.mark.parametrize("fill", [lambda d: guided_membrane(GREY, d), nearest])
def test_measured_pixels_are_untouched_and_no_hole_is_left(fill, plane_m: NDArray[np.float32]) -> None:
    rng = np.random.default_rng(0)
    holed = np.where(rng.random(plane_m.shape) < 0.3, plane_m, np.float32(0))

    filled = fill(holed)

    assert filled.dtype == np.float32
    assert (filled[holed > 0] == holed[holed > 0]).all()
    assert (filled > 0).all()


@pytest.mark.parametrize("fill", [lambda d: guided_membrane(GREY, d), nearest])
def test_depth_without_measurements_stays_empty(fill) -> None:
    assert not fill(np.zeros((120, 160), np.float32)).any()


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (121, 159), (5, 5)])
def test_any_size_is_filled(shape: tuple[int, int]) -> None:
    depth = np.zeros(shape, np.float32)
    depth[0, 0] = 2

    np.testing.assert_allclose(guided_membrane(np.zeros((*shape, 3), np.uint8), depth), 2, rtol=1e-6)


def test_nearest_takes_the_value_of_the_nearest_pixel() -> None:
    depth = np.array([[1, 0, 0, 0, 0, 3]], np.float32)

    assert nearest(depth).tolist() == [[1, 1, 1, 3, 3, 3]]
