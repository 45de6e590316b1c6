import numpy as np
import pytest

from trainer.data.datasets.aria import EVERY, FOCAL_PX, SIDE_PX, AriaDigitalTwin, rectified
from trainer.errors import DataError

SIDE = 704


class Recording:
    """Stands for one sequence; there is no licence to ship a recording."""

    def __init__(self, folder):
        self.times = list(range(100, 130))

    def images(self, time_ns):
        if time_ns == 110:
            raise DataError("There is no depth at 110 ns.", hint="Fetch it.")
        counts = np.full((64, 64), 1500, np.uint16)
        counts[:8] = 0
        counts[8:12] = 65535
        return np.full((64, 64, 3), time_ns, np.uint8), counts


def test_one_frame_in_ten_of_every_sequence_in_millimetres(tmp_path):
    for name in ("Apartment_release_1", "Apartment_release_2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "video.vrs").touch()
    data = AriaDigitalTwin(tmp_path, Recording)
    assert len(data) == 2 * 30 // EVERY
    sample = data.read(0)
    assert np.allclose(sample.target_m[12:], 1.5)
    assert not sample.target_m[:12].any()
    assert data.scene(3) == "Apartment_release_2"
    with pytest.raises(DataError):
        data.read(1)


@pytest.fixture
def fisheye():
    pytest.importorskip("projectaria_tools")
    from projectaria_tools.core import calibration
    from projectaria_tools.core.sophus import SE3

    # f, cx, cy, six radial, two tangential and four thin-prism terms, about as a device has them.
    numbers = np.array([305.0, 351.5, 351.5, 0.4, -0.45, 0.1, 0.2, -0.15, 0.03, 0, 0, 0, 0, 0, 0])
    model = calibration.CameraModelType.FISHEYE624
    return calibration.CameraCalibration("rgb", model, numbers, SE3(), SIDE, SIDE, None, np.pi, "")


def test_the_lens_is_taken_out_and_the_picture_stands_upright(fisheye):
    # Each fisheye pixel holds 100 + 50 y/z of its own ray, so that a pinhole pixel must hold that of its own.
    picture = np.zeros((SIDE, SIDE), np.float32)
    for row in range(SIDE):
        for column in range(0, SIDE, SIDE // 2 - 1):
            ray = fisheye.unproject_no_checks(np.array([float(column), float(row)]))
            picture[row, column : column + 2] = 100 + 50 * ray[1] / max(ray[2], 0.1)
    middle = picture[:, SIDE // 2 - 1]
    picture = np.repeat(middle[:, None], SIDE, 1)

    flat = rectified(picture, fisheye, nearest=False)

    assert flat.shape == (SIDE_PX, SIDE_PX)
    line = flat[SIDE_PX // 2]  # turned a quarter clockwise: what was down is at the left
    columns = np.arange(SIDE_PX)
    expected = 100 + 50 * ((SIDE_PX - 1) / 2 - columns) / FOCAL_PX
    near = slice(SIDE_PX // 4, 3 * SIDE_PX // 4)
    assert np.allclose(line[near], expected[near], atol=1.0)


def test_depth_is_never_averaged_across_an_edge(fisheye):
    depth = np.full((SIDE, SIDE), 1000, np.uint16)
    depth[:, SIDE // 2 :] = 3000
    assert set(np.unique(rectified(depth, fisheye, nearest=True))) <= {0, 1000, 3000}
