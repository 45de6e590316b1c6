import numpy as np

from app.ply import write_ply

POINTS = np.array([(0, 0, 1), (1, 0, 1), (0, 1, 1.5)], np.float32)
COLORS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)], np.uint8)


def parts(file):
    head, body = file.read_bytes().split(b"end_header\n", 1)
    return head.decode("ascii").splitlines(), body


def test_a_cloud_reads_back_as_its_head_describes_it(tmp_path):
    file = tmp_path / "cloud.ply"
    write_ply(file, POINTS, COLORS, provenance=np.array([0, 1, 2], np.uint8), comments=("made here",))
    head, body = parts(file)
    assert head[:3] == ["ply", "format binary_little_endian 1.0", "comment made here"]
    assert "element vertex 3" in head
    kinds = {"float": "<f4", "uchar": "u1"}
    fields = [(line.split()[2], kinds[line.split()[1]]) for line in head if line.startswith("property")]
    read = np.frombuffer(body, fields)
    assert np.array_equal(np.stack([read[axis] for axis in "xyz"], axis=1), POINTS)
    assert np.array_equal(np.stack([read[c] for c in ("red", "green", "blue")], axis=1), COLORS)
    assert read["provenance"].tolist() == [0, 1, 2]


def test_a_mesh_has_its_triangles_behind_its_points(tmp_path):
    file = tmp_path / "mesh.ply"
    write_ply(file, POINTS, COLORS, triangles=np.array([(0, 2, 1)], np.int32))
    head, body = parts(file)
    assert head[-2:] == ["element face 1", "property list uchar int vertex_indices"]
    assert body[-13] == 3
    assert np.frombuffer(body[-12:], "<i4").tolist() == [0, 2, 1]
    assert list(tmp_path.iterdir()) == [file]
