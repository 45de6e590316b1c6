"""The shapes of a scene as triangles: panels, round bodies, balls, leaves, and glass with a thickness."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import pi, tau

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.shapes import Ball, Material, Panel, Turned, polygon

Float = NDArray[np.float32]
WALL_M = 0.0022
BASE_M = 0.006
"""Thickness of a glass's wall and of its bottom."""
TOUCHING_M = 1e-6
LIFT_M = 0.001
"""Of a glass from what it stands on: more than Mitsuba leaves between a surface and the ray that goes on from
there, which would miss what the glass stands on."""
ROUND_FROM = 12
"""Corners of an outline that stands for a circle."""
BANDS = 24
"""Strips of a leaf."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles of one surface.

    Attributes:
        vertices: (V, 3) metres.
        normals: (V, 3) unit vectors outwards.
        places: (V, 2) in the surface's picture, 0 to 1 to the right and downwards.
        faces: (F, 3) corners, anticlockwise as seen from outside.
    """

    vertices: Float
    normals: Float
    places: Float
    faces: NDArray[np.uint32]


def of_panel(panel: Panel) -> Mesh:
    """A fan over its outline, or strips over what its alpha leaves.

    A round outline has as many corners as the body that it closes, or slits would lie between the two.
    """
    if panel.cutout and panel.paint is not None and panel.paint.shape[2] == 4:
        return _strips(panel)
    outline = panel.outline
    if len(outline) >= ROUND_FROM:
        outline = polygon(_around(float(np.linalg.norm(panel.across)) / 2))
    corners = np.arange(1, len(outline) - 1)
    faces = np.stack([np.zeros_like(corners), corners + 1, corners], axis=1)
    return _flat(panel, outline, faces)


def _strips(panel: Panel) -> Mesh:
    """Bands across what is there in each row, which has to be in one piece."""
    assert panel.paint is not None
    there = (
        cv2.resize(panel.paint[..., 3], (panel.paint.shape[1], BANDS + 1), interpolation=cv2.INTER_AREA) > 127
    )
    rows = np.flatnonzero(there.any(axis=1))
    width = there.shape[1]
    left = there[rows].argmax(axis=1) / width
    right = 1 - there[rows, ::-1].argmax(axis=1) / width
    down = (rows + 0.5) / (BANDS + 1)
    places = np.stack([np.stack([left, down], axis=1), np.stack([right, down], axis=1)], axis=1).reshape(
        -1, 2
    )
    first = 2 * np.arange(len(rows) - 1)[:, None]
    faces = np.concatenate([first + np.array([0, 2, 1]), first + np.array([1, 2, 3])])
    return _flat(panel, places, faces)


def _flat(panel: Panel, places: NDArray[np.float64], faces: NDArray[np.int64]) -> Mesh:
    points = panel.origin + places[:, :1] * panel.across + places[:, 1:] * panel.down
    normals = np.broadcast_to(panel.normal, points.shape)
    return _mesh(points, normals, places, faces)


def of_turned(body: Turned) -> Mesh:
    """The side of a round body."""
    profile = [(body.radius_top_m, body.height_m), (body.radius_bottom_m, 0.0)]
    return _lathed(body.foot, profile, _around(body.radius_top_m))


def of_ball(ball: Ball) -> Mesh:
    """An ellipsoid."""
    across, down = 96, 48
    u, v = np.meshgrid(np.linspace(0, 1, across + 1), np.linspace(0, 1, down + 1))
    normals = np.stack(
        [np.sin(pi * v) * np.cos(tau * u), np.sin(pi * v) * np.sin(tau * u), np.cos(pi * v)], axis=2
    )
    points = ball.centre + normals * ball.radii
    outwards = normals / ball.radii
    outwards /= np.linalg.norm(outwards, axis=2, keepdims=True)
    faces = _grid(down, across)
    return _mesh(
        points.reshape(-1, 3), outwards.reshape(-1, 3), np.stack([u, v], axis=2).reshape(-1, 2), faces
    )


