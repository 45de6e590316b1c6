"""State of "Why is it bad?": watches one camera for a moment, checks it in a thread, and does what helps."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import CameraLine, InferenceState, InferenceStatus, Pipeline, Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import from_below, joined, tr
from app.quality.checkup import check_up
from app.quality.diagnosis import Evidence, Finding, Fix, RepairFacts
from drivers.camera import CameraInfo
from drivers.errors import CameraError
from drivers.frame import Frame
from drivers.usb import usb_cameras
from model.spec import OFF, find

TICK_MS: Final = 100
WATCH_S: Final = 3.0
EVERY_S: Final = 0.6
"""Between two frames that are kept: six of them say as much as ninety."""
SETTLE_S: Final = 1.0
"""From a fix to the next check: an automatic takes that long."""
STOP_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True)
class CheckupView:
    """What the panel shows.

    Attributes:
        camera_id: that is, or was, looked at; empty before the first time.
        busy: whether it is being looked at.
        done: whether `findings` are of this camera; nothing in them then means that all is well.
        findings: what is wrong.
        problem: why a fix did not work.
    """

    camera_id: str = ""
    busy: bool = False
    done: bool = False
    findings: tuple[Finding, ...] = ()
    problem: str = ""


class CheckupModel(QObject):
    """Checks one camera of the rig at a time.

    Args:
        studio: whose rig it is.
        change_repair: sets fields of `EngineChoice`.
        show_all_depth: hides nothing from the repair any more.

    Signals:
        changed: `CheckupView`.
    """

    changed = Signal(CheckupView)

    def __init__(
        self,
        studio: Studio,
        change_repair: Callable[[dict[str, object]], None],
        show_all_depth: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._change_repair = change_repair
        self._show_all_depth = show_all_depth
        self._view = CheckupView()
        self._frames: list[Frame] = []
        self._first: Frame | None = None
        self._total = 0
        self._begin_s = 0.0
        self._worker: Worker | None = None
        self._found: Slot[list[Finding]] = Slot()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def view(self) -> CheckupView:
        """What is shown now."""
        return self._view

    def start(self, camera_id: str, *, after_s: float = 0.0) -> None:
        """Look at this camera for some seconds, `after_s` from now."""
        if self._line_of(camera_id) is None:
            return
        self._frames, self._first = [], None
        self._begin_s = time.monotonic() + after_s
        self._show(CheckupView(camera_id, busy=True))
        self._timer.start()

    def fix(self, fix: Fix) -> None:
        """Do what a finding offers, and look again."""
        line = self._line_of(self._view.camera_id)
        try:
            if fix.controls and line is not None:
                line.desk.ask(fix.controls)
        except CameraError as error:
            self._show(
                replace(self._view, problem=joined(" ", (from_below(str(error)), from_below(error.hint))))
            )
            return
        if fix.repair:
            self._change_repair(dict(fix.repair))
        if fix.show_all_depth:
            self._show_all_depth()
        self.start(self._view.camera_id, after_s=SETTLE_S)

    def stop(self) -> None:
        """Look no more; what was found is forgotten."""
        self._timer.stop()
        self._show(CheckupView())
        if self._worker is not None:
            self._worker.stop(timeout_s=STOP_TIMEOUT_S)
            self._worker = None

    def tick(self) -> None:
        """Take a frame, or what the thread has found; called by the timer."""
        if self._worker is not None:
            self._take()
            return
        line, pipeline = self._line_of(self._view.camera_id), self._studio.pipeline
        if line is None or pipeline is None:
            self.stop()
            return
        now_s = time.monotonic()
        if now_s < self._begin_s:
            return
        frame = line.channel.newest.latest()
        if self._first is None:
            self._first, self._total = frame, line.channel.meter.total
            line.desk.look()
        due_s = self._begin_s + EVERY_S * len(self._frames)
        if frame is not None and now_s >= due_s and frame is not self._first and frame not in self._frames:
            self._frames.append(frame)
        if now_s - self._begin_s >= WATCH_S:
            self._check(evidence_of(line, pipeline, self._frames, self._first, self._total))

    def _check(self, evidence: Evidence) -> None:
        self._found = found = Slot[list[Finding]]()

        def work(_stop: threading.Event) -> None:
            found.put(check_up(replace(evidence, link_mbps=link_mbps(evidence.info))))

        self._worker = Worker("checkup", work)
        self._worker.start()

    def _take(self) -> None:
        found = self._found.latest()
        assert self._worker is not None
        if found is None and self._worker.running:
            return
        self._worker = None
        self._timer.stop()
        problem = "" if found is not None else tr("Checking failed; the log file has the details.")
        self._show(
            replace(
                self._view, busy=False, done=found is not None, findings=tuple(found or ()), problem=problem
            )
        )

    def _line_of(self, camera_id: str) -> CameraLine | None:
        pipeline = self._studio.pipeline
        return None if pipeline is None else pipeline.lines.get(camera_id)

    def _show(self, view: CheckupView) -> None:
        if view != self._view:
            self._view = view
            self.changed.emit(view)


def evidence_of(
    line: CameraLine, pipeline: Pipeline, frames: list[Frame], first: Frame | None, total: int
) -> Evidence:
    """What is known of a camera, without what its cable says.

    Args:
        line: the camera.
        pipeline: the rig.
        frames: that were kept, oldest first.
        first: newest frame when watching began; None without any.
        total: frames that had arrived by then.
    """
    state, now_ns = line.desk.state.latest(), time.monotonic_ns()
    arrived, lost = line.channel.meter.total - total, 0
    newest = line.channel.newest.latest()
    if first is not None and newest is not None:
        lost = max(newest.index - first.index - arrived, 0)
    return Evidence(
        line.info,
        tuple(frames),
        line.channel.meter.read(now_ns).rate_hz,
        lost=lost,
        arrived=arrived,
        controls=() if state is None else state.controls,
        repair=repair_facts(pipeline),
    )


def repair_facts(pipeline: Pipeline) -> RepairFacts:
    """How depth is repaired at the moment."""
    state: InferenceState | None = pipeline.inference.latest()
    if state is not None and state.status is InferenceStatus.FAILED:
        return RepairFacts(
            failed=joined(" ", filter(None, (from_below(state.message), from_below(state.hint))))
        )
    spec = find(pipeline.choice.model)
    if spec.name == OFF.name:
        return RepairFacts()
    return RepairFacts(pipeline.choice, spec.rules, pipeline.hidden_share)


def link_mbps(info: CameraInfo) -> float | None:
    """Speed of the USB link of a camera, as the system says it; None where it does not."""
    if not info.live:
        return None
    for device in usb_cameras():
        if (info.port and device.port == info.port) or (info.serial and device.serial == info.serial):
            return device.speed_mbps
    return None
