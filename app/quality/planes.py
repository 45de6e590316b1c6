"""Planes in depth images: fitted although some of the points lie elsewhere, and found where nobody points."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.floating]

FEWEST_POINTS: Final = 50
TRIES: Final = 120
"""With half of the points elsewhere, one of eight triples is good: all of 120 fail once in ten million."""
SAMPLE: Final = 1000
GATE: Final = 4.0
"""Standard deviations; a normal distribution cut there loses 0.05 % of its deviation."""
GRAINS: Final = 1.5
"""Counts of depth within which a point lies on a plane anyway: one, and what rounding makes of it."""
ROUNDS: Final = 5
STEPS_ALONG_RAYS: Final = 2

REGION_SHARE: Final = 0.22
"""Of the picture's width and height that a region takes."""
STEPS: Final = 8
SMALLEST_PART: Final = 0.5
"""Of the region's pixels that have to lie on the plane."""
ROUGHEST: Final = 0.02
"""Standard deviation over distance from which on nothing is taken for a plane that nobody pointed at."""


@dataclass(frozen=True)
class Region:
    """A rectangle of a picture, in shares of its width and height from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def slices(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Rows and columns of it in a picture of this shape, one pixel at least."""
        height, width = shape[:2]
        rows = round(self.top * height), round(self.bottom * height)
        columns = round(self.left * width), round(self.right * width)
        return slice(rows[0], max(rows[1], rows[0] + 1)), slice(columns[0], max(columns[1], columns[0] + 1))


def region_around(x: float, y: float, *, share: float = REGION_SHARE) -> Region:
    """The region whose middle is nearest to (x, y) within the picture."""
    left = min(max(x - share / 2, 0.0), 1.0 - share)
    top = min(max(y - share / 2, 0.0), 1.0 - share)
    return Region(left, top, left + share, top + share)


@dataclass(frozen=True, eq=False)
class PlaneFit:
    """A plane `normal @ point = distance_m` and how well the points fit.

    Attributes:
        normal: (3,) unit vector that points away from the camera.
        distance_m: from the camera's centre, positive.
        on_plane: (N,) bool, which points it was fitted to in the end.
        rms_m: of the distances of these points to it.
    """

    normal: NDArray[np.float64]
    distance_m: float
    on_plane: NDArray[np.bool_]
    rms_m: float

    @property
    def roughness(self) -> float:
        """Deviation from the plane as a share of its distance."""
        return self.rms_m / max(self.distance_m, 1e-6)

    @property
    def share(self) -> float:
        """Of the points that lie on the plane, 0 to 1."""
        return float(self.on_plane.mean())

    def distances_m(self, points: Points) -> NDArray[np.float64]:
        """(N,) signed distances in metres of (N, 3) points; positive behind the plane."""
        return np.asarray(points @ self.normal - self.distance_m, np.float64)

    def depth_m(self, rays: NDArray[np.floating]) -> NDArray[np.float64]:
        """(...) metres along Z where rays (..., 2) of x/z and y/z meet the plane; infinite if they do not."""
        slope = rays[..., 0] * self.normal[0] + rays[..., 1] * self.normal[1] + self.normal[2]
        with np.errstate(divide="ignore"):
            return np.asarray(np.where(slope > 0, self.distance_m / slope, np.inf), np.float64)


