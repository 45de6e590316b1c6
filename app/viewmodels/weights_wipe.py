"""A run's weights beside those in use, frame by frame, as the last comparison left them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.flow.refine import Refined
from app.language import from_below, tr, tr_noop
from app.training.comparison import FILLING, error_words
from app.viewmodels.live import LiveOptions, TileView
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.frames_folder import assumed_intrinsics
from drivers.geometry import Calibration
from trainer.evaluate import kept  # noqa: TID253 - files only, no torch
from trainer.evaluate.kept import Images, KeptFrame  # noqa: TID253

Left = Literal["in use", "asked", "right"]

ASKED_WORDS: Final = {
    "hidden": tr_noop("raw depth, part of it hidden"),
    "truth": tr_noop("raw depth"),
    "protocol1": tr_noop("exact depth with blocks and noise"),
}
IN_USE: Final = tr_noop("Weights in use")
RANGE_PERCENT: Final = (2, 98)


@dataclass(frozen=True, eq=False)
class WipeFrame:
    """One frame to wipe over.

    Attributes:
        tile: what is on the left (as raw depth) and on the right (as refined depth).
        options: how it looks.
        title: which frame it is.
        figures: both errors in this frame.
        number: of the frame, from 1.
        count: of frames.
        before: what the run's weights are compared with.
    """

    tile: TileView
    options: LiveOptions
    title: str
    figures: str
    number: int
    count: int
    before: str


class WeightsWipeViewModel(QObject):
    """Goes through the frames of a comparison.

    Args:
        folder: of the comparison.

    Signals:
        changed: `WipeFrame`.
        gone: why a frame cannot be shown.
    """

    changed = Signal(WipeFrame)
    gone = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frames = kept.kept_frames(folder)
        self._place = 0
        self._left: Left = "in use"
        self._images: Images | None = None

    @property
    def count(self) -> int:
        """How many frames there are; without any, nothing can be shown."""
        return len(self._frames)

    def go(self, steps: int) -> None:
        """Show a frame further on, or back; the last is followed by the first."""
        self._place = (self._place + steps) % self.count
        self._images = None
        self.show()

    def compare_with(self, left: Left) -> None:
        """Put this on the left: the weights in use, what went in, or what was right."""
        self._left = left
        self.show()

    def show(self) -> None:
        """Tell the frame of this moment; `changed` or `gone` follows."""
        frame = self._frames[self._place]
        try:
            self._images = self._images or kept.images(frame)
        except OSError as error:
            self.gone.emit(
                tr("{path} cannot be read: {error}. Compare again.").format(path=frame.path, error=error)
            )
            return
        self.changed.emit(_view(frame, self._images, self._left, self._place, self.count))


def before_and_after(names: tuple[str, ...]) -> tuple[str, str]:
    """Of the two methods of a comparison, the one in use and the run's."""
    first, second = names
    return (second, first) if second == FILLING else (first, second)


def _view(frame: KeptFrame, images: Images, left: Left, place: int, count: int) -> WipeFrame:
    before, after = before_and_after(tuple(images.outputs))
    lefts = {"in use": images.outputs[before], "asked": images.asked, "right": images.right}
    filling = before == FILLING
    names = {
        "in use": tr("Classical filling") if filling else tr(IN_USE),
        "asked": tr("Input"),
        "right": tr("Exact depth"),
    }
    known = images.right[images.right > 0] * kept.UNIT_M
    near_m, far_m = (
        (float(edge) for edge in np.percentile(known, RANGE_PERCENT)) if known.size else (0.3, 4.0)
    )
    was, now = (frame.rmse_m[name] for name in (before, after))
    rival = tr("by classical filling") if filling else tr("in use")
    figures = tr("RMSE {before} {rival}, {after} new").format(
        before=error_words(was), rival=rival, after=error_words(now)
    )
    return WipeFrame(
        _tile(
            images.color,
            lefts[left],
            images.outputs[after],
            {"raw": names[left], "refined": tr("New weights")},
        ),
        LiveOptions(layout="wipe", near_m=near_m, far_m=max(far_m, near_m + 0.1)),
        tr("{key}; input: {asked}").format(key=frame.key, asked=from_below(ASKED_WORDS[frame.part])),
        "" if np.isnan(was) else figures,
        place + 1,
        count,
        names["in use"],
    )


def _tile(
    color: NDArray[np.uint8], left: NDArray[np.uint16], right: NDArray[np.uint16], names: dict[str, str]
) -> TileView:
    height, width = color.shape[:2]
    lens = assumed_intrinsics(width, height)
    raw, depth = (DepthMap(values, kept.UNIT_M) for values in (left, right))
    frame = Frame("held out", 0, 0, 0, color, raw, Calibration(lens, lens))
    provenance = np.zeros((height, width), np.uint8)
    return TileView("held out", frame, refined=Refined(frame, raw, depth, provenance, "", 0, 0), names=names)
