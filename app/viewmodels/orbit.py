"""A camera that is led around a point: by mouse, finger or two."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics

Matrix = NDArray[np.float64]

TURN_RAD_PER_PX: Final = 0.006
STEEPEST_RAD: Final = math.pi / 2
NEAREST_M: Final = 0.05
FARTHEST_M: Final = 60.0
FIRST_YAW_RAD: Final = -0.32
FIRST_PITCH_RAD: Final = 0.16

FILLED: Final = 0.92
"""Share of the view that a scene fills when it is fitted; the rest is for what moves."""
FIT_PERCENTILE: Final = 98.5
FIT_ROUNDS: Final = 3
FENCE: Final = 1.5
"""Times the distance between the quartiles, beyond them: J. W. Tukey, Exploratory Data Analysis, 1977."""

VIEWS: Final = {
    "front": (0.0, 0.0),
    "left": (math.pi / 2, 0.0),
    "right": (-math.pi / 2, 0.0),
    "top": (0.0, math.pi / 2),
    "back": (math.pi, 0.0),
}
"""Yaw and pitch from which a scene can be looked at; "front" is where the camera stands."""


@dataclass(frozen=True)
class Orbit:
    """Where the eye is; axes are those of the colour camera (+X right, +Y down, +Z forward).

    Attributes:
        target: point that is looked at, metres.
        distance_m: from eye to target.
        yaw_rad: 0 looks as the camera does.
        pitch_rad: likewise.
        roll_rad: how far the picture is turned, clockwise.
    """

    target: tuple[float, float, float] = (0.0, 0.0, 2.0)
    distance_m: float = 2.2
    yaw_rad: float = FIRST_YAW_RAD
    pitch_rad: float = FIRST_PITCH_RAD
    roll_rad: float = 0.0

    def turned(self, dx_px: float, dy_px: float) -> "Orbit":
        """Led around by a drag."""
        c, s = math.cos(self.roll_rad), math.sin(self.roll_rad)
        dx_px, dy_px = c * dx_px + s * dy_px, c * dy_px - s * dx_px
        pitch = self.pitch_rad + dy_px * TURN_RAD_PER_PX
        return replace(
            self,
            yaw_rad=self.yaw_rad - dx_px * TURN_RAD_PER_PX,
            pitch_rad=min(max(pitch, -STEEPEST_RAD), STEEPEST_RAD),
        )

    def twisted(self, angle_rad: float) -> "Orbit":
        """The picture turns clockwise, as two fingers do."""
        return replace(self, roll_rad=math.remainder(self.roll_rad + angle_rad, math.tau))

    def around(self, target: tuple[float, float, float]) -> "Orbit":
        """The eye turns around another point, which comes to the middle; it looks from the same side."""
        return replace(self, target=target)

    def seen_from(self, view: str) -> "Orbit":
        """From one of `VIEWS`, as far away as before."""
        yaw_rad, pitch_rad = VIEWS[view]
        return replace(self, yaw_rad=yaw_rad, pitch_rad=pitch_rad, roll_rad=0.0)

    def zoomed(self, factor: float) -> "Orbit":
        """Nearer for a factor above 1."""
        return replace(self, distance_m=min(max(self.distance_m / factor, NEAREST_M), FARTHEST_M))

    def moved(self, dx_px: float, dy_px: float, *, height_px: int, fov_rad: float) -> "Orbit":
        """The scene follows the finger."""
        metres_per_px = 2 * self.distance_m * math.tan(fov_rad / 2) / max(height_px, 1)
        shift = self._rotation().T @ np.array([-dx_px * metres_per_px, -dy_px * metres_per_px, 0.0])
        x, y, z = np.array(self.target) + shift
        return replace(self, target=(float(x), float(y), float(z)))

    def fitted_to(
        self,
        points: NDArray[np.float32],
        *,
        fov_rad: float,
        aspect: float,
        whole: NDArray[np.float32] | None = None,
    ) -> "Orbit":
        """From the same side, as near as shows all of these points but the outermost.

        Args:
            points: (N, 3) metres, as few as show the shape; none leave everything as it is.
            fov_rad: of the eye, from top to bottom.
            aspect: of the view, width to height.
            whole: (K, 3) metres, of which the outermost are shown as well, such as the corners of a box.
        """
        if not len(points):
            return self
        few = len(points)
        if whole is not None:
            points = np.concatenate([points, whole])
        half = math.tan(fov_rad / 2) * np.array([aspect, 1.0]) * FILLED
        rotation = self._rotation()
        turned = (points - np.array(self.target)) @ rotation.T
        shift = np.zeros(3)
        for _ in range(FIT_ROUNDS):
            x_y, z = turned[:, :2] - shift[:2], turned[:, 2]
            needed = np.abs(x_y) / half - z[:, None]
            farthest = needed.max(axis=1)
            distance_m = float(np.percentile(farthest[:few], FIT_PERCENTILE))
            distance_m = max(distance_m, *farthest[few:], NEAREST_M)
            seen = x_y / np.maximum(z + distance_m, NEAREST_M)[:, None]
            low, high = np.percentile(seen[:few], [100 - FIT_PERCENTILE, FIT_PERCENTILE], axis=0)
            low = np.minimum(low, seen[few:].min(axis=0, initial=np.inf))
            high = np.maximum(high, seen[few:].max(axis=0, initial=-np.inf))
            shift[:2] += (low + high) / 2 * distance_m
        x, y, z_m = np.array(self.target) + rotation.T @ shift
        distance_m = min(max(distance_m, NEAREST_M), FARTHEST_M)
        return replace(self, target=(float(x), float(y), float(z_m)), distance_m=distance_m)

    def eye_from_world(self) -> Matrix:
        """(4, 4) into the eye's axes (+X right, +Y down, +Z forward)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self._rotation()
        matrix[:3, 3] = -matrix[:3, :3] @ np.array(self.target) + (0, 0, self.distance_m)
        return matrix

    def _rotation(self) -> Matrix:
        cy, sy = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        cp, sp = math.cos(self.pitch_rad), math.sin(self.pitch_rad)
        about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
        about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        cr, sr = math.cos(self.roll_rad), math.sin(self.roll_rad)
        about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        rotation: Matrix = about_z @ about_x @ about_y
        return rotation


