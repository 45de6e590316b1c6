"""Where the pictures of one camera go."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize

PaneKind = Literal["colour", "raw", "refined", "wipe"]

PANE_GAP_PX: Final = 3
FIGURES_WIDTH_PX: Final = 150
"""Room beside the colour picture from which on figures stand there."""


@dataclass(frozen=True)
class Pane:
    """Where one picture goes.

    Attributes:
        kind: what it shows; "wipe" shows raw to the left and refined to the right of the line.
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


def arrange(room: QRect, aspect: float, layout: str, *, compact: bool) -> list[Pane]:
    """Panes of one tile, as large as they fit.

    Args:
        room: of the tile below its header.
        aspect: width to height of the pictures.
        layout: "wipe" or "side".
        compact: one picture only.
    """
    if compact:
        return [Pane("colour", fitted(room, aspect))]
    if layout == "side":
        return _side_by_side(room, aspect)
    return _wipe(room, aspect)


def _side_by_side(room: QRect, aspect: float) -> list[Pane]:
    """In a row, in a column, or two above one, whichever shows them larger."""
    kinds: tuple[PaneKind, ...] = ("colour", "raw", "refined")
    half = QSize((room.width() - PANE_GAP_PX) // 2, (room.height() - PANE_GAP_PX) // 2)
    quarter = fitted(QRect(QPoint(), half), aspect).size()
    row_width = (room.width() - 2 * PANE_GAP_PX) // 3
    column_height = (room.height() - 2 * PANE_GAP_PX) // 3
    in_row = fitted(QRect(0, 0, row_width, room.height()), aspect)
    in_column = fitted(QRect(0, 0, room.width(), column_height), aspect)
    if quarter.width() > max(in_row.width(), in_column.width()):
        return _in_quarters(room, quarter, kinds)
    across = in_row.width() >= in_column.width()
    size = (in_row if across else in_column).size()
    width, height = size.width(), size.height()
    step = QPoint(width + PANE_GAP_PX, 0) if across else QPoint(0, height + PANE_GAP_PX)
    whole = QSize(width, height) + QSize(2 * step.x(), 2 * step.y())
    spare = room.size() - whole
    first = room.topLeft() + QPoint(spare.width() // 2, spare.height() // 2)
    return [Pane(kind, QRect(first + step * i, QSize(width, height))) for i, kind in enumerate(kinds)]


def _in_quarters(room: QRect, size: QSize, kinds: tuple[PaneKind, ...]) -> list[Pane]:
    """The fourth quarter stays free for figures."""
    step = QPoint(size.width() + PANE_GAP_PX, size.height() + PANE_GAP_PX)
    whole = QSize(step.x() + size.width(), step.y() + size.height())
    first = room.topLeft() + QPoint(
        (room.width() - whole.width()) // 2, (room.height() - whole.height()) // 2
    )
    corners = (first, first + QPoint(0, step.y()), first + step)
    return [Pane(kind, QRect(corner, size)) for kind, corner in zip(kinds, corners, strict=True)]


def free_room(room: QRect, panes: list[Pane]) -> QRect:
    """The largest rectangle beside or below the colour picture that no pane covers."""
    colour = next((pane.rect for pane in panes if pane.kind == "colour"), None)
    if colour is None:
        return QRect()
    others = [pane.rect for pane in panes if pane.kind != "colour"]
    below = QRect(colour.x(), colour.bottom() + 1, colour.width(), room.bottom() - colour.bottom())
    beside = QRect(colour.right() + 1, colour.y(), room.right() - colour.right(), colour.height())
    free = [rect for rect in (below, beside) if not any(rect.intersects(other) for other in others)]
    return max(free, key=lambda rect: rect.width() * rect.height(), default=QRect())


def _wipe(room: QRect, aspect: float) -> list[Pane]:
    """The wipe as large as it fits, colour in what is left beside or below it, at least a quarter as wide."""
    best: list[Pane] = []
    for beside in (True, False):
        for share in np.linspace(0.25, 1.0, 16):
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
                    Pane("colour", QRect(QPoint(x, y), small)),  # figures fit below it
                    Pane("wipe", QRect(QPoint(x + small.width() + PANE_GAP_PX, y), large)),
                ]
            else:
                y = room.y() + (room.height() - large.height() - small.height() - PANE_GAP_PX) // 2
                x = room.x() + (room.width() - large.width()) // 2
                spare = large.width() - small.width()
                inset = spare // 2 if spare < FIGURES_WIDTH_PX else 0
                panes = [
                    Pane("wipe", QRect(QPoint(x, y), large)),
                    Pane("colour", QRect(QPoint(x + inset, y + large.height() + PANE_GAP_PX), small)),
                ]
            if not best or _worth(panes) > _worth(best):
                best = panes
    return best


def _worth(panes: list[Pane]) -> float:
    """Area, with the depth counted twice: that is what people came to see."""
    return sum(
        pane.rect.width() * pane.rect.height() * (2.0 if pane.kind == "wipe" else 1.0) for pane in panes
    )
