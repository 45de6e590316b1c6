"""The comparison picture: colour, measured depth, repaired depth and provenance side by side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.repair import Provenance

Image = NDArray[np.uint8]

BACKGROUND = (24, 26, 30)
TEXT = (235, 237, 240)
QUIET_TEXT = (160, 166, 174)
GAP_PX = 12
HEADER_PX = 44
FOOTER_PX = 64
PANE_WIDTH_PX = 640
HATCH_PX = 8
HATCH = (52, 55, 62), (74, 78, 86)
REJECTED_HATCH = (40, 20, 26), (120, 40, 60)
MARK = (90, 230, 255)
MARK_PX = 21

FAR_TO_MIDDLE = 5.0
"""The colour scale ends at this many times the median depth, if not before."""

PROVENANCE_COLORS: dict[Provenance, tuple[int, int, int]] = {
    Provenance.MEASURED: (74, 84, 98),
    Provenance.REFINED: (66, 146, 214),
    Provenance.INVENTED: (240, 170, 50),
    Provenance.REJECTED: (200, 50, 80),
}
"""Told apart by lightness too, for those who do not see the hues."""


@dataclass(frozen=True)
class DepthRange:
    """Metres at both ends of the colour scale."""

    near_m: float
    far_m: float


def depth_range(*depths_m: NDArray[np.float32]) -> DepthRange:
    """A range that shows nearly all of these depth images; what is not positive and finite does not count."""
    finite = [depth[np.isfinite(depth) & (depth > 0)] for depth in depths_m]
    values = np.concatenate([depth[::7] for depth in finite]) if finite else np.empty(0, np.float32)
    if values.size == 0:
        return DepthRange(0.0, 1.0)
    near, middle, far = np.percentile(values, [1, 50, 98])
    # A few far pixels, or a sensor's largest count, would leave the scene itself a single colour.
    return DepthRange(float(near), float(max(min(far, FAR_TO_MIDDLE * middle), near + 0.05)))


def comparison(
    color: Image,
    measured_m: NDArray[np.float32],
    repaired_m: NDArray[np.float32] | None,
    provenance: NDArray[np.uint8] | None,
    *,
    title: str,
    scale: DepthRange | None = None,
) -> Image:
    """(H, W, 3) uint8 RGB: labelled panes, both depth images on one scale, with its legend.

    Args:
        color: (H, W, 3) uint8 RGB.
        measured_m: (H, W) metres, 0 for a hole, registered to colour.
        repaired_m: (H, W) metres, +inf where rejected; None leaves its pane and that of provenance away.
        provenance: (H, W) uint8 of `Provenance`; None as for `repaired_m`.
        title: what made the repair; without one, what the picture shows.
        scale: of both depth images; None for one that suits them, which differs from frame to frame.
    """
    scale = scale or depth_range(measured_m, *(() if repaired_m is None else (repaired_m,)))
    holes = float(np.mean(measured_m <= 0))
    note = title if repaired_m is None else f"{color.shape[1]} x {color.shape[0]}"
    panes = [
        ("Colour", note, color),
        ("Measured", f"{holes:.1%} holes", depth_picture(measured_m, scale)),
    ]
    if repaired_m is not None and provenance is not None:
        panes.append(("Repaired", title, depth_picture(repaired_m, scale)))
        panes.append(("Provenance", "", provenance_picture(provenance)))
    pane_height = round(PANE_WIDTH_PX * color.shape[0] / color.shape[1])
    width = GAP_PX + len(panes) * (PANE_WIDTH_PX + GAP_PX)
    canvas = np.full((HEADER_PX + pane_height + FOOTER_PX, width, 3), BACKGROUND, np.uint8)
    lefts = [GAP_PX + i * (PANE_WIDTH_PX + GAP_PX) for i in range(len(panes))]
    for left, (name, note, picture) in zip(lefts, panes, strict=True):
        canvas[HEADER_PX : HEADER_PX + pane_height, left : left + PANE_WIDTH_PX] = _resized(
            picture, PANE_WIDTH_PX, pane_height
        )
        end = _write(canvas, name, left, HEADER_PX - 15, TEXT, size=0.75, weight=2)
        _write(canvas, note, end + 14, HEADER_PX - 15, QUIET_TEXT)
    below = HEADER_PX + pane_height + 14
    _draw_scale(
        canvas, scale, left=lefts[1], right=lefts[2 if len(panes) > 2 else 1] + PANE_WIDTH_PX, top=below
    )
    if provenance is not None:
        _draw_provenance_legend(canvas, provenance, left=lefts[-1], top=below)
    return canvas


def depth_picture(depth_m: NDArray[np.float32], scale: DepthRange) -> Image:
    """(H, W, 3) uint8 RGB in Turbo; a hole is hatched gray, a rejected pixel hatched red."""
    import cv2

    with np.errstate(invalid="ignore"):
        share = (depth_m - scale.near_m) / (scale.far_m - scale.near_m)
    levels = np.rint(np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1) * 255)
    picture = cv2.applyColorMap(levels.astype(np.uint8), cv2.COLORMAP_TURBO)[..., ::-1].copy()
    hole = ~(depth_m > 0)
    picture[hole] = _hatching(depth_m.shape, HATCH)[hole]
    rejected = np.isposinf(depth_m)
    picture[rejected] = _hatching(depth_m.shape, REJECTED_HATCH)[rejected]
    return np.asarray(picture, np.uint8)


def provenance_picture(provenance: NDArray[np.uint8]) -> Image:
    """(H, W, 3) uint8 RGB, one colour for each `Provenance`."""
    table = np.zeros((256, 3), np.uint8)
    for value, color in PROVENANCE_COLORS.items():
        table[value] = color
    return table[provenance]


def attention_picture(color: Image, attention: NDArray[np.float32], at: tuple[int, int]) -> Image:
    """(H, W, 3) uint8 RGB: the image in grey below its attention in Inferno, the asked place marked.

    Args:
        color: (H, W, 3) uint8 RGB.
        attention: (R, C) of at least 0, any scale.
        at: x, y in pixels.
    """
    import cv2

    height, width = color.shape[:2]
    share = cv2.resize(attention, (width, height), interpolation=cv2.INTER_CUBIC).clip(0)
    levels = np.rint(share / max(float(share.max()), 1e-12) * 255).astype(np.uint8)
    heat = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32)
    grey = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    picture = (0.35 * grey + 0.65 * heat).astype(np.uint8)
    cv2.drawMarker(picture, at, MARK, cv2.MARKER_CROSS, MARK_PX, 2, cv2.LINE_AA)
    return picture


def _hatching(shape: tuple[int, ...], colors: tuple[tuple[int, int, int], tuple[int, int, int]]) -> Image:
    rows, columns = np.indices(shape)
    stripe = ((rows + columns) // HATCH_PX) % 2
    hatched: Image = np.array(colors, np.uint8)[stripe]
    return hatched


def _resized(picture: Image, width: int, height: int) -> Image:
    import cv2

    if picture.shape[:2] == (height, width):
        return picture
    # Nearest neighbour when growing: depth must not be shown smoother than it is.
    way = cv2.INTER_AREA if picture.shape[1] > width else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _write(
    canvas: Image,
    text: str,
    left: int,
    baseline: int,
    color: tuple[int, int, int],
    *,
    size: float = 0.55,
    weight: int = 1,
) -> int:
    """Draw `text` and return the column where it ends."""
    import cv2

    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(canvas, text, (left, baseline), font, size, color, weight, cv2.LINE_AA)
    (width, _), _ = cv2.getTextSize(text, font, size, weight)
    return left + int(width)


def _text_width(text: str) -> int:
    import cv2

    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.55, 1)
    return int(width)


def _draw_scale(canvas: Image, scale: DepthRange, *, left: int, right: int, top: int) -> None:
    ramp = np.linspace(scale.near_m, scale.far_m, right - left, dtype=np.float32)
    # The first metre may be 0, which as depth is a hole.
    bar = depth_picture(np.maximum(np.tile(ramp, (14, 1)), 1e-6), scale)
    canvas[top : top + 14, left:right] = bar
    ticks = 6
    for i in range(ticks):
        share = i / (ticks - 1)
        text = f"{scale.near_m + share * (scale.far_m - scale.near_m):.2f} m"
        column = left + round(share * (right - left))
        column = min(max(column - _text_width(text) // 2, left), right - _text_width(text))
        _write(canvas, text, column, top + 36, QUIET_TEXT)


def _draw_provenance_legend(canvas: Image, provenance: NDArray[np.uint8], *, left: int, top: int) -> None:
    for i, (value, color) in enumerate(PROVENANCE_COLORS.items()):
        column = left + i * (PANE_WIDTH_PX // len(PROVENANCE_COLORS))
        canvas[top : top + 14, column : column + 22] = color
        share = float(np.mean(provenance == value))
        _write(canvas, value.name.lower(), column + 30, top + 12, TEXT)
        _write(canvas, f"{share:.1%}", column + 30, top + 36, QUIET_TEXT)
