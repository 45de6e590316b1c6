"""Small files of each data set's own format, each with that set's traps."""

import json
import struct
import zlib

import cv2
import numpy as np
import pytest

from trainer.data.dataset import DatasetSource
from trainer.data.datasets.arkitscenes import ArkitScenes
from trainer.data.datasets.cleargrasp import ClearGrasp
from trainer.data.datasets.hypersim import CAMERAS, Hypersim
from trainer.data.datasets.moge import MoGe
from trainer.data.datasets.scannetpp import ScanNetPP, ScanNetPPCamera
from trainer.data.datasets.tartanair import TartanAir
from trainer.data.datasets.taskonomy import Taskonomy
from trainer.data.kinds import KINDS
from trainer.errors import DataError


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def color(path, height=48, width=64):
    write(path, np.full((height, width, 3), (10, 20, 200), np.uint8))  # BGR


def counts(path, values):
    write(path, np.asarray(values, np.uint16))


def exr(path, depth):
    library = pytest.importorskip("OpenEXR")
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"compression": library.ZIP_COMPRESSION, "type": library.scanlineimage}
    library.File(header, {name: depth.astype(np.float32) for name in "RGB"}).write(str(path))


def test_taskonomy_counts_512_to_the_metre_and_65535_is_a_hole(tmp_path):
    rgb = tmp_path / "rgb" / "taskonomy" / "ackermanville" / "point_0_view_1_domain_rgb.png"
    color(rgb, 64, 64)
    depth = np.full((64, 64), 1024, np.uint16)
    depth[:8] = 65535
    counts(
        tmp_path
        / "depth_zbuffer"
        / "taskonomy"
        / "ackermanville"
        / "point_0_view_1_domain_depth_zbuffer.png",
        depth,
    )
    data = Taskonomy(tmp_path)
    sample = data.read(0)
    assert np.all(sample.target_m[8:] == 2.0)
    assert np.all(sample.target_m[:8] == 0)
    assert tuple(sample.color[0, 0]) == (200, 20, 10)
    assert data.scene(0) == "ackermanville"


def test_taskonomy_pixels_that_its_mask_calls_invalid_are_holes(tmp_path):
    view = "taskonomy/ackermanville/point_0_view_1_domain"
    color(tmp_path / "rgb" / f"{view}_rgb.png", 64, 64)
    counts(tmp_path / "depth_zbuffer" / f"{view}_depth_zbuffer.png", np.full((64, 64), 1024))
    mask = np.full((64, 64), 255, np.uint8)
    mask[:8] = 0
    write(tmp_path / "mask_valid" / f"{view}_mask_valid.png", mask)
    target_m = Taskonomy(tmp_path).read(0).target_m
    assert not target_m[:8].any()
    assert np.all(target_m[8:] == 2.0)


def test_taskonomy_euclidean_depth_is_brought_onto_the_optical_axis(tmp_path):
    folder = tmp_path / "hanson_rgb"
    color(folder / "point_0_view_1_domain_rgb.png", 64, 64)
    # A wall at 2 m: the ray of a pixel half the field of view away from the axis is 2 / cos(45 degrees) long.
    step = (np.arange(64) - 31.5) / 32
    x, y = np.meshgrid(step, step)
    counts(
        tmp_path / "hanson_depth_euclidean/point_0_view_1_domain_depth_euclidean.png",
        np.rint(512 * 2 * np.sqrt(1 + x**2 + y**2)),
    )
    info = tmp_path / "hanson_point_info" / "point_0_view_1_domain_point_info.json"
    info.parent.mkdir()
    info.write_text(json.dumps({"field_of_view_rads": np.pi / 2}), "utf-8")
    assert np.allclose(Taskonomy(tmp_path).read(0).target_m, 2.0, atol=0.002)


def test_taskonomy_without_its_field_of_view_says_which_domain_is_missing(tmp_path):
    color(tmp_path / "hanson_rgb" / "point_0_view_1_domain_rgb.png", 64, 64)
    counts(
        tmp_path / "hanson_depth_euclidean/point_0_view_1_domain_depth_euclidean.png",
        np.full((64, 64), 600),
    )
    with pytest.raises(DataError) as caught:
        Taskonomy(tmp_path).read(0)
    assert "point_info" in caught.value.hint


def test_tartanair_sky_is_no_target_and_nothing_says_so(tmp_path):
    run = tmp_path / "abandonedfactory" / "Easy" / "P001"
    color(run / "image_left" / "000000_left.png")
    depth = np.full((48, 64), 3.5, np.float32)
    depth[:10] = 10_000
    depth[10:12] = 300
    (run / "depth_left").mkdir()
    np.save(run / "depth_left" / "000000_left_depth.npy", depth)
    data = TartanAir(tmp_path)
    sample = data.read(0)
    assert np.all(sample.target_m[12:] == 3.5)
    assert not sample.target_m[:12].any()
    assert sample.nothing[:10].all()
    assert not sample.nothing[10:].any(), "a far house is something"
    assert data.scene(0) == "abandonedfactory"


