"""The least squares behind a calibration: places of cameras and boards that explain all corners best.

Unknown are the place of every camera but the first, and of every board. Each corner pulls with the
difference between where it was seen and where the lens, distortion included, would show it; a Huber weight
keeps a bad corner from pulling hard. Steps are Gauss and Newton's with Levenberg's damping, Jacobians are
analytic (Triggs et al., Bundle Adjustment - A Modern Synthesis, 2000). The lenses stay as the factory
measured them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.calibration.board import Board
from drivers.calibration.detect import Sighting
from drivers.geometry import Intrinsics

Matrix = NDArray[np.float64]

HUBER_PX = 0.7
STEPS = 40
WORST_VIEW_PX = 1.5
WORST_VIEW_TIMES = 4.0
LEAST_NOISE = 0.7
"""Of a picture's noise, in that of the median picture: a lucky one is not trusted much more than others."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One camera's corners of one board.

    Attributes:
        camera: its number.
        view: number of the board.
        sighting: the corners.
        points: (N, 3) metres, the same corners in the board's axes.
    """

    camera: int
    view: int
    sighting: Sighting
    points: Matrix


def board_pose(board: Board, sighting: Sighting, camera: Intrinsics) -> Matrix:
    """(4, 4) camera_from_board metres, from one picture."""
    points = board.points(sighting.ids)
    distortion = _distortion(camera)
    _, turns, shifts, _ = cv2.solvePnPGeneric(
        points, sighting.pixels, camera.matrix, distortion, flags=cv2.SOLVEPNP_IPPE
    )
    turn, shift = cv2.solvePnPRefineLM(
        points, sighting.pixels, camera.matrix, distortion, turns[0].copy(), shifts[0].copy()
    )
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(turn)[0]
    pose[:3, 3] = np.asarray(shift).ravel()
    return pose


def projected(points: Matrix, camera: Intrinsics) -> tuple[Matrix, Matrix]:
    """Pixels (N, 2) of (N, 3) points in the camera's axes, and their derivative (N, 2, 3) by the point."""
    pixels, derivative = cv2.projectPoints(
        points, np.zeros(3), np.zeros(3), camera.matrix, _distortion(camera)
    )
    by_point = np.asarray(derivative, np.float64)[:, 3:6].reshape(-1, 2, 3)
    return np.asarray(pixels, np.float64).reshape(-1, 2), by_point


def _distortion(camera: Intrinsics) -> Matrix | None:
    return np.array(camera.distortion) if camera.distortion else None


