import numpy as np
import pytest

from app.viewmodels.cloud import Cloud
from app.viewmodels.cloud_export import write_cloud
from app.viewmodels.cloud_look import ClipBox
from drivers.depth import DepthMap
from drivers.geometry import Intrinsics

LENS = Intrinsics(8, 6, 8.0, 8.0, 3.5, 2.5)
FIELDS = [("place", "<f4", 3), ("color", "u1", 3), ("provenance", "u1")]


def step() -> Cloud:
    """The left half at 1 m, the right half at 2 m, one hole; each pixel has a colour of its own."""
    counts = np.full((6, 8), 1000, np.uint16)
    counts[:, 4:] = 2000
    counts[0, 0] = 0
    color = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    kinds = np.zeros((6, 8), np.uint8)
    kinds[5] = 2
    return Cloud(DepthMap(counts, 0.001), LENS, color, LENS, np.eye(4), kinds)


def read(file, count):
    head, body = file.read_bytes().split(b"end_header\n", 1)
    return head, np.frombuffer(body, FIELDS, count=count), body


def test_points_colours_and_provenance_of_each_pixel_are_written(tmp_path):
    file = tmp_path / "cloud.ply"
    assert write_cloud(file, [step()], box=None, mesh=False, words="raw") == 47
    _, points, _ = read(file, 47)
    last = points[-1]
    assert last["place"] == pytest.approx([(7 - 3.5) / 8 * 2, (5 - 2.5) / 8 * 2, 2.0])
    assert last["color"].tolist() == step().color[5, 7].tolist()
    assert points["provenance"].tolist() == [0] * 39 + [2] * 8


def test_the_box_cuts_the_file_as_it_cuts_the_view(tmp_path):
    file = tmp_path / "cloud.ply"
    box = ClipBox((-9, -9, 1.5), (9, 9, 3))
    assert write_cloud(file, [step()], box=box, mesh=False, words="raw") == 24


def test_a_mesh_does_not_span_two_surfaces(tmp_path):
    file = tmp_path / "mesh.ply"
    count = write_cloud(file, [step(), step()], box=None, mesh=True, words="refined")
    head, _, body = read(file, count)
    faces = 2 * (2 * (2 * 5 * 3) - 1)  # 5 x 3 squares on either side, less the triangle at the hole
    assert f"element face {faces}".encode() in head
    corners = np.frombuffer(body[count * 16 :], [("count", "u1"), ("corners", "<i4", 3)])["corners"]
    z = read(file, count)[1]["place"][:, 2]
    assert (np.ptp(z[corners], axis=1) == 0).all()