def of_vessel(bodies: Sequence[Turned]) -> Mesh:
    """Closed glass with a wall and a bottom, whose outside is that of `bodies`, which stand on each other.

    Args:
        bodies: from the bottom upwards, as `vessels` groups them.
    """
    foot = bodies[0].foot + np.array([0, 0, LIFT_M])
    outside = [(body.radius_bottom_m, float(body.foot[2] - bodies[0].foot[2])) for body in bodies]
    top = bodies[-1]
    outside.append((top.radius_top_m, float(top.foot[2] - bodies[0].foot[2]) + top.height_m))
    wall = min(WALL_M, 0.3 * min(radius for radius, _ in outside))
    base = min(BASE_M, 0.3 * bodies[0].height_m)
    inside = [(radius - wall, height) for radius, height in outside]
    slope = (inside[1][0] - inside[0][0]) / (inside[1][1] - inside[0][1])
    inside[0] = (inside[0][0] + slope * base, base)
    profile = [(0.0, base), *inside, *reversed(outside), (0.0, 0.0)]
    return _lathed(foot, profile, _around(max(radius for radius, _ in profile)))


def vessels(turned: Sequence[Turned]) -> list[list[Turned]]:
    """The glass bodies, those that stand on each other together, from the bottom upwards."""
    glass = sorted(
        (body for body in turned if body.material is Material.GLASS), key=lambda body: float(body.foot[2])
    )
    groups: list[list[Turned]] = []
    for body in glass:
        for group in groups:
            last = group[-1]
            top = last.foot + np.array([0, 0, last.height_m])
            if np.abs(top - body.foot).max() < TOUCHING_M:
                group.append(body)
                break
        else:
            groups.append([body])
    return groups


def joined(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles of one or more meshes."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.places for mesh in meshes]),
        np.concatenate([mesh.faces + np.uint32(start) for mesh, start in zip(meshes, starts, strict=False)]),
    )


def _around(radius_m: float) -> int:
    """Corners of a circle, of which 0.2 % of the radius is lost at most."""
    return int(np.clip(1600 * radius_m, 48, 128))


def _lathed(foot: NDArray[np.float64], profile: Sequence[tuple[float, float]], around: int) -> Mesh:
    """A profile of (radius, height), from the axis' top down the outside, turned around a vertical axis."""
    angle = tau * np.linspace(0, 1, around + 1)
    circle = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    points, normals, places, faces = [], [], [], []
    for k, (upper, lower) in enumerate(pairwise(np.array(profile))):
        run, rise = lower[0] - upper[0], upper[1] - lower[1]
        length = max(float(np.hypot(run, rise)), 1e-9)
        outwards = circle * (rise / length) + np.array([0, 0, run / length])
        for share, (radius, height) in ((0.0, upper), (1.0, lower)):
            points.append(foot + circle * radius + np.array([0, 0, height]))
            normals.append(outwards)
            places.append(np.stack([angle / tau, np.full_like(angle, share)], axis=1))
        faces.append(_grid(1, around) + 2 * k * (around + 1))
    return _mesh(
        np.concatenate(points), np.concatenate(normals), np.concatenate(places), np.concatenate(faces)
    )


def _grid(down: int, across: int) -> NDArray[np.int64]:
    """(2 * down * across, 3) triangles of a grid whose rows go down and columns round, anticlockwise."""
    first = (np.arange(down)[:, None] * (across + 1) + np.arange(across)).reshape(-1, 1)
    below = first + across + 1
    return np.concatenate(
        [np.hstack([first, below, first + 1]), np.hstack([first + 1, below, below + 1])]
    ).astype(np.int64)


def _mesh(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    places: NDArray[np.float64],
    faces: NDArray[np.int64],
) -> Mesh:
    return Mesh(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(normals, np.float32),
        np.ascontiguousarray(places, np.float32),
        np.ascontiguousarray(faces, np.uint32),
    )