@pytest.mark.parametrize("camera", ["lcam_front", "rcam_top"])
def test_tartanair_2_packs_a_float_into_the_four_channels_of_a_picture(camera, tmp_path):
    run = tmp_path / "AbandonedCable" / "Data_easy" / "P000"
    color(run / f"image_{camera}" / f"000000_{camera}.png", 64, 64)
    depth = np.full((64, 64), 3.4567, np.float32)
    depth[:10], depth[10:12], depth[12:14] = 8248.5, 300, np.inf
    name = f"000000_{camera}_depth.png"
    write(run / f"depth_{camera}" / name, depth.view(np.uint8).reshape(64, 64, 4))  # as the authors write it
    content = (run / f"depth_{camera}" / name).read_bytes()
    for lens in ("lcam_fish", "lcam_equirect"):
        (run / f"depth_{lens}").mkdir()
        (run / f"depth_{lens}" / f"000000_{lens}_depth.png").write_bytes(content)
    data = TartanAir(tmp_path)
    assert len(data) == 1, "depth along the rays of another lens is left out"
    sample = data.read(0)
    assert np.all(sample.target_m[14:] == depth[14:]), "no bit is lost"
    assert not sample.target_m[:14].any()
    assert sample.nothing[:10].all()
    assert not sample.nothing[10:12].any()
    assert data.scene(0) == "AbandonedCable"


def test_tartanair_2_as_a_picture_of_millimetres_is_refused(tmp_path):
    run = tmp_path / "AbandonedCable" / "Data_easy" / "P000"
    color(run / "image_lcam_front" / "000000_lcam_front.png", 64, 64)
    counts(run / "depth_lcam_front" / "000000_lcam_front_depth.png", np.full((64, 64), 1500))
    with pytest.raises(DataError, match="four channels"):
        TartanAir(tmp_path).read(0)


@pytest.fixture
def hypersim(tmp_path):
    h5py = pytest.importorskip("h5py")
    images = tmp_path / "ai_001_002" / "images"
    color(images / "scene_cam_00_final_preview" / "frame.0000.tonemap.jpg", 48, 64)
    # The nominal lens of 60 degrees at 64 pixels; a wall at 2 m.
    focal = 886.81 * 64 / 1024
    x, y = np.meshgrid((np.arange(64) - 31.5) / focal, (np.arange(48) - 23.5) / focal)
    ray = 2 * np.sqrt(1 + x**2 + y**2)
    ray[:5] = np.nan
    path = images / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["dataset"] = ray.astype(np.float16)
    return tmp_path


def test_hypersim_ray_lengths_become_planar_and_nan_is_nothing(hypersim):
    data = Hypersim(hypersim)
    sample = data.read(0)
    assert np.allclose(sample.target_m[5:], 2.0, atol=0.002)
    assert not sample.target_m[:5].any()
    assert sample.nothing[:5].all()
    assert not sample.nothing[5:].any()
    assert data.scene(0) == "ai_001_002"


def test_hypersim_takes_the_scene_s_own_lens_where_the_table_is_there(hypersim):
    across = 64 / 2 / (886.81 * 64 / 1024)
    matrix = np.diag([across * 2, across * 2 * 48 / 64, -1.0])  # twice as wide
    names = [f"M_cam_from_uv_{i}{j}" for i in range(3) for j in range(3)]
    header = ",".join(["scene_name", *names])
    row = ",".join(["ai_001_002", *map(str, matrix.ravel())])
    (hypersim / CAMERAS).write_text(f"{header}\n{row}\n", "utf-8")
    target = Hypersim(hypersim).read(0).target_m
    middle, corner = target[24, 32], target[47, 63]
    assert middle == pytest.approx(2.0, abs=0.01)
    assert corner < 1.8, "the same ray length in a wider lens is nearer"
    part = Hypersim(hypersim / "ai_001_002" / "images")
    assert part.read(0).target_m[47, 63] == corner, "the table above a part of the set counts as well"
    assert not part.note


def test_hypersim_says_that_the_cameras_of_its_scenes_are_not_known(hypersim):
    said = []
    with pytest.raises(DataError, match="too few"):
        DatasetSource(Hypersim(hypersim), seed=0, say=said.append)
    (note,) = said
    assert CAMERAS in note
    assert "1 of 1 scenes" in note


