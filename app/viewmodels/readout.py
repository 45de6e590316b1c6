"""The depth at one place of a tile, in words."""

from dataclasses import dataclass

from app.flow.refine import Refined
from app.language import joined, tr, tr_noop
from app.viewmodels.colouring import PROVENANCE_MEANINGS, PROVENANCE_WORDS
from app.viewmodels.live import TileView
from app.viewmodels.measuring import registered
from app.viewmodels.words import milliseconds
from drivers.depth import DepthMap
from drivers.frame import Frame
from model.repair import Provenance

NOTHING = tr_noop("none")
TOO_OLD = tr_noop("too old")
DASH = "\u2014"
NOTICED_MS = 1000.0
"""A repair is as much older than the picture beside it before that is said of its figures."""


@dataclass(frozen=True)
class Readout:
    """What the loupe says.

    Attributes:
        raw: depth as measured, such as "812 mm", or "none".
        refined: repaired depth, "none" where it was rejected, or what `withheld` says.
        provenance: where the repaired depth comes from, in words.
        names: of `refined` and `raw`.
        kind: the same as `provenance`, for its colour; None where that says something else.
        before: how long before the picture that is shown both were, where one would not think so: in full and
            in short.
    """

    raw: str
    refined: str
    provenance: str
    names: tuple[str, str] = (tr_noop("Refined"), tr_noop("Raw"))
    kind: Provenance | None = None
    before: tuple[str, str] = ("", "")


def depth_words(depth_m: float) -> str:
    """Millimetres below one metre, else metres to the millimetre."""
    if depth_m <= 0:
        return tr(NOTHING)
    return f"{depth_m * 1000:.0f} mm" if depth_m < 1 else f"{depth_m:.3f} m"


def readout(tile: TileView, x: float, y: float) -> Readout | None:
    """Depth at a place of the picture; None before the first frame.

    Raw and refined are of one exposure: what provenance says holds for these two numbers only.

    Args:
        tile: the camera.
        x: 0 to 1 from the left edge of the colour picture.
        y: 0 to 1 from its upper edge.
    """
    if tile.frame is None:
        return None
    if tile.refined is None or tile.refined_note is not None:
        words = "" if tile.refined_note is None else tile.refined_note.text
        return Readout(depth_words(_at(registered(tile.frame), x, y)), withheld(tile), words)
    if tile.names:
        raw_m, refined_m = _at(tile.refined.raw, x, y), _at(tile.refined.depth, x, y)
        names = tile.names["refined"], tile.names["raw"]
        return Readout(depth_words(raw_m), depth_words(refined_m), _apart(raw_m, refined_m), names)
    height, width = tile.refined.provenance.shape
    kind = Provenance(int(tile.refined.provenance[_place(y, height), _place(x, width)]))
    return Readout(
        depth_words(_at(tile.refined.raw, x, y)),
        depth_words(_at(tile.refined.depth, x, y)),
        joined(": ", (PROVENANCE_WORDS[kind], PROVENANCE_MEANINGS[kind])),
        kind=kind,
        before=_before(tile.frame, tile.refined),
    )


def withheld(tile: TileView) -> str:
    """What stands in place of repaired depth: "too old", or a dash for none; empty where it is told."""
    if tile.refined is None:
        return DASH
    return "" if tile.refined_note is None else tr(TOO_OLD)


def _before(shown: Frame, refined: Refined) -> tuple[str, str]:
    age_ms = (shown.captured_ns - refined.frame.captured_ns) / 1e6
    if age_ms <= NOTICED_MS:
        return "", ""
    age = milliseconds(age_ms)
    return tr("{age} before this picture").format(age=age), tr("{age} before").format(age=age)


def _apart(one_m: float, other_m: float) -> str:
    if one_m <= 0 or other_m <= 0:
        return ""
    return tr("Apart: {apart_mm:.0f} mm").format(apart_mm=abs(other_m - one_m) * 1000)


@dataclass(frozen=True)
class Figures:
    """What one repaired frame is made of.

    Attributes:
        shares: of all pixels, 0 to 1, by provenance.
        took_ms: registration and repair together.
    """

    shares: dict[Provenance, float]
    took_ms: float


def figures(refined: Refined) -> Figures:
    """Counted over the whole picture."""
    import cv2

    # numpy's bincount makes eight bytes of each pixel first, which takes fifteen times as long.
    counts = cv2.calcHist([refined.provenance], [0], None, [len(Provenance)], [0, len(Provenance)]).ravel()
    shares = {kind: float(counts[kind]) / refined.provenance.size for kind in Provenance}
    return Figures(shares, refined.took_ms)


def _at(depth: DepthMap, x: float, y: float) -> float:
    height, width = depth.values.shape
    return float(depth.values[_place(y, height), _place(x, width)]) * depth.unit_m


def _place(share: float, count: int) -> int:
    return min(max(int(share * count), 0), count - 1)
