"""Every figure of the Compare page, through all of its code, against what theory says of known noise."""

from math import erf, pi, sqrt

import numpy as np
import pytest

from app.quality.planes import Region
from app.quality.sensor import KINDS, Exposure, SensorWatch
from drivers.depth import depth_map
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics, rays

LENS = Intrinsics(640, 480, 460.0, 460.0, 319.5, 239.5)
BASELINE_M = 0.055
STEREO = Calibration(LENS, LENS, ir=LENS, baseline_m=BASELINE_M)
RAYS = rays(LENS)
NORMAL = np.array([0.25, -0.15, 1.0]) / np.linalg.norm([0.25, -0.15, 1.0])
COSINE = RAYS @ NORMAL[:2] + NORMAL[2]
NEAR_M = 1.0 / COSINE
BLUR_PX = 2.0
"""Of the edge between the tilted wall on the left and one that is a metre behind it."""
STEP = np.array([(1 + erf((x - 479.7) / BLUR_PX / sqrt(2))) / 2 for x in range(640)])
REGION = Region(0.1, 0.2, 0.6, 0.8)
INSIDE = REGION.slices((480, 640))
HOLES = 0.1
SCALE = 1.012
"""All depths are 1.2 % too far."""
COLOR = np.full((480, 640, 3), 120, np.uint8)


def exposures(sigma_m, frames=24):
    rng = np.random.default_rng(5)
    for index in range(frames):
        depth_m = SCALE * (NEAR_M + STEP) + rng.normal(0, sigma_m, NEAR_M.shape)
        depth_m[:, :384][rng.random((480, 384)) < HOLES] = 0
        raw = depth_map(depth_m)
        frame = Frame("front", index, 0, 0, COLOR, raw, STEREO)
        yield Exposure(frame, raw, None, "off", {"raw": 33.0})


@pytest.fixture(scope="module", params=[0.002, 0.006], ids=["2 mm", "6 mm"])
def measured(request):
    sigma_m, watch = request.param, SensorWatch("front")
    for exposure in exposures(sigma_m):
        watch.note(exposure)
    rows, columns = INSIDE
    middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
    quality = watch.measure(exposure, chosen=REGION, distance_m=float(NEAR_M[middle]))
    rounded_m = sqrt(sigma_m**2 + 1e-6 / 12)  # counts of a millimetre add their own deviation
    return rounded_m, {key: figure.value for key, figure in quality.streams["raw"].figures.items()}


def expected(rounded_m):
    z_m = SCALE * NEAR_M[INSIDE]
    return {
        "fill": 1 - HOLES,
        "fill_all": 1 - HOLES * 384 / 640,
        "plane_rms": 1e3 * rounded_m * sqrt(np.mean(COSINE[INSIDE] ** 2)),
        "subpixel": LENS.fx * BASELINE_M * rounded_m * sqrt(np.mean(z_m**-4.0)),
        "z_accuracy": SCALE - 1,
        "noise": 1e3 * rounded_m,
        "flicker": 2e3 * rounded_m / sqrt(pi),
        "edge": 2 * 1.28155 * BLUR_PX,
        "latency": 33.0,
    }


@pytest.mark.parametrize("key", [kind.key for kind in KINDS])
def test_each_figure_is_within_two_per_cent_of_its_closed_form(measured, key):
    rounded_m, figures = measured
    assert figures[key] == pytest.approx(expected(rounded_m)[key], rel=0.02)
