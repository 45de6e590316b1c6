"""Where the pictures of one camera go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, QSize

from app.viewmodels.layers import Layer

PaneKind = Layer | Literal["wipe", "blend"]

PANE_GAP_PX: Final = 3
INSET_SHARE: Final = 0.3
INSET_MARGIN_PX: Final = 10
SHARES: Final = (*np.linspace(0.25, 0.85, 13), 1.0)
"""Widths of the small picture as shares of the large one's: just short of it would look like a mistake."""
TWO_LAYERS: Final = frozenset({"wipe", "blend"})
FIGURES_WIDTH_PX: Final = 150
FIGURES_HEIGHT_PX: Final = 130
"""Room beside the colour picture from which on figures stand there."""
STEP_PX: Final = 4
"""Of places that are tried for a label."""


@dataclass(frozen=True)
class Pane:
    """Where one picture goes.

    Attributes:
        kind: the layer; or two in one picture, "wipe" on either side of a line and "blend" over each other.
        rect: of the picture itself, without letter box.
    """

    kind: PaneKind
    rect: QRect


def fitted(room: QRect, aspect: float) -> QRect:
    """The largest rectangle of this width-to-height ratio in the middle of `room`."""
    width = min(room.width(), round(room.height() * aspect))
    height = min(room.height(), round(room.width() / aspect))
    return QRect(
        room.x() + (room.width() - width) // 2, room.y() + (room.height() - height) // 2, width, height
    )


def arrange(
    room: QRect,
    aspect: float,
    layout: str,
    *,
    compact: bool,
    base: Layer = "raw",
    shown: Layer = "refined",
    figures: bool = True,
) -> list[Pane]:
    """Panes of one tile, as large as they fit; where two overlap, the later one is in front.

    Args:
        room: of the tile below its header.
        aspect: width to height of the pictures.
        layout: as in `LiveOptions`; all but these are laid out like "wipe".
        compact: one picture only.
        base: what is compared with.
        shown: what the operator wants to see.
        figures: whether there are any, to stand beside a small picture.
    """
    if compact:
        return [Pane("colour", fitted(room, aspect))]
    if layout == "one":
        return [Pane(shown, _alone(room, aspect))]
    if layout == "inset":
        return _inset(_alone(room, aspect), base, shown)
    if layout == "side":
        return _raised(room, _side_by_side(room, aspect, tuple(dict.fromkeys(("colour", base, shown)))))
    thirds: tuple[Layer, ...] = ("colour", "raw", "refined")
    third = next(layer for layer in thirds if layer not in {base, shown})
    kind: PaneKind = "blend" if layout == "blend" else "wipe"
    return _raised(room, _large_and_small(room, aspect, kind, third, figures=figures))


def _raised(room: QRect, panes: list[Pane]) -> list[Pane]:
    """At the upper edge, below the header that names them: what is left lies together, for figures."""
    spare = min(pane.rect.y() for pane in panes) - room.y()
    return [replace(pane, rect=pane.rect.translated(0, -spare)) for pane in panes]


def _alone(room: QRect, aspect: float) -> QRect:
    """In the middle of the width, at the upper edge."""
    middle = fitted(room, aspect)
    return middle.translated(0, room.y() - middle.y())


def _inset(large: QRect, base: Layer, shown: Layer) -> list[Pane]:
    size = large.size() * INSET_SHARE
    corner = large.bottomLeft() + QPoint(INSET_MARGIN_PX, -INSET_MARGIN_PX - size.height())
    return [Pane(shown, large), Pane(base, QRect(corner, size))]