def test_arkit_pixels_of_low_confidence_are_holes_and_the_laser_is_the_target(tmp_path):
    video = tmp_path / "Validation" / "41069021"
    color(video / "color" / "f.png", 96, 128)
    counts(video / "lowres_depth" / "f.png", np.full((24, 32), 1500))
    confidence = np.full((24, 32), 2, np.uint8)
    confidence[:6] = 1
    write(video / "confidence" / "f.png", confidence)
    counts(video / "highres_depth" / "f.png", np.full((96, 128), 1480))
    data = ArkitScenes(tmp_path)
    sample = data.read(0)
    assert not sample.depth_m[:24].any()
    assert np.allclose(sample.depth_m[24:], 1.5)
    assert np.allclose(sample.target_m, 1.48)
    assert sample.color.shape[:2] == sample.depth_m.shape == sample.target_m.shape
    assert data.scene(0) == "41069021"


def test_scannetpp_takes_the_rendered_scan_where_it_is(tmp_path):
    phone = tmp_path / "data" / "0a7cc12c0e" / "iphone"
    for frame, rendered in (("frame_000000", True), ("frame_000010", False)):
        color(phone / "rgb" / f"{frame}.jpg", 96, 128)
        counts(phone / "depth" / f"{frame}.png", np.full((24, 32), 2100))
        if rendered:
            counts(phone / "render_depth" / f"{frame}.png", np.full((96, 128), 2000))
    data = ScanNetPP(tmp_path)
    assert len(data) == 2
    assert np.allclose(data.read(0).target_m, 2.0)
    assert np.allclose(data.read(0).depth_m, 2.1)
    assert np.allclose(data.read(1).target_m, 2.1)
    assert data.scene(1) == "0a7cc12c0e"
    elsewhere = tmp_path / "out" / "0a7cc12c0e" / "iphone" / "render_depth" / "frame_000010.png"
    counts(elsewhere, np.full((96, 128), 1900))
    assert np.allclose(ScanNetPP(tmp_path).read(1).target_m, 1.9), "it may be a folder of its own"


LENS = {"fl_x": 60.0, "fl_y": 60.0, "cx": 80.0, "cy": 60.0, "k1": -0.03, "k2": 0.005, "k3": 0.0, "k4": 0.0}


