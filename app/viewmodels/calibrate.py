"""State of the calibration wizard: looks for the board in a thread, takes pictures, solves, saves."""

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from app import paths
from app.calibrating import (
    Calibrator,
    CameraLook,
    Placed,
    pair_lines,
    place_words,
    serials_of,
    solution_lines,
)
from app.compose import Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import capitalised, from_below, joined, sentence, tr
from app.messages import Message, expected, message
from app.rigging import RigPlaces
from drivers.calibration.board import BOARDS, Board, save_board
from drivers.calibration.coverage import Progress
from drivers.calibration.factory import WORST_SHARE
from drivers.calibration.rig import save
from drivers.camera import CameraInfo
from drivers.errors import CalibrationError
from drivers.frame import Frame
from drivers.session.manifest import write_model

POLL_MS: Final = 60
LOOK_EVERY_S: Final = 0.15
AFTER_A_PICTURE_S: Final = 0.6
"""The operator must see that a picture was taken before the next one can be."""

Order = Literal["take", "back", "solve", "automatic on", "automatic off"]


@dataclass(frozen=True)
class Block:
    """What is said of one camera, or of all of them.

    Attributes:
        title: of whom.
        lines: what is well.
        doubts: what needs a look.
    """

    title: str
    lines: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class CalibrateView:
    """What the wizard shows while boards are taken, and after.

    Attributes:
        looks: of every camera that takes part.
        progress: how far the pictures have come.
        residuals: what a solution of the pictures so far leaves, in words; empty before there is one.
        taken_at_s: on `time.monotonic`, when the newest picture was taken; 0 before the first.
        automatic: whether pictures are taken when the board is still.
        solving: whether a solution is under way.
        placed: the solution, once it was asked for.
        verdict: the same in one sentence.
        result: the same in full, in words.
        problem: why the last order failed, or None.
    """

    looks: tuple[CameraLook, ...] = ()
    progress: Progress = field(default_factory=Progress)
    residuals: tuple[str, ...] = ()
    taken_at_s: float = 0.0
    automatic: bool = True
    solving: bool = False
    placed: Placed | None = None
    verdict: str = ""
    result: tuple[Block, ...] = ()
    problem: Message | None = None