def without_strays(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Those of (N, 3) points that lie within Tukey's fences along each axis.

    What a mirror or glass throws far behind the scene would push the eye away from all the rest.
    """
    if not len(points):
        return points
    low, high = np.percentile(points, [25, 75], axis=0)
    reach = FENCE * (high - low)
    near: NDArray[np.float32] = points[((points >= low - reach) & (points <= high + reach)).all(axis=1)]
    return near


def looking_at(depth_m: float, camera: Intrinsics, *, fov_rad: float, aspect: float) -> Orbit:
    """The first view of a scene whose middle lies at this depth, all of which shall be seen.

    Args:
        depth_m: of the middle.
        camera: that saw it.
        fov_rad: of the eye, from top to bottom.
        aspect: of the view, width to height.
    """
    half = math.tan(fov_rad / 2)
    upright = camera.height / 2 / camera.fy / half
    across = camera.width / 2 / camera.fx / (half * aspect)
    return Orbit(target=(0.0, 0.0, depth_m), distance_m=depth_m * max(upright, across) * 1.02)


def clip_from_eye(fov_rad: float, aspect: float) -> Matrix:
    """(4, 4) perspective from the eye's axes to OpenGL's clip space.

    Args:
        fov_rad: from top to bottom.
        aspect: width to height.
    """
    near_m, far_m = 0.02, 200.0
    f = 1 / math.tan(fov_rad / 2)
    a, b = (far_m + near_m) / (far_m - near_m), -2 * far_m * near_m / (far_m - near_m)
    return np.array([[f / aspect, 0, 0, 0], [0, -f, 0, 0], [0, 0, a, b], [0, 0, 1, 0]])
