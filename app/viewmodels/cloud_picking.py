"""Points of a cloud under a finger, and what lies between two of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr
from app.viewmodels.cloud import Cloud, points_in_world
from app.viewmodels.cloud_look import ClipBox, Place

REACH_PX: Final = 22
"""Half of a fingertip: a tap that close to a point means it."""
IN_FRONT: Final = 0.04
"""Share of the distance to the eye by which a point may lie behind the nearest one and still be meant."""
STEP: Final = 2
CROSS: Final = 0.012


def pick(
    clouds: Sequence[Cloud],
    clip_from_world: NDArray[np.float64],
    place_px: tuple[float, float],
    size_px: tuple[int, int],
    *,
    box: ClipBox | None = None,
) -> Place | None:
    """The point in metres that a tap means, or None where there is none near it.

    Of the points within `REACH_PX` those hidden behind others are left out, and the one nearest to the finger
    is taken of the rest.

    Args:
        clouds: what is drawn there.
        clip_from_world: (4, 4) of that part of the view.
        place_px: of the tap, from the part's upper left corner.
        size_px: of the part, width and height.
        box: points outside are not drawn.
    """
    found = [points_in_world(cloud, STEP) for cloud in clouds]
    points = np.concatenate(found) if found else np.empty((0, 3), np.float32)
    if box is not None:
        points = points[box.contains(points)]
    clip = points @ clip_from_world[:, :3].T.astype(np.float32) + clip_from_world[:, 3].astype(np.float32)
    w = clip[:, 3]
    before_eye = w > 0
    points, clip, w = points[before_eye], clip[before_eye], w[before_eye]
    x = (clip[:, 0] / w + 1) / 2 * size_px[0] - place_px[0]
    y = (1 - clip[:, 1] / w) / 2 * size_px[1] - place_px[1]
    off = np.hypot(x, y)
    near = off < REACH_PX
    if not near.any():
        return None
    points, off, w = points[near], off[near], w[near]
    off[w > w.min() * (1 + IN_FRONT)] = np.inf
    chosen = points[int(np.argmin(off))]
    return float(chosen[0]), float(chosen[1]), float(chosen[2])


@dataclass(frozen=True)
class Span:
    """One or two points that were tapped.

    Attributes:
        first: metres.
        second: metres, or None before the second tap.
    """

    first: Place
    second: Place | None = None

    @property
    def distance_m(self) -> float | None:
        """Between the two."""
        return None if self.second is None else float(np.linalg.norm(np.subtract(self.second, self.first)))

    @property
    def words(self) -> str:
        """What to write beside it."""
        if self.distance_m is None:
            return tr("Tap the second point")
        assert self.second is not None
        dx, dy, dz = np.abs(np.subtract(self.second, self.first))
        return tr("{distance_m:.3f} m (x {dx:.3f}, y {dy:.3f}, z {dz:.3f} m)").format(
            distance_m=self.distance_m, dx=dx, dy=dy, dz=dz
        )

    def tapped(self, place: Place) -> "Span":
        """With one more point; the third one starts anew."""
        return Span(self.first, place) if self.second is None else Span(place)

    def lines(self, eye_distance_m: float) -> NDArray[np.float32]:
        """(N, 2, 3) float32: a cross at each point, and the line between."""
        size = CROSS * eye_distance_m
        ends = [np.array(self.first), *([] if self.second is None else [np.array(self.second)])]
        made = [(end - size * axis, end + size * axis) for end in ends for axis in np.eye(3)]
        if self.second is not None:
            made.append((ends[0], ends[1]))
        return np.array(made, np.float32)
