"""The whole job without a window, for ten seconds: capture, repair, record, and pictures of it."""

import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app import paths
from app.compose import CameraLine, InferenceState, InferenceStatus, Pipeline, Studio, wait_for_frames
from app.console import Console
from app.flow.refine import Refined
from app.images import write_image
from app.memory import ControlMemory
from app.messages import Message
from app.pictures import comparison
from app.settings import Settings
from app.verbs.record import FIRST_FRAMES_S, camera_silence, totals
from app.verbs.verb import engine_choice
from drivers.registry import open_source
from drivers.session.labels import SessionLabels
from model.repair import Provenance

RUN_S = 10.0
"""Of recording, after the first repaired frame."""

FIRST_REPAIR_S = 120.0
TICK_S = 0.1

HOW_TO_GET_THE_WINDOW = (
    "There is no display here, so no window was shown: start DepthMend from a desktop, "
    "or with `xvfb-run -a make run` on a virtual screen."
)


@dataclass(frozen=True)
class Figures:
    """What a run achieved.

    Attributes:
        cameras: of the rig.
        capture_hz: frames per second of the slowest camera.
        refined_hz: repaired frames per second, all cameras together.
        age_ms: median from exposure to repaired result.
        recorded: frames in the session.
        lost: frames that are in no file.
    """

    cameras: int
    capture_hz: float
    refined_hz: float
    age_ms: float
    recorded: int
    lost: int

    @property
    def line(self) -> str:
        """One line for the terminal."""
        repaired = f"{self.refined_hz:.1f} repaired per second, {self.age_ms:.0f} ms old (median)"
        return (
            f"{self.cameras} cameras at {self.capture_hz:.1f} frames per second; "
            f"{repaired if self.refined_hz else 'nothing repaired'}; "
            f"{self.recorded} frames recorded, {self.lost} lost"
        )


def run(chosen: Settings, console: Console, *, folder: Path | None = None) -> int:
    """Do the job and return the exit status: 1 if frames were not repaired or the recording failed.

    Args:
        chosen: source and repair.
        console: gets progress and figures.
        folder: for session and pictures; a new one below the data folder if absent.
    """
    started_s = time.monotonic()
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = folder or paths.data_folder() / "headless-run" / stamp
    studio = Studio(
        engine_choice(chosen), stabilise=chosen.stabilise, memory=ControlMemory(paths.controls_file())
    )
    try:
        pipeline = studio.open(open_source(chosen.source))
        if not wait_for_frames(pipeline, timeout_s=FIRST_FRAMES_S):
            raise camera_silence(pipeline, FIRST_FRAMES_S)
        state = _wait_for_repair(pipeline)
        first_s = time.monotonic() - started_s
        trouble = state.message if state.status is InferenceStatus.FAILED else ""
        console.say("first", f"First picture after {first_s:.1f} s; repair: {state.label}.", seconds=first_s)
        if trouble:
            console.failed(Message("Nothing is repaired", trouble, state.hint))
        folder.mkdir(parents=True, exist_ok=True)
        recorder = studio.record(folder, SessionLabels(operator=chosen.operator, site=chosen.site))
        before = {camera_id: _counts(line) for camera_id, line in pipeline.lines.items()}
        recording_s = time.monotonic()
        pause = threading.Event()
        while (elapsed_s := time.monotonic() - recording_s) < RUN_S:
            console.progress("capturing, repairing, recording", done=int(elapsed_s), total=int(RUN_S))
            pause.wait(TICK_S)
        counts = {camera_id: _counts(line) for camera_id, line in pipeline.lines.items()}
        ages_ms = [reading.median_ms for reading in pipeline.refined_readings()]
        refined = [line.refined.latest() for line in pipeline.lines.values()]
        session = studio.stop_recording()
        status = recorder.status()
    finally:
        studio.close()
    for result in refined:
        if result is not None:
            _write_picture(folder / f"{result.frame.camera_id}.png", result)
    written, lost = totals(list(status.cameras.values()))
    gains = [(counts[i][0] - before[i][0], counts[i][1] - before[i][1]) for i in counts]
    figures = Figures(
        cameras=len(gains),
        capture_hz=min(frames for frames, _ in gains) / elapsed_s,
        refined_hz=sum(repaired for _, repaired in gains) / elapsed_s,
        age_ms=float(np.median(ages_ms)),
        recorded=written,
        lost=lost,
    )
    console.say("figures", figures.line, **vars(figures))
    console.say(
        "done",
        f"Comparison pictures are in {folder}, the session in {session}",
        folder=str(folder),
        session=str(session),
    )
    if status.error:
        console.failed(Message("Recording stopped", status.error, status.hint))
    return 1 if trouble or status.error else 0


def say_how_to_get_the_window() -> None:
    """On standard error, because it is no result."""
    sys.stderr.write(f"{HOW_TO_GET_THE_WINDOW}\n")


def _counts(line: CameraLine) -> tuple[int, int]:
    """Frames captured and repaired so far."""
    return line.channel.meter.total, line.refined_meter.total


def _wait_for_repair(pipeline: Pipeline) -> InferenceState:
    """Wait until every camera has a repaired frame, or there will be none."""
    deadline_s = time.monotonic() + FIRST_REPAIR_S
    while time.monotonic() < deadline_s:
        state = pipeline.inference.latest()
        if state is not None and state.status in {InferenceStatus.FAILED, InferenceStatus.OFF}:
            return state
        missing = [line for line in pipeline.lines.values() if line.refined.latest() is None]
        if state is not None and not missing:
            return state
        if missing:
            missing[0].refined.newer_than(0, timeout_s=TICK_S)
    return InferenceState(
        InferenceStatus.FAILED,
        message=f"No frame was repaired within {FIRST_REPAIR_S:.0f} s.",
        hint="Choose fewer tokens or the classical filling: --tokens 300, or --model classical.",
    )


def _write_picture(path: Path, refined: Refined) -> None:
    repaired_m = refined.depth.metres.copy()
    repaired_m[refined.provenance == Provenance.REJECTED] = np.inf
    picture = comparison(
        refined.frame.color, refined.raw.metres, repaired_m, refined.provenance, title=refined.engine
    )
    write_image(path, picture)
