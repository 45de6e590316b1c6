"""Lets the vendor's own filters run over raw depth, for the screen: nothing of it is ever recorded."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from app.flow.slot import Slot
from drivers.depth import DepthMap
from drivers.errors import CameraError
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics, register_depth

IDLE_S = 0.2
FRESH_S = 0.05

Steps = tuple[str, ...]


class Filters(Protocol):
    """The filters of one camera, which remember its frames."""

    @property
    def unit_m(self) -> float:
        """Metres per count that they were made for."""

    def filtered(self, depth: DepthMap) -> tuple[DepthMap, Intrinsics]:
        """What they make of a frame, and the lens of its grid."""

    def close(self) -> None:
        """Let go of the library's objects."""


MakeFilters = Callable[[Frame, Steps], Filters]


@dataclass(frozen=True, eq=False)
class Filtered:
    """Raw depth after the vendor's filters.

    Attributes:
        frame: whose depth it was.
        depth: in the colour grid.
        steps: that were taken.
    """

    frame: Frame
    depth: DepthMap
    steps: Steps


Lines = Mapping[str, tuple[Slot[Frame], Slot[Filtered]]]
"""Where frames come from, and where filtered depth goes, by camera id."""


class FilterLoop:
    """Filters the newest frame of each camera in turn while `steps` names any.

    Args:
        lines: gives those of the rig, which may grow.
        make: filters for the camera of a frame; raises `CameraError` where the vendor's library is not
            there, or does not take its frames.

    Attributes:
        steps: what is wanted; may be changed from any thread.
    """

    def __init__(self, lines: Callable[[], Lines], make: MakeFilters) -> None:
        self.steps: Steps = ()
        self._problems: dict[str, str] = {}
        self._lines = lines
        self._make = make
        self._made: dict[str, tuple[Steps, Calibration, Filters]] = {}

    @property
    def problem(self) -> str:
        """Why a camera's depth is not filtered, each reason once; empty while all is well."""
        return " ".join(dict.fromkeys(self._problems.values()))

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; in a thread of its own."""
        seen: dict[str, int] = {}
        before: Steps = ()
        try:
            while not stop.is_set():
                steps = self.steps
                if steps != before:
                    before, self._problems = steps, {}
                if not steps:
                    self._close()
                    stop.wait(IDLE_S)
                    continue
                came = False
                for camera_id, (frames, filtered) in self._lines().items():
                    newest = frames.newer_than(seen.get(camera_id, 0), timeout_s=0)
                    if newest is not None:
                        seen[camera_id], frame = newest
                        came = True
                        self._filter(frame, steps, filtered)
                if not came:
                    stop.wait(FRESH_S)
        finally:
            self._close()

    def _filter(self, frame: Frame, steps: Steps, filtered: Slot[Filtered]) -> None:
        try:
            filters = self._of(frame, steps)
            depth, lens = filters.filtered(frame.depth)
        except CameraError as error:
            self._tell(frame.camera_id, f"{error} {error.hint}".strip())
            return
        self._tell(frame.camera_id, "")
        seen_from = replace(frame.calibration, depth=lens)
        filtered.put(Filtered(frame, register_depth(depth, seen_from), steps))

    def _tell(self, camera_id: str, problem: str) -> None:
        if self._problems.get(camera_id, "") == problem:
            return
        # Another mapping, because the window reads it at any moment.
        told = self._problems | {camera_id: problem}
        self._problems = {name: text for name, text in told.items() if text}

    def _of(self, frame: Frame, steps: Steps) -> Filters:
        made = self._made.pop(frame.camera_id, None)
        if made is not None:
            same = made[0] == steps and made[1] is frame.calibration and made[2].unit_m == frame.depth.unit_m
            if same:
                self._made[frame.camera_id] = made
                return made[2]
            made[2].close()
        filters = self._make(frame, steps)
        self._made[frame.camera_id] = (steps, frame.calibration, filters)
        return filters

    def _close(self) -> None:
        for _, _, filters in self._made.values():
            filters.close()
        self._made = {}
