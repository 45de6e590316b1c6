import cv2
import numpy as np
import pytest

from drivers.errors import CameraNotFound, ModeUnsupported
from drivers.frames_folder import frame_folders, load_frame
from drivers.geometry import register_depth


def write_frame(folder, *, color=(48, 64), depth=(48, 64), name="depth.png", color_name="rgb.png", meta=""):
    folder.mkdir(parents=True)
    image = np.zeros((*color, 3), np.uint8)
    image[..., 2] = 200  # red, as OpenCV orders it
    cv2.imwrite(str(folder / color_name), image)
    counts = np.arange(depth[0] * depth[1], dtype=np.uint16).reshape(depth)
    cv2.imwrite(str(folder / name), counts)
    (folder / "intrinsics.txt").write_text("60 0 31.5\n0 61 23.5\n0 0 1\n")
    if meta:
        (folder / "meta.txt").write_text(meta)
    return folder


def test_depth_is_exact_and_colour_is_rgb(tmp_path):
    frame = load_frame(write_frame(tmp_path / "a"), 5, captured_ns=9)
    assert np.array_equal(frame.depth.values.ravel(), np.arange(48 * 64))
    assert frame.depth.unit_m == 0.001
    assert frame.color[0, 0].tolist() == [200, 0, 0]
    assert (frame.index, frame.captured_ns) == (5, 9)
    assert frame.calibration.aligned
    assert (frame.calibration.color.fx, frame.calibration.color.fy) == (60, 61)


def test_raw_depth_goes_before_depth(tmp_path):
    folder = write_frame(tmp_path / "a")
    cv2.imwrite(str(folder / "raw_depth.png"), np.full((48, 64), 7, np.uint16))
    assert load_frame(folder).depth.values.max() == 7


def test_the_unit_comes_from_meta(tmp_path):
    frame = load_frame(write_frame(tmp_path / "a", meta="frame=1\ndepth_scale=10000\nnote=a=b\n"))
    assert frame.depth.unit_m == pytest.approx(0.0001)


def test_a_jpeg_will_do_for_colour(tmp_path):
    assert load_frame(write_frame(tmp_path / "a", color_name="rgb.jpg")).color.shape == (48, 64, 3)


def test_smaller_depth_sees_the_same_view(tmp_path):
    frame = load_frame(write_frame(tmp_path / "a", depth=(24, 32)))
    assert frame.calibration.depth == frame.calibration.color.scaled(32, 24)
    assert register_depth(frame.depth, frame.calibration).values.shape == (48, 64)


def test_without_intrinsics_the_lens_sees_60_degrees(tmp_path):
    folder = write_frame(tmp_path / "a")
    (folder / "intrinsics.txt").unlink()
    camera = load_frame(folder).calibration.color
    assert 2 * np.degrees(np.arctan(camera.width / 2 / camera.fx)) == pytest.approx(60)


def test_frames_are_found_at_any_depth_in_counting_order(tmp_path):
    for name in ("b/10", "b/9", "a/x/2", "a/x/1"):
        write_frame(tmp_path / name)
    (tmp_path / "c").mkdir()
    assert frame_folders(tmp_path) == [tmp_path / name for name in ("a/x/1", "a/x/2", "b/9", "b/10")]
    assert frame_folders(tmp_path / "b/9") == [tmp_path / "b/9"]


def cut(path):
    path.write_bytes(path.read_bytes()[:60])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: cv2.imwrite(str(f / "depth.png"), np.zeros((48, 64), np.uint8)), "is a 8-bit gray image"),
        (lambda f: cv2.imwrite(str(f / "depth.png"), np.zeros((48, 64, 3), np.uint8)), "8-bit colour image"),
        (
            lambda f: cv2.imwrite(str(f / "depth.png"), np.zeros((48, 48), np.uint16)),
            "is 48 x 48 and rgb.png 64 x 48",
        ),
        (lambda f: cut(f / "depth.png"), "depth.png is no image"),
        (lambda f: (f / "rgb.png").write_text("no"), "rgb.png is no image"),
        (lambda f: (f / "rgb.png").write_bytes(b""), "rgb.png is no image"),
        (lambda f: (f / "intrinsics.txt").write_text("1 2 3"), "no camera matrix in pixels"),
        (
            lambda f: (f / "intrinsics.txt").write_text("0.9 0 0.5 0 1.2 0.5 0 0 1"),
            "no camera matrix in pixels",
        ),
        (lambda f: (f / "intrinsics.txt").write_text("fx fy"), "no camera matrix in pixels"),
        (lambda f: (f / "meta.txt").write_text("depth_scale=0"), "depth_scale=0"),
        (lambda f: (f / "meta.txt").write_text("depth_scale=mm"), "depth_scale=mm"),
    ],
)
def test_a_wrong_file_is_named_with_what_to_do(tmp_path, damage, message):
    folder = write_frame(tmp_path / "a")
    damage(folder)
    with pytest.raises(ModeUnsupported, match=message) as error:
        load_frame(folder)
    assert len(error.value.hint) > 15


@pytest.mark.parametrize("name", ["rgb.png", "depth.png"])
def test_a_missing_image_is_named(tmp_path, name):
    folder = write_frame(tmp_path / "a")
    (folder / name).unlink()
    with pytest.raises(CameraNotFound, match=name):
        load_frame(folder)


def test_a_folder_without_frames_says_what_a_frame_is(tmp_path):
    with pytest.raises(CameraNotFound, match="no frame") as error:
        frame_folders(tmp_path)
    assert "rgb.png" in error.value.hint
    with pytest.raises(CameraNotFound, match="no folder"):
        frame_folders(tmp_path / "absent")


def test_every_real_frame_loads(shared):
    folders = frame_folders(shared / "real")
    assert len(folders) >= 30
    for folder in folders[::4]:
        frame = load_frame(folder)
        assert 0.2 < frame.depth.fill_rate <= 1
        assert 0.2 < np.median(frame.depth.metres[frame.depth.valid]) < 10