class CalibrateModel(QObject):
    """Calibrates the rig that runs.

    Args:
        studio: whose rig it is.

    Signals:
        changed: `CalibrateView`.
        failed: `app.messages.Message`.
        saved: the file of the calibration.
    """

    changed = Signal(CalibrateView)
    failed = Signal(Message)
    saved = Signal(Path)

    def __init__(self, studio: Studio, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._worker: Worker | None = None
        self._calibrator: Calibrator | None = None
        self._orders: queue.Queue[Order] = queue.Queue(maxsize=8)
        self._views: Slot[CalibrateView] = Slot()
        self._seen = 0
        self._view = CalibrateView()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def view(self) -> CalibrateView:
        """What is shown now."""
        return self._view

    @property
    def infos(self) -> list[CameraInfo]:
        """The cameras of the rig that runs."""
        pipeline = self._studio.pipeline
        return [] if pipeline is None else [line.info for line in pipeline.lines.values()]

    def problem_with(self, camera_ids: Sequence[str]) -> Message | None:
        """Why these cameras cannot be calibrated; None where they can."""
        try:
            serials_of([info for info in self.infos if info.id in camera_ids])
        except CalibrationError as error:
            return message(error)
        return None

    def boards(self) -> list[Board]:
        """What can be printed."""
        return list(BOARDS.values())

    def print_board(self, board: Board) -> Path | None:
        """Write the board as a PDF; failures are told."""
        path = paths.data_folder() / f"depthmend-board-{board.name}.pdf"
        try:
            save_board(board, path)
        except expected() as error:
            self.failed.emit(message(error))
            return None
        return path

    def start(self, camera_ids: Sequence[str], board: Board) -> bool:
        """Look for the board from now on; false, and told, where these cameras cannot be calibrated."""
        self.stop()
        try:
            calibrator = Calibrator([info for info in self.infos if info.id in camera_ids], board)
        except CalibrationError as error:
            self.failed.emit(message(error))
            return False
        self._calibrator = calibrator
        orders: queue.Queue[Order] = queue.Queue(maxsize=8)
        self._orders = orders
        self._views = views = Slot[CalibrateView]()
        self._seen = 0
        self._show(CalibrateView(looks=tuple(CameraLook(camera_id) for camera_id in calibrator.infos)))

        def work(stop: threading.Event) -> None:
            _Loop(self._studio, calibrator, orders, views).run(stop)

        def failed(error: Exception) -> None:
            views.put(replace(self._view, solving=False, problem=message(error)))

        self._worker = Worker("calibration", work, failed=failed)
        self._worker.start()
        self._timer.start()
        return True

    def stop(self) -> None:
        """Look no more; pictures are forgotten with the next start."""
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop(timeout_s=10)
            self._worker = None

    def order(self, order: Order) -> None:
        """Let the thread do something; dropped while eight others wait."""
        try:
            self._orders.put_nowait(order)
        except queue.Full:
            return

    def save(self) -> None:
        """Keep the solution, and place the running rig by it."""
        placed, calibrator, pipeline = self._view.placed, self._calibrator, self._studio.pipeline
        if placed is None or calibrator is None:
            return
        calibration = calibrator.calibration(placed)
        named = None if pipeline is None else pipeline.rig_file_calibration
        try:
            path = save(paths.calibrations_folder(), calibration)
            if named is not None:  # or the rig file would bring the old one back
                write_model(named, calibration)
        except expected() as error:
            self.failed.emit(message(error))
            return
        if pipeline is not None:
            serials = {info.id: info.serial for info in self.infos}
            pipeline.rig.put(RigPlaces(calibration.places(serials), calibration))
        self.saved.emit(path)

    def tick(self) -> None:
        """Look at the thread's newest view; called by the timer."""
        if self._views.version == self._seen:
            return
        self._seen = self._views.version
        view = self._views.latest()
        if view is not None:
            self._show(view)

    def _show(self, view: CalibrateView) -> None:
        self._view = view
        self.changed.emit(view)


class _Loop:
    """What the thread does."""

    def __init__(
        self,
        studio: Studio,
        calibrator: Calibrator,
        orders: "queue.Queue[Order]",
        views: Slot[CalibrateView],
    ) -> None:
        self._studio = studio
        self._calibrator = calibrator
        self._orders = orders
        self._views = views
        self._view = CalibrateView()

    def run(self, stop: threading.Event) -> None:
        """Look, take, solve, until told to stop."""
        seen: dict[str, int] = {}
        while not stop.is_set():
            began_s = time.monotonic()
            frames = self._frames()
            if any(seen.get(name) != frame.index for name, frame in frames.items()):
                seen = {name: frame.index for name, frame in frames.items()}
                self._look(frames)
            while not self._orders.empty():
                self._obey(self._orders.get_nowait())
            stop.wait(max(LOOK_EVERY_S - (time.monotonic() - began_s), 0.01))

    def _frames(self) -> dict[str, Frame]:
        pipeline = self._studio.pipeline
        if pipeline is None:
            return {}
        newest = {name: line.channel.newest.latest() for name, line in pipeline.lines.items()}
        return {name: f for name, f in newest.items() if f is not None and name in self._calibrator.infos}

    def _look(self, frames: dict[str, Frame]) -> None:
        looks = self._calibrator.look(frames)
        rested = time.monotonic() - self._view.taken_at_s > AFTER_A_PICTURE_S
        self._put(looks=tuple(looks.values()), progress=self._calibrator.progress())
        collecting = self._view.automatic and self._view.placed is None
        if collecting and rested and self._calibrator.worth_taking(looks):
            self._take()

    def _obey(self, order: Order) -> None:
        if order == "take":
            self._take()
        elif order == "back":
            self._calibrator.take_back()
            self._put(placed=None, result=())
            self._measure()
        elif order == "solve":
            self._solve()
        else:
            # Going on after a solution, or collecting by hand.
            self._put(automatic=order == "automatic on", placed=None, result=(), problem=None)

    def _take(self) -> None:
        try:
            self._calibrator.take({look.camera_id: look for look in self._view.looks})
        except CalibrationError as error:
            self._put(problem=message(error))
            return
        self._put(taken_at_s=time.monotonic(), problem=None)
        self._measure()

    def _measure(self) -> None:
        """Solve with what there is, so that the operator sees whether it becomes better."""
        progress = self._calibrator.progress()
        residuals: tuple[str, ...] = ()
        if progress.ready:
            try:
                residuals = tuple(solution_lines(self._calibrator.solve(), self._names()))
            except CalibrationError as error:
                residuals = (joined(" ", (from_below(str(error)), from_below(error.hint))),)
        self._put(progress=progress, residuals=residuals)

    def _solve(self) -> None:
        self._put(solving=True, problem=None)
        try:
            placed = self._calibrator.solve()
        except CalibrationError as error:
            self._put(solving=False, problem=message(error))
            return
        names = self._names()
        result = placed_blocks(placed, names)
        self._put(solving=False, placed=placed, verdict=verdict(placed, names), result=result)

    def _names(self) -> dict[str, str]:
        return {camera_id: from_below(name) for camera_id, name in self._calibrator.names.items()}

    def _put(self, **changes: object) -> None:
        self._view = replace(self._view, **changes)  # type: ignore[arg-type]  # its own fields
        self._views.put(self._view)


def placed_blocks(placed: Placed, names: Mapping[str, str]) -> tuple[Block, ...]:
    """What is said of a rig that has been placed: of each camera, of the pairs, of the board.

    Args:
        placed: the solution and what was found out about each camera.
        names: of the cameras, by id.
    """
    blocks = []
    for camera_id in placed.solution.figures:
        lines = [sentence(capitalised(place_words(placed, camera_id)))]
        doubts: list[str] = []
        if finding := placed.findings.get(camera_id):
            (doubts if finding.good is False else lines).append(from_below(finding.words))
        lines += [
            sentence(tr("Left out: board {view}, {why}").format(view=view + 1, why=from_below(why)))
            for view, n, why in placed.solution.left_out
            if n == camera_id
        ]
        blocks.append(Block(names[camera_id], tuple(lines), tuple(doubts)))
    if pairs := pair_lines(placed, names):
        blocks.append(Block(tr("Together"), tuple(map(sentence, pairs))))
    if placed.square:
        blocks.append(Block(tr("Board"), doubts=(from_below(placed.square),)))
    return tuple(blocks)


def verdict(placed: Placed, names: Mapping[str, str]) -> str:
    """What matters most of a rig that has been placed, in one sentence."""
    doubtful = {n: finding for n, finding in placed.findings.items() if finding.good is False}
    if placed.square:
        return tr("Placed, but the squares of the board seem to have another size.")
    if not doubtful:
        return tr("All cameras are placed.")
    names_said = joined(", ", (names[n] for n in doubtful))
    share = max(abs(finding.offset_share) for finding in doubtful.values())
    if len(doubtful) == 1 and share > WORST_SHARE:
        return tr("Placed, but the depth of {name} is {share:.0%} off.").format(name=names_said, share=share)
    return tr("Placed, but depth and colour do not agree: {names}.").format(names=names_said)