class Bundle:
    """The least squares problem; poses are moved from the left, so that no angle is ever special."""

    def __init__(
        self,
        lenses: Sequence[Intrinsics],
        seen: Sequence[Seen],
        camera_from_rig: Sequence[Matrix],
        rig_from_board: Mapping[int, Matrix],
    ) -> None:
        self.seen = list(seen)
        self.camera_from_rig = [pose.copy() for pose in camera_from_rig]
        self.rig_from_board = {view: pose.copy() for view, pose in rig_from_board.items()}
        self.lenses = lenses
        first_board = 6 * (len(lenses) - 1)
        self._board_at = {view: first_board + 6 * i for i, view in enumerate(sorted(self.rig_from_board))}
        self._size = first_board + 6 * len(self._board_at)
        self._noise = {id(s): 1.0 for s in self.seen}

    def trust_by_fit(self) -> None:
        """Give each picture of a board the weight that its noise deserves: small and slanted boards less."""
        noise = {id(s): self.rms([s]) for s in self.seen}
        usual = float(np.median(list(noise.values())))
        self._noise = {key: max(rms / max(usual, 1e-9), LEAST_NOISE) for key, rms in noise.items()}

    def run(self) -> None:
        """Move the poses to the least sum of weighted squares."""
        damping, cost = 1e-4, self._cost()
        for _ in range(STEPS):
            normal, gradient = self._normal()
            diagonal = np.diag(np.diag(normal))
            before = (list(self.camera_from_rig), dict(self.rig_from_board))
            step = np.linalg.solve(normal + damping * diagonal, -gradient)
            self._move(np.asarray(step, np.float64))
            moved = self._cost()
            if moved < cost:
                settled = cost - moved < 1e-9 * cost
                damping, cost = max(damping / 5, 1e-12), moved
                if settled:
                    return
            else:
                self.camera_from_rig, self.rig_from_board = before
                damping *= 10
                if damping > 1e4:
                    return

    def residuals(self, seen: Seen) -> Matrix:
        """(N, 2) pixels, seen minus solution."""
        return seen.sighting.pixels - self._projected(seen)[0]

    def rms(self, seen: Sequence[Seen]) -> float:
        """Of all corners of these."""
        squares = np.concatenate([(self.residuals(s) ** 2).sum(axis=1) for s in seen])
        return float(np.sqrt(squares.mean()))

    def worst(self) -> list[tuple[Seen, float]]:
        """Pictures of boards that do not fit to the others, with their rms: one of a board, few at a time."""
        each = [(s, self.rms([s])) for s in self.seen]
        limit = max(WORST_VIEW_PX, WORST_VIEW_TIMES * float(np.median([rms for _, rms in each])))
        bad = sorted((pair for pair in each if pair[1] > limit), key=lambda pair: -pair[1])
        first = {seen.view: (seen, rms) for seen, rms in reversed(bad)}  # it pulls the others of its board
        return list(first.values())[: max(1, len(each) // 10)]

    def uncertainty(self) -> dict[int, tuple[float, float]]:
        """Degrees and millimetres, one standard deviation, by camera.

        The larger of two estimates: from the noise of corners as if each were free, and from how the boards
        disagree, which also holds what all corners of a picture have in common (White's sandwich).
        """
        by_view: dict[int, Matrix] = {}
        normal, _ = self._normal(by_view)
        inverse = np.linalg.inv(normal + 1e-12 * np.eye(self._size))
        count = 2 * sum(len(s.sighting.pixels) for s in self.seen)
        squares = sum(float((self.residuals(s) ** 2).sum()) / self._noise[id(s)] ** 2 for s in self.seen)
        free = inverse * squares / max(count - self._size, 1)
        pulls = np.array(list(by_view.values()))
        views = len(pulls)
        apart = inverse @ (pulls.T @ pulls) @ inverse * views / max(views - 1, 1)
        found = {0: (0.0, 0.0)}
        for camera in range(1, len(self.lenses)):
            at = 6 * (camera - 1)
            turn = max(np.trace(c[at : at + 3, at : at + 3]) for c in (free, apart))
            shift = max(np.trace(c[at + 3 : at + 6, at + 3 : at + 6]) for c in (free, apart))
            found[camera] = (float(np.degrees(np.sqrt(turn))), float(np.sqrt(shift)) * 1e3)
        return found

    def _cost(self) -> float:
        total = 0.0
        for s in self.seen:
            off = np.linalg.norm(self.residuals(s), axis=1) / self._noise[id(s)]
            near = np.minimum(off, HUBER_PX)
            total += float((near * (off - near / 2)).sum())
        return total

    def _projected(self, seen: Seen) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Pixels (N, 2), their derivative (N, 2, 3) by the point, the point (N, 3) in camera and in rig."""
        in_rig = moved_by(self.rig_from_board[seen.view], seen.points)
        in_camera = moved_by(self.camera_from_rig[seen.camera], in_rig)
        pixels, by_point = projected(in_camera, self.lenses[seen.camera])
        return pixels, by_point, in_camera, in_rig

    def _normal(self, by_view: dict[int, Matrix] | None = None) -> tuple[Matrix, Matrix]:
        """(P, P) and (P,) of the normal equations; `by_view` gets each board's share of the second."""
        normal, gradient = np.zeros((self._size, self._size)), np.zeros(self._size)
        for s in self.seen:
            pixels, by_point, in_camera, in_rig = self._projected(s)
            off = pixels - s.sighting.pixels
            noise = self._noise[id(s)]
            weight = np.minimum(1, HUBER_PX * noise / np.maximum(np.linalg.norm(off, axis=1), 1e-12))
            weight /= noise**2
            by_board = by_point @ self.camera_from_rig[s.camera][:3, :3]
            parts = [(self._board_at[s.view], np.concatenate([-by_board @ _cross(in_rig), by_board], axis=2))]
            if s.camera:
                own = np.concatenate([-by_point @ _cross(in_camera), by_point], axis=2)
                parts.append((6 * (s.camera - 1), own))
            share = np.zeros(self._size)
            for at, jacobian in parts:
                flat = (jacobian * weight[:, None, None]).reshape(-1, 6)
                share[at : at + 6] += flat.T @ off.ravel()
                for other, matrix in parts:
                    normal[at : at + 6, other : other + 6] += flat.T @ matrix.reshape(-1, 6)
            gradient += share
            if by_view is not None:
                by_view[s.view] = by_view.get(s.view, 0) + share
        return normal, gradient

    def _move(self, step: Matrix) -> None:
        for camera in range(1, len(self.lenses)):
            at = 6 * (camera - 1)
            self.camera_from_rig[camera] = _moved(self.camera_from_rig[camera], step[at : at + 6])
        for view, at in self._board_at.items():
            self.rig_from_board[view] = _moved(self.rig_from_board[view], step[at : at + 6])


def moved_by(transform: Matrix, points: Matrix) -> Matrix:
    """(N, 3) points, carried by a (4, 4) transform."""
    return np.asarray(points @ transform[:3, :3].T + transform[:3, 3], np.float64)


def _moved(pose: Matrix, step: Matrix) -> Matrix:
    change = np.eye(4)
    change[:3, :3] = cv2.Rodrigues(step[:3])[0]
    change[:3, 3] = step[3:]
    return np.asarray(change @ pose, np.float64)


def _cross(points: Matrix) -> Matrix:
    """(N, 3, 3) matrices that take the cross product with (N, 3) points."""
    x, y, z = points.T
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.asarray(np.moveaxis(np.array(rows), 2, 0), np.float64)