def fisheye(folder, depth, **changes):
    """A picture of the camera, white where it is near, its rendered depth and its lens, 160 x 120."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[np.asarray(depth) < 2500] = 255
    write(folder / "dslr" / "resized_images" / "DSC01.JPG", picture)
    counts(folder / "dslr" / "render_depth" / "DSC01.png", depth)
    place = folder / "dslr" / "nerfstudio" / "transforms.json"
    place.parent.mkdir()
    place.write_text(json.dumps({"w": 160, "h": 120, "camera_model": "OPENCV_FISHEYE", **LENS, **changes}))


def bars():
    """Millimetres, through the lens of `LENS`, of upright bars 2 m wide at 2 m before a wall at 3 m."""
    lens = np.array([[60.0, 0, 80.0], [0, 60.0, 60.0], [0, 0, 1]])
    pixels = np.mgrid[:120, :160][::-1].reshape(2, -1).T.reshape(-1, 1, 2).astype(np.float64)
    flat = cv2.fisheye.undistortPoints(pixels, lens, np.array([LENS[k] for k in ("k1", "k2", "k3", "k4")]))
    across = flat[:, 0, 0].reshape(120, 160)
    return np.where(np.floor(across) % 2 == 0, 2000, 3000)


def test_pictures_of_scannetpp_are_brought_into_a_pinhole_camera(tmp_path):
    fisheye(tmp_path / "data" / "0a7cc12c0e", bars())
    data = ScanNetPPCamera(tmp_path)
    sample = data.read(0)
    assert data.scene(0) == "0a7cc12c0e"
    assert sample.color.shape == (120, 160, 3)

    def leaving(bar):  # columns that leave a bar
        return (bar.any(axis=0) & ~bar.all(axis=0)).mean()

    assert leaving(sample.target_m == 2.0) < 0.3 * leaving(bars() == 2000)
    assert ((sample.color[..., 0] > 127) == (sample.target_m == 2.0)).mean() > 0.97
    assert np.array_equal(sample.depth_m, sample.target_m)


def test_what_a_mask_hides_in_a_picture_of_scannetpp_is_no_target(tmp_path):
    scene = tmp_path / "data" / "0a7cc12c0e"
    fisheye(scene, np.full((120, 160), 2000))
    mask = np.full((120, 160), 255, np.uint8)
    mask[40:80, 60:100] = 0
    write(scene / "dslr" / "resized_anon_masks" / "DSC01.png", mask)
    target = ScanNetPPCamera(tmp_path).read(0).target_m
    assert not target[50:70, 70:90].any()
    assert (target[:, :40] == 2.0).all()


def test_another_lens_of_scannetpp_is_refused(tmp_path):
    fisheye(tmp_path / "one", bars(), camera_model="PINHOLE")
    with pytest.raises(DataError, match="another lens: PINHOLE"):
        ScanNetPPCamera(tmp_path / "one").read(0)
    fisheye(tmp_path / "two", bars(), k2=None)
    with pytest.raises(DataError, match="does not tell the lens"):
        ScanNetPPCamera(tmp_path / "two").read(0)


def test_cleargrasp_objects_are_holes_in_the_rendered_set(tmp_path):
    folder = tmp_path / "cup-with-waves-train"
    color(folder / "rgb-imgs" / "000000000-rgb.jpg")
    exr(folder / "depth-imgs-rectified" / "000000000-depth-rectified.exr", np.full((48, 64), 0.7))
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 10:20] = 255
    write(folder / "segmentation-masks" / "000000000-segmentation-mask.png", mask)
    sample = ClearGrasp(tmp_path).read(0)
    assert np.allclose(sample.target_m, 0.7)
    assert not sample.depth_m[10:20, 10:20].any()
    assert np.allclose(sample.depth_m[25:], 0.7)


def test_cleargrasp_opaque_twin_is_the_target_of_the_real_set(tmp_path):
    folder = tmp_path / "real-val" / "d435"
    color(folder / "000000000-transparent-rgb-img.jpg")
    raw = np.full((48, 64), 0.9, np.float32)
    raw[:4] = np.nan
    exr(folder / "000000000-transparent-depth-img.exr", raw)
    exr(folder / "000000000-opaque-depth-img.exr", np.full((48, 64), 0.6))
    sample = ClearGrasp(tmp_path).read(0)
    assert np.allclose(sample.target_m, 0.6)
    assert not sample.depth_m[:4].any()
    assert np.allclose(sample.depth_m[4:], 0.9)


def log_png(path, values, **fields):
    counts(path, values)
    content = path.read_bytes()
    head, rest = content[:33], content[33:]  # signature and IHDR
    for name, value in fields.items():
        body = name.encode() + b"\0" + str(value).encode()
        chunk = b"tEXt" + body
        head += struct.pack(">I", len(body)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(head + rest)


def test_logarithmic_depth_runs_from_near_to_far_with_codes_for_unknown_and_sky(tmp_path):
    color(tmp_path / "scene" / "0001" / "image.jpg")
    values = np.full((48, 64), 1)
    values[1:10], values[10:20], values[20:30], values[30:] = 65534, 0, 65535, 32767
    log_png(tmp_path / "scene" / "0001" / "depth.png", values, near=0.5, far=8.0)
    sample = MoGe(tmp_path).read(0)
    assert sample.target_m[0, 0] == pytest.approx(0.5)
    assert sample.target_m[5, 0] == pytest.approx(8.0, rel=1e-5)
    assert not sample.target_m[10:30].any()
    assert sample.target_m[40, 0] == pytest.approx(2.0, rel=1e-3), "half-way is the geometric mean"
    assert sample.nothing[20:30].all()
    assert sample.nothing.sum() == 10 * 64


def test_millimetres_are_not_taken_for_logarithmic_depth(tmp_path):
    color(tmp_path / "scene" / "0001" / "image.jpg")
    counts(tmp_path / "scene" / "0001" / "depth.png", np.full((48, 64), 1500))
    with pytest.raises(DataError, match="not logarithmic"):
        MoGe(tmp_path).read(0)


def test_large_pictures_are_brought_to_training_size_and_depth_is_not_averaged(tmp_path):
    video = tmp_path / "1"
    color(video / "color" / "f.png", 960, 1280)
    depth = np.full((192, 256), 1000)
    depth[:, 128:] = 3000
    counts(video / "lowres_depth" / "f.png", depth)
    sample = ArkitScenes(tmp_path).read(0)
    assert sample.color.shape == (480, 640, 3)
    assert np.unique(sample.depth_m).tolist() == pytest.approx([1.0, 3.0])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_empty_folder_is_refused_with_what_was_looked_for(kind, tmp_path):
    with pytest.raises(DataError, match="no ") as caught:
        KINDS[kind].open(tmp_path)
    assert caught.value.hint


def test_a_torn_picture_is_a_data_error_that_names_the_file(tmp_path):
    phone = tmp_path / "s" / "iphone"
    color(phone / "rgb" / "frame_000000.jpg")
    counts(phone / "depth" / "frame_000000.png", np.full((24, 32), 2100))
    (phone / "rgb" / "frame_000000.jpg").write_bytes(b"torn")
    with pytest.raises(DataError, match="frame_000000"):
        ScanNetPP(tmp_path).read(0)


def test_eight_bit_depth_is_refused(tmp_path):
    phone = tmp_path / "s" / "iphone"
    color(phone / "rgb" / "frame_000000.jpg")
    write(phone / "depth" / "frame_000000.png", np.full((24, 32), 21, np.uint8))
    with pytest.raises(DataError, match="16-bit"):
        ScanNetPP(tmp_path).read(0)
