"""Width of the steps between near and far in depth images, right in spite of noise.

Slanted edges as ISO 12233 has them: each piece of an edge gets a line of its own, its pixels are laid out by
their distance to that line, and a Gaussian edge is fitted to all of them at once. Nothing is read off single
noisy profiles, where maxima and thresholds follow the noise.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr
from app.quality.edges import (
    ALONG,
    HALF,
    LINE,
    MEASURED,
    PLACES,
    REACH_PX,
    SMALLEST_STEP_M,
    SMALLEST_STEP_SHARE,
    Pieces,
    find_pieces,
)
from drivers.depth import DepthMap

SHARPEST_PX: Final = 0.8
"""10 to 90 % of a straight line from one pixel to the next: the whole step between two neighbours."""
GAUSSIAN_RISE: Final = 2.563103
"""10 to 90 % of a Gaussian edge, in its standard deviations."""
SHARPEST_SIGMA_PX: Final = SHARPEST_PX / GAUSSIAN_RISE
WIDEST_SIGMA_PX: Final = 6.0
FIRST_SIGMA_PX: Final = 1.5
MOST_STEPS: Final = 8
SETTLED: Final = 0.002
SETTLED_PX: Final = 0.02
"""Change of the width, as a share, and of the lines, at which the fit has come to its end."""
FARTHEST_PX: Final = 3.0
"""From the line that was followed to the one that fits."""
MISFIT: Final = 0.25
"""Root mean square of what is left, over the height of the step, from which on a piece is no edge."""
HUBER: Final = 1.5
HUBER_STEPS: Final = 10
ALIKE: Final = 0.03
"""Share of the width below which an error makes a piece count no more: edges of one scene differ by more."""
FEWEST_COUNTS: Final = 30
"""Of depth that a step has to be high; the feet of a lower one are lost in whole counts."""
FEWEST_PIECES: Final = 3
LARGEST_ERROR: Final = 0.01
"""Standard error over width from which on nothing is said."""
SO_MANY: Final = (1, 2, 3, 5, 8, 12, 20)
"""Images that are taken together until the error is small enough."""

FINENESS: Final = 1000
SPAN: Final = 5
NORMAL: Final = np.array(
    [(1 + erf(x / FINENESS / 2**0.5)) / 2 for x in range(-SPAN * FINENESS, SPAN * FINENESS + 1)], np.float32
)
"""The normal distribution, and below its density, in thousandths of its deviation."""
BELL: Final = np.exp(-0.5 * (np.arange(-SPAN * FINENESS, SPAN * FINENESS + 1) / FINENESS) ** 2).astype(
    np.float32
) / np.float32((2 * pi) ** 0.5)


@dataclass(frozen=True, eq=False)
class Widths:
    """What the pieces of one image say.

    Attributes:
        sigma_px: (N,) standard deviation of the Gaussian edge of each piece.
        error_px: (N,) its standard error from what the fit left over.
    """

    sigma_px: NDArray[np.float64]
    error_px: NDArray[np.float64]


@dataclass(frozen=True)
class EdgeWidth:
    """The typical width of a scene's edges.

    Attributes:
        width_px: 10 to 90 % of the Gaussian edge, across it; None where it cannot be told.
        error: its standard error as a share; None without any edge.
        pieces: that it is of, in all images.
        why_not: words for why there is no width.
    """

    width_px: float | None
    error: float | None = None
    pieces: int = 0
    why_not: str = ""


class EdgeWindow:
    """Gathers the edges of the newest images, of as few as their noise allows; the camera may move."""

    def __init__(self) -> None:
        self._images: deque[Widths] = deque(maxlen=SO_MANY[-1])
        self._sigma_px = FIRST_SIGMA_PX

    def clear(self) -> None:
        """Forget what was seen."""
        self._images.clear()

    def add(self, depth: DepthMap) -> EdgeWidth:
        """Take one more image, and say how wide the edges are in all of them."""
        newest = measure(depth.metres, self._sigma_px, count_m=depth.unit_m)
        self._images.append(newest)
        if len(newest.sigma_px) < FEWEST_PIECES:
            return EdgeWidth(None, why_not=tr("no clear edges"))
        sigma_px, error_px, pieces = self._typical()
        self._sigma_px = min(max(sigma_px, SHARPEST_SIGMA_PX), WIDEST_SIGMA_PX)
        error = error_px / self._sigma_px
        if sigma_px >= WIDEST_SIGMA_PX:
            return EdgeWidth(None, error, pieces, tr("no clear edges"))
        if error > LARGEST_ERROR:
            return EdgeWidth(None, error, pieces, tr("few edges"))
        return EdgeWidth(GAUSSIAN_RISE * self._sigma_px, error, pieces)

    def _typical(self) -> tuple[float, float, int]:
        """Of as few of the newest images as are enough, or of all of them."""
        for images in SO_MANY:
            answer = typical(list(self._images)[-images:])
            sigma_px, error_px, _ = answer
            if images >= len(self._images) or error_px <= LARGEST_ERROR * max(sigma_px, SHARPEST_SIGMA_PX):
                return answer
        return typical(self._images)


def edge_width(depth: DepthMap) -> EdgeWidth:
    """The typical width of the edges of one image."""
    return EdgeWindow().add(depth)


def measure(
    depth_m: NDArray[np.float32], sigma_px: float = FIRST_SIGMA_PX, *, count_m: float = 0.0
) -> Widths:
    """Widths of all edges of a depth image in metres, 0 for a hole.

    Args:
        depth_m: (H, W) metres.
        sigma_px: about what is expected; the nearer, the sooner it is done.
        count_m: metres per count of the sensor.
    """
    found = [find_pieces(image) for image in (depth_m, np.ascontiguousarray(depth_m.T))]
    parts = [pieces for pieces in found if pieces is not None]
    if not parts:
        return Widths(np.empty(0), np.empty(0))
    names = ("depth_m", "measured", "columns", "lines")
    return fit_widths(
        Pieces(*(np.concatenate([getattr(part, name) for part in parts]) for name in names)),
        sigma_px,
        smallest_m=max(SMALLEST_STEP_M, FEWEST_COUNTS * count_m),
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """State of the fit of N pieces after a step.

    Attributes:
        lines: (N, 3) as in `Pieces`.
        planes: (N, 6) level, slope across and slope along of the planes on the left and on the right.
        moved: (N,) pixels by which the lines still moved.
        fits: (N,) whether a Gaussian edge leaves little of the depth.
        widths: of the pieces that it fits.
    """

    lines: NDArray[np.float64]
    planes: NDArray[np.float32]
    moved: NDArray[np.float64]
    fits: NDArray[np.bool_]
    widths: Widths


def fit_widths(pieces: Pieces, sigma_px: float, *, smallest_m: float = SMALLEST_STEP_M) -> Widths:
    """Gauss-Newton fit of Gaussian edges between two planes to each piece.

    Place, slant and bend of the edge and both planes are each piece's own; the width is one for all until the
    last step, which then gives each piece's own as a straight function of its noise. A width fitted to each
    piece by itself would be drawn wide or narrow by its noise, and so would the mean of all.

    Args:
        pieces: of edges.
        sigma_px: about what is expected.
        smallest_m: step that is still told of.
    """
    settled, fit = False, _step(pieces, pieces.lines, _first_planes(pieces), sigma_px)
    for _ in range(MOST_STEPS):
        if settled or not fit.fits.any():
            break
        before, sigma_px = sigma_px, _bounded(typical([fit.widths])[0], sigma_px)
        fit = _step(pieces, fit.lines, fit.planes, sigma_px)
        lines_settled = np.percentile(fit.moved[fit.fits], 90) < SETTLED_PX if fit.fits.any() else True
        settled = bool(abs(sigma_px / before - 1) < SETTLED and lines_settled)
    left, right = fit.planes[fit.fits, 0], fit.planes[fit.fits, 3]
    height = np.abs(right - left)
    away = np.abs(fit.lines[fit.fits] @ LINE.T - pieces.columns[fit.fits]).max(axis=1)
    clear = (
        (height > smallest_m)
        & (height > SMALLEST_STEP_SHARE * np.minimum(left, right))
        & (away < FARTHEST_PX)
    )
    return Widths(fit.widths.sigma_px[clear], fit.widths.error_px[clear])


def _step(pieces: Pieces, lines: NDArray[np.float64], planes: NDArray[np.float32], sigma_px: float) -> _Fit:
    use = pieces.measured.astype(np.float32)
    count = use.sum(axis=(1, 2), dtype=np.float64)
    offsets = pieces.columns[..., None] + PLACES - (lines @ LINE.T)[..., None]
    cosine = 1 / np.hypot(1, (lines[:, 1:2] + 2 * lines[:, 2:] * ALONG) / HALF)[..., None]
    distance = (offsets * cosine).astype(np.float32)
    shapes, model = _shapes(distance, cosine.astype(np.float32), planes, np.float32(sigma_px), use)
    left = ((pieces.depth_m - model) * use).reshape(len(use), -1)
    steps, spread = _least_squares(shapes, left)
    variance = np.einsum("np,np->n", left, left) / np.maximum(count - steps.shape[1], 1)
    planes = planes + steps[:, :6].astype(np.float32)
    height = np.abs(planes[:, 3] - planes[:, 0])
    fits = (variance < (MISFIT * height) ** 2) & (count > MEASURED * offsets[0].size)
    # A line that follows the noise by d takes d ** 2 / (2 sigma) off the width: on average its variance.
    strayed = variance * np.einsum("nij,ji->n", spread[:, 6:9, 6:9], LINE.T @ LINE / len(LINE))
    own = sigma_px + steps[:, 9] + strayed * np.mean(cosine**2, axis=(1, 2)) / (2 * sigma_px)
    error = np.sqrt(variance * spread[:, 9, 9])
    moved = np.clip(steps[:, 6:9], -1, 1)
    return _Fit(lines + moved, planes, np.abs(moved).max(axis=1), fits, Widths(own[fits], error[fits]))


def typical(images: Sequence[Widths] | deque[Widths]) -> tuple[float, float, int]:
    """Mean of the pieces that are alike, its standard error, and how many pieces there are.

    Huber's, from the median on: where noise makes the pieces differ it is their mean, and where they are of
    different widths it is nearer to their median.
    """
    own = np.concatenate([image.sigma_px for image in images])
    noise = np.concatenate([image.error_px for image in images])
    order = np.argsort(own)
    share = np.hypot(noise, ALIKE * np.median(own)) ** -2.0
    upto = np.cumsum(share[order])
    middle = float(own[order[np.searchsorted(upto, upto[-1] / 2)]])
    error = np.hypot(noise, ALIKE * max(middle, SHARPEST_SIGMA_PX))
    for _ in range(HUBER_STEPS):
        middle = float(np.average(own, weights=_weights(own - middle, error)))
    weight = _weights(own - middle, error)
    return middle, float(np.sqrt(weight**2 @ noise**2) / weight.sum()), len(own)


def _weights(off: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.minimum(1, HUBER * error / np.maximum(np.abs(off), 1e-12)) / error**2, np.float64)


def _bounded(sigma_px: float, before_px: float) -> float:
    low, high = max(before_px / 2, SHARPEST_SIGMA_PX), min(before_px * 2, WIDEST_SIGMA_PX)
    return min(max(sigma_px, low), high)


def _first_planes(pieces: Pieces) -> NDArray[np.float32]:
    """(N, 6) level, slope across and slope along of the planes on the left and on the right: level so far."""
    planes = np.zeros((len(pieces.columns), 6), np.float32)
    third = REACH_PX // 3
    for number, side in ((0, slice(None, third)), (3, slice(-third, None))):
        count = np.maximum(pieces.measured[..., side].sum(axis=(1, 2)), 1)
        planes[:, number] = pieces.depth_m[..., side].sum(axis=(1, 2)) / count
    return planes


def _shapes(
    distance: NDArray[np.float32],
    cosine: NDArray[np.float32],
    planes: NDArray[np.float32],
    sigma_px: np.float32,
    use: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, 10, pixels) change of the model with each of its numbers, and (N, ROWS, PLACES) the model."""
    index = np.clip(distance * (FINENESS / sigma_px) + (SPAN * FINENESS + 0.5), 0, len(NORMAL) - 1)
    index = index.astype(np.int32)
    risen, across = NORMAL[index], distance / np.float32(REACH_PX)
    along = ALONG.astype(np.float32)[:, None]
    low, low_across, low_along, high, high_across, high_along = planes.T[..., None, None]
    before = low + low_across * across + low_along * along
    jump = (high - low) + (high_across - low_across) * across + (high_along - low_along) * along
    right = risen * use
    left = use - right
    bell = BELL[index] * jump * (-use / sigma_px)
    aside = bell * cosine
    bend = LINE[:, 2].astype(np.float32)[:, None]
    shapes = np.empty((len(distance), 10, distance[0].size), np.float32)
    for number, shape in enumerate(
        (
            left,
            left * across,
            left * along,
            right,
            right * across,
            right * along,
            aside,
            aside * along,
            aside * bend,
            bell * distance / sigma_px,
        )
    ):
        shapes[:, number] = shape.reshape(len(distance), -1)
    return shapes, before + jump * risen


def _least_squares(
    shapes: NDArray[np.float32], left: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 10) steps that leave least, and (N, 10, 10) their covariance for noise of variance 1."""
    normal = (shapes @ shapes.transpose(0, 2, 1)).astype(np.float64)
    right = (shapes @ left[..., None])[..., 0].astype(np.float64)
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", normal), 1e-12))
    inverse = np.linalg.inv(normal / scale[:, :, None] / scale[:, None, :] + 1e-6 * np.eye(normal.shape[1]))
    steps = (inverse @ (right / scale)[..., None])[..., 0] / scale
    return steps, inverse / scale[:, :, None] / scale[:, None, :]
