"""What the operator measures: marks on the pictures, and their values five times a second."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from app.language import tr
from app.viewmodels.live import TileView
from app.viewmodels.measuring import Place, Scene, Stats, distance_m, profile, scene, stats
from app.viewmodels.readout import DASH, NOTHING, Readout, depth_words, readout, withheld
from drivers.depth import DepthMap
from drivers.geometry import Intrinsics

T = TypeVar("T")
Tool = Literal["read", "point", "distance", "area", "line", "attention"]

EVERY_MS: Final = 200
"""Figures that change more often cannot be read."""
MOST: Final = 12
"""Marks that are kept; the oldest one makes room."""


@dataclass(frozen=True)
class Stroke:
    """What a finger drew on a camera's pictures.

    Attributes:
        tool: what it measures; never "read". "attention" measures nothing: the place is asked about.
        start: where it began.
        end: where it ended; `start` for a point and for "attention".
    """

    tool: Tool
    start: Place
    end: Place


@dataclass(frozen=True)
class Mark:
    """One measurement.

    Attributes:
        number: on the screen, from 1.
        camera_id: whose picture it lies on.
        stroke: where.
    """

    number: int
    camera_id: str
    stroke: Stroke


@dataclass(frozen=True, eq=False)
class Measured:
    """A mark with its values of this moment; what does not belong to its tool is None.

    Attributes:
        mark: that was measured.
        words: one or two lines for the picture.
        withheld: what stands in place of refined depth; empty where that is told.
        note: why it is withheld.
        point: raw, refined and provenance.
        raw_m: length in raw depth; None also where an end is a hole.
        refined_m: the same in refined depth.
        raw_stats: of an area.
        refined_stats: the same of refined depth.
        raw_profile: (N,) metres along a line, NaN in holes.
        refined_profile: the same of refined depth.
    """

    mark: Mark
    words: tuple[str, ...] = ()
    withheld: str = ""
    note: str = ""
    point: Readout | None = None
    raw_m: float | None = None
    refined_m: float | None = None
    raw_stats: Stats | None = None
    refined_stats: Stats | None = None
    raw_profile: NDArray[np.float32] | None = None
    refined_profile: NDArray[np.float32] | None = None


def measured(mark: Mark, tile: TileView) -> Measured:
    """The mark's values in this tile."""
    seen, stroke, missing = scene(tile), mark.stroke, withheld(tile)
    if seen is None:
        return Measured(mark)
    found = Measured(mark, withheld=missing, note="" if tile.refined_note is None else tile.refined_note.text)
    if stroke.tool == "point":
        said = readout(tile, *stroke.start)
        words = () if said is None else _both(said.raw, said.refined, told=not missing)
        return replace(found, words=words, point=said)
    if stroke.tool == "area":
        raw, refined = (_in(depth, seen, stats, stroke) for depth in (seen.raw, seen.refined))
        words = _both(_median(raw), _median(refined), told=not missing)
        return replace(found, words=words, raw_stats=raw, refined_stats=refined)
    raw_m, refined_m = (_in(depth, seen, distance_m, stroke) for depth in (seen.raw, seen.refined))
    words = _both(length_words(raw_m), length_words(refined_m), told=not missing)
    found = replace(found, words=words, raw_m=raw_m, refined_m=refined_m)
    if stroke.tool == "distance":
        return found
    return replace(
        found,
        raw_profile=profile(seen.raw, stroke.start, stroke.end),
        refined_profile=None if seen.refined is None else profile(seen.refined, stroke.start, stroke.end),
    )


def _in(
    depth: DepthMap | None,
    seen: Scene,
    what: Callable[[DepthMap, Intrinsics, Place, Place], T],
    stroke: Stroke,
) -> T | None:
    return None if depth is None else what(depth, seen.camera, stroke.start, stroke.end)


def _both(raw: str, refined: str, *, told: bool) -> tuple[str, ...]:
    """Lines for the picture: refined where it is told, and a dash where nothing is measured."""
    raw, refined = (DASH if words == tr(NOTHING) else words for words in (raw, refined))
    raw_words = tr("raw {depth}").format(depth=raw)
    return (raw_words, tr("refined {depth}").format(depth=refined)) if told else (raw_words,)


def _median(found: Stats | None) -> str:
    return depth_words(found.median_m) if found is not None and found.fill else tr(NOTHING)


def length_words(length_m: float | None) -> str:
    """Millimetres below one metre, else metres; "none" where there is no length."""
    return tr(NOTHING) if length_m is None else depth_words(length_m) if length_m > 0 else "0 mm"


class MeasureModel(QObject):
    """Keeps the marks and measures them while the page is in front.

    Args:
        tile: gives the present tile of a camera, or None for a camera that has gone.

    Signals:
        tool_changed: what the next touch measures.
        measured: list of `Measured`, in the order of drawing.
    """

    tool_changed = Signal(str)
    measured = Signal(list)

    def __init__(self, tile: Callable[[str], TileView | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tile = tile
        self._tool: Tool = "read"
        self._marks: list[Mark] = []
        self._sources: dict[Mark, tuple[object, ...]] = {}
        self._values: dict[Mark, Measured] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    @property
    def tool(self) -> Tool:
        """What the next touch measures."""
        return self._tool

    @property
    def marks(self) -> list[Mark]:
        """In the order of drawing."""
        return list(self._marks)

    def set_tool(self, tool: Tool) -> None:
        """Measure something else with the next touch."""
        if tool != self._tool:
            self._tool = tool
            self.tool_changed.emit(tool)

    def add(self, camera_id: str, stroke: Stroke) -> None:
        """Measure here from now on."""
        number = max((mark.number for mark in self._marks), default=0) + 1
        self._marks = [*self._marks, Mark(number, camera_id, stroke)][-MOST:]
        self._changed()

    def remove(self, number: int) -> None:
        """Forget one mark; nothing if it has gone."""
        self._marks = [mark for mark in self._marks if mark.number != number]
        self._changed()

    def undo(self) -> None:
        """Forget the newest mark."""
        self._marks = self._marks[:-1]
        self._changed()

    def clear(self) -> None:
        """Forget all marks."""
        self._marks = []
        self._changed()

    def start(self) -> None:
        """Keep the values up to date from now on."""
        self._timer.start()
        self.look()

    def stop(self) -> None:
        """Measure no more."""
        self._timer.stop()

    def look(self) -> None:
        """Measure what has a new picture; called by the timer."""
        new = False
        for mark in self._marks:
            tile = self._tile(mark.camera_id)
            source = (None,) if tile is None else (tile.frame, tile.refined, tile.refined_note)
            before = self._sources.get(mark)
            if before is None or any(a is not b for a, b in zip(before, source, strict=False)):
                self._sources[mark] = source
                self._values[mark] = Measured(mark) if tile is None else measured(mark, tile)
                new = True
        if new:
            self._tell()

    def _changed(self) -> None:
        kept = set(self._marks)
        self._sources = {mark: source for mark, source in self._sources.items() if mark in kept}
        self._values = {mark: value for mark, value in self._values.items() if mark in kept}
        self.look()
        self._tell()

    def _tell(self) -> None:
        self.measured.emit([self._values[mark] for mark in self._marks])
