import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from stereo_scene import CONF, PLANES_M, side_by_side

from drivers.errors import ModeUnsupported
from drivers.stereo import StereoMatcher, read_conf


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    path = tmp_path_factory.mktemp("zed") / "SN12345.conf"
    path.write_text(CONF)
    return path


@pytest.fixture(scope="module")
def pair(conf):
    return read_conf(conf, 1280, 720)


@pytest.fixture(scope="module")
def matched(pair):
    image, _ = side_by_side(pair)
    matcher = StereoMatcher(pair)
    return matcher, matcher.matched(image[:, :1280], image[:, 1280:])


def test_a_factory_file_gives_lenses_in_pixels_and_a_transform_in_metres(pair):
    assert (pair.left.fx, pair.right.cy) == (700.1, 358.9)
    assert pair.left.distortion == (-0.17, 0.025, 0.0002, -0.0001, 0.0)
    assert pair.right_from_left[:3, 3] == pytest.approx((-0.11995, 0.00015, -0.0004))
    assert np.linalg.norm(cv2.Rodrigues(pair.right_from_left[:3, :3])[0]) == pytest.approx(
        np.linalg.norm((0.004, 0.008, 0.0015))
    )


@pytest.mark.parametrize(
    "text", ["", "no ini", CONF.replace("[STEREO]", "[OTHER]"), CONF.replace("fx=700.1", "fx=x")]
)
def test_a_file_that_is_none_is_refused_with_where_to_get_it(tmp_path, text):
    (tmp_path / "SN777.conf").write_text(text)

    with pytest.raises(ModeUnsupported) as caught:
        read_conf(tmp_path / "SN777.conf", 1280, 720)

    assert "calib.stereolabs.com/?SN=777" in caught.value.hint


def test_a_size_that_the_file_does_not_have_is_refused(conf):
    with pytest.raises(ModeUnsupported, match="672 x 376"):
        read_conf(conf, 672, 376)


def test_rectified_rows_match(matched):
    """The same texture lies in the same row of both pictures."""
    _, result = matched
    shift = cv2.phaseCorrelate(
        result.left[100:260, 200:520].astype(np.float64), result.right[100:260, 200:520].astype(np.float64)
    )[0]

    assert abs(shift[1]) < 0.25


def test_depth_is_that_of_the_planes(matched):
    matcher, result = matched
    small = matcher.calibration.depth
    assert result.depth.values.shape == (small.height, small.width) == (360, 640)
    metres = result.depth.metres
    for z_m, left_m, right_m in PLANES_M[1:]:
        columns = slice(
            *(round(small.cx + small.fx * x / z_m) + off for x, off in ((left_m, 20), (right_m, -20)))
        )
        inside = metres[60:300, columns]
        assert (inside > 0).mean() > 0.9
        assert np.median(inside[inside > 0]) == pytest.approx(z_m, rel=0.01)
    far = metres[60:300, -60:]
    assert np.median(far[far > 0]) == pytest.approx(3.0, rel=0.02)


def test_colour_and_depth_share_one_view(matched):
    matcher, result = matched
    calibration = matcher.calibration

    assert result.color.shape == (720, 1280, 3)
    assert np.array_equal(calibration.color_from_depth, np.eye(4))
    assert calibration.baseline_m == pytest.approx(0.11995, rel=1e-3)
    assert calibration.color.fx == pytest.approx(2 * calibration.depth.fx)
    half = cv2.resize(
        cv2.cvtColor(result.color, cv2.COLOR_RGB2GRAY), (640, 360), interpolation=cv2.INTER_AREA
    )
    # Rectified before and after halving: the same picture but for what interpolation blurs.
    assert np.abs(half.astype(int) - result.left).mean() < 8