def fit_plane(points: Points, *, tries: int = TRIES) -> PlaneFit | None:
    """The plane that most of (N, 3) points lie on, or None where fewer than half lie on any.

    Least median of squares over planes through three points (Rousseeuw, "Least Median of Squares Regression",
    JASA 79, 1984) stands up to just under half of the points elsewhere; its scale, 1.4826 (1 + 5 / (n - 3))
    times the median, chooses the points for a total least squares fit, which is repeated with the deviation
    of these points. Depth comes in counts: where most of a wall lies in one count, its median says nothing,
    and the points one count beside it are the wall's as well. At last the plane is fitted along the rays, as
    the noise lies. The same points give the same plane.

    Args:
        points: (N, 3) metres as the camera sees them: Z is positive.
        tries: triples that are looked at.
    """
    if len(points) < FEWEST_POINTS:
        return None
    exact = points.astype(np.float64)
    sample = exact[:: max(len(exact) // SAMPLE, 1)]
    plane = _least_median(sample, tries)
    if plane is None:
        return None
    normal, distance, scale = plane
    slack_m = GRAINS * grain(sample[:, 2]) + 1e-9
    on_plane = np.ones(len(exact), np.bool_)
    for _ in range(ROUNDS):
        on_plane = np.abs(exact @ normal - distance) <= GATE * scale + slack_m
        if np.count_nonzero(on_plane) < max(FEWEST_POINTS // 2, SMALLEST_PART * len(exact)):
            return None
        normal, distance = _least_squares(exact[on_plane])
        scale = float(np.sqrt(np.mean((exact[on_plane] @ normal - distance) ** 2)))
    for _ in range(STEPS_ALONG_RAYS):
        normal, distance = _along_rays(exact[on_plane], normal, distance)
    scale = float(np.sqrt(np.mean((exact[on_plane] @ normal - distance) ** 2)))
    return PlaneFit(normal, distance, on_plane, scale)


def grain(values: NDArray[np.floating]) -> float:
    """Smallest difference of two values: one count, where values come in counts; 0 with one value only."""
    return float(np.diff(np.unique(values)).min()) if np.ptp(values) > 0 else 0.0


def find_region(
    depth_m: NDArray[np.floating], rays: NDArray[np.floating], *, before: Region | None = None
) -> Region | None:
    """The region of a depth image that is most nearly a whole plane, or None where there is none.

    Args:
        depth_m: (H, W) metres, 0 for a hole.
        rays: (H, W, 2) x/z and y/z.
        before: the region that was found last; it is kept for as long as it holds a plane, so that figures
            over time are of one place.
    """
    if before is not None and _flatness(depth_m, rays, before) is not None:
        return before
    middles = np.linspace(REGION_SHARE / 2, 1 - REGION_SHARE / 2, STEPS)
    regions = [region_around(float(x), float(y)) for y in middles for x in middles]
    scores = [(_flatness(depth_m, rays, region), region) for region in regions]
    good = [(score, region) for score, region in scores if score is not None]
    return max(good, key=lambda pair: pair[0])[1] if good else None


def points_in(
    depth_m: NDArray[np.floating], rays: NDArray[np.floating], region: Region | None = None, *, step: int = 1
) -> NDArray[np.float64]:
    """(N, 3) points in metres of the measured pixels of a region, or of the whole image, in row order."""
    rows, columns = (slice(None), slice(None)) if region is None else region.slices(depth_m.shape)
    z = np.asarray(depth_m[rows, columns][::step, ::step], np.float64)
    directions = rays[rows, columns][::step, ::step]
    measured = z > 0
    return np.column_stack([directions[measured] * z[measured][:, None], z[measured]])


def _flatness(depth_m: NDArray[np.floating], rays: NDArray[np.floating], region: Region) -> float | None:
    """Share of the region's pixels on one plane, less what is rough about it; None where it is no plane."""
    rows, columns = region.slices(depth_m.shape)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    step = max(round((height * width / 400) ** 0.5), 1)
    pixels = -(-height // step) * -(-width // step)
    points = points_in(depth_m, rays, region, step=step)
    if len(points) < SMALLEST_PART * pixels:
        return None
    plane = fit_plane(points, tries=40)
    if plane is None:
        return None
    part = np.count_nonzero(plane.on_plane) / pixels
    if part < SMALLEST_PART or plane.roughness > ROUGHEST:
        return None
    return float(part - plane.roughness / ROUGHEST / 2)


def _least_median(points: NDArray[np.float64], tries: int) -> tuple[NDArray[np.float64], float, float] | None:
    """Normal, distance and scale of the plane through three points whose median square residual is least."""
    corners = points[np.random.default_rng(0).integers(len(points), size=(tries, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    spread = float(np.ptp(points, axis=0).max())
    wide = lengths > 1e-4 * spread**2  # three points on a line say nothing
    if not wide.any():
        return None
    normals = normals[wide] / lengths[wide, None]
    distances = np.einsum("ij,ij->i", normals, corners[wide, 0])
    medians = np.median(np.abs(normals @ points.T - distances[:, None]), axis=1)
    best = int(np.argmin(medians))
    scale = 1.4826 * (1 + 5 / (len(points) - 3)) * float(medians[best])
    return normals[best], float(distances[best]), scale


def _least_squares(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Normal, away from the camera, and distance of the total least squares plane."""
    middle = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(points.T))
    normal = axes[:, 0]
    distance = float(normal @ middle)
    return (-normal, -distance) if distance < 0 else (normal, distance)


def _along_rays(
    points: NDArray[np.float64], normal: NDArray[np.float64], distance: float
) -> tuple[NDArray[np.float64], float]:
    """One Gauss-Newton step towards the plane whose depth along each point's ray is nearest to the point's.

    Distances across the plane weigh as before. Total least squares would turn a plane that is seen at a slant
    away from its noise: what scatters along the rays scatters along the plane, too.
    """
    z = points[:, 2]
    directions = points / z[:, None]
    facing = np.maximum(directions @ normal, 1e-6)
    plane_z = distance / facing
    sides = facing[:, None] * (plane_z**2)[:, None] * directions
    change = np.linalg.lstsq(sides.T @ sides, sides.T @ (facing * (plane_z - z)), rcond=None)[0]
    inverse = normal / distance + change
    size = float(np.linalg.norm(inverse))
    return inverse / size, 1 / size
