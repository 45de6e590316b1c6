"""Point clouds and meshes as PLY files, the format that every 3D program reads."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write_ply(
    file: Path,
    points: NDArray[np.float32],
    colors: NDArray[np.uint8],
    *,
    provenance: NDArray[np.uint8] | None = None,
    triangles: NDArray[np.int32] | None = None,
    comments: tuple[str, ...] = (),
) -> None:
    """Write a binary little-endian PLY, whole or not at all.

    Args:
        file: to write.
        points: (N, 3) float32 metres.
        colors: (N, 3) uint8 RGB.
        provenance: (N,) uint8: 0 measured, 1 refined, 2 invented; None leaves it out.
        triangles: (M, 3) int32 numbers of points; None for a cloud.
        comments: lines for the head of the file, in ASCII.

    Raises:
        OSError: the folder cannot be written.
    """
    fields = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
    if provenance is not None:
        fields.append(("provenance", "u1"))
    vertices = np.empty(len(points), fields)
    for i, axis in enumerate("xyz"):
        vertices[axis] = points[:, i]
    for i, channel in enumerate(("red", "green", "blue")):
        vertices[channel] = colors[:, i]
    if provenance is not None:
        vertices["provenance"] = provenance
    words = {"<f4": "float", "u1": "uchar"}
    head = ["ply", "format binary_little_endian 1.0", *(f"comment {line}" for line in comments)]
    head += [f"element vertex {len(vertices)}", *(f"property {words[kind]} {name}" for name, kind in fields)]
    faces = np.empty(0 if triangles is None else len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
    if triangles is not None:
        faces["count"], faces["corners"] = 3, triangles
        head += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    partial = file.with_suffix(".partial")
    with partial.open("wb") as out:
        out.write("\n".join([*head, "end_header", ""]).encode("ascii"))
        out.write(vertices.tobytes())
        out.write(faces.tobytes())
    partial.replace(file)