def _side_by_side(room: QRect, aspect: float, kinds: tuple[Layer, ...]) -> list[Pane]:
    """In a row, in a column, or two above one, whichever shows them larger."""
    count = len(kinds)
    half = QSize((room.width() - PANE_GAP_PX) // 2, (room.height() - PANE_GAP_PX) // 2)
    quarter = fitted(QRect(QPoint(), half), aspect).size()
    row_width = (room.width() - (count - 1) * PANE_GAP_PX) // count
    column_height = (room.height() - (count - 1) * PANE_GAP_PX) // count
    in_row = fitted(QRect(0, 0, row_width, room.height()), aspect)
    in_column = fitted(QRect(0, 0, room.width(), column_height), aspect)
    if count == 3 and quarter.width() > max(in_row.width(), in_column.width()):
        return _in_quarters(room, quarter, kinds)
    across = in_row.width() >= in_column.width()
    size = (in_row if across else in_column).size()
    width, height = size.width(), size.height()
    step = QPoint(width + PANE_GAP_PX, 0) if across else QPoint(0, height + PANE_GAP_PX)
    whole = QSize(width, height) + QSize(step.x(), step.y()) * (count - 1)
    spare = room.size() - whole
    first = room.topLeft() + QPoint(spare.width() // 2, spare.height() // 2)
    return [Pane(kind, QRect(first + step * i, QSize(width, height))) for i, kind in enumerate(kinds)]


def _in_quarters(room: QRect, size: QSize, kinds: tuple[Layer, ...]) -> list[Pane]:
    """The fourth quarter stays free for figures."""
    step = QPoint(size.width() + PANE_GAP_PX, size.height() + PANE_GAP_PX)
    whole = QSize(step.x() + size.width(), step.y() + size.height())
    first = room.topLeft() + QPoint(
        (room.width() - whole.width()) // 2, (room.height() - whole.height()) // 2
    )
    corners = (first, first + QPoint(0, step.y()), first + step)
    return [Pane(kind, QRect(corner, size)) for kind, corner in zip(kinds, corners, strict=True)]


def free_room(room: QRect, panes: list[Pane]) -> QRect:
    """The largest rectangle beside or below a picture that no pane covers."""
    free = []
    for rect in (pane.rect for pane in panes):
        below = QRect(rect.x(), rect.bottom() + 1, rect.width(), room.bottom() - rect.bottom())
        beside = QRect(rect.right() + 1, rect.y(), room.right() - rect.right(), rect.height())
        free += [one for one in (below, beside) if not any(one.intersects(other.rect) for other in panes)]
    return max(free, key=lambda rect: rect.width() * rect.height(), default=QRect())


def nearest_free(room: QRect, box: QRect, taken: Sequence[QRect], *, farthest_px: int) -> QRect | None:
    """The place for `box` that covers none of `taken` and is nearest to where it is; None if all are farther.

    Args:
        room: the box stays within.
        box: as one would like it to lie.
        taken: what must not be covered.
        farthest_px: that the box may move across or down.
    """
    xs = _steps(box.x(), room.x(), room.right() + 1 - box.width(), farthest_px)
    ys = _steps(box.y(), room.y(), room.bottom() + 1 - box.height(), farthest_px)[:, None]
    free = np.ones((len(ys), len(xs)), bool)
    for other in taken:
        apart = (xs + box.width() <= other.x()) | (xs > other.right())
        free &= apart | (ys + box.height() <= other.y()) | (ys > other.bottom())
    if not free.any():
        return None
    far = np.where(free, np.hypot(xs - box.x(), ys - box.y()), np.inf)
    row, column = np.unravel_index(int(far.argmin()), far.shape)
    return QRect(QPoint(int(xs[column]), int(ys[row, 0])), box.size())


def _steps(wanted: int, first: int, last: int, farthest_px: int) -> NDArray[np.intp]:
    """Places from `first` to `last`, `STEP_PX` apart, among them the wanted one."""
    if last < first:
        return np.empty(0, np.intp)
    inside = min(max(wanted, first), last)
    steps = np.arange(-(farthest_px // STEP_PX), farthest_px // STEP_PX + 1) * STEP_PX + inside
    return np.unique(np.clip(steps, first, last)).astype(np.intp)


def _large_and_small(
    room: QRect, aspect: float, kind: PaneKind, third: Layer, *, figures: bool
) -> list[Pane]:
    """Two layers in one picture as large as it fits, `third` in what is left, at least a quarter as wide."""
    best: list[Pane] = []
    for beside in (True, False):
        for share in SHARES:
            if beside:
                width = min((room.width() - PANE_GAP_PX) / (1 + share), room.height() * aspect)
            else:
                width = min(room.width(), (room.height() - PANE_GAP_PX) / (1 + share) * aspect)
            large = QSize(round(width), round(width / aspect))
            small = QSize(round(width * share), round(width * share / aspect))
            if beside:
                x = room.x() + (room.width() - large.width() - small.width() - PANE_GAP_PX) // 2
                y = room.y() + (room.height() - large.height()) // 2
                panes = [
                    Pane(third, QRect(QPoint(x, y), small)),  # figures fit below it
                    Pane(kind, QRect(QPoint(x + small.width() + PANE_GAP_PX, y), large)),
                ]
            else:
                y = room.y() + (room.height() - large.height() - small.height() - PANE_GAP_PX) // 2
                x = room.x() + (room.width() - large.width()) // 2
                spare = large.width() - small.width()
                fits = spare >= FIGURES_WIDTH_PX and small.height() >= FIGURES_HEIGHT_PX + PANE_GAP_PX
                inset = 0 if figures and fits else spare // 2
                panes = [
                    Pane(kind, QRect(QPoint(x, y), large)),
                    Pane(third, QRect(QPoint(x + inset, y + large.height() + PANE_GAP_PX), small)),
                ]
            if not best or _worth(panes) > _worth(best):
                best = panes
    return best


def _worth(panes: list[Pane]) -> float:
    """Area, with the depth counted twice: that is what people came to see."""
    return sum(
        pane.rect.width() * pane.rect.height() * (2.0 if pane.kind in TWO_LAYERS else 1.0) for pane in panes
    )
